"""Rule: who asks too often waits. Buckets fill with time, which is passed in."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`most` at once, `each_second` more for every second that passes."""

    most: float
    each_second: float
    left: float = -1.0
    at: float = 0.0

    def take(self, now: float) -> bool:
        if self.left < 0:
            self.left, self.at = self.most, now
        self.left = min(self.most, self.left + max(0.0, now - self.at) * self.each_second)
        self.at = now
        if self.left < 1:
            return False
        self.left -= 1
        return True


class Buckets:
    """One bucket for each name; of names not seen lately none is kept."""

    def __init__(self, most: float, each_second: float, names: int = 10_000) -> None:
        self._most, self._each_second, self._names = most, each_second, names
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, name: str, now: float) -> bool:
        bucket = self._buckets.setdefault(name, Bucket(self._most, self._each_second))
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._names:
            self._buckets.popitem(last=False)
        return bucket.take(now)
