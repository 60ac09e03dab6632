"""Rule: what a packet meets on its way through the worked example, one row for each thing a learner asks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from packetsim.dice import Odds
from packetsim.hooks import Hook
from packetsim.kernel.visit import Outcome, Translation, Verdict
from packetsim.packet import Packet
from tests.packetsim.kernel.nftables.worked import (
    AFFINITY_HERE,
    AFFINITY_THERE,
    EMPTY,
    HERE,
    LOCAL,
    PLACE,
    THERE,
    WEB,
    LoadedDice,
    hook_verdict,
    loaded,
    packet,
    tried,
    visit,
)

POD, NODE, OUTSIDE = "10.244.1.9", "192.168.10.11", "198.51.100.7"
VIP = "203.0.113.50"
PRE, IN, FORWARD, OUT, POST = Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING


def dnat(address: str, chain: str) -> Verdict:
    return Verdict(Outcome.TRANSLATE, Translation("dnat", address, 8080), why=f"{PLACE}/{chain} rule 3")


def rejected(chain: str) -> Verdict:
    return Verdict(Outcome.REJECT, reject_with="icmp-port-unreachable", why=f"{PLACE}/{chain} rule 1")


def dropped(chain: str, rule: int = 1) -> Verdict:
    return Verdict(Outcome.DROP, why=f"{PLACE}/{chain} rule {rule}")


PASSED = Verdict(Outcome.ACCEPT)
HERE_DNAT, THERE_DNAT = dnat("10.244.1.5", HERE), dnat("10.244.2.7", THERE)


@dataclass(frozen=True)
class Row:
    name: str
    hook: Hook
    packet: Packet
    verdict: Verdict
    marked: bool = False
    ways: tuple[int, ...] = ()
    state: str = "NEW"


ROWS = (
    Row("ClusterIP, first endpoint", PRE, packet(POD, "10.96.100.10"), HERE_DNAT),
    Row("ClusterIP, second endpoint", PRE, packet(POD, "10.96.100.10"), THERE_DNAT, ways=(1,)),
    Row("ClusterIP from the node", OUT, packet(NODE, "10.96.100.10"), HERE_DNAT, marked=True),
    Row("hairpin: an endpoint reaches itself", PRE, packet("10.244.1.5", "10.96.100.10"), HERE_DNAT, marked=True),
    Row("an endpoint reaches the other", PRE, packet("10.244.1.5", "10.96.100.10"), THERE_DNAT, ways=(1,)),
    Row("node port", PRE, packet(OUTSIDE, NODE, 30080), HERE_DNAT, marked=True),
    Row("node port on 127.0.0.1", OUT, packet("127.0.0.1", "127.0.0.1", 30080), PASSED),
    Row("node port over udp", PRE, packet(OUTSIDE, NODE, 30080, "udp"), PASSED),
    Row("VIP from inside its ranges", PRE, packet(OUTSIDE, VIP), HERE_DNAT, marked=True),
    Row("VIP from outside its ranges", PRE, packet("198.51.101.7", VIP), dropped(f"firewall-{WEB}")),
    Row("VIP, no endpoints: the ranges speak first", PRE, packet(POD, "203.0.113.70"), dropped(f"firewall-{EMPTY}")),
    Row("VIP, wrong port", PRE, packet(OUTSIDE, VIP, 81), PASSED),
    Row("ClusterIP, wrong port, dnat", PRE, packet(POD, "10.96.100.10", 81), PASSED),
    Row("ClusterIP, wrong port, forwarded", FORWARD, packet(POD, "10.96.100.10", 81), rejected("cluster-ips-check")),
    Row("ClusterIP, wrong port, from the node", OUT, packet(NODE, "10.96.100.10", 81), rejected("cluster-ips-check")),
    Row("ClusterIP, ping", FORWARD, Packet(POD, "10.96.100.10", "icmp", icmp_type=8), rejected("cluster-ips-check")),
    Row("node port number on a ClusterIP", FORWARD, packet(POD, "10.96.100.10", 30080), rejected("cluster-ips-check")),
    Row("nobody's ClusterIP", FORWARD, packet(POD, "10.96.7.7"), dropped("cluster-ips-check", 2)),
    Row("an answer to nobody's ClusterIP", FORWARD, packet(POD, "10.96.7.7"), PASSED, state="ESTABLISHED"),
    Row("no endpoints, ClusterIP", FORWARD, packet(POD, "10.96.100.30"), rejected("reject-chain")),
    Row("no endpoints, ClusterIP, from the node", OUT, packet(NODE, "10.96.100.30"), rejected("reject-chain")),
    Row("no endpoints, node port", IN, packet(OUTSIDE, NODE, 30070), rejected("reject-chain")),
    Row("none local, VIP from outside", PRE, packet(OUTSIDE, "203.0.113.60"), PASSED),
    Row(
        "none local, VIP from outside, later",
        FORWARD,
        packet(OUTSIDE, "203.0.113.60"),
        dropped("service-endpoints-check"),
    ),
    Row("none local, node port, later", IN, packet(OUTSIDE, NODE, 30090), dropped("nodeport-endpoints-check")),
    Row("none local, VIP from a Pod: short cut", PRE, packet(POD, "203.0.113.60"), THERE_DNAT),
    Row("none local, VIP from the node: short cut", OUT, packet(NODE, "203.0.113.60"), THERE_DNAT, marked=True),
    Row("postrouting, not marked", POST, packet(POD, "10.244.1.5", 8080), PASSED),
)


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_verdict_and_mark(row: Row, recorded: bool) -> None:
    one = visit(row.packet, row.hook, state=row.state, ways=row.ways, recorded=recorded)
    assert hook_verdict(loaded(), one) == row.verdict
    assert one.packet.mark == (0x4000 if row.marked else 0)
    assert bool(one.steps) is recorded


def test_a_marked_packet_is_masqueraded_and_loses_the_mark() -> None:
    one = visit(packet(OUTSIDE, "10.244.1.5", 8080, mark=0x4001), POST)
    assert hook_verdict(loaded(), one) == Verdict(
        Outcome.TRANSLATE, Translation("masquerade", fully_random=True), why=f"{PLACE}/masquerading rule 3"
    )
    assert one.packet.mark == 1
    assert tried(one) == [
        "nat-postrouting 1 -> jump masquerading",
        "masquerading 1: mark 0x4001 & 0x4000 is 0x4000, not 0x0",
        "masquerading 2 -> meta mark set meta mark ^ 0x00004000",
        "masquerading 3 -> masquerade fully-random",
    ]


def test_each_rule_tried_is_a_step() -> None:
    one = visit(packet(OUTSIDE, NODE, 30080), ways=(1,))
    hook_verdict(loaded(), one)
    assert tried(one) == [
        "filter-prerouting-pre-dnat 1 -> jump firewall-check",
        f"firewall-check 1: {NODE} . tcp . 30080 is not in @firewall-ips",
        "firewall-check ended -> filter-prerouting-pre-dnat",
        "filter-prerouting-pre-dnat ended -> accept",
        "nat-prerouting 1 -> jump services",
        f"services 1: {NODE} . tcp . 30080 is not in @service-ips",
        f"services 2 -> goto external-{WEB}",
        f"external-{WEB} 1 -> jump mark-for-masquerade",
        "mark-for-masquerade 1 -> meta mark set meta mark | 0x00004000",
        f"mark-for-masquerade ended -> external-{WEB}",
        f"external-{WEB} 2 -> goto service-{WEB}",
        f"service-{WEB} 1: destination {NODE}, not 10.96.100.10",
        f"service-{WEB} 2: source {OUTSIDE} is not in @{AFFINITY_HERE}",
        f"service-{WEB} 3: source {OUTSIDE} is not in @{AFFINITY_THERE}",
        f"service-{WEB} 4 -> goto {THERE}",
        f"{THERE} 1: source {OUTSIDE}, not 10.244.2.7",
        f"{THERE} 2 -> update @{AFFINITY_THERE} {{ ip saddr }}",
        f"{THERE} 3 -> dnat to 10.244.2.7:8080",
    ]


def test_a_mark_is_shown_as_the_step_that_set_it() -> None:
    one = visit(packet(OUTSIDE, NODE, 30080))
    hook_verdict(loaded(), one)
    changed = [(step.before.mark, step.after.mark) for step in one.steps or () if step.changes]
    assert changed == [(0, 0x4000)]


def test_a_goto_goes_back_to_the_chain_that_jumped() -> None:
    one = visit(packet(OUTSIDE, "203.0.113.60"))
    hook_verdict(loaded(), one)
    assert tried(one)[-4:] == [
        f"external-{LOCAL} 2: source {OUTSIDE} is not local",
        f"external-{LOCAL} 3: source {OUTSIDE} is not local",
        f"external-{LOCAL} ended -> nat-prerouting",
        "nat-prerouting ended -> accept",
    ]


def test_affinity_holds_for_three_hours_from_the_last_connection() -> None:
    nftables = loaded()

    def endpoint(at: float, way: int = 0, source: str = POD) -> str | None:
        one = visit(packet(source, "10.96.100.10"), ways=(way,), now=at)
        translation = hook_verdict(nftables, one).translation
        return translation.address if translation else None

    assert endpoint(0.0, way=1) == "10.244.2.7"
    assert endpoint(10000.0) == "10.244.2.7"
    assert endpoint(10000.0, source="10.244.1.8") == "10.244.1.5"
    assert nftables.learned(PLACE, AFFINITY_THERE, 10001.0) == {POD: 20800.0}
    assert endpoint(20799.9) == "10.244.2.7", "the second connection started the time anew"
    assert endpoint(20799.9 + 10800.0) == "10.244.1.5"


def test_one_endpoint_costs_no_roll_and_two_have_even_odds() -> None:
    alone = visit(packet(POD, "10.96.100.20"))
    hook_verdict(loaded(), alone)
    assert isinstance(alone.dice, LoadedDice)
    assert alone.dice.asked == []
    of_two = visit(packet(POD, "10.96.100.10"))
    hook_verdict(loaded(), of_two)
    assert isinstance(of_two.dice, LoadedDice)
    assert [odds.weights for odds in of_two.dice.asked] == [(2**31, 2**31)]
    assert isinstance(of_two.dice.asked[0], Odds)


def test_recording_changes_nothing_but_the_steps() -> None:
    for row in ROWS:
        watched = visit(row.packet, row.hook, state=row.state, ways=row.ways)
        unwatched = replace(watched, steps=None, dice=LoadedDice(row.ways))
        assert hook_verdict(loaded(), watched) == hook_verdict(loaded(), unwatched)
        assert watched.packet == unwatched.packet
