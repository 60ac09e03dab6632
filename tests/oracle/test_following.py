"""Our walk takes the branch that the kernel took, and goes on from there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim import Flow, RolledDice, Simulation
from packetsim.dice import Odds
from packetsim.oracle.comparison import Heard
from packetsim.oracle.following import Followed, balanced, follow
from tests.oracle.agreeing import Walk, heard, shop

CLIENT = Flow("shop/client", "10.244.1.9", "10.96.100.10", 80, "tcp", 40000)
ENDPOINTS = ("10.244.1.2:8080", "10.244.2.2:8080", "10.244.2.3:8080")


class Chosen:
    """Dice that choose this of several ways: at once, or by missing all chances before it."""

    def __init__(self, way: int) -> None:
        self._way = way

    def pick(self, odds: Odds) -> int:
        if len(odds.weights) > 2:
            return self._way
        self._way -= 1
        return 0 if self._way < 0 else 1

    def draw(self, low: int, high: int) -> int:
        return low + 5


def followed(kernel: Heard, mode: str) -> Followed:
    start = Simulation(shop(), mode, RolledDice(lambda below: 0), restored=True)
    return follow(start, CLIENT, kernel, 0)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(("way", "endpoint"), list(enumerate(ENDPOINTS)))
def test_the_kernels_roll_is_taken_over(way: int, endpoint: str, mode: str) -> None:
    kernel = Walk(CLIENT, mode, Chosen(way))
    assert kernel.trace.endpoint == endpoint
    found = followed(kernel.heard, mode)
    assert (found.trace.endpoint, found.difference) == (endpoint, None)
    entries = found.after.network.met["node1"].netfilter.conntrack.entries()
    assert [entry.original[2] for entry in entries] == [CLIENT.source_port]


def test_ipvs_goes_on_where_it_was() -> None:
    kernel = Simulation(shop(), "ipvs", RolledDice(lambda below: 0), restored=True)
    simulation = Simulation(shop(), "ipvs", RolledDice(lambda below: 0), restored=True)
    reached = set()
    for position in range(4):
        flow, known = replace(CLIENT, source_port=40000 + position), balanced(kernel)
        trace = kernel.send(flow)
        new = {place: rows - known.get(place, frozenset()) for place, rows in balanced(kernel).items()}
        told = replace(heard(trace), balanced={place: rows for place, rows in new.items() if rows})
        found = follow(simulation, flow, told, position)
        assert found.difference is None
        simulation = found.after
        reached.add(found.trace.endpoint)
    assert reached == set(ENDPOINTS)


def test_of_all_branches_that_differ_the_one_that_agreed_longest_is_told() -> None:
    """The kernel chose the second endpoint, and told of nothing after its last rule on node1 but one."""
    kernel = Walk(CLIENT, "iptables", Chosen(1))
    story = kernel.heard.stories["node1"]
    cut = replace(story, stops=story.stops[:-1])
    found = followed(replace(kernel.heard, stories={**kernel.heard.stories, "node1": cut}), "iptables")
    assert found.trace.endpoint == ENDPOINTS[1]
    assert found.difference is not None
    assert (found.difference.aspect, found.difference.depth) == ("rules", len(cut.stops))
    silent = followed(replace(kernel.heard, answer="silence"), "iptables")
    assert silent.trace.endpoint == ENDPOINTS[1]
    assert silent.difference is not None and silent.difference.aspect == "answer"
