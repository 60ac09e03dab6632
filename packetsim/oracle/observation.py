"""Rule: what a kernel said it did, in our words; nothing here knows what we expected.

The kernel's trace events of one namespace become packets, each with the rules it visited in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packetsim.errors import OracleError

JUDGE = "judge"  # the guest's own table, which turns tracing on: its visits are never shown

Tuple = tuple[str, str, int, str, int]


@dataclass(frozen=True, slots=True)
class Header:
    """A packet as the kernel showed it on entry to a base chain. `flags`: "S", "SA", …; SCTP: "INIT", ….

    `protocol`: its name, or its number as text. `size`: bytes from the IP header on. `quoted` would be
    (protocol, source, source port, destination, destination port) of the packet that an ICMP error is
    about; trace events do not reach that far (see `headers`), so it is None. The MAC addresses are those
    with which the packet came in; "" for what the machine sends itself.
    """

    protocol: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    ttl: int
    flags: str
    size: int
    icmp_type: int = 0
    icmp_code: int = 0
    quoted: Tuple | None = None
    source_mac: str = ""
    destination_mac: str = ""


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """What the kernel says of one rule that matched, of a base chain's policy, or of a chain's end.

    `identity`: the same for all events of a packet, until it comes in by another interface; used
    again later. `policy`: the policy spoke. `handle`: the rule's; None for a policy, and where a chain
    ended without a verdict. `mark`: after the rule. Interfaces by index, 0 for none.
    The first event of a packet in each base chain has what was seen on entry: `header`, `unchanging`
    (what neither address translation nor routing changes), the interfaces and `by_loopback`.
    """

    identity: int
    family: str
    table: str
    chain: str
    policy: bool
    handle: int | None
    verdict: str
    mark: int = 0
    in_interface: int = 0
    out_interface: int = 0
    by_loopback: bool = False
    header: Header | None = None
    unchanging: bytes = b""


@dataclass(frozen=True, slots=True)
class RuleNumbers:
    """(family, table, chain) -> rule handle -> its number in the chain, from 1."""

    numbers: Mapping[tuple[str, str, str], Mapping[int, int]]

    def number(self, event: TraceEvent) -> int:
        """0 for the policy."""
        if event.handle is None:
            return 0
        found = self.numbers.get((event.family, event.table, event.chain), {}).get(event.handle)
        if found is None:
            raise OracleError(
                f"The kernel visited rule handle {event.handle} of {event.family} {event.table} {event.chain}, "
                "which it did not have after the load. Load the rules again before anything is sent."
            )
        return found


@dataclass(frozen=True, slots=True)
class Visit:
    """A rule that matched, or the policy that ended a base chain. `number` from 1; 0 for the policy.

    `hook_header`: on entry to the base chain of this visit. `mark`: the packet's mark just after the rule.
    """

    family: str  # ip, ip6, inet
    table: str
    chain: str
    number: int
    verdict: str  # accept, drop, jump CHAIN, goto CHAIN, return, continue
    hook_header: Header
    mark: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One packet's way through one namespace: the rules it visited and the headers it showed, in order.

    `visits`: without the judge's own. `seen`: on entry to each base chain, the judge's included.
    `local`: the namespace sent it itself. If it did so to itself, over lo, the way in is part of the passage.
    """

    code: str
    visits: tuple[Visit, ...]
    seen: tuple[Header, ...]
    local: bool

    @property
    def first(self) -> Header:
        return self.seen[0]


@dataclass(frozen=True, slots=True)
class Connection:
    """A conntrack entry: each tuple is (protocol, source, source port, destination, destination port)."""

    original: Tuple
    reply: Tuple
    status: int  # IPS_… bits
    mark: int


# ---- events into packets ------------------------------------------------------------------------


def passages(code: str, events: Iterable[TraceEvent], rules: RuleNumbers) -> tuple[Passage, ...]:
    """The packets of one namespace in the order in which they were first seen there, noise left out.

    A packet may be traced while another one's rule is still at work (REJECT sends its answer before its
    own event), so events are told apart by identity; an event without header belongs to the last that had one.
    """
    packets: list[_Packet] = []
    alike: dict[bytes, list[_Packet]] = {}  # by what does not change, the latest first
    current: dict[int, tuple[_Packet, Header]] = {}
    for event in events:
        if event.header is not None:
            rivals = alike.setdefault(event.unchanging, [])
            latest = sorted(rivals, key=lambda one: one.identity != event.identity)
            packet = next((one for one in latest if one.goes_on_with(event)), None)
            if packet is None:
                packet = _Packet(event.in_interface)
                rivals.insert(0, packet)
                packets.append(packet)
            packet.enter(event, event.header)
            current[event.identity] = packet, event.header
        if event.table != JUDGE and (event.policy or event.handle is not None):
            if event.identity not in current:
                raise OracleError(
                    f"The kernel's account of a packet in {code} begins in its middle: events were lost. "
                    "Compare again, with fewer flows at once or a bigger buffer."
                )
            packet, header = current[event.identity]
            number = rules.number(event)
            visit = Visit(event.family, event.table, event.chain, number, event.verdict, header, event.mark)
            packet.visits.append(visit)
    return tuple(
        Passage(code, tuple(packet.visits), tuple(packet.seen), packet.entered == 0)
        for packet in packets
        if not is_noise(packet.seen[0])
    )


@dataclass(slots=True)
class _Packet:
    """`entered`: the interface it came in by, 0 if it was sent here. `met`: base chain -> what it saw last."""

    entered: int
    identity: int = 0
    looped: bool = False
    met: dict[tuple[str, str, str], Header] = field(default_factory=dict)
    seen: list[Header] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def enter(self, event: TraceEvent, header: Header) -> None:
        self.identity = event.identity
        self.looped = event.by_loopback
        self.met[event.family, event.table, event.chain] = header
        self.seen.append(header)

    def goes_on_with(self, event: TraceEvent) -> bool:
        """Is this base chain the next of this packet, or the first of another that looks alike (sent again)?

        The identity is a hash of the buffer's address, the flow and the interface last come in by
        (net/netfilter/nf_tables_trace.c). So it changes over lo, and when a bridge that has called
        netfilter for its port hands the packet up; and a later packet may have it again.
        """
        met = self.met.get((event.family, event.table, event.chain))
        if event.identity == self.identity:
            return met is None or _sent_by_ipvs(met, event)
        if event.by_loopback:
            return not self.looped
        return met is None and event.in_interface == self.entered


def _sent_by_ipvs(met: Header, event: TraceEvent) -> bool:
    """What IPVS translated passes OUTPUT from its start, a second time if it was there (ip_vs_nat_send_or_cont)."""
    header = event.header
    assert header is not None
    to_same = (met.destination, met.destination_port) == (header.destination, header.destination_port)
    return not to_same and event.in_interface == 0


def is_noise(header: Header) -> bool:
    """What machines say to find their neighbours and multicast groups, of which no walk tells."""
    if header.protocol == "icmpv6":
        return header.icmp_type in MULTICAST_LISTENING or header.icmp_type in _NEIGHBOURS
    return header.protocol == "igmp"


MULTICAST_LISTENING = (130, 131, 132, 143)  # RFC 2710, RFC 3810
_NEIGHBOURS = range(133, 138)  # RFC 4861
