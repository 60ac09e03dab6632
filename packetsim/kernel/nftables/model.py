"""Rule: a ruleset is what `nft list ruleset` shows, as values; what a rule does to a packet hangs on its statements.

Statements run from left to right. One that does not hold ends its rule (NFT_BREAK of
net/netfilter/nf_tables_core.c, Linux 6.1), one that decides ends it with a verdict.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from packetsim.hooks import Hook
from packetsim.kernel.nftables.datatypes import Component, Datatype, Key
from packetsim.kernel.visit import Translation, Visit
from packetsim.ruletext import Origin


class Kind(StrEnum):
    """What a decision makes the walk do. BREAK is the kernel's own: this rule does not match."""

    ACCEPT = "accept"
    DROP = "drop"
    CONTINUE = "continue"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    REJECT = "reject"
    TRANSLATE = "translate"
    BREAK = "break"


class Sets(Protocol):
    """What a statement may ask of its table's sets and maps. A name that does not exist is refused."""

    def holds(self, name: str, key: Key, now: float) -> bool:
        """Is `key` an element of the set, or in one of its intervals?"""
        ...

    def find(self, name: str, key: Key) -> Element | None:
        """The map's element for `key`; a set's, unless it was learned."""
        ...

    def learn(self, name: str, key: Key, now: float, timeout: float | None, refresh: bool) -> bool:
        """Put `key` into a dynamic set; `refresh` starts its time anew. False: the set is full."""
        ...


class Statement(ABC):
    """One expression or statement of a rule. Behind one that `decides` nothing else can stand."""

    __slots__ = ()
    decides: ClassVar[bool] = False

    @abstractmethod
    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        """None: go on with the next statement. BROKEN: the rule does not match. Else the rule's decision."""

    @abstractmethod
    def render(self) -> str:
        """As nft 1.0.6 prints it."""

    def why(self, visit: Visit) -> str:
        """Why `act` broke, in few words. It asks nothing that may have changed since."""
        return ""

    def origins_of(self, visit: Visit, sets: Sets) -> tuple[Origin, ...]:
        """What made the set's element by which it held, if one did."""
        return ()

    @property
    def effect(self) -> str:
        """What it does to the packet or to a set, in nft's words; nothing for a question."""
        return ""


@dataclass(frozen=True, slots=True)
class Decision(Statement):
    """A verdict statement (accept, drop, continue, return, jump, goto), and what every other decision comes to.

    `origins`: what made the map element that decided, if one did.
    """

    kind: Kind
    text: str
    chain: str = ""
    reject_with: str = ""
    translation: Translation | None = None
    decides: ClassVar[bool] = True
    origins: tuple[Origin, ...] = field(default=(), compare=False)

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return self

    def render(self) -> str:
        return self.text


BROKEN = Decision(Kind.BREAK, "")


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a set or map. A map's has a `decision` (verdict maps) or a `value`.

    Seconds in `timeout` (its own, where not the set's) and `expires` (left when listed).
    """

    key: tuple[Component, ...]
    decision: Decision | None = None
    value: tuple[Component, ...] = ()
    timeout: float | None = None
    expires: float | None = None
    comment: str = ""
    origins: tuple[Origin, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Set:
    """A named set or map (`keyword`). `value_types` is empty for a set and for a verdict map."""

    keyword: str
    name: str
    key_types: tuple[Datatype, ...]
    value_types: tuple[Datatype, ...] = ()
    verdicts: bool = False
    size: int | None = None
    flags: tuple[str, ...] = ()
    auto_merge: bool = False
    timeout: float | None = None
    gc_interval: float | None = None
    comment: str = ""
    elements: tuple[Element, ...] = ()

    @property
    def expires(self) -> bool:
        """nft leaves the flag `timeout` unsaid where a timeout says it already."""
        return self.timeout is not None or "timeout" in self.flags


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `text` is its line as it was given, without a handle."""

    statements: tuple[Statement, ...]
    comment: str = ""
    text: str = field(default="", compare=False)
    origins: tuple[Origin, ...] = field(default=(), compare=False)

    effect: str = field(init=False, compare=False, repr=False)  # what it does apart from deciding
    set_questions: tuple[Statement, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        effects = (statement.effect for statement in self.statements)
        asks = tuple(one for one in self.statements if type(one).origins_of is not Statement.origins_of)
        object.__setattr__(self, "effect", " ".join(effect for effect in effects if effect))
        object.__setattr__(self, "set_questions", asks)


@dataclass(frozen=True, slots=True)
class Base:
    """What hangs a chain from a hook. `policy` is accept or drop."""

    type: str
    hook: Hook
    priority: int
    policy: str = "accept"


@dataclass(frozen=True, slots=True)
class Chain:
    name: str
    base: Base | None = None
    comment: str = ""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """One table of family `ip` or `ip6`. `sets` holds its maps too, in the listing's order."""

    family: str
    name: str
    comment: str = ""
    sets: Mapping[str, Set] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ruleset:
    tables: tuple[Table, ...] = ()
