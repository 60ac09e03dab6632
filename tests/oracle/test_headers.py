"""Headers in trace events."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from packetsim.errors import OracleError
from packetsim.oracle.headers import read
from packetsim.oracle.observation import is_noise
from packetsim.packet import Packet
from tests.oracle.netlink_bytes import layers

CLIENT, SERVER = "10.244.1.5", "10.96.0.1"
CLIENT6, SERVER6 = "fd00:244::5", "fd00:96::1"
TCP = Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="S", sequence=7, source_mac="02:00:00:00:00:01")


@pytest.mark.parametrize(
    ("packet", "size"),
    [
        (TCP, 40),
        (Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="SA", ttl=63), 40),
        (Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="RA"), 40),
        (Packet(CLIENT6, SERVER6, "tcp", 40000, 80, flags="FPA"), 60),
        (Packet(CLIENT, SERVER, "udp", 40000, 53, payload=b"question"), 36),
        (Packet(CLIENT6, SERVER6, "udp", 40000, 53), 48),
        (Packet(CLIENT, SERVER, "sctp", 40000, 9, flags="INIT"), 52),
        (Packet(CLIENT6, SERVER6, "sctp", 40000, 9, flags="INIT_ACK"), 72),
        (Packet(CLIENT, SERVER, "sctp", 40000, 9, flags="ABORT"), 36),
        (Packet(SERVER, CLIENT, "icmp", icmp_type=3, icmp_code=3, quoted=TCP), 68),
        (Packet(SERVER6, CLIENT6, "icmpv6", icmp_type=1, icmp_code=4, quoted=Packet(CLIENT6, SERVER6, "udp")), 96),
    ],
)
def test_a_header_says_what_the_packet_says(packet: Packet, size: int) -> None:
    header = read(*layers(packet)).header
    for field in ("protocol", "source", "source_port", "destination", "destination_port", "ttl", "flags"):
        assert getattr(header, field) == getattr(packet, field), field
    assert (header.icmp_type, header.icmp_code) == (packet.icmp_type, packet.icmp_code)
    assert (header.source_mac, header.destination_mac) == (packet.source_mac, packet.destination_mac)
    assert header.size == size
    assert header.quoted is None and not is_noise(header)


def test_what_the_machine_sends_itself_has_no_frame_yet() -> None:
    header = read(*layers(TCP)[:2], b"").header
    assert header.source_mac == header.destination_mac == ""


def test_options_before_the_transport_header_do_not_matter() -> None:
    network, transport, link = layers(TCP)
    assert read(b"\x46" + network[1:] + b"\x94\4\0\0", transport, link).header.destination_port == 80


def test_a_later_fragment_has_no_ports() -> None:
    network, transport, link = layers(TCP)
    header = read(network[:6] + b"\0\x10" + network[8:], transport, link).header
    assert (header.protocol, header.source_port, header.flags) == ("tcp", 0, "")


def test_an_unknown_chunk_and_an_unknown_protocol_go_by_number() -> None:
    network, transport, link = layers(Packet(CLIENT, SERVER, "sctp", flags="INIT"))
    assert read(network, transport[:12] + b"\xc1" + transport[13:], link).header.flags == "CHUNK 193"
    assert read(network[:9] + b"\x2f" + network[10:], transport, link).header.protocol == "47"


@pytest.mark.parametrize(
    ("next_header", "icmp_type", "noise"),
    [(58, 135, True), (58, 136, True), (58, 133, True), (0, 143, True), (0, 131, True), (58, 1, False), (0, 6, False)],
)
def test_neighbours_and_listeners_are_noise(next_header: int, icmp_type: int, noise: bool) -> None:
    network, transport, link = layers(Packet(CLIENT6, SERVER6, "icmpv6", icmp_type=1))
    header = read(network[:6] + bytes((next_header,)) + network[7:], bytes((icmp_type,)) + transport[1:], link).header
    assert is_noise(header) is noise


def test_igmp_is_noise() -> None:
    network, transport, link = layers(TCP)
    assert is_noise(read(network[:9] + b"\2" + network[10:], transport, link).header)


@pytest.mark.parametrize(
    ("network", "transport"),
    [
        (layers(TCP)[0][:19], layers(TCP)[1]),
        (b"", b""),
        (b"\x65" + layers(TCP)[0][1:], layers(TCP)[1]),
        (layers(TCP)[0], layers(TCP)[1][:19]),
        (layers(TCP)[0], b""),
    ],
)
def test_too_few_bytes_are_refused(network: bytes, transport: bytes) -> None:
    with pytest.raises(OracleError, match=r"cannot be read: .*\. Compare again"):
        read(network, transport, b"")


NATTED: list[Callable[[Packet], Packet]] = [
    lambda packet: packet.with_source("192.168.10.1", 1024),
    lambda packet: packet.with_destination("10.244.2.9", 8080),
    lambda packet: packet.hopped().framed("02:00:00:00:00:09", "02:00:00:00:00:0a"),
]


@pytest.mark.parametrize("packet", [TCP, Packet(CLIENT, SERVER, "udp", 1, 2), Packet(CLIENT, SERVER, "sctp", 1, 2)])
@pytest.mark.parametrize("change", NATTED)
def test_translation_and_routing_leave_a_packet_alike(packet: Packet, change: Callable[[Packet], Packet]) -> None:
    assert read(*layers(packet)).unchanging == read(*layers(change(packet))).unchanging


def test_an_errors_quoted_packet_may_be_translated() -> None:
    answers = [
        Packet(SERVER, CLIENT, "icmp", icmp_type=3, icmp_code=3, quoted=quoted)
        for quoted in (TCP, TCP.with_destination("10.244.2.9", 8080))
    ]
    assert len({read(*layers(answer)).unchanging for answer in answers}) == 1


def test_another_association_is_not_alike() -> None:
    first, second = (Packet(CLIENT, SERVER, "sctp", 1, 9, flags="ABORT", acknowledgement=tag) for tag in (7, 8))
    assert read(*layers(first)).unchanging != read(*layers(second)).unchanging


@pytest.mark.parametrize(
    "other",
    [
        Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="A", sequence=7),
        Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="S", sequence=8),
        Packet(CLIENT, SERVER, "tcp", 40000, 80, flags="S", sequence=7, identification=1),
        Packet(CLIENT, SERVER, "udp", 40000, 80),
    ],
)
def test_another_packet_is_not_alike(other: Packet) -> None:
    assert read(*layers(TCP)).unchanging != read(*layers(other)).unchanging
