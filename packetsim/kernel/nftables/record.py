"""Rule: each rule tried is a step, and a long run of misses is one step that unfolds when someone looks.

Written only while somebody watches (`visit.steps` is not None).
"""

from __future__ import annotations

from dataclasses import replace

from packetsim.kernel.nftables.model import Decision, Rule, Sets, Statement
from packetsim.kernel.visit import Visit
from packetsim.packet import Packet
from packetsim.ruletext import Origin
from packetsim.trace import ChainEnded, RulesMissed, RuleTried

FOLDED = 8  # a run of misses this long is one step

Hits = dict[tuple[str, str, int], int]  # (table, chain, number from 1) -> times matched
Miss = tuple[int, Rule, Statement]  # the rule's number, and the statement that did not hold


class Record:
    """The steps of one packet in one base chain of `table`."""

    __slots__ = ("_chain", "_hits", "_misses", "_sets", "_table", "_visit")

    def __init__(self, table: str, visit: Visit, sets: Sets, hits: Hits) -> None:
        self._table = table
        self._visit = visit
        self._sets = sets
        self._hits = hits
        self._chain = ""
        self._misses: list[Miss] = []  # of `_chain`, not yet written

    def missed(self, chain: str, number: int, rule: Rule, statement: Statement, before: Packet) -> None:
        visit = self._visit
        if visit.packet is before:
            self._chain = chain
            self._misses.append((number, rule, statement))
            return
        # A statement before the one that failed has changed the packet, and that stays.
        self._write_misses(before)
        visit.note(_tried(self._table, chain, (number, rule, statement), visit), before)

    def matched(self, chain: str, number: int, rule: Rule, decision: Decision | None, before: Packet) -> None:
        if self._misses:
            self._write_misses(before)
        place = (self._table, chain, number)
        self._hits[place] = self._hits.get(place, 0) + 1
        effect, origins = rule.effect, rule.origins
        if decision is not None:
            effect = f"{effect} {decision.text}" if effect else decision.text
            origins = decision.origins + origins
        if rule.set_questions:
            origins = self._asked_origins(rule) + origins
        self._visit.note(RuleTried(*place, rule.text, True, "", effect or "continue", origins), before)

    def _asked_origins(self, rule: Rule) -> tuple[Origin, ...]:
        """What made the sets' elements by which the rule matched."""
        asked = (statement.origins_of(self._visit, self._sets) for statement in rule.set_questions)
        return tuple(origin for origins in asked for origin in origins)

    def ended(self, chain: str, caller: str | None, policy: str | None) -> None:
        if self._misses:
            self._write_misses(self._visit.packet)
        self._visit.note(ChainEnded(self._table, chain, caller, policy))

    def _write_misses(self, packet: Packet) -> None:
        """The misses so far, which met `packet`: the visit's may have changed since."""
        visit, misses = self._visit, self._misses
        self._misses = []
        now, visit.packet = visit.packet, packet
        if len(misses) < FOLDED:
            for miss in misses:
                visit.note(_tried(self._table, self._chain, miss, visit))
        else:
            visit.note(_folded(self._table, self._chain, misses, replace(visit, steps=None)))
        visit.packet = now


def _tried(table: str, chain: str, miss: Miss, visit: Visit) -> RuleTried:
    number, rule, statement = miss
    return RuleTried(table, chain, number, rule.text, False, statement.why(visit), "", rule.origins)


def _folded(table: str, chain: str, misses: list[Miss], visit: Visit) -> RulesMissed:
    """`visit` is a copy, so that unfolding explains what the packet was like when it went by."""
    return RulesMissed(
        table, chain, misses[0][0], misses[-1][0], lambda: tuple(_tried(table, chain, miss, visit) for miss in misses)
    )
