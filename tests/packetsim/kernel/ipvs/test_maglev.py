"""Rule: the Maglev table is the published algorithm's, with the kernel's hashes and turns."""

from __future__ import annotations

from collections import Counter

import pytest

from packetsim.kernel.ipvs.hashing import siphash_1_3
from packetsim.kernel.ipvs.maglev import SIZE, entry_of, fill, turns_of
from packetsim.kernel.ipvs.model import RealKey

KEYS: list[RealKey] = [(f"10.244.1.{last}", 8080) for last in range(1, 6)]


def hashed(number: int, key: int) -> int:
    return siphash_1_3((key, key), number.to_bytes(4, "little")) & 0xFFFFFFFF


def published(keys: list[RealKey], turns: list[int]) -> list[RealKey]:
    """NSDI 2016, section 3.4: each server has a permutation of the entries and takes them in that order."""
    wishes = []
    for address, port in keys:
        number = int.from_bytes(bytes(int(part) for part in address.split(".")), "big") + port
        offset, skip = hashed(number, 2654435761) % SIZE, hashed(number, 2654446892) % (SIZE - 1) + 1
        wishes.append(iter([(offset + turn * skip) % SIZE for turn in range(SIZE)]))
    table: dict[int, RealKey] = {}
    while True:
        for key, wish, turn in zip(keys, wishes, turns, strict=True):
            for _ in range(turn):
                table[next(entry for entry in wish if entry not in table)] = key
                if len(table) == SIZE:
                    return [table[entry] for entry in range(SIZE)]


@pytest.mark.parametrize(
    ("weights", "turns"),
    [
        ([1], [1]),
        ([1, 1, 1], [1, 1, 1]),
        ([4, 2, 0], [2, 1, 0]),
        ([63, 1], [63, 1]),
        ([64, 1], [32, 1]),  # more than 6 bits: shifted right, but none that has a weight goes without
        ([1000, 10], [50, 1]),  # 100 to 1 after the common divisor, shifted right by one
    ],
)
def test_each_server_takes_its_turns(weights: list[int], turns: list[int]) -> None:
    assert turns_of(weights) == turns
    keys = KEYS[: len(weights)]
    assert fill(list(zip(keys, weights, strict=True))) == published(keys, turns)


def test_no_weight_no_table() -> None:
    assert turns_of([0, 0]) == [0, 0]
    assert fill([(KEYS[0], 0)]) is None
    assert fill([]) is None


def test_shares_are_even_and_a_loss_moves_little_else() -> None:
    whole = fill([(key, 1) for key in KEYS])
    less = fill([(key, 1) for key in KEYS[:-1]])
    assert whole is not None
    assert less is not None
    assert max(Counter(whole).values()) - min(Counter(whole).values()) <= 1
    moved = sum(old != new for old, new in zip(whole, less, strict=True) if old != KEYS[-1])
    assert moved < SIZE // 10


def test_the_order_of_the_list_decides_only_collisions() -> None:
    one, other = fill([(key, 1) for key in KEYS]), fill([(key, 1) for key in reversed(KEYS)])
    assert one is not None
    assert other is not None
    assert sum(first != second for first, second in zip(one, other, strict=True)) < SIZE // 10


def test_a_client_is_hashed_with_its_port_added() -> None:
    assert entry_of("10.244.2.9", 40000) == hashed(0x0AF40209 + 40000, 2654435761) % SIZE
    assert entry_of("255.255.255.255", 2) == hashed(1, 2654435761) % SIZE
