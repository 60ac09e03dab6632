"""Rule: what each Service makes is kept by Service, and joined so that one change costs one Service.

Every mapping and tuple made here keeps an order that depends on the Services alone, never on the
order of changes: what a change leads to is what compiling anew leads to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Generic, TypeVar

from packetsim.cluster.model import Key
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.listeners import Listener, listeners
from packetsim.kubeproxy.services import Entry, PortTable, differing
from packetsim.ruletext import Line, Origin

Value = TypeVar("Value")
Place = tuple[int | str, ...]  # where an entry stands among the others of its set


class ByService(Mapping[str, Value]):
    """Names that are always there, then each Service's own; looking one up costs no walk."""

    __slots__ = ("_fixed", "_names", "_parts")

    def __init__(self, fixed: Mapping[str, Value], parts: Mapping[Key, Mapping[str, Value]]) -> None:
        self._fixed, self._parts = fixed, parts
        self._names: dict[str, Value] = {}
        for one in parts.values():
            self._names.update(one)

    def changed(
        self, fixed: Mapping[str, Value], changes: Mapping[Key, Mapping[str, Value]], order: Iterable[Key] | None
    ) -> ByService[Value]:
        """The same with other `fixed` ones and other ones of some Services; `order` when Services came or went."""
        twin: ByService[Value] = ByService.__new__(ByService)
        twin._fixed, twin._names, parts = fixed, self._names.copy(), {**self._parts, **changes}
        twin._parts = parts if order is None else {key: parts[key] for key in order}
        for key in changes:
            for name in self._parts.get(key, ()):
                del twin._names[name]
        for one in changes.values():
            twin._names.update(one)
        return twin

    def __getitem__(self, name: str) -> Value:
        found = self._names.get(name)
        return self._fixed[name] if found is None else found

    def __iter__(self) -> Iterator[str]:
        yield from self._fixed
        yield from chain.from_iterable(self._parts.values())

    def __len__(self) -> int:
        return len(self._fixed) + len(self._names)


class Claims(Generic[Value]):
    """What all Services put into one set. Where several want one place, `settle` says what stands there.

    `settle` is given the claims in the order of the Services. Not to be changed: `changed` makes a copy.
    """

    __slots__ = ("_claims", "_places", "_settle", "_values")

    def __init__(self, settle: Callable[[list[Value]], Value]) -> None:
        self._settle = settle
        self._claims: dict[Place, tuple[tuple[Key, Value], ...]] = {}
        self._places: list[Place] = []
        self._values: list[Value] = []

    def filled(self, entries: Mapping[Key, Iterable[tuple[Place, Value]]]) -> Claims[Value]:
        """A new one with these entries, by Service and in the order of the Services."""
        twin = Claims(self._settle)
        for key, own in entries.items():
            for place, value in own:
                twin._claims[place] = (*twin._claims.get(place, ()), (key, value))
        twin._places = sorted(twin._claims)
        twin._values = [twin._settled(place) for place in twin._places]
        return twin

    def changed(
        self, key: Key, gone: Iterable[tuple[Place, Value]], new: Iterable[tuple[Place, Value]]
    ) -> Claims[Value]:
        """A copy where one Service claims `new` instead of `gone`."""
        twin = Claims(self._settle)
        twin._claims, twin._places, twin._values = self._claims.copy(), self._places.copy(), self._values.copy()
        touched: set[Place] = set()
        for place, _ in gone:
            twin._claims[place] = tuple(claim for claim in twin._claims[place] if claim[0] != key)
            touched.add(place)
        for place, value in new:
            claims = (*twin._claims.get(place, ()), (key, value))
            twin._claims[place] = tuple(sorted(claims, key=lambda claim: claim[0]))
            touched.add(place)
        for place in touched:
            twin._put(place)
        return twin

    def _put(self, place: Place) -> None:
        at = bisect_left(self._places, place)
        known = at < len(self._places) and self._places[at] == place
        if not self._claims[place]:
            del self._claims[place], self._places[at], self._values[at]
        elif known:
            self._values[at] = self._settled(place)
        else:
            self._places.insert(at, place)
            self._values.insert(at, self._settled(place))

    def _settled(self, place: Place) -> Value:
        claims = self._claims[place]
        return claims[0][1] if len(claims) == 1 else self._settle([value for _, value in claims])

    @property
    def places(self) -> list[Place]:
        return self._places

    @property
    def values(self) -> list[Value]:
        return self._values


def last_written(lines: list[Line]) -> Line:
    """kube-proxy writes its Services one after another (a Go map: in no fixed order) and the last one stays."""
    origins: dict[Origin, None] = {}
    for line in reversed(lines):
        origins.update(dict.fromkeys(line.origins))
    return Line(lines[-1].text, tuple(origins))


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two tables: the Services, and the new order if any came, went or is (no longer) proxied."""

    keys: tuple[Key, ...]
    order: tuple[Key, ...] | None


def changes_between(old: PortTable, new: PortTable) -> Changes:
    before, after = old.by_service, new.by_service
    keys = tuple(sorted(differing(before, after)))
    if all(_is_proxied(before, key) and _is_proxied(after, key) for key in keys):
        return Changes(keys, None)
    return Changes(keys, tuple(key for key, entry in after.items() if entry[2]))


def _is_proxied(entries: Mapping[Key, Entry], key: Key) -> bool:
    return key in entries and bool(entries[key][2])


def kept_listeners(
    tables: Iterable[PortTable], old: Iterable[PortTable], before: NodeConfig | None
) -> tuple[Listener, ...]:
    """`listeners`, taken over from `before` where no health check can have changed."""
    now, then = list(tables), list(old)
    if before is None or len(now) != len(then):
        return listeners(chain.from_iterable(table.ports for table in now))
    for table, known in zip(now, then, strict=True):
        for key in differing(known.by_service, table.by_service):
            if _health_checks(known, key) != _health_checks(table, key):
                return listeners(chain.from_iterable(one.ports for one in now))
    return before.listeners


def _health_checks(table: PortTable, key: Key) -> list[int]:
    entry = table.by_service.get(key)
    return [port.health_check_node_port for port in entry[2]] if entry else []
