"""A node's rules for one Service (golden worked-example.txt), and what packets meet in them."""

from __future__ import annotations

import pytest

from packetsim.hooks import Hook
from packetsim.kernel.iptables.traverse import Ruleset
from packetsim.kernel.visit import ACCEPT, Outcome, Translation
from packetsim.packet import Packet
from tests.packetsim.kernel.iptables.lab import GOLDEN, POD, WORKED, Falls, a_visit, rules, walk

SVC, EXT = "KUBE-SVC-67NZLRHBNDSAWJRO", "KUBE-EXT-67NZLRHBNDSAWJRO"
SEP_A, SEP_B = "KUBE-SEP-34ZZ2QFGO32YYXXO", "KUBE-SEP-DYSIX5QMVXZZP7LU"
TO_A, TO_B = Translation("dnat", "10.244.1.5", 8080), Translation("dnat", "10.244.2.7", 8080)
OUTSIDE = Packet("192.168.10.50", "192.168.10.11", "tcp", 50000, 30080)


@pytest.fixture
def worked() -> Ruleset:
    return rules(WORKED)


def test_a_pod_reaches_the_first_endpoint(worked: Ruleset) -> None:
    verdict, steps = walk(worked, "nat", a_visit(dice=Falls(0)))
    assert (verdict.outcome, verdict.translation) == (Outcome.TRANSLATE, TO_A)
    assert verdict.why == f"nat/{SEP_A} rule 2"
    assert steps == [
        "PREROUTING 1 + jump KUBE-SERVICES",
        f"KUBE-SERVICES 1 + jump {SVC}",
        f"{SVC} 1 - source 10.244.1.9 is in 10.244.0.0/16",
        f"{SVC} 2 + jump {SEP_A}",
        f"{SEP_A} 1 - source 10.244.1.9, not 10.244.1.5",
        f"{SEP_A} 2 + DNAT to 10.244.1.5:8080",
    ]


def test_the_other_roll_reaches_the_other_endpoint(worked: Ruleset) -> None:
    dice = Falls(1)
    verdict, steps = walk(worked, "nat", a_visit(dice=dice))
    assert verdict.translation == TO_B
    assert f"{SVC} 2 - rolled a miss (1 in 2)" in steps
    assert [odds.weights for odds in dice.asked] == [(2**30, 2**30)]


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        pytest.param(Packet("10.244.1.9", "10.96.100.10", "tcp", 1, 443), "dport 443, not 80", id="port"),
        pytest.param(Packet("10.244.1.9", "10.96.100.10", "udp", 1, 80), "protocol udp, not tcp", id="protocol"),
        pytest.param(
            Packet("10.244.1.9", "10.96.0.1", "tcp", 1, 80), "destination 10.96.0.1, not 10.96.100.10", id="address"
        ),
    ],
)
def test_what_is_no_service_passes_untranslated(worked: Ruleset, packet: Packet, expected: str) -> None:
    verdict, steps = walk(worked, "nat", a_visit(packet))
    assert verdict is ACCEPT
    assert steps == [
        "PREROUTING 1 + jump KUBE-SERVICES",
        f"KUBE-SERVICES 1 - {expected}",
        f"KUBE-SERVICES 2 - destination {packet.destination} is UNICAST, not LOCAL",
        "KUBE-SERVICES ends, back to PREROUTING",
        "PREROUTING ends, policy ACCEPT",
    ]


def test_a_stranger_to_the_cluster_is_marked(worked: Ruleset) -> None:
    visit = a_visit(Packet("192.168.10.50", "10.96.100.10", "tcp", 50000, 80))
    verdict, steps = walk(worked, "nat", visit)
    assert verdict.translation == TO_A
    assert steps[2:5] == [
        f"{SVC} 1 + jump KUBE-MARK-MASQ",
        "KUBE-MARK-MASQ 1 + mark set 0x4000",
        f"KUBE-MARK-MASQ ends, back to {SVC}",
    ]
    assert visit.packet.mark == 0x4000
    marked = (visit.steps or [])[3]
    assert [tuple(change) for change in marked.changes] == [("mark", 0, 0x4000)]


