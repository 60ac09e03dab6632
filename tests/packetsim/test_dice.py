"""Dice roll the kernel's odds; orders are drawn only as far as anyone looks."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction

from packetsim.dice import LazyOrder, Odds, RolledDice, even_odds


class Counting:
    """Dice that take the last way and count how often they are asked."""

    def __init__(self) -> None:
        self.asked = 0

    def pick(self, odds: Odds) -> int:
        self.asked += 1
        return len(odds.weights) - 1

    def draw(self, low: int, high: int) -> int:
        return high


def test_rolls_follow_the_weights() -> None:
    dice = RolledDice(random.Random(1).randrange)
    odds = Odds((1, 0, 3), (Fraction(1, 4), Fraction(0), Fraction(3, 4)))
    seen = Counter(dice.pick(odds) for _ in range(4000))
    assert seen[1] == 0
    assert 900 < seen[0] < 1100


def test_the_same_seed_rolls_the_same() -> None:
    one, two = (RolledDice(random.Random(3).randrange) for _ in range(2))
    assert [one.draw(5, 9) for _ in range(20)] == [two.draw(5, 9) for _ in range(20)]


def test_an_order_is_drawn_lazily_and_kept() -> None:
    dice, order = Counting(), LazyOrder("abcd")
    assert order.at(0, dice) == "d"
    assert dice.asked == 1
    twin = order.copy()
    assert [order.at(place, dice) for place in range(4)] == ["d", "c", "b", "a"]
    assert dice.asked == 3  # the last one has no choice
    assert len(twin) == 4 and twin.drawn == ["d"]


def test_even_odds_sum_to_one() -> None:
    assert sum(even_odds(7).meant) == 1
