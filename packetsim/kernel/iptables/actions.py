"""Rule: every target that is modelled is one row here: its options, and how they make a target.

A word that is no row is the name of a user-defined chain. Option tables after libxt_*.c (iptables 1.8.9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from packetsim.kernel.iptables.given import Arguments, Given, Scene, bits, bits_and_mask, endpoint_of, port_number
from packetsim.kernel.iptables.model import RefusalError, Return, Target
from packetsim.kernel.iptables.targets import (
    EVERY_BIT,
    REJECT_WITH,
    Dnat,
    Mark,
    Masquerade,
    Redirect,
    Reject,
    Snat,
    Standard,
)
from packetsim.kernel.visit import Outcome
from packetsim.protocols import TRANSPORTS


def _reject(given: Given, scene: Scene) -> Target:
    known = REJECT_WITH[scene.family]
    answer = given.plain("--reject-with") or known[0]
    if answer not in known:
        raise RefusalError(f"--reject-with {answer} is not modelled; known are {', '.join(known)}")
    if answer == "tcp-reset" and scene.protocol != "tcp":
        raise RefusalError("--reject-with tcp-reset needs -p tcp")
    return Reject(answer)


def _ported(port: int | None, scene: Scene) -> int | None:
    if port is not None and scene.protocol not in TRANSPORTS:
        raise RefusalError("a port needs -p tcp, udp or sctp")
    return port


def _dnat(given: Given, scene: Scene) -> Target:
    address, port = endpoint_of(given.needed("--to-destination"), scene.family)
    return Dnat(address, _ported(port, scene))


def _snat(given: Given, scene: Scene) -> Target:
    address, port = endpoint_of(given.needed("--to-source"), scene.family)
    return Snat(address, _ported(port, scene), given.flag("--random"), given.flag("--random-fully"))


def _masquerade(given: Given, scene: Scene) -> Target:
    return Masquerade(given.flag("--random"), given.flag("--random-fully"))


def _redirect(given: Given, scene: Scene) -> Target:
    text = given.plain("--to-ports")
    return Redirect(None if text is None else _ported(port_number(text), scene))


def _mark(given: Given, scene: Scene) -> Target:
    if len(given) != 1:
        raise RefusalError("MARK takes one of --set-xmark, --set-mark, --or-mark, --and-mark and --xor-mark")
    (option,) = given
    text = given.needed(option)
    if option in ("--set-xmark", "--set-mark"):
        value, mask = bits_and_mask(text)
        mask = EVERY_BIT if mask is None else mask
        # --set-mark sets its own bits even where the mask leaves them out (libxt_MARK.c).
        return Mark(value, mask | value if option == "--set-mark" else mask)
    value = bits(text)
    return {
        "--or-mark": Mark(value, value),
        "--xor-mark": Mark(value, 0),
        "--and-mark": Mark(0, value ^ EVERY_BIT),
    }[option]


class TargetKind(NamedTuple):
    options: Arguments
    build: Callable[[Given, Scene], Target]


_RANDOM = {"--random": 0, "--random-fully": 0}

TARGETS: Mapping[str, TargetKind] = {
    "ACCEPT": TargetKind({}, lambda given, scene: Standard(Outcome.ACCEPT)),
    "DROP": TargetKind({}, lambda given, scene: Standard(Outcome.DROP)),
    "RETURN": TargetKind({}, lambda given, scene: Return()),
    "REJECT": TargetKind({"--reject-with": 1}, _reject),
    "DNAT": TargetKind({"--to-destination": 1}, _dnat),
    "SNAT": TargetKind({"--to-source": 1, **_RANDOM}, _snat),
    "MASQUERADE": TargetKind(_RANDOM, _masquerade),
    "REDIRECT": TargetKind({"--to-ports": 1}, _redirect),
    "MARK": TargetKind(dict.fromkeys(("--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark"), 1), _mark),
}
# Targets that iptables knows and we do not: without this list they would be taken for chains that do not exist.
UNMODELLED = frozenset(
    """
    AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNMARK CONNSECMARK CT DNPT DSCP ECN HL HMARK IDLETIMER LED LOG NETMAP NFLOG
    NFQUEUE NOTRACK QUEUE RATEEST SECMARK SET SNPT SYNPROXY TCPMSS TCPOPTSTRIP TEE TOS TPROXY TRACE TTL ULOG
    """.split()  # noqa: SIM905
)
