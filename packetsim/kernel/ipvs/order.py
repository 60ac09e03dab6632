"""Rule: the order of a virtual server's real servers is drawn only where somebody looks.

The kernel puts each server it is given at the head of its list (ip_vs_ctl.c, __ip_vs_update_dest).
A listing is sorted, so it hides that order, and whoever wrote the servers may have walked an
unordered set: servers that came together are then in any order, each as likely as the others.

Unlike `dice.LazyOrder` a place can be drawn before those in front of it (a hash picks a place), and
servers come and go. The whole is exact: what is drawn is what the full draw would have shown there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from packetsim.dice import Dice, even_odds
from packetsim.kernel.ipvs.model import RealKey


class ServerList:
    """The kernel's list, head first, with a cursor for the schedulers that walk it.

    `cursor` is a place; -1 is the list's head, in front of every server.
    """

    __slots__ = ("_leaving", "_open", "_slots", "cursor")

    def __init__(self, known: Iterable[RealKey] = ()) -> None:
        self._slots: list[RealKey | None] = list(known)  # None: not drawn yet
        self._open: list[list[RealKey]] = [[] for _ in self._slots]  # by place: what its batch has left to draw
        self._leaving: list[tuple[RealKey, list[RealKey]]] = []  # removed before it was known which place it had
        self.cursor = -1

    def __len__(self) -> int:
        return len(self._slots) - len(self._leaving)

    @property
    def cursor_key(self) -> RealKey | None:
        """The server under the cursor, None at the head or where it is not drawn."""
        return self._slots[self.cursor] if self.cursor >= 0 else None

    @property
    def known(self) -> Sequence[RealKey] | None:
        """The whole list if nothing in it is open."""
        if self._leaving or any(
            key is None and len(left) > 1 for key, left in zip(self._slots, self._open, strict=True)
        ):
            return None
        return [key or left[0] for key, left in zip(self._slots, self._open, strict=True)]

    def put(self, keys: Sequence[RealKey], ordered: bool) -> None:
        """Add servers at the head: one after the other as given, or in an order that is open."""
        head: list[RealKey | None] = list(reversed(keys)) if ordered or len(keys) == 1 else [None] * len(keys)
        left = [] if head and head[0] is not None else list(keys)
        self._slots[:0] = head
        self._open[:0] = [left] * len(keys)
        if self.cursor >= 0:
            self.cursor += len(keys)

    def remove(self, key: RealKey) -> None:
        """Unlink a server; a cursor that stood on it steps back to the one before."""
        for place, (slot, left) in enumerate(zip(self._slots, self._open, strict=True)):
            if slot == key:
                self._cut(place)
                return
            if slot is None and key in left and not any(key == gone and left is pool for gone, pool in self._leaving):
                self._remove_open(key, left)
                return

    def at(self, place: int, dice: Dice) -> RealKey:
        """The server at a place, drawing that place alone if it is open."""
        self._settle(dice)
        return self._draw(place, dice)

    def search(self, places: Iterable[int], wanted: Callable[[RealKey], bool], dice: Dice) -> int | None:
        """The first of `places` with a wanted server. Places that cannot hold one are passed undrawn."""
        self._settle(dice)
        for place in places:
            key = self._slots[place]
            if key is None:
                if not any(map(wanted, self._open[place])):
                    continue
                key = self._draw(place, dice)
            if wanted(key):
                return place
        return None

    def after_cursor(self, wanted: Callable[[RealKey], bool], dice: Dice) -> RealKey | None:
        """The next wanted server past the cursor, going round once, the cursor's own last; moves the cursor."""
        self._settle(dice)
        here, end = self.cursor, len(self._slots)
        place = self.search(range(here + 1, end), wanted, dice)
        if place is None:
            place = self.search(range(here + 1), wanted, dice)
        if place is None:
            return None
        self.cursor = place
        return self._draw(place, dice)

    def first(self, candidates: Sequence[RealKey], dice: Dice) -> RealKey:
        """Which of the candidates comes first in the list."""
        if len(candidates) == 1:
            return candidates[0]
        place = self.search(range(len(self._slots)), set(candidates).__contains__, dice)
        assert place is not None  # every candidate is in the list
        return self._draw(place, dice)

    def settle(self, dice: Dice) -> int:
        """Draw what must be known before places are counted; the number of places."""
        self._settle(dice)
        return len(self._slots)

    def copy(self) -> ServerList:
        twin = ServerList()
        pools = {id(left): list(left) for left in self._open}
        twin._slots = list(self._slots)
        twin._open = [pools[id(left)] for left in self._open]
        twin._leaving = [(key, pools[id(left)]) for key, left in self._leaving]
        twin.cursor = self.cursor
        return twin

    def _draw(self, place: int, dice: Dice) -> RealKey:
        key = self._slots[place]
        if key is None:
            left = self._open[place]
            key = left.pop(dice.pick(even_odds(len(left))) if len(left) > 1 else 0)
            self._slots[place] = key
        return key

    def _cut(self, place: int) -> None:
        del self._slots[place], self._open[place]
        if place <= self.cursor:
            self.cursor -= 1

    def _places_of(self, left: list[RealKey]) -> list[int]:
        return [at for at, pool in enumerate(self._open) if pool is left and self._slots[at] is None]

    def _remove_open(self, key: RealKey, left: list[RealKey]) -> None:
        places = self._places_of(left)
        together = places[-1] - places[0] == len(places) - 1
        if together and not places[0] <= self.cursor < places[-1]:
            left.remove(key)
            self._cut(places[-1])  # the same list, whichever of them it was
        else:
            self._leaving.append((key, left))

    def _settle(self, dice: Dice) -> None:
        for key, left in self._leaving:
            places = self._places_of(left)
            place = places[dice.pick(even_odds(len(places))) if len(places) > 1 else 0]
            left.remove(key)
            self._cut(place)
        self._leaving.clear()
