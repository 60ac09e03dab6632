"""The kernel's word is on the steps that it is about. Here a kernel tells what we do, but for one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from packetsim import Flow, RolledDice, Simulation, Source, Trace, load
from packetsim.cluster import Manifests
from packetsim.oracle.comparison import Heard, answer_of, compare, entry
from packetsim.oracle.following import balanced
from packetsim.oracle.marks import AGREES, DIFFERS, marks
from packetsim.oracle.observation import Connection
from packetsim.oracle.plan import Accepted
from packetsim.oracle.story import Story, ours, positions
from packetsim.trace import Position, Step

SHOP = Path(__file__).parents[2] / "shop.yaml"
CLIENT = ("shop/client", "10.244.1.9")
SERVICE, ENDPOINT = "10.96.100.10", "10.244.2.2"
NOT_TOLD = {"RulesMissed", "Noted", "Routed", "ProxyAccepted", "ProxyDialled", "ProxyCopied"}
Alter = Callable[[Heard], Heard]


@cache
def shop() -> Manifests:
    return load([Source("shop.yaml", SHOP.read_text())])


class Walk:
    """Our walk, and what a kernel would tell that did the same."""

    def __init__(self, mode: str = "iptables", destination: str = SERVICE, port: int = 80) -> None:
        simulation = Simulation(shop().cluster, mode, RolledDice(lambda below: below - 1), restored=True)
        self.trace = simulation.send(Flow(*CLIENT, destination, port, "tcp", 40000))
        self.balanced = {place: rows for place, rows in balanced(simulation).items() if rows}
        self.steps = {position: (place, step) for position, place, step in positions(self.trace)}
        entries = {place: [entry(line) for line in lines] for place, lines in self.trace.entries}
        self.heard = Heard(
            answer_of(self.trace)[0],
            "",
            accepted(self.trace),
            ours(self.trace),
            {place: tuple(Connection(*pair, 0, 0) for pair in pairs) for place, pairs in entries.items()},
            self.balanced,
        )

    def words(self, alter: Alter = lambda heard: heard) -> dict[Position, str]:
        heard = alter(self.heard)
        words = marks(self.trace, heard, self.balanced)
        assert (compare(self.trace, heard, self.balanced) is None) == (DIFFERS not in words.values())
        return words

    def differing(self, alter: Alter) -> list[tuple[str, str]]:
        """Place and kind of the steps that differ."""
        return [self.told(position) for position, word in sorted(self.words(alter).items()) if word == DIFFERS]

    def told(self, position: Position) -> tuple[str, str]:
        place, step = self.steps[position]
        return place, kind(step)


def kind(step: Step) -> str:
    return type(step.detail).__name__


def accepted(trace: Trace) -> tuple[tuple[str, Accepted], ...]:
    if trace.disposition != "delivered":
        return ()
    assert trace.endpoint is not None and trace.source_seen is not None
    address, _, port = trace.endpoint.rpartition(":")
    return (("there", Accepted("c1", trace.source_seen, 1, address, int(port))),)


def with_story(heard: Heard, place: str, **strands: Any) -> Heard:
    return replace(heard, stories={**heard.stories, place: replace(heard.stories.get(place, Story()), **strands)})


def without(rows: Mapping[str, Any], place: str) -> dict[str, Any]:
    return {name: row for name, row in rows.items() if name != place}


# ---- a kernel that agrees -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs", "userspace"])
def test_a_kernel_that_did_the_same_agrees_with_all_that_it_can_tell_of(mode: str) -> None:
    walk = Walk(mode)
    words = walk.words()
    assert set(words.values()) == {AGREES}
    silent = {kind(step) for position, (_, step) in walk.steps.items() if position not in words}
    assert silent <= NOT_TOLD | {"RuleTried", "ChainEnded"}
    for position, (_, step) in walk.steps.items():
        detail: Any = step.detail
        match kind(step):
            case "RuleTried":
                assert (position in words) == detail.matched, detail
            case "ChainEnded":
                assert (position in words) == (detail.policy is not None), detail
            case "Crossed" | "Scheduled" | "Tracked" | "Translated" | "Ended":
                assert position in words, detail


@pytest.mark.parametrize(("destination", "port", "answer"), [(ENDPOINT, 9999, "refused"), (SERVICE, 81, "silence")])
def test_the_ends_of_a_refused_and_of_a_lost_packet_are_told_by_what_the_sender_heard(
    destination: str, port: int, answer: str
) -> None:
    walk = Walk(destination=destination, port=port)
    assert walk.heard.answer == answer
    ends = [position for position, (_, step) in walk.steps.items() if kind(step) == "Ended"]
    assert ends
    assert {walk.words()[position] for position in ends} == {AGREES}


def test_of_a_connection_that_is_forgotten_again_conntrack_tells_nothing() -> None:
    walk = Walk()
    forgotten = replace(walk.trace, entries=())
    words = marks(forgotten, replace(walk.heard, connections={}), {})
    assert not {walk.told(position)[1] for position in words} & {"Tracked", "Translated"}


# ---- a kernel that differs ----------------------------------------------------------------------


def test_the_first_rule_that_differs_is_marked_and_nothing_after_it_at_that_place() -> None:
    walk = Walk()
    story = ours(walk.trace)["node1"]
    depth = 4
    wrong = story.stops[depth]._replace(number=77)
    words = walk.words(lambda heard: with_story(heard, "node1", stops=[*story.stops[:depth], wrong]))
    assert words[story.told[depth]] == DIFFERS
    assert all(words[position] == AGREES for position in story.told[:depth])
    later = [position for position in words if walk.steps[position][0] == "node1" and position > story.told[depth]]
    assert all(kind(walk.steps[position][1]) == "Crossed" for position in later)  # of where it arrives
    assert all(words[position] == AGREES for position in (*later, *ours(walk.trace)["node2"].told))


def test_a_rule_of_the_kernels_that_we_missed_is_told_at_the_next_that_we_have() -> None:
    walk = Walk()
    story = ours(walk.trace)["node1"]
    more = [*story.stops[:3], story.stops[2]._replace(number=99), *story.stops[3:]]
    words = walk.words(lambda heard: with_story(heard, "node1", stops=more))
    assert [position for position, word in words.items() if word == DIFFERS] == [story.told[3]]


def test_a_kernel_that_goes_on_where_we_are_over_differs_at_the_last_step_there() -> None:
    walk = Walk()
    story = ours(walk.trace)["node2"]
    words = walk.words(lambda heard: with_story(heard, "node2", stops=[*story.stops, story.stops[-1]]))
    last = max(position for position, (place, _) in walk.steps.items() if place == "node2")
    assert [position for position, word in words.items() if word == DIFFERS] == [last]


def with_ttl(story: Story, turn: int, ttl: int) -> Story:
    arrivals = list(story.arrivals)
    arrivals[turn] = arrivals[turn]._replace(sight=replace(arrivals[turn].sight, ttl=ttl))
    return replace(story, arrivals=arrivals)


def elsewhere(heard: Heard) -> Heard:
    """A packet of the kernel's at a place to which ours never came."""
    return with_story(heard, "node3", arrivals=heard.stories["node2"].arrivals)


