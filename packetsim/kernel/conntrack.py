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
    """One connection. `settled` holds the NAT directions already decided ("source", "destination")."""

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


def _sides(one: Tuple) -> str:
    _, source, source_port, destination, destination_port = one
    return f"src={source} dst={destination} sport={source_port} dport={destination_port}"


@dataclass(slots=True)
class Tracking:
    """What conntrack said of one packet on this machine: carried from hook to hook with it."""

    entry: Entry | None
    state: str  # NEW, ESTABLISHED, RELATED, INVALID
    reply: bool = False


# (protocol, state) -> seconds
TIMEOUTS = {
    ("tcp", "SYN_SENT"): 120,
    ("tcp", "SYN_RECV"): 60,
    ("tcp", "ESTABLISHED"): 432000,
    ("tcp", "CLOSE"): 10,
    ("udp", "UNREPLIED"): 30,
    ("udp", "REPLIED"): 30,
    ("sctp", "COOKIE_WAIT"): 3,
    ("sctp", "COOKIE_ECHOED"): 3,
    ("sctp", "ESTABLISHED"): 210,
    ("sctp", "CLOSED"): 10,
}

# What a packet that answers, goes on or breaks off makes of a connection.
_ANSWERED = {"tcp": "SYN_RECV", "udp": "REPLIED", "sctp": "COOKIE_WAIT"}
_FIRST = {"tcp": "SYN_SENT", "udp": "UNREPLIED", "sctp": "COOKIE_WAIT"}
_BROKEN = {"tcp": "CLOSE", "sctp": "CLOSED"}


class Conntrack:
    """One machine's table."""

    def __init__(self) -> None:
        self._by_tuple: dict[Tuple, Entry] = {}

    def copy(self) -> Conntrack:
        twin = Conntrack()
        fresh = {id(entry): _copied(entry) for entry in self._by_tuple.values()}
        twin._by_tuple = {one: fresh[id(entry)] for one, entry in self._by_tuple.items()}
        return twin

    def track(self, packet: Packet, now: float) -> Tracking:
        """Look the packet up; a first packet gets an entry that `confirm` will store."""
        if packet.quoted is not None:
            return self._related(packet)
        one = tuple_of(packet)
        entry = self._by_tuple.get(one)
        if entry is not None and entry.expires < now:
            self.forget(entry)
            entry = None
        if entry is None:
            return self._first(packet, one, now)
        reply = one == entry.reply
        self._advance(entry, packet, reply, now)
        state = "ESTABLISHED" if reply or entry.seen_reply else "NEW"
        return Tracking(entry, state, reply)

    def _first(self, packet: Packet, one: Tuple, now: float) -> Tracking:
        # tcp_conntracks[]: a SYN/ACK or RST of no connection is sIV; a lone ACK is picked up (tcp_loose).
        if packet.flags in ("SA", "R", "RA", "INIT_ACK", "ABORT"):
            return Tracking(None, "INVALID")
        state = "ESTABLISHED" if packet.flags in ("A", "PA") else _FIRST[packet.protocol]
        return Tracking(Entry(one, inverted(one), state, now + TIMEOUTS[packet.protocol, state]), "NEW")

    def _related(self, packet: Packet) -> Tracking:
        """An ICMP error belongs to the connection of the packet it quotes (nf_conntrack_inet_error)."""
        assert packet.quoted is not None
        found = inverted(tuple_of(packet.quoted))
        entry = self._by_tuple.get(found)
        if entry is None:
            return Tracking(None, "INVALID")
        return Tracking(entry, "RELATED", reply=found == entry.reply)

    def _advance(self, entry: Entry, packet: Packet, reply: bool, now: float) -> None:
        protocol = packet.protocol
        if packet.flags in ("R", "RA", "ABORT"):
            entry.state = _BROKEN[protocol]
        elif reply:
            if not entry.seen_reply:
                entry.state = _ANSWERED[protocol]
        elif entry.seen_reply and protocol == "tcp" and packet.flags != "S":
            entry.state, entry.assured = "ESTABLISHED", True
        entry.seen_reply = entry.seen_reply or reply
        entry.expires = now + TIMEOUTS[protocol, entry.state]

    def confirm(self, tracking: Tracking) -> None:
        """The first packet got through: from now on the connection exists (nf_conntrack_confirm)."""
        entry = tracking.entry
        if entry is not None and not entry.confirmed:
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
        live = {id(entry): entry for entry in self._by_tuple.values() if entry.expires >= now}
        return tuple(entry.listed(now) for entry in live.values())

    def entries(self) -> list[Entry]:
        return list({id(entry): entry for entry in self._by_tuple.values()}.values())


def _copied(entry: Entry) -> Entry:
    twin = copy(entry)
    twin.settled = set(entry.settled)
    return twin
