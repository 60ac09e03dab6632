"""Rule: what stands in the packet's own header or beside it (interfaces) is matched here.

-s -d -i -o -p are of every rule; tcp, udp, sctp, multiport and icmp look one header further.
Printing after save_rule4/save_rule6 and libxt_{tcp,udp,sctp,multiport}.c, libipt_icmp.c (iptables 1.8.9).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from packetsim.addresses import Network, full_length
from packetsim.kernel.iptables.model import Match
from packetsim.kernel.visit import Visit


def negation(negated: bool) -> str:
    return "! " if negated else ""


@dataclass(frozen=True, slots=True)
class AddressMatch(Match):
    """The network must hold (or, negated, must not hold) one of the packet's two addresses."""

    network: Network
    negated: bool = False
    single: str | None = field(init=False, compare=False, default=None)

    def __post_init__(self) -> None:
        address, _, length = self.network.text.partition("/")
        if int(length) == full_length(address):
            object.__setattr__(self, "single", address)

    def covers(self, address: str) -> bool:
        if self.single is not None:
            return (address == self.single) != self.negated
        return (address in self.network) != self.negated

    def why_not(self, which: str, address: str) -> str:
        if self.negated:
            return f"{which} is {address}" if self.single else f"{which} {address} is in {self.network.text}"
        return f"{which} {address}, not {self.single or self.network.text}"


class Source(AddressMatch):
    __slots__ = ()

    def holds(self, visit: Visit) -> bool:
        return self.covers(visit.packet.source)

    def why(self, visit: Visit) -> str:
        return self.why_not("source", visit.packet.source)

    def render(self) -> str:
        return f"{negation(self.negated)}-s {self.network.text}"


class Destination(AddressMatch):
    __slots__ = ()

    def holds(self, visit: Visit) -> bool:
        return self.covers(visit.packet.destination)

    def why(self, visit: Visit) -> str:
        return self.why_not("destination", visit.packet.destination)

    def render(self) -> str:
        return f"{negation(self.negated)}-d {self.network.text}"


@dataclass(frozen=True, slots=True)
class InterfaceMatch(Match):
    """An interface by name; a trailing `+` stands for any ending."""

    name: str
    negated: bool = False

    def covers(self, interface: str | None) -> bool:
        # Where the packet has no such interface the kernel compares with an empty name.
        name = interface or ""
        same = name.startswith(self.name[:-1]) if self.name.endswith("+") else name == self.name
        return same != self.negated

    def why_not(self, which: str, interface: str | None) -> str:
        if self.negated:
            return f"{which} interface is {interface}"
        return f"{which} interface {interface}, not {self.name}" if interface else f"no {which} interface here"


class InInterface(InterfaceMatch):
    __slots__ = ()

    def holds(self, visit: Visit) -> bool:
        return self.covers(visit.in_interface)

    def why(self, visit: Visit) -> str:
        return self.why_not("in", visit.in_interface)

    def render(self) -> str:
        return f"{negation(self.negated)}-i {self.name}"


class OutInterface(InterfaceMatch):
    __slots__ = ()

    def holds(self, visit: Visit) -> bool:
        return self.covers(visit.out_interface)

    def why(self, visit: Visit) -> str:
        return self.why_not("out", visit.out_interface)

    def render(self) -> str:
        return f"{negation(self.negated)}-o {self.name}"


@dataclass(frozen=True, slots=True)
class Protocol(Match):
    """`name` in a packet's words; a number where packets here have no such protocol."""

    name: str
    negated: bool = False

    def covers(self, protocol: str) -> bool:
        return (protocol == self.name) != self.negated

    def why_not(self, which: str, protocol: str) -> str:
        return f"{which} is {self.name}" if self.negated else f"{which} {protocol}, not {self.name}"

    def holds(self, visit: Visit) -> bool:
        return (visit.packet.protocol == self.name) != self.negated

    def why(self, visit: Visit) -> str:
        return self.why_not("protocol", visit.packet.protocol)

    def render(self) -> str:
        return f"{negation(self.negated)}-p {'ipv6-icmp' if self.name == 'icmpv6' else self.name}"


