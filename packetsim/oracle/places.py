"""Rule: who takes part when a kernel is wired as a cluster, and under which code, is settled here, once.

Machines, their interfaces and MACs are those of `packetsim.network`; how they reach each other is not taken from
there, but wired anew, so that it can be judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packetsim.addresses import family_of, network
from packetsim.cluster.model import Cluster, Node, Pod
from packetsim.kernel.machine import Interface, Machine
from packetsim.network import ROUTER, WIRE, Network, veth_of


@dataclass(frozen=True, slots=True)
class Place:
    """A machine of ours, and its namespace there. `pod`: who is there, if it is no node and no mere host outside."""

    name: str
    code: str
    machine: Machine
    node: Node | None = None
    pod: Pod | None = None

    @property
    def eth0(self) -> Interface:
        return self.machine.interfaces[WIRE]

    @property
    def number(self) -> int:
        """The place's own among those of its kind."""
        return int(re.split(r"\D", self.code)[-1])

    def of_family(self, family: int) -> tuple[str, ...]:
        """The addresses on eth0."""
        return tuple(address for address, _ in self.eth0.addresses if family_of(address) == family)

    @property
    def families(self) -> tuple[int, ...]:
        every = self.machine.interfaces.values()
        return families_of(address for one in every if one.name != "lo" for address, _ in one.addresses)


class Places:
    """`nodes`, `pods` (with a node of theirs) and `outside` (endpoints without a node are there, too)."""

    def __init__(self, cluster: Cluster, name: str, outside: Iterable[str]) -> None:
        self.name = name
        self.router, self.gate = f"{name}r", gate_code(name)
        self._network = Network(cluster, _boot_nothing)
        for address in outside:
            if self._network.node_at(address) is None and self._network.pod_at(address) is None:
                self._network.outside[address] = ""
        self.nodes = [
            Place(node.name, f"{name}n{number}", self._network.machine(node.name), node)
            for number, node in enumerate(cluster.nodes.values())
        ]
        self.pods = [
            Place(place, f"{name}p{number}", self._network.machine(place), pod=self._network.pod_named(place))
            for number, place in enumerate(self._of_kind("pod"))
        ]
        self.outside = [
            Place(place, f"{name}o{number}", self._network.machine(place), pod=self._network.pod_named(place))
            for number, place in enumerate(self._of_kind("outside"))
        ]

    def _of_kind(self, kind: str) -> Iterator[str]:
        for place, data in self._network.graph.nodes(data=True):
            if data["kind"] == kind and place != ROUTER:
                yield str(place)

    @property
    def all(self) -> list[Place]:
        return [*self.nodes, *self.pods, *self.outside]

    @property
    def on_the_wire(self) -> list[Place]:
        """Those with an interface on the bridge that the router is, too."""
        return [*self.nodes, *self.outside]

    def pods_on(self, node: str) -> list[Place]:
        return [one for one in self.pods if one.pod is not None and one.pod.node == node]

    def reachable(self, place: Place, families: Iterable[int]) -> list[str]:
        """The addresses at which a Pod can be found; none where nothing answers."""
        pod, wanted = place.pod, tuple(families)
        if pod is None or not pod.answers:
            return []
        return [one for one in pod.addresses if self._network.pod_at(one) is pod and family_of(one) in wanted]

    def strays(self, node: Node) -> list[str]:
        """Addresses of the node's Pods that lie in none of its podCIDRs."""
        cidrs = [network(cidr) for cidr in node.pod_cidrs]
        addresses = (one for place in self.pods_on(node.name) if place.pod for one in place.pod.addresses)
        return [one for one in addresses if not any(one in cidr for cidr in cidrs)]


def families_of(addresses: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({family_of(address) for address in addresses}))


def gate_code(name: str) -> str:
    """The part of the router that what outside hosts send goes through (`wire`)."""
    return f"{name}g"


def veth(place: Place) -> str:
    """The Pod's interface on its node."""
    assert place.pod is not None
    return veth_of(place.pod.key)


def _boot_nothing(machine: Machine) -> None:
    """A wiring has no kube-proxy."""
