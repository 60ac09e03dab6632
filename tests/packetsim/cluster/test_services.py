"""Rule: a Service comes out with all that the API server would have filled in, the same every time."""

from __future__ import annotations

import pytest

from packetsim.addresses import network, number_of
from packetsim.cluster.model import Ingress, Service
from tests.packetsim.cluster.loading import NODES, cluster, documents, manifests, problems, service


def one(spec: str = "", **more: str) -> Service:
    return cluster(NODES, service(spec, **more)).services["shop", more.get("name", "web")]


def ranges(*cidrs: str, name: str = "kubernetes") -> str:
    return f"""
apiVersion: networking.k8s.io/v1
kind: ServiceCIDR
metadata: {{name: {name}}}
spec: {{cidrs: [{", ".join(f"'{cidr}'" for cidr in cidrs)}]}}
"""


def test_the_defaults() -> None:
    found = one()
    assert (found.type, found.ip_families, found.affinity_timeout, found.traffic_distribution) == (
        "ClusterIP",
        (4,),
        None,
        "",
    )
    (port,) = found.ports
    assert (port.name, port.protocol, port.port, port.target_port, port.node_port) == ("", "tcp", 80, 80, 0)


@pytest.mark.parametrize(
    ("written", "target"), [("targetPort: 8080", 8080), ("targetPort: http", "http"), ("targetPort: 0", 80)]
)
def test_the_target_port(written: str, target: int | str) -> None:
    assert one(f"ports: [{{port: 80, {written}}}]").ports[0].target_port == target


def test_a_given_clusterip_lies_in_the_upper_band_and_never_changes() -> None:
    found = one().cluster_ips[0]
    assert found in network("10.96.0.0/12")
    assert number_of(found) > number_of("10.96.0.0") + 256
    others = [service("", name=f"other{number}") for number in range(5)]
    assert cluster(NODES, documents(*others, service(""))).services["shop", "web"].cluster_ips == (found,)


def test_given_clusterips_differ_from_written_ones() -> None:
    small = ranges("10.0.0.0/28")  # 14 addresses, too few for a lower band
    written = [service(f"clusterIP: 10.0.0.{number}", name=f"w{number}") for number in range(1, 8)]
    given = [service("", name=f"g{number}") for number in range(7)]
    services = cluster(NODES, small, documents(*given, *written)).services.values()
    assert len({one.cluster_ips for one in services}) == 14


def test_the_lower_band_comes_last_and_then_there_are_none() -> None:
    texts = [service("", name=f"s{number}") for number in range(30)]
    services = list(cluster(NODES, ranges("10.0.0.0/27"), documents(*texts)).services.values())
    assert all(number_of(one.cluster_ips[0]) > number_of("10.0.0.16") for one in services[:14])
    assert all(number_of(one.cluster_ips[0]) <= number_of("10.0.0.16") for one in services[14:])
    (problem,) = problems(NODES, ranges("10.0.0.0/27"), documents(*texts, service("", name="last")))
    assert problem.message == "no IPv4 ClusterIP is left in 10.0.0.0/27"


def test_the_api_servers_own_service_has_the_first_address() -> None:
    text = service("", name="kubernetes", selector="{}").replace("namespace: shop", "namespace: default")
    assert cluster(NODES, text).services["default", "kubernetes"].cluster_ips == ("10.96.0.1",)


def test_without_a_servicecidr_the_range_is_told_from_the_clusterips() -> None:
    text = documents(
        service("clusterIP: 10.43.0.1", name="a"), service("clusterIP: 10.43.200.7", name="b"), service("")
    )
    found = manifests(NODES, text)
    assert found.cluster.service_cidrs == ("10.43.0.0/16",)
    assert found.cluster.services["shop", "web"].cluster_ips[0] in network("10.43.0.0/16")
    assert "it is taken to be 10.43.0.0/16" in found.notices[0]


def test_clusterips_too_far_apart_tell_no_range() -> None:
    text = documents(service("clusterIP: 10.96.0.1", name="a"), service("clusterIP: 192.168.0.1", name="b"))
    (problem,) = problems(NODES, text)
    assert "192.168.0.1 is outside the service range 10.96.0.0/12" in problem.message


def test_several_servicecidrs_are_used_in_turn_the_clusters_own_first() -> None:
    text = documents(*(service("", name=f"s{number}") for number in range(8)))
    found = cluster(NODES, ranges("10.1.0.0/29", name="more"), ranges("10.0.0.0/29"), text)
    assert found.service_cidrs == ("10.0.0.0/29", "10.1.0.0/29")
    homes = [one.cluster_ips[0].rpartition(".")[0] for one in found.services.values()]
    assert homes == ["10.0.0"] * 6 + ["10.1.0"] * 2


DUAL = ranges("10.96.0.0/16", "fd00:10:96::/112")


@pytest.mark.parametrize(
    ("spec", "families"),
    [
        ("", (4,)),
        ("ipFamilies: [IPv6]", (6,)),
        ("ipFamilyPolicy: PreferDualStack", (4, 6)),
        ("ipFamilyPolicy: RequireDualStack, ipFamilies: [IPv6]", (6, 4)),
        ("ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv6, IPv4]", (6, 4)),
        ("clusterIP: 'fd00:10:96::9'", (6,)),
        ("clusterIPs: ['fd00:10:96::9', 10.96.0.9], ipFamilyPolicy: PreferDualStack", (6, 4)),
        ("clusterIP: 10.96.0.9, ipFamilyPolicy: RequireDualStack", (4, 6)),
    ],
)
def test_families_of_a_dual_stack_cluster(spec: str, families: tuple[int, ...]) -> None:
    found = cluster(NODES, DUAL, service(spec)).services["shop", "web"]
    assert found.ip_families == families
    assert tuple(6 if ":" in ip else 4 for ip in found.cluster_ips) == families
    assert found.cluster_ip(families[0]) == found.cluster_ips[0]


