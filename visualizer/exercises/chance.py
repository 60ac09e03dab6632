"""Rule: chance on a stage follows from its seed alone: the same seed, the same walks, on every machine."""

from __future__ import annotations

from hashlib import sha256
from itertools import count
from typing import TypeVar

from packetsim.dice import Dice, RolledDice
from visualizer.sessions import DiceOf

Item = TypeVar("Item")


def number(below: int, *parts: object) -> int:
    """0..below-1, from the parts alone."""
    return int.from_bytes(sha256("\0".join(map(str, parts)).encode()).digest()[:16], "big") % below


def chosen(items: list[Item], *parts: object) -> Item:
    return items[number(len(items), *parts)]


def dice_of(seed: int) -> DiceOf:
    """Dice for each command of a lab, as `Session` asks for them."""

    def dice(seq: int) -> Dice:
        rolls = count()
        return RolledDice(lambda below: number(below, "dice", seed, seq, next(rolls)))

    return dice
