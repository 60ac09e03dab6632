"""Rule: a table's sets and maps are read when first asked; an element's line is read once, whatever else changes.

Elements a rule learns (`update @set { … }`) are kept apart from those that are written, and live on
while the set's definition stays, as in the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from packetsim.errors import RuleTextError
from packetsim.kernel.nftables.datatypes import Key, RefusedError
from packetsim.kernel.nftables.intervals import Lookup, plain_key
from packetsim.kernel.nftables.model import Element, Set
from packetsim.kernel.nftables.text import element_of, set_of
from packetsim.ruletext import NftSetText, NftTableText

DEFAULT_SIZE = 65535  # nft_dynset_init: a set that rules add to is bounded, if need be by this


class LoadedSet:
    """One set or map, read. Never changed afterwards, so copies of a table may share it."""

    __slots__ = ("_elements", "definition", "lookup", "text")

    def __init__(self, table: str, name: str, text: NftSetText, before: LoadedSet | None) -> None:
        self.text = text
        if before is None or before.text.header != text.header:
            self.definition = _modelled(table, set_of(table, name, text))
            self._elements = self._read(table, {})
        else:
            self.definition = before.definition
            self._elements = self._read(table, before._elements)
        lasting = [(one.key, one) for one in self._elements.values() if self._lifetime(one) is None]
        self.lookup = Lookup(self.definition.key_types, lasting)

    def _read(self, table: str, known: dict[str, Element]) -> dict[str, Element]:
        """Each line's element; a line known from before is not read again."""
        found: dict[str, Element] = {}
        for number, line in enumerate(self.text.elements, 1):
            text, origins = line
            element = known.get(text)
            if element is None or element.origins is not origins:
                element = element_of(table, self.definition, line, number)
            found[text] = element
        return found

    def _lifetime(self, element: Element) -> float | None:
        return element.expires or element.timeout or self.definition.timeout

    def passing(self) -> Iterable[tuple[Key, float]]:
        """The elements that were listed with a time to live: (key, seconds)."""
        for element in self._elements.values():
            left = self._lifetime(element)
            if left is not None:
                yield plain_key(element.key), left


def _modelled(table: str, definition: Set) -> Set:
    if definition.keyword == "map" and definition.expires:
        place = f"{table} map {definition.name}"
        raise RuleTextError(place, "a map whose elements time out is not modelled; leave out its timeout")
    return definition


class TableSets:
    """The sets and maps of one table, as its rules ask them."""

    def __init__(self, text: NftTableText) -> None:
        self._text = text
        self._place = f"{text.family} {text.name}"
        self._loaded: dict[str, LoadedSet] = {}
        self._read: dict[str, LoadedSet] = {}  # shared with every twin: what one has read, none reads again
        self._learned: dict[str, dict[Key, float]] = {}

    def load(self, text: NftTableText) -> None:
        """Take the table's new text. What is unchanged stays as it was read."""
        for name in [name for name in self._learned if _header(self._text, name) != _header(text, name)]:
            del self._learned[name]
        self._text = text
        self._loaded = {name: one for name, one in self._loaded.items() if text.sets.get(name) is one.text}

    def copy(self) -> TableSets:
        """A twin that learns on its own."""
        twin = TableSets(self._text)
        twin._loaded = dict(self._loaded)
        twin._read = self._read
        twin._learned = {name: dict(times) for name, times in self._learned.items()}
        return twin

    def learned(self, name: str, now: float) -> dict[Key, float]:
        """The set's living elements that have an end: key -> when."""
        self._open(name, now)
        return {key: until for key, until in self._learned.get(name, {}).items() if until > now}

    # ---- what statements ask (model.Sets) ---------------------------------------------------

    def holds(self, name: str, key: Key, now: float) -> bool:
        loaded = self._loaded.get(name) or self._open(name, now)
        learned = self._learned.get(name)
        if learned is not None and key in learned:
            return learned[key] > now
        return key in loaded.lookup

    def find(self, name: str, key: Key) -> Element | None:
        loaded = self._loaded.get(name) or self._open(name, 0)
        return loaded.lookup.find(key)

    def learn(self, name: str, key: Key, now: float, timeout: float | None, refresh: bool) -> bool:
        definition = (self._loaded.get(name) or self._open(name, now)).definition
        learned = self._learned.setdefault(name, {})
        known = learned.get(key, -inf) > now
        if known and not refresh:
            return True
        if not known and not self._has_room(learned, definition.size or DEFAULT_SIZE, now):
            return False
        lasts = timeout or definition.timeout
        learned[key] = inf if lasts is None else now + lasts
        return True

    @staticmethod
    def _has_room(learned: dict[Key, float], size: int, now: float) -> bool:
        if len(learned) < size:
            return True
        for key in [key for key, until in learned.items() if until <= now]:
            del learned[key]
        return len(learned) < size

    def _open(self, name: str, now: float) -> LoadedSet:
        if name in self._loaded:
            return self._loaded[name]
        text = self._text.sets.get(name)
        if text is None:
            raise RefusedError(f"@{name} does not exist in table {self._place}; add the set before the rule")
        loaded = self._read.get(name)
        if loaded is None or loaded.text is not text:
            loaded = self._read[name] = LoadedSet(self._place, name, text, loaded)
        self._loaded[name] = loaded
        for key, left in loaded.passing():
            # The listing does not say when it was made: its times start with the first packet that asks.
            self._learned.setdefault(name, {}).setdefault(key, now + left)
        return loaded


def _header(text: NftTableText, name: str) -> tuple[str, ...] | None:
    found = text.sets.get(name)
    return None if found is None else found.header