def test_the_first_range_says_which_family_is_the_default() -> None:
    text = ranges("fd00:10:96::/112", "10.96.0.0/16")
    assert cluster(NODES, text, service("")).services["shop", "web"].ip_families == (6,)


def test_a_single_stack_cluster_prefers_in_vain() -> None:
    assert one("ipFamilyPolicy: PreferDualStack").ip_families == (4,)


def test_requiring_dual_stack_makes_the_cluster_dual_stack() -> None:
    found = cluster(NODES, service("ipFamilyPolicy: RequireDualStack"))
    assert found.service_cidrs == ("10.96.0.0/12", "fd00:10:96::/112")
    assert found.nodes["node1"].pod_cidr(6) == "fd00:10:244::/64"


@pytest.mark.parametrize(("selector", "families"), [("{app: web}", (4,)), ("{}", (4, 6))])
def test_headless_services_have_no_address(selector: str, families: tuple[int, ...]) -> None:
    found = one("clusterIP: None", selector=selector)
    assert (found.cluster_ips, found.ip_families, found.cluster_ip(4)) == (("None",), families, None)


def test_an_external_name_has_no_address_and_no_family() -> None:
    found = one("type: ExternalName, externalName: db.example.org., ports: []")
    assert (found.cluster_ips, found.ip_families, found.external_name) == ((), (), "db.example.org.")


def test_node_ports_are_given_where_the_type_asks_for_them() -> None:
    given = [one("type: NodePort", name=f"w{number}").ports[0].node_port for number in range(60)]
    assert min(given) >= 30086, "the lower band is for numbers written by hand"
    assert max(given) <= 32767
    assert one("type: LoadBalancer").ports[0].node_port
    assert one("type: LoadBalancer, allocateLoadBalancerNodePorts: false").ports[0].node_port == 0
    assert one("type: NodePort") == one("type: NodePort")


def test_tcp_and_udp_of_one_number_share_a_node_port() -> None:
    ports = "{name: a, port: 53}, {name: b, port: 53, protocol: UDP}, {name: c, port: 54}"
    numbers = [port.node_port for port in one(f"type: NodePort, ports: [{ports}]").ports]
    assert numbers[0] == numbers[1] != numbers[2]
    written = ports.replace("protocol: UDP", "protocol: UDP, nodePort: 30053")
    assert [port.node_port for port in one(f"type: NodePort, ports: [{written}]").ports][:2] == [30053, 30053]


def test_node_ports_run_out() -> None:
    ports = ", ".join(f"{{name: p{number}, port: {number}}}" for number in range(1, 2770))
    found = problems(NODES, service(f"type: NodePort, ports: [{ports}]"))
    assert found[0].message == "no node port is left from 30000 to 32767"


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ("type: LoadBalancer, externalTrafficPolicy: Local", True),
        ("type: LoadBalancer", False),
        ("type: NodePort, externalTrafficPolicy: Local", False),
    ],
)
def test_a_health_check_node_port_is_given_where_it_is_needed(spec: str, given: bool) -> None:
    found = one(spec)
    assert bool(found.health_check_node_port) is given
    assert found.health_check_node_port != found.ports[0].node_port or not given
    assert found.external_traffic_local is ("Local" in spec)


def test_a_written_health_check_node_port_is_kept() -> None:
    found = one("type: LoadBalancer, externalTrafficPolicy: Local, healthCheckNodePort: 31000")
    assert found.health_check_node_port == 31000


@pytest.mark.parametrize(
    ("spec", "timeout"),
    [
        ("sessionAffinity: ClientIP", 10800),
        ("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 30}}", 30),
        ("sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: null}", 10800),
        ("sessionAffinity: None", None),
    ],
)
def test_affinity(spec: str, timeout: int | None) -> None:
    assert one(spec).affinity_timeout == timeout


def test_addresses_are_read_as_kube_proxy_reads_them() -> None:
    spec = (
        "type: LoadBalancer, externalIPs: [010.0.0.010, 'FD00::0:5'],"
        "loadBalancerSourceRanges: [' 10.1.2.3/016 ', 'fd00::1/64']"
    )
    found = one(spec)
    assert found.external_ips == ("10.0.0.10", "fd00::5")
    assert found.source_ranges == ("10.1.0.0/16", "fd00::/64")


def test_what_the_load_balancer_reports() -> None:
    text = service("type: LoadBalancer") + (
        "status: {loadBalancer: {ingress: [{ip: 1.2.3.4}, {ip: 1.2.3.5, ipMode: Proxy}, {hostname: lb.example.org}]}}\n"
    )
    assert cluster(NODES, text).services["shop", "web"].ingress == (
        Ingress("1.2.3.4", "VIP"),
        Ingress("1.2.3.5", "Proxy"),
        Ingress("", "VIP"),
    )


def test_the_other_fields_that_change_traffic() -> None:
    found = one("internalTrafficPolicy: Local, publishNotReadyAddresses: true, trafficDistribution: PreferSameNode")
    assert found.internal_traffic_local
    assert found.publish_not_ready
    assert found.traffic_distribution == "PreferSameNode"


def test_an_annotation_that_only_clouds_read_is_noticed() -> None:
    annotation = "{service.beta.kubernetes.io/load-balancer-source-ranges: 10.0.0.0/8}"
    assert "kube-proxy does not read it" in manifests(NODES, service("", annotations=annotation)).notices[0]
