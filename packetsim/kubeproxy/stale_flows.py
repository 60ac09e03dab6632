"""Rule: after a change kube-proxy forgets the UDP flows to its Services that no serving endpoint answers.

pkg/proxy/conntrack/cleanup.go (Kubernetes 1.35), called at the end of every sync in iptables, ipvs
and nftables mode. TCP connections are left to end by themselves, and so are the flows to a Service
that has no serving endpoint. Policies and topology do not count: flows that work are not cut.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from packetsim.cluster.model import Cluster
from packetsim.kubeproxy.services import proxied_ports

IsStale = Callable[[str, int, str], bool]  # (original destination, its port, the source of replies)


def stale_udp_flows(cluster: Cluster, node: str) -> IsStale:
    """Whether kube-proxy on this node deletes the conntrack entry of such a UDP flow."""
    udp = {
        key: service
        for key, service in cluster.services.items()
        if any(port.protocol == "udp" for port in service.ports)
    }
    only_udp = replace(cluster, services=udp)
    fronts: dict[tuple[str, int], set[str]] = {}
    node_ports: dict[tuple[int, int], set[str]] = {}
    for family in (4, 6):
        for port in proxied_ports(only_udp, node, family).ports:
            serving = {one.address for one in port.endpoints if one.serving}
            if port.protocol != "udp" or not serving:
                continue
            for address in (port.cluster_ip, *port.load_balancer_ips, *port.external_ips):
                fronts[address, port.port] = serving
            if port.node_port:
                node_ports[family, port.node_port] = serving

    def is_stale(destination: str, port: int, answering: str) -> bool:
        family = 6 if ":" in destination else 4
        found = (fronts.get((destination, port)), node_ports.get((family, port)))
        return any(serving is not None and answering not in serving for serving in found)

    return is_stale
