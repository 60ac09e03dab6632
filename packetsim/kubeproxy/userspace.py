"""Rule: userspace mode turns Services into redirections to sockets, and endpoints into balancers.

Rules and sockets hang on Services alone, balancers on endpoints alone; so a change of endpoints
touches no rule. Kubernetes 1.25 runs one proxier, of the node's primary family
(cmd/kube-proxy/app/server_others.go): what a Service has of the other family is not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

from packetsim.addresses import family_of, network
from packetsim.cluster.model import Cluster, Key, Node, ProxyConfiguration, Service
from packetsim.errors import PacketsimError
from packetsim.kubeproxy.config import Balancer, NodeConfig, ProxySocket
from packetsim.kubeproxy.listeners import HEALTHZ, HEALTHZ_PORT
from packetsim.kubeproxy.node_addresses import (
    LOOPBACK,
    UNSPECIFIED,
    interface_addresses,
    node_ip,
    specific_bind_address,
)
from packetsim.kubeproxy.proxy_ports import port_range, proxy_ports
from packetsim.kubeproxy.services import Entry, PortTable, ProxiedPort, differing, proxied_ports
from packetsim.kubeproxy.userspace_ports import PortalRules, Portals, Proxy, fronts, is_whole
from packetsim.ruletext import ChainText, IptablesText, Line, Origin

PROTOCOLS = ("tcp", "udp")  # opening an SCTP socket fails, and without a socket there are no rules


@dataclass(frozen=True, slots=True)
class Memory:
    table: PortTable
    configuration: ProxyConfiguration


def compile(cluster: Cluster, node_name: str, before: NodeConfig | None = None) -> NodeConfig:  # noqa: A001
    """What kube-proxy in userspace mode leaves on this node. `before`: what this made before the last change."""
    node = cluster.nodes[node_name]
    proxy = _proxy(cluster.proxy, node)
    memory = before.memory if before is not None else None
    old = memory if isinstance(memory, Memory) else None
    table = proxied_ports(cluster, node_name, proxy.family, old.table if old else None)
    now = Memory(table, cluster.proxy)
    if before is not None and old is not None and _same_services(old, now):
        changed = differing(old.table.by_service, table.by_service)
        balancers = dict(before.balancers)
        for key in changed:
            balancers |= _balancers({key: table.by_service[key]})
        return replace(before, balancers=balancers, memory=now)
    return _whole(cluster, table, proxy, now)


def _same_services(old: Memory, new: Memory) -> bool:
    """Did nothing change but endpoints?"""
    return (
        (old.table.node, old.table.family) == (new.table.node, new.table.family)
        and old.configuration == new.configuration
        and not list(differing(old.table.services, new.table.services))
    )


def _proxy(configuration: ProxyConfiguration, node: Node) -> Proxy:
    bound = specific_bind_address(configuration)
    if bound and (bound == "::1" or bound in network("127.0.0.0/8")):
        raise PacketsimError(f"bindAddress {bound}: userspace mode cannot proxy on localhost; use 0.0.0.0 or ::.")
    # A node whose address is not known is taken to be 127.0.0.1 (detectNodeIP).
    family = family_of(bound or next(iter(node.addresses), LOOPBACK[4]))
    return Proxy(family, bound, node_ip(node, family, configuration))


def _served(table: PortTable) -> list[tuple[Service, ProxiedPort]]:
    return [
        (service, port)
        for service, _, ports in table.by_service.values()
        for port in ports
        if _is_served(service, port)
    ]


def _is_served(service: Service, port: ProxiedPort) -> bool:
    """The proxier looks at `spec.clusterIP`, the first, alone."""
    return port.protocol in PROTOCOLS and port.cluster_ip == service.cluster_ips[0]


def _whole(cluster: Cluster, table: PortTable, proxy: Proxy, memory: Memory) -> NodeConfig:
    served = _served(table)
    reserved = {HEALTHZ_PORT} | {port.node_port for _, port in served}
    names = (f"{proxy.family} {port.display}" for _, port in served)
    numbers = proxy_ports(names, port_range(cluster.proxy.proxy_port_range), reserved)
    claims = Claims(proxy.family, frozenset(interface_addresses(table.node, proxy.family)))
    parts: list[Portals] = []
    sockets: list[ProxySocket] = []
    listening = proxy.bound or UNSPECIFIED[proxy.family]
    for service, port in served:
        number = numbers.get(f"{proxy.family} {port.display}")
        if number is not None:
            sockets.append(ProxySocket(listening, number, port.protocol, port.display))
            parts.append(_portals(service, port, PortalRules(port, proxy, number), claims))
    text = _text(Portals(*(tuple(chain.from_iterable(part[place] for part in parts)) for place in range(5))))
    return NodeConfig(
        mode="userspace",
        node=table.node.name,
        iptables=text if proxy.family == 4 else {},
        ip6tables=text if proxy.family == 6 else {},
        proxy_sockets=tuple(sockets),
        claimed_ports=tuple(claims.sockets),
        balancers=_balancers(table.by_service),
        listeners=(HEALTHZ,),
        memory=memory,
    )


class Claims:
    """Sockets that keep other programs off node ports, and off service ports of addresses the node owns."""

    def __init__(self, family: int, owned: frozenset[str]) -> None:
        self.family, self.owned = family, owned
        self.sockets: list[ProxySocket] = []
        self._owners: dict[tuple[str, int, str], str] = {}

    def claim(self, address: str, number: int, port: ProxiedPort) -> bool:
        """May this service port have it? The first to ask does."""
        owner = self._owners.setdefault((address, number, port.protocol), port.display)
        if owner == port.display:
            self.sockets.append(ProxySocket(address, number, port.protocol, port.display))
        return owner == port.display


def _portals(service: Service, port: ProxiedPort, rules: PortalRules, claims: Claims) -> Portals:
    """Rules and claims. At start rules are made before the node's own addresses are known, so that
    two service ports on one of those both have rules; only a node port goes to the first alone."""
    opened = fronts(service, port)
    for address in dict.fromkeys(front.address for front in opened):
        if address in claims.owned:
            claims.claim(address, port.port, port)
    node_port = (
        bool(port.node_port)
        and is_whole(service, opened)
        and claims.claim(UNSPECIFIED[claims.family], port.node_port, port)
    )
    return rules.portals(opened, node_port)


def _balancers(entries: Mapping[Key, Entry]) -> dict[str, Balancer]:
    """Endpoints as the old Endpoints object had them: the ready ones, wherever they are."""
    return {
        port.display: Balancer(
            port.display, tuple(one.text for one in port.endpoints if one.ready), port.affinity_timeout
        )
        for service, _, ports in entries.values()
        for port in ports
        if _is_served(service, port)
    }


# ---- the chains -------------------------------------------------------------------------------

_PORTALS = "handle ClusterIPs; NOTE: this must be before the NodePort rules"
_NODE_PORTS = "handle service NodePorts; NOTE: this must be the last rule in the chain"
_NON_LOCAL = "Ensure that non-local NodePort traffic can flow"
_EMPTY = ChainText("ACCEPT")


def _jumps(name: str, *rules: str) -> ChainText:
    lines = (
        Line(f"-A {name} {rule}", (Origin("kube-proxy", "", "", f"jump to {rule.rpartition(' ')[2]}"),))
        for rule in rules
    )
    return ChainText("ACCEPT", tuple(lines))


def _nat_jumps(name: str, side: str) -> ChainText:
    return _jumps(
        name,
        f'-m comment --comment "{_PORTALS}" -j KUBE-PORTALS-{side}',
        f'-m addrtype --dst-type LOCAL -m comment --comment "{_NODE_PORTS}" -j KUBE-NODEPORT-{side}',
    )


def _text(lines: Portals) -> IptablesText:
    return {
        "filter": {
            "INPUT": _jumps("INPUT", f'-m comment --comment "{_NON_LOCAL}" -j KUBE-NODEPORT-NON-LOCAL'),
            "FORWARD": _EMPTY,
            "OUTPUT": _EMPTY,
            "KUBE-NODEPORT-NON-LOCAL": ChainText(None, lines.node_port_non_local),
        },
        "nat": {
            "PREROUTING": _nat_jumps("PREROUTING", "CONTAINER"),
            "INPUT": _EMPTY,
            "OUTPUT": _nat_jumps("OUTPUT", "HOST"),
            "POSTROUTING": _EMPTY,
            "KUBE-NODEPORT-CONTAINER": ChainText(None, lines.node_port_container),
            "KUBE-NODEPORT-HOST": ChainText(None, lines.node_port_host),
            "KUBE-PORTALS-CONTAINER": ChainText(None, lines.portals_container),
            "KUBE-PORTALS-HOST": ChainText(None, lines.portals_host),
        },
    }
