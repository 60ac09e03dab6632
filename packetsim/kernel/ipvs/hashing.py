"""Rule: the kernel's hash functions, bit for bit, over plain integers.

include/linux/hash.h (hash_32), lib/siphash.c (hsiphash on 64-bit kernels is SipHash-1-3 cut to 32 bits).
"""

from __future__ import annotations

from functools import lru_cache

from packetsim.addresses import number_of

_MASK32 = 0xFFFFFFFF
_MASK64 = 0xFFFFFFFFFFFFFFFF
GOLDEN_RATIO_32 = 0x61C88647


def folded(address: str) -> int:
    """The address as 32 bits; the four words of an IPv6 address are xor-ed together."""
    number = number_of(address)
    if ":" not in address:
        return number
    return (number ^ number >> 32 ^ number >> 64 ^ number >> 96) & _MASK32


def hash_32(value: int, bits: int) -> int:
    """Multiplicative hash; the high bits are the result."""
    return (value * GOLDEN_RATIO_32 & _MASK32) >> (32 - bits)


def siphash_1_3(key: tuple[int, int], data: bytes) -> int:
    """SipHash with one round a word and three at the end (Aumasson and Bernstein 2012), 64 bits wide."""
    v0, v1 = key[0] ^ 0x736F6D6570736575, key[1] ^ 0x646F72616E646F6D
    v2, v3 = key[0] ^ 0x6C7967656E657261, key[1] ^ 0x7465646279746573
    whole = len(data) & ~7
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, whole, 8)]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v0, v1, v2, v3 = _round(v0, v1, v2, v3 ^ word)
        v0 ^= word
    v2 ^= 0xFF
    for _ in range(3):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


@lru_cache(maxsize=65536)
def hsiphash_u32(value: int, key: tuple[int, int]) -> int:
    """hsiphash of one 32-bit number, as a little-endian 64-bit kernel computes it."""
    return siphash_1_3(key, (value & _MASK32).to_bytes(4, "little")) & _MASK32


def _round(v0: int, v1: int, v2: int, v3: int) -> tuple[int, int, int, int]:
    v0 = v0 + v1 & _MASK64
    v1 = _rotated(v1, 13) ^ v0
    v0 = _rotated(v0, 32)
    v2 = v2 + v3 & _MASK64
    v3 = _rotated(v3, 16) ^ v2
    v0 = v0 + v3 & _MASK64
    v3 = _rotated(v3, 21) ^ v0
    v2 = v2 + v1 & _MASK64
    v1 = _rotated(v1, 17) ^ v2
    return v0, v1, _rotated(v2, 32), v3


def _rotated(value: int, left: int) -> int:
    return (value << left | value >> (64 - left)) & _MASK64
