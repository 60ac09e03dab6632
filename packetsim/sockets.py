"""Rule: who listens where is decided here, for Pods, nodes, and hosts of which nothing is known.

Nodes listen on what kube-proxy opens (health checks; in userspace mode its proxy ports), on the
ports of their hostNetwork Pods, and on endpoints of a node's address that no Pod object speaks for.
"""

from __future__ import annotations

from packetsim.cluster.model import Cluster, Endpoint, Pod
from packetsim.kubeproxy.config import NodeConfig, ProxySocket

Port = tuple[str, int]  # (protocol, port)


def pod_takes(pod: Pod, protocol: str, port: int) -> bool:
    """Has the Pod a socket for it? A Pod that declares no ports answers on every one."""
    return pod.listening is None or (protocol, port) in pod.listening


class NodeSockets:
    """What listens on one node: `ports` of anything but kube-proxy, and what kube-proxy opened there."""

    def __init__(self, config: NodeConfig, ports: frozenset[Port]) -> None:
        self._ports = ports | {(protocol, port) for protocol, port, _ in config.listeners}
        self._proxy: dict[Port, list[ProxySocket]] = {}
        for socket in config.proxy_sockets:
            self._proxy.setdefault((socket.protocol, socket.port), []).append(socket)

    def takes(self, protocol: str, port: int) -> bool:
        """userspace kube-proxy's claimed node ports do not count: it never accepts on them."""
        return (protocol, port) in self._ports

    def proxy(self, protocol: str, address: str, port: int) -> ProxySocket | None:
        """userspace kube-proxy's socket for a packet to this address and port."""
        for socket in self._proxy.get((protocol, port), ()):
            if socket.address in ("0.0.0.0", "::", address):
                return socket
        return None


def ports_on_nodes(cluster: Cluster) -> dict[str, frozenset[Port]]:
    """Node name -> the ports that something on the node itself listens on, kube-proxy aside."""
    found: dict[str, set[Port]] = {name: set() for name in cluster.nodes}
    node_of = {address: node.name for node in cluster.nodes.values() for address in node.addresses}
    for pod in cluster.pods.values():
        if pod.host_network:
            found[pod.node].update(pod.listening or ())
    for slices in cluster.slices.values():
        for one in slices:
            for endpoint in one.endpoints:
                node = node_of.get(endpoint.address)
                if node is not None and _unspoken(cluster, endpoint):
                    found[node].update((port.protocol, port.port) for port in one.ports)
    return {name: frozenset(ports) for name, ports in found.items()}


def _unspoken(cluster: Cluster, endpoint: Endpoint) -> bool:
    """No Pod object says on which ports this endpoint listens: it counts as one that answers."""
    pod = cluster.pods.get(endpoint.pod) if endpoint.pod is not None else None
    return pod is None or pod.listening is None