def test_a_pod_that_calls_itself_is_marked(worked: Ruleset) -> None:
    visit = a_visit(Packet("10.244.1.5", "10.96.100.10", "tcp", 40000, 80), dice=Falls(0))
    _, steps = walk(worked, "nat", visit)
    assert f"{SEP_A} 1 + jump KUBE-MARK-MASQ" in steps
    assert visit.packet.mark == 0x4000


def test_a_node_port_is_marked_and_balanced(worked: Ruleset) -> None:
    visit = a_visit(OUTSIDE, dice=Falls(1))
    verdict, steps = walk(worked, "nat", visit)
    assert (verdict.translation, visit.packet.mark) == (TO_B, 0x4000)
    assert steps[:5] == [
        "PREROUTING 1 + jump KUBE-SERVICES",
        "KUBE-SERVICES 1 - destination 192.168.10.11, not 10.96.100.10",
        "KUBE-SERVICES 2 + jump KUBE-NODEPORTS",
        f"KUBE-NODEPORTS 1 + jump {EXT}",
        f"{EXT} 1 + jump KUBE-MARK-MASQ",
    ]


@pytest.mark.parametrize(
    ("mark", "translation", "mark_after", "expected"),
    [
        (0, None, 0, ["KUBE-POSTROUTING 1 + RETURN", "POSTROUTING ends, policy ACCEPT"]),
        (
            0x4001,
            Translation("masquerade", fully_random=True),
            1,
            [
                "KUBE-POSTROUTING 1 - mark 0x4001 has bit 0x4000",
                "KUBE-POSTROUTING 2 + mark flipped 0x4000",
                "KUBE-POSTROUTING 3 + MASQUERADE",
            ],
        ),
    ],
)
def test_only_marked_packets_are_masqueraded(
    worked: Ruleset, mark: int, translation: Translation | None, mark_after: int, expected: list[str]
) -> None:
    visit = a_visit(POD.with_mark(mark), Hook.POSTROUTING)
    verdict, steps = walk(worked, "nat", visit)
    assert (verdict.translation, visit.packet.mark) == (translation, mark_after)
    assert steps == ["POSTROUTING 1 + jump KUBE-POSTROUTING", *expected]


def test_without_endpoints_the_filter_rejects() -> None:
    closed = rules((GOLDEN / "iptables" / "no-endpoints.txt").read_text())
    verdict, steps = walk(closed, "filter", a_visit(hook=Hook.FORWARD))
    assert (verdict.outcome, verdict.reject_with) == (Outcome.REJECT, "icmp-port-unreachable")
    assert steps[-1].endswith("+ REJECT with icmp-port-unreachable")
    assert verdict.why.startswith("filter/KUBE-SERVICES rule ")


def test_affinity_finds_the_same_endpoint_again() -> None:
    sticky = rules((GOLDEN / "iptables" / "client-ip-affinity.txt").read_text())
    first = a_visit(dice=Falls(1))
    translation = sticky.run("nat", first).translation
    dice = Falls(0)
    again = a_visit(dice=dice, facts=first.facts)
    assert sticky.run("nat", again).translation == translation
    assert dice.asked == []
    late = a_visit(dice=dice, facts=first.facts, now=1000.0 + 10801)
    assert sticky.run("nat", late).translation != translation
    assert len(dice.asked) == 1


def test_hits_count_matched_rules_while_someone_watches(worked: Ruleset) -> None:
    worked.run("nat", a_visit())
    worked.run("nat", a_visit())
    worked.run("nat", a_visit(steps=None))
    assert worked.hits["nat", "KUBE-SERVICES", 1] == 2
    assert ("nat", "KUBE-SERVICES", 2) not in worked.hits


@pytest.mark.parametrize("packet", [POD, OUTSIDE, Packet("10.244.1.9", "10.96.0.1", "udp", 1, 53)])
@pytest.mark.parametrize("way", [0, 1])
def test_an_unwatched_packet_fares_the_same(worked: Ruleset, packet: Packet, way: int) -> None:
    watched, unwatched = a_visit(packet, dice=Falls(way)), a_visit(packet, dice=Falls(way), steps=None)
    assert worked.run("nat", watched) == worked.run("nat", unwatched)
    assert watched.packet == unwatched.packet
    assert unwatched.steps is None
