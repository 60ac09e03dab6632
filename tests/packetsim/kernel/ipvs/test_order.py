"""Rule: a lazily drawn list cannot be told from one that was shuffled whole at the start."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from itertools import permutations, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from packetsim.dice import Dice
from packetsim.kernel.ipvs.model import RealKey
from packetsim.kernel.ipvs.order import ServerList
from tests.packetsim.kernel.ipvs.scene import ScriptedDice, every_way

NAMES = "abcdef"
KEYS: list[RealKey] = [(name, 1) for name in NAMES]


def test_servers_added_in_order_stand_last_added_first() -> None:
    servers = ServerList()
    servers.put(KEYS[:2], ordered=True)
    servers.put(KEYS[2:3], ordered=True)
    assert servers.known == [KEYS[2], KEYS[1], KEYS[0]]


def test_one_place_is_drawn_for_one_question() -> None:
    servers, dice = ServerList(), ScriptedDice(2)
    servers.put(KEYS[:4], ordered=False)
    assert servers.at(3, dice) == KEYS[2]
    assert servers.at(3, dice) == KEYS[2]
    assert dice.asked == [4]
    assert servers.known is None


def test_the_last_open_place_needs_no_dice() -> None:
    servers, dice = ServerList(), ScriptedDice()
    servers.put(KEYS[:2], ordered=False)
    servers.at(1, dice)
    assert (servers.known, dice.asked) == ([KEYS[1], KEYS[0]], [2])


@pytest.mark.parametrize(
    ("candidates", "asked"),
    [(KEYS[:1], []), (KEYS[:4], [4]), (KEYS[4:5] + KEYS[:1], [4, 3, 2])],
)
def test_the_first_of_some_is_found_with_few_draws(candidates: list[RealKey], asked: list[int]) -> None:
    """Batch of one at the tail: the head's batch is drawn only until a candidate shows."""
    servers, dice = ServerList(), ScriptedDice(1, 1, 1)
    servers.put(KEYS[4:5], ordered=False)
    servers.put(KEYS[:4], ordered=False)
    servers.first(candidates, dice)
    assert dice.asked == asked


def test_a_batch_without_candidates_is_passed_undrawn() -> None:
    servers, dice = ServerList(), ScriptedDice()
    servers.put(KEYS[4:6], ordered=False)
    servers.put(KEYS[:4], ordered=False)
    assert servers.first(KEYS[4:6], dice) == KEYS[4]
    assert dice.asked == [2]


def test_a_copy_draws_for_itself() -> None:
    servers = ServerList()
    servers.put(KEYS[:3], ordered=False)
    twin = servers.copy()
    assert servers.at(0, ScriptedDice(1)) == KEYS[1]
    assert twin.at(0, ScriptedDice(2)) == KEYS[2]
    assert {twin.at(place, ScriptedDice()) for place in range(3)} == set(KEYS[:3])


# ---- against the whole shuffle ------------------------------------------------------------------

Program = tuple[tuple[str, int], ...]


class Shuffled:
    """The list as plain Python: `orders` gives the order of each batch."""

    def __init__(self, orders: tuple[tuple[RealKey, ...], ...]) -> None:
        self._orders = list(orders)
        self._list: list[RealKey] = []
        self._cursor = -1

    def put(self) -> None:
        batch = self._orders.pop(0)
        self._list[:0] = batch
        if self._cursor >= 0:
            self._cursor += len(batch)

    def remove(self, key: RealKey) -> None:
        place = self._list.index(key)
        del self._list[place]
        self._cursor -= place <= self._cursor

    def at(self, place: int) -> RealKey:
        return self._list[place]

    def walk(self, wanted: set[RealKey]) -> RealKey | None:
        end = len(self._list)
        for step in range(end):
            place = (self._cursor + 1 + step) % end
            if self._list[place] in wanted:
                self._cursor = place
                return self._list[place]
        return None

    def first(self, wanted: set[RealKey]) -> RealKey:
        return next(key for key in self._list if key in wanted)


class Lazy:
    """The same questions to the lazily drawn list."""

    def __init__(self, batches: list[list[RealKey]], dice: Dice) -> None:
        self._batches = list(batches)
        self._servers = ServerList()
        self._dice = dice

    def put(self) -> None:
        self._servers.put(self._batches.pop(0), ordered=False)

    def remove(self, key: RealKey) -> None:
        self._servers.remove(key)

    def at(self, place: int) -> RealKey:
        return self._servers.at(place, self._dice)

    def walk(self, wanted: set[RealKey]) -> RealKey | None:
        return self._servers.after_cursor(wanted.__contains__, self._dice)

    def first(self, wanted: set[RealKey]) -> RealKey:
        return self._servers.first(sorted(wanted), self._dice)


def run(what: Shuffled | Lazy, program: Program, batches: list[list[RealKey]]) -> Hashable:
    """Carry out the program; its numbers are read as far as they make sense there."""
    here: list[RealKey] = []
    waiting = list(batches)
    seen: list[object] = []
    for name, number in program:
        if name == "put" and waiting:
            here += waiting.pop(0)
            what.put()
        elif name == "remove" and here:
            what.remove(here.pop(number % len(here)))
        elif name == "at" and here:
            seen.append(what.at(number % len(here)))
        elif name in ("walk", "first"):
            wanted = {key for place, key in enumerate(here) if number >> place & 1}
            if name == "walk" and here:
                seen.append(what.walk(wanted))
            elif wanted:
                seen.append(what.first(wanted))
    return tuple(seen)


def eager_chances(program: Program, batches: list[list[RealKey]]) -> dict[Hashable, Fraction]:
    every = list(product(*(list(permutations(batch)) for batch in batches)))
    chances: dict[Hashable, Fraction] = {}
    for orders in every:
        result = run(Shuffled(orders), program, batches)
        chances[result] = chances.get(result, Fraction(0)) + Fraction(1, len(every))
    return chances


steps = st.tuples(st.sampled_from(["put", "remove", "at", "walk", "first"]), st.integers(0, 63))


@settings(deadline=None, max_examples=150)
@example([("at", 1), ("remove", 0), ("at", 0), ("at", 1)], 4)  # its place is open on both sides of a known one
@example([("at", 2), ("walk", 1), ("remove", 0), ("remove", 0), ("walk", 63), ("at", 0)], 4)  # … of the cursor
@given(st.lists(steps, max_size=8), st.integers(1, 4))
def test_every_question_is_answered_with_the_chances_of_the_whole_shuffle(
    rest: list[tuple[str, int]], size: int
) -> None:
    batches = [KEYS[:size], KEYS[size:6][:2]]
    program = (("put", 0), *rest)
    assert every_way(lambda dice: run(Lazy(batches, dice), program, batches)) == eager_chances(program, batches)


def test_one_added_again_while_its_old_place_is_open_is_another_entry() -> None:
    """a goes while its place among four is open, comes back in another batch, and goes again."""
    servers, dice = ServerList(), ScriptedDice(3)
    servers.put(KEYS[:4], ordered=False)
    assert servers.at(1, dice) == KEYS[3]
    servers.remove(KEYS[0])
    servers.put([KEYS[0], KEYS[4]], ordered=False)
    servers.remove(KEYS[0])
    assert len(servers) == 4
    assert {servers.at(place, dice) for place in range(4)} == set(KEYS[1:5])
