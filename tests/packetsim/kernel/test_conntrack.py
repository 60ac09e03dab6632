"""What conntrack makes of a connection's packets, and how NAT holds it together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.kernel import answers, nat
from packetsim.kernel.conntrack import Conntrack, Tracking
from packetsim.kernel.visit import Translation
from packetsim.packet import Packet

SYN = Packet("10.244.1.9", "10.96.0.1", "tcp", 40000, 80, flags="S", sequence=5)


class Fixed:
    """Dice that draw the lowest number."""

    def pick(self, odds: object) -> int:
        return 0

    def draw(self, low: int, high: int) -> int:
        return low


def dnat_to(table: Conntrack, packet: Packet, address: str, port: int) -> Tracking:
    tracking = table.track(packet, 0.0)
    assert tracking.entry is not None
    nat.settle(table, tracking.entry, "destination", Translation("dnat", address, port), None, Fixed())
    nat.settle(table, tracking.entry, "source", None, None, Fixed())
    table.confirm(tracking)
    return tracking


@pytest.mark.parametrize(
    ("packets", "states"),
    [
        (("S",), ["NEW"]),
        (("S", "S"), ["NEW", "NEW"]),
        (("S", "<SA"), ["NEW", "ESTABLISHED"]),
        (("S", "<SA", "A"), ["NEW", "ESTABLISHED", "ESTABLISHED"]),
        (("SA",), ["INVALID"]),
        (("RA",), ["INVALID"]),
        (("A",), ["NEW"]),  # tcp_loose: picked up in the middle
    ],
)
def test_states_follow_what_was_seen(packets: tuple[str, ...], states: list[str]) -> None:
    table = Conntrack()
    seen = []
    for flags in packets:
        one = replace(SYN, flags=flags.lstrip("<"))
        if flags.startswith("<"):
            one = replace(one, source=SYN.destination, destination=SYN.source, source_port=80, destination_port=40000)
        tracking = table.track(one, 0.0)
        table.confirm(tracking)
        seen.append(tracking.state)
    assert seen == states


def test_an_entry_reads_as_conntrack_lists_it() -> None:
    table = Conntrack()
    dnat_to(table, SYN, "10.244.2.7", 8080)
    assert table.listed(0.0) == (
        "tcp      6 120 SYN_SENT src=10.244.1.9 dst=10.96.0.1 sport=40000 dport=80 [UNREPLIED] "
        "src=10.244.2.7 dst=10.244.1.9 sport=8080 dport=40000 mark=0 use=1",
    )
    answer = answers.reply(replace(SYN, destination="10.244.2.7", destination_port=8080), 9)
    table.track(answer, 0.0)
    table.track(answers.next_packet(SYN, answer), 0.0)
    assert "431990 ESTABLISHED" in table.listed(10.0)[0]
    assert "[ASSURED]" in table.listed(10.0)[0]


def test_entries_expire() -> None:
    table = Conntrack()
    dnat_to(table, SYN, "10.244.2.7", 8080)
    assert table.track(SYN, 119.0).entry is not None
    later = table.track(SYN, 500.0)
    assert later.state == "NEW"
    assert later.entry is not None and not later.entry.dnat


def test_a_reply_is_translated_back() -> None:
    table = Conntrack()
    dnat_to(table, SYN, "10.244.2.7", 8080)
    answer = answers.reply(replace(SYN, destination="10.244.2.7", destination_port=8080), 9)
    tracking = table.track(answer, 0.0)
    assert tracking.reply
    assert nat.apply(answer, tracking, "source").from_text == "10.96.0.1:80"
    assert nat.apply(answer, tracking, "destination") is answer


def test_an_error_about_a_translated_packet_is_translated_inside_and_out() -> None:
    table = Conntrack()
    udp = Packet("10.244.1.9", "10.96.0.1", "udp", 40000, 53)
    dnat_to(table, udp, "10.244.2.7", 5353)
    error = answers.nobody_listens(replace(udp, destination="10.244.2.7", destination_port=5353))
    tracking = table.track(error, 0.0)
    assert tracking.state == "RELATED"
    seen = nat.apply(error, tracking, "source")
    assert seen.source == "10.96.0.1"
    assert seen.quoted is not None and seen.quoted.to_text == "10.96.0.1:53"
    assert Conntrack().track(error, 0.0).state == "INVALID"


def test_two_clients_never_share_a_reply_tuple() -> None:
    table = Conntrack()
    for source in ("10.244.1.9", "10.244.1.10"):
        tracking = table.track(replace(SYN, source=source), 0.0)
        assert tracking.entry is not None
        nat.settle(table, tracking.entry, "source", Translation("masquerade"), "192.168.10.11", Fixed())
        table.confirm(tracking)
    ports = [entry.reply[4] for entry in table.entries()]
    assert ports == [40000, 1024]


@pytest.mark.parametrize(("port", "low"), [(200, 1), (700, 600), (2000, 1024)])
def test_fully_random_ports_stay_among_their_like(port: int, low: int) -> None:
    table = Conntrack()
    tracking = table.track(replace(SYN, source_port=port), 0.0)
    assert tracking.entry is not None
    nat.settle(table, tracking.entry, "source", Translation("masquerade", fully_random=True), "192.168.10.11", Fixed())
    assert tracking.entry.reply[4] == low


def test_nat_is_settled_once_a_side() -> None:
    tracking = dnat_to(Conntrack(), SYN, "10.244.2.7", 8080)
    assert tracking.entry is not None
    assert tracking.entry.settled == {"destination", "source"}


def test_a_copy_goes_its_own_way() -> None:
    table = Conntrack()
    dnat_to(table, SYN, "10.244.2.7", 8080)
    twin = table.copy()
    twin.forget(twin.entries()[0])
    assert len(table.entries()) == 1
    assert twin.entries() == []


SCTP = Packet("10.244.1.9", "10.96.0.1", "sctp", 40000, 80, flags="INIT")
UDP = Packet("10.244.1.9", "10.96.0.1", "udp", 40000, 53)


def live(table: Conntrack, *packets: tuple[Packet, float]) -> list[str]:
    """Send packets at their times; gives their states."""
    states = []
    for packet, now in packets:
        tracking = table.track(packet, now)
        table.confirm(tracking)
        states.append(tracking.state)
    return states


def back(packet: Packet, flags: str = "") -> Packet:
    turned = replace(packet, source=packet.destination, destination=packet.source, flags=flags)
    return replace(turned, source_port=packet.destination_port, destination_port=packet.source_port)


@pytest.mark.parametrize(
    ("packets", "listed"),
    [
        # nf_conntrack_tcp_packet: only a RST ever came back, so there never was a connection
        ([(SYN, 0.0), (back(SYN, "RA"), 0.0)], ""),
        ([(SYN, 0.0), (back(SYN, "SA"), 0.0)], "tcp 6 60 SYN_RECV"),
        ([(SYN, 0.0), (back(SYN, "SA"), 0.0), (back(SYN, "RA"), 0.0)], "tcp 6 10 CLOSE"),
        ([(SYN, 0.0), (back(SYN, "SA"), 0.0), (back(SYN, "RA"), 0.0), (SYN, 0.0)], "tcp 6 120 SYN_SENT"),
        ([(SYN, 0.0), (SYN, 100.0)], "tcp 6 20 SYN_SENT"),  # a repeated SYN does not renew the time
        ([(replace(SYN, flags="A"), 0.0)], "tcp 6 300 ESTABLISHED"),
        ([(replace(SYN, flags="A"), 0.0), (back(SYN, "A"), 0.0)], "tcp 6 300 ESTABLISHED"),
        ([(UDP, 0.0), (back(UDP), 1.0), (UDP, 2.0)], "udp 17 30"),
        ([(UDP, 0.0), (back(UDP), 1.0), (UDP, 2.5)], "udp 17 120 [ASSURED]"),
        ([(UDP, 0.0), (UDP, 2.5)], "udp 17 30"),
        ([(SCTP, 0.0)], "sctp 132 10 CLOSED"),
        ([(SCTP, 0.0), (back(SCTP, "INIT_ACK"), 0.0)], "sctp 132 3 COOKIE_WAIT"),
        ([(SCTP, 0.0), (back(SCTP, "INIT_ACK"), 0.0), (back(SCTP, "ABORT"), 0.0)], "sctp 132 10 CLOSED"),
        ([(SCTP, 0.0), (SCTP, 4.0)], "sctp 132 6 CLOSED"),
    ],
)
def test_what_is_listed_after_these_packets(packets: list[tuple[Packet, float]], listed: str) -> None:
    table = Conntrack()
    live(table, *packets)
    words = " ".join(table.listed(packets[-1][1])).split()
    assert [word for word in words if word == "[ASSURED]" or not set("=[") & set(word)] == listed.split()


def test_packets_that_do_not_belong_to_their_connection_are_invalid() -> None:
    table = Conntrack()
    lone = replace(SYN, flags="A")
    # The SYN/ACK went another way, so the client's ACK comes too early (sSS, ack: sIV).
    assert live(table, (SYN, 0.0), (lone, 0.0)) == ["NEW", "INVALID"]
    assert live(table, (back(SYN, "SA"), 0.0), (lone, 0.0), (back(SYN, "S"), 0.0)) == ["ESTABLISHED"] * 2 + ["INVALID"]


def test_a_refused_connection_is_decided_anew_though_its_reset_is_still_translated() -> None:
    table = Conntrack()
    dnat_to(table, SYN, "10.244.2.7", 8080)
    reset = answers.reset(replace(SYN, destination="10.244.2.7", destination_port=8080))
    tracking = table.track(reset, 0.0)
    assert nat.apply(reset, tracking, "source").from_text == "10.96.0.1:80"
    table.confirm(tracking)
    assert table.entries() == []
    again = table.track(SYN, 0.0)
    assert again.entry is not None and not again.entry.dnat


def test_time_is_over_when_nothing_is_left_of_it() -> None:
    table = Conntrack()
    live(table, (UDP, 0.0))
    assert table.listed(29.0) and not table.listed(30.0)
    error = answers.nobody_listens(UDP)
    assert table.track(error, 29.0).state == "RELATED"
    assert table.track(error, 30.0).state == "INVALID"


def test_an_sctp_handshake_is_followed_to_its_end() -> None:
    init = replace(SYN, protocol="sctp", flags="INIT", sequence=7)
    table = Conntrack()
    tracking = table.track(init, 0.0)
    table.confirm(tracking)
    entry = tracking.entry
    assert entry is not None
    answer = answers.reply(init, 9)
    states = []
    cookie = answers.next_packet(init, answer)
    for packet in (answer, cookie, answers.cookie_taken(cookie, init)):
        table.track(packet, 0.0)
        states.append((entry.state, entry.assured))
    assert states == [("COOKIE_WAIT", False), ("COOKIE_ECHOED", False), ("ESTABLISHED", True)]
    assert (cookie.flags, cookie.acknowledgement) == ("COOKIE_ECHO", 9)  # tagged as the server asked


def test_a_cookie_whose_init_ack_went_another_way_is_invalid() -> None:
    init = replace(SYN, protocol="sctp", flags="INIT")
    table = Conntrack()
    table.confirm(table.track(init, 0.0))
    assert table.track(answers.next_packet(init, answers.reply(init, 9)), 0.0).state == "INVALID"
