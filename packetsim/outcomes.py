"""Rule: outcomes are enumerated, never sampled: every way the dice can fall is walked once.

The walk itself is the ordinary one; only its dice are scripted. Each choice met on the way is
recorded, and the tree of choices is followed depth first from copies of the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from packetsim.conversation import EPHEMERAL
from packetsim.dice import Odds
from packetsim.errors import PacketsimError
from packetsim.simulation import Simulation
from packetsim.trace import Disposition, Flow, Scheduled, Trace

MOST_WALKS = 20_000
DRAWS = 16  # the most that one connection draws


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
    """Dice that follow a script, then the first way; `met` lists what was chosen among.

    `earlier`: connections before this one, whose ports are not drawn again.
    """

    def __init__(self, script: list[int], earlier: int = 0) -> None:
        self.script = script
        self._earlier = earlier
        self._drawn = -1
        self.met: list[tuple[int, Odds]] = []

    def pick(self, odds: Odds) -> int:
        place = len(self.met)
        way = self.script[place] if place < len(self.script) else _first_possible(odds)
        self.met.append((way, odds))
        return way

    def draw(self, low: int, high: int) -> int:
        """Each time another, and others than the connections before drew."""
        self._drawn += 1
        return low + (self._earlier * DRAWS + self._drawn) % (high - low + 1)


@dataclass(frozen=True, slots=True)
class _Walk:
    """One way a flow was walked. `after`: the simulation as this walk left it; `share`: that of its source port."""

    trace: Trace
    after: Simulation
    dice: _Script
    share: Fraction


class _Budget:
    """How many walks there may be, so that nothing runs for ever."""

    def __init__(self, most: int) -> None:
        self.most = self.left = most

    def spend(self) -> None:
        if not self.left:
            cure = "send it and count instead"
            raise PacketsimError(f"this flow can be walked in more than {self.most} ways; {cure}")
        self.left -= 1


def _first_possible(odds: Odds, start: int = 0) -> int:
    return next((way for way in range(start, len(odds.weights)) if odds.weights[way]), -1)


def outcomes(simulation: Simulation, flow: Flow, most_walks: int = MOST_WALKS) -> tuple[FlowOutcome, ...]:
    """All the outcomes of one flow from the simulation's present moment, most likely first.

    Raises PacketsimError when there are more than `most_walks` ways to walk.
    """
    found: dict[tuple[object, ...], FlowOutcome] = {}
    for walk in _walks(simulation, flow, _Budget(most_walks)):
        _add(found, walk)
    return tuple(sorted(found.values(), key=lambda one: (-one.probability, one.endpoint or "")))


def twice(
    simulation: Simulation, flow: Flow, after: float, most_walks: int = MOST_WALKS
) -> Iterator[tuple[Trace, Trace]]:
    """Each way for the flow to be delivered, with each way of a second connection `after` seconds later.

    The second comes from the same sender, from another port. Lazy: whoever has seen enough may stop.
    """
    budget = _Budget(most_walks)
    for first in _walks(simulation, flow, budget):
        if first.trace.disposition is Disposition.DELIVERED:
            first.after.wait(after)
            for second in _walks(first.after, replace(flow, source_port=0), budget, first.trace.flow.source_port):
                yield first.trace, second.trace


def branches(
    simulation: Simulation, flow: Flow, earlier: int = 0, most_walks: int = MOST_WALKS
) -> Iterator[tuple[Trace, Simulation]]:
    """Each way the flow can be walked, steps and all, with the simulation as it is after that walk.

    `earlier`: how many connections were before it, so that none of their ports is drawn again.
    """
    for walk in _walks(simulation, flow, _Budget(most_walks), earlier=earlier, record=True):
        yield walk.trace, walk.after


def _walks(
    simulation: Simulation, flow: Flow, budget: _Budget, taken: int = 0, earlier: int = 0, record: bool = False
) -> Iterator[_Walk]:
    """Every way to walk the flow. `taken`: the source port of a connection that the sender has already."""
    for port, share in _source_ports(simulation, flow, taken):
        one = replace(flow, source_port=port)
        script: list[int] | None = []
        while script is not None:
            budget.spend()
            dice = _Script(script, earlier)
            twin = simulation.copy(dice)
            yield _Walk(twin.send(one, record), twin, dice, share)
            script = _next(dice)


def _source_ports(simulation: Simulation, flow: Flow, taken: int) -> list[tuple[int, Fraction]]:
    """Source ports that stand for all the sender may draw, each with its share of them.

    One does for all, but for an IPVS scheduler that hashes the port: there, one for each real server.
    """
    ports = range(EPHEMERAL[0], EPHEMERAL[1] + 1)
    usual = flow.source_port or (next(port for port in ports if port != taken) if taken else 0)
    if flow.source_port or simulation.mode != "ipvs":
        return [(usual, Fraction(1))]
    twin = simulation.copy(_Script([]))
    for leg in twin.send(flow).legs[:1]:
        for hop in leg.hops:
            ipvs = simulation.network.machine(hop.place).netfilter.ipvs if hop.kind == "node" else None
            scheduled = [step for step in hop.steps if isinstance(step.detail, Scheduled)]
            if ipvs is not None and scheduled:
                hashed = ipvs.hashed_ports(scheduled[0].before, ports).values()
                groups = [free for group in hashed if (free := [port for port in group if port != taken])]
                if groups:
                    return [(group[0], Fraction(len(group), sum(map(len, groups)))) for group in groups]
    return [(usual, Fraction(1))]


def _add(found: dict[tuple[object, ...], FlowOutcome], walk: _Walk) -> None:
    trace = walk.trace
    meant = kernel = walk.share
    for way, odds in walk.dice.met:
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
