"""Rule: topology-mode Auto allots endpoints to zones by CPU, or gives no hints at all."""

from __future__ import annotations

import pytest

from tests.packetsim.cluster.loading import documents, manifests, pod, service

AUTO = "{service.kubernetes.io/topology-mode: Auto}"


def node(name: str, zone: str, cpu: str = "'2'", labels: str = "") -> str:
    zone_label = f"topology.kubernetes.io/zone: {zone}, " if zone else ""
    return f"""
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{{zone_label}{labels}}}}}
status: {{allocatable: {{cpu: {cpu}}}}}
"""


def hints(nodes: list[str], pods: str, annotations: str = AUTO, spec: str = "") -> str:
    """The zone hint of each endpoint, "-" for none; `pods` is one letter of a node's name each."""
    texts = [pod(f"p{place}", f"nodeName: n{letter}") for place, letter in enumerate(pods)]
    found = manifests(*nodes, service(spec, annotations=annotations), documents(*texts)).cluster
    (one,) = found.slices["shop", "web"]
    return "".join(endpoint.zone_hints[0] if endpoint.zone_hints else "-" for endpoint in one.endpoints)


@pytest.mark.parametrize(
    ("cpu_of_b", "pods", "wanted"),
    [
        ("'2'", "ab", "ab"),
        ("'2'", "aabb", "aabb"),
        ("'2'", "aaab", "baab"),
        ("'2'", "aaaaab", "bbaaab"),
        ("'2'", "aaaaaa", "bbbaaa"),
        ("'6'", "aabb", "babb"),
        ("'2'", "aaabb", "-----"),
        ("'2'", "a", "-"),
        ("'20'", "ab", "--"),
    ],
    ids=[
        "even",
        "even 4",
        "one moves",
        "two move",
        "half move",
        "by CPU",
        "a fifth too many",
        "too few",
        "would overload",
    ],
)
def test_endpoints_are_allotted_by_cpu(cpu_of_b: str, pods: str, wanted: str) -> None:
    assert hints([node("na", "a"), node("nb", "b", cpu_of_b)], pods) == wanted


def test_half_an_endpoint_is_enough_to_move_one() -> None:
    nodes = [node("na", "a", "4450m"), node("nb", "b", "2775m"), node("nc", "c", "2775m")]
    assert hints(nodes, "a" * 10 + "b" * 5 + "c" * 5) == "b" + "a" * 9 + "b" * 5 + "c" * 5


@pytest.mark.parametrize(
    "nodes",
    [
        [node("na", "a"), node("nb", "a")],
        [node("na", "a"), node("nb", "b"), node("nc", "")],
        [node("na", "a"), node("nb", "b", labels="node-role.kubernetes.io/control-plane: ''")],
    ],
    ids=["one zone", "a node without zone", "the second is of the control plane"],
)
def test_where_zones_cannot_be_weighed_there_are_no_hints(nodes: list[str]) -> None:
    assert hints(nodes, "aabb") == "----"


@pytest.mark.parametrize(
    ("annotations", "spec", "wanted"),
    [
        ("{service.kubernetes.io/topology-mode: auto}", "", "baab"),
        ("{service.kubernetes.io/topology-aware-hints: Auto}", "", "baab"),
        ("{service.kubernetes.io/topology-mode: Disabled}", "", "----"),
        (AUTO, "trafficDistribution: PreferSameZone", "baab"),
        ("{}", "trafficDistribution: PreferSameZone", "aaab"),
    ],
)
def test_the_annotation_goes_before_the_field(annotations: str, spec: str, wanted: str) -> None:
    assert hints([node("na", "a"), node("nb", "b")], "aaab", annotations, spec) == wanted


def test_nodes_that_do_not_tell_their_cpu_count_as_equal_and_that_is_noticed() -> None:
    nodes = [node("na", "a", "0"), node("nb", "b", "0")]
    assert hints(nodes, "aaab") == "baab"
    found = manifests(*nodes, service("", annotations=AUTO), pod("p", "nodeName: na"))
    assert "nodes without status.allocatable.cpu count as equal" in found.notices[0]


def test_endpoints_that_are_not_ready_are_not_counted() -> None:
    texts = [pod(f"p{place}", f"nodeName: n{letter}") for place, letter in enumerate("aabb")]
    unready = pod("x", "nodeName: na", "conditions: [{type: Ready, status: 'False'}]")
    found = manifests(node("na", "a"), node("nb", "b"), service("", annotations=AUTO), documents(unready, *texts))
    (one,) = found.cluster.slices["shop", "web"]
    assert [endpoint.zone_hints for endpoint in one.endpoints] == [(), ("a",), ("a",), ("b",), ("b",)]
