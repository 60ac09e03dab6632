"""Rule: each nft datatype knows its text, its value here, and the order by which intervals are asked.

Names and printing after nft 1.0.6 (src/datatype.c, `nft describe`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from packetsim.addresses import canonical, family_of, full_length, network, number_of
from packetsim.protocols import PROTOCOL_NUMBERS

Value = str | int
Key = Value | tuple[Value, ...]
NAME_SIZE = 16  # IFNAMSIZ, with the closing zero


class RefusedError(Exception):
    """What was written is not modelled, and the cure. Whoever knows the place adds it."""


class Span(NamedTuple):
    """A prefix, a range, or an interface name with a wildcard: every value that measures `first` to `last`."""

    text: str
    first: int
    last: int


Component = Value | Span


@dataclass(frozen=True, slots=True)
class Datatype:
    """`read` raises ValueError on nonsense; `measure` makes a value comparable with the ends of a Span."""

    name: str
    read: Callable[[str], Value]
    write: Callable[[Value], str] = str
    measure: Callable[[Value], int] = int
    ranges: bool = True

    def component(self, text: str) -> Component:
        """A value or a span. Raises RefusedError on what this datatype cannot hold."""
        try:
            return self._span(text) or self.read(text)
        except ValueError:
            raise RefusedError(f'"{text}" is no {self.name}; write it as `nft list ruleset` does') from None

    def _span(self, text: str) -> Span | None:
        if self is NAME and text.endswith('*"'):
            # A name is compared up to the star (meta iifname against a shortened register).
            start = _read_name(text)[:-1].encode()
            ends = (int.from_bytes(start.ljust(NAME_SIZE, filler)) for filler in (b"\0", b"\xff"))
            return Span(text, *ends)
        if self in (ADDRESS4, ADDRESS6) and "/" in text:
            return self._prefix(text)
        if self is MARK and "/" in text:
            return _mark_prefix(text)
        if self.ranges and "-" in text:
            first, _, last = text.partition("-")
            low, high = self.read(first), self.read(last)
            return Span(f"{self.write(low)}-{self.write(high)}", self.measure(low), self.measure(high))
        return None

    def _prefix(self, text: str) -> Span | None:
        address, _, length = text.partition("/")
        self.read(address)
        if int(length) == full_length(address):
            return None
        found = network(text)
        return Span(found.text, found.first, found.last)

    def show(self, component: Component) -> str:
        return component.text if isinstance(component, Span) else self.write(component)


def _address(family: int) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        text = text.removesuffix(f"/{128 if family == 6 else 32}")
        if family_of(text) != family:
            raise ValueError(text)
        return canonical(text)

    return read


def _measure_address(value: Value) -> int:
    return number_of(str(value))


# /etc/protocols calls it ipv6-icmp; packetsim, like iptables, icmpv6.
_PROTOCOL_BY_NUMBER = {str(number): name for name, number in PROTOCOL_NUMBERS.items()}


def _read_protocol(text: str) -> Value:
    if not text.replace("-", "").isalnum():
        raise ValueError(text)
    return {"ipv6-icmp": "icmpv6"}.get(text) or _PROTOCOL_BY_NUMBER.get(text, text)


def _write_protocol(value: Value) -> str:
    return "ipv6-icmp" if value == "icmpv6" else str(value)


def _bounded(bits: int) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        value = int(text, 0)
        if not 0 <= value < 1 << bits:
            raise ValueError(text)
        return value

    return read


def _write_mark(value: Value) -> str:
    return f"{value:#010x}"


def _read_name(text: str) -> str:
    if not 3 <= len(text) <= NAME_SIZE + 1 or text[0] != '"' or text[-1] != '"':
        raise ValueError(text)
    return text[1:-1]


def _mark_prefix(text: str) -> Span:
    """`0x00000000/1`: how nft prints a comparison under a mask of leading ones."""
    value, _, length = text.partition("/")
    below = 32 - int(length)
    if not 0 < below < 32:
        raise ValueError(text)
    first = int(MARK.read(value)) >> below << below
    return Span(f"{first:#010x}/{length}", first, first | (1 << below) - 1)


def _measure_name(value: Value) -> int:
    return int.from_bytes(str(value).encode().ljust(NAME_SIZE, b"\0"))


def _word_of(words: tuple[str, ...]) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        if text not in words:
            raise ValueError(text)
        return text

    return read


STATES = ("invalid", "established", "related", "new", "untracked")
ADDRESS_TYPES = ("unicast", "local", "broadcast", "multicast")

ADDRESS4 = Datatype("ipv4_addr", _address(4), measure=_measure_address)
ADDRESS6 = Datatype("ipv6_addr", _address(6), measure=_measure_address)
PROTOCOL = Datatype("inet_proto", _read_protocol, _write_protocol, ranges=False)
PORT = Datatype("inet_service", _bounded(16))
MARK = Datatype("mark", _bounded(32), _write_mark)
NAME = Datatype("ifname", _read_name, lambda value: f'"{value}"', _measure_name, ranges=False)
STATE = Datatype("ct_state", _word_of(STATES), ranges=False)
ADDRESS_TYPE = Datatype("fib_addrtype", _word_of(ADDRESS_TYPES), ranges=False)
NUMBER = Datatype("integer", _bounded(32))

# What a named set or map may be declared with.
SET_TYPES = {one.name: one for one in (ADDRESS4, ADDRESS6, PROTOCOL, PORT, MARK, NAME, STATE)}