def other_entry(heard: Heard) -> Heard:
    (one,) = heard.connections["node1"]
    other = replace(one, reply=(one.reply[0], "10.244.1.2", *one.reply[2:]))
    return replace(heard, connections={**heard.connections, "node1": (other,)})


def other_server(heard: Heard) -> Heard:
    rows = frozenset(row.replace(" 10.244", " 10.9") for row in heard.balanced["node1"])
    return replace(heard, balanced={"node1": rows})


def other_peer(heard: Heard) -> Heard:
    ((place, one),) = heard.accepted
    return replace(heard, accepted=((place, replace(one, peer="192.168.10.99")),))


@pytest.mark.parametrize(
    ("mode", "alter", "differing"),
    [
        (
            "iptables",
            lambda heard: replace(heard, stories={**heard.stories, "node2": with_ttl(heard.stories["node2"], 0, 9)}),
            [("node1", "Crossed")],
        ),
        ("iptables", lambda heard: replace(heard, stories=without(heard.stories, "node2")), [("node1", "Crossed")]),
        ("iptables", elsewhere, [("TAKER", "Noted")]),
        ("iptables", other_entry, [("node1", "Translated")]),
        (
            "iptables",
            lambda heard: replace(heard, connections=without(heard.connections, "node2")),
            [("node2", "Tracked")],
        ),
        ("ipvs", other_server, [("node1", "Scheduled")]),
        ("ipvs", lambda heard: replace(heard, balanced={}), [("node1", "Scheduled")]),
        ("iptables", other_peer, [("TAKER", "Ended")]),
        ("userspace", other_peer, [("TAKER", "Ended")]),
        ("iptables", lambda heard: replace(heard, accepted=()), [("TAKER", "Ended")]),
        ("iptables", lambda heard: replace(heard, answer="silence", error="ETIMEDOUT"), [("shop/client", "Noted")]),
    ],
)
def test_what_differs_is_marked_on_the_step_that_it_is_about(
    mode: str, alter: Alter, differing: list[tuple[str, str]]
) -> None:
    walk = Walk(mode)
    taker = max(place for place, _ in walk.steps.values() if place.startswith("shop/web"))
    assert walk.differing(alter) == [(taker if place == "TAKER" else place, kind) for place, kind in differing]


def test_a_packet_that_never_came_leaves_nothing_claimed_where_it_went() -> None:
    walk = Walk()
    words = walk.words(lambda heard: replace(heard, stories=without(heard.stories, "node2")))
    there = [walk.told(position)[1] for position in words if walk.steps[position][0] == "node2"]
    assert set(there) == {"Crossed"}  # which are about where they lead
