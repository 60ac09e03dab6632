"""Rule: two stories are laid side by side and the first thing that differs is told; nothing is forgiven here.

What the kernel draws at random (a port it masquerades with, the userspace proxy's own port) is taken
over from its conntrack table first, so that everything else can be held to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from packetsim.addresses import with_port
from packetsim.oracle.observation import Connection
from packetsim.oracle.plan import Accepted
from packetsim.oracle.story import Arrival, Sight, Stop, Story, ours
from packetsim.protocols import PROTOCOL_NUMBERS
from packetsim.trace import Disposition, Trace, Translated

Ends = tuple[str, str, int, str, int]  # protocol, source, source port, destination, destination port
NOTHING = "nothing more"
STRANDS = ("rules", "packets")  # what a Story is made of, in order of time
OWN_CONNECTION, NEXT_PACKET = "proxy's own connection", "next packet"  # the titles that conversation gives them


@dataclass(frozen=True, slots=True)
class Heard:
    """One flow as the kernel had it, in terms of our places.

    `answer`: "answered", "refused", "unreachable" or "silence". `connections` and `balanced`: what is
    new since the flow before, conntrack's and IPVS's (as ipvsadm -Lcn prints them, expiry left out).
    """

    answer: str
    error: str
    accepted: tuple[tuple[str, Accepted], ...]  # with the place of each
    stories: Mapping[str, Story]
    connections: Mapping[str, tuple[Connection, ...]]
    balanced: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """`aspect`: answer, endpoint, rules, packets, conntrack, ipvs, text, promise. `depth`: how much agreed before."""

    aspect: str
    place: str
    kernel: str
    ours: str
    depth: int = 0

    def __str__(self) -> str:
        where = f" at {self.place}" if self.place else ""
        return f"{self.aspect}{where}: the kernel has {self.kernel}; we have {self.ours}"


def compare(trace: Trace, heard: Heard, balanced: Mapping[str, frozenset[str]]) -> Difference | None:
    """The first difference between our walk and the kernel's account of one flow. `balanced`: our new IPVS entries."""
    strands: list[Difference] = []
    for one in differences(trace, heard, balanced):
        if one.aspect not in STRANDS:
            return _first(strands) or one
        strands.append(one)
    return _first(strands)


def _first(strands: Sequence[Difference]) -> Difference | None:
    return max(strands, key=lambda one: (one.aspect == "rules", one.depth), default=None)


def differences(trace: Trace, heard: Heard, balanced: Mapping[str, frozenset[str]]) -> Iterator[Difference]:
    """All of them: at each place the first rule and the first packet, then what is not told in order of time."""
    entries = {place: [entry(line) for line in lines] for place, lines in trace.entries}
    stories = ours(trace)
    ports = _drawn_ports(trace, stories, entries, heard)
    yield from _rules(stories, heard.stories, ports)
    yield from _packets(stories, heard.stories, ports)
    yield from _rest(trace, heard, balanced, entries, ports)


def _rest(
    trace: Trace,
    heard: Heard,
    balanced: Mapping[str, frozenset[str]],
    entries: Mapping[str, Sequence[tuple[Ends, Ends]]],
    ports: Mapping[int, int],
) -> Iterator[Difference]:
    answer, _ = answer_of(trace)
    if heard.answer != answer:
        yield Difference("answer", "", f"{heard.answer} {heard.error}".strip(), f"{answer} ({trace.why})")
    yield from _endpoints(trace, heard)
    yield from _connections(entries, heard.connections, ports)
    for place in sorted({*heard.balanced, *balanced}):
        kernel, own = heard.balanced.get(place, frozenset()), balanced.get(place, frozenset())
        own = frozenset(_with_ports(line, ports) for line in own)
        if kernel != own:
            yield Difference("ipvs", place, _some(kernel - own), _some(own - kernel))


# ---- rules and packets --------------------------------------------------------------------------


def _rules(mine: Mapping[str, Story], kernel: Mapping[str, Story], ports: Mapping[int, int]) -> Iterator[Difference]:
    for place in sorted({*mine, *kernel}):
        own, theirs = mine.get(place, Story()).stops, kernel.get(place, Story()).stops
        renamed = [stop._replace(sight=stop.sight.renamed(ports)) for stop in own]
        depth = agreeing(theirs, renamed)
        if depth < max(len(theirs), len(renamed)):
            yield Difference("rules", place, _at(theirs, depth), _at(renamed, depth), depth)


