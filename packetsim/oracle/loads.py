"""Rule: what kube-proxy left on each node of a simulation becomes what the guest is to load there."""

from __future__ import annotations

from collections.abc import Iterator

from packetsim.cluster.model import Cluster
from packetsim.kubeproxy.balancer import DEFAULT_TIMEOUT
from packetsim.kubeproxy.config import PARTS, Balancer, NodeConfig
from packetsim.oracle.listening import on_ports
from packetsim.oracle.places import families_of
from packetsim.oracle.plan import Load, Plan, Proxy
from packetsim.parts import render
from packetsim.simulation import Simulation
from packetsim.sockets import Port, ports_on_nodes

# What kube-proxy sets in one mode and leaves alone in another; a later load has to undo it.
_UNSET = {"net/ipv4/conf/all/route_localnet": "0"}


def loads(simulation: Simulation, plan: Plan) -> tuple[Load, ...]:
    """A Load for each node. Every node's kube-proxy has then run in the simulation, too."""
    ports = ports_on_nodes(simulation.cluster)
    return tuple(
        _load(simulation.cluster, simulation.config(node), plan.places[node], ports[node])
        for node in simulation.cluster.nodes
    )


def _load(cluster: Cluster, config: NodeConfig, code: str, ports: frozenset[Port]) -> Load:
    node = cluster.nodes[config.node]
    texts = {part: text for part in PARTS if (text := render(config, part))}
    taken = {(socket.protocol, socket.port) for socket in config.proxy_sockets}
    open_ports = (ports | {(protocol, port) for protocol, port, _ in config.listeners}) - taken
    return Load(
        code=code,
        texts=texts,
        sysctls={**_UNSET, **{name.replace(".", "/"): value for name, value in config.sysctls.items()}},
        proxies=tuple(_proxies(config)),
        listeners=tuple(on_ports(code, open_ports, families_of((*node.addresses, *node.pod_cidrs)))),
    )


def _proxies(config: NodeConfig) -> Iterator[Proxy]:
    for socket in config.proxy_sockets:
        balancer = config.balancers.get(socket.service_port, Balancer(socket.service_port, (), None))
        yield Proxy(
            socket.address,
            socket.port,
            socket.protocol,
            socket.service_port,
            balancer.endpoints,
            _timeout(balancer),
        )


def _timeout(balancer: Balancer) -> int | None:
    """LoadBalancerRR hears of endpoints first, and then keeps its default (pkg/proxy/userspace, Kubernetes 1.25)."""
    if balancer.affinity_timeout is None:
        return None
    return DEFAULT_TIMEOUT if balancer.endpoints else balancer.affinity_timeout
