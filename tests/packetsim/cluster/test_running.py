"""Rule: Pods that run keep their nodes and addresses through a change, as long as both are there."""

from __future__ import annotations

import pytest

from packetsim.cluster import Manifests, Source, load, load_documents, running_in
from packetsim.cluster.documents import read_documents
from packetsim.cluster.endpointslices import MAX_LOOKED
from packetsim.errors import ManifestError

NODES = "".join(
    f"apiVersion: v1\nkind: Node\nmetadata: {{name: node{n}}}\nspec: {{podCIDR: 10.244.{n}.0/24}}\n---\n"
    for n in (1, 2)
)


def deployment(name: str, replicas: int, spec: str = "") -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n"
        f"  replicas: {replicas}\n  selector: {{matchLabels: {{app: {name}}}}}\n"
        f"  template:\n    metadata: {{labels: {{app: {name}}}}}\n    spec: {{containers: [{{name: c}}]{spec}}}\n---\n"
    )


def after(before: Manifests, text: str, most_looked: int = MAX_LOOKED) -> Manifests:
    documents = list(read_documents([Source("text", text)], []))
    return load_documents(documents, running_in(before.cluster), most_looked)


def test_more_of_one_moves_none_of_another() -> None:
    before = load([Source("text", NODES + deployment("a", 2) + deployment("b", 3))])
    now = after(before, NODES + deployment("a", 5) + deployment("b", 3))
    for key, pod in before.cluster.pods.items():
        assert (now.cluster.pods[key].node, now.cluster.pods[key].addresses) == (pod.node, pod.addresses)
    addresses = [pod.addresses for pod in now.cluster.pods.values()]
    assert len(set(addresses)) == len(addresses) == 8


def test_a_pod_leaves_a_node_that_is_gone_or_does_not_allow_it() -> None:
    before = load([Source("text", NODES + deployment("a", 4))])
    gone = after(before, NODES.partition("---\n")[0] + "---\n" + deployment("a", 4))
    assert {pod.node for pod in gone.cluster.pods.values()} == {"node1"}
    chosen = NODES.replace("{name: node2}", "{name: node2, labels: {fast: 'yes'}}")
    moved = after(before, chosen + deployment("a", 4, ", nodeSelector: {fast: 'yes'}"))
    assert {pod.node for pod in moved.cluster.pods.values()} == {"node2"}
    assert all(pod.addresses[0].startswith("10.244.2.") for pod in moved.cluster.pods.values())


def test_an_address_that_is_written_for_another_is_given_up() -> None:
    before = load([Source("text", NODES + deployment("a", 1))])
    (pod,) = before.cluster.pods.values()
    other = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: shop}\n"
        f"spec: {{nodeName: {pod.node}, containers: [{{name: c}}]}}\nstatus: {{podIP: {pod.addresses[0]}}}\n"
    )
    now = after(before, NODES + deployment("a", 1) + other)
    assert now.cluster.pods["shop", "b"].addresses == pod.addresses
    assert now.cluster.pods[pod.key].addresses != pod.addresses


def test_how_many_pods_selectors_look_at_is_bounded_by_the_caller() -> None:
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\n"
        "spec: {selector: {app: a}, ports: [{port: 80}]}\n"
    )
    before = load([Source("text", NODES + deployment("a", 20) + service)])
    with pytest.raises(ManifestError, match="look at more than 10 Pods"):
        after(before, NODES + deployment("a", 20) + service, most_looked=10)
