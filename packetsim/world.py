"""Rule: the world is a cluster's machines with what kube-proxy wrote on them, at one moment.

The control plane's text meets the data plane's kernels here. All state (conntrack, affinity, IPVS
counters, the userspace balancers) lives here; nothing moves by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from packetsim.cluster.model import Cluster
from packetsim.dice import Dice
from packetsim.kernel.conntrack import Entry
from packetsim.kernel.journey import Journey
from packetsim.kernel.machine import Arrival, Discarded, Fate, Machine
from packetsim.kubeproxy.balancer import LoadBalancerRR
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.modes import DEFAULT_MODE, compiler
from packetsim.kubeproxy.stale_flows import stale_udp_flows
from packetsim.network import Network
from packetsim.packet import Packet
from packetsim.sockets import NodeSockets, ports_on_nodes
from packetsim.trace import Disposition, Ended, Leg, Noted, Step


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one packet: the leg it walked, the machines where it began and ended, and how.

    `packet` is as the sender's socket sent it, its source address chosen. `entries`: the conntrack
    entries it met, with the machine of each.
    """

    leg: Leg
    origin: Machine
    machine: Machine
    fate: Arrival | Discarded
    packet: Packet
    entries: Mapping[int, tuple[str, Entry]]


class World:
    """`mode` "": kube-proxy's default. `now` in seconds; only `wait` moves it.

    `restored`: the text was loaded by `ipvsadm -R`, which adds real servers in the order of the text;
    kube-proxy itself adds them in no order.
    """

    def __init__(self, cluster: Cluster, mode: str, dice: Dice, now: float = 0.0, restored: bool = False) -> None:
        self.mode = mode or DEFAULT_MODE
        self._compile = compiler(self.mode)
        self.dice = dice
        self.now = now
        self._restored = restored
        self._configs: dict[str, NodeConfig] = {}
        self.sockets: dict[str, NodeSockets] = {}  # of each node met
        self.balancers: dict[str, LoadBalancerRR] = {}
        self._settle(cluster)

    def _settle(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._ports = ports_on_nodes(cluster)
        self.network = Network(cluster, self._boot)

    def config(self, node: str) -> NodeConfig:
        """What kube-proxy wrote on the node; compiled when first asked for."""
        self.network.machine(node)
        return self._configs[node]

    def _boot(self, machine: Machine) -> None:
        """kube-proxy on a node that is met for the first time."""
        found = self._configs.get(machine.name)
        if found is None:
            found = self._configs[machine.name] = self._compile(self.cluster, machine.name, None)
        self._load(machine, found)

    def _load(self, machine: Machine, config: NodeConfig) -> None:
        self.sockets[machine.name] = NodeSockets(config, self._ports[machine.name])
        machine.sysctls = config.sysctls
        machine.hold({line.text.partition("/")[0]: "kube-ipvs0" for line in config.dummy_addresses})
        machine.netfilter.load(
            iptables={4: config.iptables, 6: config.ip6tables},
            nft=config.nft,
            sets=config.ipsets,
            servers=config.virtual_servers if config.mode == "ipvs" else None,
            sysctls=config.sysctls,
            ordered=self._restored,
        )
        if config.balancers or machine.name in self.balancers:
            self.balancers.setdefault(machine.name, LoadBalancerRR()).update(config.balancers)

    def apply(self, cluster: Cluster) -> None:
        """The cluster changed: each kube-proxy that has run compiles anew; kernels keep their state."""
        old = self.network
        known = {name: config for name, config in self._configs.items() if name in cluster.nodes}
        self._configs = {name: self._compile(cluster, name, config) for name, config in known.items()}
        self.balancers = {name: balancer for name, balancer in self.balancers.items() if name in known}
        self._settle(cluster)
        self.network.adopt(old)
        for name, config in self._configs.items():
            machine = self.network.machine(name)
            self._load(machine, config)
            if self.mode != "userspace":
                self._forget_stale(machine)

    def _forget_stale(self, machine: Machine) -> None:
        """kube-proxy's last step after a change."""
        table = machine.netfilter.conntrack
        flows = [entry for entry in table.entries() if entry.original[0] == "udp"]
        if not flows:
            return
        is_stale = stale_udp_flows(self.cluster, machine.name)
        for entry in flows:
            if is_stale(*entry.original[3:], entry.reply[1]):
                table.forget(entry)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def copy(self, dice: Dice) -> Self:
        """The same moment under other dice; what happens in one is not seen in the other."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.dice = dice
        twin._configs, twin.sockets = dict(self._configs), dict(self.sockets)
        twin.balancers = {node: balancer.copy() for node, balancer in self.balancers.items()}
        twin.network = self.network.copy(twin._boot)
        return twin

    def carry(self, machine: Machine, packet: Packet, title: str, record: bool) -> Sent:
        """One packet from a machine's socket to wherever it ends."""
        journey = Journey(self.dice, self.now, record)
        journey.enter(machine.name, machine.kind)
        if not packet.source:
            packet = replace(packet, source=machine.source_toward(packet.destination))
        fate: Fate = machine.send(packet, journey)
        last, fate = self.network.carry(machine, fate, journey)
        assert isinstance(fate, Arrival | Discarded)
        if isinstance(fate, Arrival):
            if record:
                journey.note(None, Noted(f"handed to the socket layer of {last.name}"), fate.packet)
            outcome, why = Disposition.DELIVERED, f"it reached {last.name}"
        else:
            outcome, why = fate.outcome, fate.why
        leg = Leg(title, journey.hops, journey.captures, outcome, why)
        return Sent(leg, machine, last, fate, packet, journey.entries)


def with_ending(leg: Leg, outcome: Disposition, why: str, packet: Packet) -> Leg:
    """The leg with what its last machine's sockets made of it."""
    if not leg.hops:
        return replace(leg, outcome=outcome, why=why)
    last = leg.hops[-1]
    ended = replace(last, steps=(*last.steps, Step(None, Ended(outcome, why), packet, packet)))
    return replace(leg, hops=(*leg.hops[:-1], ended), outcome=outcome, why=why)
