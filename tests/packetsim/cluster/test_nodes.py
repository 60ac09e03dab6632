"""Rule: a Node keeps what is written, and gets what is not, the same every time."""

from __future__ import annotations

import pytest

from packetsim.cluster.nodes import milli_cpu
from tests.packetsim.cluster.loading import NODES, cluster, documents, manifests, pod


def node(name: str, spec: str = "", status: str = "", labels: str = "") -> str:
    return f"""
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{{labels}}}}}
spec: {{{spec}}}
status: {{{status}}}
"""


def test_a_node_keeps_its_addresses_podcidrs_and_zone() -> None:
    one = cluster(NODES).nodes["node1"]
    assert (one.addresses, one.pod_cidrs, one.zone, one.ready) == (("192.168.10.11",), ("10.244.1.0/24",), "a", True)


def test_missing_addresses_and_podcidrs_are_the_next_free_ones() -> None:
    nodes = cluster(
        documents(
            node("n1"),
            node("n2", "podCIDR: 10.244.0.0/24"),
            node("n3", "", "addresses: [{type: InternalIP, address: 192.168.10.11}]"),
        )
    ).nodes
    assert [one.addresses for one in nodes.values()] == [("192.168.10.12",), ("192.168.10.13",), ("192.168.10.11",)]
    assert [one.pod_cidrs for one in nodes.values()] == [("10.244.1.0/24",), ("10.244.0.0/24",), ("10.244.2.0/24",)]


def test_internal_addresses_come_first_of_each_family() -> None:
    status = (
        "addresses: [{type: Hostname, address: n1.local}, {type: ExternalIP, address: 1.2.3.4},"
        "{type: InternalIP, address: 10.0.0.2}, {type: InternalIP, address: 10.0.0.3},"
        "{type: InternalIP, address: 'fd00::2'}, {type: InternalIP, address: 10.0.0.2}]"
    )
    one = cluster(node("n1", "podCIDRs: [10.1.0.0/24, 'fd01::/64']", status)).nodes["n1"]
    assert one.addresses == ("10.0.0.2", "fd00::2", "10.0.0.3")


def test_without_internal_addresses_the_external_ones_count() -> None:
    assert cluster(node("n1", "", "addresses: [{type: ExternalIP, address: 1.2.3.4}]")).nodes["n1"].addresses == (
        "1.2.3.4",
    )


@pytest.mark.parametrize(("status", "ready"), [("True", True), ("False", False), ("Unknown", False)])
def test_readiness_is_the_condition(status: str, ready: bool) -> None:
    text = node("n1", "", f"conditions: [{{type: DiskPressure, status: 'True'}}, {{type: Ready, status: '{status}'}}]")
    assert cluster(text).nodes["n1"].ready is ready


def test_a_dual_stack_cluster_gives_both_families() -> None:
    one = cluster(node("n1", "podCIDRs: [10.244.0.0/24, 'fd00:10:244::/64']"), node("n2")).nodes["n2"]
    assert one.addresses == ("192.168.10.12", "fd00:192:168:10::12")
    assert one.pod_cidrs == ("10.244.1.0/24", "fd00:10:244:1::/64")


def test_an_ipv6_cluster_gives_ipv6_alone() -> None:
    found = cluster(node("n1", "podCIDR: 'fd00:10:244:5::/64'"), node("n2"))
    assert found.nodes["n2"].pod_cidrs == ("fd00:10:244::/64",)
    assert found.service_cidrs == ("fd00:10:96::/112",)


def test_nodes_alone_may_speak_for_dual_stack() -> None:
    status = "addresses: [{type: InternalIP, address: 10.0.0.2}, {type: InternalIP, address: 'fd00::2'}]"
    assert cluster(node("n1", "", status)).service_cidrs == ("10.96.0.0/12", "fd00:10:96::/112")
    assert cluster(node("n1", "podCIDR: 10.244.0.0/24", status)).service_cidrs == ("10.96.0.0/12",)


def test_a_podcidr_that_is_not_written_is_the_range_the_pods_live_in() -> None:
    pods = [
        pod("a", "nodeName: n1", "podIP: 10.42.0.7"),
        pod("b", "nodeName: n2", "podIP: 10.42.1.7"),
        pod("c", "nodeName: n3", "podIP: 10.42.1.8"),
    ]
    nodes = cluster(documents(node("n1"), node("n2"), node("n3"), *pods)).nodes
    assert nodes["n1"].pod_cidrs == ("10.42.0.0/24",)
    assert nodes["n2"].pod_cidrs == ("10.244.0.0/24",), "another node's Pods live in the same range"


def test_a_podcidr_given_holds_no_address_of_others() -> None:
    pods = [pod("a", "nodeName: n1", "podIP: 10.244.0.5"), pod("b", "nodeName: n2", "podIP: 10.244.0.6")]
    lone = node("n3", "", "addresses: [{type: InternalIP, address: 10.244.1.1}]")
    nodes = cluster(documents(node("n1"), node("n2"), lone, *pods)).nodes
    assert [one.pod_cidrs for one in nodes.values()] == [("10.244.2.0/24",), ("10.244.3.0/24",), ("10.244.4.0/24",)]


def test_addresses_given_are_no_pods() -> None:
    found = cluster(documents(node("n1"), pod("a", "nodeName: n1", "podIP: 192.168.10.11")))
    assert found.nodes["n1"].addresses == ("192.168.10.12",)


def test_without_nodes_there_are_two() -> None:
    found = manifests(pod("a", "{}"[1:-1]))
    assert list(found.cluster.nodes) == ["node1", "node2"]
    assert found.notices[0] == "no Node among the manifests: made up node1, node2"


def test_without_nodes_those_that_pods_name_are_made_up() -> None:
    text = documents(
        pod(
            "a",
            "nodeName: w2, hostNetwork: true",
            "podIP: 10.0.0.9, hostIP: 10.0.0.9, hostIPs: [{ip: 10.0.0.9}, {ip: 'fd00::9'}]",
        ),
        pod("b", "nodeName: w1"),
    )
    nodes = cluster(text).nodes
    assert list(nodes) == ["w2", "w1"]
    assert nodes["w2"].addresses == ("10.0.0.9", "fd00::9")


def test_two_hundred_and_fifty_six_podcidrs_are_all_there_are() -> None:
    names = [f"n{number}" for number in range(256)]
    nodes = cluster(documents(*(node(name) for name in names))).nodes
    assert nodes["n255"].pod_cidrs == ("10.244.255.0/24",)
    assert len({one.addresses for one in nodes.values()}) == 256


@pytest.mark.parametrize(
    ("quantity", "milli"), [(2, 2000), ("1.5", 1500), ("1930m", 1930), ("x", 0), ("1e999", 0), (-1, 0)]
)
def test_cpu_is_read_in_thousandths(quantity: int | str, milli: int) -> None:
    assert milli_cpu(quantity) == milli
