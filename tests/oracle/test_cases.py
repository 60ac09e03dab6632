"""The saved cases hold: their FlowTests pass, no endpoint has more than its share, and they can be written anew."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from packetsim import MODES, Flow, FlowError, RolledDice, Simulation, Source, load, outcomes
from packetsim.check import Check
from packetsim.cluster import Manifests
from packetsim.oracle.cases import EVEN_MODES, Expected, flows_of, lopsided, misses, read_case, write_case
from packetsim.oracle.random_clusters import random_manifests
from packetsim.outcomes import FlowOutcome

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
by_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@cache
def case(path: Path) -> Manifests:
    return read_case(path)


@by_file
def test_a_case_passes(path: Path) -> None:
    failed = [
        f"{one.mode}: {one.expected.name}: {one.differences}" for one in Check(case(path), dice()) if not one.passed
    ]
    assert not failed


@by_file
@pytest.mark.parametrize("mode", EVEN_MODES)
def test_every_endpoint_has_an_even_share(path: Path, mode: str) -> None:
    simulation = Simulation(case(path).cluster, mode, dice())
    for one in flows_of(case(path)).get(mode, ()):
        assert not lopsided(outcomes(simulation, one.flow)), one.expected.name


def test_every_mode_has_many_flows() -> None:
    count = Counter(mode for path in FILES for mode, flows in flows_of(case(path)).items() for _ in flows)
    assert count["userspace"] >= 50
    assert min(count[mode] for mode in MODES if mode != "userspace") >= 150


def dice() -> RolledDice:
    return RolledDice(random.Random(0).randrange)


def test_flows_have_source_ports_of_their_own_and_sticky_ones_are_sent_twice() -> None:
    flows = flows_of(case(next(path for path in FILES if path.stem == "affinity")))["nftables"]
    assert len({one.flow.source_port for one in flows}) == len(flows)
    second = [one for one in flows if one.follows is not None]
    assert len(second) >= 6
    for one in second:
        assert one.follows is not None
        first = flows[one.follows]
        assert (first.expected, replace(first.flow, source_port=0)) == (one.expected, replace(one.flow, source_port=0))
    assert all(not one.expected.again_after for one in second)


ROWS = (
    (Flow("shop/pod2", "10.244.1.11", "10.96.100.1", 80, "tcp"), Expected("delivered", ("10.244.1.12:8080",), False)),
    (Flow("node1", "192.168.10.11", "127.0.0.1", 30101, "udp"), Expected("refused")),
    (Flow("198.51.100.7", "198.51.100.7", "10.96.100.1", 53, "sctp", 0, "node2"), Expected(masqueraded=True)),
)


def test_a_case_is_written_and_read_back() -> None:
    text = write_case(random_manifests(7, 1), "found-by-chance", "ipvs", ROWS, "What differed, and since when. " * 6)
    assert text.startswith("# What differed")
    (test,) = load([Source("case", text)]).flow_tests
    assert (test.name, test.modes) == ("found-by-chance", ("ipvs",))
    assert [(one.source, one.target, one.protocol, one.via) for one in test.flows] == [
        ("shop/pod2", "10.96.100.1:80", "tcp", None),
        ("node1", "127.0.0.1:30101", "udp", None),
        ("198.51.100.7", "10.96.100.1:53", "sctp", "node2"),
    ]
    assert [(one.outcome, one.endpoints, one.masqueraded) for one in test.flows] == [
        ("delivered", ("10.244.1.12:8080",), False),
        ("refused", None, None),
        (None, None, True),
    ]
    again = write_case(text, "another", "ipvs", ROWS[:1])
    assert len(load([Source("case", again)]).flow_tests) == 1


def test_ends_that_are_not_found_are_told_all_at_once() -> None:
    row = Flow("shop/nobody", "10.244.1.99", "10.96.100.1", 80, "tcp"), Expected("delivered")
    text = write_case(random_manifests(7, 1), "lost", "ipvs", [row, row])
    with pytest.raises(FlowError) as refused:
        flows_of(load([Source("case", text)]))
    assert str(refused.value).count("no Pod 'shop/nobody'") == 2


@pytest.mark.parametrize(
    ("outcome", "endpoint", "masqueraded", "told"),
    [
        ("delivered", "10.244.1.12:8080", False, []),
        ("delivered", "10.244.1.12:8080", None, []),
        ("dropped", None, None, ["outcome: expected delivered, found dropped"]),
        ("delivered", "10.244.1.13:8080", False, ["endpoint: expected 10.244.1.12:8080, found 10.244.1.13:8080"]),
        ("delivered", "10.244.1.12:8080", True, ["masqueraded: expected false, found true"]),
    ],
)
def test_what_a_kernel_did_is_held_against_what_is_expected(
    outcome: str, endpoint: str | None, masqueraded: bool | None, told: list[str]
) -> None:
    text = write_case(random_manifests(7, 1), "one", "ipvs", ROWS[:1])
    (test,) = load([Source("case", text)]).flow_tests
    assert list(misses(test.flows[0], outcome, endpoint, masqueraded)) == told


def test_a_wrong_share_is_seen() -> None:
    simulation = Simulation(case(FILES[0]).cluster, "iptables", dice())
    flow = next(one.flow for one in flows_of(case(FILES[0]))["iptables"] if len(one.expected.endpoints or ()) > 1)
    found = outcomes(simulation, flow)
    assert not lopsided(found)
    tilted: list[FlowOutcome] = [replace(found[0], probability=found[0].probability / 2), *found[1:]]
    assert set(lopsided(tilted)) == {one.endpoint for one in found}
