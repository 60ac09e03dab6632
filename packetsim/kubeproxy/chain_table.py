"""Rule: the chains of one table, shared between one compilation and the next.

Looking a chain up or changing a few costs nothing to speak of; only walking through all of them
needs the order of `iptables-save` (built-in chains, then the others by name), so only that sorts.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping

from packetsim.ruletext import ChainText


class ChainTable(Mapping[str, ChainText]):
    """Chain name to chain. `built_in` is in hook order; `chains` may come in any."""

    __slots__ = ("_built_in", "_chains", "_names")

    def __init__(self, built_in: Mapping[str, ChainText], chains: dict[str, ChainText]) -> None:
        self._built_in = built_in
        self._chains = chains
        self._names: list[str] | None = None

    def changed(self, gone: Iterable[str], new: Mapping[str, ChainText]) -> ChainTable:
        """A copy without the chains `gone` and with those of `new`; the rest is shared."""
        lost = set(gone) - new.keys()
        chains = self._chains.copy()  # five times quicker than dict() after a deletion
        for name in lost:
            del chains[name]
        chains.update(new)
        table = ChainTable(self._built_in, chains)
        if self._names is not None:
            table._names = _merged(self._names, lost, [name for name in new if name not in self._chains])
        return table

    def __getitem__(self, name: str) -> ChainText:
        found = self._chains.get(name)
        return self._built_in[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        if self._names is None:
            self._names = sorted(self._chains)
        yield from self._built_in
        yield from self._names

    def __len__(self) -> int:
        return len(self._built_in) + len(self._chains)


def _merged(names: list[str], gone: Iterable[str], new: Iterable[str]) -> list[str]:
    """Sorted names without `gone`, with `new`."""
    merged = list(names)
    for name in gone:
        del merged[bisect_left(merged, name)]
    for name in new:
        insort(merged, name)
    return merged
