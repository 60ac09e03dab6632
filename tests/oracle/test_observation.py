"""Trace events become packets: whose event is whose, and what a packet's way is said to be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.errors import OracleError
from packetsim.oracle.headers import read
from packetsim.oracle.netlink import decode, rule_numbers
from packetsim.oracle.observation import Passage, RuleNumbers, TraceEvent, passages
from packetsim.packet import Packet
from tests.oracle.netlink_bytes import captured, layers

CLIENT, SERVICE, ENDPOINT, NODE = "10.244.1.5", "10.96.0.1", "10.244.2.9", "192.168.10.1"
SYN = Packet(CLIENT, SERVICE, "tcp", 40000, 80, flags="S", sequence=7)
SENT_ON = SYN.with_destination(ENDPOINT, 8080)
SYN6 = Packet("fd00::1", "fd00:96::1", "tcp", 40000, 80, flags="S", sequence=7)
RULES = RuleNumbers({("ip", "nat", "OUTPUT"): {8: 1}, ("ip", "filter", "INPUT"): {3: 1, 5: 2}})
ETH0, BRIDGE, LO = 2, 4, 1


def entry(identity: int, place: str, packet: Packet, came_by: int = 0) -> TraceEvent:
    """A packet enters a base chain, whose policy accepts it. `place`: "TABLE CHAIN"."""
    table, chain = place.split()
    shown = read(*layers(packet))
    family = "inet" if table == "judge" else "ip"
    event = TraceEvent(identity, family, table, chain, True, None, "accept", packet.mark, came_by)
    return replace(event, by_loopback=came_by == LO, header=shown.header, unchanging=shown.unchanging)


def ways(*events: TraceEvent) -> list[list[str]]:
    """Each packet's visits."""
    return [[f"{visit.table} {visit.chain}" for visit in one.visits] for one in passages("n1", events, RULES)]


def test_a_captured_connection_to_ones_own_service_over_loopback() -> None:
    capture = captured("loopback")
    syn, _, _ = passages("n1", decode(capture["events"]), rule_numbers(capture["rules"]))
    assert [(visit.table, visit.chain, visit.number, visit.verdict, visit.mark) for visit in syn.visits] == [
        ("nat", "OUTPUT", 1, "jump SVC", 0),
        ("nat", "SVC", 2, "jump KMARK", 0),
        ("nat", "KMARK", 1, "continue", 0x4000),  # after the rule that sets it
        ("nat", "SVC", 3, "jump SEP", 0x4000),
        ("nat", "SEP", 1, "accept", 0x4000),
        ("filter", "OUTPUT", 1, "jump FW", 0x4000),
        ("filter", "OUTPUT", 0, "accept", 0x4000),
        ("nat", "POSTROUTING", 1, "accept", 0x4000),
        ("filter", "INPUT", 0, "accept", 0x4000),  # come back by lo, under another identity
    ]
    assert [header.destination for header in syn.seen] == ["10.96.0.1"] * 2 + ["10.0.0.1"] * 4
    assert syn.local and syn.first.flags == "S"
    assert [visit.hook_header.destination_port for visit in syn.visits] == [80] * 5 + [8080] * 4


def test_a_captured_reject_speaks_after_the_answer_it_sent() -> None:
    capture = captured("loopback")
    _, rejected, answer = passages("n1", decode(capture["events"]), rule_numbers(capture["rules"]))
    assert [(visit.chain, visit.number, visit.verdict) for visit in rejected.visits] == [
        ("OUTPUT", 1, "jump SVC"),
        ("OUTPUT", 0, "accept"),
        ("OUTPUT", 1, "jump FW"),
        ("FW", 1, "drop"),
    ]
    assert (answer.first.protocol, answer.first.icmp_type, answer.first.icmp_code) == ("icmp", 3, 3)
    assert [visit.chain for visit in answer.visits] == ["OUTPUT", "OUTPUT", "INPUT"]


def test_a_captured_packet_that_a_bridge_handed_up_translated() -> None:
    """The bridge calls PREROUTING for its port, then hands the packet up: INPUT knows it by another identity."""
    capture = captured("bridge")
    events = decode(capture["events"])
    assert len({event.identity for event in events}) == 2
    (syn,) = passages("n1", events, rule_numbers(capture["rules"]))
    assert [(visit.table, visit.chain) for visit in syn.visits] == [
        ("nat", "PREROUTING"),
        ("filter", "INPUT"),
        ("nat", "INPUT"),
    ]
    assert not syn.local and syn.first.source_mac and syn.first.destination == "10.96.0.2"


def test_the_judges_own_chains_are_seen_but_not_visited() -> None:
    (one,) = passages("n1", [entry(1, "judge prerouting", SYN, ETH0), entry(1, "judge input", SYN, ETH0)], RULES)
    assert one == Passage("n1", (), (read(*layers(SYN)).header,) * 2, local=False)


def test_the_end_of_a_chain_without_verdict_is_no_visit_but_its_header_counts() -> None:
    end = replace(entry(1, "filter INPUT", SYN, ETH0), policy=False, verdict="continue")
    policy = TraceEvent(1, "ip", "filter", "INPUT", True, None, "accept")
    (one,) = passages("n1", [end, policy], RULES)
    assert [(visit.number, visit.hook_header.destination) for visit in one.visits] == [(0, SERVICE)]


def test_a_rule_goes_by_its_number() -> None:
    rule = replace(entry(1, "filter INPUT", SYN, ETH0), policy=False, handle=5)
    assert passages("n1", [rule], RULES)[0].visits[0].number == 2


