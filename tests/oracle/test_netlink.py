"""Raw messages: trace events, rules, connections; real ones, made ones and broken ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetsim.errors import OracleError
from packetsim.oracle.netlink import connections, decode, rule_numbers
from packetsim.oracle.observation import Connection
from packetsim.packet import Packet
from tests.oracle.netlink_bytes import (
    DONE,
    ERROR,
    INET,
    IPV4,
    IPV6,
    NEW_CONNECTION,
    OVERRUN,
    attribute,
    captured,
    event,
    message,
    raw,
    rule,
)


def number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "big")


SYN = Packet("10.0.0.1", "10.96.0.1", "tcp", 40000, 80, flags="S")


def test_an_event_says_where_the_packet_was_and_what_became_of_it() -> None:
    (found,) = decode([event({10: number(5), 11: number(772, 2), 12: number(6), 14: number(0x4000)}, SYN)])
    assert (found.family, found.table, found.chain, found.handle, found.policy) == ("ip", "nat", "OUTPUT", 7, False)
    assert (found.identity, found.verdict, found.mark) == (0x01020304, "accept", 0x4000)
    assert (found.in_interface, found.out_interface, found.by_loopback) == (5, 6, True)
    assert found.header is not None and found.header.destination == "10.96.0.1"


def test_a_later_event_in_the_chain_shows_no_packet_and_no_mark_is_mark_0() -> None:
    (found,) = decode([event({})])
    assert (found.header, found.mark, found.in_interface, found.by_loopback) == (None, 0, 0, False)


@pytest.mark.parametrize(
    ("code", "chain", "verdict"),
    [
        (0, "", "drop"),
        (1 << 16, "", "drop"),  # with EPERM in the upper bits
        (1, "", "accept"),
        (2, "", "stolen"),
        (-1, "", "continue"),
        (-3, "KUBE-SVC", "jump KUBE-SVC"),
        (-4, "KUBE-SVC", "goto KUBE-SVC"),
        (-5, "", "return"),
    ],
)
def test_verdicts(code: int, chain: str, verdict: str) -> None:
    nested = attribute(1, number(code % 2**32)) + (attribute(2, chain.encode() + b"\0") if chain else b"")
    assert decode([event({5: nested})])[0].verdict == verdict


def test_a_policy_has_no_rule() -> None:
    policy = {1: b"t\0", 2: b"c\0", 4: number(1), 6: number(9), 16: number(0)}
    (found,) = decode([message(0xA11, INET, policy)])
    assert (found.family, found.policy, found.handle, found.verdict) == ("inet", True, None, "drop")


def test_one_datagram_may_hold_many_messages_and_unknown_attributes_are_passed_over() -> None:
    found = decode([event({}) + event({2: b"INPUT\0", 21: number(8), 99: b"new"}), event({2: b"SVC\0"}, family=IPV6)])
    assert [(one.family, one.chain) for one in found] == [("ip", "OUTPUT"), ("ip", "INPUT"), ("ip6", "SVC")]


def test_a_message_begins_at_a_multiple_of_four_bytes() -> None:
    assert len(decode([raw(1, b"odd") + b"\0" + event({})])) == 1


def test_rules_are_numbered_in_the_order_of_the_dump_in_each_chain() -> None:
    dump = [
        rule(IPV4, "nat", "SVC", 14) + rule(IPV4, "nat", "SVC", 9),
        rule(IPV6, "nat", "SVC", 9),
        raw(DONE, bytes(4)),
    ]
    assert rule_numbers(dump).numbers == {("ip", "nat", "SVC"): {14: 1, 9: 2}, ("ip6", "nat", "SVC"): {9: 1}}


def test_rules_of_a_real_kernel() -> None:
    numbers = rule_numbers(captured("loopback")["rules"]).numbers
    assert {chain: len(found) for chain, found in numbers.items()} == {
        ("ip", "nat", "OUTPUT"): 1,
        ("ip", "nat", "POSTROUTING"): 1,
        ("ip", "nat", "SVC"): 3,
        ("ip", "nat", "KMARK"): 1,
        ("ip", "nat", "SEP"): 1,
        ("ip", "filter", "OUTPUT"): 1,
        ("ip", "filter", "FW"): 3,
        ("inet", "judge", "prerouting"): 1,
        ("inet", "judge", "output"): 1,
    }


def test_connections_of_a_real_kernel() -> None:
    by_destination = {one.original[3]: one for one in connections(captured("loopback")["connections"])}
    assert set(by_destination) == {"10.96.0.1", "10.96.0.4"}
    translated = by_destination["10.96.0.1"]
    port = translated.original[2]
    assert translated.original == ("tcp", "10.0.0.1", port, "10.96.0.1", 80)
    assert translated.reply == ("tcp", "10.0.0.1", 8080, "10.0.0.1", port)
    assert translated.status & 0x20  # IPS_DST_NAT


def connection(first: int, source: bytes, destination: bytes, protocol: Mapping[int, bytes]) -> bytes:
    """`first`: the attribute of the source address, 1 for IPv4 and 3 for IPv6."""
    addresses = attribute(first, source) + attribute(first + 1, destination)
    numbers = b"".join(attribute(*one) for one in protocol.items())
    one = attribute(0x8001, addresses) + attribute(0x8002, numbers)
    return message(NEW_CONNECTION, IPV4, {0x8001: one, 0x8002: one, 3: number(8), 8: number(0x4000)})


NOWHERE, NOWHERE6 = bytes(4), bytes(16)


@pytest.mark.parametrize(
    ("dumped", "expected"),
    [
        (
            connection(1, b"\x0a\0\0\1", NOWHERE, {1: b"\x84", 2: b"\0\1", 3: b"\0\2"}),
            ("sctp", "10.0.0.1", 1, "0.0.0.0", 2),
        ),
        (
            connection(3, bytes(15) + b"\1", NOWHERE6, {1: b"\x11", 2: b"\1\0", 3: b"\0\x35"}),
            ("udp", "::1", 256, "::", 53),
        ),
        (
            connection(1, NOWHERE, NOWHERE, {1: b"\1", 4: b"\0\7", 5: b"\x08", 6: b"\1"}),
            ("icmp", "0.0.0.0", 7, "0.0.0.0", 0x801),
        ),
        (
            connection(3, NOWHERE6, NOWHERE6, {1: b"\x3a", 7: b"\0\7", 8: b"\x80", 9: b"\0"}),
            ("icmpv6", "::", 7, "::", 0x8000),
        ),
        (
            connection(1, NOWHERE, NOWHERE, {1: b"\x2f"}),
            ("47", "0.0.0.0", 0, "0.0.0.0", 0),
        ),
    ],
)
def test_connections_of_every_protocol(dumped: bytes, expected: tuple[str, str, int, str, int]) -> None:
    assert connections([dumped, raw(DONE, bytes(4))]) == (Connection(expected, expected, 8, 0x4000),)


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datagram", "words"),
    [
        (raw(ERROR, number(-1 % 2**32)[::-1]), "errno 1"),
        (raw(DONE, number(-4 % 2**32)[::-1]), "errno 4"),
        (raw(OVERRUN, b""), "lost"),
        (message(0xA11, IPV4, {}, flags=0x12), "changed while they were dumped"),
        (raw(0xA11, b"\2\0"), "nfgenmsg"),
        (rule(IPV4, "nat", "SVC", 1), "0xa06 stands where trace events"),
        (event({}, family=99), "family 99"),
        (event({4: b"\0"}), "attribute 4 has 1 bytes"),
        (event({5: b""}), "attribute 1 is missing"),
        (event({5: attribute(1, number(77))}), "verdict 0x4d"),
        (event({1: b"\xff\xfe\0"}), "attribute 1 is no text"),
        (message(0xA11, IPV4, {1: b"nat\0", 4: number(3), 6: number(1)}), "attribute 2 is missing"),
        (message(0xA11, IPV4, {1: b"nat\0", 2: b"c\0", 4: number(3), 6: number(1)}), "attribute 5 is missing"),
    ],
)
def test_what_cannot_be_understood_is_refused(datagram: bytes, words: str) -> None:
    with pytest.raises(OracleError, match=words):
        decode([datagram])


def test_an_acknowledgement_and_an_end_say_nothing() -> None:
    assert decode([raw(ERROR, bytes(4)), raw(1, b""), raw(DONE, bytes(4))]) == ()


def test_a_connection_without_address_is_refused() -> None:
    with pytest.raises(OracleError, match="lacks an address"):
        connections([connection(1, bytes(3), NOWHERE, {1: b"\6"})])


@pytest.mark.parametrize("kind", ["events", "rules", "connections"])
def test_a_message_cut_anywhere_is_refused(kind: str) -> None:
    reader = {"events": decode, "rules": rule_numbers, "connections": connections}[kind]
    whole = captured("loopback")[kind][0]
    length = int.from_bytes(whole[:4], "little")
    for end in range(1, length):
        with pytest.raises(OracleError):
            reader([whole[:end]])


@given(st.data())
def test_broken_bytes_are_refused_and_nothing_worse(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from(captured("loopback")["events"])))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode([bytes(whole)])
    except OracleError as error:
        assert str(error).endswith(".")
