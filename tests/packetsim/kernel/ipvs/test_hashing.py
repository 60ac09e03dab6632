"""Rule: the hashes are the kernel's, bit for bit."""

from __future__ import annotations

import pytest

from packetsim.kernel.ipvs.hashing import folded, hash_32, hsiphash_u32, siphash_1_3

# lib/tests/siphash_kunit.c on 64-bit kernels: vector n hashes the bytes 0..n-1, cut to 32 bits.
KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
VECTORS = {
    0: 0x050FC4DC,
    1: 0x7D57CA93,
    4: 0x88D38328,
    7: 0x9BB11140,
    8: 0x8D299A8E,
    9: 0x6C063DE4,
    15: 0x2A519956,
    16: 0x7D908B66,
}


@pytest.mark.parametrize(("length", "expected"), VECTORS.items())
def test_siphash_gives_the_kernels_own_vectors(length: int, expected: int) -> None:
    assert siphash_1_3(KEY, bytes(range(length))) & 0xFFFFFFFF == expected


def test_a_number_is_hashed_as_its_four_bytes_little_endian() -> None:
    assert hsiphash_u32(0x03020100, KEY) == VECTORS[4]
    assert hsiphash_u32(2**32 + 0x03020100, KEY) == VECTORS[4]


@pytest.mark.parametrize(
    ("value", "bits", "expected"),
    [(0, 8, 0), (1, 8, 0x61), (2, 8, 0xC3), (3, 8, 0x25), (0xFFFFFFFF, 8, 0x9E), (1, 32, 0x61C88647)],
)
def test_hash_32_takes_the_high_bits_of_the_product(value: int, bits: int, expected: int) -> None:
    assert hash_32(value, bits) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.244.1.5", 0x0AF40105),
        ("fd00::5", 0xFD000005),
        ("1:2:3:4:5:6:7:8", 0x00010002 ^ 0x00030004 ^ 0x00050006 ^ 0x00070008),
    ],
)
def test_an_ipv6_address_is_folded_to_32_bits(address: str, expected: int) -> None:
    assert folded(address) == expected
