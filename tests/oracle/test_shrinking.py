"""A difference is shrunk to what it needs, with every address where it was, and never for ever."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest

from packetsim import Flow, RolledDice, Simulation, Source, load
from packetsim.oracle import yaml_text
from packetsim.oracle.probing import probes
from packetsim.oracle.random_clusters import random_manifests
from packetsim.oracle.shrinking import shrink, smallest


@cache
def given() -> tuple[str, tuple[Flow, ...]]:
    text = random_manifests(4, 3)
    cluster = load([Source("given", text)]).cluster
    return text, tuple(probes(cluster, 3, 40, "iptables"))


def masqueraded_udp(text: str, flows: Sequence[Flow]) -> bool:
    """Stands for a difference: the flows must be sent for it to show."""
    cluster = load([Source("candidate", text)]).cluster
    simulation = Simulation(cluster, "iptables", RolledDice(lambda below: 0))
    traces = [simulation.send(flow, record=False) for flow in flows]
    return any(one.masqueraded and one.flow.protocol == "udp" for one in traces)


def test_what_has_no_part_in_the_difference_is_left_out() -> None:
    text, flows = given()
    small, few = shrink(text, flows, masqueraded_udp)
    assert masqueraded_udp(small, few)
    assert len(few) == 1
    assert [one["kind"] for one in yaml_text.read(small)].count("Service") == 1
    assert "sessionAffinity" not in small
    assert len(small) < len(text) / 4
    whole = load([Source("given", text)]).cluster
    cluster = load([Source("small", small)]).cluster
    for name, node in cluster.nodes.items():
        assert (node.addresses, node.pod_cidrs) == (whole.nodes[name].addresses, whole.nodes[name].pod_cidrs)
        assert all(one in small for one in (*node.addresses, *node.pod_cidrs))
    for key, service in cluster.services.items():
        assert service.cluster_ips == whole.services[key].cluster_ips
        assert all(ip in small for ip in service.cluster_ips)


def test_flows_that_lead_up_to_the_difference_are_kept() -> None:
    """The fifth flow to the third's destination differs only if the third was sent."""
    text, flows = given()

    def differs(_: str, some: Sequence[Flow]) -> bool:
        return flows[2] in some and flows[4] in some and some.index(flows[2]) < some.index(flows[4])

    assert shrink(text, flows, differs)[1] == [flows[2], flows[4]]


def test_no_more_is_asked_than_allowed_and_progress_is_told() -> None:
    text, flows = given()
    asked: list[str] = []
    told: list[tuple[int, int]] = []

    def differs(candidate: str, some: Sequence[Flow]) -> bool:
        asked.append(candidate)
        return masqueraded_udp(candidate, some)

    small, few = shrink(text, flows, differs, tries=9, progress=lambda done, most: told.append((done, most)))
    assert len(asked) == 9
    assert told == [(done, 9) for done in range(1, 10)]
    assert masqueraded_udp(small, few)


def test_every_candidate_loads_and_its_flows_can_be_sent() -> None:
    text, flows = given()

    def differs(candidate: str, some: Sequence[Flow]) -> bool:
        cluster = load([Source("candidate", candidate)]).cluster
        assert all(flow.via is None or flow.via in cluster.nodes for flow in some)
        pods = {"/".join(key) for key in cluster.pods}
        assert all(flow.place in {*pods, *cluster.nodes, flow.source} for flow in some)
        return True

    small, few = shrink(text, flows, differs)
    assert len(few) == 1
    kinds = {one["kind"] for one in yaml_text.read(small)}
    assert kinds <= {"Node", "Pod"}  # the flow's own sender, and where that is


def test_what_does_not_differ_is_handed_back() -> None:
    text, flows = given()
    assert shrink(text, flows, lambda *_: False) == (text, list(flows))
    assert shrink(text, [], lambda *_: True) == (text, [])


@pytest.mark.parametrize("needed", [[], [0], [9], [3, 7], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
def test_smallest_keeps_what_is_needed(needed: list[int]) -> None:
    assert smallest(range(10), lambda some: set(needed) <= set(some)) == needed
