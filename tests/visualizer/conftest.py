"""Rule: every test has rooms of its own and an hour's labs to make; the database is SQLite, as in service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from visualizer import creating
from visualizer.limits import Buckets
from visualizer.rooms import rooms


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(creating, "_made", Buckets(1000, 1000))
    rooms.clear()
    yield
    rooms.clear()
