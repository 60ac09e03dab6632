"""Rule: who is wired to whom is decided here; what a machine does with a packet is not.

The wiring is that of a plain cluster: on each node a bridge `cni0` with a veth pair to each Pod,
`eth0` on one wire shared by the nodes, and a router on the wire that leads outside and knows every
Pod network. Nodes route each other's Pod networks (host-gw). Machines are made when first met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from hashlib import sha256

import networkx as nx

from packetsim.addresses import Network as Subnet
from packetsim.addresses import full_length, network
from packetsim.cluster.model import Cluster, Key, Node, Pod
from packetsim.kernel.journey import Journey
from packetsim.kernel.machine import Departure, Discarded, Fate, Interface, Machine, Neighbour, Resolve
from packetsim.kernel.routing import Route
from packetsim.kubeproxy.node_addresses import gateway
from packetsim.packet import Packet
from packetsim.trace import Disposition, Ended, Noted

WIRE_LENGTH = {4: 24, 6: 64}  # the nodes' subnet; a Node object does not tell it
BRIDGE, WIRE, ROUTER = "cni0", "eth0", "router"
DEFAULT_ROUTE = {4: "0.0.0.0/0", 6: "::/0"}


@lru_cache(maxsize=65536)
def mac_of(place: str, interface: str) -> str:
    """A locally administered MAC, the same one every time."""
    return "02:" + ":".join(f"{byte:02x}" for byte in sha256(f"{place} {interface}".encode()).digest()[:5])


@lru_cache(maxsize=65536)
def veth_of(key: Key) -> str:
    return "veth" + sha256("/".join(key).encode()).hexdigest()[:8]


class Network:
    """The machines of one cluster and the links between them.

    `outside`: addresses of hosts beyond the router that have sent something, with the node their
    traffic enters by ("" for none in particular).
    """

    def __init__(self, cluster: Cluster, boot: Callable[[Machine], None]) -> None:
        """`boot` is called with each node's machine when it is first met."""
        self.cluster = cluster
        self._boot = boot
        self.outside: dict[str, str] = {}
        self._machines: dict[str, Machine] = {}
        self._pod_at: dict[str, Pod] = {}
        self._node_at = {address: node.name for node in cluster.nodes.values() for address in node.addresses}
        self._cidrs = [(network(cidr), node.name) for node in cluster.nodes.values() for cidr in node.pod_cidrs]
        self._strays: dict[str, str] = {}  # Pod address outside its node's podCIDR -> node
        for pod in cluster.pods.values():
            if not pod.host_network:
                self._place(pod)
        for pod in self._unknown_endpoints():
            self._place(pod)

    def _place(self, pod: Pod) -> None:
        cidrs = [network(cidr) for cidr in self.cluster.nodes[pod.node].pod_cidrs] if pod.node else []
        for address in pod.addresses:
            self._pod_at.setdefault(address, pod)
            if pod.node and not any(address in cidr for cidr in cidrs):
                self._strays[address] = pod.node

    def _unknown_endpoints(self) -> Iterator[Pod]:
        """An endpoint address without a Pod object counts as one that answers."""
        for slices in self.cluster.slices.values():
            for one in slices:
                if one.made_by_controller:
                    continue
                for endpoint in one.endpoints:
                    address = endpoint.address
                    if address in self._pod_at or address in self._node_at:
                        continue
                    node = endpoint.node or next((name for cidr, name in self._cidrs if address in cidr), "")
                    node = node if node in self.cluster.nodes else ""
                    yield Pod("", f"endpoint {address}", node, (address,))

    # ---- who is who -----------------------------------------------------------------------------

    def pod_at(self, address: str) -> Pod | None:
        return self._pod_at.get(address)

    def pod_named(self, place: str) -> Pod | None:
        """The Pod whose machine has this name (see place_of)."""
        namespace, _, name = place.partition("/")
        found = self.cluster.pods.get((namespace, name))
        return found or self._pod_at.get(place)

    def node_at(self, address: str) -> str | None:
        return self._node_at.get(address)

    def machine(self, place: str) -> Machine:
        """The machine of a node's name, `ns/pod`, or an outside address."""
        found = self._machines.get(place)
        if found is None:
            found = self._machines[place] = self._build(place)
            if found.kind == "node":
                self._boot(found)
        return found

    @property
    def met(self) -> dict[str, Machine]:
        """The machines that exist so far."""
        return self._machines

    def copy(self, boot: Callable[[Machine], None]) -> Network:
        """The same wiring with every machine in its present state; what happens in one is not seen in the other."""
        twin = object.__new__(Network)
        twin.__dict__.update(self.__dict__)
        twin._boot = boot
        twin.outside = dict(self.outside)
        twin._machines = {}
        for place, machine in self._machines.items():
            twin._machines[place] = machine.copy()
            twin._machines[place].resolve = twin._resolver(place)
        return twin

    def adopt(self, old: Network) -> None:
        """After a change of the cluster: nodes that are wired as before keep their kernel's state."""
        self.outside = dict(old.outside)
        for place, machine in old.met.items():
            node, before = self.cluster.nodes.get(place), old.cluster.nodes.get(place)
            if node is None or before is None:
                continue
            if (node.addresses, node.pod_cidrs) == (before.addresses, before.pod_cidrs):
                self.machine(place).continue_from(machine)

    def _build(self, place: str) -> Machine:
        if place in self.cluster.nodes:
            return self._build_node(self.cluster.nodes[place])
        pod = self.pod_named(place)
        if pod is not None and pod.node:
            return self._build_pod(place, pod)
        return self._build_outside(place, pod.addresses if pod is not None else (place,))

    @staticmethod
    def place_of(pod: Pod) -> str:
        """The name of a Pod's machine; a nameless endpoint goes by its address."""
        return f"{pod.namespace}/{pod.name}" if pod.namespace else pod.addresses[0]

    # ---- building -------------------------------------------------------------------------------

    def _build_node(self, node: Node) -> Machine:
        bridge = tuple((gateway(cidr), network(cidr).prefix_length) for cidr in node.pod_cidrs)
        wire = tuple((address, WIRE_LENGTH[6 if ":" in address else 4]) for address in node.addresses)
        interfaces = (
            Interface("lo", "00:00:00:00:00:00", (("127.0.0.1", 8), ("::1", 128))),
            Interface(WIRE, mac_of(node.name, WIRE), wire),
            Interface(BRIDGE, mac_of(node.name, BRIDGE), bridge),
            *(
                Interface(veth_of(pod.key), mac_of(node.name, veth_of(pod.key)), bridge=BRIDGE)
                for pod in self._pods_on.get(node.name, ())
            ),
        )
        return Machine(node.name, "node", interfaces, tuple(self._node_routes(node)), self._resolver(node.name))

    @cached_property
    def _pods_on(self) -> dict[str, list[Pod]]:
        """Node name -> the Pods with a network of their own there."""
        found: dict[str, dict[int, Pod]] = {}
        for pod in self._pod_at.values():
            found.setdefault(pod.node, {})[id(pod)] = pod
        return {node: list(pods.values()) for node, pods in found.items()}

    def _node_routes(self, node: Node) -> Iterator[Route]:
        for address in node.addresses:
            family = 6 if ":" in address else 4
            subnet = network(f"{address}/{WIRE_LENGTH[family]}")
            yield Route(subnet, WIRE, source=address)
            yield Route(network(DEFAULT_ROUTE[family]), WIRE, via=self._router(subnet))
            for other in self.cluster.nodes.values():
                hop = other.address(family)
                if other.name == node.name or hop is None:
                    continue
                via = hop if hop in subnet else self._router(subnet)
                for net in self._networks_of(other.name, family):
                    yield Route(net, WIRE, via=via)
        for cidr in node.pod_cidrs:
            yield Route(network(cidr), BRIDGE, source=gateway(cidr))
        for address, owner in self._strays.items():
            if owner == node.name:
                yield Route(network(f"{address}/{full_length(address)}"), BRIDGE)

    def _networks_of(self, node: str, family: int) -> Iterator[Subnet]:
        yield from (cidr for cidr, name in self._cidrs if name == node and cidr.family == family)
        for address, owner in self._strays.items():
            if owner == node and (":" in address) == (family == 6):
                yield network(f"{address}/{full_length(address)}")

    def _router(self, subnet: Subnet) -> str:
        """The router's address on a wire: the first host, else the last, as long as no node has it."""
        first, last = subnet.host(1), subnet.host(subnet.last - subnet.first - 1)
        return last if first in self._node_at else first

    def _build_pod(self, place: str, pod: Pod) -> Machine:
        node = self.cluster.nodes[pod.node]
        addresses: list[tuple[str, int]] = []
        routes: list[Route] = []
        for address in pod.addresses:
            family = 6 if ":" in address else 4
            cidr = node.pod_cidr(family)
            if cidr is not None and address in network(cidr):
                addresses.append((address, network(cidr).prefix_length))
                routes.append(Route(network(cidr), WIRE, source=address))
            else:
                addresses.append((address, full_length(address)))
            via = gateway(cidr) if cidr is not None else node.address(family)
            routes.append(Route(network(DEFAULT_ROUTE[family]), WIRE, via=via))
        interfaces = (
            Interface("lo", "00:00:00:00:00:00", (("127.0.0.1", 8), ("::1", 128))),
            Interface(WIRE, mac_of(place, WIRE), tuple(addresses)),
        )
        return Machine(place, "pod", interfaces, tuple(routes), self._resolver(place))

    def _build_outside(self, place: str, addresses: tuple[str, ...]) -> Machine:
        lengths = tuple((one, WIRE_LENGTH[6 if ":" in one else 4]) for one in addresses)
        routes = tuple(Route(network(DEFAULT_ROUTE[6 if ":" in one else 4]), WIRE) for one in addresses)
        return Machine(
            place, "outside", (Interface(WIRE, mac_of(place, WIRE), lengths),), routes, self._resolver(place)
        )

    # ---- links ----------------------------------------------------------------------------------

    def _resolver(self, place: str) -> Resolve:
        def resolve(interface: str, address: str) -> Neighbour | None:
            return self._neighbour(place, interface, address)

        return resolve

    def _neighbour(self, place: str, interface: str, address: str) -> Neighbour | None:
        """Who on the link of `interface` answers for `address`."""
        if place in self.cluster.nodes and interface == BRIDGE:
            pod = self._pod_at.get(address)
            if pod is None or pod.node != place or not pod.answers:
                return None
            return Neighbour(mac_of(self.place_of(pod), WIRE), veth_of(pod.key))
        if place not in self.cluster.nodes and self.machine(place).kind == "pod":
            return self._neighbour_of_pod(place, address)
        node = self._node_at.get(address)
        return Neighbour(mac_of(node or ROUTER, WIRE))

    def _neighbour_of_pod(self, place: str, address: str) -> Neighbour | None:
        """On the bridge: the node's own address there, else a Pod of the same node."""
        pod = self.pod_named(place)
        assert pod is not None
        if any(gateway(cidr) == address for cidr in self.cluster.nodes[pod.node].pod_cidrs):
            return Neighbour(mac_of(pod.node, BRIDGE))
        if address in self.cluster.nodes[pod.node].addresses:
            return Neighbour(mac_of(pod.node, BRIDGE))
        other = self._pod_at.get(address)
        if other is None or other.node != pod.node or not other.answers:
            return None
        return Neighbour(mac_of(self.place_of(other), WIRE))

    def carry(self, machine: Machine, fate: Fate, journey: Journey) -> tuple[Machine, Fate]:
        """Take what a machine sent from link to link until it arrives or ends; gives where, and how."""
        while isinstance(fate, Departure):
            taken = self._across(machine, fate, journey)
            if isinstance(taken, Discarded):
                return machine, taken
            machine, interface, packet = taken
            journey.enter(machine.name, machine.kind)
            fate = machine.receive(packet, interface, journey)
        return machine, fate

    def _across(
        self, machine: Machine, leaving: Departure, journey: Journey
    ) -> tuple[Machine, str, Packet] | Discarded:
        if machine.kind == "pod":
            pod = self.pod_named(machine.name)
            assert pod is not None
            journey.cross("veth", WIRE, veth_of(pod.key), pod.node, leaving.packet)
            return self.machine(pod.node), veth_of(pod.key), leaving.packet
        if machine.kind == "node" and leaving.interface != WIRE:
            pod = self._pod_at[leaving.next_hop]
            place = self.place_of(pod)
            journey.cross("veth", leaving.interface, WIRE, place, leaving.packet)
            return self.machine(place), WIRE, leaving.packet
        return self._over_the_wire(machine, leaving, journey)

    def _over_the_wire(
        self, machine: Machine, leaving: Departure, journey: Journey
    ) -> tuple[Machine, str, Packet] | Discarded:
        packet = leaving.packet
        place = self._taker(machine, leaving.next_hop, packet.destination)
        if place is None:
            why = f"the network beyond {machine.name} has no one with the address {packet.destination}"
            journey.note(None, Ended(Disposition.UNANSWERED, why), packet)
            return Discarded(Disposition.UNANSWERED, why)
        if not self._on_link(machine, place):
            routed = packet.hopped().framed(mac_of(ROUTER, WIRE), mac_of(place, WIRE))
            journey.note(None, Noted(f"the router on the wire sends it on to {place}"), packet, routed)
            packet = routed
        packet = packet.framed(packet.source_mac, mac_of(place, WIRE))
        journey.cross("wire", WIRE, WIRE, place, packet)
        return self.machine(place), WIRE, packet

    def _taker(self, machine: Machine, next_hop: str, destination: str) -> str | None:
        """Who takes the frame: the node an outside host enters by, the next hop, or whom the router knows."""
        entry = self.outside.get(machine.name, "") if machine.kind == "outside" else ""
        return entry or self._node_at.get(next_hop) or self._beyond(machine, destination)

    def _beyond(self, machine: Machine, destination: str) -> str | None:
        """Where the router sends a packet: a node, the node of a Pod network, an outside host."""
        if destination in self._node_at:
            return self._node_at[destination]
        pod = self._pod_at.get(destination)
        if pod is not None:
            return pod.node or destination
        covering = next((name for cidr, name in self._cidrs if destination in cidr), None)
        if covering is not None and covering != machine.name:
            return covering
        return destination if destination in self.outside else None

    def _on_link(self, machine: Machine, place: str) -> bool:
        """Are the two on the nodes' own wire, so that no router is passed?"""
        there = self.cluster.nodes[place].addresses if place in self.cluster.nodes else (place,)
        here = [network(f"{one}/{length}") for one, length in machine.interfaces[WIRE].addresses]
        return any(address in net for address in there for net in here)

    # ---- the picture ----------------------------------------------------------------------------

    @property
    def graph(self) -> nx.Graph:
        """Every machine and link: nodes carry `kind`, edges carry `interfaces`. Map layout and paths come from it."""
        graph = nx.Graph()
        graph.add_node(ROUTER, kind="router")
        for node in self.cluster.nodes.values():
            graph.add_node(node.name, kind="node")
            graph.add_edge(ROUTER, node.name, kind="wire", interfaces=(WIRE, WIRE))
        for pods in self._pods_on.values():
            for pod in pods:
                place = self.place_of(pod)
                graph.add_node(place, kind="pod" if pod.node else "outside")
                ends = (veth_of(pod.key), WIRE) if pod.node else (WIRE, WIRE)
                graph.add_edge(pod.node or ROUTER, place, kind="veth" if pod.node else "wire", interfaces=ends)
        for address in self.outside:
            graph.add_node(address, kind="outside")
            graph.add_edge(ROUTER, address, kind="wire", interfaces=(WIRE, WIRE))
        return graph
