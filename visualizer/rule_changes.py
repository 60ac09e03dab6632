"""Rule: two texts of one node's rules, line against line: what stands in one and not in the other.

Chains, sets and servers that are the same object in both are passed over, so a change costs what it changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from packetsim.kubeproxy.config import NodeConfig
from packetsim.ruletext import ChainText, Line, NftChainText, NftSetText, ServerText, SetText
from visualizer.schemas import MOST_LINES, RuleChange, Sign

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
        both: tuple[tuple[Sign, Counter[str]], ...] = (("-", gone - come), ("+", come - gone))
        for sign, texts in both:
            count = sum(texts.values())
            added, removed = added + count * (sign == "+"), removed + count * (sign == "-")
            for text in texts.elements():
                if len(lines) < MOST_LINES:
                    part, place = key
                    lines.append(RuleChange(sign=sign, part=part, place=place, text=text[:LONGEST_LINE]))
    return RuleDifference(added, removed, lines)


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
    return Counter(_lines(key, block)) if block is not None else Counter()


def _lines(key: tuple[str, str], block: Any) -> Iterator[str]:
    """Each line as it stands in the node's own text; a chain or set of its own is a line, too."""
    name = key[1].rpartition(" ")[2]
    match block:
        case ChainText():
            yield f":{name} {block.policy or '-'} [0:0]"
            yield from _of(block.lines)
        case SetText():
            yield from _of((block.create, *block.entries))
        case ServerText():
            yield from _of((block.server, *block.reals))
        case NftSetText():
            yield f"{block.keyword} {name}"
            yield from _of(block.elements)
        case NftChainText():
            yield f"chain {name}"
            yield from block.header
            yield from _of(block.lines)
        case _:
            yield from _of(block)


def _of(lines: Iterable[Line]) -> Iterator[str]:
    return (line.text for line in lines)
