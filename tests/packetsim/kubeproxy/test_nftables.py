"""Rule: nftables mode's text is held to goldens; sharing between compilations is held to a fresh one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.cluster.model import Cluster, ProxyConfiguration, Service
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.nftables import compile as compile_rules
from packetsim.ruletext import NftChainText, NftSetText, Origin, nft_list
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_B,
    DUAL_PROXY,
    HERE,
    HERE_6,
    NODE_A,
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
from tests.packetsim.kubeproxy.iptables_cases import BOTH, DUAL, INTERNAL, LOCAL, ONLY_6, ONLY_A, RANGES
from tests.packetsim.kubeproxy.nftables_cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    text = nft_list(compile_rules(case.cluster, case.node).nft)
    assert_golden(GOLDEN / "nftables" / f"{case.name}.txt", text)


def test_every_golden_has_its_case() -> None:
    assert {one.stem for one in (GOLDEN / "nftables").glob("*.txt")} == {case.name for case in CASES}


def families(config: NodeConfig) -> list[str]:
    return [table.family for table in config.nft]


def test_a_family_nobody_uses_has_no_table() -> None:
    assert families(compile_rules(cluster(), "node-a")) == ["ip"]
    assert families(compile_rules(cluster(served(ONLY_6), nodes=(ONLY_A,), proxy=DUAL_PROXY), "node-a")) == ["ip6"]
    # A node with both addresses runs both proxiers, whatever Services there are.
    assert families(compile_rules(cluster(nodes=(DUAL_A,)), "node-a")) == ["ip", "ip6"]
    # An IPv6 Service makes rules even where the node has no IPv6 address.
    assert families(compile_rules(cluster(served(ONLY_6)), "node-a")) == ["ip", "ip6"]
    # A node without any address still has the fixed rules.
    assert families(compile_rules(cluster(nodes=(replace(NODE_A, addresses=()),)), "node-a")) == ["ip"]


# ---- who is blamed ------------------------------------------------------------------------------


def web(path: str) -> Origin:
    return Origin("Service", "shop", "web", path)


def setting(path: str) -> Origin:
    return Origin("KubeProxyConfiguration", "", "", path)


PORT = web("spec.ports[0].port")
ENDPOINT = Origin("EndpointSlice", "shop", "web-4", "endpoints[0]")
BASE = "KHN6ECMT-shop/web/tcp/http"
HERE_NAME = "FDH7QP7U-shop/web/tcp/http__10.244.1.5/8080"


@pytest.mark.parametrize(
    ("one", "name", "number", "origins"),
    [
        (service(), "cluster-ips", 0, (web("spec.clusterIP"),)),
        (service(), "service-ips", 0, (web("spec.clusterIP"), PORT)),
        (service(external_ips=("192.0.2.1", "192.0.2.2")), "service-ips", 2, (web("spec.externalIPs[1]"), PORT)),
        (LOCAL, "service-ips", 1, (web("status.loadBalancer.ingress[0].ip"), PORT)),
        (service(), "service-nodeports", 0, (web("spec.ports[0].nodePort"),)),
        (
            service(),
            "nodeport-ips",
            0,
            (
                Origin("Node", "", "node-a", "status.addresses[0]"),
                setting("nodePortAddresses"),
                Origin("kube-proxy", "", "", "node ports"),
            ),
        ),
        (
            replace(LOCAL, source_ranges=RANGES),
            "firewall-ips",
            0,
            (web("spec.loadBalancerSourceRanges"), web("status.loadBalancer.ingress[0].ip"), PORT),
        ),
        (service(), f"service-{BASE}", 0, (setting("clusterCIDR"), web("spec.clusterIP"), PORT)),
        (service(), f"service-{BASE}", 1, (ENDPOINT,)),
        (service(affinity_timeout=5), f"service-{BASE}", 1, (web("spec.sessionAffinity"), ENDPOINT)),
        (service(), f"external-{BASE}", 0, (web("spec.externalTrafficPolicy"),)),
        (LOCAL, f"external-{BASE}", 0, (web("spec.externalTrafficPolicy"), setting("clusterCIDR"))),
        (
            replace(LOCAL, source_ranges=RANGES),
            f"firewall-{BASE}",
            0,
            (web("spec.loadBalancerSourceRanges"), web("status.loadBalancer.ingress[0].ip")),
        ),
        (service(), f"endpoint-{HERE_NAME}", 0, (ENDPOINT,)),
        (service(affinity_timeout=5), f"endpoint-{HERE_NAME}", 1, (web("spec.sessionAffinity"), ENDPOINT)),
        (service(), f"endpoint-{HERE_NAME}", 1, (ENDPOINT, web("spec.ports[0].targetPort"))),
        (
            service(),
            "cluster-ips-check",
            1,
            (Origin("ServiceCIDR", "", "", "spec.cidrs"), Origin("kube-proxy", "", "", "ClusterIPs")),
        ),
    ],
)
def test_blame(one: Service, name: str, number: int, origins: tuple[Origin, ...]) -> None:
    config = compile_rules(cluster(served(one, endpoints(HERE))), "node-a")
    (table,) = config.nft
    lines = table.sets[name].elements if name in table.sets else table.chains[name].lines
    assert lines[number].origins == origins


NO_LOCAL = (web("spec.externalTrafficPolicy"), Origin("EndpointSlice", "shop", "web-4", "endpoints"))


@pytest.mark.parametrize(
    ("served_", "name", "why"),
    [
        (served(INTERNAL, endpoints()), "no-endpoint-services", NO_LOCAL[1:]),
        (served(INTERNAL), "no-endpoint-services", (web("spec.selector"),)),
        (
            served(replace(INTERNAL, internal_traffic_local=True), endpoints(THERE)),
            "no-endpoint-services",
            (web("spec.internalTrafficPolicy"), NO_LOCAL[1]),
        ),
        (served(LOCAL, endpoints(THERE)), "no-endpoint-services", NO_LOCAL),
        (served(service(external_traffic_local=True), endpoints(THERE)), "no-endpoint-nodeports", NO_LOCAL),
    ],
)
def test_blame_when_nobody_answers(served_: Served, name: str, why: tuple[Origin, ...]) -> None:
    (table,) = compile_rules(cluster(served_), "node-a").nft
    assert table.sets[name].elements[0].origins[: len(why)] == why


def test_every_line_is_somebodys() -> None:
    for case in CASES:
        for table in compile_rules(case.cluster, case.node).nft:
            lines = [line for chain in table.chains.values() for line in chain.lines]
            lines += [line for one in table.sets.values() for line in one.elements]
            assert all(line.origins for line in lines), case.name


# ---- one key, two Services ----------------------------------------------------------------------

TAKEN = ("192.0.2.9",)
FIRST = served(
    replace(INTERNAL, name="api", cluster_ips=("10.96.100.12",), external_ips=TAKEN), endpoints(HERE, service="api")
)
SECOND = served(replace(INTERNAL, external_ips=TAKEN), BOTH)


def element(config: NodeConfig, name: str, key: str) -> tuple[str, set[str]]:
    """The one element with this key: its verdict and whose it is."""
    (found,) = [one for one in config.nft[0].sets[name].elements if one.text.startswith(f"{key} ")]
    return found.text.rpartition(" : ")[2], {origin.name for origin in found.origins}


def test_the_service_written_last_has_the_key_and_both_are_blamed() -> None:
    config = compile_rules(cluster(SECOND, FIRST), "node-a")
    verdict, owners = element(config, "service-ips", "192.0.2.9 . tcp . 80")
    assert (verdict, owners) == (f"goto external-{BASE}", {"api", "web"})


def test_a_key_goes_to_the_other_service_when_its_owner_leaves() -> None:
    before = compile_rules(cluster(FIRST, SECOND), "node-a")
    left = compile_rules(cluster(FIRST, served(INTERNAL, BOTH)), "node-a", before)
    verdict, owners = element(left, "service-ips", "192.0.2.9 . tcp . 80")
    assert ("shop/api" in verdict, owners) == (True, {"api"})


# ---- compiling a change -------------------------------------------------------------------------

SIX = served(replace(ONLY_6, name="six"), endpoints(HERE_6, service="six", family=6))
CHANGES: dict[str, tuple[Served, ...]] = {
    "an endpoint went": (FIRST, served(SECOND[0], endpoints(HERE))),
    "an endpoint came": (FIRST, served(SECOND[0], endpoints(HERE, THERE, endpoint("10.244.1.6", "node-a")))),
    "no endpoint is left": (FIRST, served(SECOND[0], endpoints())),
    "a Service went": (FIRST,),
    "a Service came first": (served(service("a", cluster_ips=("10.96.100.9",), ports=(port(),))), FIRST, SECOND),
    "a Service became headless": (FIRST, served(replace(SECOND[0], cluster_ips=("None",)), BOTH)),
    "a node port came": (FIRST, served(replace(SECOND[0], ports=(port(node_port=30081),)), BOTH)),
    "affinity came": (FIRST, served(replace(SECOND[0], affinity_timeout=90), BOTH)),
    "both changed": (served(FIRST[0], endpoints(service="api")), served(replace(SECOND[0], external_ips=()), BOTH)),
    "a health check came": (FIRST, served(LOCAL, BOTH)),
    "an IPv6 Service came": (
        FIRST,
        SECOND,
        served(replace(ONLY_6, name="six"), endpoints(HERE_6, service="six", family=6)),
    ),
    "nothing": (FIRST, SECOND),
}


def assert_same(changed: NodeConfig, fresh: NodeConfig) -> None:
    assert nft_list(changed.nft) == nft_list(fresh.nft)
    assert changed == fresh


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_leads_to_what_a_fresh_compilation_makes(name: str) -> None:
    first, second = cluster(FIRST, SECOND), cluster(*CHANGES[name])
    before = compile_rules(first, "node-a")
    after = compile_rules(second, "node-a", before)
    assert_same(after, compile_rules(second, "node-a"))
    assert_same(compile_rules(first, "node-a", after), before)


@pytest.mark.parametrize(
    "proxy",
    [
        replace(PROXY, nftables_masquerade_all=True),
        replace(PROXY, nftables_masquerade_bit=3),
        replace(PROXY, node_port_addresses=("0.0.0.0/0",)),
        replace(PROXY, bind_address="10.0.0.1"),
    ],
)
def test_changed_settings_reach_every_rule(proxy: ProxyConfiguration) -> None:
    before = compile_rules(cluster(FIRST, SECOND), "node-a")
    assert_same(
        compile_rules(cluster(FIRST, SECOND, proxy=proxy), "node-a", before),
        compile_rules(cluster(FIRST, SECOND, proxy=proxy), "node-a"),
    )


def objects(config: NodeConfig) -> dict[str, NftChainText | NftSetText]:
    return {**config.nft[0].chains, **config.nft[0].sets}


def test_what_a_change_leaves_alone_stays_the_same_object() -> None:
    def config(members: Served, before: NodeConfig | None = None) -> NodeConfig:
        return compile_rules(cluster(FIRST, members), "node-a", before)

    before = config(served(replace(SECOND[0], affinity_timeout=90), BOTH))
    after = config(
        served(replace(SECOND[0], affinity_timeout=90), endpoints(HERE, endpoint("10.244.2.8", "node-b"))), before
    )
    old, new = objects(before), objects(after)
    different = {name for name in old.keys() & new.keys() if old[name] is not new[name]}
    assert different == {f"service-{BASE}"}
    assert f"endpoint-{HERE_NAME}" in new and f"affinity-{HERE_NAME}" in new


def test_another_node_and_another_mode_are_not_built_upon() -> None:
    before = compile_rules(cluster(), "node-a")
    assert_same(compile_rules(cluster(), "node-b", before), compile_rules(cluster(), "node-b"))
    assert_same(compile_rules(cluster(), "node-a", NodeConfig("iptables", "node-a", memory=object())), before)


def test_health_checks_are_answered_by_kube_proxy() -> None:
    config = compile_rules(cluster(served(LOCAL, endpoints(HERE))), "node-a")
    assert [number for _, number, _ in config.listeners] == [10256, 31999]
    assert config.mode == "nftables"


def test_one_change_after_another_never_drifts() -> None:
    states: list[Cluster] = [cluster(*one) for one in CHANGES.values()]
    config: NodeConfig | None = None
    for step in range(len(states) * 3):
        now = states[step * 7 % len(states)]
        config = compile_rules(now, "node-a", config)
        assert_same(config, compile_rules(now, "node-a"))


def test_both_families_of_a_dual_stack_node_change_together() -> None:
    def dual(one: Service) -> Cluster:
        return cluster(served(one, BOTH, endpoints(HERE_6, family=6)), nodes=(DUAL_A, DUAL_B), proxy=DUAL_PROXY)

    before = compile_rules(dual(DUAL), "node-a")
    local = dual(replace(DUAL, external_traffic_local=True))
    assert_same(compile_rules(local, "node-a", before), compile_rules(local, "node-a"))
