"""Rule: a cue names a step by what happens in it, so that it is found again whatever the dice and addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from packetsim.trace import (
    Ended,
    Position,
    ProxyAccepted,
    ProxyCopied,
    ProxyDialled,
    Routed,
    RulesMissed,
    RuleTried,
    Scheduled,
    Step,
    Trace,
    Tracked,
    Translated,
)
from visualizer.exercises.faults import ContentError
from visualizer.exercises.schema import Cue

_SORTS: dict[str, type] = {
    "rule": RuleTried,
    "rewrite": Translated,
    "verdict": Ended,
    "tracked": Tracked,
    "routed": Routed,
    "scheduled": Scheduled,
    "accepted": ProxyAccepted,
    "dialled": ProxyDialled,
    "copied": ProxyCopied,
}


@dataclass(frozen=True, slots=True)
class At:
    """A step with where it stands."""

    position: Position
    leg: str
    place: str
    step: Step


def steps(trace: Trace) -> Iterator[At]:
    for number, leg in enumerate(trace.legs):
        for turn, hop in enumerate(leg.hops):
            for count, step in enumerate(hop.steps):
                yield At((number, turn, count), leg.title, hop.place, step)


def find(trace: Trace, cue: Cue) -> Position:
    """Where the cue's step stands. Raises ContentError where there is none."""
    found = [at.position for at in steps(trace) if _fits(at, cue)]
    if len(found) < cue.nth:
        wanted = ", ".join(f"{name}: {value}" for name, value in cue.model_dump(exclude_defaults=True).items())
        raise ContentError([f"the walk has {len(found)} steps that fit `step: {{{wanted}}}`"])
    return found[cue.nth - 1]


def rule_fits(detail: RuleTried | RulesMissed, table: str, chain: str) -> bool:
    return (not table or detail.table == table) and (not chain or fnmatchcase(detail.chain, chain))


def _fits(at: At, cue: Cue) -> bool:
    detail = at.step.detail
    if (cue.leg and at.leg != cue.leg) or (cue.place and at.place != cue.place):
        return False
    if cue.to == "start":
        return True
    if not isinstance(detail, _SORTS[cue.to]):
        return False
    if isinstance(detail, RuleTried):
        return detail.matched and rule_fits(detail, cue.table, cue.chain) and cue.has in detail.text
    return not isinstance(detail, Translated) or cue.end in ("", detail.kind)
