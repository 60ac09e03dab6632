"""Probes cover every kind of sender to every kind of destination before they repeat one."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from packetsim import MODES, Cluster, Disposition, Flow, RolledDice, Simulation, Source, load
from packetsim.oracle.probe_ends import OUTSIDE, aims, kinds, senders
from packetsim.oracle.probing import pairs, probes
from packetsim.oracle.random_clusters import random_manifests
from packetsim.protocols import TRANSPORTS

ENOUGH = 2000


def cluster_of(number: int) -> Cluster:
    return load([Source("random", random_manifests(7, number))]).cluster


@cache
def rich() -> Cluster:
    """One with much in it: the first with ranges, affinity, node ports and an external IP."""
    for number in range(200):
        services = cluster_of(number).services.values()
        if (
            any(one.source_ranges and one.ingress and one.affinity_timeout for one in services)
            and any(one.external_ips for one in services)
            and any(one.health_check_node_port for one in services)
        ):
            return cluster_of(number)
    raise AssertionError("no random cluster has all that")


def kinds_of(cluster: Cluster, flow: Flow) -> set[tuple[str, str]]:
    """All the pairs of kinds that the flow may have been chosen for."""
    return {
        both
        for sender in senders(cluster)
        if sender.place == flow.place
        for aim in aims(cluster)
        if (aim.address, aim.port, aim.protocol) == (flow.destination, flow.port, flow.protocol)
        and (both := kinds(cluster, sender, aim))
    }


def test_every_pair_of_kinds_is_tried() -> None:
    flows = probes(rich(), 1, ENOUGH, "iptables")
    tried = set().union(*(kinds_of(rich(), flow) for flow in set(flows)))
    assert set(pairs(rich())) <= tried


def test_no_pair_of_kinds_is_repeated_before_every_other_was_tried() -> None:
    """Runs aside: those repeat one pair on purpose."""
    found = pairs(rich())
    flows = probes(rich(), 1, ENOUGH, "iptables")
    starts = [one for one, before in zip(flows, [None, *flows], strict=False) if not is_again(one, before)]
    tried: set[tuple[str, str]] = set()
    for flow in starts[: len(found) // 2]:
        new = kinds_of(rich(), flow) - tried
        assert new, flow
        tried |= new if len(new) == 1 else set()


def is_again(flow: Flow, before: Flow | None) -> bool:
    def ends(one: Flow) -> tuple[str, str, int, str]:
        return one.place, one.destination, one.port, one.protocol

    return before is not None and ends(flow) == ends(before)


@pytest.mark.parametrize(
    "kind",
    [
        "ClusterIP",
        "external IP",
        "load balancer IP",
        "node port",
        "node port on loopback",
        "node port on the bridge's address",
        "health check node port",
        "ClusterIP, wrong port",
        "ClusterIP, wrong protocol",
        "Pod",
        "Pod, wrong port",
        "Pod that is gone",
        "hostNetwork Pod",
        "endpoint without a Pod",
        "free address of the service range",
        "free address of a Pod range",
        "free port of a node",
        "address of nobody",
        "load balancer IP of ipMode Proxy",
    ],
)
def test_every_kind_of_destination_is_met(kind: str) -> None:
    assert any(one.kind == kind for number in range(30) for one in aims(cluster_of(number)))


def test_every_kind_of_sender_is_met() -> None:
    met = {one.kind for number in range(30) for one in senders(cluster_of(number))}
    assert met == {"Pod", "backend", "hostNetwork Pod", "node", *OUTSIDE}


def test_a_backend_probes_its_own_service_and_the_ranges_are_probed_from_both_sides() -> None:
    relations = Counter(sender.partition(" of the ")[0] for sender, _ in pairs(rich()))
    assert relations["backend"] > 1
    met = {sender for number in range(30) for sender, _ in pairs(cluster_of(number))}
    assert {"backend of the Service itself", "node, allowed", "host beyond the router, not allowed"} <= met


def test_flows_can_be_sent_and_have_a_source_port_of_their_own() -> None:
    for number in range(8):
        cluster = cluster_of(number)
        mode = MODES[number % len(MODES)]
        flows = probes(cluster, number, 30, mode)
        assert len({flow.source_port for flow in flows}) == len(flows) == 30
        assert all(flow.protocol in TRANSPORTS for flow in flows)
        simulation = Simulation(cluster, mode, RolledDice(lambda below: 0))
        for flow in flows:
            assert simulation.send(flow, record=False).disposition in Disposition


def test_an_outside_packet_to_a_virtual_address_enters_by_a_node() -> None:
    virtual = {ip for one in rich().services.values() for ip in (*one.cluster_ips, *one.external_ips)}
    flows = probes(rich(), 1, ENOUGH, "iptables")
    from_outside = [flow for flow in flows if flow.place == flow.source and flow.destination in virtual]
    assert {flow.via for flow in from_outside} == set(rich().nodes)
    assert all(flow.via is None for flow in flows if flow.place != flow.source)


def test_what_depends_on_earlier_connections_comes_in_runs() -> None:
    sticky = {ip for one in rich().services.values() if one.affinity_timeout for ip in one.cluster_ips}
    flows = probes(rich(), 1, ENOUGH, "iptables")
    again = [one for one, before in zip(flows, [None, *flows], strict=False) if is_again(one, before)]
    assert any(flow.destination in sticky for flow in again)
    assert longest_run(probes(rich(), 1, ENOUGH, "ipvs")) >= 6


def longest_run(flows: list[Flow]) -> int:
    """Connections in a row to one address and port."""
    longest = run = 0
    last = None
    for flow in flows:
        aim = flow.destination, flow.port, flow.protocol
        run = run + 1 if aim == last else 1
        last, longest = aim, max(longest, run)
    return longest


def test_the_same_seed_sends_the_same_flows() -> None:
    assert probes(rich(), 3, 50, "ipvs") == probes(rich(), 3, 50, "ipvs")
    assert probes(rich(), 3, 50, "ipvs") != probes(rich(), 4, 50, "ipvs")
