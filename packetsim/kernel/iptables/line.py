"""Rule: one `-A CHAIN …` line is read as iptables-restore reads it, and written as iptables-save writes it.

Options may come in any order; the header's are printed first (-s -d -i -o -p), the `-m` matches in
the order given. What is not modelled is refused with its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from packetsim.errors import RuleTextError
from packetsim.kernel.iptables.actions import TARGETS, UNMODELLED
from packetsim.kernel.iptables.extensions import MATCHES, MatchKind, protocol_name
from packetsim.kernel.iptables.given import Arguments, Given, Scene, network_of
from packetsim.kernel.iptables.header import Destination, InInterface, OutInterface, Ports, Protocol, Source
from packetsim.kernel.iptables.model import DispatchKey, Jump, Match, RefusalError, Rule, Target
from packetsim.kernel.iptables.quoting import split_words
from packetsim.kernel.iptables.targets import misplaced
from packetsim.ruletext import Origin

LONGEST_CHAIN_NAME = 28  # XT_EXTENSION_MAXNAMELEN - 1


def place_of(table: str, chain: str, number: int) -> str:
    return f"{table}/{chain} rule {number}"


def parse_rule(text: str, family: int, table: str, chain: str, number: int, origins: tuple[Origin, ...] = ()) -> Rule:
    """The rule that a line of `chain` stands for; `number` counts from 1 and is for the error's place."""
    try:
        words = split_words(text)
        if words[:2] != ["-A", chain]:
            raise RefusalError(f"the line does not begin with -A {chain}; only appended rules are read")
        matches, target = _Reading(words[2:], family).read()
        complaint = misplaced(target, table)
        if complaint:
            raise RefusalError(complaint)
    except RefusalError as refused:
        raise RuleTextError(place_of(table, chain, number), str(refused)) from None
    return rule_of(matches, target, render_rule(chain, matches, target), origins)


def rule_of(matches: tuple[Match, ...], target: Target | None, text: str, origins: tuple[Origin, ...]) -> Rule:
    tests = tuple([match for match in matches if not match.always])
    return Rule(matches, target, text, origins, dispatch_key(tests), tests)


def render_rule(chain: str, matches: tuple[Match, ...], target: Target | None) -> str:
    words = [f"-A {chain}", *[match.render() for match in matches]]
    if target is not None:
        words.append(target.render())
    return " ".join(words)


def dispatch_key(tests: tuple[Match, ...]) -> DispatchKey | None:
    """What a packet must have, by matches that the kernel reaches before any that rolls dice or keeps lists."""
    address = None
    for match in tests:
        if isinstance(match, Destination) and not match.negated:
            address = match.single
        elif isinstance(match, Ports):
            wanted = match.destination
            if wanted is not None and wanted.first == wanted.last and not match.destination_negated:
                return address, match.protocol, wanted.first
        elif not match.fixed:
            return None
    return None


# ---- reading ----------------------------------------------------------------------------------


def _address(kind: Callable[..., Match], text: str, negated: bool, family: int) -> Match | None:
    found = network_of(text, family)
    # do_parse of iptables leaves out a test that every packet passes, but prints its negation.
    return None if found.is_zero and not negated else kind(found, negated)


def _interface(kind: Callable[..., Match], text: str, negated: bool, family: int) -> Match | None:
    if len(text) > 15 or "/" in text:
        raise RefusalError(f"interface name {text!r} is longer than 15 characters or has a slash")
    if text == "+":
        if negated:
            raise RefusalError("! of every interface can never match; leave the rule out")
        return None
    return kind(text, negated)


def _protocol(kind: Callable[..., Match], text: str, negated: bool, family: int) -> Match | None:
    if text in ("all", "0"):
        if negated:
            raise RefusalError("! -p all can never match; leave the rule out")
        return None
    return kind(protocol_name(text), negated)


# In the order in which they are printed and asked.
HEADER: dict[str, tuple[Callable[..., Match | None], Callable[..., Match]]] = {
    "-s": (_address, Source),
    "-d": (_address, Destination),
    "-i": (_interface, InInterface),
    "-o": (_interface, OutInterface),
    "-p": (_protocol, Protocol),
}


