"""Rule: `render(parse(x)) == x` for what nft 1.0.6 lists, and `parse(render(r)) == r` for every ruleset.

A listing is first cut into the lines of `packetsim.ruletext`, the same that a rule compiler makes; those
become values, here all of them, in `traverse.py` only those that a packet meets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from packetsim.errors import RuleTextError
from packetsim.kernel.nftables.datatypes import RefusedError
from packetsim.kernel.nftables.elements import read_element, show_element
from packetsim.kernel.nftables.headers import chain_header, parse_chain, parse_set, set_header
from packetsim.kernel.nftables.listing import cut
from packetsim.kernel.nftables.model import Chain, Element, Rule, Ruleset, Set, Table
from packetsim.kernel.nftables.rule_text import parse_rule, render_rule
from packetsim.kernel.nftables.words import Words
from packetsim.ruletext import Line, NftChainText, NftSetText, NftTableText, nft_list

Made = TypeVar("Made")


def parse(text: str) -> Ruleset:
    """What `nft list ruleset` printed, with or without handles. Raises RuleTextError."""
    return Ruleset(tuple(parse_table(table) for table in cut(text)))


def render(ruleset: Ruleset) -> str:
    """As `nft list ruleset` prints it."""
    return nft_list(table_text(table) for table in ruleset.tables)


# ---- text to values ---------------------------------------------------------------------------


def parse_table(text: NftTableText) -> Table:
    place = f"{text.family} {text.name}"
    sets = {name: whole_set(place, name, one) for name, one in text.sets.items()}
    chains = {name: whole_chain(place, name, one) for name, one in text.chains.items()}
    return Table(text.family, text.name, text.comment, sets, chains)


def set_of(table: str, name: str, text: NftSetText) -> Set:
    """A set or map without its elements."""
    return placed(f"{table} {text.keyword} {name}", lambda: parse_set(text.keyword, name, text.header))


def element_of(table: str, one: Set, line: Line, number: int) -> Element:
    """One line of a set; `number` from 1."""

    def read() -> Element:
        words = Words(line.text)
        element = read_element(words, one.key_types, one.value_types, one.verdicts, line.origins)
        words.end()
        return element

    return placed(f"{table} {one.keyword} {one.name} element {number}", read)


def whole_set(table: str, name: str, text: NftSetText) -> Set:
    one = set_of(table, name, text)
    elements = (element_of(table, one, line, number) for number, line in enumerate(text.elements, 1))
    return replace(one, elements=tuple(elements))


def chain_of(table: str, name: str, text: NftChainText) -> Chain:
    """A chain without its rules."""
    return placed(f"{table}/{name}", lambda: parse_chain(name, text.header))


def rules_of(table: str, name: str, lines: tuple[Line, ...]) -> tuple[Rule, ...]:
    return tuple(
        placed(f"{table}/{name} rule {number}", partial(parse_rule, line.text, line.origins))
        for number, line in enumerate(lines, 1)
    )


def whole_chain(table: str, name: str, text: NftChainText) -> Chain:
    return replace(chain_of(table, name, text), rules=rules_of(table, name, text.lines))


def placed(place: str, read: Callable[[], Made]) -> Made:
    """What `read` makes; its refusal gets the place."""
    try:
        return read()
    except RefusedError as refusal:
        raise RuleTextError(place, str(refusal)) from None


# ---- values to text ---------------------------------------------------------------------------


def table_text(table: Table) -> NftTableText:
    """The lines a table is listed with."""
    sets = {name: _set_text(one) for name, one in table.sets.items()}
    chains = {name: _chain_text(one) for name, one in table.chains.items()}
    return NftTableText(table.family, table.name, table.comment, sets, chains)


def _set_text(one: Set) -> NftSetText:
    elements = (
        Line(show_element(element, one.key_types, one.value_types), element.origins) for element in one.elements
    )
    return NftSetText(one.keyword, set_header(one), tuple(elements))


def _chain_text(chain: Chain) -> NftChainText:
    lines = tuple(Line(render_rule(rule), rule.origins) for rule in chain.rules)
    return NftChainText(chain_header(chain), lines)
