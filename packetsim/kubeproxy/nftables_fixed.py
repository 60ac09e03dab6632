"""Rule: the nftables sets and rules that are there whatever Services there are.

nftablesBaseChains, nftablesJumpChains and setupNFTables in pkg/proxy/nftables/proxier.go
(Kubernetes 1.34 and 1.35); order and wording as `nft list ruleset` of nft 1.0.6 prints them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from packetsim.addresses import family_of, number_of
from packetsim.cluster.model import Node, ProxyConfiguration
from packetsim.kubeproxy.nftables_ports import MARK, Lines
from packetsim.kubeproxy.nftables_ranges import literal
from packetsim.kubeproxy.node_addresses import LOOPBACK, node_port_cidrs, node_port_ips, takes_every_address
from packetsim.ruletext import Line, NftChainText, Origin

NODE_PORT_IPS = "nodeport-ips"

# Name -> keyword, key type, comment, in the order in which kube-proxy makes them. ADDRESS: the family's type.
SETS: Mapping[str, tuple[str, str, str]] = {
    "cluster-ips": ("set", "ADDRESS", "Active ClusterIPs"),
    NODE_PORT_IPS: ("set", "ADDRESS", "IPs that accept NodePort traffic"),
    "no-endpoint-services": (
        "map",
        "ADDRESS . inet_proto . inet_service : verdict",
        "vmap to drop or reject packets to services with no endpoints",
    ),
    "no-endpoint-nodeports": (
        "map",
        "inet_proto . inet_service : verdict",
        "vmap to drop or reject packets to service nodeports with no endpoints",
    ),
    "firewall-ips": (
        "map",
        "ADDRESS . inet_proto . inet_service : verdict",
        "destinations that are subject to LoadBalancerSourceRanges",
    ),
    "service-ips": (
        "map",
        "ADDRESS . inet_proto . inet_service : verdict",
        "ClusterIP, ExternalIP and LoadBalancer IP traffic",
    ),
    "service-nodeports": ("map", "inet_proto . inet_service : verdict", "NodePort traffic"),
}

# Base chain -> type, hook, priority as nft names it at that hook, and its jumps. The checks for
# endpoints come after DNAT (priority 0), the one for source ranges before it.
_NEW = "ct state new jump "
_BASE_CHAINS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "filter-prerouting-pre-dnat": ("filter hook prerouting priority dstnat - 10", (f"{_NEW}firewall-check",)),
    "filter-output-pre-dnat": ("filter hook output priority -110", (f"{_NEW}firewall-check",)),
    "filter-input": (
        "filter hook input priority filter",
        (f"{_NEW}nodeport-endpoints-check", f"{_NEW}service-endpoints-check"),
    ),
    "filter-forward": (
        "filter hook forward priority filter",
        (f"{_NEW}service-endpoints-check", f"{_NEW}cluster-ips-check"),
    ),
    "filter-output": (
        "filter hook output priority filter",
        (f"{_NEW}service-endpoints-check", f"{_NEW}cluster-ips-check"),
    ),
    "nat-prerouting": ("nat hook prerouting priority dstnat", ("jump services",)),
    "nat-output": ("nat hook output priority -100", ("jump services",)),
    "nat-postrouting": ("nat hook postrouting priority srcnat", ("jump masquerading",)),
}


@dataclass(frozen=True, slots=True)
class Fixed:
    """Fixed chains as far as the settings change them; `node_port_ips` None where the set does not exist."""

    chains: Mapping[str, NftChainText]
    node_port_ips: Lines | None


def fixed_rules(proxy: ProxyConfiguration, node: Node, family: int, service_cidrs: tuple[str, ...]) -> Fixed:
    """The fixed part of one family's table on one node."""
    # cmd/kube-proxy/app/server.go: in this mode nodePortAddresses is by default "primary".
    asked = replace(proxy, node_port_addresses=proxy.node_port_addresses or ("primary",))
    cidrs = node_port_cidrs(node, family, asked)
    every = takes_every_address(cidrs)
    ip = "ip6" if family == 6 else "ip"
    chains = {
        name: NftChainText(
            (f"type {hook}; policy accept;",), tuple(_fixed(text, "jumps from the base chains") for text in jumps)
        )
        for name, (hook, jumps) in _BASE_CHAINS.items()
    }
    return Fixed(
        {**chains, **_checks(ip, every, service_cidrs), **_verdicts(proxy.masquerade_bit)},
        None if every else _node_port_ips(node, family, cidrs),
    )


