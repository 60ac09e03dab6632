"""Rule: a key is found by its value, or by the interval it lies in; both at once, whatever the size.

Lookup is what nft_set_hash and nft_set_rbtree answer (Linux 6.1). Intervals inside a joined key
(pipapo) are not modelled.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

from packetsim.kernel.nftables.datatypes import Component, Datatype, Key, RefusedError, Span, Value

Found = TypeVar("Found")


class Lookup(Generic[Found]):
    """What each key leads to. `exact` may be read by whoever needs no intervals."""

    __slots__ = ("_firsts", "_spans", "datatypes", "exact")

    def __init__(self, datatypes: tuple[Datatype, ...], pairs: Iterable[tuple[tuple[Component, ...], Found]]) -> None:
        self.datatypes = datatypes
        self.exact: dict[Key, Found] = {}
        spans: list[tuple[Span, Found]] = []
        for components, found in pairs:
            if len(components) == 1 and isinstance(components[0], Span):
                spans.append((components[0], found))
            else:
                self.exact[plain_key(components)] = found
        self._spans = _disjoint(spans)
        self._firsts = [span.first for span, _ in self._spans]

    def __contains__(self, key: Key) -> bool:
        return key in self.exact or (bool(self._spans) and self._around(key) is not None)

    def find(self, key: Key) -> Found | None:
        found = self.exact.get(key)
        if found is not None or not self._spans:
            return found
        around = self._around(key)
        return None if around is None else around[1]

    def _around(self, key: Key) -> tuple[Span, Found] | None:
        if isinstance(key, tuple):
            raise RefusedError(f"a joined key is looked up among single {self.datatypes[0].name}s; make them alike")
        measured = self.datatypes[0].measure(key)
        at = bisect_right(self._firsts, measured) - 1
        if at < 0 or measured > self._spans[at][0].last:
            return None
        return self._spans[at]


def plain_key(components: tuple[Component, ...]) -> Key:
    """A value, or a tuple of values for a joined key."""
    values: list[Value] = []
    for component in components:
        if isinstance(component, Span):
            raise RefusedError(
                f"interval {component.text} inside a joined key is not modelled; write one element for each"
            )
        values.append(component)
    return values[0] if len(values) == 1 else tuple(values)


def _disjoint(spans: list[tuple[Span, Found]]) -> list[tuple[Span, Found]]:
    """In order, and overlapping ones merged, as nft does with anonymous sets and auto-merge."""
    merged: list[tuple[Span, Found]] = []
    for span, found in sorted(spans, key=lambda pair: pair[0].first):
        if not merged or span.first > merged[-1][0].last:
            merged.append((span, found))
            continue
        before, earlier = merged[-1]
        if earlier != found:
            raise RefusedError(f"intervals {before.text} and {span.text} overlap; the kernel refuses that too")
        if span.last > before.last:
            merged[-1] = (Span(before.text, before.first, span.last), earlier)
    return merged
