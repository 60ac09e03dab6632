"""Rule: a packet meets rules in the order in which Linux asks them (ipt_do_table in net/ipv4/netfilter/ip_tables.c).

Chains are parsed when a packet first enters them and kept while their text stays the same, so a change
costs what it changes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.iptables.dispatch import ReadyChain
from packetsim.kernel.iptables.memory import Recent
from packetsim.kernel.iptables.model import Altering, Final, Jump, Return, Rule, Target
from packetsim.kernel.iptables.telling import next_match, next_match_told, tell_end, tell_match
from packetsim.kernel.iptables.text import check_table, loop_text, parse_chain, refuse_loops
from packetsim.kernel.visit import ACCEPT, Outcome, Verdict, Visit
from packetsim.ruletext import IptablesText, Line

_LIST_NAME = re.compile(r" -m recent .*--name (\S+)")
_BUILT_IN = {hook: hook.chain for hook in Hook}


class Ruleset:
    """One node's iptables rules of one family.

    `hits`: how many packets matched a rule, by (table, chain, number from 1); counted only while
    someone watches, and forgotten when the chain changes. `indexed` False asks every rule in turn.
    """

    def __init__(self, family: int, indexed: bool = True) -> None:
        self.family = family
        self.hits: dict[tuple[str, str, int], int] = {}
        self._indexed = indexed
        self._text: IptablesText = {}
        self._ready: dict[str, dict[str, ReadyChain]] = {}
        self._outdated: dict[tuple[str, str], ReadyChain] = {}

    # ---- rules in -----------------------------------------------------------------------------

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self._text)

    @property
    def text(self) -> IptablesText:
        return self._text

    def load(self, text: IptablesText) -> frozenset[str]:
        """Take these rules from now on. Chains whose ChainText is the same object stay as they are.

        Gives back the names of `recent` lists that no rule names any more: the kernel destroys those.
        """
        for table in text:
            check_table(table)
        self._text = text
        self._ready = {table: dict(chains) for table, chains in list(self._ready.items())}  # twins keep theirs
        changed = [chain for chains in self._ready.values() for chain in chains.values() if not self._stands(chain)]
        for chain in changed:
            del self._ready[chain.table][chain.name]
            self._outdated[chain.table, chain.name] = chain
        gone = {(chain.table, chain.name) for chain in changed}
        self.hits = {key: count for key, count in self.hits.items() if key[:2] not in gone}
        self._outdated = {key: chain for key, chain in self._outdated.items() if key[1] in text.get(key[0], {})}
        return self._unnamed_lists(changed)

    def copy(self) -> Ruleset:
        """A twin that takes changes and counts on its own, and shares what has been parsed."""
        twin = Ruleset(self.family, self._indexed)
        twin.hits = dict(self.hits)
        twin._text, twin._ready, twin._outdated = self._text, self._ready, dict(self._outdated)
        return twin

    def _stands(self, chain: ReadyChain) -> bool:
        return self._text.get(chain.table, {}).get(chain.name) is chain.source

    def _unnamed_lists(self, changed: Sequence[ReadyChain]) -> frozenset[str]:
        """recent_mt_destroy in xt_recent.c: a list goes with the last rule that names it."""
        named = {
            match.name for chain in changed for rule in chain.rules for match in rule.tests if isinstance(match, Recent)
        }
        if named:
            lines = (line.text for chains in self._text.values() for chain in chains.values() for line in chain.lines)
            for text in lines:
                if " -m recent " in text and (found := _LIST_NAME.search(text)):
                    named.discard(found[1])
        return frozenset(named)

    def parse_all(self) -> None:
        """Parse and check every chain now, loops included, rather than when a packet first meets it."""
        for table, chains in self._text.items():
            refuse_loops(table, {name: self._chain(table, name).rules for name in chains})

    def _chain(self, table: str, name: str) -> ReadyChain:
        ready = self._ready.setdefault(table, {})
        chain = ready.get(name)
        if chain is None:
            chain = ready[name] = self._parse(table, name)
        return chain

    def _parse(self, table: str, name: str) -> ReadyChain:
        chains = self._text[table]
        source = chains.get(name)
        if source is None:
            raise RuleTextError(f"{table}/{name}", "a rule jumps here but there is no such chain; declare it")
        before = self._outdated.pop((table, name), None)
        known: dict[Line, Rule] = dict(zip(before.source.lines, before.rules, strict=True)) if before else {}
        return ReadyChain(
            table, name, source, parse_chain(source, self.family, table, name, chains, known), self._indexed
        )

    # ---- packets through ----------------------------------------------------------------------

    def run(self, table: str, visit: Visit) -> Verdict:
        """What the table's built-in chain at this hook makes of the packet. No such chain: it accepts."""
        name = _BUILT_IN[visit.hook]
        if name not in self._text.get(table, {}):
            return ACCEPT
        chain = base = self._chain(table, name)
        watched = visit.steps is not None
        candidates, start, untold = chain.candidates(visit.packet), 0, 0
        callers: list[_Frame] = []
        path = [name]
        while True:
            if watched:
                index = next_match_told(chain, candidates, start, untold, visit)
            else:
                index = next_match(chain, candidates, start, visit)
            target: Target | None = _RETURN
            if index >= 0:
                position = candidates[index]
                start, untold = index + 1, position + 1
                target = chain.rules[position].target
                before = visit.packet
                if isinstance(target, Altering):
                    target.alter(visit)
                if watched:
                    self._count(chain, position)
                    tell_match(chain, position, before, visit)
            if isinstance(target, Jump):
                if not target.goto:
                    callers.append((chain, candidates, start, untold, len(path)))
                path.append(target.chain)
                chain = self._enter(table, path)
                candidates, start, untold = chain.candidates(visit.packet), 0, 0
            elif isinstance(target, Final):
                return _verdict(chain, position, target, visit)
            elif isinstance(target, Return):
                if watched and (index < 0 or not callers):
                    tell_end(chain, callers[-1][0] if callers else None, None if callers else base.policy, visit)
                if not callers:
                    return _policy(base)
                chain, candidates, start, untold, depth = callers.pop()
                del path[depth:]

    def _enter(self, table: str, path: list[str]) -> ReadyChain:
        # The kernel would not have loaded a loop; here a chain is parsed only when met, so look then.
        if path[-1] in path[:-1]:
            raise RuleTextError(f"{table}/{path[-1]}", loop_text(path))
        return self._chain(table, path[-1])

    def _count(self, chain: ReadyChain, position: int) -> None:
        key = (chain.table, chain.name, position + 1)
        self.hits[key] = self.hits.get(key, 0) + 1


# chain, its candidates, the next of them to ask, the first position not yet told, how long the path was
_Frame = tuple[ReadyChain, Sequence[int], int, int, int]
_RETURN = Return()


def _verdict(chain: ReadyChain, position: int, target: Final, visit: Visit) -> Verdict:
    if visit.hook not in target.hooks:
        where = ", ".join(sorted(hook.chain for hook in target.hooks))
        raise RuleTextError(
            chain.place(position), f"{target.render()[3:]} was reached from {visit.hook.chain}; it is for {where} only"
        )
    verdict = chain.verdicts.get(position)
    if verdict is None:
        verdict = chain.verdicts[position] = target.verdict(chain.place(position))
    return verdict


def _policy(base: ReadyChain) -> Verdict:
    if base.policy == "ACCEPT":
        return ACCEPT
    return Verdict(Outcome.DROP, why=f"{base.table}/{base.name} policy DROP")
