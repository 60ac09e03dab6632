"""Rule: while a packet walks and someone watches, every rule tried becomes a step, here and nowhere else.

A long run of misses is one step. Its explanations are worked out when asked for, from the packet as it
was; only answers that could differ by then (dice, lists, sets) are written down at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from packetsim.errors import RuleTextError
from packetsim.kernel.iptables.dispatch import ReadyChain
from packetsim.kernel.iptables.model import RefusalError
from packetsim.kernel.visit import Facts, IpvsConnectionView, PacketSet, RecentLists, Visit
from packetsim.packet import Packet
from packetsim.trace import ChainEnded, RulesMissed, RuleTried

LONG_RUN = 8  # so many misses in a row are told as one step


def next_match(chain: ReadyChain, candidates: Sequence[int], start: int, visit: Visit) -> int:
    """The index in `candidates`, from `start`, of the first rule that matches; -1 for none. Nobody watches."""
    rules = chain.rules
    position = 0
    try:
        for index in range(start, len(candidates)):
            position = candidates[index]
            if rules[position].holds(visit):
                return index
    except RefusalError as refusal:
        raise RuleTextError(chain.place(position), str(refusal)) from None
    return -1


def next_match_told(chain: ReadyChain, candidates: Sequence[int], start: int, untold: int, visit: Visit) -> int:
    """As `next_match`, and every miss from position `untold` on is told."""
    rules, found, end = chain.rules, -1, len(chain.rules)
    whys: dict[int, str] = {}
    position = 0
    try:
        for index in range(start, len(candidates)):
            position = candidates[index]
            why = rules[position].missed(visit)
            if not why:
                found, end = index, position
                break
            whys[position] = why
    except RefusalError as refusal:
        raise RuleTextError(chain.place(position), str(refusal)) from None
    if end > untold:
        _tell_misses(chain, untold, end, whys, visit)
    return found


def _tell_misses(chain: ReadyChain, first: int, end: int, whys: Mapping[int, str], visit: Visit) -> None:
    if end - first >= LONG_RUN:
        then = visit if len(whys) == end - first else _as_it_is(visit, chain.asks_address_type)
        expand = Explanation(chain, first, end, whys, then)
        visit.note(RulesMissed(chain.table, chain.name, first + 1, end, expand))
        return
    for position in range(first, end):
        why = whys.get(position) or chain.rules[position].missed(visit)
        told = chain.missed.get(position)
        if told is None or told.why != why:
            told = chain.missed[position] = _miss(chain, position, why)
        visit.note(told)


def tell_match(chain: ReadyChain, position: int, before: Packet, visit: Visit) -> None:
    told = chain.matched.get(position)
    if told is None:
        rule = chain.rules[position]
        effect = "counted" if rule.target is None else rule.target.effect
        told = RuleTried(chain.table, chain.name, position + 1, rule.text, True, "", effect, rule.origins)
        chain.matched[position] = told
    visit.note(told, before)


def tell_end(chain: ReadyChain, caller: ReadyChain | None, policy: str | None, visit: Visit) -> None:
    """The chain gave no verdict. A user-defined one without rules, that decides nothing, is not worth a step."""
    if chain.rules or policy is not None:
        visit.note(ChainEnded(chain.table, chain.name, caller.name if caller else None, policy))


# ---- explanations -----------------------------------------------------------------------------


def _miss(chain: ReadyChain, position: int, why: str) -> RuleTried:
    rule = chain.rules[position]
    return RuleTried(chain.table, chain.name, position + 1, rule.text, False, why, "", rule.origins)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A run of misses, `first` to before `end`, to be told one by one. `then`: the visit as it was."""

    chain: ReadyChain
    first: int
    end: int
    whys: Mapping[int, str]
    then: Visit

    def __call__(self) -> tuple[RuleTried, ...]:
        return tuple(
            _miss(self.chain, position, self.whys.get(position) or self.chain.rules[position].missed(self.then))
            for position in range(self.first, self.end)
        )


def _as_it_is(visit: Visit, asks_address_type: bool) -> Visit:
    facts: Facts = visit.facts
    if asks_address_type:
        addresses = (visit.packet.source, visit.packet.destination)
        facts = _TypesThen({address: facts.address_type(address) for address in addresses}, facts)
    return Visit(
        facts,
        visit.hook,
        visit.packet,
        visit.in_interface,
        visit.out_interface,
        visit.state,
        visit.dice,
        visit.now,
        None,
        visit.dnat,
        visit.snat,
        visit.reply,
        visit.physical_in,
        visit.physical_out,
    )


@dataclass(frozen=True, slots=True)
class _TypesThen:
    """The machine's facts with its address types as they were: addresses may since have come or gone."""

    types: Mapping[str, str]
    facts: Facts

    def address_type(self, address: str) -> str:
        return self.types[address]

    @property
    def sets(self) -> Mapping[str, PacketSet]:
        return self.facts.sets

    @property
    def recent(self) -> RecentLists:
        return self.facts.recent

    def ipvs_connection(self, packet: Packet) -> IpvsConnectionView | None:
        return self.facts.ipvs_connection(packet)
