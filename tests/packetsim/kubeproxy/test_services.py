"""Rule: which endpoints a service port may use, as rows: what there is, and who is chosen on node-a."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.cluster.model import Cluster, Endpoint, EndpointPort, Ingress, Service
from packetsim.kubeproxy.services import Endpoints, ProxiedPort, holds, is_proxied, proxied_ports
from tests.packetsim.kubeproxy.clusters import (
    HERE,
    HERE_6,
    NODE_A,
    NODE_B,
    THERE,
    VIP,
    Served,
    cluster,
    endpoint,
    endpoints,
    port,
    served,
    service,
)

HERE_GOING = endpoint("10.244.1.6", "node-a", ready=False, serving=True, terminating=True)
THERE_GOING = endpoint("10.244.2.8", "node-b", ready=False, serving=True, terminating=True)
HERE_GONE = endpoint("10.244.1.7", "node-a", ready=False, serving=False, terminating=True)
HERE_UNREADY = endpoint("10.244.1.8", "node-a", ready=False, serving=True)
WEST = replace(NODE_A, labels={"topology.kubernetes.io/zone": "west"})

CLUSTER_IP = service(kind="ClusterIP", ports=(port(),))
INTERNAL_LOCAL = replace(CLUSTER_IP, internal_traffic_local=True)
EXTERNAL_LOCAL = service(external_traffic_local=True)
BOTH_LOCAL = replace(EXTERNAL_LOCAL, internal_traffic_local=True)


def only(made: Cluster, family: int = 4) -> ProxiedPort:
    (found,) = proxied_ports(made, "node-a", family).ports
    return found


def hosts(chosen: Endpoints) -> list[int]:
    """The last number of each address: 5 is ready here, 7 ready there."""
    return [int(one.address.rpartition(".")[2]) for one in chosen]


@pytest.mark.parametrize(
    ("one", "there_are", "cluster_set", "local_set", "has_endpoints"),
    [
        (CLUSTER_IP, [HERE, THERE], [5, 7], [], True),
        (CLUSTER_IP, [], [], [], False),
        (CLUSTER_IP, [HERE_UNREADY], [], [], False),
        (CLUSTER_IP, [HERE_GONE], [], [], False),
        (CLUSTER_IP, [HERE_GOING, THERE], [7], [], True),
        (CLUSTER_IP, [HERE_GOING, THERE_GOING], [6, 8], [], True),
        (INTERNAL_LOCAL, [HERE, THERE], [], [5], True),
        (INTERNAL_LOCAL, [THERE], [], [], True),
        (INTERNAL_LOCAL, [THERE_GOING], [], [], True),
        (INTERNAL_LOCAL, [HERE_UNREADY], [], [], False),
        (INTERNAL_LOCAL, [HERE_GOING, THERE], [], [6], True),
        (EXTERNAL_LOCAL, [HERE, THERE], [5, 7], [5], True),
        (EXTERNAL_LOCAL, [HERE_GOING, THERE], [7], [6], True),
        (EXTERNAL_LOCAL, [HERE_GOING, HERE, THERE], [5, 7], [5], True),
        (BOTH_LOCAL, [HERE, THERE], [5, 7], [5], True),
        # a Local policy for outside traffic without any way in from outside
        (service(external_traffic_local=True, ports=(port(),)), [HERE, THERE], [5, 7], [], True),
    ],
)
def test_endpoint_sets(
    one: Service, there_are: list[Endpoint], cluster_set: list[int], local_set: list[int], has_endpoints: bool
) -> None:
    found = only(cluster(served(one, endpoints(*there_are))))
    assert hosts(found.cluster_endpoints) == cluster_set
    assert hosts(found.local_endpoints) == local_set
    assert found.has_endpoints is has_endpoints


@pytest.mark.parametrize(
    ("hints", "chosen"),
    [
        ([("west", ""), ("east", "")], [5]),
        ([("east", ""), ("east", "")], [5, 7]),  # none for this zone: not applied
        ([("west", ""), ("", "")], [5, 7]),  # one without a hint turns them off
        ([("east", "node-a"), ("west", "node-b")], [5]),  # nodes before zones
        ([("east", "node-b"), ("west", "node-b")], [7]),  # none for this node: zones
        ([("east", "node-a"), ("west", "")], [7]),
    ],
)
def test_topology_hints(hints: list[tuple[str, str]], chosen: list[int]) -> None:
    members = [
        replace(one, zone_hints=tuple(filter(None, [zone])), node_hints=tuple(filter(None, [node])))
        for one, (zone, node) in zip((HERE, THERE), hints, strict=True)
    ]
    unready = replace(HERE_UNREADY, zone_hints=(), node_hints=())
    found = only(cluster(served(CLUSTER_IP, endpoints(*members, unready)), nodes=(WEST, NODE_B)))
    assert hosts(found.cluster_endpoints) == chosen


def test_zone_hints_need_a_zone_of_the_node() -> None:
    members = [replace(one, zone_hints=("west",)) for one in (HERE, THERE)]
    assert hosts(only(cluster(served(CLUSTER_IP, endpoints(*members)))).cluster_endpoints) == [5, 7]


def test_local_endpoints_ignore_hints() -> None:
    members = [replace(HERE, zone_hints=("east",)), replace(THERE, zone_hints=("west",))]
    found = only(cluster(served(EXTERNAL_LOCAL, endpoints(*members)), nodes=(WEST, NODE_B)))
    assert (hosts(found.cluster_endpoints), hosts(found.local_endpoints)) == ([7], [5])
    assert hosts(found.reachable) == [5, 7]


def test_endpoints_are_sorted_as_text() -> None:
    members = [endpoint(f"10.244.1.{place}") for place in (5, 50, 1, 10)]
    assert [one.text for one in only(cluster(served(CLUSTER_IP, endpoints(*members)))).endpoints] == [
        "10.244.1.10:8080",
        "10.244.1.1:8080",
        "10.244.1.50:8080",
        "10.244.1.5:8080",
    ]


@pytest.mark.parametrize("order", [1, -1])
def test_an_endpoint_in_two_slices_counts_once_and_a_local_one_wins(order: int) -> None:
    slices = (endpoints(replace(HERE, node="")), endpoints(HERE, name="web-2"))[::order]
    (found,) = only(cluster(served(CLUSTER_IP, *slices))).endpoints
    assert (found.local, found.origin.name) == (True, "web-2")


def test_slices_are_matched_by_port_name_protocol_and_family() -> None:
    slices = (
        endpoints(endpoint("10.244.1.1"), name="a", ports=(EndpointPort("https", "tcp", 8443),)),
        endpoints(endpoint("10.244.1.2"), name="b", ports=(EndpointPort("http", "udp", 8080),)),
        endpoints(endpoint("10.244.1.3"), name="c", ports=(EndpointPort("http", "tcp", 0),)),
        endpoints(HERE_6, name="d", family=6),
        endpoints(HERE_6, endpoint("10.244.1.4"), name="e", ports=(EndpointPort("http", "tcp", 9090),)),
    )
    assert [one.text for one in only(cluster(served(CLUSTER_IP, *slices))).endpoints] == ["10.244.1.4:9090"]


@pytest.mark.parametrize(
    ("one", "proxied"),
    [
        (CLUSTER_IP, True),
        (replace(CLUSTER_IP, cluster_ips=("None",)), False),
        (replace(CLUSTER_IP, cluster_ips=()), False),
        (replace(CLUSTER_IP, type="ExternalName"), False),
        (replace(CLUSTER_IP, labels={"service.kubernetes.io/service-proxy-name": "other"}), False),
        (replace(CLUSTER_IP, labels={"service.kubernetes.io/headless": ""}), False),
    ],
)
def test_services_left_alone(one: Service, proxied: bool) -> None:
    assert is_proxied(one) is proxied
    assert bool(list(proxied_ports(cluster(served(one)), "node-a", 4).ports)) is proxied


def test_addresses_are_sorted_by_family() -> None:
    one = service(
        cluster_ips=("10.96.100.10", "fd00:10:96::a"),
        external_ips=("192.0.2.9", "2001:db8::9"),
        ingress=(VIP, "2001:db8::50", Ingress("203.0.113.51", "Proxy"), Ingress("")),
        source_ranges=("198.51.100.0/24", "2001:db8::/32"),
    )
    four, six = (only(cluster(served(one)), family) for family in (4, 6))
    assert (four.cluster_ip, four.external_ips, four.load_balancer_ips) == ("10.96.100.10", ("192.0.2.9",), (VIP,))
    assert (six.cluster_ip, six.external_ips, six.load_balancer_ips) == (
        "fd00:10:96::a",
        ("2001:db8::9",),
        ("2001:db8::50",),
    )
    assert (four.source_ranges, six.source_ranges) == (("198.51.100.0/24",), ("2001:db8::/32",))


@pytest.mark.parametrize(
    ("one", "local", "health_check"),
    [
        (service(kind="LoadBalancer", external_traffic_local=True, health_check_node_port=31999), True, 31999),
        (service(kind="NodePort", external_traffic_local=True, health_check_node_port=31999), True, 0),
        (service(kind="LoadBalancer", health_check_node_port=31999), False, 0),
        (service(kind="ClusterIP", external_traffic_local=True), False, 0),
        (service(kind="ClusterIP", external_traffic_local=True, external_ips=("192.0.2.9",)), True, 0),
    ],
)
def test_external_policy_and_health_check(one: Service, local: bool, health_check: int) -> None:
    found = only(cluster(served(one)))
    assert (found.external_local, found.health_check_node_port) == (local, health_check)


def test_names_and_origins() -> None:
    one = service(ports=(port(), port("", 443, node_port=30443)))
    named, unnamed = proxied_ports(cluster(served(one)), "node-a", 4).ports
    assert (named.display, unnamed.display) == ("shop/web:http", "shop/web")
    assert (named.external, unnamed.external) == (False, True)
    assert str(unnamed.port_origin("nodePort")) == "Service shop/web spec.ports[1].nodePort"


def test_ports_come_in_the_order_of_namespace_and_name() -> None:
    made = cluster(*(served(service(name, namespace=space)) for space, name in (("b", "a"), ("a", "z"), ("a", "b"))))
    assert [one.display for one in proxied_ports(made, "node-a", 4).ports] == ["a/b:http", "a/z:http", "b/a:http"]


WEB, API, DNS = (served(service(name), endpoints(HERE, THERE, service=name)) for name in ("web", "api", "dns"))


@pytest.mark.parametrize(
    "after",
    [
        (WEB, API),
        (API, WEB),
        (WEB, API, DNS),
        (WEB,),
        (DNS, WEB),
        (WEB, served(API[0], endpoints(HERE, service="api"))),
        (WEB, served(API[0])),
        (served(replace(WEB[0], cluster_ips=("None",)), *WEB[1]), API),
    ],
)
def test_a_table_after_a_change_is_as_a_fresh_one(after: tuple[Served, ...]) -> None:
    before = proxied_ports(cluster(WEB, API), "node-a", 4)
    changed = cluster(*after)
    table = proxied_ports(changed, "node-a", 4, before)
    assert table == proxied_ports(changed, "node-a", 4)
    assert list(table.by_service) == sorted(changed.services)
    for key, (one, slices) in {one.key: (one, slices) for one, slices in after}.items():
        unchanged = before.by_service.get(key, (None, None))[:2] == (one, slices)
        assert (table.by_service[key] is before.by_service.get(key)) is unchanged


def test_a_table_of_another_node_or_family_is_not_shared() -> None:
    before = proxied_ports(cluster(WEB), "node-a", 4)
    (moved,) = proxied_ports(cluster(WEB), "node-b", 4, before).ports
    assert hosts(tuple(one for one in moved.endpoints if one.local)) == [7]
    assert not list(proxied_ports(cluster(WEB), "node-a", 6, before).ports)


@pytest.mark.parametrize(
    ("ranges", "address", "held"),
    [
        (("192.168.10.0/24",), "192.168.10.11", True),
        (("198.51.100.0/24",), "192.168.10.11", False),
        (("fd00::/8",), "192.168.10.11", False),
        ((), "192.168.10.11", False),
        (("0.0.0.0/0",), None, False),
    ],
)
def test_holds(ranges: tuple[str, ...], address: str | None, held: bool) -> None:
    assert holds(ranges, address) is held
