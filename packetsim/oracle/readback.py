"""Rule: what a tool prints back must be what we rendered; only what the kernel itself reorders is put in order.

Left aside: comments with dates, counters, what newer or older tools print beside (ipset's bucketsize),
the order in which a kernel keeps hashed elements, and a base chain's `Completed` notes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import unified_diff

from packetsim.oracle.comparison import Difference

_ELEMENTS = re.compile(r"elements = \{ (.*?) \}\n", re.DOTALL)
_ALONE = re.compile(r"\{ (\S+) \} (drop|reject|return|accept)")  # nft drops the braces round a lone element
_COUNTERS = re.compile(r"\[\d+:\d+\]")


def differences(place: str, rendered: Mapping[str, str], loaded: Mapping[str, str]) -> Iterator[Difference]:
    """For each part of one node's text, the first lines that did not come back as they went."""
    for part, text in rendered.items():
        wanted, got = _READ[part](text), _READ[part](loaded.get(part, ""))
        if wanted != got:
            changed = [line for line in unified_diff(wanted, got, n=0, lineterm="") if line[:3] not in ("---", "+++")]
            ours = next((line[1:] for line in changed if line.startswith("-")), "nothing there")
            kernel = next((line[1:] for line in changed if line.startswith("+")), "nothing there")
            yield Difference("text", f"{place} {part}", kernel, ours)


def _iptables(text: str) -> list[str]:
    """Table by table: each tool prints its tables in an order of its own."""
    tables: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("*"):
            lines = tables.setdefault(line, [])
        if line and not line.startswith("#"):
            lines.append(_COUNTERS.sub("[0:0]", line))
    return [line for name in sorted(tables) for line in _chains_first(tables[name])]


def _chains_first(lines: list[str]) -> list[str]:
    """Declarations sorted: iptables-nft and -legacy list chains in different orders, rules never."""
    chains = sorted(line for line in lines if line.startswith(":"))
    rules = [line for line in lines if line.startswith("-A")]
    by_chain = sorted(rules, key=lambda rule: rule.split()[1])
    return [lines[0], *chains, *by_chain]


def _ipset(text: str) -> list[str]:
    return sorted(re.sub(r" (bucketsize \d+|initval 0x[0-9a-f]+)", "", line) for line in text.splitlines() if line)


def _lines(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def _nft(text: str) -> list[str]:
    return [line.strip() for line in _ALONE.sub(r"\1 \2", _ELEMENTS.sub(_sorted, text)).splitlines() if line.strip()]


def _sorted(found: re.Match[str]) -> str:
    return "elements = " + " , ".join(sorted(re.split(r",\s+", found[1]))) + "\n"


_READ: dict[str, Callable[[str], list[str]]] = {
    "iptables": _iptables,
    "ip6tables": _iptables,
    "ipset": _ipset,
    "ipvs": _lines,
    "addresses": _lines,
    "nft": _nft,
}