def test_a_later_packet_may_have_the_identity_of_an_earlier_one() -> None:
    later = replace(SYN, flags="A", sequence=8)
    events = [entry(1, place, packet) for packet in (SYN, later) for place in ("judge output", "filter OUTPUT")]
    assert ways(*events) == [["filter OUTPUT"], ["filter OUTPUT"]]


@pytest.mark.parametrize("packet", [SYN, SYN6])
@pytest.mark.parametrize("identities", [(1, 1), (1, 2)])
def test_a_packet_sent_again_unchanged_is_another_packet(packet: Packet, identities: tuple[int, int]) -> None:
    events = [entry(one, place, packet) for one in identities for place in ("judge output", "filter OUTPUT")]
    assert ways(*events) == [["filter OUTPUT"], ["filter OUTPUT"]]


def test_what_goes_on_is_the_last_that_looks_alike() -> None:
    first, second = entry(1, "judge output", SYN), entry(2, "judge output", SYN)
    assert ways(first, second, entry(3, "filter OUTPUT", SYN)) == [[], ["filter OUTPUT"]]
    assert ways(first, second, entry(1, "filter OUTPUT", SYN)) == [["filter OUTPUT"], []]


def test_events_of_two_packets_may_mingle() -> None:
    other = replace(SYN, source_port=40001, sequence=99)
    events = (
        *(entry(1, "judge output", SYN), entry(2, "judge output", other)),
        *(entry(1, "nat OUTPUT", SYN), entry(2, "raw OUTPUT", other), entry(1, "filter OUTPUT", SYN)),
    )
    assert ways(*events) == [["nat OUTPUT", "filter OUTPUT"], ["raw OUTPUT"]]


def test_loopback_is_one_way_even_if_both_addresses_were_translated_on_it() -> None:
    translated = SENT_ON.with_source(NODE, 1024)
    events = (
        *(entry(1, "judge output", SYN), entry(1, "nat OUTPUT", SYN), entry(1, "nat POSTROUTING", SENT_ON)),
        *(entry(2, "judge prerouting", translated, LO), entry(2, "filter INPUT", translated, LO)),
    )
    assert ways(*events) == [["nat OUTPUT", "nat POSTROUTING", "filter INPUT"]]


def test_a_packet_comes_by_loopback_once() -> None:
    half = [entry(1, "judge output", SYN), entry(2, "judge prerouting", SYN, LO)]
    again = [entry(3, "judge output", SYN), entry(4, "judge prerouting", SYN, LO), entry(4, "filter INPUT", SYN, LO)]
    assert ways(*half, *again) == [[], ["filter INPUT"]]


def test_two_that_look_alike_may_be_on_loopback_at_once() -> None:
    out = [entry(1, "judge output", SYN), entry(2, "judge output", SYN)]
    came = [entry(3, "filter INPUT", SYN, LO), entry(4, "filter INPUT", SYN, LO)]
    assert ways(*out, *came) == [["filter INPUT"], ["filter INPUT"]]


def test_what_comes_back_translated_by_the_same_link_comes_anew() -> None:
    events = [entry(1, "judge prerouting", packet, ETH0) for packet in (SYN, SENT_ON)]
    assert ways(*events) == [[], []]


def test_what_a_pod_sent_and_gets_back_from_the_link_comes_anew() -> None:
    """The Pod reaches itself by its Service: the node masquerades and sends the packet back."""
    back = SYN.with_source(NODE).with_destination(CLIENT, 8080)
    events = [
        entry(1, "judge output", SYN),
        entry(2, "judge prerouting", back, ETH0),
        entry(2, "judge input", back, ETH0),
    ]
    sent, came = passages("p1", events, RULES)
    assert (sent.local, came.local, len(came.seen)) == (True, False, 2)


def test_what_ipvs_translated_passes_output_again_and_stays_the_same_packet() -> None:
    events = [entry(1, place, packet) for packet in (SYN, SENT_ON) for place in ("judge output", "mangle OUTPUT")]
    assert ways(*events, entry(1, "nat POSTROUTING", SENT_ON)) == [["mangle OUTPUT"] * 2 + ["nat POSTROUTING"]]


def test_what_ipvs_took_at_input_goes_out_by_output() -> None:
    events = (
        *(entry(1, "judge prerouting", SYN, ETH0), entry(1, "nat INPUT", SYN, ETH0)),
        *(entry(1, "judge output", SENT_ON), entry(1, "nat POSTROUTING", SENT_ON)),
    )
    assert ways(*events) == [["nat INPUT", "nat POSTROUTING"]]


def test_neighbour_discovery_is_left_out_with_all_its_visits() -> None:
    solicitation = replace(SYN6, protocol="icmpv6", icmp_type=1)
    event = entry(1, "filter INPUT", solicitation, ETH0)
    assert event.header is not None
    event = replace(event, header=replace(event.header, icmp_type=135))
    policy = TraceEvent(1, "ip", "filter", "INPUT", True, None, "accept")
    assert ways(event, policy, entry(2, "judge output", SYN)) == [[]]


def test_lost_events_are_told() -> None:
    with pytest.raises(OracleError, match="in n1 begins in its middle: events were lost"):
        ways(TraceEvent(9, "ip", "filter", "INPUT", True, None, "accept"))


def test_a_rule_that_was_not_loaded_is_told() -> None:
    with pytest.raises(OracleError, match="rule handle 77 of ip filter INPUT"):
        ways(replace(entry(1, "filter INPUT", SYN, ETH0), policy=False, handle=77))