class PortRange(NamedTuple):
    first: int
    last: int

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}:{self.last}"


EVERY_PORT = PortRange(0, 65535)


@dataclass(frozen=True, slots=True)
class Ports(Match):
    """`-m tcp|udp|sctp` with --sport and --dport; `-p` has already seen to the protocol."""

    protocol: str
    source: PortRange | None = None
    destination: PortRange | None = None
    source_negated: bool = False
    destination_negated: bool = False

    def _source_holds(self, port: int) -> bool:
        return self.source is None or (self.source[0] <= port <= self.source[1]) != self.source_negated

    def holds(self, visit: Visit) -> bool:
        packet = visit.packet
        if self.source is not None and not self._source_holds(packet.source_port):
            return False
        wanted = self.destination
        return wanted is None or (wanted[0] <= packet.destination_port <= wanted[1]) != self.destination_negated

    def why(self, visit: Visit) -> str:
        packet = visit.packet
        if not self._source_holds(packet.source_port):
            return port_why("sport", packet.source_port, str(self.source), self.source_negated)
        return port_why("dport", packet.destination_port, str(self.destination), self.destination_negated)

    def render(self) -> str:
        text = f"-m {self.protocol}"
        if self.source is not None:
            text += f" {negation(self.source_negated)}--sport {self.source}"
        if self.destination is not None:
            text += f" {negation(self.destination_negated)}--dport {self.destination}"
        return text


def port_why(which: str, port: int, wanted: str, negated: bool) -> str:
    if not negated:
        return f"{which} {port}, not {wanted}"
    return f"{which} is {port}" if wanted == str(port) else f"{which} {port} is in {wanted}"


@dataclass(frozen=True, slots=True)
class Multiport(Match):
    """`which` is sports, dports, or ports for either of the two; `-p` has already seen to the protocol."""

    which: str
    ranges: tuple[PortRange, ...]
    negated: bool = False

    def _lists(self, port: int) -> bool:
        return any(first <= port <= last for first, last in self.ranges)

    def holds(self, visit: Visit) -> bool:
        packet = visit.packet
        by_source = self.which != "dports" and self._lists(packet.source_port)
        by_destination = self.which != "sports" and self._lists(packet.destination_port)
        return (by_source or by_destination) != self.negated

    def why(self, visit: Visit) -> str:
        packet = visit.packet
        ports = {"sports": f"sport {packet.source_port}", "dports": f"dport {packet.destination_port}"}
        mine = ports.get(self.which, f"ports {packet.source_port} and {packet.destination_port}")
        return f"{mine}{' is in ' if self.negated else ', not in '}{self.listed}"

    @property
    def listed(self) -> str:
        return ",".join(map(str, self.ranges))

    def render(self) -> str:
        return f"-m multiport {negation(self.negated)}--{self.which} {self.listed}"


@dataclass(frozen=True, slots=True)
class IcmpType(Match):
    """`protocol` is icmp or icmpv6. `type` None: any; `code` None: any of that type."""

    protocol: str
    type: int | None = None
    code: int | None = None
    negated: bool = False

    def holds(self, visit: Visit) -> bool:
        packet = visit.packet
        same = self.type is None or (self.type == packet.icmp_type and self.code in (None, packet.icmp_code))
        return same != self.negated

    def why(self, visit: Visit) -> str:
        if self.negated:
            return f"ICMP type is {self.wanted}"
        packet = visit.packet
        code = "" if self.code is None else f"/{packet.icmp_code}"
        return f"ICMP type {packet.icmp_type}{code}, not {self.wanted}"

    @property
    def wanted(self) -> str:
        if self.type is None:
            return "any"
        return str(self.type) if self.code is None else f"{self.type}/{self.code}"

    def render(self) -> str:
        module, option = ("icmp", "--icmp-type") if self.protocol == "icmp" else ("icmp6", "--icmpv6-type")
        return f"-m {module} {negation(self.negated)}{option} {self.wanted}"
