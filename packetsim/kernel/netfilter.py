"""Rule: at each hook everything registered there runs in order of priority, and nothing else does.

One `Netfilter` is one machine's: iptables and nftables rules, conntrack, NAT, ipsets, IPVS. It takes
a packet through one hook; where the packet goes between hooks is the machine's business.
nf_hook_slow (net/netfilter/core.c), nf_nat_inet_fn (nf_nat_core.c), Linux 6.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from packetsim.hooks import IPVS_HOOKS, TABLE_HOOKS, Hook, Priority
from packetsim.kernel import nat
from packetsim.kernel.conntrack import Conntrack, Tracking
from packetsim.kernel.ipset import NOTHING
from packetsim.kernel.ipset import load as load_sets
from packetsim.kernel.iptables.recent import RecentTable
from packetsim.kernel.iptables.traverse import Ruleset
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.traverse import Dropped, Ipvs, NoServer
from packetsim.kernel.journey import Journey
from packetsim.kernel.nftables.traverse import Nftables
from packetsim.kernel.tracking import iptables_ask, nftables_ask
from packetsim.kernel.visit import Facts, IpvsConnectionView, Outcome, PacketSet, Translation, Verdict, Visit
from packetsim.packet import Packet
from packetsim.ruletext import IptablesText, NftTableText, ServerText, SetText
from packetsim.trace import Noted, Tracked, Translated


@dataclass(slots=True)
class Skb:
    """A packet inside one machine, with what the kernel keeps beside it (struct sk_buff).

    `ipvs_done`: IPVS has already sent it on, and leaves it alone from here (skb->ipvs_property).
    """

    packet: Packet
    in_interface: str | None = None
    physical_in: str | None = None
    tracking: Tracking | None = None
    ipvs_done: bool = False


@dataclass(frozen=True, slots=True)
class Stopped:
    """A hook ended the packet's way. `reject_with` "" for a silent drop."""

    outcome: Outcome
    why: str
    reject_with: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """IPVS took the packet for this connection, at this priority of the hook."""

    connection: Connection
    priority: int


HookResult = Stopped | Taken | None
Runner = Callable[[Skb, Visit, Journey], HookResult]
_CONNTRACK_HOOKS = (Hook.PREROUTING, Hook.OUTPUT)
_CONFIRM_HOOKS = (Hook.INPUT, Hook.POSTROUTING)
AddressOf = Callable[[str | None, str], str | None]  # (outgoing interface, destination) -> for MASQUERADE
PrimaryOf = Callable[[str | None, int], str | None]  # (incoming interface, family) -> for REDIRECT