@dataclass(slots=True)
class _Reading:
    """One line being read from left to right."""

    words: list[str]
    family: int
    at: int = 0
    header: dict[str, Match | None] = field(default_factory=dict)
    loaded: list[tuple[str, MatchKind, Given]] = field(default_factory=list)
    target: str | None = None
    goto: bool = False
    target_given: Given = field(default_factory=Given)

    def read(self) -> tuple[tuple[Match, ...], Target | None]:
        while self.at < len(self.words):
            word = self._take("an option")
            negated = word == "!"
            self._option(self._take("what '!' negates") if negated else word, negated)
        protocol = self.header.get("-p")
        scene = Scene(self.family, protocol.name if isinstance(protocol, Protocol) and not protocol.negated else None)
        header = [found for option in HEADER if (found := self.header.get(option)) is not None]
        return (*header, *[kind.build(given, scene) for _, kind, given in self.loaded]), self._target(scene)

    def _take(self, what: str) -> str:
        if self.at >= len(self.words):
            raise RefusalError(f"the line ends where {what} is expected")
        self.at += 1
        return self.words[self.at - 1]

    def _option(self, option: str, negated: bool) -> None:
        if option in HEADER:
            self._header(option, negated)
        elif option.startswith("--"):
            self._of_extension(option, negated)
        elif negated:
            raise RefusalError(f"{option} takes no '!'")
        elif option == "-m":
            self._load(self._take("a match's name"))
        elif option in ("-j", "-g") and self.target is None:
            self.target, self.goto = self._take("a target"), option == "-g"
        else:
            raise RefusalError(f'"{option}" is not modelled here; write the rule as iptables-save prints it')

    def _header(self, option: str, negated: bool) -> None:
        if option in self.header:
            raise RefusalError(f"{option} stands twice; write one rule for each")
        read, kind = HEADER[option]
        self.header[option] = read(kind, self._take(f"the argument of {option}"), negated, self.family)

    def _load(self, name: str) -> None:
        kind = MATCHES.get(name)
        if kind is None:
            raise RefusalError(f'match "{name}" is not modelled; modelled are {", ".join(MATCHES)}')
        self.loaded.append((name, kind, Given()))

    def _of_extension(self, option: str, negated: bool) -> None:
        arguments, given = self._owner(option)
        if option in given:
            raise RefusalError(f"{option} stands twice")
        given[option] = (negated, " ".join([self._take(f"the argument of {option}") for _ in range(arguments[option])]))

    def _owner(self, option: str) -> tuple[Arguments, Given]:
        """Who knows this option: the target, the last `-m` that does, or the protocol, loaded unasked."""
        target = TARGETS.get(self.target or "")
        if target is not None and option in target.options:
            return target.options, self.target_given
        protocol = self.header.get("-p")
        implied = protocol.name if isinstance(protocol, Protocol) and not protocol.negated else ""
        for _, kind, given in reversed(self.loaded):
            if option in kind.options:
                return kind.options, given
        if implied in MATCHES and option in MATCHES[implied].options:
            self._load(implied)
            return self.loaded[-1][1].options, self.loaded[-1][2]
        where = (
            f'target "{self.target}"' if self.target else f'match "{self.loaded[-1][0]}"' if self.loaded else "the rule"
        )
        raise RefusalError(f'option "{option}" of {where} is not modelled; write the rule without it')

    def _target(self, scene: Scene) -> Target | None:
        name = self.target
        if name is None:
            return None
        kind = TARGETS.get(name)
        if kind is not None and not self.goto:
            return kind.build(self.target_given, scene)
        if name in UNMODELLED or kind is not None:
            raise RefusalError(
                f'target "{name}" is not modelled{" with -g" if kind else ""}; modelled are {", ".join(TARGETS)}'
            )
        if len(name) > LONGEST_CHAIN_NAME:
            raise RefusalError(f"chain name {name} is longer than {LONGEST_CHAIN_NAME} characters")
        return Jump(name, self.goto)
