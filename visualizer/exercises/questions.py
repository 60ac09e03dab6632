"""Rule: the engine answers what is asked, and has one answer or refuses: every way the dice can fall is tried.

A way counts when it agrees with what the learner has been shown already. `probability` and `pods` look at all ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from packetsim.cluster.model import Cluster
from packetsim.outcomes import branches, outcomes
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Position, RulesMissed, RuleTried, Scheduled, Trace, Translated
from visualizer.exercises import counting, reading
from visualizer.exercises.cues import steps
from visualizer.exercises.faults import ContentError
from visualizer.exercises.schema import Ask, Calculation, Expression
from visualizer.exercises.stage import Stage, Walked

Value = str | Fraction | tuple[str, ...]
MOST_WAYS = 512

_ONE_SHOWN = {"outcome", "pod", "node", "endpoint", "source_seen", "masqueraded", "answered", "rule", *counting.KINDS}


def evaluated(expression: Expression, stage: Stage) -> Value:
    """What it comes to. Raises ContentError: several answers, or none."""
    match expression:
        case bool() | int():
            return Fraction(expression)
        case str():
            return expression
        case Calculation():
            return _calculated(expression, stage)
        case Ask():
            return _answer(expression, stage)


def _calculated(one: Calculation, stage: Stage) -> Fraction:
    left, right = (evaluated(part, stage) for part in one.of)
    if not isinstance(left, Fraction) or not isinstance(right, Fraction):
        raise ContentError([f"`calc: {one.calc}` needs two numbers"])
    match one.calc:
        case "add":
            return left + right
        case "subtract":
            return left - right
        case "multiply":
            return left * right
        case "divide":
            if not right:
                raise ContentError(["`calc: divide` divides by zero"])
            return left / right


def _answer(ask: Ask, stage: Stage) -> Value:
    if ask.what in _ONE_SHOWN:
        values = {_of_trace(ask, trace, stage, walked) for walked in [stage.walk(ask.mode)] for trace in ways(walked)}
        if len(values) != 1:
            told = " or ".join(sorted(map(shown, values)))
            raise ContentError([f"`{ask.what}` has no single answer: {told}"])
        return values.pop()
    match ask.what:
        case "pods":
            return _pods(stage.walk(ask.mode), stage)
        case "probability":
            return _probability(ask, stage)
        case "distinct_pods":
            return _distinct(stage)
    return reading.answer(ask, stage.simulation)


# ---- every way ------------------------------------------------------------------------------------------


def ways(walked: Walked) -> Iterator[Trace]:
    """The walk itself and each other that begins with what was shown."""
    yield walked.trace
    seen = _beginning(walked.trace, walked.shown)
    for trace, _ in branches(walked.before, walked.flow, most_walks=MOST_WAYS):
        if _beginning(trace, walked.shown) == seen:
            yield trace


def _beginning(trace: Trace, shown: Position | None) -> list[object]:
    if shown is None:
        return []
    return [_sign(at.place, at.step.detail) for at in steps(trace) if at.position <= shown]


def _sign(place: str, detail: object) -> object:
    """A step without what differs by the dice alone: ports, sequence numbers."""
    match detail:
        case RuleTried():
            return place, detail.table, detail.chain, detail.number, detail.matched
        case RulesMissed():
            return place, detail.table, detail.chain, detail.first, detail.last
        case Scheduled():
            return place, detail.real_server
        case Translated():
            return place, detail.kind, detail.new.rpartition(":")[0]
    return place, type(detail)


# ---- of one trace ---------------------------------------------------------------------------------------


def _of_trace(ask: Ask, trace: Trace, stage: Stage, walked: Walked) -> Value:
    cluster = stage.simulation.cluster
    match ask.what:
        case "outcome":
            return trace.disposition.value
        case "pod":
            return pod_at(cluster, trace.endpoint)
        case "node":
            return node_of(cluster, pod_at(cluster, trace.endpoint))
        case "endpoint":
            return trace.endpoint or "none"
        case "source_seen":
            return trace.source_seen or "none"
        case "masqueraded":
            return yes_or_no(trace.masqueraded)
        case "answered":
            return yes_or_no(trace.answered)
        case "rule":
            return _next_rule(ask, trace, walked.shown)
    return counting.count(ask, trace)


def _next_rule(ask: Ask, trace: Trace, after: Position | None) -> str:
    """`CHAIN NUMBER` of the first that matches after what was shown."""
    for at in steps(trace):
        detail = at.step.detail
        if (
            isinstance(detail, RuleTried)
            and detail.matched
            and (after is None or at.position > after)
            and counting.fits(ask, at)
        ):
            return f"{detail.chain} {detail.number}"
    return "none"


def pod_at(cluster: Cluster, endpoint: str | None) -> str:
    """The Pod whose `IP:PORT` it is."""
    if endpoint is None:
        return "none"
    address, _, port = endpoint.rpartition(":")
    found = [pod for pod in cluster.pods.values() if address.strip("[]") in pod.addresses]
    listening = [pod for pod in found if any(pair[1] == int(port) for pair in pod.listening or ())]
    one = next(iter(listening or found), None)
    return "/".join(one.key) if one else endpoint


def node_of(cluster: Cluster, pod: str) -> str:
    namespace, _, name = pod.partition("/")
    found = cluster.pods.get((namespace, name))
    return found.node if found else "none"


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def address_of(cluster: Cluster, place: str) -> str:
    """The address of a Pod or node; an address is its own."""
    namespace, _, name = place.partition("/")
    pod = cluster.pods.get((namespace, name))
    if pod is not None:
        return pod.addresses[0]
    node = cluster.nodes.get(place)
    return node.addresses[0] if node else place


# ---- of all ways ----------------------------------------------------------------------------------------


def _pods(walked: Walked, stage: Stage) -> tuple[str, ...]:
    found = outcomes(walked.before, walked.flow, MOST_WAYS)
    cluster = stage.simulation.cluster
    return tuple(sorted({pod_at(cluster, one.endpoint) for one in found if one.endpoint}))


def _distinct(stage: Stage) -> Fraction:
    """How many endpoints the connections sent one after another reach, however the dice fall."""
    if not stage.sent:
        raise ContentError(["`distinct_pods` counts the sends since the last change, and there are none"])
    flows = [one.flow for one in stage.sent]
    counts = {len(reached - {None}) for reached in _reached(stage.sent[0].before, flows, 0, [MOST_WAYS])}
    if len(counts) != 1:
        raise ContentError([f"`distinct_pods` has no single answer: {' or '.join(map(str, sorted(counts)))}"])
    return Fraction(counts.pop())


def _reached(moment: Simulation, flows: list[Flow], earlier: int, left: list[int]) -> Iterator[set[str | None]]:
    if earlier == len(flows):
        left[0] -= 1
        if left[0] < 0:
            raise ContentError([f"there are more than {MOST_WAYS} ways: send fewer"])
        yield set()
        return
    for trace, after in branches(moment, flows[earlier], earlier, MOST_WAYS):
        for onward in _reached(after, flows, earlier + 1, left):
            yield onward | {trace.endpoint}


def _probability(ask: Ask, stage: Stage) -> Fraction:
    """Of all outcomes together that fit what is said, before anything was sent."""
    walked, cluster = stage.walk(ask.mode), stage.simulation.cluster
    wanted = address_of(cluster, ask.source_seen) if ask.source_seen else None
    return sum(
        (
            one.probability
            for one in outcomes(walked.before, walked.flow, MOST_WAYS)
            if ask.pod in (None, pod_at(cluster, one.endpoint))
            and ask.outcome in (None, one.disposition.value)
            and wanted in (None, one.source_seen)
        ),
        Fraction(0),
    )


# ---- in words -------------------------------------------------------------------------------------------


def shown(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return str(value)
