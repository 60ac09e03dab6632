"""Rule: what this kernel can do is found by doing it once, in a namespace that goes again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from . import namespaces, sockets, tracing
from .faults import GuestError
from .netlink import Netfilter
from .running import run

_SCRATCH = "abilities"


def abilities(home: namespaces.Namespace) -> dict[str, object]:
    """What hello answers: the kernel's release, and the names in `_TRIALS` of what works here."""
    scratch = namespaces.make(_SCRATCH)
    try:
        return {"kernel": os.uname().release, "can": [name for name, trial in _TRIALS.items() if _works(trial)]}
    finally:
        home.enter()
        scratch.remove()


def _works(trial: Callable[[], object]) -> bool:
    try:
        trial()
    except (GuestError, OSError):
        return False
    return True


def _trace() -> None:
    netfilter = Netfilter()
    try:
        netfilter.change_tables(tracing.judges_table(True))
    finally:
        netfilter.close()


def _conntrack() -> None:
    netfilter = Netfilter()
    try:
        netfilter.forget_connections()
        netfilter.connections()
    finally:
        netfilter.close()


def _ipvs() -> None:
    run("ipvsadm", "-L", "-n")
    Path("/proc/thread-self/net/ip_vs_conn").read_text()


def _bridge() -> None:
    """Bridges whose ports call netfilter, as every node's does."""
    run("ip", "link", "add", "bridge0", "type", "bridge")
    Path("/proc/sys/net/bridge/bridge-nf-call-iptables").read_text()


_TRIALS: dict[str, Callable[[], object]] = {
    "trace": _trace,
    "conntrack": _conntrack,
    "bridge": _bridge,
    "iptables": lambda: run("iptables-nft-restore", text="*nat\n-A OUTPUT -m comment --comment x -j RETURN\nCOMMIT\n"),
    "nft": lambda: run("nft", "-f", "-", text="table ip x {\n chain y {\n  reject\n }\n}\n"),
    "ipset": lambda: run("ipset", "create", "x", "hash:ip,port"),
    "ipvs": _ipvs,
    "dummy": lambda: run("ip", "link", "add", "dummy0", "type", "dummy"),
    "ipv6": lambda: sockets.listening("udp", "::", 9).close(),
    "sctp": lambda: sockets.listening("sctp", "0.0.0.0", 9).close(),
}
