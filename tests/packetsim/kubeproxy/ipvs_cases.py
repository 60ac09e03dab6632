"""Rule: one row a golden; each row is the worked example with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packetsim.cluster.model import Cluster, Ingress, ProxyConfiguration, Service
from packetsim.kubeproxy.config import NodeConfig
from packetsim.ruletext import ipset_save, iptables_save, ipvsadm_save
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_B,
    DUAL_PROXY,
    HERE,
    NODE_A,
    NODE_B,
    PROXY,
    THERE,
    VIP,
    cluster,
    endpoint,
    endpoints,
    port,
    served,
    service,
)
from tests.packetsim.kubeproxy.iptables_cases import (
    BALANCED,
    BOTH,
    BOTH_6,
    DRAINING,
    DUAL,
    INTERNAL,
    LOCAL,
    MIXED,
    MIXED_SLICE,
    ONLY_6,
    ONLY_A,
    RANGES,
    REMOTE,
    SEVEN,
    UNREADY,
    ZONE_WEST,
    ZONED,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A golden: everything on one node."""

    name: str
    cluster: Cluster
    node: str = "node-a"


def whole(config: NodeConfig) -> str:
    """Every part of a node's configuration under a line `# part`; empty parts are left out."""
    parts = {
        "addresses": "".join(f"{line.text}\n" for line in config.dummy_addresses),
        "ipset": ipset_save(config.ipsets),
        "ipvs": ipvsadm_save(config.virtual_servers),
        "iptables": iptables_save(config.iptables),
        "ip6tables": iptables_save(config.ip6tables),
        "sysctl": "".join(f"{name} = {value}\n" for name, value in config.sysctls.items()),
    }
    return "\n".join(f"# {name}\n{text}" for name, text in parts.items() if text)


def part(text: str, name: str) -> str:
    """One part of what `whole` made; "" if it is not there."""
    _, found, rest = f"\n{text}".partition(f"\n# {name}\n")
    return rest.split("\n\n# ")[0].rstrip("\n") + "\n" if found else ""


NODE_PORT = (port(node_port=30080),)
MIXED_NODE_PORTS = tuple(replace(one, node_port=30080 + place) for place, one in enumerate(MIXED))
EXTERNAL = replace(INTERNAL, external_ips=("192.0.2.9",))
FAR_APART = ("10.0.0.1", "192.168.0.1", "172.16.0.1", "10.0.0.200", "10.0.0.3")
HOME = ("127.0.0.0/8", "192.168.10.0/24")
NARROW = ("198.51.100.0/24", "198.51.100.7/32")


def _one(one: Service, proxy: ProxyConfiguration = PROXY) -> Cluster:
    """The worked example's endpoints behind this Service."""
    return cluster(served(one, BOTH), proxy=proxy)


def _dual(one: Service, proxy: ProxyConfiguration = DUAL_PROXY) -> Cluster:
    return cluster(served(one, BOTH, BOTH_6), nodes=(DUAL_A, DUAL_B), proxy=proxy)


