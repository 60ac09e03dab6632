"""Rule: our walk and the kernel's account are told in the same words, place by place, and judged elsewhere.

At each place a story has two strands: the sightings (each packet as it came in, or as the place itself
sent it) and the stops (each rule that matched, and each policy that decided), both in order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from packetsim.addresses import with_port
from packetsim.oracle.observation import Header, Passage, Visit
from packetsim.packet import Packet
from packetsim.protocols import TRANSPORTS
from packetsim.trace import ChainEnded, Crossed, Position, RuleTried, Step, Trace

IPTABLES = ("raw", "mangle", "nat", "filter")
# Later packets of an SCTP association, of which our conversations tell nothing.
_BEYOND = ("SACK", "DATA", "HEARTBEAT", "HEARTBEAT_ACK", "SHUTDOWN", "SHUTDOWN_ACK")


@dataclass(frozen=True, slots=True)
class Sight:
    """A packet's headers. `kind`: TCP flags, SCTP chunk, or `TYPE/CODE` of an ICMP error."""

    protocol: str
    kind: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    ttl: int

    def __str__(self) -> str:
        ends = f"{with_port(self.source, self.source_port)} → {with_port(self.destination, self.destination_port)}"
        return f"{self.protocol} {self.kind} {ends} ttl {self.ttl}".replace("  ", " ")

    def renamed(self, ports: Mapping[int, int]) -> Sight:
        """With ports that we drew put as the kernel drew them."""
        source, destination = self.source_port, self.destination_port
        return replace(
            self, source_port=ports.get(source, source), destination_port=ports.get(destination, destination)
        )


class Stop(NamedTuple):
    """`number` 0: the chain's policy. `mark`: the packet's, after this."""

    table: str
    chain: str
    number: int
    sight: Sight
    mark: int

    def __str__(self) -> str:
        where = f"rule {self.number}" if self.number else "policy"
        return f"{self.table} {self.chain} {where}"


class Arrival(NamedTuple):
    """A packet that came in from the link, with its MAC addresses, or ("", "") that the place itself sent."""

    sight: Sight
    macs: tuple[str, str]

    def __str__(self) -> str:
        frame = f" ({self.macs[0]} → {self.macs[1]})" if any(self.macs) else " (sent here)"
        return f"{self.sight}{frame}"


@dataclass(slots=True)
class Story:
    """What happened at one place. `came`, `told`: for each arrival and each stop of ours, the step it stands for."""

    arrivals: list[Arrival] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    came: list[Position] = field(default_factory=list)
    told: list[Position] = field(default_factory=list)

    def arrive(self, arrival: Arrival, position: Position) -> None:
        self.arrivals.append(arrival)
        self.came.append(position)

    def stop(self, stop: Stop, position: Position) -> None:
        self.stops.append(stop)
        self.told.append(position)


# ---- ours ---------------------------------------------------------------------------------------


def ours(trace: Trace) -> dict[str, Story]:
    """Place -> our walk's story there."""
    stories: dict[str, Story] = {}
    for position, place, step in positions(trace):
        story = stories.setdefault(place, Story())
        if position[1:] == (0, 0):
            story.arrive(Arrival(_sight(step.before), ("", "")), position)
        stop = _stop(step)
        if stop is not None:
            story.stop(stop, position)
        if isinstance(step.detail, Crossed) and step.detail.to != place:
            packet = step.after
            arrival = Arrival(_sight(packet), (packet.source_mac, packet.destination_mac))
            stories.setdefault(step.detail.to, Story()).arrive(arrival, position)
    return stories


def positions(trace: Trace) -> Iterator[tuple[Position, str, Step]]:
    """Each step with its place, in the order of the walk."""
    for number, leg in enumerate(trace.legs):
        for turn, hop in enumerate(leg.hops):
            for count, step in enumerate(hop.steps):
                yield (number, turn, count), hop.place, step


def _stop(step: Step) -> Stop | None:
    match step.detail:
        case RuleTried(table=table, chain=chain, number=number, matched=True):
            return Stop(table, chain, number, _sight(step.before), step.after.mark)
        case ChainEnded(table=table, chain=chain, policy=policy) if policy is not None:
            return Stop(table, chain, 0, _sight(step.before), step.after.mark)
    return None


def _sight(packet: Packet) -> Sight:
    ported = packet.protocol in TRANSPORTS
    kind = packet.flags if ported else f"{packet.icmp_type}/{packet.icmp_code}"
    return Sight(
        packet.protocol,
        kind,
        packet.source,
        packet.source_port if ported else 0,
        packet.destination,
        packet.destination_port if ported else 0,
        packet.ttl,
    )


# ---- the kernel's -------------------------------------------------------------------------------


def kernels(passages: Iterable[Passage]) -> Story:
    """One place's story as the kernel tells it. What a patient sender sent again is told once."""
    story, known = Story(), set[tuple[object, ...]]()
    for passage in passages:
        header = passage.first
        if header.flags in _BEYOND:
            continue
        key = (passage.local, _seen(header), header.source_mac)
        if key in known and header.protocol == "tcp":
            continue
        known.add(key)
        macs = ("", "") if passage.local else (header.source_mac, header.destination_mac)
        story.arrivals.append(Arrival(_seen(header), macs))
        story.stops.extend(_visited(passage.visits))
    return story


def _visited(visits: Iterable[Visit]) -> Iterator[Stop]:
    for visit in visits:
        table = visit.table if visit.table in IPTABLES else f"{visit.family} {visit.table}"
        yield Stop(table, visit.chain, visit.number, _seen(visit.hook_header), visit.mark)


def _seen(header: Header) -> Sight:
    icmp = header.protocol in ("icmp", "icmpv6")
    return Sight(
        header.protocol,
        f"{header.icmp_type}/{header.icmp_code}" if icmp else header.flags,
        header.source,
        header.source_port,
        header.destination,
        header.destination_port,
        header.ttl,
    )
