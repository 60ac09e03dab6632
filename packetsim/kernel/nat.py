"""Rule: NAT is decided once, by a connection's first packet, and applied to every packet from the tuples.

net/netfilter/nf_nat_core.c, nf_nat_masquerade.c, nf_nat_proto.c (Linux 6.1).
"""

from __future__ import annotations

from dataclasses import replace

from packetsim.dice import Dice
from packetsim.hooks import Hook
from packetsim.kernel.conntrack import Conntrack, Entry, Tracking, Tuple, inverted
from packetsim.kernel.visit import Translation
from packetsim.packet import Packet

# HOOK2MANIP: which address a hook may rewrite.
SIDE = {Hook.PREROUTING: "destination", Hook.OUTPUT: "destination", Hook.INPUT: "source", Hook.POSTROUTING: "source"}
_OTHER = {"source": "destination", "destination": "source"}


def settle(
    table: Conntrack, entry: Entry, side: str, wanted: Translation | None, address: str | None, dice: Dice
) -> None:
    """Fix one side of a new connection. `wanted` None: the null binding, which only avoids clashes.

    `address` is what the kernel chose for masquerade and redirect (nf_nat_setup_info).
    """
    before = inverted(entry.reply)
    after = _wished(before, side, wanted, address)
    if side == "source":
        after = _unique(table, entry, after, wanted, dice)
    if after != before:
        table.replace_reply(entry, inverted(after))
        if side == "source":
            entry.snat = True
        else:
            entry.dnat = True
    entry.settled.add(side)


def _wished(before: Tuple, side: str, wanted: Translation | None, address: str | None) -> Tuple:
    protocol, source, source_port, destination, destination_port = before
    if wanted is None:
        return before
    address = address or wanted.address
    if side == "source":
        return protocol, address or source, wanted.port or source_port, destination, destination_port
    return protocol, source, source_port, address or destination, wanted.port or destination_port


def _unique(table: Conntrack, entry: Entry, after: Tuple, wanted: Translation | None, dice: Dice) -> Tuple:
    """A source port no other connection of the same pair uses (get_unique_tuple, nf_nat_l4proto_unique_tuple)."""
    protocol, source, port, destination, destination_port = after
    drawn = wanted is not None and wanted.fully_random
    if not drawn and not table.is_taken(inverted(after), entry):
        return after
    low, high = _port_range(port)
    start = dice.draw(low, high)
    for offset in range(high - low + 1):
        candidate = low + (start - low + offset) % (high - low + 1)
        after = protocol, source, candidate, destination, destination_port
        if not table.is_taken(inverted(after), entry):
            break
    return after


def _port_range(port: int) -> tuple[int, int]:
    """Ports below 512, below 1024 and above stay among their like."""
    if port < 512:
        return 1, 511
    return (600, 1023) if port < 1024 else (1024, 65535)


def apply(packet: Packet, tracking: Tracking, side: str) -> Packet:
    """The packet with this side rewritten as its connection wants (nf_nat_packet)."""
    entry = tracking.entry
    assert entry is not None
    wants_source = side == "source"
    if tracking.reply:
        wants_source = not wants_source
    if not (entry.snat if wants_source else entry.dnat):
        return packet
    target = inverted(entry.original if tracking.reply else entry.reply)
    if packet.quoted is not None:
        return _apply_to_error(packet, packet.quoted, target, side)
    return _rewritten(packet, target, side)


def _rewritten(packet: Packet, target: Tuple, side: str) -> Packet:
    _, source, source_port, destination, destination_port = target
    if side == "source":
        if packet.source == source and packet.source_port == source_port:
            return packet
        return packet.with_source(source, source_port)
    if packet.destination == destination and packet.destination_port == destination_port:
        return packet
    return packet.with_destination(destination, destination_port)


def _apply_to_error(packet: Packet, quoted: Packet, target: Tuple, side: str) -> Packet:
    """The packet an ICMP error quotes went the other way, so its other side is rewritten.

    nf_nat_icmp_reply_translation (net/netfilter/nf_nat_proto.c).
    """
    inner = _rewritten(quoted, inverted(target), _OTHER[side])
    if side == "source":
        return replace(packet, quoted=inner, source=target[1])
    return replace(packet, quoted=inner, destination=target[3])