def _fixed(text: str, part: str, *more: Origin) -> Line:
    return Line(text, (*more, Origin("kube-proxy", "", "", part)))


def _setting(path: str) -> Origin:
    return Origin("KubeProxyConfiguration", "", "", path)


def _chain(*lines: Line) -> NftChainText:
    return NftChainText((), lines)


def _checks(ip: str, every: bool, service_cidrs: tuple[str, ...]) -> dict[str, NftChainText]:
    """The chains that look a destination up."""
    found = f"{ip} daddr . meta l4proto . th dport vmap @"
    # Node ports on loopback addresses do not work in this mode.
    by_number, number = f"{ip} daddr @{NODE_PORT_IPS}", "meta l4proto . th dport vmap @"
    local = ""
    if every:
        by_number, local = ("ip6 daddr != ::1" if ip == "ip6" else "ip daddr != 127.0.0.0/8"), "fib daddr type local "
    node_ports, services = ("node ports", _setting("nodePortAddresses")), "services"
    return {
        "nodeport-endpoints-check": _chain(_fixed(f"{by_number} {number}no-endpoint-nodeports", *node_ports)),
        "service-endpoints-check": _chain(_fixed(f"{found}no-endpoint-services", services)),
        "firewall-check": _chain(_fixed(f"{found}firewall-ips", "load balancer source ranges")),
        "services": _chain(
            _fixed(f"{found}service-ips", services),
            _fixed(f"{local}{by_number} {number}service-nodeports", *node_ports),
        ),
        "masquerading": _chain(),  # its place in the order; filled by _verdicts
        "cluster-ips-check": _chain(*_cluster_ips_check(ip, service_cidrs)),
    }


def _cluster_ips_check(ip: str, service_cidrs: tuple[str, ...]) -> Lines:
    part = "ClusterIPs"
    reject = _fixed(f'{ip} daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"', part)
    cidrs = [one for one in service_cidrs if family_of(one) == (6 if ip == "ip6" else 4)]
    if not cidrs:
        return (reject,)
    text = f'{ip} daddr {literal(cidrs)} drop comment "Drop traffic to unallocated ClusterIPs"'
    return reject, _fixed(text, part, Origin("ServiceCIDR", "", "", "spec.cidrs"))


def _verdicts(bit: int) -> dict[str, NftChainText]:
    """The chains that mark, masquerade and reject."""
    mark = f"{1 << bit:#010x}"
    # nft takes the mask of bit 31 for a prefix length and prints it as one.
    unmarked = "0x00000000/1" if bit == 31 else f"& {mark} == 0x00000000"
    part, setting = "masquerade", _setting("nftables.masqueradeBit")
    helper = 'comment "helper for @no-endpoint-services / @no-endpoint-nodeports"'
    return {
        "masquerading": _chain(
            _fixed(f"meta mark {unmarked} return", part, setting),
            _fixed(f"meta mark set meta mark ^ {mark}", part, setting),
            _fixed("masquerade fully-random", part),
        ),
        MARK.removeprefix("jump "): _chain(_fixed(f"meta mark set meta mark | {mark}", "masquerade mark", setting)),
        # A verdict map cannot hold `reject`.
        "reject-chain": NftChainText((helper,), (_fixed("reject", "reject"),)),
    }


def _node_port_ips(node: Node, family: int, cidrs: tuple[str, ...]) -> Lines:
    loopback = LOOPBACK[family]
    addresses = sorted((one for one in node_port_ips(node, family, cidrs) if one != loopback), key=number_of)
    return tuple(_fixed(one, "node ports", _whose(node, one), _setting("nodePortAddresses")) for one in addresses)


def _whose(node: Node, address: str) -> Origin:
    """The Node field that gave one of its addresses: its own, or that of its bridge."""
    own = node.addresses.index(address) if address in node.addresses else None
    return Origin("Node", "", node.name, "spec.podCIDRs" if own is None else f"status.addresses[{own}]")
