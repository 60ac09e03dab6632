"""Rule: the Maglev lookup table of the mh scheduler, entry for entry (ip_vs_mh.c, Linux 4.18 on).

4093 entries (CONFIG_IP_VS_MH_TAB_INDEX 12), hashed with hsiphash under the kernel's two fixed keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd

from packetsim.kernel.ipvs.hashing import folded, hsiphash_u32
from packetsim.kernel.ipvs.model import RealKey

SIZE = 4093
_PLACE_KEY = (2654435761, 2654435761)
_SKIP_KEY = (2654446892, 2654446892)
_TURN_BITS = 6  # IP_VS_MH_TAB_BITS: no server takes more than 63 entries a round


def entry_of(address: str, port: int, offset: int = 0) -> int:
    """The table entry that a client (or a server, for where it starts) hashes to."""
    return hsiphash_u32(offset + port + folded(address) & 0xFFFFFFFF, _PLACE_KEY) % SIZE


def _skip_of(address: str, port: int) -> int:
    return hsiphash_u32(port + folded(address) & 0xFFFFFFFF, _SKIP_KEY) % (SIZE - 1) + 1


def turns_of(weights: Sequence[int]) -> list[int]:
    """How many entries each server takes a round; none for a server that never had a weight."""
    step = gcd(*weights)
    if not step:
        return [0] * len(weights)
    shift = max(0, (max(weights) // step).bit_length() - _TURN_BITS)
    return [(weight // step >> shift) or int(weight > 0) for weight in weights]


def fill(servers: Sequence[tuple[RealKey, int]]) -> list[RealKey] | None:
    """The table for (server, last weight) in list order; None when no server has a weight."""
    turns = turns_of([weight for _, weight in servers])
    if not any(turns):
        return None
    table: list[RealKey | None] = [None] * SIZE
    at = [entry_of(*key) for key, _ in servers]
    skips = [_skip_of(*key) for key, _ in servers]
    free = SIZE
    while free:
        for index, (key, _) in enumerate(servers):
            for _ in range(min(turns[index], free)):
                while table[at[index]] is not None:
                    at[index] = (at[index] + skips[index]) % SIZE
                table[at[index]] = key
                free -= 1
    return [key for key in table if key is not None]