def _packets(mine: Mapping[str, Story], kernel: Mapping[str, Story], ports: Mapping[int, int]) -> Iterator[Difference]:
    for place in sorted({*mine, *kernel}):
        own, theirs = mine.get(place, Story()).arrivals, kernel.get(place, Story()).arrivals
        renamed = [arrival._replace(sight=arrival.sight.renamed(ports)) for arrival in own]
        depth = agreeing(theirs, renamed)
        if depth < max(len(theirs), len(renamed)):
            yield Difference("packets", place, _at(theirs, depth), _at(renamed, depth), depth)


def agreeing(one: Sequence[object], other: Sequence[object]) -> int:
    """How many of the first items are the same."""
    pairs = zip_longest(one, other)
    return next((count for count, (left, right) in enumerate(pairs) if left != right), len(one))


def _at(strand: Sequence[Stop] | Sequence[Arrival], depth: int) -> str:
    """What comes at this point, after what, and for a stop with which packet."""
    after = f" after {strand[depth - 1]}" if depth else ""
    if depth >= len(strand):
        return NOTHING + after
    item = strand[depth]
    packet = f" with {item.sight} mark {item.mark:#x}" if isinstance(item, Stop) else ""
    return f"{item}{packet}{after}"


# ---- what the sender heard, and who took it -----------------------------------------------------


def answer_of(trace: Trace) -> tuple[str, int]:
    """What the sender's socket makes of the walk, and the number of the leg that brought it; of silence, the last."""
    sender = trace.legs[0].hops[0].place if trace.legs and trace.legs[0].hops else ""
    for number, leg in enumerate(trace.legs[1:], 1):
        if leg.outcome is not Disposition.DELIVERED or not leg.hops or leg.hops[-1].place != sender:
            continue
        packet = leg.hops[-1].steps[-1].after
        own = (trace.flow.source_port, trace.flow.port)
        if packet.quoted is not None:
            if (packet.quoted.source_port, packet.quoted.destination_port) == own:
                refused = (packet.icmp_type, packet.icmp_code) in ((3, 3), (1, 4))
                return "refused" if refused else "unreachable", number
        elif (packet.destination_port, packet.source_port) == own:
            return "refused" if "R" in packet.flags or packet.flags == "ABORT" else "answered", number
    return "silence", len(trace.legs) - 1


def _endpoints(trace: Trace, heard: Heard) -> Iterator[Difference]:
    if not is_accepted(trace):
        if heard.accepted and trace.disposition is not Disposition.DELIVERED:
            yield Difference("endpoint", "", _accepted(heard), trace.disposition.value)
        return
    if not heard.accepted:
        yield Difference("endpoint", "", "nobody that accepted it", trace.endpoint or "")
        return
    place, accepted = heard.accepted[-1]
    kernel = f"{with_port(accepted.address, accepted.port)} seeing {accepted.peer}"
    own = f"{trace.endpoint} seeing {trace.source_seen}"
    if kernel != own:
        yield Difference("endpoint", place, kernel, own)


def is_accepted(trace: Trace) -> bool:
    """A TCP socket accepts when the handshake's third packet has come, a UDP socket at once."""
    if trace.disposition is not Disposition.DELIVERED or trace.flow.protocol == "udp":
        return trace.disposition is Disposition.DELIVERED
    third = [leg.outcome for leg in trace.legs if leg.title == NEXT_PACKET]
    return trace.answered and Disposition.DELIVERED in (third[-1:] or [Disposition.DELIVERED])


def _accepted(heard: Heard) -> str:
    return ", ".join(f"{with_port(one.address, one.port)} seeing {one.peer}" for _, one in heard.accepted)


# ---- conntrack ----------------------------------------------------------------------------------

_FIELD = re.compile(r"\b(src|dst|sport|dport|id)=(\S+)")


