"""Rule: `nft list ruleset` is cut into tables, sets and chains here; nothing in this file knows what a line means."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packetsim.errors import RuleTextError
from packetsim.ruletext import Line, NftChainText, NftSetText, NftTableText

_HANDLE = re.compile(r"\s*# handle \d+$")
_TABLE = re.compile(r"table (\S+) (\S+) \{")
_BLOCK = re.compile(r"(set|map|chain) (\S+) \{")
_COMMENT = re.compile(r'comment "([^"]*)"')
_ELEMENTS = "elements = {"
_ELEMENT = re.compile(r'(?:[^,"]|"[^"]*")+')
FAMILIES = ("ip", "ip6")


class _Lines:
    """The listing's lines, stripped, without handles and remarks."""

    def __init__(self, text: str) -> None:
        self._lines = enumerate(text.splitlines(), 1)
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for number, raw in self._lines:
            self.number = number
            line = _HANDLE.sub("", raw.strip())
            if line and not line.startswith("#"):
                yield line

    def refuse(self, message: str) -> RuleTextError:
        return RuleTextError(f"nft listing line {self.number}", message)


def cut(text: str) -> tuple[NftTableText, ...]:
    """The tables of a listing. Raises RuleTextError."""
    lines = _Lines(text)
    tables = []
    for line in lines:
        head = _TABLE.fullmatch(line)
        if head is None:
            raise lines.refuse(f'"{line}" stands where a table begins; give what `nft list ruleset` prints')
        family, name = head.groups()
        if family not in FAMILIES:
            raise lines.refuse(f'table family "{family}" is not modelled; known are {" and ".join(FAMILIES)}')
        tables.append(_table(lines, family, name))
    return tuple(tables)


def _table(lines: _Lines, family: str, name: str) -> NftTableText:
    comment = ""
    sets: dict[str, NftSetText] = {}
    chains: dict[str, NftChainText] = {}
    for line in lines:
        if line == "}":
            return NftTableText(family, name, comment, sets, chains)
        if found := _COMMENT.fullmatch(line):
            comment = found[1]
            continue
        head = _BLOCK.fullmatch(line)
        if head is None:
            raise lines.refuse(f'"{line}" in table {family} {name} is not modelled; take it out of the table')
        keyword, block = head.groups()
        if keyword == "chain":
            chains[block] = _chain(lines)
        else:
            sets[block] = _set(lines, keyword)
    raise lines.refuse(f"table {family} {name} does not end; give the whole listing")


def _chain(lines: _Lines) -> NftChainText:
    header: list[str] = []
    rules: list[Line] = []
    for line in lines:
        if line == "}":
            return NftChainText(tuple(header), tuple(rules))
        if not rules and (line.startswith("type ") or _COMMENT.fullmatch(line)):
            header.append(line)
        else:
            rules.append(Line(line))
    raise lines.refuse("the chain does not end; give the whole listing")


def _set(lines: _Lines, keyword: str) -> NftSetText:
    header: list[str] = []
    elements: tuple[Line, ...] = ()
    for line in lines:
        if line == "}":
            return NftSetText(keyword, tuple(header), elements)
        if line.startswith(_ELEMENTS):
            elements = _elements(lines, line)
        else:
            header.append(line)
    raise lines.refuse(f"the {keyword} does not end; give the whole listing")


def _elements(lines: _Lines, first: str) -> tuple[Line, ...]:
    """From `elements = {` to the brace that closes it, over as many lines as that takes."""
    parts = [first.removeprefix(_ELEMENTS)]
    while not parts[-1].endswith("}"):
        following = next(iter(lines), None)
        if following is None:
            raise lines.refuse("the elements do not end; give the whole listing")
        parts.append(following)
    whole = " ".join(parts).removesuffix("}")
    return tuple(Line(text.strip()) for text in _ELEMENT.findall(whole))
