"""Rule: clusters for the rule compilers' tests are built here as values, without YAML.

Everything defaults to one worked example: two nodes, Service `shop/web` (NodePort 30080) and an
endpoint on each node. `cluster()` alone is that example; `service(...)` and `endpoints(...)` are
its parts, changed by keyword.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from packetsim.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    Node,
    ProxyConfiguration,
    Service,
    ServicePort,
)

NODE_A = Node("node-a", ("192.168.10.11",), ("10.244.1.0/24",))
NODE_B = Node("node-b", ("192.168.10.12",), ("10.244.2.0/24",))
DUAL_A = replace(
    NODE_A,
    addresses=("192.168.10.11", "fd00:192:168:10::11"),
    pod_cidrs=("10.244.1.0/24", "fd00:10:244:1::/64"),
)
DUAL_B = replace(
    NODE_B,
    addresses=("192.168.10.12", "fd00:192:168:10::12"),
    pod_cidrs=("10.244.2.0/24", "fd00:10:244:2::/64"),
)
PROXY = ProxyConfiguration(cluster_cidrs=("10.244.0.0/16",))
DUAL_PROXY = ProxyConfiguration(cluster_cidrs=("10.244.0.0/16", "fd00:10:244::/48"))
VIP = "203.0.113.50"

Served = tuple[Service, tuple[EndpointSlice, ...]]


def port(
    name: str = "http", number: int = 80, protocol: str = "tcp", target: int | str = 8080, node_port: int = 0
) -> ServicePort:
    """One entry of `spec.ports`."""
    return ServicePort(name, protocol, number, target, node_port)


def service(
    name: str = "web",
    *,
    namespace: str = "shop",
    kind: str = "NodePort",
    cluster_ips: Sequence[str] = ("10.96.100.10",),
    ports: Sequence[ServicePort] = (port(node_port=30080),),
    ingress: Sequence[str | Ingress] = (),
    labels: Mapping[str, str] | None = None,
    external_ips: Sequence[str] = (),
    source_ranges: Sequence[str] = (),
    health_check_node_port: int = 0,
    external_traffic_local: bool = False,
    internal_traffic_local: bool = False,
    affinity_timeout: int | None = None,
) -> Service:
    """`shop/web`, or what the keywords make of it. `kind` is `spec.type`; a str ingress is a VIP."""
    return Service(
        namespace=namespace,
        name=name,
        type=kind,
        cluster_ips=tuple(cluster_ips),
        ports=tuple(ports),
        labels=labels or {},
        external_ips=tuple(external_ips),
        ingress=tuple(Ingress(one) if isinstance(one, str) else one for one in ingress),
        source_ranges=tuple(source_ranges),
        health_check_node_port=health_check_node_port,
        external_traffic_local=external_traffic_local,
        internal_traffic_local=internal_traffic_local,
        affinity_timeout=affinity_timeout,
        ip_families=tuple(dict.fromkeys(6 if ":" in ip else 4 for ip in cluster_ips)),
    )


def endpoint(
    address: str,
    node: str = "",
    *,
    ready: bool = True,
    serving: bool | None = None,
    terminating: bool = False,
    zone_hints: Sequence[str] = (),
    node_hints: Sequence[str] = (),
) -> Endpoint:
    """One endpoint; `serving` follows `ready` unless told otherwise."""
    return Endpoint(
        address=address,
        ready=ready,
        serving=ready if serving is None else serving,
        terminating=terminating,
        node=node,
        zone_hints=tuple(zone_hints),
        node_hints=tuple(node_hints),
    )


HERE = endpoint("10.244.1.5", "node-a")  # local on node-a
THERE = endpoint("10.244.2.7", "node-b")
HERE_6 = endpoint("fd00:10:244:1::5", "node-a")
THERE_6 = endpoint("fd00:10:244:2::7", "node-b")


def endpoints(
    *members: Endpoint,
    service: str = "web",
    namespace: str = "shop",
    name: str = "",
    ports: Sequence[EndpointPort] = (EndpointPort("http", "tcp", 8080),),
    family: int = 4,
) -> EndpointSlice:
    """A slice of `service` with just these members; `endpoints()` has none."""
    return EndpointSlice(
        namespace=namespace,
        name=name or f"{service}-{family}",
        service=service,
        family=family,
        ports=tuple(ports),
        endpoints=members,
    )


def served(one: Service, *slices: EndpointSlice) -> Served:
    """A Service with its slices, for `cluster`."""
    return one, slices


def cluster(
    *services: Served,
    nodes: Sequence[Node] = (NODE_A, NODE_B),
    proxy: ProxyConfiguration = PROXY,
    service_cidrs: Sequence[str] = ("10.96.0.0/16",),
) -> Cluster:
    """A cluster of these Services; with none given, the worked example's."""
    chosen = services or (served(service(), endpoints(HERE, THERE)),)
    return Cluster(
        nodes={node.name: node for node in nodes},
        pods={},
        services={one.key: one for one, _ in chosen},
        slices={one.key: slices for one, slices in chosen},
        service_cidrs=tuple(service_cidrs),
        proxy=proxy,
        namespaces=("default", "shop"),
    )
