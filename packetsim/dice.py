"""Rule: chance is passed in. Nothing in packetsim rolls a die that the caller did not hand over.

The kernel's odds are whole numbers (31 bits for `-m statistic`, 32 for `numgen random`), so they
are only close to the fraction the rule's author meant. `Odds` carries both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Generic, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Odds:
    """The chances of a choice among len(weights) ways.

    `weights`: how many of the kernel's equally likely numbers lead to each way.
    `meant`: the fraction meant for each way; they sum to 1.
    """

    weights: tuple[int, ...]
    meant: tuple[Fraction, ...]


@lru_cache(maxsize=4096)
def even_odds(ways: int) -> Odds:
    """Each of `ways` as likely as the others."""
    return Odds((1,) * ways, (Fraction(1, ways),) * ways)


class Dice(Protocol):
    def pick(self, odds: Odds) -> int:
        """The index of the way taken. Choices that change an outcome come through here."""
        ...

    def draw(self, low: int, high: int) -> int:
        """A number in low..high that changes no outcome (an ephemeral port, a sequence number)."""
        ...


class RolledDice:
    """Dice over a source of numbers: `below(n)` gives 0..n-1, as `random.Random(seed).randrange` does."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self._below = below

    def pick(self, odds: Odds) -> int:
        roll = self._below(sum(odds.weights))
        return next(way for way, bound in enumerate(accumulate(odds.weights)) if roll < bound)

    def draw(self, low: int, high: int) -> int:
        return low + self._below(high - low + 1)


Item = TypeVar("Item")


class LazyOrder(Generic[Item]):
    """A random order of `items`, drawn one place at a time and only as far as anyone looks.

    Used where the real order is left open (a shuffle, a Go map walked): drawing n! orders whole
    would make exact outcomes impossible, drawing the first place has n ways.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self.drawn: list[Item] = []
        self.left: list[Item] = list(items)

    def __len__(self) -> int:
        return len(self.drawn) + len(self.left)

    def at(self, place: int, dice: Dice) -> Item:
        """The item at `place` (from 0), drawing the places before it where they are still open."""
        while len(self.drawn) <= place:
            way = dice.pick(even_odds(len(self.left))) if len(self.left) > 1 else 0
            self.drawn.append(self.left.pop(way))
        return self.drawn[place]

    def copy(self) -> LazyOrder[Item]:
        twin = LazyOrder(self.left)
        twin.drawn = list(self.drawn)
        return twin
