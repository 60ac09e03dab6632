"""Rule: a packet goes through a base chain exactly as nft_do_chain sends it.

net/netfilter/nf_tables_core.c (Linux 6.1). A goto leaves nothing to come back to: the end of its chain
goes on where the last jump came from.
Chains are read when a packet first enters them; nothing here grows with what it does not enter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.nftables.datatypes import Key, RefusedError
from packetsim.kernel.nftables.model import BROKEN, Base, Decision, Kind, Rule
from packetsim.kernel.nftables.record import Hits, Record
from packetsim.kernel.nftables.sets import TableSets
from packetsim.kernel.nftables.text import chain_of, rules_of
from packetsim.kernel.visit import ACCEPT, Outcome, Verdict, Visit
from packetsim.ruletext import NftChainText, NftTableText

JUMP_LEVELS = 16  # NFT_JUMP_STACK_SIZE: nft_chain_validate counts jumps and gotos alike

Run = Callable[[Visit], Verdict]


class BaseChain(NamedTuple):
    """A chain at a hook. `kind` is filter or nat; `run` sends one packet through it."""

    priority: int
    name: str
    kind: str
    run: Run


class LoadedChain(NamedTuple):
    """A chain, read. `text` is what it was read from."""

    text: NftChainText
    name: str
    base: Base | None
    rules: tuple[Rule, ...]


class LoadedTable:
    """One table: its text, and what of it has been read so far."""

    def __init__(self, text: NftTableText) -> None:
        self.text = text
        self.place = f"{text.family} {text.name}"
        self.sets = TableSets(text)
        self._chains: dict[str, LoadedChain] = {}
        self._bases: list[tuple[str, Base]] | None = None

    def load(self, text: NftTableText) -> None:
        self.sets.load(text)
        self.text = text
        self._bases = None
        if len(self._chains) > len(text.chains):
            self._chains = {name: chain for name, chain in list(self._chains.items()) if name in text.chains}

    def copy(self) -> LoadedTable:
        twin = LoadedTable(self.text)
        twin.sets = self.sets.copy()
        twin._chains = self._chains  # `chain` asks for the text each was read from, so twins may share them
        twin._bases = self.bases()
        return twin

    def chain(self, name: str) -> LoadedChain:
        text = self.text.chains.get(name)
        if text is None:
            raise RefusedError(f"chain {name} does not exist in table {self.place}; add it before the rule")
        loaded = self._chains.get(name)
        if loaded is None or loaded.text is not text:
            head = chain_of(self.place, name, text)
            loaded = LoadedChain(text, name, head.base, rules_of(self.place, name, text.lines))
            self._chains[name] = loaded
        return loaded

    def bases(self) -> list[tuple[str, Base]]:
        """The chains that hang from a hook."""
        if self._bases is None:
            heads = [chain_of(self.place, name, text) for name, text in self.text.chains.items() if text.header]
            self._bases = [(head.name, head.base) for head in heads if head.base is not None]
        return self._bases


class Nftables:
    """All nftables tables of one machine, and what their rules have learned.

    `hits` counts, while steps are recorded, how often each rule matched: (table, chain, number from 1).
    """

    def __init__(self) -> None:
        self._tables: dict[str, LoadedTable] = {}
        self.hits: Hits = {}

    def load(self, tables: tuple[NftTableText, ...]) -> None:
        """Take these tables for the old ones. Chains and sets whose text is the same object stay as read."""
        before, self._tables = self._tables, {}
        for text in tables:
            place = f"{text.family} {text.name}"
            known = before.get(place)
            if known is None:
                known = LoadedTable(text)
            elif known.text is not text:
                known.load(text)
            self._tables[place] = known

    def texts(self, family: int) -> list[NftTableText]:
        """The tables for packets of `family` (4 or 6)."""
        wanted = "ip6" if family == 6 else "ip"
        return [table.text for table in self._tables.values() if table.text.family == wanted]

    def copy(self) -> Nftables:
        """A twin that learns and counts on its own, and shares what has been read."""
        twin = Nftables()
        twin._tables = {place: table.copy() for place, table in self._tables.items()}
        twin.hits = dict(self.hits)
        return twin

    def base_chains(self, hook: Hook, family: int) -> list[BaseChain]:
        """The chains at `hook` for packets of `family` (4 or 6), in the order in which they run."""
        wanted = "ip6" if family == 6 else "ip"
        found = [
            BaseChain(base.priority, name, base.type, partial(self._run, table, name))
            for table in self._tables.values()
            if table.text.family == wanted
            for name, base in table.bases()
            if base.hook is hook
        ]
        # nf_hook_entries_grow puts a new hook before those of its own priority.
        found.reverse()
        return sorted(found, key=lambda chain: chain.priority)

    def learned(self, table: str, name: str, now: float) -> dict[Key, float]:
        """The living elements of a dynamic set, with the time each ends: `learned("ip kube-proxy", …)`."""
        return self._tables[table].sets.learned(name, now)

    def _run(self, table: LoadedTable, name: str, visit: Visit) -> Verdict:
        return Walk(table, visit, self.hits).through(table.chain(name))


class Walk:
    """One packet in one base chain."""

    __slots__ = ("_callers", "_level", "_record", "_table", "_visit")

    def __init__(self, table: LoadedTable, visit: Visit, hits: Hits) -> None:
        self._table = table
        self._visit = visit
        self._record = None if visit.steps is None else Record(table.place, visit, table.sets, hits)
        self._callers: list[tuple[LoadedChain, int, int]] = []  # the chain, its rules done, its level
        self._level = 0

    def through(self, base: LoadedChain) -> Verdict:
        chain, done = base, 0
        while True:
            decision, done = self._decision(chain, done)
            if decision is None or decision.kind is Kind.RETURN:
                if not self._callers:
                    return self._policy(base, chain)
                caller, back, self._level = self._callers.pop()
                if self._record and decision is None:
                    self._record.ended(chain.name, caller.name, None)
                chain, done = caller, back
            elif decision.chain:
                following = self._entered(decision.chain, chain, done)
                if decision.kind is Kind.JUMP:
                    self._callers.append((chain, done, self._level))
                self._level += 1
                chain, done = following, 0
            else:
                return self._verdict(decision, chain, done)

    def _decision(self, chain: LoadedChain, done: int) -> tuple[Decision | None, int]:
        """The next decision that leaves the chain, and the number of its rule. None: the chain is at its end."""
        visit, sets, record = self._visit, self._table.sets, self._record
        number = done
        try:
            for rule in chain.rules[done:] if done else chain.rules:
                number += 1
                before = visit.packet
                decision: Decision | None = None
                for statement in rule.statements:
                    decision = statement.act(visit, sets)
                    if decision is not None:
                        break
                if decision is BROKEN:
                    if record:
                        record.missed(chain.name, number, rule, statement, before)
                    continue
                if record:
                    record.matched(chain.name, number, rule, decision, before)
                if decision is not None and decision.kind is not Kind.CONTINUE:
                    return decision, number
        except RefusedError as refusal:
            raise RuleTextError(self._place(chain, number), str(refusal)) from None
        return None, number

    def _entered(self, name: str, chain: LoadedChain, number: int) -> LoadedChain:
        if self._level == JUMP_LEVELS - 1:
            message = f"{name} is more than {JUMP_LEVELS - 1} chains deep, or calls itself; the kernel refuses that too"
            raise RuleTextError(self._place(chain, number), message)
        try:
            return self._table.chain(name)
        except RefusedError as refusal:
            raise RuleTextError(self._place(chain, number), str(refusal)) from None

    def _place(self, chain: LoadedChain, number: int) -> str:
        return f"{self._table.place}/{chain.name} rule {number}"

    def _policy(self, base: LoadedChain, chain: LoadedChain) -> Verdict:
        """Nothing was decided, or a rule returned with nobody to return to: the base chain's policy."""
        policy = base.base.policy if base.base else "accept"
        if self._record:
            self._record.ended(chain.name, None, policy)
        if policy == "accept":
            return ACCEPT
        return Verdict(Outcome.DROP, why=f"{self._table.place}/{base.name} policy drop")

    def _verdict(self, decision: Decision, chain: LoadedChain, number: int) -> Verdict:
        return Verdict(Outcome(decision.kind), decision.translation, decision.reject_with, self._place(chain, number))
