"""Rule: a flow passes when every outcome it can have is one its author expected; chance is never sampled.

Modes are those of the FlowTest, else the cluster's. Flows do not see one another: each is judged
as the first thing sent after kube-proxy started.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from packetsim.cluster import FlowExpectation, FlowTest, Manifests
from packetsim.dice import Dice
from packetsim.errors import FlowError
from packetsim.flows import flow_from
from packetsim.kubeproxy.modes import DEFAULT_MODE
from packetsim.outcomes import FlowOutcome, outcomes, twice
from packetsim.simulation import Simulation
from packetsim.trace import Disposition, Flow, Trace

MIXED = "mixed"  # some of the possible outcomes differ in their disposition
WALKS = 64  # walks tried to show the outcome that was not expected


@dataclass(frozen=True, slots=True)
class Actual:
    """What can become of a flow. `masqueraded` None: nothing is delivered, or not always alike.

    `sticky` None: nobody asked, or nothing is delivered. `strayed`, where it is false: an example, the
    endpoint of a first connection and what became of the second.
    """

    outcome: str
    endpoints: tuple[str, ...]
    masqueraded: bool | None
    outcomes: tuple[FlowOutcome, ...]
    sticky: bool | None = None
    strayed: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class FlowResult:
    """One flow in one mode. `differences`: what was expected and what is, empty when it passed."""

    expected: FlowExpectation
    mode: str
    flow: Flow
    actual: Actual
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


class Check:
    """Every FlowTest of the manifests, to be run once. Raises FlowError for every flow whose ends are not found."""

    def __init__(self, manifests: Manifests, dice: Dice) -> None:
        self._cluster = manifests.cluster
        self._dice = dice
        self._simulations: dict[str, Simulation] = {}
        usual = (manifests.cluster.proxy.mode or DEFAULT_MODE,)
        problems: list[str] = []
        tests = [(test.modes or usual, list(self._flows(test, problems))) for test in manifests.flow_tests]
        if problems:
            raise FlowError("\n".join(problems))
        self._rows = [(mode, expected, flow) for modes, flows in tests for mode in modes for expected, flow in flows]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[FlowResult]:
        for mode, expected, flow in self._rows:
            simulation = self._simulation(mode)
            actual = actual_of(outcomes(simulation, flow))
            if expected.sticky is not None:
                actual = with_second_connections(actual, twice(simulation, flow, expected.again_after))
            yield FlowResult(expected, mode, flow, actual, tuple(differences(expected, actual)))

    def walk(self, result: FlowResult) -> Trace:
        """A walk that shows the failure: the first that ends as it should not, if one is found."""
        simulation = self._simulation(result.mode)
        for _ in range(WALKS):
            twin = simulation.copy(self._dice)
            assert isinstance(twin, Simulation)
            trace = twin.send(result.flow)
            if _contradicts(trace, result.expected):
                break
            if result.expected.sticky and trace.disposition is Disposition.DELIVERED:
                twin.wait(result.expected.again_after)
                second = twin.send(result.flow)
                if _strays(trace, second):
                    return second
        return trace

    def _flows(self, test: FlowTest, problems: list[str]) -> Iterator[tuple[FlowExpectation, Flow]]:
        for one in test.flows:
            try:
                yield one, flow_from(self._cluster, one.source, one.target, one.protocol, one.via)
            except FlowError as error:
                problems.append(f"{one.place}: flow {one.name!r}: {error}")

    def _simulation(self, mode: str) -> Simulation:
        if mode not in self._simulations:
            self._simulations[mode] = Simulation(self._cluster, mode, self._dice)
        return self._simulations[mode]


def actual_of(found: tuple[FlowOutcome, ...]) -> Actual:
    dispositions = {one.disposition for one in found}
    delivered = [one for one in found if one.disposition is Disposition.DELIVERED]
    masqueraded = {one.masqueraded for one in delivered}
    return Actual(
        outcome=dispositions.pop().value if len(dispositions) == 1 else MIXED,
        endpoints=tuple(sorted({one.endpoint for one in delivered if one.endpoint})),
        masqueraded=masqueraded.pop() if len(masqueraded) == 1 else None,
        outcomes=found,
    )


def with_second_connections(actual: Actual, pairs: Iterable[tuple[Trace, Trace]]) -> Actual:
    """Sticky when, whatever the dice, the second connection is delivered where the first was."""
    for first, second in pairs:
        actual = replace(actual, sticky=True)
        if _strays(first, second):
            delivered = second.disposition is Disposition.DELIVERED
            reached = second.endpoint if delivered else second.disposition.value
            return replace(actual, sticky=False, strayed=(first.endpoint or "", reached or ""))
    return actual


def _strays(first: Trace, second: Trace) -> bool:
    return second.disposition is not Disposition.DELIVERED or second.endpoint != first.endpoint


def differences(expected: FlowExpectation, actual: Actual) -> Iterator[str]:
    """In words, every expectation that does not hold."""
    if expected.outcome is not None and expected.outcome != actual.outcome:
        parts = sorted({one.disposition.value for one in actual.outcomes})
        found = f"{' or '.join(parts)}, by chance" if actual.outcome == MIXED else actual.outcome
        yield f"outcome: expected {expected.outcome}, found {found}"
    if expected.endpoints is not None:
        wanted, found_endpoints = set(expected.endpoints), set(actual.endpoints)
        if missing := sorted(wanted - found_endpoints):
            yield f"endpoints: {', '.join(missing)} can not be reached"
        if extra := sorted(found_endpoints - wanted):
            yield f"endpoints: {', '.join(extra)} can be reached and was not expected"
    if expected.masqueraded is not None and expected.masqueraded != actual.masqueraded:
        yield f"masqueraded: expected {_yes(expected.masqueraded)}, found {_found(actual)}"
    if expected.sticky is not None and expected.sticky != actual.sticky:
        yield f"sticky: expected {_yes(expected.sticky)}, found {_found_twice(expected, actual)}"


def _yes(value: bool) -> str:
    return "true" if value else "false"


def _found(actual: Actual) -> str:
    if actual.masqueraded is not None:
        return _yes(actual.masqueraded)
    return "true for some endpoints and false for others" if actual.endpoints else "nothing delivered"


def _found_twice(expected: FlowExpectation, actual: Actual) -> str:
    if actual.sticky is None:
        return "nothing delivered, so there is no endpoint to come back to"
    if actual.sticky:
        return "true: a second connection always reaches the endpoint of the first"
    first, second = actual.strayed
    return f"{first} for a first connection and then, {expected.again_after} s later, {second}"


def _contradicts(trace: Trace, expected: FlowExpectation) -> bool:
    delivered = trace.disposition is Disposition.DELIVERED
    return (
        (expected.outcome is not None and trace.disposition.value != expected.outcome)
        or (delivered and expected.endpoints is not None and trace.endpoint not in expected.endpoints)
        or (delivered and expected.masqueraded is not None and trace.masqueraded != expected.masqueraded)
    )


# ---- JSON ---------------------------------------------------------------------------------------


def report_json(results: list[FlowResult]) -> dict[str, Any]:
    """The shape that docs/flowtest.md describes."""
    passed = sum(result.passed for result in results)
    return {"flows": [result_json(one) for one in results], "passed": passed, "failed": len(results) - passed}


def result_json(result: FlowResult) -> dict[str, Any]:
    return {
        "name": result.expected.name,
        "mode": result.mode,
        "passed": result.passed,
        "expected": _expected_json(result.expected),
        "actual": {
            "outcome": result.actual.outcome,
            "endpoints": list(result.actual.endpoints),
            "masqueraded": result.actual.masqueraded,
            **({} if result.expected.sticky is None else {"sticky": result.actual.sticky}),
            "outcomes": [outcome_json(one) for one in result.actual.outcomes],
        },
    }


def _expected_json(expected: FlowExpectation) -> dict[str, Any]:
    """What the author wrote, and no more."""
    written = {
        "outcome": expected.outcome,
        "endpoints": None if expected.endpoints is None else list(expected.endpoints),
        "masqueraded": expected.masqueraded,
        "sticky": expected.sticky,
    }
    return {name: value for name, value in written.items() if value is not None}


def outcome_json(one: FlowOutcome) -> dict[str, Any]:
    """One possible outcome; probabilities are exact fractions as text, "1" for certainty."""
    return {
        "probability": str(one.probability),
        "kernel_probability": str(one.kernel_probability),
        "outcome": one.disposition.value,
        "endpoint": one.endpoint,
        "source_seen": one.source_seen,
        "masqueraded": one.masqueraded,
        "answered": one.answered,
        "why": one.why,
    }
