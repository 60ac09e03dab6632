"""Rule: what the kernel remembers of a virtual server while it runs: counters, list, scheduler.

Connection counters belong to one virtual server's real server: the same endpoint behind two
virtual servers is counted twice (struct ip_vs_dest).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packetsim.addresses import with_port
from packetsim.kernel.ipvs.model import RealKey, VirtualServer
from packetsim.kernel.ipvs.order import ServerList

if TYPE_CHECKING:
    from packetsim.kernel.ipvs.schedulers import Scheduler


class LiveReal:
    """A real server with its counters. `last_weight` is the last weight that was not 0.

    `leaving`: taken away while it had connections, so it stays with weight 0 until they end.
    """

    __slots__ = ("active", "inactive", "key", "last_weight", "leaving", "weight")

    def __init__(self, key: RealKey, weight: int, active: int = 0, inactive: int = 0) -> None:
        self.key = key
        self.weight = self.last_weight = weight
        self.active = active
        self.inactive = inactive
        self.leaving = False

    @property
    def text(self) -> str:
        return with_port(*self.key)

    @property
    def connections(self) -> int:
        return self.active + self.inactive

    def reweigh(self, weight: int) -> None:
        self.weight = weight
        self.last_weight = weight or self.last_weight

    def copy(self) -> LiveReal:
        twin = LiveReal(self.key, self.weight, self.active, self.inactive)
        twin.last_weight, twin.leaving = self.last_weight, self.leaving
        return twin


class LiveServer:
    """A virtual server as the kernel runs it.

    `present` False: deleted, and remembered only for the connections it still has. `gone` holds
    real servers that were deleted while connections led to them; one that comes back meets its old
    counters again (ip_vs_ctl.c, ip_vs_trash_get_dest). `owner` tells who may write (see traverse.py).
    """

    __slots__ = ("gone", "owner", "present", "reals", "scheduler", "servers", "spec")

    def __init__(self, spec: VirtualServer, scheduler: Scheduler, owner: object) -> None:
        self.spec = spec
        self.scheduler = scheduler
        self.owner = owner
        self.present = True
        self.reals: dict[RealKey, LiveReal] = {}
        self.gone: dict[RealKey, LiveReal] = {}
        self.servers = ServerList()

    def find(self, key: RealKey) -> LiveReal | None:
        return self.reals.get(key) or self.gone.get(key)

    def add(self, weights: dict[RealKey, int], ordered: bool) -> None:
        """Real servers that come together; the scheduler hears of each (add_dest)."""
        self.servers.put(tuple(weights), ordered)
        for key, weight in weights.items():
            real = self.gone.pop(key, None) or LiveReal(key, weight)
            real.weight = real.last_weight = weight
            real.leaving = False
            self.reals[key] = real
            self.scheduler.changed(self)

    def reweigh(self, real: LiveReal, weight: int) -> None:
        real.reweigh(weight)
        self.scheduler.changed(self)

    def delete(self, key: RealKey) -> None:
        real = self.reals.pop(key)
        if real.connections:
            self.gone[key] = real
        self.servers.remove(key)
        self.scheduler.changed(self)

    def copy(self, owner: object) -> LiveServer:
        twin = LiveServer(self.spec, self.scheduler.copy(), owner)
        twin.present = self.present
        twin.reals = {key: real.copy() for key, real in self.reals.items()}
        twin.gone = {key: real.copy() for key, real in self.gone.items()}
        twin.servers = self.servers.copy()
        return twin
