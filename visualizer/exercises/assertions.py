"""Rule: a test of a build or repair is held against every outcome its flow can have; chance is never sampled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packetsim.check import Actual, actual_of, with_second_connections
from packetsim.cluster.model import Cluster
from packetsim.errors import PacketsimError
from packetsim.flows import flow_from
from packetsim.outcomes import outcomes, twice
from packetsim.simulation import Simulation
from packetsim.trace import Flow
from visualizer.exercises.chance import dice_of
from visualizer.exercises.questions import MOST_WAYS, address_of, pod_at, yes_or_no
from visualizer.exercises.schema import Test, Words


@dataclass(frozen=True, slots=True)
class Difference:
    """`aspect`: outcome, pods, source_seen, masqueraded, sticky, or flow (`found` says why it cannot be sent)."""

    aspect: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One test in one mode."""

    text: Words
    source: str
    target: str
    mode: str
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def verdicts(tests: tuple[Test, ...], cluster: Cluster, mode: str) -> Iterator[Verdict]:
    """`mode`: where a test names none."""
    for test in tests:
        for one in test.modes or (mode,):
            yield Verdict(test.text, test.source, test.target, one, tuple(_differences(test, cluster, one)))


def _differences(test: Test, cluster: Cluster, mode: str) -> Iterator[Difference]:
    try:
        simulation = Simulation(cluster, mode, dice_of(0)(0))
        flow = flow_from(cluster, test.source, test.target, test.protocol, test.via)
        yield from _compared(test, simulation, flow)
    except PacketsimError as error:
        yield Difference("flow", f"{test.source} → {test.target}", str(error))


def _compared(test: Test, simulation: Simulation, flow: Flow) -> Iterator[Difference]:
    expect = test.expect
    actual = actual_of(outcomes(simulation, flow, MOST_WAYS))
    if expect.sticky is not None:
        actual = with_second_connections(actual, twice(simulation, flow, test.again_after, MOST_WAYS))
    for aspect, expected, found in (
        ("outcome", expect.outcome, actual.outcome),
        ("pods", _listed(expect.pods), _listed(_pods(simulation.cluster, actual))),
        ("source_seen", _address(simulation.cluster, expect.source_seen), _listed(_sources(actual))),
        ("masqueraded", _truth(expect.masqueraded), _truth(actual.masqueraded)),
        ("sticky", _truth(expect.sticky), _truth(actual.sticky)),
    ):
        if expected is not None and expected != found:
            yield Difference(aspect, expected, found or "none")


def _pods(cluster: Cluster, actual: Actual) -> tuple[str, ...]:
    return tuple(pod_at(cluster, one) for one in actual.endpoints)


def _sources(actual: Actual) -> tuple[str, ...]:
    return tuple({one.source_seen for one in actual.outcomes if one.source_seen})


def _listed(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else ", ".join(sorted(names))


def _address(cluster: Cluster, place: str | None) -> str | None:
    return None if place is None else address_of(cluster, place)


def _truth(value: bool | None) -> str | None:
    return None if value is None else yes_or_no(value)