class Netfilter:
    """`address_type`, `address_of` and `primary_of` are the machine's routing, which rules and NAT ask."""

    def __init__(self, address_type: Callable[[str], str], address_of: AddressOf, primary_of: PrimaryOf) -> None:
        self._address_type = address_type
        self._address_of = address_of
        self._primary_of = primary_of
        self.iptables = {4: Ruleset(4), 6: Ruleset(6)}
        self.nftables = Nftables()
        self.ipvs: Ipvs | None = None
        self.conntrack = Conntrack()
        self.recent = RecentTable()
        self._sets = NOTHING
        self._runners: dict[tuple[Hook, int], tuple[tuple[int, Runner], ...]] = {}

    # ---- what rules may ask (kernel.visit.Facts) --------------------------------------------------

    @property
    def sets(self) -> Mapping[str, PacketSet]:
        return self._sets.sets

    def address_type(self, address: str) -> str:
        return self._address_type(address)

    def ipvs_connection(self, packet: Packet) -> IpvsConnectionView | None:
        return self.ipvs.connection_view(packet) if self.ipvs is not None else None

    # ---- loading --------------------------------------------------------------------------------

    def load(
        self,
        iptables: Mapping[int, IptablesText],
        nft: tuple[NftTableText, ...],
        sets: Mapping[str, SetText],
        servers: Mapping[str, ServerText] | None,
        sysctls: Mapping[str, str],
        ordered: bool = False,
    ) -> None:
        """Take over new text; state (conntrack, affinity, IPVS connections) stays. `servers` None: no IPVS.

        `ordered`: real servers are added in the order of the text.
        """
        for family, text in iptables.items():
            for unnamed in self.iptables[family].load(text):
                self.recent.forget(unnamed)
        self.nftables.load(nft)
        self._sets = load_sets(sets, self._sets)
        if servers is not None:
            self.ipvs = self.ipvs or Ipvs(ordered=ordered)
            self.ipvs.configure(sysctls)
            self.ipvs.load(servers)
        self._runners.clear()

    def copy(self, address_type: Callable[[str], str], address_of: AddressOf, primary_of: PrimaryOf) -> Netfilter:
        """Another one in the same state; parsed rules are shared, state is not."""
        twin = Netfilter(address_type, address_of, primary_of)
        twin.iptables = {family: rules.copy() for family, rules in self.iptables.items()}
        twin.nftables = self.nftables.copy()
        twin.ipvs = self.ipvs.copy() if self.ipvs is not None else None
        twin.conntrack = self.conntrack.copy()
        twin.recent = self.recent.copy()
        twin._sets = self._sets
        return twin

    # ---- one hook -------------------------------------------------------------------------------

    def run(
        self,
        hook: Hook,
        skb: Skb,
        out_interface: str | None,
        journey: Journey,
        physical_out: str | None = None,
        after: int | None = None,
    ) -> HookResult:
        """Take the packet through the hook; `after`: only what has a higher priority number than this."""
        runners = self._registered(hook, skb.packet.family)
        if not runners:
            return None
        visit = self._visit(hook, skb, out_interface, physical_out, journey)
        for priority, runner in runners:
            if after is not None and priority <= after:
                continue
            result = runner(skb, visit, journey)
            skb.packet = visit.packet
            if result is not None:
                return result
        return None

    def _visit(
        self, hook: Hook, skb: Skb, out_interface: str | None, physical_out: str | None, journey: Journey
    ) -> Visit:
        facts: Facts = self
        visit = Visit(
            facts=facts,
            hook=hook,
            packet=skb.packet,
            in_interface=skb.in_interface if hook not in (Hook.OUTPUT, Hook.POSTROUTING) else None,
            out_interface=out_interface,
            state="UNTRACKED",
            dice=journey.dice,
            now=journey.now,
            steps=journey.steps,
            physical_in=skb.physical_in,
            physical_out=physical_out,
        )
        _show(skb.tracking, visit)
        return visit

    def _registered(self, hook: Hook, family: int) -> tuple[tuple[int, Runner], ...]:
        found = self._runners.get((hook, family))
        if found is None:
            found = tuple(sorted(self._find(hook, family), key=lambda one: one[0]))
            self._runners[hook, family] = found
        return found

    def _find(self, hook: Hook, family: int) -> list[tuple[int, Runner]]:
        tables = self.iptables[family]
        found: list[tuple[int, Runner]] = [
            (hooks[hook], self._table_runner(family, table))
            for table, hooks in TABLE_HOOKS.items()
            if table != "nat" and hook in hooks and table in tables.tables
        ]
        nat_rules: list[tuple[int, Callable[[Visit], Verdict]]] = []
        if "nat" in tables.tables and hook in TABLE_HOOKS["nat"]:
            nat_rules.append((TABLE_HOOKS["nat"][hook], lambda visit: tables.run("nat", visit)))
        for base in self.nftables.base_chains(hook, family):
            if base.kind == "nat":
                nat_rules.append((base.priority, base.run))
            else:
                found.append((base.priority, _verdict_runner(base.run)))
        tracked = iptables_ask(tables.text) or nftables_ask(self.nftables.texts(family))
        if hook in nat.SIDE and tracked:
            rules = tuple(run for _, run in sorted(nat_rules, key=lambda one: one[0]))
            found.append((TABLE_HOOKS["nat"][hook], self._nat_runner(rules)))
        if hook in _CONNTRACK_HOOKS and tracked:
            found.append((Priority.CONNTRACK, self._track))
        if hook in _CONFIRM_HOOKS and tracked:
            found.append((Priority.CONNTRACK_CONFIRM, self._confirm))
        if self.ipvs is not None and hook in IPVS_HOOKS:
            first, second = IPVS_HOOKS[hook]
            found.append((second if hook is Hook.FORWARD else first, self._ipvs_reply))
            if hook is not Hook.FORWARD:
                found.append((second, self._ipvs_request(second)))
        return found

    # ---- conntrack and NAT ------------------------------------------------------------------------

    def _track(self, skb: Skb, visit: Visit, journey: Journey) -> HookResult:
        if self.ipvs is not None:
            for ended in self.ipvs.tick(visit.now):  # ip_vs_conn_expire: its conntrack entry goes with it
                self.conntrack.forget_flow(ended.request_key)
        if skb.tracking is None:  # else seen before, over loopback or by IPVS
            skb.tracking = self.conntrack.track(visit.packet, visit.now)
            _show(skb.tracking, visit)
            entry = skb.tracking.entry
            if entry is not None:
                journey.met(entry)
            if visit.steps is not None:
                visit.note(Tracked(skb.tracking.state, entry.listed(visit.now) if entry is not None else ""))
        return None

    def _confirm(self, skb: Skb, visit: Visit, journey: Journey) -> HookResult:
        if skb.tracking is not None:
            self.conntrack.confirm(skb.tracking)
        return None

    def _nat_runner(self, rules: tuple[Callable[[Visit], Verdict], ...]) -> Runner:
        def run(skb: Skb, visit: Visit, journey: Journey) -> HookResult:
            tracking = skb.tracking
            if tracking is None or tracking.entry is None:
                return None
            side, entry, by = nat.SIDE[visit.hook], tracking.entry, "conntrack"
            if tracking.state == "NEW" and not entry.confirmed and side not in entry.settled:
                by = "rule"
                wanted, stopped = _wanted(rules, visit)
                if stopped is not None:
                    return stopped
                address = self._chosen(wanted, visit)
                nat.settle(self.conntrack, entry, side, wanted, address, visit.dice)
            before = visit.packet
            visit.packet = nat.apply(before, tracking, side)
            if visit.packet is not before:
                visit.dnat, visit.snat = entry.dnat, entry.snat
                if visit.steps is not None:
                    visit.note(_translated(side, before, visit.packet, by), before)
            return None

        return run

    def _chosen(self, wanted: Translation | None, visit: Visit) -> str | None:
        """The address that MASQUERADE and REDIRECT leave to the kernel."""
        if wanted is None or wanted.address is not None:
            return None
        if wanted.kind == "masquerade":
            return self._address_of(visit.out_interface, visit.packet.destination)
        if wanted.kind == "redirect":
            if visit.hook is Hook.OUTPUT:
                return "::1" if visit.packet.family == 6 else "127.0.0.1"
            return self._primary_of(visit.in_interface, visit.packet.family)
        return None

    # ---- rules ----------------------------------------------------------------------------------

    def _table_runner(self, family: int, table: str) -> Runner:
        ruleset = self.iptables[family]
        return _verdict_runner(lambda visit: ruleset.run(table, visit))

    # ---- IPVS -----------------------------------------------------------------------------------

    def _ipvs_request(self, priority: int) -> Runner:
        def run(skb: Skb, visit: Visit, journey: Journey) -> HookResult:
            assert self.ipvs is not None
            if skb.ipvs_done or visit.packet.quoted is not None:
                return None
            match self.ipvs.schedule(visit):
                case NoServer(_, why):
                    return Stopped(Outcome.REJECT, f"IPVS: {why}", "icmp-port-unreachable")
                case Dropped(connection, forgets, why):
                    if forgets and skb.tracking is not None and skb.tracking.entry is not None:
                        self.conntrack.forget(skb.tracking.entry)
                    return Stopped(Outcome.DROP, f"IPVS, connection of {connection.client_text}: {why}")
                case Connection() as connection:
                    return Taken(connection, priority)
                case _:
                    return None

        return run

    def _ipvs_reply(self, skb: Skb, visit: Visit, journey: Journey) -> HookResult:
        """Give an answer from a real server the virtual server's address again (ip_vs_out, handle_response)."""
        assert self.ipvs is not None
        before = visit.packet
        if skb.ipvs_done:
            return None
        if before.quoted is not None:
            connection = self.ipvs.related(before)
            if connection is None or before.quoted.destination != connection.real_address:
                return None
            quoted = before.quoted.with_destination(connection.virtual_address, connection.virtual_port)
            visit.packet = replace(before, source=connection.virtual_address, quoted=quoted)
        else:
            connection = self.ipvs.reply(before, visit.now)
            if connection is None:
                return None
            visit.packet = before.with_source(connection.virtual_address, connection.virtual_port)
        if visit.steps is not None:
            visit.note(_translated("source", before, visit.packet, "IPVS"), before)
        return None


