"""Rule: a workload makes the Pods that its controller would, with names that never change."""

from __future__ import annotations

import re

from tests.packetsim.cluster.loading import NODES, cluster, deployment, documents, pod, problems


def test_a_deployments_pods_are_named_after_its_replicaset() -> None:
    pods = list(cluster(NODES, deployment(3)).pods.values())
    assert len({one.name for one in pods}) == 3
    digest = pods[0].labels["pod-template-hash"]
    assert all(re.fullmatch(f"web-{digest}-[bcdfghjklmnpqrstvwxz2456789]{{5}}", one.name) for one in pods)
    assert len(digest) == 10
    assert pods[0].labels["app"] == "web"


def test_the_same_manifests_give_the_same_cluster() -> None:
    assert cluster(NODES, deployment(3)) == cluster(NODES, deployment(3))


def test_an_own_line_elsewhere_changes_no_name() -> None:
    assert set(cluster(NODES, deployment(2)).pods) < set(cluster(NODES, pod("z"), deployment(3)).pods)


def test_a_statefulsets_pods_are_numbered_and_have_host_names() -> None:
    pods = list(
        cluster(NODES, deployment(2, "StatefulSet", more="serviceName: db\n  ordinals: {start: 5}")).pods.values()
    )
    assert [(one.name, one.hostname, one.subdomain) for one in pods] == [
        ("web-5", "web-5", "db"),
        ("web-6", "web-6", "db"),
    ]
    assert pods[0].labels["statefulset.kubernetes.io/pod-name"] == "web-5"


def test_a_daemonset_runs_once_on_every_node() -> None:
    third = "apiVersion: v1\nkind: Node\nmetadata: {name: cp}\n"
    third += "spec: {unschedulable: true, taints: [{key: x, effect: NoSchedule}]}\n"
    pods = cluster(NODES, third, deployment(9, "DaemonSet")).pods.values()
    assert [one.node for one in pods] == ["node1", "node2"]
    spec = "tolerations: [{operator: Exists}]"
    assert len(cluster(NODES, third, deployment(1, "DaemonSet", spec)).pods) == 3


def test_replicas_are_one_unless_written() -> None:
    text = deployment(0).replace("replicas: 0", "replicas: null")
    assert (len(cluster(NODES, text).pods), len(cluster(NODES, deployment(0)).pods)) == (1, 0)


def test_a_template_may_name_its_node_and_say_what_it_listens_on() -> None:
    text = deployment(2, spec="nodeName: node2, hostNetwork: true").replace(
        "metadata: {labels", "metadata: {annotations: {packetwalk.dev/listening: none}, labels"
    )
    pods = list(cluster(NODES, text).pods.values())
    assert [(one.node, one.listening) for one in pods] == [("node2", frozenset())] * 2


def test_a_templates_fields_have_their_own_lines() -> None:
    found = problems(NODES, deployment(1, spec="nodeName: node9"))
    assert [(one.field, one.line) for one in found] == [("spec.template.spec.nodeName", 11)]


REPLICA_SET = """
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-abc
  namespace: shop
  ownerReferences: [{kind: Deployment, name: web}]
spec:
  replicas: 2
  selector:
    matchExpressions:
    - {key: app, operator: In, values: [web]}
    - {key: old, operator: DoesNotExist}
    - {key: x, operator: NotIn, values: [z]}
    - {key: app, operator: Exists}
  template: {metadata: {labels: {app: web, pod-template-hash: abc}}, spec: {}}
"""
OWNED = "ownerReferences: [{kind: ReplicaSet, name: web-abc}, {kind: Node, name: n1}]"


def test_a_deployment_whose_replicaset_is_there_makes_nothing_itself() -> None:
    names = [name for _, name in cluster(NODES, deployment(3), REPLICA_SET).pods]
    assert len(names) == 2
    assert all(re.fullmatch("web-abc-.{5}", name) for name in names)


def test_a_workload_whose_pods_are_there_makes_none() -> None:
    text = pod("web-abc-12345", meta=OWNED).replace("app: web", "app: web, pod-template-hash: abc")
    for others in (documents(deployment(3), REPLICA_SET), REPLICA_SET, deployment(3)):
        assert list(cluster(NODES, others, text).pods) == [("shop", "web-abc-12345")]


def test_a_pod_of_a_namesake_elsewhere_does_not_count() -> None:
    text = pod("web-abc-12345", meta=OWNED).replace("namespace: shop", "namespace: other")
    assert len(cluster(NODES, REPLICA_SET, text).pods) == 3


def test_a_pod_written_with_the_name_of_one_made_is_refused() -> None:
    (problem,) = problems(NODES, deployment(1, "StatefulSet"), pod("web-0"))
    assert "there is another Pod shop/web-0, at f2.yaml" in problem.message
