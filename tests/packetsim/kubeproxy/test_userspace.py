"""Rule: userspace mode's rules are held to goldens; sockets and balancers to what a node would show."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.errors import PacketsimError
from packetsim.kubeproxy.config import Balancer, NodeConfig, ProxySocket
from packetsim.kubeproxy.proxy_ports import EPHEMERAL, port_range, proxy_ports
from packetsim.kubeproxy.userspace import compile as compile_rules
from packetsim.kubeproxy.versions import RULES_OF
from packetsim.ruletext import iptables_save
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_B,
    HERE,
    HERE_6,
    NODE_A,
    PROXY,
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
from tests.packetsim.kubeproxy.goldens import GOLDEN, assert_golden
from tests.packetsim.kubeproxy.iptables_cases import MIXED, MIXED_SLICE, ONLY_6, TWO_IPS, Case
from tests.packetsim.kubeproxy.userspace_cases import CASES, EVERYWHERE, RANGE, SIX, WIDE


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    config = compile_rules(case.cluster, case.node)
    text, other = iptables_save(config.iptables), iptables_save(config.ip6tables)
    if case.family == 6:
        text, other = other, text
    assert_golden(GOLDEN / "userspace" / f"{case.name}.txt", text)
    assert other == ""


def test_every_golden_has_its_case() -> None:
    assert {one.stem for one in (GOLDEN / "userspace").glob("*.txt")} == {case.name for case in CASES}


def test_the_release_whose_rules_these_are() -> None:
    assert (RULES_OF["userspace"], RULES_OF["iptables"]) == ("1.25", "1.35")


def sockets(config: NodeConfig) -> list[tuple[str, int, str, str]]:
    return [(one.address, one.port, one.protocol, one.service_port) for one in config.proxy_sockets]


def claims(config: NodeConfig) -> list[tuple[str, int]]:
    return [(one.address, one.port) for one in config.claimed_ports]


def test_one_socket_serves_all_front_ends_of_a_service_port() -> None:
    config = compile_rules(cluster(served(EVERYWHERE), proxy=RANGE), "node-a")
    assert sockets(config) == [("0.0.0.0", 41235, "tcp", "shop/web:http")]
    # 192.168.10.11 is node-a's own address
    assert claims(config) == [("192.168.10.11", 80), ("0.0.0.0", 30080)]
    assert claims(compile_rules(cluster(served(EVERYWHERE), proxy=RANGE), "node-b")) == [("0.0.0.0", 30080)]
    assert [(protocol, number) for protocol, number, _ in config.listeners] == [("tcp", 10256)]


def test_an_address_of_the_node_is_claimed_by_the_first_alone() -> None:
    one, other = (served(service(name, external_ips=("192.168.10.11",), ports=(port(),))) for name in "ab")
    config = compile_rules(cluster(one, other, proxy=WIDE), "node-a")
    assert config.claimed_ports == (ProxySocket("192.168.10.11", 80, "tcp", "shop/a:http"),)
    rules = [line.text for line in config.iptables["nat"]["KUBE-PORTALS-HOST"].lines]
    assert sum("192.168.10.11/32" in rule for rule in rules) == 2


def test_sctp_has_neither_socket_nor_balancer() -> None:
    config = compile_rules(cluster(served(service(ports=MIXED), MIXED_SLICE)), "node-a")
    assert [one.protocol for one in config.proxy_sockets] == ["tcp", "udp"]
    assert set(config.balancers) == {"shop/web:http", "shop/web:dns"}


def test_a_socket_on_the_bind_address() -> None:
    config = compile_rules(cluster(proxy=replace(RANGE, bind_address="192.168.10.11")), "node-a")
    assert config.proxy_sockets[0].address == "192.168.10.11"
    assert config.claimed_ports[0].address == "0.0.0.0"


def test_an_address_given_twice_has_its_rules_once() -> None:
    twice = service(ports=(port(),), external_ips=("203.0.113.7",), ingress=("203.0.113.7", VIP, VIP))
    nat = compile_rules(cluster(served(twice), proxy=RANGE), "node-a").iptables["nat"]
    for chain, count in (("KUBE-PORTALS-CONTAINER", 5), ("KUBE-PORTALS-HOST", 4)):
        rules = [line.text for line in nat[chain].lines]
        assert len(rules) == len(set(rules)) == count


def test_a_node_without_an_address_takes_itself_for_localhost() -> None:
    nat = compile_rules(cluster(nodes=(replace(NODE_A, addresses=()),), proxy=RANGE), "node-a").iptables["nat"]
    assert nat["KUBE-PORTALS-HOST"].lines[0].text.endswith("-j DNAT --to-destination 127.0.0.1:41235")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1"])
def test_localhost_is_refused(address: str) -> None:
    with pytest.raises(PacketsimError, match="cannot proxy on localhost; use"):
        compile_rules(cluster(proxy=replace(PROXY, bind_address=address)), "node-a")


def test_balancers_choose_among_ready_endpoints_everywhere() -> None:
    members = (
        HERE,
        THERE,
        endpoint("10.244.1.9", "node-a", ready=False),
        endpoint("10.244.1.6", "node-a", ready=False, serving=True, terminating=True),
        endpoint("10.244.2.10", "node-b", zone_hints=("east",)),
    )
    one = service(affinity_timeout=60, external_traffic_local=True, internal_traffic_local=True)
    for node in ("node-a", "node-b"):
        assert compile_rules(cluster(served(one, endpoints(*members))), node).balancers == {
            "shop/web:http": Balancer("shop/web:http", ("10.244.1.5:8080", "10.244.2.10:8080", "10.244.2.7:8080"), 60)
        }


def test_without_endpoints_there_is_a_balancer_of_nobody() -> None:
    assert compile_rules(cluster(served(service())), "node-a").balancers["shop/web:http"].endpoints == ()


@pytest.mark.parametrize(
    ("cluster_ips", "addresses", "served_on"),
    [
        (TWO_IPS, DUAL_A.addresses, ("10.244.1.5:8080",)),
        (TWO_IPS[::-1], DUAL_A.addresses, None),  # its first ClusterIP is of the other family
        (TWO_IPS[::-1], DUAL_A.addresses[::-1], ("[fd00:10:244:1::5]:8080",)),
        (ONLY_6.cluster_ips, DUAL_A.addresses, None),
    ],
)
def test_only_the_primary_family_is_proxied(
    cluster_ips: tuple[str, ...], addresses: tuple[str, ...], served_on: tuple[str, ...] | None
) -> None:
    one = served(service(cluster_ips=cluster_ips), endpoints(HERE), endpoints(HERE_6, family=6))
    config = compile_rules(cluster(one, nodes=(replace(DUAL_A, addresses=addresses),)), "node-a")
    assert {name: one.endpoints for name, one in config.balancers.items()} == (
        {} if served_on is None else {"shop/web:http": served_on}
    )
    assert bool(config.proxy_sockets) is (served_on is not None)


# ---- proxy ports ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", EPHEMERAL),
        ("0", EPHEMERAL),
        ("0-0", EPHEMERAL),
        ("40000", range(40000, 40001)),
        ("40000-40009", range(40000, 40010)),
        ("40000+9", range(40000, 40010)),
    ],
)
def test_port_ranges(text: str, expected: range) -> None:
    assert port_range(text) == expected


@pytest.mark.parametrize("text", ["x", "1-", "-1", "9-8", "1-65536", "0-5", "1+", "1-2-3", "65535+1", " 1", "٣"])
def test_no_port_ranges(text: str) -> None:
    with pytest.raises(PacketsimError, match="write it like 40000-40999"):
        port_range(text)


def test_ports_are_stable_distinct_and_avoid_what_is_taken() -> None:
    names = [f"4 ns/svc-{place}" for place in range(10)]
    chosen = proxy_ports(names, range(40000, 40012), (40003, 40004))
    assert chosen == proxy_ports(names, range(40000, 40012), (40003, 40004))
    assert sorted(chosen.values()) == [number for number in range(40000, 40012) if number not in (40003, 40004)]
    assert proxy_ports(names[:1], EPHEMERAL, ())[names[0]] in EPHEMERAL
    assert list(proxy_ports(names, range(40000, 40003), ())) == names[:3]


def test_a_port_does_not_hang_on_other_services() -> None:
    alone = compile_rules(cluster(), "node-a").proxy_sockets
    others = compile_rules(
        cluster(served(service()), served(service("api", cluster_ips=("10.96.1.1",), ports=(port(),)))), "node-a"
    ).proxy_sockets
    assert alone[0] in others


def test_a_node_port_in_the_range_is_left_to_its_service() -> None:
    one = served(service(ports=(port(node_port=40000),)))
    config = compile_rules(cluster(one, proxy=replace(PROXY, proxy_port_range="40000-40001")), "node-a")
    assert config.proxy_sockets[0].port == 40001


# ---- blame ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chain", "origins"),
    [
        (
            "KUBE-PORTALS-CONTAINER",
            ["spec.clusterIP", "spec.externalIPs[0]", "spec.externalIPs[0]", "spec.externalIPs[1]"],
        ),
        ("KUBE-PORTALS-HOST", ["spec.clusterIP", "spec.externalIPs[0]", "spec.externalIPs[1]"]),
        ("KUBE-NODEPORT-HOST", ["spec.ports[0].nodePort"]),
        ("PREROUTING", ["jump to KUBE-PORTALS-CONTAINER", "jump to KUBE-NODEPORT-CONTAINER"]),
    ],
)
def test_blame(chain: str, origins: list[str]) -> None:
    config = compile_rules(cluster(served(EVERYWHERE)), "node-a")
    lines = config.iptables["nat"][chain].lines[: len(origins)]
    assert [line.origins[0].field for line in lines] == origins


# ---- one change after another -----------------------------------------------------------------

A, B, C = (
    served(
        service(name, cluster_ips=(f"10.96.100.{place}",), ports=(port(node_port=30000 + place),)),
        endpoints(HERE, THERE, service=name),
    )
    for place, name in enumerate(("a", "b", "c"), 1)
)


@pytest.mark.parametrize(
    "after",
    [
        (A, B),
        (A, served(B[0], endpoints(HERE, service="b"))),
        (A, served(B[0])),
        (C, A, B),
        (A,),
        (A, C),
        (A, served(replace(B[0], affinity_timeout=60), *B[1])),
        (A, served(replace(B[0], cluster_ips=("None",)), *B[1])),
    ],
)
def test_after_a_change_everything_is_as_if_compiled_afresh(after: tuple[Served, ...]) -> None:
    before = compile_rules(cluster(A, B), "node-a")
    changed = cluster(*after)
    config = compile_rules(changed, "node-a", before)
    assert config == compile_rules(changed, "node-a")
    assert compile_rules(cluster(A, B), "node-a", config) == before


def test_a_setting_or_an_address_changes_rules() -> None:
    before = compile_rules(cluster(), "node-a")
    for changed in (
        cluster(proxy=RANGE),
        cluster(nodes=(replace(NODE_A, addresses=("192.168.10.99",)),)),
        cluster(served(ONLY_6, SIX), nodes=(replace(DUAL_A, addresses=DUAL_A.addresses[::-1]), DUAL_B)),
    ):
        assert compile_rules(changed, "node-a", before) == compile_rules(changed, "node-a") != before


def test_a_change_of_endpoints_touches_no_rule() -> None:
    start = cluster(A, B)
    before = compile_rules(start, "node-a")
    config = compile_rules(replace(start, slices={**start.slices, ("shop", "b"): ()}), "node-a", before)
    assert config.iptables is before.iptables
    assert config.balancers["shop/b:http"].endpoints == ()
    assert config.balancers["shop/a:http"] is before.balancers["shop/a:http"]
