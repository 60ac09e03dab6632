"""Rule: addresses stand in the order in which `ipvsadm -Sn` of ipvsadm 1.31 sorts them.

libipvs subtracts 32-bit words and reads the difference with a sign, so one address comes before
another when it lies less than half of the 2^32 numbers behind it, clockwise. That is an order only
among addresses within one half; then it begins after the widest gap. Elsewhere that serves as well
as any other beginning (qsort's own result depends on the kernel's hash order).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

_WORD = 0xFFFFFFFF


def in_listing_order(numbers: Iterable[int], family: int) -> list[int]:
    """Addresses of one family as numbers, each once."""
    return _ordered(set(numbers), 96 if family == 6 else 0)


def _ordered(numbers: Iterable[int], shift: int) -> list[int]:
    """By the word at `shift`, then by those below it."""
    by_word: dict[int, list[int]] = {}
    for number in numbers:
        by_word.setdefault(number >> shift & _WORD, []).append(number)
    words = _clockwise(sorted(by_word))
    if shift == 0:
        return [number for word in words for number in by_word[word]]
    return [number for word in words for number in _ordered(by_word[word], shift - 32)]


def _clockwise(words: Sequence[int]) -> Sequence[int]:
    """Ascending words, round the circle, from the one with the widest gap before it."""
    gaps = [(word - words[at - 1]) & _WORD for at, word in enumerate(words)]
    start = gaps.index(max(gaps, default=0)) if gaps else 0
    return (*words[start:], *words[:start])
