"""Packets are values; scapy builds their bytes, checksums included."""

from __future__ import annotations

from dataclasses import replace

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from packetsim.kernel import answers
from packetsim.packet import Packet, layers

SYN = Packet("10.244.1.9", "10.96.0.1", "tcp", 40000, 80, flags="S", sequence=5)
SYN6 = Packet("fd00::1", "fd00::2", "tcp", 40000, 80, flags="S")


def test_a_rewrite_changes_the_checksum_and_nothing_else() -> None:
    before = Ether(SYN.wire)
    after = Ether(SYN.with_destination("10.244.2.7", 8080).wire)
    assert (after[IP].dst, after[TCP].dport) == ("10.244.2.7", 8080)
    assert after[TCP].chksum != before[TCP].chksum
    assert after[TCP].seq == before[TCP].seq == 5


def test_the_mark_is_not_on_the_wire() -> None:
    assert SYN.with_mark(0x4000).wire == SYN.wire


def test_differences_name_the_fields() -> None:
    assert list(SYN.differences(SYN.with_mark(1).hopped())) == [("ttl", 64, 63), ("mark", 0, 1)]
    assert list(SYN.differences(SYN)) == []


@pytest.mark.parametrize(
    ("packet", "names"),
    [
        (SYN, ["Ethernet", "IP", "TCP"]),
        (Packet("fd00::1", "fd00::2", "udp", 1, 53, payload=b"q"), ["Ethernet", "IPv6", "UDP"]),
        (Packet("10.0.0.1", "10.0.0.2", "sctp", 1, 2, flags="INIT"), ["Ethernet", "IP", "SCTP"]),
        (answers.nobody_listens(Packet("10.0.0.1", "10.0.0.2", "udp", 1, 2)), ["Ethernet", "IP", "ICMP"]),
        (
            answers.unreachable(Packet("fd00::1", "fd00::2", "udp", 1, 2), "icmp-port-unreachable", "fd00::2"),
            ["Ethernet", "IPv6"],
        ),
        (answers.reply(Packet("10.0.0.1", "10.0.0.2", "sctp", 1, 2), 7), ["Ethernet", "IP", "SCTP"]),
        (answers.nobody_listens(Packet("10.0.0.1", "10.0.0.2", "sctp", 1, 2)), ["Ethernet", "IP", "SCTP"]),
        (answers.time_exceeded(SYN).with_source("10.0.0.9"), ["Ethernet", "IP", "ICMP"]),
    ],
)
def test_layers_are_as_dissected(packet: Packet, names: list[str]) -> None:
    found = layers(packet)
    assert [name for name, _ in found][: len(names)] == names
    assert all("chksum" not in fields or fields["chksum"] for _, fields in found)


def test_an_error_quotes_what_it_is_about() -> None:
    error = answers.rejection(SYN, "icmp-port-unreachable", "10.244.1.1")
    assert SYN.quoted is None and error.quoted == SYN
    assert (error.icmp_type, error.icmp_code, error.from_text) == (3, 3, "10.244.1.1")
    assert answers.rejection(SYN, "tcp-reset", "").flags == "RA"


@pytest.mark.parametrize(
    ("error", "type_and_code"),
    [
        (answers.unreachable(SYN6, "icmp-net-unreachable", ""), (1, 0)),
        (answers.unreachable(SYN6, "icmp-admin-prohibited", ""), (1, 1)),
        (answers.unreachable(SYN6, "icmp-host-unreachable", ""), (1, 3)),
        (answers.unreachable(SYN6, "icmp6-port-unreachable", ""), (1, 4)),
        (answers.time_exceeded(SYN6), (3, 0)),
    ],
)
def test_icmpv6_errors_have_their_own_numbers_on_the_wire(error: Packet, type_and_code: tuple[int, int]) -> None:
    wire = replace(error, source="fd00::ff").wire
    assert (wire[54], wire[55]) == type_and_code  # past Ethernet and IPv6 (RFC 4443)


def test_an_unknown_protocol_has_no_bytes() -> None:
    with pytest.raises(ValueError, match="gre"):
        _ = Packet("10.0.0.1", "10.0.0.2", "gre").wire
