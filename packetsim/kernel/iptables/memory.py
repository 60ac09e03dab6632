"""Rule: a match whose answer may differ when asked again: dice, recent addresses, sets, IPVS connections.

Each is asked exactly once for each packet that reaches it, in the rule's order.
Behaviour after net/netfilter/xt_{statistic,recent,set,ipvs}.c (Linux 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor
from typing import ClassVar

from packetsim.dice import Odds
from packetsim.kernel.iptables.header import Destination, Protocol, negation, port_why
from packetsim.kernel.iptables.model import Match, RefusalError
from packetsim.kernel.visit import PacketSet, Visit
from packetsim.protocols import PROTOCOL_NUMBERS

STATISTIC_STEPS = 2**31  # xt_statistic compares 31 random bits
# kube-proxy writes ten decimals, which moves the number by up to this much more than rounding does.
_DECIMALS_SLACK = Fraction(STATISTIC_STEPS, 2 * 10**10)


@lru_cache(maxsize=8192)
def odds_of(steps: int) -> Odds:
    """`steps` of the kernel's 2^31 numbers match; `meant` is the simplest fraction that is written like that."""
    width = Fraction(1, 2) + _DECIMALS_SLACK
    low, high = (max(Fraction(0), (steps + side) / STATISTIC_STEPS) for side in (-width, width))
    meant = simplest_between(low, high)
    return Odds((steps, STATISTIC_STEPS - steps), (meant, 1 - meant))


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator from `low` up to `high`: a walk down the Stern-Brocot tree."""
    whole = low.numerator // low.denominator
    if whole == low:
        return Fraction(whole)
    if whole + 1 < high:
        return Fraction(whole + 1)
    return whole + 1 / simplest_between(1 / (high - whole), 1 / (low - whole))


def steps_of(probability: float) -> int:
    """lround(2^31 * P), as libxt_statistic.c stores it."""
    return floor(probability * STATISTIC_STEPS + 0.5)


@dataclass(frozen=True, slots=True)
class Statistic(Match):
    """`--mode random`: true for `steps` of 2^31 equally likely numbers."""

    steps: int
    negated: bool = False
    fixed: ClassVar[bool] = False

    def holds(self, visit: Visit) -> bool:
        if self.steps in (0, STATISTIC_STEPS):
            return (self.steps > 0) != self.negated
        return (visit.dice.pick(odds_of(self.steps)) == 0) != self.negated

    def why(self, visit: Visit) -> str:
        chance = odds_of(self.steps).meant[1 if self.negated else 0]
        return f"rolled a miss ({chance.numerator} in {chance.denominator})"

    def render(self) -> str:
        printed = f"{self.steps / STATISTIC_STEPS:.11f}"
        return f"-m statistic --mode random {negation(self.negated)}--probability {printed}"


@dataclass(frozen=True, slots=True)
class Recent(Match):
    """`-m recent`: remember an address (`seconds` None: --set), or ask whether it was seen (--rcheck).

    `seconds` 0: ever seen. `side` is rsource or rdest.
    """

    name: str
    seconds: int | None
    reap: bool = False
    side: str = "rsource"
    family: int = 4
    negated: bool = False
    fixed: ClassVar[bool] = False

    MASKS: ClassVar[dict[int, str]] = {4: "255.255.255.255", 6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}

    def _address(self, visit: Visit) -> str:
        return visit.packet.source if self.side == "rsource" else visit.packet.destination

    def holds(self, visit: Visit) -> bool:
        lists = visit.facts.recent
        if self.seconds is None:
            lists.set(self.name, self._address(visit), visit.now)
            return not self.negated
        seen = lists.seen_within(self.name, self._address(visit), self.seconds, visit.now, self.reap)
        return seen != self.negated

    def why(self, visit: Visit) -> str:
        if self.seconds is None:
            return f"{self._address(visit)} remembered in {self.name}, and the match is negated"
        within = f" within {self.seconds} s" if self.seconds else ""
        return f"{self._address(visit)} {'' if self.negated else 'not '}seen in {self.name}{within}"

    def render(self) -> str:
        verb = "--set" if self.seconds is None else "--rcheck"
        seconds = f" --seconds {self.seconds}" if self.seconds else ""
        reap = " --reap" if self.reap else ""
        tail = f"--name {self.name} --mask {self.MASKS[self.family]} --{self.side}"
        return f"-m recent {negation(self.negated)}{verb}{seconds}{reap} {tail}"


@dataclass(frozen=True, slots=True)
class InSet(Match):
    """`-m set --match-set NAME src|dst,…`."""

    name: str
    directions: tuple[str, ...]
    negated: bool = False
    fixed: ClassVar[bool] = False

    def _set(self, visit: Visit) -> PacketSet:
        found = visit.facts.sets.get(self.name)
        if found is None:
            raise RefusalError(f"set {self.name} does not exist; load the ipsets before the rules")
        return found

    def holds(self, visit: Visit) -> bool:
        return self._set(visit).matches(visit.packet, self.directions) != self.negated

    def why(self, visit: Visit) -> str:
        element = self._set(visit).describe(visit.packet, self.directions)
        return f"{element}{' is in ' if self.negated else ' not in '}set {self.name}"

    def render(self) -> str:
        return f"-m set {negation(self.negated)}--match-set {self.name} {','.join(self.directions)}"


@dataclass(frozen=True, slots=True)
class Ipvs(Match):
    """What the packet's IPVS connection was addressed to. Each question may be negated on its own."""

    protocol: Protocol | None = None
    address: Destination | None = None
    port: int | None = None
    port_negated: bool = False
    fixed: ClassVar[bool] = False

    def holds(self, visit: Visit) -> bool:
        return not self.why(visit)

    def why(self, visit: Visit) -> str:
        # ipvs_mt asks protocol, port, then address, and says no to everything that IPVS does not handle.
        connection = visit.facts.ipvs_connection(visit.packet)
        if connection is None:
            return "not of an IPVS connection"
        if self.protocol is not None and not self.protocol.covers(connection.protocol):
            return self.protocol.why_not("IPVS protocol", connection.protocol)
        if self.port is not None and (connection.virtual_port == self.port) == self.port_negated:
            return port_why("IPVS port", connection.virtual_port, str(self.port), self.port_negated)
        if self.address is not None and not self.address.covers(connection.virtual_address):
            return self.address.why_not("IPVS address", connection.virtual_address)
        return ""

    def render(self) -> str:
        text = "-m ipvs"
        if self.protocol is not None:
            name = self.protocol.name
            text += f" {negation(self.protocol.negated)}--vproto {PROTOCOL_NUMBERS.get(name, name)}"
        if self.address is not None:
            # Unlike -s, a single address is printed without its length (libxt_ipvs.c, xtables_ipmask_to_numeric).
            where = self.address.network
            single = where.prefix_length == (128 if where.family == 6 else 32)
            printed = where.text.partition("/")[0] if single else where.text
            text += f" {negation(self.address.negated)}--vaddr {printed}"
        if self.port is not None:
            text += f" {negation(self.port_negated)}--vport {self.port}"
        return text
