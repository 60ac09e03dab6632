"""Rule: IPVS mode's text is held to goldens; sharing between compilations is held to a fresh one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.cluster.model import Cluster, ProxyConfiguration, Service
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.ipvs import compile as compile_rules
from packetsim.ruletext import Line, Origin
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
from tests.packetsim.kubeproxy.ipvs_cases import CASES, NODE_PORT, Case, whole


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case: Case) -> None:
    assert_golden(GOLDEN / "ipvs" / f"{case.name}.txt", whole(compile_rules(case.cluster, case.node)))


def test_every_golden_has_its_case() -> None:
    assert {one.stem for one in (GOLDEN / "ipvs").glob("*.txt")} == {case.name for case in CASES}


def families(config: NodeConfig) -> tuple[bool, bool]:
    """Are there IPv4 and IPv6 rules? Sets go with them."""
    found = bool(config.iptables), bool(config.ip6tables)
    assert ("KUBE-CLUSTER-IP" in config.ipsets, "KUBE-6-CLUSTER-IP" in config.ipsets) == found
    return found


def test_a_family_nobody_uses_is_not_written() -> None:
    assert families(compile_rules(cluster(), "node-a")) == (True, False)
    assert families(compile_rules(cluster(served(ONLY_6), nodes=(ONLY_A,), proxy=DUAL_PROXY), "node-a")) == (
        False,
        True,
    )
    # A node with both addresses runs both proxiers, whatever Services there are.
    assert families(compile_rules(cluster(nodes=(DUAL_A,)), "node-a")) == (True, True)
    # An IPv6 Service makes rules even where the node has no IPv6 address.
    assert families(compile_rules(cluster(served(ONLY_6)), "node-a")) == (True, True)
    # A node without any address still has the fixed rules.
    assert families(compile_rules(cluster(nodes=(replace(NODE_A, addresses=(), pod_cidrs=()),)), "node-a")) == (
        True,
        False,
    )


# ---- who is blamed ------------------------------------------------------------------------------


def web(path: str) -> Origin:
    return Origin("Service", "shop", "web", path)


def setting(path: str) -> Origin:
    return Origin("KubeProxyConfiguration", "", "", path)


PORT, RANGE = web("spec.ports[0].port"), web("spec.loadBalancerSourceRanges")
VIP_FIELD = web("status.loadBalancer.ingress[0].ip")
ENDPOINT = Origin("EndpointSlice", "shop", "web-4", "endpoints[0]")
CLUSTER_SERVER, VIP_SERVER, NODE_SERVER = "tcp 10.96.100.10:80", "tcp 203.0.113.50:80", "tcp 192.168.10.11:30080"


@pytest.mark.parametrize(
    ("one", "name", "server", "real"),
    [
        (service(), CLUSTER_SERVER, (web("spec.clusterIP"), PORT), (ENDPOINT, web("spec.clusterIP"), PORT)),
        (service(), NODE_SERVER, (web("spec.ports[0].nodePort"),), (ENDPOINT, web("spec.ports[0].nodePort"))),
        (LOCAL, VIP_SERVER, (VIP_FIELD, PORT), (ENDPOINT, VIP_FIELD, PORT)),
        (
            replace(INTERNAL, affinity_timeout=60),
            CLUSTER_SERVER,
            (web("spec.clusterIP"), PORT, web("spec.sessionAffinity")),
            (ENDPOINT, web("spec.clusterIP"), PORT),
        ),
    ],
)
def test_blame_of_servers(one: Service, name: str, server: tuple[Origin, ...], real: tuple[Origin, ...]) -> None:
    text = compile_rules(cluster(served(one, endpoints(HERE))), "node-a").virtual_servers[name]
    assert text.server.origins == (*server, setting("ipvs.scheduler"))
    assert [line.origins for line in text.reals] == [real]


@pytest.mark.parametrize(
    ("one", "name", "origins"),
    [
        (service(), "KUBE-LOOP-BACK", (ENDPOINT,)),
        (service(), "KUBE-CLUSTER-IP", (web("spec.clusterIP"), PORT)),
        (service(), "KUBE-IPVS-IPS", (web("spec.clusterIP"),)),
        (service(), "KUBE-NODE-PORT-TCP", (web("spec.ports[0].nodePort"),)),
        (LOCAL, "KUBE-HEALTH-CHECK-NODE-PORT", (web("spec.healthCheckNodePort"),)),
        (LOCAL, "KUBE-LOAD-BALANCER-LOCAL", (VIP_FIELD, PORT)),
        (replace(LOCAL, source_ranges=RANGES), "KUBE-LOAD-BALANCER-SOURCE-CIDR", (RANGE, VIP_FIELD, PORT)),
        (replace(LOCAL, source_ranges=RANGES), "KUBE-LOAD-BALANCER-SOURCE-IP", (RANGE, VIP_FIELD, PORT)),
    ],
)
def test_blame_of_set_entries(one: Service, name: str, origins: tuple[Origin, ...]) -> None:
    config = compile_rules(cluster(served(one, endpoints(HERE))), "node-a")
    assert config.ipsets[name].entries[0].origins == origins


def all_lines(config: NodeConfig) -> list[Line]:
    tables = (*config.iptables.values(), *config.ip6tables.values())
    lines = [line for table in tables for chain in table.values() for line in chain.lines]
    lines += [line for one in config.ipsets.values() for line in (one.create, *one.entries)]
    lines += [line for one in config.virtual_servers.values() for line in (one.server, *one.reals)]
    return [*lines, *config.dummy_addresses]


def test_every_line_is_somebodys() -> None:
    for case in CASES:
        assert all(line.origins for line in all_lines(compile_rules(case.cluster, case.node))), case.name


def test_rules_name_the_setting_that_made_them() -> None:
    everything = replace(LOCAL, source_ranges=RANGES[:1])
    config = compile_rules(cluster(served(everything, BOTH)), "node-a")
    masquerade = next(line for line in config.iptables["nat"]["KUBE-SERVICES"].lines if "! -s" in line.text)
    assert masquerade.origins[0] == setting("clusterCIDR")
    (out,) = config.iptables["filter"]["KUBE-IPVS-OUT-FILTER"].lines
    assert out.origins == (RANGE, VIP_FIELD, PORT)


# ---- one front, two Services --------------------------------------------------------------------

API = replace(INTERNAL, name="api", cluster_ips=("10.96.100.12",), external_ips=("192.0.2.9",))
FIRST = served(API, endpoints(HERE, service="api"))
SECOND = served(replace(INTERNAL, external_ips=("192.0.2.9",)), endpoints(THERE))


def reals(config: NodeConfig) -> list[str]:
    return [line.text.split()[4] for line in config.virtual_servers["tcp 192.0.2.9:80"].reals]


def test_the_service_synced_last_has_the_server_and_both_are_blamed_for_the_entry() -> None:
    config = compile_rules(cluster(SECOND, FIRST), "node-a")
    assert reals(config) == ["10.244.2.7:8080"]
    (entry,) = config.ipsets["KUBE-EXTERNAL-IP"].entries
    assert {origin.name for origin in entry.origins} == {"api", "web"}


def test_a_server_goes_to_the_other_service_when_its_owner_leaves() -> None:
    before = compile_rules(cluster(FIRST, SECOND), "node-a")
    after = compile_rules(cluster(FIRST, served(INTERNAL, BOTH)), "node-a", before)
    assert reals(after) == ["10.244.1.5:8080"]


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
    "both changed": (served(API, endpoints(service="api")), served(replace(SECOND[0], external_ips=()), BOTH)),
    "a health check and source ranges came": (FIRST, served(replace(LOCAL, source_ranges=RANGES[:1]), BOTH)),
    "an IPv6 Service came": (FIRST, SECOND, SIX),
    "nothing": (FIRST, SECOND),
}


def assert_same(changed: NodeConfig, fresh: NodeConfig) -> None:
    assert whole(changed) == whole(fresh)
    assert changed == fresh


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_leads_to_what_a_fresh_compilation_makes(name: str) -> None:
    first, second = cluster(FIRST, SECOND), cluster(*CHANGES[name])
    before = compile_rules(first, "node-a")
    after = compile_rules(second, "node-a", before)
    assert_same(after, compile_rules(second, "node-a"))
    assert_same(compile_rules(first, "node-a", after), before)


def test_one_change_after_another_never_drifts() -> None:
    states: list[Cluster] = [cluster(*one) for one in CHANGES.values()]
    config: NodeConfig | None = None
    for step in range(len(states) * 3):
        now = states[step * 7 % len(states)]
        config = compile_rules(now, "node-a", config)
        assert_same(config, compile_rules(now, "node-a"))


@pytest.mark.parametrize(
    "proxy",
    [
        replace(PROXY, masquerade_all=True),
        replace(PROXY, masquerade_bit=3),
        replace(PROXY, ipvs_scheduler="sh"),
        replace(PROXY, ipvs_strict_arp=True),
        replace(PROXY, node_port_addresses=("192.168.10.0/24",)),
        replace(PROXY, bind_address="10.0.0.1"),
    ],
)
def test_changed_settings_reach_every_part(proxy: ProxyConfiguration) -> None:
    before = compile_rules(cluster(FIRST, SECOND), "node-a")
    now = cluster(FIRST, SECOND, proxy=proxy)
    assert_same(compile_rules(now, "node-a", before), compile_rules(now, "node-a"))


def test_what_a_change_leaves_alone_stays_the_same_object() -> None:
    def config(members: Served, before: NodeConfig | None = None) -> NodeConfig:
        return compile_rules(cluster(FIRST, served(INTERNAL, members[1][0])), "node-a", before)

    before = config(served(INTERNAL, BOTH))
    after = config(served(INTERNAL, endpoints(HERE)), before)
    servers, old = after.virtual_servers, before.virtual_servers
    assert {name for name in servers if servers[name] is not old[name]} == {"tcp 10.96.100.10:80"}
    assert all(after.ipsets[name] is before.ipsets[name] for name in after.ipsets)
    assert after.iptables is before.iptables


def test_both_families_of_a_dual_stack_node_change_together() -> None:
    def dual(one: Service) -> Cluster:
        return cluster(served(one, BOTH, endpoints(HERE_6, family=6)), nodes=(DUAL_A, DUAL_B), proxy=DUAL_PROXY)

    before = compile_rules(dual(DUAL), "node-a")
    local = dual(replace(DUAL, external_traffic_local=True))
    assert_same(compile_rules(local, "node-a", before), compile_rules(local, "node-a"))


# ---- the rest of the node -----------------------------------------------------------------------


def test_sysctls() -> None:
    config = compile_rules(cluster(proxy=replace(PROXY, ipvs_strict_arp=True)), "node-a")
    assert config.sysctls == {
        "net.ipv4.vs.conntrack": "1",
        "net.ipv4.vs.expire_nodest_conn": "1",
        "net.ipv4.vs.expire_quiescent_template": "1",
        "net.ipv4.ip_forward": "1",
        "net.ipv4.conf.all.arp_ignore": "1",
        "net.ipv4.conf.all.arp_announce": "2",
    }
    assert "net.ipv4.conf.all.arp_ignore" not in compile_rules(cluster(), "node-a").sysctls


def test_listeners_follow_the_health_checks() -> None:
    local = served(replace(LOCAL, ports=NODE_PORT), endpoints(HERE))
    config = compile_rules(cluster(local), "node-a")
    assert [number for _, number, _ in config.listeners] == [10256, 31999]
    again = compile_rules(cluster(served(local[0], BOTH)), "node-a", config)
    assert again.listeners is config.listeners
    gone = compile_rules(cluster(served(INTERNAL, BOTH)), "node-a", config)
    assert [number for _, number, _ in gone.listeners] == [10256]