def entry(line: str) -> tuple[Ends, Ends]:
    """A line of `conntrack -L` as its original and reply ends."""
    protocol = line.split()[0]
    found = [value for name, value in _FIELD.findall(line) if name != "id"]
    first, second = found[: len(found) // 2], found[len(found) // 2 :]
    return _ends(protocol, first), _ends(protocol, second)


def _ends(protocol: str, values: Sequence[str]) -> Ends:
    source, destination, *rest = values
    sport, dport = (int(rest[0]), int(rest[1])) if len(rest) == 2 else (0, 0)
    return protocol, source, sport, destination, dport


def _drawn_ports(
    trace: Trace,
    mine: Mapping[str, Story],
    entries: Mapping[str, Sequence[tuple[Ends, Ends]]],
    heard: Heard,
) -> dict[int, int]:
    """The ports we drew -> the kernel's, read off where the two are alike but for such a port.

    A connection that was reset is forgotten, a packet that was lost is seen nowhere: so packets and
    entries are asked both. They are gone through until nothing new is learned, since what one node
    draws another one sees.
    """
    drawn = _drawn(trace)
    ports: dict[int, int] = {}
    while drawn - ports.keys():
        before = len(ports)
        for own, theirs in _alike(mine, heard.stories):
            _learn(_ends_of(own), _ends_of(theirs), ports, drawn)
        for place, pairs in entries.items():
            for original, reply in pairs:
                for kernel in heard.connections.get(place, ()):
                    _learn(original, kernel.original, ports, drawn)
                    if _renamed(original, ports) == kernel.original:
                        _learn(reply, kernel.reply, ports, drawn)
        if len(ports) == before:
            break
    return ports


def _drawn(trace: Trace) -> set[int]:
    """The ports of masqueraded connections that changed, and of the userspace proxy's own."""
    found: set[int] = set()
    for leg in trace.legs:
        if leg.title == OWN_CONNECTION and leg.hops:
            found.add(leg.hops[0].steps[0].before.source_port)
        for step in leg.steps:
            if isinstance(step.detail, Translated) and step.before.source_port != step.after.source_port:
                found.add(step.after.source_port)
    return found - {trace.flow.source_port, trace.flow.port}


def _alike(mine: Mapping[str, Story], kernel: Mapping[str, Story]) -> Iterator[tuple[Sight, Sight]]:
    """What both saw at the same place and turn."""
    for place in mine.keys() & kernel.keys():
        own, theirs = mine[place], kernel[place]
        for arrival, other in zip(own.arrivals, theirs.arrivals, strict=False):
            yield arrival.sight, other.sight
        for stop, met in zip(own.stops, theirs.stops, strict=False):
            yield stop.sight, met.sight


def _ends_of(sight: Sight) -> Ends:
    return sight.protocol, sight.source, sight.source_port, sight.destination, sight.destination_port


def _learn(mine: Ends, theirs: Ends, ports: dict[int, int], drawn: set[int]) -> None:
    """If the two differ in one port alone that we drew, remember how the kernel drew it."""
    if (mine[0], mine[1], mine[3]) != (theirs[0], theirs[1], theirs[3]):
        return
    pairs = [(mine[2], theirs[2]), (mine[4], theirs[4])]
    unlike = [(own, other) for own, other in pairs if ports.get(own, own) != other]
    if len(unlike) == 1 and unlike[0][0] in drawn and unlike[0][0] not in ports:
        ports[unlike[0][0]] = unlike[0][1]


def _renamed(ends: Ends, ports: Mapping[int, int]) -> Ends:
    protocol, source, sport, destination, dport = ends
    return protocol, source, ports.get(sport, sport), destination, ports.get(dport, dport)


def _connections(
    entries: Mapping[str, Sequence[tuple[Ends, Ends]]],
    kernel: Mapping[str, Sequence[Connection]],
    ports: Mapping[int, int],
) -> Iterator[Difference]:
    for place in sorted({*entries, *kernel}):
        own = {(_renamed(one, ports), _renamed(other, ports)) for one, other in entries.get(place, ())}
        theirs = {(one.original, one.reply) for one in kernel.get(place, ())}
        if own != theirs:
            yield Difference("conntrack", place, _lines(theirs - own), _lines(own - theirs))


def _lines(entries: Iterable[tuple[Ends, Ends]]) -> str:
    return _some(f"{_text(original)}, replies {_text(reply)}" for original, reply in entries)


def _text(ends: Ends) -> str:
    protocol, source, sport, destination, dport = ends
    assert protocol in PROTOCOL_NUMBERS or protocol.isdigit()
    return f"{protocol} {with_port(source, sport)} → {with_port(destination, dport)}"


# ---- IPVS ---------------------------------------------------------------------------------------

_PORT = re.compile(r"(?<=:)\d+(?=\s|$)")


def _with_ports(line: str, ports: Mapping[int, int]) -> str:
    return _PORT.sub(lambda found: str(ports.get(int(found[0]), int(found[0]))), line)


def _some(items: Iterable[str]) -> str:
    listed = sorted(items)
    return "; ".join(listed[:4]) + (" …" if len(listed) > 4 else "") if listed else "nothing beside"