def _show(tracking: Tracking | None, visit: Visit) -> None:
    if tracking is not None:
        visit.state, visit.reply = tracking.state, tracking.reply
        if tracking.entry is not None:
            visit.dnat, visit.snat = tracking.entry.dnat, tracking.entry.snat


def _wanted(rules: tuple[Callable[[Visit], Verdict], ...], visit: Visit) -> tuple[Translation | None, Stopped | None]:
    """The first translation that a nat chain asks for; later chains are then not run (nf_nat_inet_fn)."""
    if not rules and visit.steps is not None:
        visit.note(Noted("no nat chain hangs here"))
    for run in rules:
        verdict = run(visit)
        if verdict.outcome is Outcome.TRANSLATE:
            return verdict.translation, None
        if verdict.outcome is not Outcome.ACCEPT:
            return None, Stopped(verdict.outcome, verdict.why, verdict.reject_with)
    return None, None


def _verdict_runner(run_rules: Callable[[Visit], Verdict]) -> Runner:
    def run(skb: Skb, visit: Visit, journey: Journey) -> HookResult:
        verdict = run_rules(visit)
        if verdict.outcome is Outcome.ACCEPT:
            return None
        return Stopped(verdict.outcome, verdict.why, verdict.reject_with)

    return run


def _translated(side: str, before: Packet, after: Packet, by: str) -> Translated:
    if side == "source":
        return Translated(side, before.from_text, after.from_text, by)
    return Translated(side, before.to_text, after.to_text, by)
