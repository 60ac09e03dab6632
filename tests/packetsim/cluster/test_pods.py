"""Rule: Pods are read as the kubelet reports them, placed as a scheduler would, and addressed as an IPAM would."""

from __future__ import annotations

import pytest

from packetsim.cluster.model import ContainerPort, Pod
from tests.packetsim.cluster.loading import NODES, cluster, documents, manifests, pod


def one(spec: str = "nodeName: node1", status: str = "", meta: str = "") -> Pod:
    return cluster(NODES, pod("p", spec, status, meta)).pods["shop", "p"]


def test_a_pod_written_by_hand_is_running_and_ready() -> None:
    found = one()
    assert (found.ready, found.terminating, found.listening, found.answers) == (True, False, None, True)
    assert (found.node, found.addresses) == ("node1", ("10.244.1.2",))


@pytest.mark.parametrize(
    ("status", "meta", "ready"),
    [
        ("conditions: [{type: Ready, status: 'True'}]", "", True),
        ("conditions: [{type: Ready, status: 'False'}]", "", False),
        ("conditions: [{type: PodScheduled, status: 'True'}]", "", True),
        ("", "annotations: {packetwalk.dev/ready: 'false'}", False),
        ("conditions: [{type: Ready, status: 'False'}]", "annotations: {packetwalk.dev/ready: 'true'}", True),
    ],
)
def test_readiness(status: str, meta: str, ready: bool) -> None:
    assert one(status=status, meta=meta).ready is ready


def test_a_pod_being_deleted_is_terminating() -> None:
    assert one(meta="deletionTimestamp: '2024-01-01T00:00:00Z'").terminating


PORTS = (
    "nodeName: node1, containers: [{ports: [{name: http, containerPort: 8080}, {containerPort: 53, protocol: UDP}]}]"
)


@pytest.mark.parametrize(
    ("spec", "annotation", "listening"),
    [
        ("nodeName: node1", "", None),
        (PORTS, "", {("tcp", 8080), ("udp", 53)}),
        (PORTS, "9090, 53/udp,7/SCTP", {("tcp", 9090), ("udp", 53), ("sctp", 7)}),
        (PORTS, "none", set()),
        ("nodeName: node1", "none", set()),
    ],
)
def test_what_a_pod_listens_on(spec: str, annotation: str, listening: set[tuple[str, int]] | None) -> None:
    meta = f"annotations: {{packetwalk.dev/listening: '{annotation}'}}" if annotation else ""
    assert one(spec, meta=meta).listening == listening


def test_a_pod_may_be_gone() -> None:
    assert not one(meta="annotations: {packetwalk.dev/answers: 'false'}").answers


def test_sidecars_count_as_containers_and_other_init_containers_do_not() -> None:
    spec = (
        "nodeName: node1, containers: [{ports: [{containerPort: 80}]}], initContainers: ["
        "{ports: [{containerPort: 1}]}, {restartPolicy: Always, ports: [{name: mesh, containerPort: 2}]}]"
    )
    assert one(spec).ports == (ContainerPort("", 80, "tcp"), ContainerPort("mesh", 2, "tcp"))


def test_finished_and_pending_pods_hold_no_address() -> None:
    found = manifests(
        NODES,
        documents(
            pod("done", status="phase: Succeeded, podIP: 10.244.1.5"),
            pod("failed", status="phase: Failed, podIP: 10.244.1.5"),
            pod("waiting", "{}"[1:-1], "phase: Pending"),
            pod("starting", status="phase: Pending, podIP: 10.244.1.5"),
        ),
    )
    assert [name for _, name in found.cluster.pods] == ["starting"]
    assert found.notices == (
        "Pods that have finished hold no address: left out (2 times, first f2.yaml: document 1, line 2)",
        "Pods that are Pending have no address yet: left out (at f2.yaml: document 3, line 16)",
    )


def test_host_network_pods_have_the_nodes_addresses() -> None:
    text = pod("p", "nodeName: node2, hostNetwork: true")
    assert cluster(NODES, text).pods["shop", "p"].addresses == ("192.168.10.12",)
    written = pod("p", "nodeName: node2, hostNetwork: true", "podIP: 192.168.10.12")
    assert cluster(NODES, written, pod("q", "nodeName: node2, hostNetwork: true")).pods["shop", "q"].host_network


