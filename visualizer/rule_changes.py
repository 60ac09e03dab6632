"""Rule: two texts of one node's rules, line against line: what stands in one and not in the other.

Chains, sets and servers that are the same object in both are passed over, so a change costs what it changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from packetsim.kubeproxy.config import NodeConfig
from packetsim.ruletext import ChainText, Line, NftChainText, NftSetText, ServerText, SetText
from visualizer.origins import origin_views
from visualizer.schemas import MOST_LINES, MOST_ORIGINS, RuleChange, Sign

LONGEST_LINE = 2000


class RuleDifference(NamedTuple):
    """`added` and `removed` are exact, `lines` the first of them."""

    added: int
    removed: int
    lines: list[RuleChange]


def rule_difference(old: NodeConfig | None, new: NodeConfig | None) -> RuleDifference:
    before, after = _blocks(old), _blocks(new)
    added = removed = 0
    lines: list[RuleChange] = []
    for key in dict.fromkeys((*before, *after)):
        was, now = before.get(key), after.get(key)
        if was is not None and now is not None and was is now:
            continue
        gone, come = _texts(key, was), _texts(key, now)
        both: tuple[tuple[Sign, Counter[str], Any], ...] = (("-", gone - come, was), ("+", come - gone, now))
        for sign, texts, block in both:
            count = sum(texts.values())
            added, removed = added + count * (sign == "+"), removed + count * (sign == "-")
            lines += _told(sign, key, texts, block, MOST_LINES - len(lines))
    return RuleDifference(added, removed, lines)


def _told(sign: Sign, key: tuple[str, str], texts: Counter[str], block: Any, most: int) -> Iterator[RuleChange]:
    """The first of these lines, each with what made it."""
    if most <= 0 or not texts:
        return
    part, place = key
    origins = {line.text: line.origins for line in _lines(key, block)}
    for text in islice(texts.elements(), most):
        made = origin_views(origins[text])[:MOST_ORIGINS]
        yield RuleChange(sign=sign, part=part, place=place, text=text[:LONGEST_LINE], origins=made)


def _blocks(config: NodeConfig | None) -> dict[tuple[str, str], Any]:
    """(part, place) -> what stands there, unread."""
    if config is None:
        return {}
    found: dict[tuple[str, str], Any] = {}
    if config.dummy_addresses:
        found["addresses", "kube-ipvs0"] = config.dummy_addresses
    found.update((("ipset", name), one) for name, one in config.ipsets.items())
    found.update((("ipvs", name), one) for name, one in config.virtual_servers.items())
    for part, tables in (("iptables", config.iptables), ("ip6tables", config.ip6tables)):
        for table, chains in tables.items():
            found.update(((part, f"{table} {name}"), chain) for name, chain in chains.items())
    for nft in config.nft:
        place = f"{nft.family} {nft.name}"
        for inside in (nft.sets, nft.chains):
            found.update((("nft", f"{place} {name}"), one) for name, one in inside.items())
    return found


def _texts(key: tuple[str, str], block: Any) -> Counter[str]:
    return Counter(line.text for line in _lines(key, block)) if block is not None else Counter()


def _lines(key: tuple[str, str], block: Any) -> Iterator[Line]:
    """Each line as it stands in the node's own text; a chain or set of its own is a line, too."""
    name = key[1].rpartition(" ")[2]
    match block:
        case ChainText():
            yield Line(f":{name} {block.policy or '-'} [0:0]")
            yield from block.lines
        case SetText():
            yield from (block.create, *block.entries)
        case ServerText():
            yield from (block.server, *block.reals)
        case NftSetText():
            yield Line(f"{block.keyword} {name}")
            yield from block.elements
        case NftChainText():
            yield Line(f"chain {name}")
            yield from map(Line, block.header)
            yield from block.lines
        case _:
            yield from block
