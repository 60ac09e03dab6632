"""Rule: recent lists remember as net/netfilter/xt_recent.c (Linux 6.1) does, no more and no longer.

A list has room for 100 addresses (module parameter ip_list_tot); the one seen longest ago makes room.
Only the latest time matters: `--hitcount`, which counts the others, is not modelled.
"""

from __future__ import annotations

LIST_SIZE = 100


class RecentTable:
    """The recent lists of one machine, by name. Times are seconds, handed in."""

    def __init__(self, size: int = LIST_SIZE) -> None:
        self._size = size
        # Addresses stand in the order in which they were last set: the kernel's LRU list.
        self._lists: dict[str, dict[str, float]] = {}

    def set(self, name: str, address: str, now: float) -> None:
        """Remember that `address` was seen now."""
        seen = self._lists.setdefault(name, {})
        if seen.pop(address, None) is None and len(seen) >= self._size:
            del seen[next(iter(seen))]
        seen[address] = now

    def seen_within(self, name: str, address: str, seconds: int, now: float, reap: bool) -> bool:
        """Was `address` seen at most `seconds` ago (0: ever)? `reap`: forget the oldest address if that is older."""
        seen = self._lists.get(name, {})
        last = seen.get(address)
        if last is None:
            return False  # recent_mt leaves here, before it would reap
        if reap:
            # recent_entry_reap looks at the head of the LRU list alone.
            oldest = next(iter(seen))
            if seen[oldest] < now - seconds:
                del seen[oldest]
        return not seconds or last >= now - seconds

    def forget(self, name: str) -> None:
        """The last rule that named this list is gone, and the list with it."""
        self._lists.pop(name, None)

    def addresses(self, name: str) -> tuple[tuple[str, float], ...]:
        """(address, when it was last seen), longest ago first."""
        return tuple(self._lists.get(name, {}).items())

    def copy(self) -> RecentTable:
        twin = RecentTable(self._size)
        twin._lists = {name: dict(seen) for name, seen in self._lists.items()}
        return twin