def test_dual_stack_pods_get_both_addresses() -> None:
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspec: {podCIDRs: [10.1.0.0/24, 'fd00:1::/64']}\n"
    text = documents(pod("a", "nodeName: n1"), pod("b", "nodeName: n1", "podIPs: [{ip: 10.1.0.9}, {ip: 'fd00:1::9'}]"))
    pods = cluster(node, text).pods
    assert pods["shop", "a"].addresses == ("10.1.0.2", "fd00:1::2")
    assert (pods["shop", "b"].address(4), pods["shop", "b"].address(6)) == ("10.1.0.9", "fd00:1::9")


def test_given_addresses_go_around_written_ones() -> None:
    text = documents(pod("a"), pod("b", status="podIP: 10.244.1.3"), pod("c"))
    assert [one.addresses[0] for one in cluster(NODES, text).pods.values()] == [
        "10.244.1.2",
        "10.244.1.3",
        "10.244.1.4",
    ]


def test_a_pod_outside_its_podcidr_is_noticed_only() -> None:
    found = manifests(NODES, pod("p", status="podIP: 10.9.9.9"))
    assert found.cluster.pods["shop", "p"].addresses == ("10.9.9.9",)
    assert "outside their node's podCIDR" in found.notices[0]


def test_a_pod_whose_node_has_no_podcidr_is_not_said_to_be_outside_of_one() -> None:
    status = "{addresses: [{type: InternalIP, address: 10.9.9.1}]}"
    host = f"apiVersion: v1\nkind: Node\nmetadata: {{name: n1}}\nstatus: {status}\n"
    found = manifests(host, pod("p", "nodeName: n1", status="podIP: 10.9.9.9"))
    assert any("Pods on Nodes without a podCIDR: routed to their node" in notice for notice in found.notices)


def test_pods_go_where_fewest_are_then_in_node_order() -> None:
    text = documents(pod("a", "nodeName: node1"), *(pod(name, "{}"[1:-1]) for name in "bcd"))
    assert [one.node for one in cluster(NODES, text).pods.values()] == ["node1", "node2", "node1", "node2"]


@pytest.mark.parametrize(
    ("spec", "status", "pod_spec", "node"),
    [
        ("unschedulable: true", "", "", "node2"),
        ("", "conditions: [{type: Ready, status: 'False'}]", "", "node2"),
        ("taints: [{key: k, effect: NoSchedule}]", "", "", "node2"),
        ("taints: [{key: k, effect: PreferNoSchedule}]", "", "", "node0"),
        ("taints: [{key: node.kubernetes.io/not-ready, effect: NoExecute}]", "", "", "node0"),
        ("taints: [{key: k, value: v, effect: NoSchedule}]", "", "tolerations: [{key: k, operator: Exists}]", "node0"),
        ("taints: [{key: k, value: v, effect: NoSchedule}]", "", "tolerations: [{operator: Exists}]", "node0"),
        ("taints: [{key: k, value: v, effect: NoSchedule}]", "", "tolerations: [{key: k, value: v}]", "node0"),
        ("taints: [{key: k, value: v, effect: NoSchedule}]", "", "tolerations: [{key: k, value: w}]", "node2"),
        ("taints: [{key: k, effect: NoExecute}]", "", "tolerations: [{key: k, effect: NoSchedule}]", "node2"),
        ("", "", "nodeSelector: {disk: ssd}", "node0"),
        ("", "", "nodeSelector: {disk: hdd}", ""),
    ],
)
def test_the_first_node_takes_the_pod_only_if_it_may(spec: str, status: str, pod_spec: str, node: str) -> None:
    first = f"""
apiVersion: v1
kind: Node
metadata: {{name: node0, labels: {{disk: ssd}}}}
spec: {{{spec}}}
status: {{{status}}}
"""
    second = "apiVersion: v1\nkind: Node\nmetadata: {name: node2}\n"
    found = manifests(first, second, pod("p", pod_spec))
    assert [one.node for one in found.cluster.pods.values()] == ([node] if node else [])
    assert bool(node) or "no node fits" in found.notices[0]


def test_when_no_node_is_ready_any_will_do() -> None:
    text = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\nspec: {unschedulable: true}\n"
    assert cluster(text, pod("p", "affinity: {}")).pods["shop", "p"].node == "n1"


def test_what_is_not_modelled_is_noticed() -> None:
    spec = "affinity: {nodeAffinity: {}}, containers: [{ports: [{containerPort: 80, hostPort: 80}]}]"
    notices = manifests(NODES, pod("p", spec)).notices
    assert [text.partition(" is not modelled")[0] for text in notices] == ["hostPort", "affinity"]
