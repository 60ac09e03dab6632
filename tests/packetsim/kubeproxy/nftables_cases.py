"""Rule: one row a golden; each row is the worked example with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from packetsim.cluster.model import Cluster, Ingress, ProxyConfiguration, Service
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

LONG = ("n" * 63, "s" * 63, "p" * 63)
LONG_ADDRESS = "2001:db8:1111:2222:3333:4444:5555:6666"
UNNAMED = endpoints(HERE, ports=(replace(BOTH.ports[0], name=""),))
EXTERNAL = replace(BALANCED, external_ips=("192.0.2.9",))


@dataclass(frozen=True, slots=True)
class Case:
    """A golden: all tables of one node."""

    name: str
    cluster: Cluster
    node: str = "node-a"


def _one(one: Service, proxy: ProxyConfiguration = PROXY) -> Cluster:
    """The worked example's endpoints behind this Service."""
    return cluster(served(one, BOTH), proxy=proxy)


def _proxy(proxy: ProxyConfiguration, one: Service = LOCAL) -> Cluster:
    return _one(one, proxy)


def _dual(one: Service, proxy: ProxyConfiguration = DUAL_PROXY, cidrs: tuple[str, ...] = ("10.96.0.0/16",)) -> Cluster:
    return cluster(served(one, BOTH, BOTH_6), nodes=(DUAL_A, DUAL_B), proxy=proxy, service_cidrs=cidrs)


def _long_names() -> Cluster:
    namespace, name, port_name = LONG
    one = service(
        name,
        namespace=namespace,
        cluster_ips=("fd00:10:96::64:a",),
        ports=(port(port_name, protocol="sctp"),),
        affinity_timeout=1,
    )
    target = replace(BOTH_6.ports[0], name=port_name, protocol="sctp", port=65535)
    slice_ = endpoints(
        endpoint(LONG_ADDRESS, "node-a"), service=name, namespace=namespace, ports=(target,), family=6, name="long"
    )
    return cluster(served(one, slice_), nodes=(ONLY_A,), proxy=DUAL_PROXY)


