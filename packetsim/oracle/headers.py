"""Rule: what a trace event shows of a packet's bytes, read as far as the kernel shows them and no further.

It shows at most 40 bytes of network header, 20 of transport header and 20 of link header
(NFT_TRACETYPE_*_HSIZE, net/netfilter/nf_tables_trace.c). Of the packet that an ICMP error quotes
that leaves 12 bytes: no IPv4 address and no port, so `quoted` is never known from here. IPv6
extension headers are not shown at all: the protocol behind one is known only for multicast listener reports.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from packetsim.oracle.attributes import unreadable
from packetsim.oracle.observation import MULTICAST_LISTENING, Header
from packetsim.protocols import PROTOCOL_NUMBERS

_NAMES = {number: name for name, number in PROTOCOL_NUMBERS.items()} | {2: "igmp"}
_TCP_LETTERS = "FSRPAUEC"
_CHUNKS = (
    *("DATA", "INIT", "INIT_ACK", "SACK", "HEARTBEAT", "HEARTBEAT_ACK", "ABORT", "SHUTDOWN", "SHUTDOWN_ACK"),
    *("ERROR", "COOKIE_ECHO", "COOKIE_ACK", "ECNE", "CWR", "SHUTDOWN_COMPLETE"),
)  # RFC 9260, section 3.2
_HOP_BY_HOP = 0


class Shown(NamedTuple):
    """`unchanging`: what of these bytes neither address translation nor routing changes."""

    header: Header
    unchanging: bytes


class _Network(NamedTuple):
    source: str
    destination: str
    protocol: int
    ttl: int
    size: int
    whole: bool  # its transport header follows: it is no later fragment
    unchanging: bytes


def read(network: bytes, transport: bytes, link: bytes) -> Shown:
    """`link` is empty for what the machine sends itself."""
    ip = _read_network(network)
    protocol = _protocol(ip, transport)
    source_port = destination_port = icmp_type = icmp_code = 0
    flags, unchanging = "", b""
    if ip.whole and protocol in _SHORTEST:
        if len(transport) < _SHORTEST[protocol]:
            raise unreadable(f"{len(transport)} bytes are too few for a {protocol} header")
        if protocol in ("icmp", "icmpv6"):
            icmp_type, icmp_code = transport[0], transport[1]
        else:
            source_port, destination_port = int.from_bytes(transport[:2], "big"), int.from_bytes(transport[2:4], "big")
        flags, unchanging = _flags(protocol, transport), _unchanging(protocol, transport)
    header = Header(
        protocol=protocol,
        source=ip.source,
        source_port=source_port,
        destination=ip.destination,
        destination_port=destination_port,
        ttl=ip.ttl,
        flags=flags,
        size=ip.size,
        icmp_type=icmp_type,
        icmp_code=icmp_code,
        source_mac=link[6:12].hex(":") if len(link) >= 14 else "",
        destination_mac=link[:6].hex(":") if len(link) >= 14 else "",
    )
    return Shown(header, ip.unchanging + unchanging)


def _read_network(network: bytes) -> _Network:
    version = network[0] >> 4 if network else 0
    if version == 4 and len(network) >= 20:
        return _Network(
            address(network[12:16]),
            address(network[16:20]),
            network[9],
            network[8],
            int.from_bytes(network[2:4], "big"),
            int.from_bytes(network[6:8], "big") & 0x1FFF == 0,
            b"4" + network[2:8] + network[9:10],  # length, identification, fragment
        )
    if version == 6 and len(network) == 40:
        return _Network(
            address(network[8:24]),
            address(network[24:40]),
            network[6],
            network[7],
            int.from_bytes(network[4:6], "big") + 40,
            True,
            b"6" + network[1:7],  # flow label, length, next header
        )
    raise unreadable(f"{len(network)} bytes of version {version} are no IP header")


@lru_cache(maxsize=65536)
def address(data: bytes) -> str:
    """The canonical text of 4 or 16 bytes."""
    return str(ip_address(data))


def _protocol(ip: _Network, transport: bytes) -> str:
    """The protocol's name, or its number as text where it has none here."""
    # A listener report comes behind a hop-by-hop header (RFC 3810, section 5).
    if ip.protocol == _HOP_BY_HOP and ":" in ip.source and transport[:1] and transport[0] in MULTICAST_LISTENING:
        return "icmpv6"
    return _NAMES.get(ip.protocol, str(ip.protocol))


# What is read below needs so many bytes; every packet of the protocol has them.
_SHORTEST = {"tcp": 20, "udp": 8, "sctp": 16, "icmp": 8, "icmpv6": 8}


def _flags(protocol: str, transport: bytes) -> str:
    if protocol == "tcp":
        return "".join(letter for bit, letter in enumerate(_TCP_LETTERS) if transport[13] >> bit & 1)
    if protocol == "sctp":
        chunk = transport[12]
        return _CHUNKS[chunk] if chunk < len(_CHUNKS) else f"CHUNK {chunk}"
    return ""


def _unchanging(protocol: str, transport: bytes) -> bytes:
    """All but ports, checksums and what stands for a port; of a quoted packet, what comes before its addresses."""
    match protocol:
        case "tcp":
            return transport[4:16]
        case "udp":
            return transport[4:6]
        case "sctp":
            return transport[4:8] + transport[12:]
    return transport[:2] + transport[6:16]
