"""Rule: a match asks one thing of the packet and can say why the answer was no.

After net/netfilter/nft_{cmp,range,lookup,bitwise}.c (Linux 6.1). A why asks nothing that may change
later (a set, a route, the dice): traces are explained long after the packet went by.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from packetsim.kernel.nftables.datatypes import Component
from packetsim.kernel.nftables.elements import show_components
from packetsim.kernel.nftables.fields import FIELDS, Fields
from packetsim.kernel.nftables.intervals import Lookup
from packetsim.kernel.nftables.model import BROKEN, Decision, Sets, Statement
from packetsim.kernel.visit import Visit
from packetsim.ruletext import Origin

LISTED = 4  # a why names the members of an anonymous set up to this many


def negation(negated: bool) -> str:
    return "!= " if negated else ""


@dataclass(frozen=True, slots=True)
class Compare(Statement):
    """`KEY [!=] VALUE`, or `{ VALUE, … }` with `braces`; each value may be a prefix or a range."""

    key: Fields
    values: tuple[tuple[Component, ...], ...]
    negated: bool = False
    braces: bool = False
    lookup: Lookup[None] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookup", Lookup(self.key.datatypes, [(value, None) for value in self.values]))

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        key = self.key
        if key.protocols and key.foreign(visit):
            return BROKEN
        return None if (key.read(visit) in self.lookup) is not self.negated else BROKEN

    def why(self, visit: Visit) -> str:
        if self.key.foreign(visit):
            return self.key.why_foreign(visit)
        mine = self.key.describe(visit)
        if self.key.parts[0].shown:
            return f"{mine} {'is' if self.negated else 'is not'} {self._wanted()}"
        single = not self.braces and all(isinstance(part, (str, int)) for part in self.values[0])
        if single:
            return f"{mine}, and must not be" if self.negated else f"{mine}, not {self._wanted()}"
        return f"{mine} {'is in' if self.negated else 'is not in'} {self._wanted()}"

    def _wanted(self) -> str:
        if self.braces and len(self.values) > LISTED:
            return f"the {len(self.values)} of the rule"
        return self._values()

    def _values(self) -> str:
        shown = (show_components(value, self.key.datatypes) for value in self.values)
        return f"{{ {', '.join(shown)} }}" if self.braces else next(shown)

    def render(self) -> str:
        return f"{self.key.render()} {negation(self.negated)}{self._values()}"


@dataclass(frozen=True, slots=True)
class InSet(Statement):
    """`KEY [!=] @SET`."""

    key: Fields
    name: str
    negated: bool = False

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        key = self.key
        if key.protocols and key.foreign(visit):
            return BROKEN
        return None if sets.holds(self.name, key.read(visit), visit.now) is not self.negated else BROKEN

    def why(self, visit: Visit) -> str:
        if self.key.foreign(visit):
            return self.key.why_foreign(visit)
        mine = self.key.describe(visit)
        return f"{mine} {'is in' if self.negated else 'is not in'} @{self.name}"

    def origins_of(self, visit: Visit, sets: Sets) -> tuple[Origin, ...]:
        element = None if self.negated else sets.find(self.name, self.key.read(visit))
        return element.origins if element else ()

    def render(self) -> str:
        return f"{self.key.render()} {negation(self.negated)}@{self.name}"


STATUS_BITS = ("snat", "dnat")


@dataclass(frozen=True, slots=True)
class Status(Statement):
    """`ct status dnat`: has the connection one of these bits?"""

    bits: tuple[str, ...]

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        bits = self.bits
        return None if (visit.dnat and "dnat" in bits) or (visit.snat and "snat" in bits) else BROKEN

    def why(self, visit: Visit) -> str:
        return f"the connection has no status {' or '.join(self.bits)}"

    def render(self) -> str:
        return f"ct status {','.join(self.bits)}"


@dataclass(frozen=True, slots=True)
class State(Statement):
    """`ct state [!=] new,established`, or the same as a set in braces. A packet has one state."""

    states: tuple[str, ...]
    negated: bool = False
    braces: bool = False

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return None if (visit.state.lower() in self.states) is not self.negated else BROKEN

    def why(self, visit: Visit) -> str:
        mine = f"state {visit.state.lower()}"
        return f"{mine}, and must not be" if self.negated else f"{mine}, not {' or '.join(self.states)}"

    def render(self) -> str:
        states = f"{{ {', '.join(self.states)} }}" if self.braces else ",".join(self.states)
        return f"ct state {negation(self.negated)}{states}"


@dataclass(frozen=True, slots=True)
class MaskedMark(Statement):
    """`meta mark & MASK == VALUE`, or `!=`."""

    mask: int
    value: int
    negated: bool = False

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return None if (visit.packet.mark & self.mask == self.value) is not self.negated else BROKEN

    def why(self, visit: Visit) -> str:
        mark = visit.packet.mark
        mine = f"mark {mark:#x} & {self.mask:#x} is {mark & self.mask:#x}"
        return mine if self.negated else f"{mine}, not {self.value:#x}"

    def render(self) -> str:
        return f"{FIELDS['meta mark'].text} & {self.mask:#010x} {'!=' if self.negated else '=='} {self.value:#010x}"
