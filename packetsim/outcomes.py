"""Rule: outcomes are enumerated, never sampled: every way the dice can fall is walked once.

The walk itself is the ordinary one; only its dice are scripted. Each choice met on the way is
recorded, and the tree of choices is followed depth first from copies of the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from packetsim.dice import Odds
from packetsim.errors import PacketsimError
from packetsim.simulation import Simulation
from packetsim.trace import Disposition, Flow, Trace

MOST_WALKS = 20_000


@dataclass(frozen=True, slots=True)
class FlowOutcome:
    """One way a flow can end.

    `probability` is what the rules' author meant (1/3), `kernel_probability` what the kernel's 31-bit
    or 32-bit dice make of it (715827883/2147483648); each sums to 1 over a flow's outcomes.
    """

    probability: Fraction
    kernel_probability: Fraction
    disposition: Disposition
    endpoint: str | None
    source_seen: str | None
    masqueraded: bool
    answered: bool
    why: str


class _Script:
    """Dice that follow a script, then the first way; `met` lists what was chosen among."""

    def __init__(self, script: list[int]) -> None:
        self.script = script
        self.met: list[tuple[int, Odds]] = []

    def pick(self, odds: Odds) -> int:
        place = len(self.met)
        way = self.script[place] if place < len(self.script) else _first_possible(odds)
        self.met.append((way, odds))
        return way

    def draw(self, low: int, high: int) -> int:
        return low


def _first_possible(odds: Odds, start: int = 0) -> int:
    return next((way for way in range(start, len(odds.weights)) if odds.weights[way]), -1)


def outcomes(simulation: Simulation, flow: Flow, most_walks: int = MOST_WALKS) -> tuple[FlowOutcome, ...]:
    """All the outcomes of one flow from the simulation's present moment, most likely first.

    Raises PacketsimError when there are more than `most_walks` ways to walk.
    """
    found: dict[tuple[object, ...], FlowOutcome] = {}
    script: list[int] = []
    for _ in range(most_walks):
        dice = _Script(script)
        twin = simulation.copy(dice)
        _add(found, twin.send(flow, record=False), dice)
        after = _next(dice)
        if after is None:
            return tuple(sorted(found.values(), key=lambda one: (-one.probability, one.endpoint or "")))
        script = after
    raise PacketsimError(f"this flow can be walked in more than {most_walks} ways; send it and count instead")


def _add(found: dict[tuple[object, ...], FlowOutcome], trace: Trace, dice: _Script) -> None:
    meant = kernel = Fraction(1)
    for way, odds in dice.met:
        meant *= odds.meant[way]
        kernel *= Fraction(odds.weights[way], sum(odds.weights))
    key = (trace.disposition, trace.endpoint, trace.source_seen, trace.masqueraded, trace.answered, trace.why)
    before = found.get(key)
    if before is not None:
        meant, kernel = meant + before.probability, kernel + before.kernel_probability
        found[key] = replace(before, probability=meant, kernel_probability=kernel)
    else:
        found[key] = FlowOutcome(
            probability=meant,
            kernel_probability=kernel,
            disposition=trace.disposition,
            endpoint=trace.endpoint,
            source_seen=trace.source_seen,
            masqueraded=trace.masqueraded,
            answered=trace.answered,
            why=trace.why,
        )


def _next(dice: _Script) -> list[int] | None:
    """The script of the walk after this one, depth first; None after the last."""
    met = list(dice.met)
    while met:
        way, odds = met.pop()
        other = _first_possible(odds, way + 1)
        if other >= 0:
            return [*(done for done, _ in met), other]
    return None
