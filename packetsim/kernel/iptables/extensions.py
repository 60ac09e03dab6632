"""Rule: every `-m` match that is modelled is one row here: its options, and how they make a match.

What is not in a row is refused. Option tables after libxt_*.c and libip{,6}t_*.c (iptables 1.8.9).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from packetsim.kernel.iptables.given import (
    Arguments,
    Given,
    Scene,
    bits_and_mask,
    network_of,
    port_number,
    port_range,
    whole_number,
)
from packetsim.kernel.iptables.header import (
    EVERY_PORT,
    Destination,
    IcmpType,
    Multiport,
    PortRange,
    Ports,
    Protocol,
)
from packetsim.kernel.iptables.matches import (
    EVERY_BIT,
    AddressType,
    Comment,
    ConntrackState,
    MarkMatch,
    Nfacct,
    Physdev,
)
from packetsim.kernel.iptables.memory import InSet, Ipvs, Recent, Statistic, steps_of
from packetsim.kernel.iptables.model import Match, RefusalError
from packetsim.kernel.iptables.quoting import quoted
from packetsim.protocols import PROTOCOL_NUMBERS, TRANSPORTS

# As iptables prints them, beside the numbers of packets' own protocols.
OTHER_PROTOCOLS = {"gre": 47, "esp": 50, "ah": 51, "udplite": 136}
_BY_NUMBER = {str(number): name for name, number in (PROTOCOL_NUMBERS | OTHER_PROTOCOLS).items()}


def protocol_name(text: str) -> str:
    """A name in packets' words, or a number for which there is none."""
    name = {"ipv6-icmp": "icmpv6"}.get(text.lower(), text.lower())
    if name in PROTOCOL_NUMBERS or name in OTHER_PROTOCOLS:
        return name
    if not text.isdigit():
        raise RefusalError(
            f"protocol {text!r} is not modelled; known are {', '.join(PROTOCOL_NUMBERS)}, and any number"
        )
    number = str(whole_number(text, 255, "protocol"))
    return _BY_NUMBER.get(number, number)


def _comment(given: Given, scene: Scene) -> Match:
    text = given.needed("--comment")
    if len(text.encode()) > 255:
        raise RefusalError("the comment is longer than 255 bytes; shorten it")
    return Comment(text)


def _ports(protocol: str) -> Callable[[Given, Scene], Match]:
    def build(given: Given, scene: Scene) -> Match:
        if scene.protocol != protocol:
            raise RefusalError(f'match "{protocol}" needs -p {protocol}')
        source, source_negated = _side(given, "--sport", protocol)
        destination, destination_negated = _side(given, "--dport", protocol)
        return Ports(protocol, source, destination, source_negated, destination_negated)

    return build


def _side(given: Given, option: str, protocol: str) -> tuple[PortRange | None, bool]:
    text, negated = given.signed(option)
    found = None if text is None else port_range(text)
    if found == EVERY_PORT and protocol != "sctp":  # libxt_sctp prints it, the others do not
        if negated:
            raise RefusalError(f"! {option} {text} can never match; leave the rule out")
        return None, False
    return found, negated


def _multiport(given: Given, scene: Scene) -> Match:
    if scene.protocol not in TRANSPORTS:
        raise RefusalError('match "multiport" needs -p tcp, udp or sctp')
    if len(given) != 1:
        raise RefusalError('match "multiport" takes one of --sports, --dports and --ports')
    ((option, (negated, text)),) = given.items()
    return Multiport(option[2:], tuple(port_range(one) for one in text.split(",")), negated)


def _icmp(protocol: str, option: str) -> Callable[[Given, Scene], Match]:
    def build(given: Given, scene: Scene) -> Match:
        if scene.protocol != protocol:
            raise RefusalError(f"{option} needs -p {protocol}")
        text, negated = given.signed(option)
        if text is None or (text == "any" and protocol == "icmp"):
            return IcmpType(protocol, negated=negated)
        kind, slash, code = text.partition("/")
        return IcmpType(
            protocol,
            whole_number(kind, 255, "ICMP type"),
            whole_number(code, 255, "ICMP code") if slash else None,
            negated,
        )

    return build


def _names(text: str, known: tuple[str, ...], what: str) -> tuple[str, ...]:
    """The listed names, in the order in which the tool prints them."""
    listed = set(text.upper().split(","))
    if not listed <= set(known):
        strangers = ", ".join(sorted(listed - set(known)))
        raise RefusalError(f"{what} {strangers} is not modelled; known are {', '.join(known)}")
    return tuple(name for name in known if name in listed)


def _states(module: str, option: str, known: tuple[str, ...]) -> Callable[[Given, Scene], Match]:
    def build(given: Given, scene: Scene) -> Match:
        text, negated = given.signed(option)
        if text is None:
            raise RefusalError(f"{option} is missing")
        return ConntrackState(_names(text, known, "state"), negated, module)

    return build


def _mark(given: Given, scene: Scene) -> Match:
    text, negated = given.signed("--mark")
    if text is None:
        raise RefusalError("--mark is missing")
    value, mask = bits_and_mask(text)
    return MarkMatch(value, EVERY_BIT if mask is None else mask, negated)


