"""Rule: what is seen on the way is written down here and decides nothing."""

from __future__ import annotations

from packetsim.dice import Dice
from packetsim.hooks import Hook
from packetsim.kernel.conntrack import Entry
from packetsim.packet import Packet
from packetsim.trace import Capture, Crossed, Detail, Hop, RuleTried, Step


class Journey:
    """One packet on its way, with the chance and the time it travels under.

    `watched` False: nothing is recorded, and `steps` is None for everyone who would note something.
    """

    def __init__(self, dice: Dice, now: float, watched: bool) -> None:
        self.dice = dice
        self.now = now
        self.watched = watched
        self.steps: list[Step] | None = None
        self._hops: list[tuple[str, str, list[Step]]] = []
        self._captures: list[Capture] = []
        self.entries: dict[int, tuple[str, Entry]] = {}  # conntrack entries met, with the place of each
        self._told = 0  # steps of this hop already told in a capture's comments

    def enter(self, place: str, kind: str) -> None:
        """The packet reaches another machine."""
        if self.watched and (not self._hops or self._hops[-1][0] != place):
            self.steps = []
            self._told = 0
            self._hops.append((place, kind, self.steps))

    def met(self, entry: Entry) -> None:
        """A machine's conntrack counted the packet to this entry."""
        if self.steps is not None:
            self.entries[id(entry)] = (self._hops[-1][0], entry)

    def note(self, hook: Hook | None, detail: Detail, before: Packet, after: Packet | None = None) -> None:
        if self.steps is not None:
            self.steps.append(Step(hook, detail, before, before if after is None else after))

    def capture(self, interface: str, direction: str, packet: Packet) -> None:
        """A sniffer at `interface` would see this."""
        if self.steps is None:
            return
        comments = tuple(
            f"{step.detail.table} {step.detail.chain} rule {step.detail.number}: {step.detail.text}"
            for step in self.steps[self._told :]
            if isinstance(step.detail, RuleTried) and step.detail.matched
        )
        self._told = len(self.steps)
        self._captures.append(Capture(self._hops[-1][0], interface, direction, packet, comments))

    def cross(self, kind: str, out_interface: str, in_interface: str, to: str, packet: Packet) -> None:
        if self.steps is not None:
            before = self.steps[-1].after if self.steps else packet  # so that the new frame's MACs show as changes
            self.note(None, Crossed(kind, out_interface, in_interface, to), before, packet)

    @property
    def hops(self) -> tuple[Hop, ...]:
        return tuple(Hop(place, kind, tuple(steps)) for place, kind, steps in self._hops)

    @property
    def captures(self) -> tuple[Capture, ...]:
        return tuple(self._captures)
