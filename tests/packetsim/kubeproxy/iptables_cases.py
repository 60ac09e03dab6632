"""Rule: one row a golden; each row is the worked example with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packetsim.cluster.model import Cluster, EndpointPort, Ingress, Node, ProxyConfiguration, Service
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_B,
    DUAL_PROXY,
    HERE,
    HERE_6,
    NODE_A,
    NODE_B,
    PROXY,
    THERE,
    THERE_6,
    VIP,
    cluster,
    endpoint,
    endpoints,
    port,
    served,
    service,
)


@dataclass(frozen=True, slots=True)
class Case:
    """A golden: the text of one family on one node."""

    name: str
    cluster: Cluster
    node: str = "node-a"
    family: int = 4


BOTH = endpoints(HERE, THERE)
REMOTE = endpoints(THERE)
DRAINING = endpoint("10.244.1.5", "node-a", ready=False, serving=True, terminating=True)
UNREADY = endpoint("10.244.1.9", "node-a", ready=False)
SEVEN = tuple(endpoint(f"10.244.2.{place}", "node-b") for place in (1, 5, 9, 10, 50, 100, 200))
ZONED = tuple(
    endpoint(address, node, zone_hints=(zone,))
    for address, node, zone in (("10.244.1.5", "node-a", "west"), ("10.244.2.7", "node-b", "east"))
)
INTERNAL = service(kind="ClusterIP", ports=(port(),))
BALANCED = service(kind="LoadBalancer", ingress=(VIP,))
LOCAL = service(kind="LoadBalancer", ingress=(VIP,), external_traffic_local=True, health_check_node_port=31999)
RANGES = ("198.51.100.0/24", "192.168.10.0/24")
ZONE_WEST = replace(NODE_A, labels={"topology.kubernetes.io/zone": "west"})
MIXED = (port("http"), port("dns", 53, "udp"), port("sig", 3868, "sctp", node_port=30868))
MIXED_SLICE = endpoints(
    HERE,
    ports=(EndpointPort("http", "tcp", 8080), EndpointPort("dns", "udp", 5353), EndpointPort("sig", "sctp", 3868)),
)

TWO_IPS = ("10.96.100.10", "fd00:10:96::64:a")
DUAL = service(cluster_ips=TWO_IPS, kind="LoadBalancer", ingress=(VIP, "2001:db8::50"), external_ips=("2001:db8::9",))
BOTH_6 = endpoints(HERE_6, THERE_6, family=6)
ONLY_A = Node("node-a", ("fd00:192:168:10::11",), ("fd00:10:244:1::/64",))
ONLY_6 = service(cluster_ips=("fd00:10:96::64:a",))


def _one(one: Service, proxy: ProxyConfiguration = PROXY, node: Node = NODE_A) -> Cluster:
    """The worked example's endpoints behind this Service."""
    return cluster(served(one, BOTH), proxy=proxy, nodes=(node, NODE_B))


def _proxy(proxy: ProxyConfiguration, one: Service = LOCAL) -> Cluster:
    return _one(one, proxy)


def _dual(one: Service, proxy: ProxyConfiguration = DUAL_PROXY) -> Cluster:
    return cluster(served(one, BOTH, BOTH_6), nodes=(DUAL_A, DUAL_B), proxy=proxy)


