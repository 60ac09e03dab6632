"""Rule: each scheduler chooses exactly as its kernel module does; chance enters only by the list's order.

net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,sed,nq,sh,dh,mh}.c, Linux 4.18 to 6.x. Where the list's
order decides a tie, the list is asked (see order.py), and draws no more than that.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from typing import Protocol

from packetsim.addresses import number_of
from packetsim.dice import Dice
from packetsim.kernel.ipvs import maglev
from packetsim.kernel.ipvs.hashing import folded, hash_32
from packetsim.kernel.ipvs.model import RealKey
from packetsim.kernel.ipvs.servers import LiveReal, LiveServer
from packetsim.packet import Packet

Choice = tuple[LiveReal | None, str]  # the server, and why in plain words ("" unless watched)

_BUCKET_BITS = 8  # IP_VS_SH_TAB_BITS, IP_VS_DH_TAB_BITS
_BUCKETS = 1 << _BUCKET_BITS


class Scheduler(Protocol):
    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        """The real server for a new connection; None when there is none to give."""
        ...

    def changed(self, server: LiveServer) -> None:
        """A real server was added, deleted or given another weight."""
        ...

    def copy(self) -> Scheduler: ...


class _Stateless:
    """A scheduler that remembers nothing of its own."""

    def changed(self, server: LiveServer) -> None:
        return None


class RoundRobin(_Stateless):
    """Next in the list after the last one chosen, if its weight is not 0."""

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        reals, servers = server.reals, server.servers
        before = _cursor_text(server, dice) if watched else ""
        key = servers.after_cursor(lambda key: reals[key].weight > 0, dice)
        if key is None:
            return None, _none("rr")
        return reals[key], f"rr: {before}" if watched else ""

    def copy(self) -> RoundRobin:
        return self


class WeightedRoundRobin:
    """As rr, but only servers with at least the weight now required; it falls by `step` every time round."""

    def __init__(self, required: int = 0, highest: int = 0, step: int = 1) -> None:
        self._required = required
        self._highest = highest
        self._step = step

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        reals, servers = server.reals, server.servers
        before = _cursor_text(server, dice) if watched else ""
        places = servers.settle(dice)
        while self._highest:
            rest = range(servers.cursor + 1, places)
            place = servers.search(rest, lambda key: reals[key].weight >= self._required, dice)
            if place is not None:
                servers.cursor = place
                why = f"wrr: {before} with weight at least {self._required}" if watched else ""
                return reals[servers.at(place, dice)], why
            servers.cursor = -1
            self._required -= self._step
            if self._required <= 0:
                self._required = self._highest
        return None, _none("wrr")

    def changed(self, server: LiveServer) -> None:
        """ip_vs_wrr_dest_changed: back to the head; the required weight is kept where it still fits."""
        server.servers.cursor = -1
        weights = [real.weight for real in server.reals.values()]
        self._step = gcd(*weights) or 1
        self._highest = max(weights, default=0) - (self._step - 1)
        if self._required > self._highest or not self._required:
            self._required = self._highest
        elif self._step > 1:
            self._required = self._required // self._step * self._step + 1

    def copy(self) -> WeightedRoundRobin:
        return WeightedRoundRobin(self._required, self._highest, self._step)


class Least(_Stateless):
    """The server with the smallest load for its weight; on a tie the first in the list.

    `load` counts a server's connections; without `weighted` every weight but 0 counts the same.
    """

    def __init__(self, name: str, load: Callable[[LiveReal], int], meaning: str, weighted: bool) -> None:
        self._name = name
        self._load = load
        self._meaning = meaning
        self._weighted = weighted

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        least, divisor, tied = 0, 0, list[RealKey]()
        for key, real in server.reals.items():
            if not real.weight:
                continue
            load, weight = self._load(real), real.weight if self._weighted else 1
            # Compared by multiplying crosswise, so nothing is rounded.
            if not tied or load * divisor < least * weight:
                least, divisor, tied = load, weight, [key]
            elif load * divisor == least * weight:
                tied.append(key)
        if not tied:
            return None, _none(self._name)
        real = server.reals[server.servers.first(tied, dice)]
        return real, self._why(real, len(tied)) if watched else ""

    def _why(self, real: LiveReal, tied: int) -> str:
        load = f"{self._load(real)}/{real.weight}" if self._weighted else str(self._load(real))
        alike = f", first in the list of {tied} alike" if tied > 1 else ""
        return f"{self._name}: fewest connections, {self._meaning} = {load}{alike}"

    def copy(self) -> Least:
        return self


def _connections(real: LiveReal) -> int:
    return (real.active << 8) + real.inactive  # ip_vs_dest_conn_overhead


def _expected(real: LiveReal) -> int:
    return real.active + 1  # ip_vs_sed_dest_overhead: as if the new connection were there already


_OVERHEAD = "256 × active + inactive"
_SED = Least("sed", _expected, "(active + 1) / weight", weighted=True)


class NeverQueue(_Stateless):
    """The first server with no active connection; if there is none, as sed."""

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        idle = [key for key, real in server.reals.items() if real.weight and not real.active]
        if idle:
            real = server.reals[server.servers.first(idle, dice)]
            return real, f"nq: first in the list of {len(idle)} without active connections" if watched else ""
        real_or_none, why = _SED.choose(server, packet, dice, watched)
        if real_or_none is None:
            return None, _none("nq")
        return real_or_none, f"nq: none is idle; {why}" if watched else ""

    def copy(self) -> NeverQueue:
        return self


class SourceHashing(_Stateless):
    """256 buckets by the client's address; a server holds as many in a row as its weight, at least one."""

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        port = packet.source_port if "sh-port" in server.spec.flags else 0
        bucket = hash_32(port + folded(packet.source) & 0xFFFFFFFF, _BUCKET_BITS)
        real = self._holder(server, bucket, dice)
        if real is not None and not real.weight and "sh-fallback" in server.spec.flags:
            # ip_vs_sh_get_fallback: the offset starts at the bucket's own number and is added to it again.
            for offset in range(_BUCKETS):
                real = self._holder(server, (2 * bucket + offset) % _BUCKETS, dice)
                if real is not None and real.weight:
                    break
        if real is None or not real.weight:
            return None, _unusable("sh", bucket, _BUCKETS, real)
        return real, f"sh: {_client(packet, port)} hashes to bucket {bucket} of {_BUCKETS}" if watched else ""

    def _holder(self, server: LiveServer, bucket: int, dice: Dice) -> LiveReal | None:
        if not server.reals:
            return None
        places = server.servers.settle(dice)
        turns = [real.weight or 1 for real in server.reals.values()]
        left = bucket % sum(turns)
        if min(turns) == max(turns):
            return server.reals[server.servers.at(left // turns[0], dice)]
        real = None
        for place in range(places):
            real = server.reals[server.servers.at(place, dice)]
            left -= real.weight or 1
            if left < 0:
                break
        return real

    def copy(self) -> SourceHashing:
        return self


class DestinationHashing(_Stateless):
    """256 buckets by the virtual server's own address, one server a bucket in turn."""

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        bucket = hash_32(folded(packet.destination), _BUCKET_BITS)
        places = server.servers.settle(dice)
        real = server.reals[server.servers.at(bucket % places, dice)] if places else None
        if real is None or not real.weight:
            return None, _unusable("dh", bucket, _BUCKETS, real)
        return real, f"dh: {packet.destination} hashes to bucket {bucket} of {_BUCKETS}" if watched else ""

    def copy(self) -> DestinationHashing:
        return self


class MaglevHashing:
    """A Maglev table by the client's address. The table is made when first needed.

    Where the list's order is open the table is filled in order of address and port: the order only
    decides which of two servers that want the same entry takes it first, a few entries in a hundred.
    """

    def __init__(self, table: list[RealKey] | None = None) -> None:
        self._table = table

    def choose(self, server: LiveServer, packet: Packet, dice: Dice, watched: bool) -> Choice:
        table = self._table = self._table or self._fill(server)
        if table is None:
            return None, _none("mh")
        flags = server.spec.flags
        port = packet.source_port if "mh-port" in flags else 0
        entry = maglev.entry_of(packet.source, port)
        real = server.reals[table[entry]]
        if not real.weight and "mh-fallback" in flags:
            for offset in range(maglev.SIZE):
                real = server.reals[table[maglev.entry_of(packet.source, port, (offset + entry) % maglev.SIZE)]]
                if real.weight:
                    break
        if not real.weight:
            return None, _unusable("mh", entry, maglev.SIZE, real)
        return real, f"mh: {_client(packet, port)} hashes to entry {entry} of {maglev.SIZE}" if watched else ""

    def shares(self, server: LiveServer, client: str, ports: range) -> dict[RealKey, list[int]]:
        """Real server -> those of the client's `ports` whose connections would go to it."""
        table = self._table = self._table or self._fill(server)
        found: dict[RealKey, list[int]] = {}
        if table is None:
            return found
        for port in ports:
            found.setdefault(table[maglev.entry_of(client, port)], []).append(port)
        return found

    def _fill(self, server: LiveServer) -> list[RealKey] | None:
        keys = server.servers.known
        if keys is None:
            keys = sorted(server.reals, key=lambda key: (number_of(key[0]), key[1]))
        return maglev.fill([(key, server.reals[key].last_weight) for key in keys])

    def changed(self, server: LiveServer) -> None:
        self._table = None

    def copy(self) -> MaglevHashing:
        return MaglevHashing(self._table)


_MAKERS: dict[str, Callable[[], Scheduler]] = {
    "rr": RoundRobin,
    "wrr": WeightedRoundRobin,
    "lc": lambda: Least("lc", _connections, _OVERHEAD, weighted=False),
    "wlc": lambda: Least("wlc", _connections, f"({_OVERHEAD}) / weight", weighted=True),
    "sed": lambda: _SED,
    "nq": NeverQueue,
    "sh": SourceHashing,
    "dh": DestinationHashing,
    "mh": MaglevHashing,
}


def scheduler(name: str) -> Scheduler:
    """A scheduler as it is when just bound to a virtual server without real servers."""
    return _MAKERS[name]()


def _cursor_text(server: LiveServer, dice: Dice) -> str:
    """Where the walk goes on. Draws nothing that an unwatched walk would not."""
    server.servers.settle(dice)
    key = server.servers.cursor_key
    if key is not None:
        return f"next after {server.reals[key].text}"
    return "first in the list" if server.servers.cursor < 0 else "next in the list"


def _client(packet: Packet, port: int) -> str:
    return packet.from_text if port else packet.source


def _none(name: str) -> str:
    return f"{name}: no real server with a weight above 0"


def _unusable(name: str, bucket: int, of: int, real: LiveReal | None) -> str:
    if real is None:
        return _none(name)
    return f"{name}: bucket {bucket} of {of} belongs to {real.text}, whose weight is 0"
