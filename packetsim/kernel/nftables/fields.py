"""Rule: what of a packet a rule may look at is a row of FIELDS; a key is one field or several joined.

Reading after net/netfilter/nft_{payload,meta,ct,fib,numgen}.c (Linux 6.1), names after nft 1.0.6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from packetsim.dice import Odds
from packetsim.kernel.nftables.datatypes import (
    ADDRESS4,
    ADDRESS6,
    ADDRESS_TYPE,
    MARK,
    NAME,
    NUMBER,
    PORT,
    PROTOCOL,
    STATE,
    Datatype,
    Key,
    Value,
)
from packetsim.kernel.visit import Visit
from packetsim.protocols import TRANSPORTS

Read = Callable[[Visit], Value]


@dataclass(frozen=True, slots=True)
class Field:
    """`noun` is its name in a why. `protocol`: nft asks for it first, without printing that it does."""

    text: str
    datatype: Datatype
    noun: str
    read: Read = field(compare=False)
    protocol: str = ""
    shown: Read | None = field(default=None, compare=False)  # what a why shows, where not the value itself

    def describe(self, visit: Visit) -> str:
        """`destination 10.96.0.1`, of a value that stays as it is."""
        value = (self.shown or self.read)(visit)
        if self.datatype is MARK:
            return f"{self.noun} {value:#x}"
        return f"{self.noun} {value}" if value != "" else f"no {self.noun}"


def _destination_port(visit: Visit) -> Value:
    packet = visit.packet
    return packet.destination_port if packet.protocol in TRANSPORTS else _transport_word(visit, 2)


def _source_port(visit: Visit) -> Value:
    packet = visit.packet
    return packet.source_port if packet.protocol in TRANSPORTS else _transport_word(visit, 0)


def _transport_word(visit: Visit, at: int) -> int:
    """`th dport` of ICMP is its checksum: nft_payload reads those bytes whatever the protocol."""
    start = 14 + (40 if visit.packet.family == 6 else 20) + at
    return int.from_bytes(visit.packet.wire[start : start + 2])


def _address_type(address: Callable[[Visit], str]) -> Read:
    return lambda visit: visit.facts.address_type(address(visit)).lower()


def _source(visit: Visit) -> str:
    return visit.packet.source


def _destination(visit: Visit) -> str:
    return visit.packet.destination


# nft_meta: the name of an interface that is not there is empty, and equals no other.
def _in_name(visit: Visit) -> Value:
    return visit.in_interface or ""


def _out_name(visit: Visit) -> Value:
    return visit.out_interface or ""


def _ports() -> list[Field]:
    sides = (("sport", "source port", _source_port), ("dport", "destination port", _destination_port))
    return [
        Field(f"{header} {side}", PORT, noun, read, header if header in TRANSPORTS else "")
        for header in ("th", *TRANSPORTS)
        for side, noun, read in sides
    ]


FIELDS: dict[str, Field] = {
    one.text: one
    for one in (
        Field("ip saddr", ADDRESS4, "source", _source),
        Field("ip daddr", ADDRESS4, "destination", _destination),
        Field("ip6 saddr", ADDRESS6, "source", _source),
        Field("ip6 daddr", ADDRESS6, "destination", _destination),
        Field("ip protocol", PROTOCOL, "protocol", lambda visit: visit.packet.protocol),
        Field("meta l4proto", PROTOCOL, "protocol", lambda visit: visit.packet.protocol),
        Field("meta mark", MARK, "mark", lambda visit: visit.packet.mark),
        Field("iifname", NAME, "in interface", _in_name),
        Field("oifname", NAME, "out interface", _out_name),
        Field("iif", NAME, "in interface", _in_name),
        Field("oif", NAME, "out interface", _out_name),
        Field("ct state", STATE, "state", lambda visit: visit.state.lower()),
        Field("fib saddr type", ADDRESS_TYPE, "source", _address_type(_source), shown=_source),
        Field("fib daddr type", ADDRESS_TYPE, "destination", _address_type(_destination), shown=_destination),
        *_ports(),
    )
}


@dataclass(frozen=True, slots=True)
class Fields:
    """What a match or a map is asked with: one field, or several joined by dots into one key."""

    parts: tuple[Field, ...]
    read: Callable[[Visit], Key] = field(init=False, compare=False, repr=False)
    protocols: tuple[str, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "read", _joined([part.read for part in self.parts]))
        object.__setattr__(
            self, "protocols", tuple(dict.fromkeys(part.protocol for part in self.parts if part.protocol))
        )

    @property
    def datatypes(self) -> tuple[Datatype, ...]:
        return tuple(part.datatype for part in self.parts)

    def foreign(self, visit: Visit) -> bool:
        """Has the packet another transport protocol than these fields are of?"""
        return any(visit.packet.protocol != protocol for protocol in self.protocols)

    def why_foreign(self, visit: Visit) -> str:
        return f"protocol {visit.packet.protocol}, not {' and '.join(self.protocols)}"

    def describe(self, visit: Visit) -> str:
        """What was asked with: `destination 10.96.0.1`, `10.96.0.1 . tcp . 81`."""
        if len(self.parts) == 1:
            return self.parts[0].describe(visit)
        return " . ".join(part.datatype.write((part.shown or part.read)(visit)) for part in self.parts)

    def render(self) -> str:
        return " . ".join(part.text for part in self.parts)


def _joined(reads: list[Read]) -> Callable[[Visit], Key]:
    match reads:
        case [one]:
            return one
        case [first, second]:
            return lambda visit: (first(visit), second(visit))
        case [first, second, third]:
            return lambda visit: (first(visit), second(visit), third(visit))
    return lambda visit: tuple([read(visit) for read in reads])


@lru_cache(maxsize=4096)
def numgen_odds(modulus: int) -> Odds:
    """nft_numgen: reciprocal_scale() gives way i where (x * modulus) >> 32 == i, for x of 32 random bits."""
    bounds = [-(-(way << 32) // modulus) for way in range(modulus + 1)]
    weights = tuple(high - low for low, high in pairwise(bounds))
    return Odds(weights, (Fraction(1, modulus),) * modulus)


@dataclass(frozen=True, slots=True)
class Numgen:
    """`numgen random mod N`: a number from 0 to N-1, drawn anew each time it is asked."""

    modulus: int

    @property
    def datatypes(self) -> tuple[Datatype, ...]:
        return (NUMBER,)

    def read(self, visit: Visit) -> Key:
        return visit.dice.pick(numgen_odds(self.modulus)) if self.modulus > 1 else 0

    def foreign(self, visit: Visit) -> bool:
        return False

    def describe(self, visit: Visit) -> str:
        return "the number drawn"

    def render(self) -> str:
        return f"numgen random mod {self.modulus}"


Asked = Fields | Numgen
