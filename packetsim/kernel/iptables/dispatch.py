"""Rule: a long chain is asked only where it could answer, and tells the same as if asked rule by rule.

Rules that need one destination port (and perhaps one address) are kept by what they need. For a given
packet the others of them miss for certain, by matches that neither roll dice nor keep lists.
"""

from __future__ import annotations

from collections.abc import Sequence

from packetsim.kernel.iptables.header import Ports
from packetsim.kernel.iptables.line import place_of
from packetsim.kernel.iptables.matches import AddressType
from packetsim.kernel.iptables.model import Chain, DispatchKey, Rule
from packetsim.kernel.visit import Verdict
from packetsim.packet import Packet
from packetsim.ruletext import ChainText
from packetsim.trace import RuleTried

SHORT = 8  # a chain of fewer rules is asked rule by rule


class ReadyChain:
    """A parsed chain, ready to be walked; positions in it count from 0.

    It also keeps what has been said of its rules, since the same is said to one packet after another.
    """

    __slots__ = (
        "_by_key",
        "_open",
        "asks_address_type",
        "matched",
        "missed",
        "name",
        "policy",
        "rules",
        "source",
        "table",
        "verdicts",
    )

    def __init__(self, table: str, name: str, source: ChainText, chain: Chain, indexed: bool = True) -> None:
        self.table = table
        self.name = name
        self.source = source
        self.policy = chain.policy
        self.rules: tuple[Rule, ...] = chain.rules
        self.verdicts: dict[int, Verdict] = {}
        self.matched: dict[int, RuleTried] = {}
        self.missed: dict[int, RuleTried] = {}
        self._by_key: dict[DispatchKey, list[int]] = {}
        self._open: Sequence[int] = range(len(self.rules))
        self.asks_address_type = False
        if indexed and len(self.rules) >= SHORT:
            self._index()

    def _index(self) -> None:
        still_open = []
        by_key = self._by_key
        for position, rule in enumerate(self.rules):
            if rule.key is None:
                still_open.append(position)
            else:
                by_key.setdefault(rule.key, []).append(position)
                self.asks_address_type = self.asks_address_type or _asks_address_type(rule)
        self._open = tuple(still_open)

    def place(self, position: int) -> str:
        return place_of(self.table, self.name, position + 1)

    def candidates(self, packet: Packet) -> Sequence[int]:
        """The positions, in order, of all rules that this packet could match."""
        by_key = self._by_key
        if not by_key:
            return self._open
        protocol, port = packet.protocol, packet.destination_port
        exact = by_key.get((packet.destination, protocol, port))
        any_address = by_key.get((None, protocol, port))
        if exact is None and any_address is None:
            return self._open
        return sorted((*self._open, *(exact or ()), *(any_address or ())))


def _asks_address_type(rule: Rule) -> bool:
    """Does the rule ask for an address's type before the port that its key holds?"""
    for match in rule.tests:
        if isinstance(match, AddressType):
            return True
        if isinstance(match, Ports):
            break
    return False
