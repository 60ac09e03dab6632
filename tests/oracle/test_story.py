"""A walk and a kernel's account are told in the same words, place by place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim import Flow
from packetsim.oracle.observation import Header, Passage, Visit
from packetsim.oracle.story import Arrival, Sight, Stop, kernels, ours, positions
from tests.oracle.agreeing import Walk

SYN = Header("tcp", "10.244.1.9", 40000, "10.96.100.10", 80, 64, "S", 60, source_mac="02:00:00:00:00:09")
ASKED = replace(SYN, protocol="udp", flags="", size=36)
REJECTION = Header("icmp", "10.244.1.1", 0, "10.244.1.9", 0, 64, "", 88, icmp_type=3, icmp_code=3)


def passage(header: Header, *visits: Visit, local: bool = False) -> Passage:
    return Passage("c1n0", visits, (header,), local)


def visit(header: Header, table: str = "nat", family: str = "ip", number: int = 1) -> Visit:
    return Visit(family, table, "PREROUTING", number, "accept", header, 0x4000)


# ---- the kernel's -------------------------------------------------------------------------------


def test_a_packet_that_came_in_is_told_with_its_frame_and_the_rules_it_met() -> None:
    story = kernels([passage(SYN, visit(SYN), visit(SYN, number=0))])
    sight = Sight("tcp", "S", "10.244.1.9", 40000, "10.96.100.10", 80, 64)
    assert story.arrivals == [Arrival(sight, ("02:00:00:00:00:09", ""))]
    assert story.stops == [Stop("nat", "PREROUTING", 1, sight, 0x4000), Stop("nat", "PREROUTING", 0, sight, 0x4000)]
    assert [str(stop) for stop in story.stops] == ["nat PREROUTING rule 1", "nat PREROUTING policy"]
    told = "tcp S 10.244.1.9:40000 → 10.96.100.10:80 ttl 64"
    assert str(story.arrivals[0]) == f"{told} (02:00:00:00:00:09 → )"
    assert str(kernels([passage(SYN, local=True)]).arrivals[0]) == f"{told} (sent here)"


def test_tables_of_nft_are_named_with_their_family() -> None:
    story = kernels([passage(SYN, visit(SYN, "kube-proxy"), visit(SYN, "kube-proxy", "ip6"))])
    assert [stop.table for stop in story.stops] == ["ip kube-proxy", "ip6 kube-proxy"]


def test_an_icmp_error_is_known_by_type_and_code() -> None:
    assert str(kernels([passage(REJECTION)]).arrivals[0].sight) == "icmp 3/3 10.244.1.1:0 → 10.244.1.9:0 ttl 64"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ((SYN, SYN), 1),  # a patient sender asks again
        ((SYN, replace(SYN, flags="A")), 2),
        ((SYN, replace(SYN, source_mac="02:00:00:00:00:01")), 2),
        ((ASKED, ASKED), 2),
        ((replace(SYN, protocol="sctp", flags="INIT"), replace(SYN, protocol="sctp", flags="HEARTBEAT")), 1),
        ((replace(SYN, protocol="sctp", flags="ABORT"),), 1),
    ],
)
def test_what_is_sent_again_or_goes_beyond_our_walk_is_not_told(headers: tuple[Header, ...], told: int) -> None:
    assert len(kernels([passage(header, visit(header)) for header in headers]).stops) == told


# ---- ours ---------------------------------------------------------------------------------------


def test_a_walk_is_told_as_a_kernel_would_and_each_stop_knows_its_step() -> None:
    walk = Walk(Flow("shop/client", "10.244.1.9", "10.96.100.10", 80, "tcp", 40000))
    stories = ours(walk.trace)
    assert {"shop/client", "node1", "node2"} <= stories.keys()
    assert str(stories["shop/client"].arrivals[0]).endswith("(sent here)")
    # Request, answer and the packet after: a bridge and its port are one arrival.
    assert [arrival.sight.kind for arrival in stories["node1"].arrivals] == ["S", "SA", "A"]
    steps = {position: (place, step) for position, place, step in positions(walk.trace)}
    for place, story in stories.items():
        assert len(story.told) == len(story.stops)
        for stop, position in zip(story.stops, story.told, strict=True):
            assert steps[position][0] == place
            assert getattr(steps[position][1].detail, "chain", None) == stop.chain


def test_an_icmp_error_of_ours_has_no_ports() -> None:
    walk = Walk(Flow("shop/client", "10.244.1.9", "10.244.2.2", 9999, "udp", 40000))
    assert str(ours(walk.trace)["shop/client"].arrivals[-1].sight) == "icmp 3/3 10.244.2.2:0 → 10.244.1.9:0 ttl 62"


def test_ports_are_put_as_another_drew_them() -> None:
    sight = Sight("tcp", "S", "10.0.0.1", 5, "10.0.0.2", 6, 64)
    assert sight.renamed({5: 7}) == replace(sight, source_port=7)
    assert sight.renamed({6: 7}) == replace(sight, destination_port=7)
