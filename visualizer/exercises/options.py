"""Rule: what a learner may choose from in a prediction is what the cluster and the rules hold, whatever is right."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from packetsim.trace import Disposition, RulesMissed, RuleTried
from visualizer.exercises.cues import steps
from visualizer.exercises.questions import Value, evaluated, shown, ways
from visualizer.exercises.schema import Ask, Calculation
from visualizer.exercises.stage import Stage
from visualizer.exercises.variants import Varied

MOST_OPTIONS = 100
TYPED = "typed"  # a number, to be typed
ONE = "one"
SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Question:
    """What a learner is asked: `how` it is answered, and from what. `number`: the one to be explained, else ""."""

    how: str
    options: tuple[str, ...]
    number: str


def question(one: Varied) -> Question:
    """Says nothing of which answer is right. Raises ContentError."""
    ask = one.exercise.ask
    if ask is None:
        return Question("cluster", (), "")
    stage = one.staged()
    if one.exercise.choices:
        explained = number_shown(evaluated(ask, stage)) if one.exercise.kind == "explain" else ""
        return Question(ONE, tuple(choice.id for choice in one.exercise.choices), explained)
    return Question(how(ask), tuple(options(ask, stage)), "")


def number_shown(value: Value) -> str:
    """A fraction that a rule holds as a decimal number is shown as one."""
    if isinstance(value, Fraction) and value.denominator > 1000:
        return f"{float(value):.11f}".rstrip("0")
    return shown(value)


def how(ask: Ask | Calculation) -> str:
    """How it is answered."""
    if isinstance(ask, Calculation) or not _known(ask):
        return TYPED
    return SEVERAL if ask.what == "pods" else ONE


def _known(ask: Ask) -> bool:
    return ask.what in _WORDS or ask.what in (
        "pod",
        "pods",
        "node",
        "endpoint",
        "source_seen",
        "rule",
        "address",
        "cluster_ip",
    )


_WORDS: dict[str, list[str]] = {
    "outcome": [one.value for one in Disposition],
    "masqueraded": ["yes", "no"],
    "answered": ["yes", "no"],
}


def options(ask: Ask | Calculation, stage: Stage) -> list[str]:
    """In an order that says nothing; empty where the answer is typed. Raises ContentError."""
    if isinstance(ask, Calculation) or not _known(ask):
        return []
    if ask.what in _WORDS:
        return _WORDS[ask.what]
    if ask.what == "rule":
        return _rules(ask, stage)
    cluster = stage.simulation.cluster
    pods, nodes = list(cluster.pods.values()), list(cluster.nodes.values())
    found: list[str]
    match ask.what:
        case "node":
            found = [node.name for node in nodes]
        case "pod" | "pods":
            sender = stage.walk(ask.mode).flow.place
            found = ["/".join(pod.key) for pod in pods if "/".join(pod.key) != sender]
        case "endpoint":
            found = [f"{pod.addresses[0]}:{port.port}" for pod in pods for port in pod.ports]
        case _:
            found = [*(pod.addresses[0] for pod in pods), *(node.addresses[0] for node in nodes)]
            found += [service.cluster_ips[0] for service in cluster.services.values() if service.cluster_ips]
            found += [stage.walk().trace.flow.source] if stage.latest else []
    return sorted(dict.fromkeys(found))[:MOST_OPTIONS]


def _rules(ask: Ask, stage: Stage) -> list[str]:
    """Every rule of the chains that walks like this one go on through."""
    walked = stage.walk(ask.mode)
    found: dict[tuple[str, int], None] = {}
    for trace in ways(walked):
        for at in steps(trace):
            detail = at.step.detail
            if walked.shown is not None and at.position <= walked.shown:
                continue
            if isinstance(detail, RuleTried | RulesMissed) and (not ask.leg or ask.leg == at.leg):
                numbers = (
                    [detail.number]
                    if isinstance(detail, RuleTried)
                    else range(detail.first, min(detail.last, detail.first + MOST_OPTIONS) + 1)
                )
                found |= {(detail.chain, number): None for number in numbers}
    return [f"{chain} {number}" for chain, number in sorted(found)[:MOST_OPTIONS]]
