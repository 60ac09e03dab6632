"""Rule: one thread serves all sockets of a cluster; none of them is ever waited for alone."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

READABLE, WRITABLE = select.EPOLLIN, select.EPOLLOUT
TROUBLED = select.EPOLLERR | select.EPOLLHUP

Call = Callable[[int], None]  # is given what is up with the socket: READABLE and the like


class Watched(Protocol):
    def fileno(self) -> int: ...


class Loop:
    """`turn` waits for what is watched and calls whom it concerns."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._calls: dict[int, Call] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._off: set[int] = set()
        self._numbers = count()

    def watch(self, socket: Watched, events: int, call: Call) -> None:
        self._calls[socket.fileno()] = call
        self._poll.register(socket.fileno(), events)

    def forget(self, socket: Watched) -> None:
        """Before the socket is closed."""
        if self._calls.pop(socket.fileno(), None) is not None:
            self._poll.unregister(socket.fileno())

    def after(self, seconds: float, call: Callable[[], None]) -> int:
        """Gives a number by which `cancel` knows it."""
        number = next(self._numbers)
        heappush(self._timers, (time.monotonic() + seconds, number, call))
        return number

    def cancel(self, number: int) -> None:
        self._off.add(number)

    def turn(self, patience: float) -> None:
        """Until something has happened, or so many seconds have passed."""
        if self._timers:
            patience = min(patience, self._timers[0][0] - time.monotonic())
        for descriptor, events in self._poll.poll(max(0.0, patience), max(1, len(self._calls))):
            call = self._calls.get(descriptor)
            if call is not None:  # one that an earlier call of this turn has closed
                call(events)
        self._ring()

    def _ring(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, number, call = heappop(self._timers)
            if number in self._off:
                self._off.discard(number)
            else:
                call()

    def close(self) -> None:
        self._calls.clear()
        self._timers.clear()
        self._poll.close()
