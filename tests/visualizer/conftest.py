"""Rule: every test has rooms of its own and an hour's labs to make; the database is SQLite, as in service.

What is said in a test's own process must have its words in both languages (server_words.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.visualizer.server_words import form_of, stays_english
from visualizer import changing, creating, refusals, stages
from visualizer.limits import Buckets
from visualizer.refusals import RefusedError
from visualizer.rooms import rooms
from visualizer.schemas import Stage


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(creating, "_made", Buckets(1000, 1000))
    rooms.clear()
    yield
    rooms.clear()


class _Engines(str):
    """A sentence of the engine's, about a manifest."""


@pytest.fixture(autouse=True)
def _told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    said: list[str] = []
    told, refused, event = refusals._told, RefusedError.__init__, changing._changed_event

    def stage(**given: Any) -> Stage:
        said.append(given["text"])
        if given["actor"] not in ("etcd", "kube-proxy"):
            said.extend(line.text for line in given.get("lines", ()) if " " in line.text)
        return Stage(**given)

    def refuse(self: RefusedError, problems: Iterable[str], spoiled: bool = False) -> None:
        listed = list(problems)
        refused(self, listed, spoiled)
        if not spoiled:
            said.extend(one for one in listed if not isinstance(one, _Engines) and len(one) < refusals.LONGEST)

    def changed(command: Any, change: Any, *others: Any, **lists: Any) -> Any:
        said.append(change.summary)
        return event(command, change, *others, **lists)

    monkeypatch.setattr(stages, "Stage", stage)
    monkeypatch.setattr(refusals, "_told", lambda problem, offsets: _Engines(told(problem, offsets)))
    monkeypatch.setattr(RefusedError, "__init__", refuse)
    monkeypatch.setattr(changing, "_changed_event", changed)
    yield
    assert [one for one in dict.fromkeys(said) if form_of(one) is None and not stays_english(one)] == []
