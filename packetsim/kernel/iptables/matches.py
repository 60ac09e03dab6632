"""Rule: a match that looks past the packet's header: at its mark, its connection, its interfaces' roles, the node.

Behaviour after net/netfilter/xt_*.c (Linux 6.1), printing after libxt_*.c (iptables 1.8.9). The matches
that roll dice, keep lists or ask sets stand in `memory.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from packetsim.kernel.iptables.header import negation
from packetsim.kernel.iptables.model import Match
from packetsim.kernel.iptables.quoting import quoted
from packetsim.kernel.visit import Visit

EVERY_BIT = 0xFFFFFFFF


class Silent(Match):
    """Always matches: it is there to be read or counted."""

    __slots__ = ()
    always: ClassVar[bool] = True

    def holds(self, visit: Visit) -> bool:
        return True

    def why(self, visit: Visit) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class Comment(Silent):
    text: str

    def render(self) -> str:
        return f"-m comment --comment {quoted(self.text)}"


@dataclass(frozen=True, slots=True)
class Nfacct(Silent):
    """Counts packets in a kernel accounting object; the counting changes no packet's way."""

    name: str

    def render(self) -> str:
        # Two spaces: the extension prints one and the quoting routine another (libxt_nfacct.c).
        return f"-m nfacct --nfacct-name  {quoted(self.name)}"


@dataclass(frozen=True, slots=True)
class ConntrackState(Match):
    """`-m conntrack --ctstate` and its elder, `-m state --state`, which knows no SNAT and DNAT."""

    states: tuple[str, ...]  # in the order in which the tool prints them
    negated: bool = False
    module: str = "conntrack"

    ORDER: ClassVar[tuple[str, ...]] = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")

    def _listed(self, visit: Visit) -> bool:
        # xt_conntrack: beside the state, the connection's NAT bits count as states of their own.
        states = self.states
        return visit.state in states or (visit.dnat and "DNAT" in states) or (visit.snat and "SNAT" in states)

    def holds(self, visit: Visit) -> bool:
        return self._listed(visit) != self.negated

    def why(self, visit: Visit) -> str:
        bits = [name for name, is_set in (("SNAT", visit.snat), ("DNAT", visit.dnat)) if is_set and name in self.states]
        mine = ",".join([visit.state, *bits])
        return f"state {mine}{' is one of ' if self.negated else ', not '}{','.join(self.states)}"

    def render(self) -> str:
        option = "--state" if self.module == "state" else "--ctstate"
        return f"-m {self.module} {negation(self.negated)}{option} {','.join(self.states)}"


@dataclass(frozen=True, slots=True)
class MarkMatch(Match):
    value: int
    mask: int = EVERY_BIT
    negated: bool = False

    def holds(self, visit: Visit) -> bool:
        return (visit.packet.mark & self.mask == self.value) != self.negated

    def why(self, visit: Visit) -> str:
        mark = visit.packet.mark
        if self.value == self.mask and self.mask.bit_count() == 1:
            return f"mark {mark:#x} has {'' if self.negated else 'no '}bit {self.value:#x}"
        return f"mark {mark:#x} is {self.wanted}" if self.negated else f"mark {mark:#x}, not {self.wanted}"

    @property
    def wanted(self) -> str:
        return f"{self.value:#x}" if self.mask == EVERY_BIT else f"{self.value:#x}/{self.mask:#x}"

    def render(self) -> str:
        return f"-m mark {negation(self.negated)}--mark {self.wanted}"


@dataclass(frozen=True, slots=True)
class AddressType(Match):
    """The kind of route the addresses have on this node: xt_addrtype asks the routing table."""

    source: tuple[str, ...] = ()
    destination: tuple[str, ...] = ()
    source_negated: bool = False
    destination_negated: bool = False

    ORDER: ClassVar[tuple[str, ...]] = ("UNICAST", "LOCAL", "BROADCAST", "MULTICAST")

    def _source_holds(self, visit: Visit) -> bool:
        if not self.source:
            return True
        return (visit.facts.address_type(visit.packet.source) in self.source) != self.source_negated

    def holds(self, visit: Visit) -> bool:
        if not self._source_holds(visit):
            return False
        if not self.destination:
            return True
        return (visit.facts.address_type(visit.packet.destination) in self.destination) != self.destination_negated

    def why(self, visit: Visit) -> str:
        if not self._source_holds(visit):
            return _type_why("source", visit.packet.source, visit, self.source, self.source_negated)
        return _type_why("destination", visit.packet.destination, visit, self.destination, self.destination_negated)

    def render(self) -> str:
        text = "-m addrtype"
        if self.source:
            text += f" {negation(self.source_negated)}--src-type {','.join(self.source)}"
        if self.destination:
            text += f" {negation(self.destination_negated)}--dst-type {','.join(self.destination)}"
        return text


def _type_why(which: str, address: str, visit: Visit, wanted: tuple[str, ...], negated: bool) -> str:
    mine = f"{which} {address} is {visit.facts.address_type(address)}"
    return mine if negated else f"{mine}, not {','.join(wanted)}"


@dataclass(frozen=True, slots=True)
class Physdev(Match):
    """Which bridge ports a bridged packet uses. True, False or None (not asked) for each question."""

    is_in: bool | None = None
    is_out: bool | None = None
    is_bridged: bool | None = None

    def _questions(self, visit: Visit) -> tuple[tuple[str, bool | None, bool], ...]:
        leaves_by_port = visit.physical_out is not None
        return (
            ("--physdev-is-in", self.is_in, visit.physical_in is not None),
            ("--physdev-is-out", self.is_out, leaves_by_port),
            # physdev_mt: "bridged" is no more than "has an outgoing bridge port".
            ("--physdev-is-bridged", self.is_bridged, leaves_by_port),
        )

    def holds(self, visit: Visit) -> bool:
        return all(wanted is None or wanted == is_so for _, wanted, is_so in self._questions(visit))

    def why(self, visit: Visit) -> str:
        questions = self._questions(visit)
        return next(_PORT_WHY[option, is_so] for option, wanted, is_so in questions if wanted not in (None, is_so))

    def render(self) -> str:
        asked = (
            ("--physdev-is-in", self.is_in),
            ("--physdev-is-out", self.is_out),
            ("--physdev-is-bridged", self.is_bridged),
        )
        options = [f"{negation(not wanted)}{option}" for option, wanted in asked if wanted is not None]
        return " ".join(["-m physdev", *options])


_PORT_WHY = {
    ("--physdev-is-in", True): "came in by a bridge port",
    ("--physdev-is-in", False): "did not come in by a bridge port",
    ("--physdev-is-out", True): "leaves by a bridge port",
    ("--physdev-is-out", False): "does not leave by a bridge port",
    ("--physdev-is-bridged", True): "is being bridged",
    ("--physdev-is-bridged", False): "is not being bridged",
}
