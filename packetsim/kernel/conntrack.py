"""Rule: a connection is two tuples, and its state follows from what was seen in each direction.

net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_{tcp,udp,sctp}.c (Linux 6.1, default sysctls).
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

from packetsim.packet import Packet
from packetsim.protocols import PROTOCOL_NUMBERS

Tuple = tuple[str, str, int, str, int]  # (protocol, source, source port, destination, destination port)


def tuple_of(packet: Packet) -> Tuple:
    return packet.protocol, packet.source, packet.source_port, packet.destination, packet.destination_port


def inverted(one: Tuple) -> Tuple:
    protocol, source, source_port, destination, destination_port = one
    return protocol, destination, destination_port, source, source_port


@dataclass(slots=True, eq=False)
class Entry:
    """One connection. `settled` holds the NAT directions already decided ("source", "destination").

    `since`: when it began. `dying`: no longer in the table, though a packet on its way may still hold it.
    """

    original: Tuple
    reply: Tuple
    state: str
    expires: float
    seen_reply: bool = False
    assured: bool = False
    dnat: bool = False
    snat: bool = False
    settled: set[str] = field(default_factory=set)
    confirmed: bool = False
    since: float = 0.0
    dying: bool = False

    def listed(self, now: float) -> str:
        """As `conntrack -L` prints it."""
        protocol = self.original[0]
        words = [f"{protocol:<8} {PROTOCOL_NUMBERS[protocol]} {max(0, round(self.expires - now))}"]
        words += [self.state] if protocol != "udp" else []
        words.append(_sides(self.original))
        words += [] if self.seen_reply else ["[UNREPLIED]"]
        words.append(_sides(self.reply))
        words += ["[ASSURED]"] if self.assured else []
        return " ".join([*words, "mark=0", "use=1"])


def _advance_sctp(entry: Entry, chunk: str, reply: bool, now: float) -> bool:
    """nf_conntrack_sctp_packet, for the chunks of a handshake and the one that ends it."""
    match chunk, entry.state:
        case "ABORT", _:
            entry.state = "CLOSED"
        case "INIT_ACK", "CLOSED" if reply:
            entry.state = "COOKIE_WAIT"
        case "INIT", "CLOSED":
            return True  # a repeated INIT does not renew the time
        case "COOKIE_ECHO", "CLOSED":
            return False  # its verification tag is that of an INIT ACK which was not seen here
        case "COOKIE_ECHO", "COOKIE_WAIT":
            entry.state = "COOKIE_ECHOED"
        case "COOKIE_ACK", "COOKIE_ECHOED" if reply:
            entry.state, entry.assured = "ESTABLISHED", True
    entry.expires = now + TIMEOUTS["sctp", entry.state]
    return True


def _sides(one: Tuple) -> str:
    _, source, source_port, destination, destination_port = one
    return f"src={source} dst={destination} sport={source_port} dport={destination_port}"


@dataclass(slots=True)
class Tracking:
    """What conntrack said of one packet on this machine: carried from hook to hook with it."""

    entry: Entry | None
    state: str  # NEW, ESTABLISHED, RELATED, INVALID
    reply: bool = False


# (protocol, state) -> seconds. UDP's REPLIED: a stream, both ways and longer than two seconds.
TIMEOUTS = {
    ("tcp", "SYN_SENT"): 120,
    ("tcp", "SYN_RECV"): 60,
    ("tcp", "ESTABLISHED"): 432000,
    ("tcp", "CLOSE"): 10,
    ("udp", "UNREPLIED"): 30,
    ("udp", "REPLIED"): 120,
    ("sctp", "CLOSED"): 10,
    ("sctp", "COOKIE_WAIT"): 3,
    ("sctp", "COOKIE_ECHOED"): 3,
    ("sctp", "ESTABLISHED"): 210,
}
_UNACKNOWLEDGED = 300  # an ESTABLISHED connection of which no reply was seen (TCP_CONNTRACK_UNACK)
_STREAM_AFTER = 2.0  # nf_conntrack_udp_packet: stream_ts
_FIRST = {"tcp": "SYN_SENT", "udp": "UNREPLIED", "sctp": "CLOSED"}

# tcp_conntracks[], for the segments that are sent here: (reply?, segment) -> state before -> state after.
# No state before: sIV, the segment is INVALID. _IGNORED: sIG, it passes and changes nothing.
_IGNORED = "ignored"
_SEEN = dict.fromkeys(("SYN_RECV", "ESTABLISHED", "CLOSE"), _IGNORED)
_RESET = dict.fromkeys(("SYN_SENT", "SYN_RECV", "ESTABLISHED", "CLOSE"), "CLOSE")
_OPEN = {"ESTABLISHED": "ESTABLISHED", "CLOSE": "CLOSE"}
_TCP: dict[tuple[bool, str], dict[str, str]] = {
    (False, "S"): {**_SEEN, "SYN_SENT": "SYN_SENT", "CLOSE": "SYN_SENT"},
    (False, "SA"): _SEEN,
    (False, "A"): {**_OPEN, "SYN_RECV": "ESTABLISHED"},
    (False, "R"): _RESET,
    (True, "S"): {},
    (True, "SA"): {**_SEEN, "SYN_SENT": "SYN_RECV"},
    (True, "A"): {**_OPEN, "SYN_SENT": _IGNORED, "SYN_RECV": "SYN_RECV"},
    (True, "R"): _RESET,
}
_SEGMENT = {"S": "S", "SA": "SA", "A": "A", "PA": "A", "R": "R", "RA": "R"}  # get_conntrack_index


class Conntrack:
    """One machine's table."""

    def __init__(self) -> None:
        self._by_tuple: dict[Tuple, Entry] = {}

    def copy(self) -> Conntrack:
        twin = Conntrack()
        fresh = {id(entry): copy(entry) for entry in self._by_tuple.values()}
        twin._by_tuple = {one: fresh[id(entry)] for one, entry in self._by_tuple.items()}
        return twin

    def track(self, packet: Packet, now: float) -> Tracking:
        """Look the packet up; a first packet gets an entry that `confirm` will store."""
        if packet.quoted is not None:
            return self._related(packet, now)
        one = tuple_of(packet)
        entry = self._live(one, now)
        if entry is None:
            return self._first(packet, one, now)
        reply = one == entry.reply
        if not self._advance(entry, packet, reply, now):
            return Tracking(None, "INVALID")
        entry.seen_reply = entry.seen_reply or reply
        return Tracking(entry, "ESTABLISHED" if reply or entry.seen_reply else "NEW", reply)

    def _live(self, one: Tuple, now: float) -> Entry | None:
        """The connection with this tuple; one whose time is over is forgotten (nf_ct_is_expired)."""
        entry = self._by_tuple.get(one)
        if entry is not None and entry.expires <= now:
            self.forget(entry)
            return None
        return entry

    def _first(self, packet: Packet, one: Tuple, now: float) -> Tracking:
        # A SYN/ACK or RST of no connection is sIV, an INIT ACK or a cookie has the wrong verification
        # tag, an ABORT is out of the blue; a lone ACK is picked up (tcp_loose).
        if packet.flags in ("SA", "R", "RA", "INIT_ACK", "COOKIE_ECHO", "COOKIE_ACK", "ABORT"):
            return Tracking(None, "INVALID")
        if packet.flags in ("A", "PA"):
            return Tracking(Entry(one, inverted(one), "ESTABLISHED", now + _UNACKNOWLEDGED, since=now), "NEW")
        state = _FIRST[packet.protocol]
        return Tracking(Entry(one, inverted(one), state, now + TIMEOUTS[packet.protocol, state], since=now), "NEW")

    def _related(self, packet: Packet, now: float) -> Tracking:
        """An ICMP error belongs to the connection of the packet it quotes (nf_conntrack_inet_error)."""
        assert packet.quoted is not None
        found = inverted(tuple_of(packet.quoted))
        entry = self._live(found, now)
        if entry is None:
            return Tracking(None, "INVALID")
        return Tracking(entry, "RELATED", reply=found == entry.reply)

    def _advance(self, entry: Entry, packet: Packet, reply: bool, now: float) -> bool:
        """What one more packet makes of a connection; False: it does not belong there (INVALID)."""
        if packet.protocol == "tcp":
            return self._advance_tcp(entry, _SEGMENT[packet.flags], reply, now)
        if packet.protocol == "udp":
            if entry.seen_reply and now > entry.since + _STREAM_AFTER:
                entry.state, entry.assured = "REPLIED", True
        else:
            return _advance_sctp(entry, packet.flags, reply, now)
        entry.expires = now + TIMEOUTS[packet.protocol, entry.state]
        return True

    def _advance_tcp(self, entry: Entry, segment: str, reply: bool, now: float) -> bool:
        """nf_conntrack_tcp_packet."""
        before = entry.state
        after = _TCP[reply, segment].get(before)
        if after is None or after == _IGNORED:
            return after == _IGNORED
        entry.state = after
        timeout = TIMEOUTS["tcp", after]
        if not entry.seen_reply:
            if segment == "R":  # refused: there never was a connection
                self.forget(entry)
            if segment == "S" and before == "SYN_SENT":
                return True  # a repeated SYN does not renew the time
            timeout = min(timeout, _UNACKNOWLEDGED) if after == "ESTABLISHED" else timeout
        elif after == "ESTABLISHED":
            entry.assured = True
        entry.expires = now + timeout
        return True

    def confirm(self, tracking: Tracking) -> None:
        """The first packet got through: from now on the connection exists (nf_conntrack_confirm)."""
        entry = tracking.entry
        if entry is not None and not entry.confirmed and not entry.dying:
            entry.confirmed = True
            self._by_tuple[entry.original] = entry
            self._by_tuple[entry.reply] = entry

    def replace_reply(self, entry: Entry, reply: Tuple) -> None:
        """Give a connection another reply tuple (nf_conntrack_alter_reply)."""
        if entry.confirmed:
            self._by_tuple.pop(entry.reply, None)
            self._by_tuple[reply] = entry
        entry.reply = reply

    def forget(self, entry: Entry) -> None:
        entry.dying = True
        self._by_tuple.pop(entry.original, None)
        self._by_tuple.pop(entry.reply, None)

    def forget_flow(self, original: Tuple) -> None:
        """Forget the connection whose first packet had this tuple, if there is one."""
        entry = self._by_tuple.get(original)
        if entry is not None:
            self.forget(entry)

    def is_taken(self, reply: Tuple, entry: Entry) -> bool:
        """Does another connection already use this reply tuple (nf_nat_used_tuple)?"""
        other = self._by_tuple.get(reply)
        return other is not None and other is not entry

    def listed(self, now: float) -> tuple[str, ...]:
        live = {id(entry): entry for entry in self._by_tuple.values() if entry.expires > now}
        return tuple(entry.listed(now) for entry in live.values())

    def entries(self) -> list[Entry]:
        return list({id(entry): entry for entry in self._by_tuple.values()}.values())
