"""Rule: a number of a walk is counted from its steps, of the leg, place, table and chain that are asked for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from fractions import Fraction

from packetsim.trace import ProxyCopied, ProxyDialled, RulesMissed, RuleTried, Trace, Tracked, Translated
from visualizer.exercises.cues import At, rule_fits, steps
from visualizer.exercises.schema import Ask

KINDS = {"rules_tried", "rules_matched", "rewrites", "lookups", "copies", "connections", "dials", "entries"}
_CONNECTIONS = ("request", "proxy's own connection")
_SORTS: dict[str, type] = {
    "rewrites": Translated,
    "lookups": Tracked,
    "copies": ProxyCopied,
    "dials": ProxyDialled,
}


def fits(ask: Ask, at: At) -> bool:
    """Is the step one of those asked about?"""
    detail = at.step.detail
    if (ask.leg and not fnmatchcase(at.leg, ask.leg)) or (ask.place and at.place != ask.place):
        return False
    return not isinstance(detail, RuleTried | RulesMissed) or rule_fits(detail, ask.table, ask.chain)


def count(ask: Ask, trace: Trace) -> Fraction:
    if ask.what == "connections":
        return Fraction(sum(leg.title in _CONNECTIONS for leg in trace.legs))
    if ask.what == "entries":
        return Fraction(sum(len(lines) for place, lines in trace.entries if ask.place in ("", place)))
    return Fraction(sum(_worth(ask.what, at) for at in steps(trace) if fits(ask, at)))


def _worth(what: str, at: At) -> int:
    detail = at.step.detail
    if what == "rules_tried":
        return detail.count if isinstance(detail, RulesMissed) else int(isinstance(detail, RuleTried))
    if what == "rules_matched":
        return int(isinstance(detail, RuleTried) and detail.matched)
    return int(isinstance(detail, _SORTS[what]))