def _addrtype(given: Given, scene: Scene) -> Match:
    source, source_negated = given.signed("--src-type")
    destination, destination_negated = given.signed("--dst-type")
    if source is None and destination is None:
        raise RefusalError('match "addrtype" needs --src-type or --dst-type')
    return AddressType(
        _names(source, AddressType.ORDER, "address type") if source else (),
        _names(destination, AddressType.ORDER, "address type") if destination else (),
        source_negated,
        destination_negated,
    )


def _statistic(given: Given, scene: Scene) -> Match:
    mode = given.needed("--mode")
    if mode != "random":
        raise RefusalError(f"statistic mode {mode} is not modelled; use --mode random --probability")
    text, negated = given.signed("--probability")
    try:
        probability = float(text or "nan")
    except ValueError:
        probability = -1.0
    if not 0 <= probability <= 1:
        raise RefusalError(f"--probability {text} is not a number from 0 to 1")
    return Statistic(steps_of(probability), negated)


def _recent(given: Given, scene: Scene) -> Match:
    verbs = [verb for verb in ("--set", "--rcheck") if verb in given]
    if len(verbs) != 1:
        raise RefusalError('match "recent" needs either --set or --rcheck; --update and --remove are not modelled')
    if given.plain("--mask") not in (None, Recent.MASKS[scene.family]):
        raise RefusalError("--mask of less than the whole address is not modelled; leave it out")
    seconds = whole_number(given.plain("--seconds") or "0", 2**32 - 1, "--seconds")
    reap = given.flag("--reap")
    if verbs == ["--set"] and (seconds or reap):
        raise RefusalError("--set takes neither --seconds nor --reap")
    if reap and not seconds:
        raise RefusalError("--reap needs --seconds")  # recent_mt_check
    name = given.plain("--name") or "DEFAULT"
    if quoted(name) != name:
        raise RefusalError(f"list name {name!r} is not modelled; use letters, digits, - and _")
    return Recent(
        name,
        None if verbs == ["--set"] else seconds,
        reap,
        "rdest" if given.flag("--rdest") else "rsource",
        scene.family,
        negated=given[verbs[0]][0],
    )


def _set(given: Given, scene: Scene) -> Match:
    text, negated = given.signed("--match-set")
    name, _, flags = (text or "").partition(" ")
    directions = tuple(flags.split(","))
    if not 1 <= len(directions) <= 6 or not set(directions) <= {"src", "dst"}:
        raise RefusalError(f"--match-set {text} needs a set's name and up to six of src and dst")
    return InSet(name, directions, negated)


def _physdev(given: Given, scene: Scene) -> Match:
    return Physdev(*(given.answer(option) for option in MATCHES["physdev"].options))


def _ipvs(given: Given, scene: Scene) -> Match:
    protocol, protocol_negated = given.signed("--vproto")
    address, address_negated = given.signed("--vaddr")
    port, port_negated = given.signed("--vport")
    if not given:
        raise RefusalError('match "ipvs" needs one of --vproto, --vaddr and --vport')
    return Ipvs(
        None if protocol is None else Protocol(protocol_name(protocol), protocol_negated),
        None if address is None else Destination(network_of(address, scene.family), address_negated),
        None if port is None else port_number(port),
        port_negated,
    )


def _nfacct(given: Given, scene: Scene) -> Match:
    return Nfacct(given.needed("--nfacct-name"))


class MatchKind(NamedTuple):
    options: Arguments
    build: Callable[[Given, Scene], Match]


def _with_arguments(*options: str) -> dict[str, int]:
    return dict.fromkeys(options, 1)


_PORT_OPTIONS = _with_arguments("--sport", "--dport")

MATCHES: Mapping[str, MatchKind] = {
    "comment": MatchKind(_with_arguments("--comment"), _comment),
    "tcp": MatchKind(_PORT_OPTIONS, _ports("tcp")),
    "udp": MatchKind(_PORT_OPTIONS, _ports("udp")),
    "sctp": MatchKind(_PORT_OPTIONS, _ports("sctp")),
    "multiport": MatchKind(_with_arguments("--sports", "--dports", "--ports"), _multiport),
    "icmp": MatchKind(_with_arguments("--icmp-type"), _icmp("icmp", "--icmp-type")),
    "icmp6": MatchKind(_with_arguments("--icmpv6-type"), _icmp("icmpv6", "--icmpv6-type")),
    "conntrack": MatchKind(_with_arguments("--ctstate"), _states("conntrack", "--ctstate", ConntrackState.ORDER)),
    "state": MatchKind(_with_arguments("--state"), _states("state", "--state", ConntrackState.ORDER[:5])),
    "mark": MatchKind(_with_arguments("--mark"), _mark),
    "addrtype": MatchKind(_with_arguments("--src-type", "--dst-type"), _addrtype),
    "statistic": MatchKind(_with_arguments("--mode", "--probability"), _statistic),
    "recent": MatchKind(
        _with_arguments("--name", "--seconds", "--mask")
        | dict.fromkeys(("--set", "--rcheck", "--reap", "--rsource", "--rdest"), 0),
        _recent,
    ),
    "set": MatchKind({"--match-set": 2}, _set),
    "physdev": MatchKind(dict.fromkeys(("--physdev-is-in", "--physdev-is-out", "--physdev-is-bridged"), 0), _physdev),
    "ipvs": MatchKind(_with_arguments("--vproto", "--vaddr", "--vport"), _ipvs),
    "nfacct": MatchKind(_with_arguments("--nfacct-name"), _nfacct),
}
