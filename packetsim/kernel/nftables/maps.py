"""Rule: a map turns what a packet is, or a number drawn, into a verdict or an address; no element, no match.

After net/netfilter/nft_lookup.c and nft_nat.c (Linux 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from packetsim.addresses import family_of, with_port
from packetsim.kernel.nftables.datatypes import Datatype, RefusedError
from packetsim.kernel.nftables.elements import show_element
from packetsim.kernel.nftables.fields import Asked, Fields
from packetsim.kernel.nftables.intervals import Lookup
from packetsim.kernel.nftables.model import BROKEN, Decision, Element, Kind, Sets, Statement
from packetsim.kernel.visit import Translation, Visit


@dataclass(frozen=True, slots=True)
class MapName:
    """`@NAME`: the elements stand in the table."""

    name: str

    def find(self, asked: Asked, visit: Visit, sets: Sets) -> Element | None:
        return sets.find(self.name, asked.read(visit))

    def render(self) -> str:
        return f"@{self.name}"


@dataclass(frozen=True, slots=True)
class MapLiteral:
    """`{ KEY : VALUE, … }`: the elements stand in the rule."""

    key_types: tuple[Datatype, ...]
    value_types: tuple[Datatype, ...]
    elements: tuple[Element, ...]
    lookup: Lookup[Element] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        pairs = [(element.key, element) for element in self.elements]
        object.__setattr__(self, "lookup", Lookup(self.key_types, pairs))

    def find(self, asked: Asked, visit: Visit, sets: Sets) -> Element | None:
        return self.lookup.find(asked.read(visit))

    def render(self) -> str:
        shown = (show_element(element, self.key_types, self.value_types) for element in self.elements)
        return f"{{ {', '.join(shown)} }}"


@dataclass(frozen=True, slots=True)
class LookedUp(Statement):
    """What asks a map."""

    asked: Asked
    map: MapName | MapLiteral
    decides: ClassVar[bool] = True

    def element(self, visit: Visit, sets: Sets) -> Element | None:
        return None if self.asked.foreign(visit) else self.map.find(self.asked, visit, sets)

    def why(self, visit: Visit) -> str:
        if isinstance(self.asked, Fields) and self.asked.foreign(visit):
            return self.asked.why_foreign(visit)
        where = self.map.render() if isinstance(self.map, MapName) else "the rule's map"
        return f"{self.asked.describe(visit)} is not in {where}"


@dataclass(frozen=True, slots=True)
class VerdictMap(LookedUp):
    """`KEY vmap @MAP`, `KEY vmap { … }`."""

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        element = self.element(visit, sets)
        if element is None:
            return BROKEN
        if element.decision is None:
            raise RefusedError(f"{self.map.render()} is no verdict map; use vmap with one")
        return element.decision

    def render(self) -> str:
        return f"{self.asked.render()} vmap {self.map.render()}"


@dataclass(frozen=True, slots=True)
class TranslateByMap(LookedUp):
    """`dnat to KEY map …` (an address) and `dnat ip to KEY map …` (an address and a port)."""

    family: str = ""  # "ip" or "ip6" where a port is looked up too

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        element = self.element(visit, sets)
        if element is None:
            return BROKEN
        address, port = self._target(element)
        text = f"dnat to {address if port is None else with_port(address, port)}"
        translation = Translation("dnat", address, port)
        return Decision(Kind.TRANSLATE, text, translation=translation, origins=element.origins)

    def _target(self, element: Element) -> tuple[str, int | None]:
        match element.value:
            case (str(address),) if not self.family:
                return address, None
            case (str(address), int(port)) if self.family == ("ip6" if family_of(address) == 6 else "ip"):
                return address, port
        raise RefusedError(f"{self.map.render()} does not hold what {self.render()} needs; see `nft describe`")

    def render(self) -> str:
        family = f"{self.family} " if self.family else ""
        return f"dnat {family}to {self.asked.render()} map {self.map.render()}"
