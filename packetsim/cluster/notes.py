"""Rule: what a load worked out of one object alone is taken up by the next load, if it was asked the same.

Only what was found without a word of complaint or notice is kept, and only for the very same object: whatever is to
be told is found anew each time, and what looks at several objects is never kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from packetsim.cluster.places import Report

About = TypeVar("About")
Given = TypeVar("Given")
Found = TypeVar("Found")


class Table(Generic[About, Given, Found]):
    """What was found of each object. `given`: whatever else the answer follows from."""

    def __init__(self, before: Table[About, Given, Found] | None, keeping: bool) -> None:
        self._keeping = keeping
        self._before = {} if before is None else before._now
        self._now: dict[int, tuple[About, Given, Found]] = {}  # by identity, which holds while the object is held

    def find(self, about: About, given: Given) -> Found | None:
        """What the load before found. None: nothing, or it was taken up already."""
        kept = self._before.get(id(about))
        if kept is None or kept[0] is not about or kept[1] != given or id(about) in self._now:
            return None
        self._now[id(about)] = kept
        return kept[2]

    def keep(self, about: About, given: Given, found: Found) -> Found:
        if self._keeping:
            self._now[id(about)] = (about, given, found)
        return found

    def of(self, about: About, given: Given, report: Report, work: Callable[[], Found]) -> Found:
        """`work()`, or what it gave the load before; `work` may tell `report` of nothing but the object."""
        found = self.find(about, given)
        if found is not None:
            return found
        said = report.said
        found = work()
        return self.keep(about, given, found) if report.said == said else found

    def close(self) -> None:
        """The load is over: what it did not take up is forgotten."""
        self._before = {}
