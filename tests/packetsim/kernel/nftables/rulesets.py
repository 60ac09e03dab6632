"""Rule: Hypothesis draws rulesets here as values, from everything the model can hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from packetsim.addresses import canonical, network
from packetsim.hooks import Hook
from packetsim.kernel.nftables import datatypes as types
from packetsim.kernel.nftables.datatypes import Component, Datatype, Span
from packetsim.kernel.nftables.elements import read_verdict
from packetsim.kernel.nftables.fields import FIELDS, Fields, Numgen
from packetsim.kernel.nftables.maps import MapLiteral, MapName, TranslateByMap, VerdictMap
from packetsim.kernel.nftables.matches import Compare, InSet, MaskedMark, State, Status
from packetsim.kernel.nftables.model import Base, Chain, Element, Rule, Ruleset, Set, Statement, Table
from packetsim.kernel.nftables.statements import (
    REJECT_CODES,
    Counter,
    Learn,
    Log,
    Reject,
    SetMark,
    Translate,
)
from packetsim.kernel.nftables.words import Words
from packetsim.protocols import PROTOCOL_NUMBERS

Made = TypeVar("Made")

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,8}(/[a-z.0-9]{1,6})?", fullmatch=True)
WORDS = st.from_regex(r"[a-z ,:{}#/]{1,12}", fullmatch=True).filter(lambda text: text == text.strip())
COMMENTS = st.just("") | WORDS
BITS = st.integers(0, 2**32 - 1)
PORTS = st.integers(0, 65535)
NO_TIME: SearchStrategy[float | None] = st.none()
MILLISECONDS = st.integers(1, 10**9).map(lambda count: count / 1000)
IPV4 = BITS.map(lambda number: str(types.ADDRESS4.read(".".join(str(number >> at & 255) for at in (24, 16, 8, 0)))))
IPV6 = st.integers(0, 2**128 - 1).map(
    lambda number: canonical(":".join(f"{number >> at & 65535:x}" for at in range(112, -1, -16)))
)


def prefixes(addresses: SearchStrategy[str], bits: int) -> SearchStrategy[Component]:
    def prefix(address: str, length: int) -> Span:
        found = network(f"{address}/{length}")
        return Span(found.text, found.first, found.last)

    return st.builds(prefix, addresses, st.integers(0, bits - 1))


def _ports(first: int, length: int) -> Span:
    return Span(f"{first}-{first + length}", first, first + length)


VALUES: dict[Datatype, SearchStrategy[Component]] = {
    types.ADDRESS4: IPV4,
    types.ADDRESS6: IPV6,
    types.PROTOCOL: st.sampled_from([*PROTOCOL_NUMBERS, "gre", "253"]),
    types.PORT: PORTS,
    types.MARK: BITS,
    types.NAME: st.from_regex(r"[a-z0-9.-]{1,15}", fullmatch=True),
    types.STATE: st.sampled_from(types.STATES),
    types.ADDRESS_TYPE: st.sampled_from(types.ADDRESS_TYPES),
    types.NUMBER: st.integers(0, 5),
}
SPANS: dict[Datatype, SearchStrategy[Component]] = {
    types.ADDRESS4: prefixes(IPV4, 32),
    types.ADDRESS6: prefixes(IPV6, 128),
    types.MARK: st.builds("{:#x}/{}".format, BITS, st.integers(1, 31)).map(types.MARK.component),
    types.PORT: st.builds(_ports, st.integers(0, 60000), st.integers(1, 5000)),
    types.NAME: st.from_regex(r"[a-z]{1,9}", fullmatch=True).map(lambda start: types.NAME.component(f'"{start}*"')),
}


def keys(datatypes: tuple[Datatype, ...]) -> SearchStrategy[tuple[Component, ...]]:
    plain: SearchStrategy[tuple[Component, ...]] = st.tuples(*(VALUES[datatype] for datatype in datatypes))
    if len(datatypes) == 1 and datatypes[0] in SPANS:
        return plain | st.tuples(SPANS[datatypes[0]])
    return plain


def fields(questions: bool = False) -> SearchStrategy[Fields]:
    """Fields that may be asked together; a state alone is asked by a match of its own."""
    chosen = [one for one in FIELDS.values() if not (questions and one.datatype is types.STATE)]
    return st.lists(st.sampled_from(chosen), min_size=1, max_size=4).map(lambda parts: Fields(tuple(parts)))


VERDICTS = st.one_of(
    st.sampled_from(["accept", "drop", "return", "continue"]),
    st.builds("{} {}".format, st.sampled_from(["jump", "goto"]), NAMES),
).map(lambda text: read_verdict(Words(text)))


def elements(
    datatypes: tuple[Datatype, ...],
    value_types: tuple[Datatype, ...] = (),
    verdicts: bool = False,
    times: SearchStrategy[float | None] = NO_TIME,
) -> SearchStrategy[tuple[Element, ...]]:
    one = st.builds(
        Element,
        st.tuples(*(VALUES[datatype] for datatype in datatypes)),
        VERDICTS if verdicts else st.none(),
        st.tuples(*(VALUES[datatype] for datatype in value_types)),
        times,
        times,
        COMMENTS,
    )
    return st.lists(one, max_size=12).map(tuple)


# ---- statements -------------------------------------------------------------------------------


def _compared(key: Fields) -> SearchStrategy[Statement]:
    value = keys(key.datatypes)
    if len(key.parts) > 1:
        return st.builds(Compare, st.just(key), st.tuples(value), st.booleans())
    several = st.lists(value, min_size=1, max_size=4).map(tuple)
    return st.one_of(
        st.builds(Compare, st.just(key), st.tuples(value), st.booleans()),
        st.builds(Compare, st.just(key), several, st.booleans(), st.just(True)),
    )


def _literal(key: Fields | Numgen, value_types: tuple[Datatype, ...] = ()) -> SearchStrategy[MapLiteral]:
    members = elements(key.datatypes, value_types, verdicts=not value_types).filter(bool)
    return st.builds(MapLiteral, st.just(key.datatypes), st.just(value_types), members)


def _verdict_map(key: Fields | Numgen) -> SearchStrategy[Statement]:
    named = st.builds(MapName, NAMES)
    return st.builds(VerdictMap, st.just(key), _literal(key) if isinstance(key, Numgen) else _literal(key) | named)


def _translating_map(key: Fields | Numgen) -> SearchStrategy[Statement]:
    families = {"": (types.ADDRESS6,), "ip": (types.ADDRESS4, types.PORT), "ip6": (types.ADDRESS6, types.PORT)}
    return st.one_of(
        *(
            st.builds(TranslateByMap, st.just(key), _literal(key, values), st.just(family))
            for family, values in families.items()
        )
    )


def _rejects() -> list[Reject]:
    return [Reject(), *(Reject(protocol, code) for protocol, codes in REJECT_CODES.items() for code in codes)]


FLAGS = st.sampled_from(["", *Translate.FLAGS])
OPERATORS = (
    st.builds(lambda value: SetMark((), 0, value), BITS)
    | st.builds(lambda mask: SetMark((("&", mask),), mask, 0), BITS)
    | st.builds(lambda value: SetMark((("|", value),), ~value & 0xFFFFFFFF, value), BITS)
    | st.builds(lambda mask, value: SetMark((("&", mask), ("^", value)), mask, value), BITS, BITS)
)
NUMGENS = st.integers(1, 6).map(Numgen)
STATES = st.lists(st.sampled_from(types.STATES), min_size=1, max_size=3, unique=True).map(tuple)
QUESTIONS: SearchStrategy[Statement] = st.one_of(
    fields(questions=True).flatmap(_compared),
    st.builds(InSet, fields(), NAMES, st.booleans()),
    st.builds(State, STATES, st.booleans(), st.booleans()),
    st.builds(Status, st.sampled_from([("dnat",), ("snat",), ("snat", "dnat")])),
    st.builds(MaskedMark, BITS, BITS, st.booleans()),
)
DOINGS: SearchStrategy[Statement] = st.one_of(
    st.builds(Counter, BITS, BITS),
    st.builds(Log, COMMENTS),
    OPERATORS,
    st.builds(Learn, st.sampled_from(["add", "update"]), NAMES, fields(), st.none() | MILLISECONDS),
)
DECISIONS: SearchStrategy[Statement] = st.one_of(
    VERDICTS,
    st.sampled_from(_rejects()),
    st.builds(Translate, st.sampled_from(["dnat", "snat"]), IPV4 | IPV6, st.none() | PORTS, FLAGS),
    st.builds(Translate, st.sampled_from(["masquerade", "redirect"]), st.none(), st.none() | PORTS, FLAGS),
    (NUMGENS | fields()).flatmap(_verdict_map),
    (NUMGENS | fields()).flatmap(_translating_map),
)


# ---- tables -----------------------------------------------------------------------------------


def _statements(first: list[Statement], last: list[Statement]) -> tuple[Statement, ...]:
    return (*first, *last)


RULES = st.builds(
    Rule,
    st.builds(_statements, st.lists(QUESTIONS | DOINGS, min_size=1, max_size=4), st.lists(DECISIONS, max_size=1)),
    COMMENTS,
)
BASES = st.builds(
    Base,
    st.sampled_from(["filter", "nat"]),
    st.sampled_from(Hook),
    st.integers(-400, 400),
    st.sampled_from(["accept", "drop"]),
)


def chains(name: str) -> SearchStrategy[Chain]:
    return st.builds(Chain, st.just(name), st.none() | BASES, COMMENTS, st.lists(RULES, max_size=3).map(tuple))


KEY_TYPES = st.lists(st.sampled_from(list(types.SET_TYPES.values())), min_size=1, max_size=3).map(tuple)


def sets(name: str) -> SearchStrategy[Set]:
    return KEY_TYPES.flatmap(lambda datatypes: _set(name, datatypes) | _map(name, datatypes))


def _set(name: str, datatypes: tuple[Datatype, ...]) -> SearchStrategy[Set]:
    return st.builds(
        Set,
        keyword=st.just("set"),
        name=st.just(name),
        key_types=st.just(datatypes),
        size=st.none() | PORTS,
        flags=st.sampled_from([(), ("interval",), ("dynamic", "timeout"), ("constant",)]),
        auto_merge=st.booleans(),
        timeout=st.none() | MILLISECONDS,
        gc_interval=st.none() | MILLISECONDS,
        comment=COMMENTS,
        elements=elements(datatypes, times=NO_TIME | MILLISECONDS),
    )


def _map(name: str, datatypes: tuple[Datatype, ...]) -> SearchStrategy[Set]:
    return _map_of(name, datatypes, ()) | _map_of(name, datatypes, (types.ADDRESS4, types.PORT))


def _map_of(name: str, datatypes: tuple[Datatype, ...], value_types: tuple[Datatype, ...]) -> SearchStrategy[Set]:
    return st.builds(
        Set,
        keyword=st.just("map"),
        name=st.just(name),
        key_types=st.just(datatypes),
        value_types=st.just(value_types),
        verdicts=st.just(not value_types),
        comment=COMMENTS,
        elements=elements(datatypes, value_types, verdicts=not value_types),
    )


def _by_name(names: list[str], one: Callable[[str], SearchStrategy[Made]]) -> SearchStrategy[dict[str, Made]]:
    return st.fixed_dictionaries({name: one(name) for name in names})


def tables() -> SearchStrategy[Table]:
    names = st.lists(NAMES, max_size=3, unique=True)
    return st.builds(
        Table,
        st.sampled_from(["ip", "ip6"]),
        NAMES,
        COMMENTS,
        names.flatmap(lambda found: _by_name(found, sets)),
        names.flatmap(lambda found: _by_name(found, chains)),
    )


def rulesets() -> SearchStrategy[Ruleset]:
    return st.builds(Ruleset, st.lists(tables(), max_size=2).map(tuple))
