"""Random clusters always load, in every mode, and over the seeds they have every feature."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from packetsim import MODES, Cluster, Source, load
from packetsim.cluster.model import Endpoint, Pod, Service
from packetsim.cluster.proxy_configuration import SCHEDULERS
from packetsim.kubeproxy.modes import COMPILERS
from packetsim.oracle.random_clusters import random_manifests

SEED, NUMBER = 7, 300


@cache
def clusters() -> tuple[Cluster, ...]:
    return tuple(load([Source("random", random_manifests(SEED, number))]).cluster for number in range(NUMBER))


def some_service(holds: Callable[[Service], object]) -> Callable[[Cluster], bool]:
    return lambda cluster: any(holds(one) for one in cluster.services.values())


def some_pod(holds: Callable[[Pod], object]) -> Callable[[Cluster], bool]:
    return lambda cluster: any(holds(one) for one in cluster.pods.values())


def some_endpoint(holds: Callable[[Endpoint, Cluster], object]) -> Callable[[Cluster], bool]:
    return lambda cluster: any(
        holds(endpoint, cluster) for slices in cluster.slices.values() for one in slices for endpoint in one.endpoints
    )


def of_type(kind: str) -> Callable[[Cluster], bool]:
    return some_service(lambda service: service.type == kind)


def local_by(mode: str) -> Callable[[Cluster], bool]:
    return lambda cluster: cluster.proxy.detect_local_mode == mode


def scheduled_by(name: str) -> Callable[[Cluster], bool]:
    return lambda cluster: cluster.proxy.ipvs_scheduler == name


def without_pod(endpoint: Endpoint, cluster: Cluster) -> bool:
    owned = {address for pod in cluster.pods.values() for address in pod.addresses}
    return endpoint.address not in owned


FEATURES: dict[str, Callable[[Cluster], object]] = {
    "IPv4 alone": lambda cluster: not any(":" in cidr for cidr in cluster.service_cidrs),
    "IPv6 alone": lambda cluster: all(":" in cidr for cidr in cluster.service_cidrs),
    "dual stack": lambda cluster: len(cluster.service_cidrs) == 2,
    "three nodes": lambda cluster: len(cluster.nodes) == 3,
    "a node without a zone": lambda cluster: any(not node.zone for node in cluster.nodes.values()),
    "not ready": some_pod(lambda pod: not pod.ready and not pod.terminating),
    "serving though terminating": some_pod(lambda pod: pod.ready and pod.terminating),
    "terminating and not serving": some_pod(lambda pod: not pod.ready and pod.terminating),
    "not listening": some_pod(lambda pod: pod.listening == frozenset()),
    "listening on some ports": some_pod(lambda pod: pod.listening and len(pod.listening) < len(pod.ports)),
    "gone": some_pod(lambda pod: not pod.answers),
    "hostNetwork": some_pod(lambda pod: pod.host_network),
    "other port numbers": some_pod(lambda pod: pod.ports[0].port == 8081),
    **{f"type {kind}": of_type(kind) for kind in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")},
    "headless": some_service(lambda service: service.cluster_ips[:1] == ("None",)),
    "ClusterIPs of both families": some_service(lambda service: len(service.cluster_ips) == 2),
    "several ingress IPs": some_service(lambda service: len(service.ingress) > 1),
    "ingress host name": some_service(lambda service: any(not one.ip for one in service.ingress)),
    "ipMode Proxy": some_service(lambda service: any(one.ip_mode == "Proxy" for one in service.ingress)),
    "source ranges": some_service(lambda service: service.source_ranges),
    "health check node port": some_service(lambda service: service.health_check_node_port),
    "no node ports for the balancer": some_service(
        lambda service: service.type == "LoadBalancer" and not any(port.node_port for port in service.ports)
    ),
    "externalIPs": some_service(lambda service: len(service.external_ips) > 1),
    "three protocols on one number": some_service(
        lambda service: (
            len({port.protocol for port in service.ports}) == 3 and len({p.port for p in service.ports}) == 1
        )
    ),
    "named target port": some_service(lambda service: any(isinstance(port.target_port, str) for port in service.ports)),
    "affinity, three hours": some_service(lambda service: service.affinity_timeout == 10800),
    "affinity, another timeout": some_service(lambda service: service.affinity_timeout == 600),
    "internalTrafficPolicy": some_service(lambda service: service.internal_traffic_local),
    "externalTrafficPolicy": some_service(lambda service: service.external_traffic_local),
    "both policies": some_service(lambda one: one.internal_traffic_local and one.external_traffic_local),
    "trafficDistribution": some_service(lambda service: service.traffic_distribution == "PreferSameNode"),
    "publishNotReadyAddresses": some_service(lambda service: service.publish_not_ready),
    "another proxy's": some_service(lambda service: service.labels),
    "no selector": some_service(lambda service: service.ports and not service.selector),
    "no endpoints": lambda cluster: any(
        service.ports and not any(one.endpoints for one in cluster.slices.get(key, ()))
        for key, service in cluster.services.items()
    ),
    "zone hints": some_endpoint(lambda endpoint, _: endpoint.zone_hints),
    "node hints": some_endpoint(lambda endpoint, _: endpoint.node_hints),
    "draining endpoint": some_endpoint(lambda endpoint, _: endpoint.serving and endpoint.terminating),
    "endpoint without a Pod": some_endpoint(lambda one, cluster: one.node and without_pod(one, cluster)),
    "endpoint outside": some_endpoint(lambda one, cluster: not one.node and without_pod(one, cluster)),
    "no configuration": lambda cluster: not cluster.proxy.origin,
    **{mode: local_by(mode) for mode in ("ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix")},
    "narrow clusterCIDR": lambda cluster: cluster.proxy.cluster_cidrs[0].startswith(("10.244.1.", "fd00:10:244:1:")),
    "nodePortAddresses primary": lambda cluster: cluster.proxy.node_port_addresses == ("primary",),
    "nodePortAddresses": lambda cluster: len(cluster.proxy.node_port_addresses) > 1,
    "masqueradeAll": lambda cluster: cluster.proxy.masquerade_all and cluster.proxy.nftables_masquerade_all,
    "masqueradeBit": lambda cluster: cluster.proxy.masquerade_bit == 31,
    "localhostNodePorts": lambda cluster: not cluster.proxy.localhost_node_ports,
    "strictARP": lambda cluster: cluster.proxy.ipvs_strict_arp,
    "excludeCIDRs": lambda cluster: cluster.proxy.ipvs_exclude_cidrs,
    **{f"scheduler {name}": scheduled_by(name) for name in SCHEDULERS},
}


@pytest.mark.parametrize("feature", FEATURES)
def test_every_feature_occurs(feature: str) -> None:
    assert any(FEATURES[feature](cluster) for cluster in clusters())


def test_every_mode_can_compile_every_cluster() -> None:
    for number, cluster in enumerate(clusters()[:40]):
        for node in cluster.nodes:
            for mode in MODES:
                config = COMPILERS[mode](cluster, node, None)
                assert config.node == node, number


def test_the_same_seed_and_number_make_the_same_cluster() -> None:
    assert random_manifests(1, 2) == random_manifests(1, 2)
    assert len({random_manifests(seed, number) for seed in range(3) for number in range(3)}) == 9


def test_every_address_is_written_out() -> None:
    """Nothing is left for the allocators, so that leaving something out shifts nothing."""
    for number in range(40):
        text = random_manifests(SEED, number)
        cluster = load([Source("random", text)]).cluster
        written = {address for node in cluster.nodes.values() for address in (*node.addresses, *node.pod_cidrs)}
        written |= {address for pod in cluster.pods.values() for address in pod.addresses}
        for service in cluster.services.values():
            written |= {*service.cluster_ips, *(str(port.node_port) for port in service.ports if port.node_port)}
        assert all(one in text for one in written), number
