"""Of a kernel that did nearly the same, the first thing that differs is told, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from packetsim import Flow, RolledDice
from packetsim.oracle.comparison import Heard, answer_of, compare, entry
from packetsim.oracle.observation import Connection
from packetsim.oracle.story import Story, ours
from packetsim.packet import Packet
from tests.oracle.agreeing import Walk

CLIENT = Flow("shop/client", "10.244.1.9", "10.96.100.10", 80, "tcp", 40000)
OUTSIDE = Flow("192.168.10.50", "192.168.10.50", "192.168.10.12", 30080, "tcp", 40001, "node2")
NOBODY = replace(CLIENT, destination="10.244.2.2", port=9999)
LOST = replace(CLIENT, port=81)
Alter = Callable[[Heard], Heard]


def altered(place: str, strand: str, change: Callable[[list[Any]], list[Any]]) -> Alter:
    def alter(heard: Heard) -> Heard:
        story = heard.stories.get(place, Story())
        changed: Any = replace(story, **{strand: change(list(getattr(story, strand)))})
        return replace(heard, stories={**heard.stories, place: changed})

    return alter


def first_connection(change: Callable[[Connection], Connection]) -> Alter:
    def alter(heard: Heard) -> Heard:
        first, *rest = heard.connections["node1"]
        return replace(heard, connections={**heard.connections, "node1": (change(first), *rest)})

    return alter


def seen_as(address: str) -> Alter:
    def alter(heard: Heard) -> Heard:
        place, one = heard.accepted[0]
        return replace(heard, accepted=((place, replace(one, peer=address)),))

    return alter


@pytest.mark.parametrize("mode", ["userspace", "iptables", "ipvs", "nftables"])
@pytest.mark.parametrize("flow", [CLIENT, OUTSIDE, NOBODY, LOST], ids=["client", "outside", "nobody", "lost"])
def test_a_kernel_that_did_the_same_agrees(flow: Flow, mode: str) -> None:
    walk = Walk(flow, mode)
    assert compare(walk.trace, walk.heard, walk.balanced) is None


@pytest.mark.parametrize(
    ("alter", "told"),
    [
        (
            altered("node1", "stops", lambda stops: [*stops, stops[0]]),
            "rules at node1: the kernel has mangle PREROUTING",
        ),
        (altered("node1", "stops", lambda stops: stops[:-1]), "rules at node1: the kernel has nothing more after"),
        (altered("node1", "stops", lambda stops: [stops[0]._replace(mark=9), *stops[1:]]), "mark 0x9; we have"),
        (
            altered("node3", "stops", lambda stops: Walk(CLIENT).heard.stories["node1"].stops),
            "rules at node3: the kernel has",
        ),
        (
            altered("node2", "arrivals", lambda arrivals: []),
            "packets at node2: the kernel has nothing more; we have tcp S",
        ),
        (
            lambda heard: replace(heard, answer="refused", error="ECONNREFUSED"),
            "answer: the kernel has refused ECONNREFUSED",
        ),
        (
            lambda heard: replace(heard, accepted=()),
            "endpoint: the kernel has nobody that accepted it; we have 10.244.",
        ),
        (
            seen_as("192.0.2.1"),
            "endpoint at there: the kernel has 10.244.2.3:8080 seeing 192.0.2.1; we have 10.244.2.3:8080",
        ),
        (
            lambda heard: replace(heard, connections={}),
            "conntrack at node1: the kernel has nothing beside; we have tcp 10.24",
        ),
        (
            first_connection(lambda one: replace(one, reply=(*one.reply[:4], 1))),
            "replies tcp 10.244.2.3:8080 → 10.244.1.9:1; we have",
        ),
        (
            lambda heard: replace(heard, balanced={"node1": frozenset({"TCP NONE a b c"})}),
            "ipvs at node1: the kernel has TCP",
        ),
    ],
)
def test_what_differs_is_told(alter: Alter, told: str) -> None:
    walk = Walk(CLIENT)
    difference = compare(walk.trace, alter(walk.heard), walk.balanced)
    assert difference is not None and told in str(difference)


def test_an_endpoint_that_accepts_what_we_refuse_is_told() -> None:
    walk = Walk(NOBODY)
    difference = compare(walk.trace, replace(walk.heard, accepted=Walk(CLIENT).heard.accepted), walk.balanced)
    assert difference is not None
    assert (difference.aspect, difference.kernel) == ("endpoint", "10.244.2.3:8080 seeing 10.244.1.9")


def test_rules_are_told_before_all_else_and_those_that_agreed_longest_first() -> None:
    walk = Walk(CLIENT)
    alter = altered("node1", "stops", lambda stops: stops[:5])
    late = altered("node2", "stops", lambda stops: stops[:3])
    heard = replace(late(alter(walk.heard)), answer="silence", connections={})
    difference = compare(walk.trace, heard, walk.balanced)
    assert difference is not None
    assert (difference.aspect, difference.place, difference.depth) == ("rules", "node1", 5)


@pytest.mark.parametrize("mode", ["iptables", "ipvs", "nftables"])
def test_a_port_that_the_kernel_drew_otherwise_is_no_difference(mode: str) -> None:
    """Masquerading draws one, and each machine afterwards sees it."""
    walk, other = (
        Walk(OUTSIDE, mode),
        Walk(OUTSIDE, mode, RolledDice(lambda below: below - 7 if below > 9 else below - 1)),
    )
    assert walk.trace.masqueraded and walk.trace.endpoint == other.trace.endpoint
    assert ours(walk.trace) != ours(other.trace)
    assert compare(walk.trace, other.heard, walk.balanced) is None


def test_a_port_that_nobody_drew_must_be_the_same() -> None:
    walk, other = Walk(CLIENT), Walk(replace(CLIENT, source_port=40007))
    difference = compare(walk.trace, other.heard, walk.balanced)
    assert difference is not None and difference.aspect == "rules"


def test_an_icmp_error_counts_where_it_quotes_what_was_sent() -> None:
    """Port unreachable refuses; anything else is told as what it is; another packet's is none of the sender's."""
    rejected = Walk(replace(CLIENT, destination="10.244.2.2", port=9999, protocol="udp")).trace
    assert answer_of(rejected) == ("refused", 1)
    assert answer_of(with_error(rejected, icmp_code=1)) == ("unreachable", 1)
    other = replace(rejected.legs[1].hops[-1].steps[-1].after.quoted or Packet("", "", "udp"), destination_port=7)
    assert answer_of(with_error(rejected, quoted=other)) == ("silence", 1)


def with_error(trace: Any, **changes: Any) -> Any:
    """The trace with its last packet, as the sender saw it, changed."""
    leg = trace.legs[1]
    hop = leg.hops[-1]
    step = replace(hop.steps[-1], after=replace(hop.steps[-1].after, **changes))
    hops = (*leg.hops[:-1], replace(hop, steps=(*hop.steps[:-1], step)))
    return replace(trace, legs=(trace.legs[0], replace(leg, hops=hops), *trace.legs[2:]))


def test_entries_are_read_as_conntrack_lists_them() -> None:
    line = "icmp 1 29 src=10.0.0.1 dst=10.0.0.2 type=8 code=0 id=3 src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=3"
    assert entry(line) == (("icmp", "10.0.0.1", 0, "10.0.0.2", 0), ("icmp", "10.0.0.2", 0, "10.0.0.1", 0))
