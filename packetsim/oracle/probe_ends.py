"""Rule: here stand who can send in a cluster and what can be sent to, each with its kind; order and chance do not.

A kind is what makes a difference to kube-proxy's rules: two senders of one kind need not both be tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from packetsim.addresses import Network, family_of, network
from packetsim.cluster.model import Cluster, Endpoint, Pod, Service
from packetsim.kubeproxy.node_addresses import LOOPBACK, gateway
from packetsim.kubeproxy.services import is_proxied
from packetsim.network import WIRE_LENGTH
from packetsim.protocols import TRANSPORTS

WRONG_PORT, FREE_NODE_PORT = 9999, 32099
BEYOND = {4: "198.51.100.7", 6: "2001:db8:51::7"}  # RFC 5737 and RFC 3849: hosts behind the router
NOBODY = {4: "198.51.100.222", 6: "2001:db8:51::222"}
OUTSIDE = ("host on the wire", "host beyond the router", "host in a source range")


@dataclass(frozen=True, slots=True)
class Sender:
    """`place` as in Flow."""

    kind: str
    place: str
    addresses: tuple[str, ...]

    @property
    def outside(self) -> bool:
        return self.kind in OUTSIDE

    def address(self, family: int) -> str | None:
        return next((one for one in self.addresses if family_of(one) == family), None)


@dataclass(frozen=True, slots=True)
class Aim:
    """`entries`: the nodes by which an outside packet may enter, None for the owner's; empty: not from outside.

    `node`: whose loopback it is, None for what is no loopback. `service`: whose rules should take the packet.
    """

    kind: str
    address: str
    port: int
    protocol: str
    entries: tuple[str | None, ...] = (None,)
    node: str | None = None
    service: Service | None = None


# ---- senders ------------------------------------------------------------------------------------


def senders(cluster: Cluster) -> Iterator[Sender]:
    """Pods that are still there, nodes, and hosts outside."""
    backends = {endpoint.address for endpoint in _endpoints(cluster)}
    for pod in cluster.pods.values():
        if pod.answers:
            kind = "backend" if backends.intersection(pod.addresses) else "Pod"
            yield Sender("hostNetwork Pod" if pod.host_network else kind, "/".join(pod.key), pod.addresses)
    for node in cluster.nodes.values():
        yield Sender("node", node.name, node.addresses)
    taken = _owned(cluster)
    for kind, address in dict.fromkeys(_outside(cluster)):
        if address not in taken:
            yield Sender(kind, address, (address,))


def _outside(cluster: Cluster) -> Iterator[tuple[str, str]]:
    families = sorted({family_of(one) for node in cluster.nodes.values() for one in node.addresses})
    for family in families:
        address = next(one for node in cluster.nodes.values() if (one := node.address(family)))
        yield "host on the wire", network(f"{address}/{WIRE_LENGTH[family]}").host(0x50)
        yield "host beyond the router", BEYOND[family]
    inside = [network(one) for node in cluster.nodes.values() for one in node.pod_cidrs]
    inside += [network(one) for one in cluster.service_cidrs]
    for service in cluster.services.values():
        for text in service.source_ranges:
            allowed = network(text)
            address = allowed.host(0 if allowed.first == allowed.last else 9)
            if allowed.prefix_length >= 8 and not any(address in net for net in inside):
                yield "host in a source range", address


def _owned(cluster: Cluster) -> set[str]:
    """Every address that someone in the cluster has, or that leads to someone."""
    owned = {address for node in cluster.nodes.values() for address in node.addresses}
    owned |= {gateway(cidr) for node in cluster.nodes.values() for cidr in node.pod_cidrs}
    owned |= {address for pod in cluster.pods.values() for address in pod.addresses}
    owned |= {endpoint.address for endpoint in _endpoints(cluster)}
    for service in cluster.services.values():
        owned.update(service.cluster_ips, service.external_ips, (one.ip for one in service.ingress))
    return owned


# ---- destinations -------------------------------------------------------------------------------


def aims(cluster: Cluster) -> Iterator[Aim]:
    """Every address and port the cluster owns, and some that it does not."""
    for service in cluster.services.values():
        if is_proxied(service):
            yield from _of_service(cluster, service)
    for pod in cluster.pods.values():
        yield from _of_pod(pod)
    yield from _without_pod(cluster)
    yield from _of_nobody(cluster)


def _of_service(cluster: Cluster, service: Service) -> Iterator[Aim]:
    sticky = ", sticky" if service.affinity_timeout else ""
    nodes = tuple(cluster.nodes)
    for kind, address in _virtual(service):
        spoken = {(port.port, port.protocol) for port in service.ports}
        for number, protocol in sorted(spoken):
            yield Aim(kind + sticky, address, number, protocol, nodes, service=service)
            for other in TRANSPORTS:
                if (number, other) not in spoken:
                    yield Aim(f"{kind}, wrong protocol", address, number, other, nodes)
        yield Aim(f"{kind}, wrong port", address, WRONG_PORT, service.ports[0].protocol, nodes)
    for port in service.ports:
        if port.node_port:
            for aim in _on_nodes(cluster, "node port", port.node_port, port.protocol, service):
                yield replace(aim, kind=aim.kind + sticky)
    if service.health_check_node_port:
        yield from _on_nodes(cluster, "health check node port", service.health_check_node_port, "tcp", None)


def _virtual(service: Service) -> Iterator[tuple[str, str]]:
    yield from (("ClusterIP", ip) for ip in service.cluster_ips)
    yield from (("external IP", ip) for ip in service.external_ips)
    for one in service.ingress:
        if one.ip:
            yield "load balancer IP" if one.ip_mode == "VIP" else "load balancer IP of ipMode Proxy", one.ip


def _on_nodes(cluster: Cluster, kind: str, port: int, protocol: str, service: Service | None) -> Iterator[Aim]:
    for node in cluster.nodes.values():
        for address in node.addresses:
            yield Aim(kind, address, port, protocol, service=service)
            yield Aim(f"{kind} on loopback", LOOPBACK[family_of(address)], port, protocol, (), node.name, service)
        for cidr in node.pod_cidrs:
            yield Aim(f"{kind} on the bridge's address", gateway(cidr), port, protocol, service=service)


def _of_pod(pod: Pod) -> Iterator[Aim]:
    ports = sorted(pod.listening or ()) or [(port.protocol, port.port) for port in pod.ports]
    kind = "Pod" if pod.answers else "Pod that is gone"
    for address in pod.addresses:
        for protocol, port in ports:
            yield Aim("hostNetwork Pod" if pod.host_network else kind, address, port, protocol)
        if pod.listening is not None:  # else every port answers, which no real machine does
            yield Aim(f"{kind}, wrong port", address, WRONG_PORT, "tcp")


def _without_pod(cluster: Cluster) -> Iterator[Aim]:
    pods = {address for pod in cluster.pods.values() for address in pod.addresses}
    for slices in cluster.slices.values():
        for one in slices:
            for endpoint in one.endpoints:
                if endpoint.address not in pods:
                    for port in one.ports:
                        inside = (None,) if endpoint.node else ()
                        yield Aim("endpoint without a Pod", endpoint.address, port.port, port.protocol, inside)


def _of_nobody(cluster: Cluster) -> Iterator[Aim]:
    owned, nodes = _owned(cluster), tuple(cluster.nodes)
    for text in cluster.service_cidrs:
        free = _free(network(text), owned)
        for protocol in TRANSPORTS:
            yield Aim("free address of the service range", free, 80, protocol, nodes)
    for node in cluster.nodes.values():
        for cidr in node.pod_cidrs:
            yield Aim("free address of a Pod range", _free(network(cidr), owned), 80, "tcp")
        for address in node.addresses:
            yield from (Aim("free port of a node", address, FREE_NODE_PORT, protocol) for protocol in TRANSPORTS)
    for family in sorted({family_of(one) for one in cluster.service_cidrs}):
        yield Aim("address of nobody", NOBODY[family], 80, "tcp", ())


def _free(net: Network, owned: set[str]) -> str:
    """An address in the middle of the range that nobody has."""
    places: Iterable[int] = range((net.last - net.first) // 2, 0, -1)
    return next((one for place in places if (one := net.host(place)) not in owned), net.host(0))


# ---- both ---------------------------------------------------------------------------------------


def kinds(cluster: Cluster, sender: Sender, aim: Aim) -> tuple[str, str] | None:
    """The kinds of the two ends, as far as rules may tell them apart; None where no packet can go."""
    source = sender.address(family_of(aim.address))
    if source is None or (sender.outside and not aim.entries):
        return None
    if aim.node is not None and aim.node != _machine(cluster, sender):
        return None
    if source == aim.address and sender.kind in ("Pod", "backend"):
        return None  # never leaves the Pod
    relation = ""
    if aim.service is not None:
        slices = cluster.slices.get(aim.service.key, ())
        if any(endpoint.address == source for one in slices for endpoint in one.endpoints):
            relation = " of the Service itself"
        elif aim.service.source_ranges and aim.kind.startswith("load balancer IP"):
            allowed = any(source in network(one) for one in aim.service.source_ranges)
            relation = ", allowed" if allowed else ", not allowed"
    return sender.kind + relation, aim.kind


def _machine(cluster: Cluster, sender: Sender) -> str:
    """The machine whose loopback the sender has: a hostNetwork Pod's is its node."""
    namespace, _, name = sender.place.partition("/")
    pod = cluster.pods.get((namespace, name))
    return pod.node if pod is not None and pod.host_network else sender.place


def _endpoints(cluster: Cluster) -> Iterator[Endpoint]:
    for slices in cluster.slices.values():
        for one in slices:
            yield from one.endpoints
