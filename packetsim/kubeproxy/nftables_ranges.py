"""Rule: address literals read as nft 1.0.6 prints them back, sorted and merged.

A set written with any prefix in it holds intervals: those that overlap or touch become one
(set_automerge in src/intervals.c), printed as an address, a prefix or a range.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from packetsim.addresses import family_of, full_length, network


def literal(ranges: Sequence[str]) -> str:
    """`{ A , B }` of CIDRs (one at least) and addresses, as the listing shows it; braces go when one was written."""
    if len(ranges) == 1:
        return _bare(ranges[0])
    family = family_of(ranges[0])
    return f"{{ {', '.join(_text(first, last, family) for first, last in _merged(ranges))} }}"


def _bare(cidr: str) -> str:
    address, _, length = cidr.partition("/")
    return address if length == str(full_length(address)) else cidr


def _merged(ranges: Iterable[str]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted((network(one).first, network(one).last) for one in ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _text(first: int, last: int, family: int) -> str:
    make: type[IPv4Address] | type[IPv6Address] = IPv6Address if family == 6 else IPv4Address
    low, size = make(first), last - first + 1
    if size == 1:
        return str(low)
    if size & (size - 1) or first % size:
        return f"{low}-{make(last)}"
    return f"{low}/{low.max_prefixlen - size.bit_length() + 1}"
