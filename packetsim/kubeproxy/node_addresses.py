"""Rule: what a node's kube-proxy knows of the node's own addresses stands here, once for every mode.

Interfaces are those every node of this engine has: lo, eth0 with the node's addresses, and cni0
with the first host of each podCIDR. Facts from pkg/proxy/util/nodeport_addresses.go and
cmd/kube-proxy/app/server.go (Kubernetes 1.35).
"""

from __future__ import annotations

from packetsim.addresses import family_of, full_length, network
from packetsim.cluster.model import Node, ProxyConfiguration

LOOPBACK = {4: "127.0.0.1", 6: "::1"}
UNSPECIFIED = {4: "0.0.0.0", 6: "::"}
ZERO_CIDR = {4: "0.0.0.0/0", 6: "::/0"}


def specific_bind_address(proxy: ProxyConfiguration) -> str:
    """`bindAddress` when it names one address; "" for the wildcards."""
    return "" if proxy.bind_address in UNSPECIFIED.values() else proxy.bind_address


def node_ip(node: Node, family: int, proxy: ProxyConfiguration) -> str:
    """The proxier's node IP: a specific bindAddress, else the Node's address, else loopback (detectNodeIPs)."""
    bound = specific_bind_address(proxy)
    if bound and family_of(bound) == family:
        return bound
    return node.address(family) or LOOPBACK[family]


def gateway(pod_cidr: str) -> str:
    """The address cni0 has: the first host of the node's podCIDR."""
    return network(pod_cidr).host(1)


def interface_addresses(node: Node, family: int) -> tuple[str, ...]:
    """Every address on the node's interfaces: eth0, cni0, lo."""
    own = [one for one in node.addresses if family_of(one) == family]
    bridges = [gateway(one) for one in node.pod_cidrs if family_of(one) == family]
    return (*own, *bridges, LOOPBACK[family])


def node_port_cidrs(node: Node, family: int, proxy: ProxyConfiguration) -> tuple[str, ...]:
    """`nodePortAddresses` of one family; the zero CIDR when none is left, whatever the other family has."""
    wanted: tuple[str, ...] = proxy.node_port_addresses
    if wanted == ("primary",):
        own = (node_ip(node, family, proxy),)
        wanted = tuple(f"{one}/{full_length(one)}" for one in own if one != LOOPBACK[family])
    return tuple(one for one in wanted if family_of(one) == family) or (ZERO_CIDR[family],)


def takes_every_address(cidrs: tuple[str, ...]) -> bool:
    """Do these nodePortAddresses hold every address of their family?"""
    return any(network(one).is_zero for one in cidrs)


def node_port_ips(node: Node, family: int, cidrs: tuple[str, ...]) -> tuple[str, ...]:
    """The node's addresses inside the CIDRs, sorted (the source's order is that of a Go map: none)."""
    networks = [network(one) for one in cidrs]
    return tuple(sorted({one for one in interface_addresses(node, family) if any(one in net for net in networks)}))


def holds_loopback(cidrs: tuple[str, ...]) -> bool:
    """ContainsIPv4Loopback: does a CIDR lie in 127.0.0.0/8, or hold 127.0.0.0?"""
    loopback = network("127.0.0.0/8")
    networks = [network(one) for one in cidrs if family_of(one) == 4]
    return any("127.0.0.0" in net or loopback.first <= net.first <= loopback.last for net in networks)
