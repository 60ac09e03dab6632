"""Rule: a figure is a name, a number, its unit, and the limit that it must keep, if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def is_missed(self) -> bool:
        return (self.most is not None and self.value > self.most) or (
            self.least is not None and self.value < self.least
        )

    def __str__(self) -> str:
        limit = "no limit"
        if self.most is not None:
            limit = f"at most {_plain(self.most)}"
        elif self.least is not None:
            limit = f"at least {_plain(self.least)}"
        mark = "MISSED" if self.is_missed else "ok" if limit != "no limit" else ""
        return f"{self.name:<66} {_plain(self.value):>10} {self.unit:<11} {limit:<14} {mark}".rstrip()


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:,.3g}"


def percentile(values: Sequence[float], share: float) -> float:
    """The least of the values that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, int(len(ordered) * share + 0.999999) - 1))]