CASES = (
    Case("worked-example", cluster(service_cidrs=("10.96.0.0/12",))),
    Case("worked-example-node-b", cluster(service_cidrs=("10.96.0.0/12",)), "node-b"),
    Case("no-services", cluster(served(replace(INTERNAL, cluster_ips=("None",)), BOTH))),
    Case(
        "unnamed-port",
        cluster(served(service(ports=(port(""),)), endpoints(HERE, ports=(replace(BOTH.ports[0], name=""),)))),
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
    Case("long-names", _long_names()),
    # who is chosen
    Case("external-traffic-local", _one(service(external_traffic_local=True))),
    Case("internal-traffic-local", _one(service(internal_traffic_local=True))),
    Case("both-traffic-local", _one(replace(LOCAL, internal_traffic_local=True))),
    Case("client-ip-affinity", _one(service(affinity_timeout=10800))),
    Case("affinity-and-traffic-local", _one(replace(LOCAL, affinity_timeout=90))),
    Case(
        "zone-hints",
        cluster(served(replace(LOCAL, external_ips=("192.0.2.9",)), endpoints(*ZONED)), nodes=(ZONE_WEST, NODE_B)),
    ),
    Case("terminating-everywhere", cluster(served(service(), endpoints(DRAINING)))),
    Case("terminating-here", cluster(served(LOCAL, endpoints(DRAINING, THERE)))),
    Case("not-ready", cluster(served(service(), endpoints(UNREADY, THERE)))),
    # nobody to choose
    Case("no-endpoints", cluster(served(replace(EXTERNAL, ports=(port(node_port=30080),)), endpoints()))),
    Case("no-local-endpoints-outside", cluster(served(replace(LOCAL, ports=(port(node_port=30080),)), REMOTE))),
    Case("no-local-endpoints-inside", cluster(served(replace(INTERNAL, internal_traffic_local=True), REMOTE))),
    Case("no-local-endpoints-inside-with-node-port", cluster(served(service(internal_traffic_local=True), REMOTE))),
    Case("no-local-endpoints-external-ip", cluster(served(replace(LOCAL, external_ips=("192.0.2.9",)), REMOTE))),
    # ways in
    Case("external-ips", _one(replace(INTERNAL, external_ips=("192.0.2.9", "192.0.2.10", VIP)))),
    Case(
        "load-balancer", _one(replace(BALANCED, ingress=(Ingress(VIP), Ingress("203.0.113.51", "Proxy"), Ingress(""))))
    ),
    Case("source-ranges", _one(replace(BALANCED, source_ranges=RANGES))),
    Case("source-ranges-elsewhere", _one(replace(BALANCED, source_ranges=RANGES[:1]))),
    Case("source-ranges-merged", _one(replace(BALANCED, source_ranges=("9.0.0.0/8", "10.0.0.0/8", "10.1.0.0/16")))),
    Case("source-ranges-any", _one(replace(BALANCED, source_ranges=("0.0.0.0/0",)))),
    Case("source-ranges-without-endpoints", cluster(served(replace(BALANCED, source_ranges=RANGES[:1]), endpoints()))),
    Case(
        "one-external-ip-twice",
        cluster(
            served(replace(INTERNAL, external_ips=("192.0.2.9",)), BOTH),
            served(
                service("api", cluster_ips=("10.96.100.12",), ports=(port(),), external_ips=("192.0.2.9",)),
                endpoints(HERE, service="api"),
            ),
        ),
    ),
    # settings
    Case("masquerade-all", _proxy(replace(PROXY, nftables_masquerade_all=True))),
    Case("masquerade-bit", _proxy(replace(PROXY, nftables_masquerade_bit=15))),
    Case("masquerade-bit-31", _proxy(replace(PROXY, nftables_masquerade_bit=31))),
    Case("no-local-detector", _proxy(replace(PROXY, cluster_cidrs=()))),
    Case("detect-node-cidr", _proxy(replace(PROXY, detect_local_mode="NodeCIDR"))),
    Case(
        "detect-bridge-interface", _proxy(replace(PROXY, detect_local_mode="BridgeInterface", bridge_interface="cni0"))
    ),
    Case(
        "detect-interface-name-prefix",
        _proxy(replace(PROXY, detect_local_mode="InterfaceNamePrefix", interface_name_prefix="veth")),
    ),
    Case("node-port-addresses-all", _one(service(), replace(PROXY, node_port_addresses=("0.0.0.0/0",)))),
    Case(
        "node-port-addresses",
        _one(service(), replace(PROXY, node_port_addresses=("127.0.0.0/8", "10.244.0.0/16", "192.168.10.0/24"))),
    ),
    Case("no-service-cidr", cluster(service_cidrs=())),
    Case("two-service-cidrs", cluster(service_cidrs=("10.112.0.0/12", "10.96.0.0/12", "fd00:10:96::/112"))),
    # IPv6
    Case("dual-stack", _dual(DUAL, cidrs=("10.96.0.0/12", "fd00:10:96::/112"))),
    Case("ipv6-only", cluster(served(ONLY_6, BOTH_6), nodes=(ONLY_A,), proxy=DUAL_PROXY)),
    Case(
        "ipv6-affinity-and-traffic-local",
        _dual(replace(DUAL, affinity_timeout=10800, external_traffic_local=True, source_ranges=("fd00:192:168::/48",))),
    ),
    Case("ipv6-no-endpoints", cluster(served(DUAL, BOTH), nodes=(DUAL_A, DUAL_B), proxy=DUAL_PROXY)),
    Case("ipv6-service-on-an-ipv4-node", cluster(served(ONLY_6, BOTH_6), nodes=(NODE_A, NODE_B), proxy=DUAL_PROXY)),
)
