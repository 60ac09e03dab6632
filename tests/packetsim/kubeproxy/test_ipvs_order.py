"""Rule: a listing is sorted as ipvsadm sorts it, wherever ipvsadm's comparison is an order at all."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest

from packetsim.addresses import family_of, number_of
from packetsim.kubeproxy.ipvs_order import in_listing_order


def ordered(addresses: tuple[str, ...]) -> list[str]:
    names = {number_of(one): one for one in addresses}
    return [names[number] for number in in_listing_order(names, family_of(addresses[0]))]


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.3", "10.0.0.10", "10.0.1.2"),
        ("192.168.10.11", "10.96.100.10", "10.244.1.1"),
        ("172.16.0.1", "192.168.0.1", "10.0.0.1"),
        ("255.255.255.255", "0.0.0.0"),
        ("127.0.0.1", "203.0.113.1"),
        ("fd00::1", "2001:db8::1"),
        ("2001:db8::f000:0:0:1", "2001:db8::1"),
        ("2001:db8:0:1::f000:1", "2001:db8:0:1::1", "2001:db8:0:2::7"),
        ("10.0.0.1",),
    ],
)
def test_whatever_order_they_come_in(addresses: tuple[str, ...]) -> None:
    assert all(ordered(one) == list(addresses) for one in permutations(addresses))


def test_each_comes_less_than_half_the_circle_after_the_one_before() -> None:
    """What libipvs asks: is the difference of the numbers, read as a signed 32-bit number, below zero?"""
    numbers = [number_of(one) for one in ordered(("223.255.0.1", "100.64.0.1", "10.0.0.1", "240.0.0.9"))]
    assert all((first - second) % 2**32 >= 2**31 for first, second in pairwise(numbers))


def test_no_addresses() -> None:
    assert in_listing_order([], 4) == []
