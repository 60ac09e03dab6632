"""Rule: the shapes that most lines have are read by one pattern, and to the same rule as `line.py` reads.

Anything else, and anything that iptables-save would print differently, is left to `line.py`.
"""

from __future__ import annotations

import re
from functools import lru_cache

from packetsim.addresses import Network, network
from packetsim.kernel.iptables.actions import TARGETS, UNMODELLED
from packetsim.kernel.iptables.given import Given, Scene
from packetsim.kernel.iptables.header import AddressMatch, Destination, PortRange, Ports, Protocol, Source
from packetsim.kernel.iptables.line import LONGEST_CHAIN_NAME, parse_rule, rule_of
from packetsim.kernel.iptables.matches import Comment
from packetsim.kernel.iptables.memory import Recent, Statistic, steps_of
from packetsim.kernel.iptables.model import Jump, Match, RefusalError, Return, Rule, Target
from packetsim.kernel.iptables.quoting import quoted
from packetsim.kernel.iptables.targets import Standard, misplaced
from packetsim.kernel.visit import Outcome
from packetsim.protocols import TRANSPORTS
from packetsim.ruletext import Origin

_USUAL = re.compile(
    r"-A (?P<chain>[A-Za-z0-9-]+)"
    r"(?: (! )?-s ([0-9a-f.:/]+))?"
    r"(?: (! )?-d ([0-9a-f.:/]+))?"
    r"(?: -p (tcp|udp|sctp))?"
    r'(?: -m comment --comment ("[^"\\\'\t\n]{0,250}"))?'
    r"(?: (-m recent (?:--set|--rcheck --seconds ([0-9]{1,9}) --reap)"
    r" --name ([A-Z0-9-]+) --mask [0-9a-f.:]+ --rsource))?"
    r"(?: -m (tcp|udp|sctp)(?: --dport ([1-9][0-9]{0,4}))?)?"
    r"(?: -m statistic --mode random --probability (0\.[0-9]{11}))?"
    r"(?: -j ([A-Z0-9-]+)(?: (--to-destination|--to-ports|--reject-with) (\S+))?)?"
)

_PROTOCOLS = {name: Protocol(name) for name in TRANSPORTS}
_BARE_PORTS = {name: Ports(name) for name in TRANSPORTS}
_PLAIN_TARGETS: dict[str, Target] = {
    "ACCEPT": Standard(Outcome.ACCEPT),
    "DROP": Standard(Outcome.DROP),
    "RETURN": Return(),
}


def read_rule(text: str, family: int, table: str, chain: str, number: int, origins: tuple[Origin, ...] = ()) -> Rule:
    """The rule that the line stands for, by the quickest way that reads it right."""
    usual = parse_usual(text, family, table, chain, origins)
    return parse_rule(text, family, table, chain, number, origins) if usual is None else usual


def parse_usual(text: str, family: int, table: str, chain: str, origins: tuple[Origin, ...]) -> Rule | None:
    """The rule, if the line has a usual shape and reads exactly as iptables-save prints it; else None."""
    found = _USUAL.fullmatch(text)
    if found is None or found["chain"] != chain:
        return None
    _, not_source, source, not_destination, destination, protocol, comment, *rest = found.groups()
    recent, seconds, list_name, module, port, chance, name, option, argument = rest
    try:
        matches: list[Match] = []
        if source is not None:
            matches.append(_address(Source, source, not_source is not None, family))
        if destination is not None:
            matches.append(_address(Destination, destination, not_destination is not None, family))
        if protocol is not None:
            matches.append(_PROTOCOLS[protocol])
        if comment is not None:
            matches.append(_comment(comment))
        if recent is not None:
            matches.append(_recent(recent, list_name, seconds, family))
        if module is not None:
            matches.append(_ports(module, protocol, port))
        if chance is not None:
            matches.append(_statistic(chance))
        target = None if name is None else _target(name, option, argument, Scene(family, protocol), table)
    except (RefusalError, ValueError, KeyError):
        return None
    return rule_of(tuple(matches), target, text, origins)


def _as_printed(same: bool) -> None:
    if not same:
        raise RefusalError("not as iptables-save prints it; read it by the general rules")


def _address(kind: type[AddressMatch], text: str, negated: bool, family: int) -> Match:
    found = _network(text)
    _as_printed(found.text == text and found.family == family and (negated or not found.is_zero))
    return kind(found, negated)


@lru_cache(maxsize=65536)
def _network(text: str) -> Network:
    """As `addresses.network`, and sooner for the single IPv4 address that most rules name."""
    address, slash, length = text.partition("/")
    octets = address.split(".")
    if (slash, length, len(octets)) != ("/", "32", 4) or any(str(int(octet)) != octet for octet in octets):
        return network(text)
    first, second, third, fourth = map(int, octets)
    if max(first, second, third, fourth) > 255:
        return network(text)
    number = first << 24 | second << 16 | third << 8 | fourth
    return Network(text, 4, number, number)


def _comment(printed: str) -> Match:
    text = printed[1:-1]
    _as_printed(text.isascii() and quoted(text) == printed)
    return Comment(text)


@lru_cache(maxsize=4096)
def _ports(module: str, protocol: str | None, port: str | None) -> Match:
    _as_printed(module == protocol)
    if port is None:
        return _BARE_PORTS[module]
    number = int(port)
    _as_printed(number <= 65535)
    return Ports(module, None, PortRange(number, number))


def _statistic(printed: str) -> Match:
    match = Statistic(steps_of(float(printed)))
    _as_printed(match.render().endswith(printed))
    return match


def _target(name: str, option: str | None, argument: str, scene: Scene, table: str) -> Target:
    plain = _PLAIN_TARGETS.get(name)
    if option is not None:
        target = TARGETS[name].build(Given({option: (False, argument)}), scene)
        _as_printed(option in TARGETS[name].options and not misplaced(target, table))
        _as_printed(target.render() == f"-j {name} {option} {argument}")
        return target
    if plain is not None:
        return plain
    _as_printed(name not in TARGETS and name not in UNMODELLED and len(name) <= LONGEST_CHAIN_NAME)
    return Jump(name)


def _recent(printed: str, name: str, seconds: str | None, family: int) -> Match:
    match = Recent(name, None if seconds is None else int(seconds), seconds is not None, family=family)
    _as_printed(match.render() == printed and seconds != "0")
    return match