CASES = (
    Case("worked-example", cluster()),
    Case("no-services", cluster(served(replace(INTERNAL, cluster_ips=("None",)), BOTH))),
    Case(
        "unnamed-port",
        cluster(served(service(ports=(port(""),)), endpoints(HERE, ports=(EndpointPort("", "tcp", 8080),)))),
    ),
    Case("seven-endpoints", cluster(served(INTERNAL, endpoints(*SEVEN)))),
    Case("tcp-udp-sctp", cluster(served(service(ports=MIXED), MIXED_SLICE))),
    Case(
        "several-services",
        cluster(
            served(service("web", cluster_ips=("10.96.100.11",), ports=(port(),)), BOTH),
            served(service("api", cluster_ips=("10.96.100.12",), ports=(port(),)), endpoints(service="api")),
            served(service("web", namespace="app", ports=(port(),)), endpoints(THERE, namespace="app")),
        ),
    ),
    # who is chosen
    Case("external-traffic-local", _one(service(external_traffic_local=True))),
    Case("internal-traffic-local", _one(service(internal_traffic_local=True))),
    Case("both-traffic-local", _one(replace(LOCAL, internal_traffic_local=True))),
    Case("client-ip-affinity", _one(service(affinity_timeout=10800))),
    Case("affinity-and-traffic-local", _one(replace(LOCAL, affinity_timeout=600))),
    Case(
        "zone-hints",
        cluster(served(replace(LOCAL, external_ips=("192.0.2.9",)), endpoints(*ZONED)), nodes=(ZONE_WEST, NODE_B)),
    ),
    Case("terminating-everywhere", cluster(served(service(), endpoints(DRAINING)))),
    Case("terminating-here", cluster(served(LOCAL, endpoints(DRAINING, THERE)))),
    Case("not-ready", cluster(served(service(), endpoints(UNREADY, THERE)))),
    # nobody to choose
    Case("no-endpoints", cluster(served(service(ingress=(VIP,), external_ips=("192.0.2.9",)), endpoints()))),
    Case("no-local-endpoints-outside", cluster(served(LOCAL, REMOTE))),
    Case("no-local-endpoints-inside", cluster(served(replace(INTERNAL, internal_traffic_local=True), REMOTE))),
    Case("no-local-endpoints-external-ip", cluster(served(replace(LOCAL, external_ips=("192.0.2.9",)), REMOTE))),
    # ways in
    Case("external-ips", _one(replace(INTERNAL, external_ips=("192.0.2.9", "192.0.2.10")))),
    Case(
        "load-balancer", _one(replace(BALANCED, ingress=(Ingress(VIP), Ingress("203.0.113.51", "Proxy"), Ingress(""))))
    ),
    Case("health-check-node-port", _one(replace(LOCAL, ports=(port(), port("https", 443))))),
    Case("source-ranges", _one(replace(BALANCED, source_ranges=RANGES))),
    Case("source-ranges-elsewhere", _one(replace(BALANCED, source_ranges=RANGES[:1]))),
    Case("source-ranges-any", _one(replace(BALANCED, source_ranges=("0.0.0.0/0",)))),
    # settings
    Case("masquerade-all", _proxy(replace(PROXY, masquerade_all=True))),
    Case("masquerade-bit", _proxy(replace(PROXY, masquerade_bit=31))),
    Case("no-local-detector", _proxy(replace(PROXY, cluster_cidrs=()))),
    Case("detect-node-cidr", _proxy(replace(PROXY, detect_local_mode="NodeCIDR"))),
    Case(
        "detect-bridge-interface", _proxy(replace(PROXY, detect_local_mode="BridgeInterface", bridge_interface="cni0"))
    ),
    Case(
        "detect-interface-name-prefix",
        _proxy(replace(PROXY, detect_local_mode="InterfaceNamePrefix", interface_name_prefix="veth")),
    ),
    Case("localhost-node-ports-off", _proxy(replace(PROXY, localhost_node_ports=False))),
    Case("node-port-addresses", _proxy(replace(PROXY, node_port_addresses=("10.244.0.0/16", "192.168.10.0/24")))),
    Case(
        "node-port-addresses-loopback", _proxy(replace(PROXY, node_port_addresses=("127.0.0.0/8", "192.168.10.0/24")))
    ),
    Case("node-port-addresses-primary", _proxy(replace(PROXY, node_port_addresses=("primary",)))),
    # IPv6
    Case("dual-stack-ipv4", _dual(DUAL)),
    Case("dual-stack-ipv6", _dual(DUAL), family=6),
    Case("ipv6-only", cluster(served(ONLY_6, BOTH_6), nodes=(ONLY_A,), proxy=DUAL_PROXY), family=6),
    Case(
        "ipv6-affinity-and-traffic-local",
        _dual(replace(DUAL, affinity_timeout=10800, external_traffic_local=True, source_ranges=("fd00:192:168::/48",))),
        family=6,
    ),
    Case("ipv6-no-endpoints", cluster(served(DUAL, BOTH), nodes=(DUAL_A, DUAL_B), proxy=DUAL_PROXY), family=6),
    Case(
        "ipv6-node-port-addresses",
        _dual(DUAL, replace(DUAL_PROXY, node_port_addresses=("::1/128", "fd00::/16", "192.168.10.0/24"))),
        family=6,
    ),
)
