"""Rule: a rule is a row of matches and one target; this file says what those two can be asked.

Every match and target is a small frozen value that can print itself as iptables-save does
(libxt_*.c of iptables 1.8.9). Matches are asked in the rule's order, as net/ipv4/netfilter/ip_tables.c
does: first the header (-s -d -i -o -p), then the `-m` matches from left to right.

The bases are plain classes, not ABCs: a walk asks what kind a target is at every rule that matches,
and ABCs answer that several times slower.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from packetsim.hooks import Hook
from packetsim.kernel.visit import Verdict, Visit
from packetsim.ruletext import Origin


class RefusalError(Exception):
    """What was written is not modelled, and the cure. Whoever knows the rule's place adds it."""


class Match:
    """One condition of a rule.

    `fixed`: the answer hangs on the packet and on what the visit carries, so that asking again
    later, or not at all, changes nothing. Dice, lists of recent addresses and sets are not fixed.
    """

    __slots__ = ()
    fixed: ClassVar[bool] = True
    always: ClassVar[bool] = False

    def holds(self, visit: Visit) -> bool:
        raise NotImplementedError

    def why(self, visit: Visit) -> str:
        """Why it did not hold, in few words. Ask only when `holds` said no."""
        raise NotImplementedError

    def render(self) -> str:
        raise NotImplementedError

    def missed(self, visit: Visit) -> str:
        """Nothing when the packet matches, else why it does not."""
        return "" if self.holds(visit) else self.why(visit)


class Target:
    """What a rule does. `effect` says it to a reader; `tables` and `hooks` are where the kernel allows it."""

    __slots__ = ()
    tables: ClassVar[tuple[str, ...]] = ()
    hooks: ClassVar[frozenset[Hook]] = frozenset(Hook)

    @property
    def effect(self) -> str:
        raise NotImplementedError

    def render(self) -> str:
        raise NotImplementedError


class Final(Target):
    """A target that decides: the table has no more to say."""

    __slots__ = ()

    def verdict(self, place: str) -> Verdict:
        raise NotImplementedError


class Altering(Target):
    """A target that changes something about the packet and lets the next rule have it."""

    __slots__ = ()

    def alter(self, visit: Visit) -> None:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Return(Target):
    """Back to the caller; in a built-in chain, the policy decides."""

    @property
    def effect(self) -> str:
        return "RETURN"

    def render(self) -> str:
        return "-j RETURN"


@dataclass(frozen=True, slots=True)
class Jump(Target):
    """Into a user-defined chain. With `goto`, its end goes back to this chain's caller instead of here."""

    chain: str
    goto: bool = False

    @property
    def effect(self) -> str:
        return f"{'goto' if self.goto else 'jump'} {self.chain}"

    def render(self) -> str:
        return f"{'-g' if self.goto else '-j'} {self.chain}"


# (destination address or None for any, protocol, destination port): a packet with another one misses the rule
DispatchKey = tuple[str | None, str, int]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `target` None: it only counts. `text` is what iptables-save prints.

    `tests` are the matches that can fail, `key` what a packet must have to match; both follow from `matches`.
    """

    matches: tuple[Match, ...]
    target: Target | None
    text: str
    origins: tuple[Origin, ...] = ()
    key: DispatchKey | None = field(default=None, compare=False)
    tests: tuple[Match, ...] = field(default=(), compare=False)

    def holds(self, visit: Visit) -> bool:
        # A loop that stops at the first miss: `all()` would cost a generator for each rule.
        for match in self.tests:  # noqa: SIM110
            if not match.holds(visit):
                return False
        return True

    def missed(self, visit: Visit) -> str:
        """Nothing when the packet matches, else why the first match that failed did so."""
        for match in self.tests:
            if not match.holds(visit):
                return match.why(visit)
        return ""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as text has it. `policy` is ACCEPT or DROP for a built-in chain, None for a user-defined one."""

    policy: str | None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """All that one `iptables-save` prints: table -> chain -> rules, in order."""

    family: int
    tables: Mapping[str, Mapping[str, Chain]]
