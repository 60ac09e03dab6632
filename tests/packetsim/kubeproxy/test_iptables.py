"""Rule: iptables mode's text is held to goldens; sharing between compilations is held to a fresh one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.cluster.model import Cluster, ProxyConfiguration
from packetsim.errors import PacketsimError
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.iptables import compile as compile_rules
from packetsim.ruletext import ChainText, Origin, iptables_save
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_PROXY,
    HERE,
    NODE_A,
    NODE_B,
    PROXY,
    THERE,
    Served,
    cluster,
    endpoint,
    endpoints,
    port,
    served,
    service,
)
from tests.packetsim.kubeproxy.goldens import GOLDEN, assert_golden
from tests.packetsim.kubeproxy.iptables_cases import CASES, LOCAL, ONLY_6, ONLY_A, RANGES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    config = compile_rules(case.cluster, case.node)
    text = iptables_save(config.ip6tables if case.family == 6 else config.iptables)
    assert_golden(GOLDEN / "iptables" / f"{case.name}.txt", text)


def test_every_golden_has_its_case() -> None:
    assert {one.stem for one in (GOLDEN / "iptables").glob("*.txt")} == {case.name for case in CASES}


def lines(config: NodeConfig, table: str, chain: str) -> list[str]:
    return [line.text for line in config.iptables[table][chain].lines]


def test_a_family_nobody_uses_is_not_written() -> None:
    assert compile_rules(cluster(), "node-a").ip6tables == {}
    only_6 = compile_rules(cluster(served(ONLY_6), nodes=(ONLY_A,), proxy=DUAL_PROXY), "node-a")
    assert (only_6.iptables, bool(only_6.ip6tables)) == ({}, True)
    # A node with both addresses runs both proxiers, whatever Services there are.
    assert compile_rules(cluster(nodes=(DUAL_A,)), "node-a").ip6tables
    # An IPv6 Service makes rules even where the node has no IPv6 address.
    assert compile_rules(cluster(served(ONLY_6)), "node-a").ip6tables


@pytest.mark.parametrize(
    ("proxy", "on"),
    [
        (PROXY, True),
        (replace(PROXY, localhost_node_ports=False), False),
        (replace(PROXY, node_port_addresses=("192.168.10.0/24",)), False),
        (replace(PROXY, node_port_addresses=("127.0.0.1/32",)), True),
        (replace(PROXY, node_port_addresses=("64.0.0.0/2",)), True),
        (replace(PROXY, node_port_addresses=("primary",)), False),
        (replace(PROXY, node_port_addresses=("::1/128",)), True),  # nothing of IPv4: all of IPv4
    ],
)
def test_localhost_node_ports_need_route_localnet(proxy: ProxyConfiguration, on: bool) -> None:
    config = compile_rules(cluster(proxy=proxy), "node-a")
    assert config.sysctls == ({"net.ipv4.conf.all.route_localnet": "1"} if on else {})
    assert bool(lines(config, "filter", "KUBE-FIREWALL")) is on


def test_health_checks_are_answered_by_kube_proxy() -> None:
    config = compile_rules(cluster(served(LOCAL, endpoints(HERE))), "node-a")
    assert [(protocol, number, line.origins[0]) for protocol, number, line in config.listeners] == [
        ("tcp", 10256, Origin("kube-proxy", "", "", "healthzBindAddress")),
        ("tcp", 31999, Origin("Service", "shop", "web", "spec.healthCheckNodePort")),
    ]


def test_over_1000_endpoints_only_rules_about_endpoints_lose_their_comment() -> None:
    def config(count: int) -> NodeConfig:
        many = endpoints(*(endpoint(f"10.244.{3 + n // 250}.{1 + n % 250}") for n in range(count)), service="many")
        web = served(replace(LOCAL, affinity_timeout=60), endpoints(HERE))
        return compile_rules(cluster(web, served(service("many", ports=(port(),)), many)), "node-a")

    sep = "KUBE-SEP-34ZZ2QFGO32YYXXO"
    recent = f"--name {sep} --mask 255.255.255.255 --rsource"
    below, above = config(999), config(1000)
    assert (
        lines(below, "nat", sep)[0]
        == f'-A {sep} -s 10.244.1.5/32 -m comment --comment "shop/web:http" -j KUBE-MARK-MASQ'
    )
    assert lines(above, "nat", sep) == [
        f"-A {sep} -s 10.244.1.5/32 -j KUBE-MARK-MASQ",
        f"-A {sep} -p tcp -m recent --set {recent} -m tcp -j DNAT --to-destination 10.244.1.5:8080",
    ]
    assert lines(above, "nat", "KUBE-SVL-67NZLRHBNDSAWJRO") == [
        f"-A KUBE-SVL-67NZLRHBNDSAWJRO -m recent --rcheck --seconds 60 --reap {recent} -j {sep}",
        f"-A KUBE-SVL-67NZLRHBNDSAWJRO -j {sep}",
    ]
    for chain in ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXT-67NZLRHBNDSAWJRO"):
        assert lines(above, "nat", chain) == lines(below, "nat", chain)


def test_an_unknown_detector_is_refused_with_the_cure() -> None:
    with pytest.raises(PacketsimError, match="use ClusterCIDR"):
        compile_rules(cluster(proxy=replace(PROXY, detect_local_mode="Magic")), "node-a")


@pytest.mark.parametrize("bind_address", ["", "0.0.0.0", "198.51.100.7"])
def test_a_specific_bind_address_is_the_node_ip(bind_address: str) -> None:
    one = served(replace(LOCAL, source_ranges=RANGES[:1]), endpoints(HERE))
    config = compile_rules(cluster(one, proxy=replace(PROXY, bind_address=bind_address)), "node-a")
    from_vip = '-A KUBE-FW-67NZLRHBNDSAWJRO -s 203.0.113.50/32 -m comment --comment "shop/web:http loadbalancer IP"'
    held = any(line.startswith(from_vip) for line in lines(config, "nat", "KUBE-FW-67NZLRHBNDSAWJRO"))
    assert held is (bind_address == "198.51.100.7")


# ---- blame ------------------------------------------------------------------------------------

EVERYTHING = replace(
    LOCAL,
    cluster_ips=("10.96.100.10", "fd00:10:96::a"),
    external_ips=("2001:db8::9", "192.0.2.9"),
    source_ranges=("2001:db8::/32", "198.51.100.0/24"),
    affinity_timeout=60,
)
H = "67NZLRHBNDSAWJRO"
WEB = "Service shop/web"
SLICE = "EndpointSlice shop/web-4"
CONFIG = "KubeProxyConfiguration"


@pytest.mark.parametrize(
    ("table", "chain", "place", "origins"),
    [
        ("nat", "KUBE-SERVICES", 0, [f"{WEB} spec.clusterIP", f"{WEB} spec.ports[0].port"]),
        ("nat", "KUBE-SERVICES", 1, [f"{WEB} spec.externalIPs[1]", f"{WEB} spec.ports[0].port"]),
        ("nat", "KUBE-SERVICES", 2, [f"{WEB} status.loadBalancer.ingress[0].ip", f"{WEB} spec.ports[0].port"]),
        ("nat", "KUBE-NODEPORTS", 0, [f"{WEB} spec.ports[0].nodePort"]),
        ("nat", f"KUBE-SVC-{H}", 0, [f"{CONFIG}  clusterCIDR", f"{WEB} spec.clusterIP", f"{WEB} spec.ports[0].port"]),
        ("nat", f"KUBE-SVC-{H}", 1, [f"{WEB} spec.sessionAffinity", f"{SLICE} endpoints[0]"]),
        ("nat", f"KUBE-SVC-{H}", 4, [f"{SLICE} endpoints[1]", f"{WEB} spec.ports[0].port"]),
        ("nat", f"KUBE-EXT-{H}", 0, [f"{WEB} spec.externalTrafficPolicy", f"{CONFIG}  clusterCIDR"]),
        ("nat", f"KUBE-FW-{H}", 0, [f"{WEB} spec.loadBalancerSourceRanges[1]"]),
        ("nat", "KUBE-SEP-34ZZ2QFGO32YYXXO", 0, [f"{SLICE} endpoints[0]"]),
        (
            "nat",
            "KUBE-SEP-34ZZ2QFGO32YYXXO",
            1,
            [f"{SLICE} endpoints[0]", f"{WEB} spec.ports[0].targetPort", f"{WEB} spec.sessionAffinity"],
        ),
        ("nat", "KUBE-MARK-MASQ", 0, ["kube-proxy  masquerade mark", f"{CONFIG}  iptables.masqueradeBit"]),
        ("filter", "KUBE-NODEPORTS", 0, [f"{WEB} spec.healthCheckNodePort"]),
        (
            "filter",
            "KUBE-PROXY-FIREWALL",
            0,
            [
                f"{WEB} spec.loadBalancerSourceRanges",
                f"{WEB} status.loadBalancer.ingress[0].ip",
                f"{WEB} spec.ports[0].port",
            ],
        ),
        ("filter", "INPUT", 0, ["kube-proxy  jump to KUBE-FIREWALL"]),
    ],
)
def test_blame(table: str, chain: str, place: int, origins: list[str]) -> None:
    config = compile_rules(cluster(served(EVERYTHING, endpoints(HERE, THERE))), "node-a")
    assert [str(one) for one in config.iptables[table][chain].lines[place].origins] == origins


@pytest.mark.parametrize(
    ("one", "chain", "first"),
    [
        (served(LOCAL), "KUBE-SERVICES", f"{WEB} spec.selector"),
        (served(LOCAL, endpoints()), "KUBE-EXTERNAL-SERVICES", f"{SLICE} endpoints"),
        (served(LOCAL, endpoints(THERE)), "KUBE-EXTERNAL-SERVICES", f"{WEB} spec.externalTrafficPolicy"),
        (
            served(replace(LOCAL, internal_traffic_local=True), endpoints(THERE)),
            "KUBE-SERVICES",
            f"{WEB} spec.internalTrafficPolicy",
        ),
    ],
)
def test_blame_for_want_of_endpoints(one: Served, chain: str, first: str) -> None:
    config = compile_rules(cluster(one), "node-a")
    assert str(config.iptables["filter"][chain].lines[0].origins[0]) == first


def test_blame_of_the_second_cluster_ip() -> None:
    config = compile_rules(cluster(served(EVERYTHING)), "node-a")
    why = config.ip6tables["filter"]["KUBE-SERVICES"].lines[0].origins
    assert "Service shop/web spec.clusterIPs[1]" in [str(one) for one in why]


def test_every_line_has_an_origin() -> None:
    for case in CASES:
        config = compile_rules(case.cluster, case.node)
        for tables in (config.iptables, config.ip6tables):
            assert all(line.origins for chains in tables.values() for text in chains.values() for line in text.lines)


# ---- one change after another -----------------------------------------------------------------

A, B, C = (
    served(
        service(name, cluster_ips=(f"10.96.100.{place}",), ports=(port(node_port=30000 + place),)),
        endpoints(HERE, THERE, service=name),
    )
    for place, name in enumerate(("a", "b", "c"), 1)
)
START = cluster(A, B)
CHANGES: dict[str, Cluster] = {
    "nothing": START,
    "an endpoint goes": cluster(A, served(B[0], endpoints(HERE, service="b"))),
    "an endpoint comes": cluster(A, served(B[0], endpoints(HERE, THERE, endpoint("10.244.1.77"), service="b"))),
    "the last endpoint goes": cluster(A, served(B[0], endpoints(service="b"))),
    "a Service comes": cluster(C, A, B),
    "a Service goes": cluster(B),
    "a Service for another": cluster(A, C),
    "a Service becomes headless": cluster(A, served(replace(B[0], cluster_ips=("None",)), *B[1])),
    "a health check": cluster(A, B, served(LOCAL, endpoints(HERE))),
    "a setting": cluster(A, B, proxy=replace(PROXY, masquerade_all=True)),
    "a fixed rule's setting": cluster(A, B, proxy=replace(PROXY, localhost_node_ports=False)),
    "the node's zone": cluster(A, B, nodes=(replace(NODE_A, labels={"topology.kubernetes.io/zone": "west"}), NODE_B)),
    "IPv6": cluster(A, B, served(ONLY_6)),
}


@pytest.mark.parametrize("rendered", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_after_a_change_everything_is_as_if_compiled_afresh(change: str, rendered: bool) -> None:
    before = compile_rules(START, "node-a")
    if rendered:
        iptables_save(before.iptables)
    config, fresh = compile_rules(CHANGES[change], "node-a", before), compile_rules(CHANGES[change], "node-a")
    assert config == fresh
    assert iptables_save(config.iptables) == iptables_save(fresh.iptables)
    assert iptables_save(config.ip6tables) == iptables_save(fresh.ip6tables)
    assert compile_rules(START, "node-a", config) == before


def test_chains_a_change_does_not_touch_are_the_same_objects() -> None:
    before = compile_rules(START, "node-a")
    config = compile_rules(CHANGES["an endpoint goes"], "node-a", before)
    old, new = before.iptables["nat"], config.iptables["nat"]
    touched = {name for name in {*old, *new} if old.get(name) is not new.get(name)}
    assert len(old) == len(new) + 1
    assert sorted(name[:9] for name in touched) == ["KUBE-SEP-", "KUBE-SVC-"]
    assert config.iptables["filter"] is before.iptables["filter"]


def test_what_another_mode_remembers_is_not_used() -> None:
    other = NodeConfig("ipvs", "node-a", iptables={"nat": {"X": ChainText(None)}}, memory="something else")
    assert compile_rules(START, "node-a", other) == compile_rules(START, "node-a")
