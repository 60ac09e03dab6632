"""Rule: every packet that a machine sends because of another is made here.

net/ipv4/netfilter/nf_reject_ipv4.c, net/ipv4/icmp.c, net/ipv4/tcp_ipv4.c (Linux 6.1).
"""

from __future__ import annotations

from packetsim.packet import Packet

_ICMP_CODES = {  # reject-with -> ICMP destination unreachable code
    "icmp-net-unreachable": 0,
    "icmp-host-unreachable": 1,
    "icmp-proto-unreachable": 2,
    "icmp-port-unreachable": 3,
    "icmp-net-prohibited": 9,
    "icmp-host-prohibited": 10,
    "icmp-admin-prohibited": 13,
}
_ICMP6_CODES = {
    "icmp6-no-route": 0,
    "icmp6-adm-prohibited": 1,
    "icmp6-addr-unreachable": 3,
    "icmp6-port-unreachable": 4,
}
_SAME_IN_ICMP6 = {
    "icmp-net-unreachable": "icmp6-no-route",
    "icmp-host-unreachable": "icmp6-addr-unreachable",
    "icmp-port-unreachable": "icmp6-port-unreachable",
    "icmp-admin-prohibited": "icmp6-adm-prohibited",
}
LAST_WORDS = ("R", "RA", "ABORT")  # nobody answers these
_DESTINATION_UNREACHABLE = {4: 3, 6: 1}
_TIME_EXCEEDED = {4: 11, 6: 3}


def rejection(packet: Packet, reject_with: str, source: str) -> Packet:
    """What REJECT sends back; `source` "" leaves the source address to routing."""
    if reject_with == "tcp-reset":
        return reset(packet)
    return unreachable(packet, reject_with or "icmp-port-unreachable", source)


def unreachable(packet: Packet, reject_with: str, source: str) -> Packet:
    """An ICMP destination unreachable about `packet`."""
    if packet.family == 6:
        code = _ICMP6_CODES[_SAME_IN_ICMP6.get(reject_with, reject_with)]
    else:
        code = _ICMP_CODES[reject_with]
    return _error(packet, _DESTINATION_UNREACHABLE[packet.family], code, source)


def time_exceeded(packet: Packet) -> Packet:
    return _error(packet, _TIME_EXCEEDED[packet.family], 0, "")


def _error(packet: Packet, icmp_type: int, code: int, source: str) -> Packet:
    return Packet(
        source=source,
        destination=packet.source,
        protocol="icmpv6" if packet.family == 6 else "icmp",
        icmp_type=icmp_type,
        icmp_code=code,
        quoted=packet,
    )


def reset(packet: Packet) -> Packet:
    """A TCP RST to a packet that no socket takes; one that acknowledges something gives the number itself.

    tcp_v4_send_reset, nf_reject_ip_tcphdr_put.
    """
    if "A" in packet.flags:
        return _back(packet, "R", sequence=packet.acknowledgement)
    return _back(packet, "RA", acknowledgement=packet.sequence + 1)


def nobody_listens(packet: Packet) -> Packet:
    """What a machine without a socket on that port answers: RST, ABORT, or ICMP port unreachable."""
    if packet.protocol == "tcp":
        return reset(packet)
    if packet.protocol == "sctp":
        return _back(packet, "ABORT")
    return unreachable(packet, "icmp-port-unreachable", packet.destination)


def reply(packet: Packet, sequence: int) -> Packet:
    """The first answer of whoever accepted: SYN/ACK, INIT ACK, or a datagram."""
    flags = {"tcp": "SA", "sctp": "INIT_ACK"}.get(packet.protocol, "")
    if packet.protocol == "udp":
        return _back(packet, "", payload=b"answer")
    return _back(packet, flags, sequence=sequence, acknowledgement=packet.sequence + 1)


def next_packet(request: Packet, answer: Packet) -> Packet:
    """What the client sends when it is answered: TCP's third packet, or SCTP's cookie."""
    tcp = request.protocol == "tcp"
    return Packet(
        source=request.source,
        destination=request.destination,
        protocol=request.protocol,
        source_port=request.source_port,
        destination_port=request.destination_port,
        flags="A" if tcp else "COOKIE_ECHO",
        sequence=request.sequence + 1 if tcp else 0,
        acknowledgement=answer.sequence + 1 if tcp else answer.sequence,
    )


def cookie_taken(packet: Packet, request: Packet) -> Packet:
    """SCTP's fourth packet: the server takes the cookie back. Its tag is the one of the client's INIT."""
    return _back(packet, "COOKIE_ACK", acknowledgement=request.sequence)


def _back(packet: Packet, flags: str, sequence: int = 0, acknowledgement: int = 0, payload: bytes = b"") -> Packet:
    return Packet(
        source=packet.destination,
        destination=packet.source,
        protocol=packet.protocol,
        source_port=packet.destination_port,
        destination_port=packet.source_port,
        flags=flags,
        sequence=sequence,
        acknowledgement=acknowledgement,
        payload=payload,
    )
