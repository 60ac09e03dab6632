"""Rule: a virtual server here is what one `-A` line and its `-a` lines say, and no more.

Only what the data plane can carry out has a place: masquerade forwarding, and the schedulers in
SCHEDULERS. Numbers live elsewhere (servers.py); these are values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from packetsim.addresses import with_port
from packetsim.errors import RuleTextError

RealKey = tuple[str, int]  # (address, port)
VirtualKey = tuple[str, str, int]  # (protocol, address, port)

# scheduler -> its flags, in the order of their bits (include/uapi/linux/ip_vs.h, ipvsadm 1.31)
SCHEDULERS: dict[str, tuple[str, ...]] = {
    "rr": (),
    "wrr": (),
    "lc": (),
    "wlc": (),
    "sh": ("sh-fallback", "sh-port"),
    "dh": (),
    "mh": ("mh-fallback", "mh-port"),
    "sed": (),
    "nq": (),
}


@dataclass(frozen=True, slots=True)
class RealServer:
    """Where a virtual server sends connections. `weight` 0: it gets no new one."""

    address: str
    port: int
    weight: int = 1
    forwarding: str = "masquerade"

    @property
    def key(self) -> RealKey:
        return self.address, self.port

    @property
    def text(self) -> str:
        return with_port(self.address, self.port)


@dataclass(frozen=True, slots=True)
class VirtualServer:
    """An address and port that IPVS answers for.

    `persistence`: seconds a client is remembered, None without. `netmask`: how many leading bits of
    the client's address are remembered, None for all of them.
    """

    protocol: str
    address: str
    port: int
    scheduler: str
    flags: tuple[str, ...] = ()
    persistence: int | None = None
    netmask: int | None = None
    reals: tuple[RealServer, ...] = ()

    @property
    def key(self) -> VirtualKey:
        return self.protocol, self.address, self.port

    @property
    def text(self) -> str:
        return with_port(self.address, self.port)


@dataclass(frozen=True, slots=True)
class Sysctls:
    """`net.ipv4.vs.*` as far as it decides where packets go; the kernel's defaults."""

    conntrack: int = 0
    conn_reuse_mode: int = 1
    expire_nodest_conn: int = 0
    expire_quiescent_template: int = 0
    sloppy_tcp: int = 0
    sloppy_sctp: int = 0


def read_sysctls(settings: Mapping[str, str]) -> Sysctls:
    """The settings under `net.ipv4.vs.` (or `net/ipv4/vs/`); all others are somebody else's."""
    known = {field.name for field in fields(Sysctls)}
    found: dict[str, int] = {}
    for path, value in settings.items():
        prefix, _, name = path.replace("/", ".").rpartition(".")
        if prefix != "net.ipv4.vs":
            continue
        if name not in known or not value.isdecimal():
            raise RuleTextError(
                path, f"{value!r} is not modelled; supported are numbers for {', '.join(sorted(known))}"
            )
        found[name] = int(value)
    return Sysctls(**found)
