"""Rule: scapy is imported here alone, and builds every header that anyone is shown.

A `Packet` is a value: header fields, plus the two things the kernel keeps beside the bytes (the
mark and the interface are of the skb, not of the wire). Rewriting makes a copy. Bytes are built
when asked for and kept, since most packets of a bulk run are never looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6DestUnreach, ICMPv6TimeExceeded, IPv6
from scapy.layers.l2 import Ether
from scapy.layers.sctp import (
    SCTP,
    SCTPChunkAbort,
    SCTPChunkCookieAck,
    SCTPChunkCookieEcho,
    SCTPChunkInit,
    SCTPChunkInitAck,
)
from scapy.packet import Packet as ScapyPacket
from scapy.packet import Raw

from packetsim.addresses import with_port
from packetsim.protocols import TRANSPORTS


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet. Addresses are canonical text, ports whole numbers, `ttl` also the IPv6 hop limit.

    `flags` are scapy's TCP letters ("S", "SA", "A", "R", "RA", "PA"); for SCTP the chunk's name
    ("INIT", "INIT_ACK", "COOKIE_ECHO", "COOKIE_ACK", "ABORT"). `quoted` is the packet an ICMP error is about.
    """

    source: str
    destination: str
    protocol: str
    source_port: int = 0
    destination_port: int = 0
    ttl: int = 64
    mark: int = 0
    source_mac: str = "00:00:00:00:00:00"
    destination_mac: str = "00:00:00:00:00:00"
    flags: str = ""
    sequence: int = 0
    acknowledgement: int = 0
    identification: int = 0
    payload: bytes = b""
    icmp_type: int = 0
    icmp_code: int = 0
    quoted: Packet | None = None

    @property
    def family(self) -> int:
        return 6 if ":" in self.destination else 4

    @property
    def from_text(self) -> str:
        return with_port(self.source, self.source_port) if self.protocol in TRANSPORTS else self.source

    @property
    def to_text(self) -> str:
        return with_port(self.destination, self.destination_port) if self.protocol in TRANSPORTS else self.destination

    def with_source(self, address: str, port: int | None = None) -> Packet:
        return replace(self, source=address, source_port=self.source_port if port is None else port)

    def with_destination(self, address: str, port: int | None = None) -> Packet:
        return replace(self, destination=address, destination_port=self.destination_port if port is None else port)

    def with_mark(self, mark: int) -> Packet:
        return replace(self, mark=mark)

    def framed(self, source_mac: str, destination_mac: str) -> Packet:
        return replace(self, source_mac=source_mac, destination_mac=destination_mac)

    def hopped(self) -> Packet:
        """One router further: TTL less one."""
        return replace(self, ttl=self.ttl - 1)

    def differences(self, other: Packet) -> Iterator[tuple[str, object, object]]:
        """(field, old, new) for every field in which `other` differs."""
        if self is not other:
            for name in FIELDS:
                old, new = getattr(self, name), getattr(other, name)
                if old != new:
                    yield name, old, new

    @property
    def wire(self) -> bytes:
        """The Ethernet frame, checksums included, as scapy builds it."""
        return _wire(self if self.mark == 0 else replace(self, mark=0))


FIELDS = tuple(Packet.__dataclass_fields__)


@lru_cache(maxsize=8192)
def _wire(packet: Packet) -> bytes:
    return bytes(build(packet))


def build(packet: Packet) -> ScapyPacket:
    """The scapy packet, from Ethernet down, with lengths and checksums still to be computed by scapy."""
    return Ether(src=packet.source_mac, dst=packet.destination_mac) / _network_layer(packet)


def _network_layer(packet: Packet) -> ScapyPacket:
    upper = _transport_layer(packet)
    if packet.family == 6:
        return IPv6(src=packet.source, dst=packet.destination, hlim=packet.ttl) / upper
    # Linux sends what may not be fragmented with identification 0 (net/ipv4/ip_output.c); we keep what was given.
    return IP(src=packet.source, dst=packet.destination, ttl=packet.ttl, id=packet.identification, flags="DF") / upper


def _transport_layer(packet: Packet) -> ScapyPacket:
    ports = {"sport": packet.source_port, "dport": packet.destination_port}
    match packet.protocol:
        case "tcp":
            numbers = {"seq": packet.sequence, "ack": packet.acknowledgement}
            layer: ScapyPacket = TCP(**ports, **numbers, flags=packet.flags or "S")
        case "udp":
            layer = UDP(**ports)
        case "sctp":
            layer = SCTP(**ports, tag=packet.acknowledgement) / _SCTP_CHUNKS[packet.flags or "INIT"](packet)
        case "icmp":
            layer = ICMP(type=packet.icmp_type, code=packet.icmp_code)
        case "icmpv6":
            layer = _ICMPV6[packet.icmp_type](code=packet.icmp_code)
        case other:
            raise ValueError(f"protocol {other!r} has no header here")
    if packet.quoted is not None:
        # An ICMPv4 error quotes at least 8 bytes past the IP header (RFC 792); Linux quotes up to 576 bytes in all.
        return layer / Raw(bytes(_network_layer(packet.quoted)))
    return layer / Raw(packet.payload) if packet.payload else layer


_ICMPV6: dict[int, Any] = {1: ICMPv6DestUnreach, 3: ICMPv6TimeExceeded}
_SCTP_CHUNKS: dict[str, Any] = {
    "INIT": lambda packet: SCTPChunkInit(init_tag=packet.sequence),
    "INIT_ACK": lambda packet: SCTPChunkInitAck(init_tag=packet.sequence),
    "COOKIE_ECHO": lambda packet: SCTPChunkCookieEcho(),
    "COOKIE_ACK": lambda packet: SCTPChunkCookieAck(),
    "ABORT": lambda packet: SCTPChunkAbort(),
}


def layers(packet: Packet) -> list[tuple[str, dict[str, object]]]:
    """(layer name, field -> value) from Ethernet down, as scapy dissects the built bytes: checksums are real."""
    dissected = Ether(packet.wire)
    found: list[tuple[str, dict[str, object]]] = []
    layer: Any = dissected
    while layer and layer.name != "NoPayload":
        found.append((layer.name, {field.name: layer.getfieldval(field.name) for field in layer.fields_desc}))
        layer = layer.payload
    return found
