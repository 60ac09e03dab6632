"""Rule: one listing, as `nft list ruleset` 1.0.6 printed it on node-a, serves the tests of a whole walk.

Services of the example: `web` (ClusterIP 10.96.100.10, VIP 203.0.113.50 with source ranges, node port
30080, affinity), `local` (10.96.100.20, VIP 203.0.113.60, externalTrafficPolicy Local, its endpoint
elsewhere) and `empty` (10.96.100.30, VIP 203.0.113.70 with source ranges, no endpoints).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from packetsim.dice import Odds
from packetsim.hooks import Hook
from packetsim.kernel.nftables.listing import cut
from packetsim.kernel.nftables.traverse import Nftables
from packetsim.kernel.visit import IpvsConnectionView, Outcome, PacketSet, RecentLists, Verdict, Visit
from packetsim.packet import Packet
from packetsim.trace import ChainEnded, RulesMissed, RuleTried, Step

HERE = "endpoint-FDH7QP7U-shop/web/tcp/http__10.244.1.5/8080"
THERE = "endpoint-W7KABZCH-shop/web/tcp/http__10.244.2.7/8080"
AFFINITY_HERE = HERE.replace("endpoint", "affinity")
AFFINITY_THERE = THERE.replace("endpoint", "affinity")
WEB, LOCAL, EMPTY = "KHN6ECMT-shop/web/tcp/http", "AAAAAAAA-shop/local/tcp/http", "BBBBBBBB-shop/empty/tcp/http"
PLACE = "ip kube-proxy"

LISTINGS = Path(__file__).with_name("listings")
LISTING = (LISTINGS / "worked-example.txt").read_text()


class LoadedDice:
    """Dice that fall as told, then always 0; they note what was asked of them."""

    def __init__(self, ways: Sequence[int] = ()) -> None:
        self._ways = list(ways)
        self.asked: list[Odds] = []

    def pick(self, odds: Odds) -> int:
        self.asked.append(odds)
        return self._ways.pop(0) if self._ways else 0

    def draw(self, low: int, high: int) -> int:
        return low


class Machine:
    """The node's facts: its own addresses are of type LOCAL. No nftables rule asks for more."""

    own = ("192.168.10.11", "127.0.0.1", "fd00::11")
    sets: Mapping[str, PacketSet] = {}

    def address_type(self, address: str) -> str:
        return "LOCAL" if address in self.own else "UNICAST"

    @property
    def recent(self) -> RecentLists:
        raise AssertionError("nftables has no recent lists")

    def ipvs_connection(self, packet: Packet) -> IpvsConnectionView | None:
        raise AssertionError("nftables asks IPVS nothing")


def packet(source: str, destination: str, port: int = 80, protocol: str = "tcp", mark: int = 0) -> Packet:
    return Packet(source, destination, protocol, source_port=40000, destination_port=port, mark=mark)


def visit(
    one: Packet,
    hook: Hook = Hook.PREROUTING,
    *,
    state: str = "NEW",
    ways: Sequence[int] = (),
    now: float = 0.0,
    recorded: bool = True,
    in_interface: str | None = "eth0",
    out_interface: str | None = None,
    dnat: bool = False,
    snat: bool = False,
) -> Visit:
    return Visit(
        facts=Machine(),
        hook=hook,
        packet=one,
        in_interface=in_interface,
        out_interface=out_interface,
        state=state,
        dice=LoadedDice(ways),
        now=now,
        steps=[] if recorded else None,
        dnat=dnat,
        snat=snat,
    )


def loaded(listing: str = LISTING) -> Nftables:
    nftables = Nftables()
    nftables.load(cut(listing))
    return nftables


def hook_verdict(nftables: Nftables, one: Visit) -> Verdict:
    """All base chains at the visit's hook, by priority, until one does not accept."""
    for base in nftables.base_chains(one.hook, one.packet.family):
        verdict = base.run(one)
        if verdict.outcome is not Outcome.ACCEPT:
            return verdict
    return verdict


def tried(one: Visit) -> list[str]:
    """The steps in brief: `chain 1 -> effect`, `chain 2: why`, `chain 1-9 missed`, `chain ended -> caller`."""
    return [_brief(step) for step in one.steps or ()]


def _brief(step: Step) -> str:
    match step.detail:
        case RuleTried() as rule:
            told = f" -> {rule.effect}" if rule.matched else f": {rule.why}"
            return f"{rule.chain} {rule.number}{told}"
        case RulesMissed() as run:
            return f"{run.chain} {run.first}-{run.last} missed"
        case ChainEnded() as end:
            return f"{end.chain} ended -> {end.caller or end.policy}"
    raise AssertionError(step)