CASES = (
    Case("worked-example", cluster()),
    Case("worked-example-node-b", cluster(), "node-b"),
    Case("no-services", cluster(served(replace(INTERNAL, cluster_ips=("None",)), BOTH))),
    Case("cluster-ip", _one(INTERNAL)),
    Case("seven-endpoints", cluster(served(INTERNAL, endpoints(*SEVEN)))),
    Case("tcp-udp-sctp", cluster(served(service(ports=MIXED_NODE_PORTS), MIXED_SLICE))),
    Case(
        "tcp-udp-sctp-traffic-local",
        cluster(served(service(ports=MIXED_NODE_PORTS, external_traffic_local=True), MIXED_SLICE)),
    ),
    Case(
        "several-services",
        cluster(
            served(service("web", cluster_ips=("10.96.100.11",), ports=(port(),)), BOTH),
            served(service("api", cluster_ips=("10.96.100.12",), ports=(port(),)), endpoints(service="api")),
            served(service("web", namespace="app", ports=(port(),)), endpoints(THERE, namespace="app")),
        ),
    ),
    Case(
        "one-pod-behind-two-services",
        cluster(
            served(INTERNAL, endpoints(HERE)),
            served(service("api", cluster_ips=("10.96.100.12",), ports=(port(),)), endpoints(HERE, service="api")),
        ),
    ),
    # who is chosen
    Case("external-traffic-local", _one(service(external_traffic_local=True))),
    Case("internal-traffic-local", _one(service(internal_traffic_local=True))),
    Case("both-traffic-local", _one(replace(LOCAL, ports=NODE_PORT, internal_traffic_local=True))),
    Case("client-ip-affinity", _one(service(affinity_timeout=10800))),
    Case(
        "zone-hints",
        cluster(served(replace(LOCAL, external_ips=("192.0.2.9",)), endpoints(*ZONED)), nodes=(ZONE_WEST, NODE_B)),
    ),
    Case("terminating-everywhere", cluster(served(service(), endpoints(DRAINING)))),
    Case("not-ready", cluster(served(service(), endpoints(UNREADY, THERE)))),
    # nobody to choose
    Case("no-endpoints", cluster(served(service(ingress=(VIP,), external_ips=("192.0.2.9",)), endpoints()))),
    Case("no-local-endpoints-outside", cluster(served(replace(LOCAL, ports=NODE_PORT), REMOTE))),
    Case("no-local-endpoints-inside", cluster(served(replace(INTERNAL, internal_traffic_local=True), REMOTE))),
    Case("no-local-endpoints-inside-with-node-port", cluster(served(service(internal_traffic_local=True), REMOTE))),
    # ways in
    Case("external-ips", _one(replace(INTERNAL, external_ips=("192.0.2.9", "192.0.2.10")))),
    Case(
        "external-ips-traffic-local", _one(replace(INTERNAL, external_ips=("192.0.2.9",), external_traffic_local=True))
    ),
    Case("external-ip-of-the-node", _one(replace(INTERNAL, external_ips=("192.168.10.11", "10.244.1.1")))),
    Case(
        "load-balancer", _one(replace(BALANCED, ingress=(Ingress(VIP), Ingress("203.0.113.51", "Proxy"), Ingress(""))))
    ),
    Case("health-check-node-port", _one(replace(LOCAL, ports=(port(), port("https", 443))))),
    Case("source-ranges", _one(replace(BALANCED, source_ranges=RANGES))),
    Case("source-ranges-elsewhere", _one(replace(BALANCED, source_ranges=NARROW))),
    Case("source-ranges-any", _one(replace(BALANCED, source_ranges=("0.0.0.0/0", "198.51.100.0/24")))),
    Case(
        "load-balancer-with-everything",
        _one(replace(LOCAL, ports=NODE_PORT, ingress=(Ingress("203.0.113.10"),), source_ranges=NARROW[:1])),
    ),
    Case(
        "one-external-ip-twice",
        cluster(
            served(replace(INTERNAL, external_ips=("192.0.2.9",)), endpoints(THERE)),
            served(
                service("api", cluster_ips=("10.96.100.12",), ports=(port(),), external_ips=("192.0.2.9",)),
                endpoints(HERE, service="api"),
            ),
        ),
    ),
    # settings
    Case("scheduler-mh", _one(service(affinity_timeout=600), replace(PROXY, ipvs_scheduler="mh"))),
    Case("scheduler-wlc", _one(service(), replace(PROXY, ipvs_scheduler="wlc"))),
    Case("strict-arp", _one(INTERNAL, replace(PROXY, ipvs_strict_arp=True))),
    Case("masquerade-all", _one(service(), replace(PROXY, masquerade_all=True))),
    Case("masquerade-bit", _one(service(), replace(PROXY, masquerade_bit=31))),
    Case("no-local-detector", _one(service(), replace(PROXY, cluster_cidrs=()))),
    Case("detect-node-cidr", _one(service(), replace(PROXY, detect_local_mode="NodeCIDR"))),
    Case(
        "detect-bridge-interface",
        _one(service(), replace(PROXY, detect_local_mode="BridgeInterface", bridge_interface="cni0")),
    ),
    Case(
        "detect-interface-name-prefix",
        _one(service(), replace(PROXY, detect_local_mode="InterfaceNamePrefix", interface_name_prefix="veth")),
    ),
    Case("node-port-addresses", _one(service(), replace(PROXY, node_port_addresses=HOME))),
    Case(
        "node-port-addresses-nowhere",
        _one(replace(LOCAL, ports=NODE_PORT), replace(PROXY, node_port_addresses=("172.16.0.0/12",))),
    ),
    # IPv6
    Case("dual-stack", _dual(DUAL)),
    Case("ipv6-only", cluster(served(ONLY_6, BOTH_6), nodes=(ONLY_A,), proxy=DUAL_PROXY)),
    Case(
        "ipv6-traffic-local",
        _dual(replace(DUAL, affinity_timeout=10800, external_traffic_local=True, source_ranges=("fd00:192:168::/48",))),
    ),
    Case("ipv6-source-ranges", _dual(replace(DUAL, source_ranges=("2001:db8:1::/64", "2001:db8:2::5/128")))),
    Case("ipv6-no-local-detector", _dual(DUAL, replace(DUAL_PROXY, cluster_cidrs=()))),
    Case("ipv6-service-on-an-ipv4-node", cluster(served(ONLY_6, BOTH_6), nodes=(NODE_A, NODE_B), proxy=DUAL_PROXY)),
    Case("listing-order", cluster(served(INTERNAL, endpoints(*(endpoint(one) for one in FAR_APART))))),
)
