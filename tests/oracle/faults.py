"""Faults that tests plant, and what is to catch each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Fault:
    """`case` and `flows` (none: all): what catches it, as a Difference of this aspect."""

    name: str
    plant: Callable[[Patch], None]
    mode: str
    case: str
    flows: tuple[str, ...]
    aspect: str


def changed(owner: object, name: str, change: Callable[..., Any]) -> Callable[[Patch], None]:
    """`change` gets what was there, then what that is called with."""
    before = getattr(owner, name)

    def plant(patch: Patch) -> None:
        patch.setattr(owner, name, lambda *args: change(before, *args))

    return plant
