"""Rule: who has which server sockets, kube-proxy aside, is settled here.

Who answers on every port (a Pod without declared ports, an endpoint without a Pod, a host outside) has a socket for
each port that an EndpointSlice names for it, and for each port that a flow asks for. No other is ever sent to: rules
change a port to an endpoint's, or leave it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packetsim.cluster.model import Cluster
from packetsim.kubeproxy.node_addresses import UNSPECIFIED
from packetsim.oracle.places import Places
from packetsim.oracle.plan import Listener
from packetsim.sockets import Port


def listeners(cluster: Cluster, places: Places, asked: Iterable[Port]) -> Iterator[Listener]:
    """The sockets of Pods and of hosts outside; a node's depend on its kube-proxy (`loads`)."""
    named, everywhere = _named_ports(cluster), frozenset(asked)
    for place in (*places.pods, *places.outside):
        if place.pod is not None and place.pod.listening is not None:
            ports = place.pod.listening
        else:
            ports = everywhere.union(*(named.get(address, ()) for address, _ in place.eth0.addresses))
        yield from on_ports(place.code, ports, place.families)


def on_ports(code: str, ports: Iterable[Port], families: Iterable[int]) -> Iterator[Listener]:
    wanted = tuple(families)
    for protocol, port in sorted(ports):
        for family in wanted:
            yield Listener(code, protocol, UNSPECIFIED[family], port)


def _named_ports(cluster: Cluster) -> dict[str, set[Port]]:
    """Address -> what EndpointSlices say it has."""
    found: dict[str, set[Port]] = {}
    for slices in cluster.slices.values():
        for one in slices:
            for endpoint in one.endpoints:
                ports = ((port.protocol, port.port) for port in one.ports)
                found.setdefault(endpoint.address, set()).update(ports)
    return found
