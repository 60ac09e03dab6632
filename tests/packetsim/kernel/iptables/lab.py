"""Rule: one machine's facts, dice that fall as told, and packets, for the iptables tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packetsim.dice import Odds
from packetsim.hooks import Hook
from packetsim.kernel.iptables.recent import RecentTable
from packetsim.kernel.iptables.text import split
from packetsim.kernel.iptables.traverse import Ruleset
from packetsim.kernel.visit import IpvsConnectionView, PacketSet, RecentLists, Verdict, Visit
from packetsim.packet import Packet
from packetsim.trace import ChainEnded, Detail, RulesMissed, RuleTried

GOLDEN = Path(__file__).parents[2] / "golden"
WORKED = (GOLDEN / "iptables" / "worked-example.txt").read_text()
POD = Packet("10.244.1.9", "10.96.100.10", "tcp", 40000, 80, flags="S")


class Falls:
    """Dice that take the told ways in turn, then way 0; `asked` is what was rolled for."""

    def __init__(self, *ways: int) -> None:
        self.ways = list(ways)
        self.asked: list[Odds] = []

    def pick(self, odds: Odds) -> int:
        self.asked.append(odds)
        return self.ways.pop(0) if self.ways else 0

    def draw(self, low: int, high: int) -> int:
        return low


@dataclass(frozen=True)
class Elements:
    """A set of elements written ADDRESS,PROTOCOL:PORT."""

    entries: frozenset[str]

    def describe(self, packet: Packet, directions: tuple[str, ...]) -> str:
        return f"{packet.destination},{packet.protocol}:{packet.destination_port}"

    def matches(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        return self.describe(packet, directions) in self.entries


@dataclass
class Connection:
    virtual_address: str = "203.0.113.50"
    virtual_port: int = 80
    protocol: str = "tcp"


@dataclass
class NodeFacts:
    local: set[str] = field(default_factory=lambda: {"192.168.10.11", "127.0.0.1"})
    sets: Mapping[str, PacketSet] = field(default_factory=dict)
    recent: RecentLists = field(default_factory=RecentTable)
    connection: IpvsConnectionView | None = None

    def address_type(self, address: str) -> str:
        return "LOCAL" if address in self.local else "UNICAST"

    def ipvs_connection(self, packet: Packet) -> IpvsConnectionView | None:
        return self.connection


def a_visit(packet: Packet = POD, hook: Hook = Hook.PREROUTING, dice: Falls | None = None, **more: object) -> Visit:
    """A watched visit; `more` replaces any of its fields."""
    visit = Visit(NodeFacts(), hook, packet, "cni0", None, "NEW", dice or Falls(), 1000.0, [])
    return replace(visit, **more)  # type: ignore[arg-type]


def rules(text: str, family: int = 4, indexed: bool = True) -> Ruleset:
    loaded = Ruleset(family, indexed)
    loaded.load(split(text))
    return loaded


def nat(*lines: str) -> str:
    """A nat table with these rules; every chain they name is declared."""
    names = {line.split()[1] for line in lines} - {"PREROUTING"}
    chains = [":PREROUTING ACCEPT [0:0]", *[f":{name} - [0:0]" for name in sorted(names)]]
    return "\n".join(["*nat", *chains, *lines, "COMMIT", ""])


def told(details: list[Detail]) -> list[str]:
    """Each detail as one line a test can compare: `CHAIN NUMBER + effect` or `CHAIN NUMBER - why`."""
    return [line for detail in details for line in _lines(detail)]


def _lines(detail: Detail) -> list[str]:
    match detail:
        case RuleTried(chain=chain, number=number, matched=True, effect=effect):
            return [f"{chain} {number} + {effect}"]
        case RuleTried(chain=chain, number=number, why=why):
            return [f"{chain} {number} - {why}"]
        case RulesMissed(chain=chain, first=first, last=last):
            return [f"{chain} {first}..{last} missed"]
        case ChainEnded(chain=chain, caller=caller, policy=policy):
            return [f"{chain} ends, {f'back to {caller}' if caller else f'policy {policy}'}"]
        case other:
            return [repr(other)]


def walk(ruleset: Ruleset, table: str, visit: Visit) -> tuple[Verdict, list[str]]:
    verdict = ruleset.run(table, visit)
    return verdict, told([step.detail for step in visit.steps or []])
