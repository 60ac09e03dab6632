"""Rule: a load that takes up what an earlier one found gives what a load from nothing gives, faults and all."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import pytest

from packetsim.cluster import Manifests, Running, Source, load_documents, running_in
from packetsim.cluster.documents import Document, read_documents
from packetsim.cluster.model import Key
from packetsim.errors import ManifestError, Problem
from tests.packetsim.cluster.loading import NODES, deployment, documents, pod, service

ZONED = documents(
    *(
        f"apiVersion: v1\nkind: Node\nmetadata: {{name: node{n}, labels: {{topology.kubernetes.io/zone: {zone}}}}}\n"
        f"spec: {{podCIDRs: [10.244.{n}.0/24]}}\nstatus: {{allocatable: {{cpu: {n}}}}}\n"
        for n, zone in ((1, "b"), (2, "b"), (3, "a"))
    )
)
TAINTED = "apiVersion: v1\nkind: Node\nmetadata: {name: node1}\nspec: {taints: [{key: x, effect: NoSchedule}]}\n"
OTHER = deployment(2).replace("name: web", "name: other")
DUAL = "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [%s]}\n"
PROXY = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: %s\n"
FLOW = "apiVersion: packetwalk.dev/v1\nkind: FlowTest\nmetadata: {name: t}\nflow: {from: shop/p, to: shop/web}\n"
SLICE = (
    "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\naddressType: IPv4\n"
    "metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}\n"
    "ports: [{port: 8080}]\nendpoints: [{addresses: [10.244.1.9]}]\n"
)
ENDPOINTS = (
    "apiVersion: v1\nkind: Endpoints\nmetadata: {name: bare, namespace: shop}\n"
    "subsets: [{addresses: [{ip: 10.9.9.9}], ports: [{port: 80}]}]\n"
)
LIST = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n"
SOUND = (
    (NODES, ZONED, TAINTED),
    (deployment(3), deployment(0), deployment(5, spec="nodeName: node1"), deployment(2, spec="affinity: {}")),
    (deployment(2, "StatefulSet"), deployment(3, "ReplicaSet"), deployment(1, "DaemonSet")),
    (OTHER, OTHER.replace("app: web", "app: other"), OTHER.replace("replicas: 2", "replicas: 9")),
    (pod("p"), pod("p", status="podIP: 10.244.1.2"), pod("p", "hostNetwork: true"), pod("p", status="phase: Failed")),
    (pod("q", "{containers: [{name: c, ports: [{containerPort: 80, hostPort: 80}]}]}"[1:-1]), pod("q", "")),
    (
        service(""),
        service("type: NodePort"),
        service("type: LoadBalancer, externalTrafficPolicy: Local"),
        service("clusterIP: None"),
        service("clusterIP: 10.96.0.9"),
        service("trafficDistribution: PreferClose"),
        service("", annotations="{service.kubernetes.io/topology-mode: Auto}"),
        service("ipFamilyPolicy: PreferDualStack"),
        service("sessionAffinity: ClientIP"),
    ),
    (service("type: NodePort", "two"), service("type: NodePort, ports: [{port: 9, nodePort: 31000}]", "two")),
    (service("", "bare", selector="{}"), service("type: ExternalName, externalName: a.b", "bare")),
    (DUAL % '"10.96.0.0/16"', DUAL % '"10.96.0.0/24", "fd00:10:96::/112"'),
    (PROXY % "ipvs", PROXY % "nftables", FLOW, LIST, SLICE, ENDPOINTS),
    ("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n", "apiVersion: x.io/v1\nkind: Y\nmetadata: {name: s}\n"),
)
FAULTY = (
    deployment(-1),
    deployment(2, spec="nodeName: nowhere"),
    deployment(2).replace("{app: web}}\n  template", "{app: else}}\n  template"),
    OTHER.replace("replicas: 2", "replicas: two"),
    OTHER.replace("kind: Deployment", "kind: ReplicaSet").replace("name: other", "name: web"),
    pod("r", status="podIP: 10.244.1.2"),
    pod("r", status="podIP: 192.168.10.11"),
    pod("p"),
    service("type: NodePort, ports: [{port: 9, nodePort: 31000}]", "three"),
    service("clusterIP: 10.96.0.9", "four"),
    service("clusterIP: 10.244.1.2", "five"),
    service("sessionAffinity: Never"),
    service("ipFamilyPolicy: RequireDualStack", "six"),
    PROXY % "magic",
    "apiVersion: v2\nkind: Service\nmetadata: {name: web, namespace: shop}\n",
    "apiVersion: v1\nkind: Service\nmetadata: {name: Web, namespace: shop, annotations: {packetwalk.dev/ready: x}}\n",
    "[1]",
)
Outcome = Manifests | tuple[Problem, ...]


def _read(text: str) -> list[Document]:
    problems: list[Problem] = []
    found = list(read_documents([Source("lab", text)], problems))
    assert not problems
    return found


def _loaded(found: list[Document], running: Mapping[Key, Running], before: Manifests | None, most: int) -> Outcome:
    try:
        return load_documents(found, running, most, before)
    except ManifestError as error:
        return error.problems


@pytest.mark.parametrize("seed", range(60))
def test_whatever_changes_nothing_comes_out_differently(seed: int) -> None:
    random = Random(seed)
    sound = [[_read(text) for text in texts] for texts in SOUND]
    faulty = [_read(text) for text in FAULTY]
    chosen = [texts[0] for texts in sound]
    before: Manifests | None = None
    running: Mapping[Key, Running] = {}
    good = bad = 0
    for _ in range(25):
        slot, as_it_was = random.randrange(len(sound)), list(chosen)
        chosen[slot] = random.choice([[], *sound[slot]])
        found = [document for one in chosen for document in one]
        if random.random() < 0.3:
            found += random.choice(faulty)
        if random.random() < 0.1:
            found.append(random.choice(found))  # the very same once more
        if random.random() < 0.2:
            random.shuffle(found)
        most = random.choice([1_000_000, 1_000_000, 1_000_000, 12])
        result, fresh = _loaded(found, running, before, most), _loaded(found, running, None, most)
        assert result == fresh
        if not isinstance(result, Manifests) or not isinstance(fresh, Manifests):
            bad, chosen = bad + 1, as_it_was  # as a lab does
            continue
        good += 1
        for name in ("nodes", "pods", "services", "slices"):
            assert list(getattr(result.cluster, name)) == list(getattr(fresh.cluster, name))
        before, running = result, running_in(result.cluster)
    assert good >= 3 and bad >= 3, (good, bad)


def test_what_stays_is_the_very_same() -> None:
    first = _read(documents(NODES, deployment(3), OTHER, service("type: NodePort")))
    more = _read(deployment(4).replace("name: web", "name: other"))
    before = load_documents(first)
    after = load_documents([*first[:3], *more, *first[4:]], running_in(before.cluster), before=before)
    stayed = [key for key in before.cluster.pods if "other" not in key[1]]
    assert len(stayed) == 3
    assert all(after.cluster.pods[key] is before.cluster.pods[key] for key in stayed)
    assert after.cluster.services["shop", "web"] is before.cluster.services["shop", "web"]
    assert len(after.cluster.pods) == len(before.cluster.pods) + 2


def test_an_earlier_load_is_not_held() -> None:
    """Each load holds what it found, and no chain of those before it."""
    found = _read(documents(NODES, deployment(3), service("")))
    before = load_documents(found)
    after = load_documents(found[:2], before=before)
    assert after.notes is not None
    assert not after.notes.objects._before and not after.notes.addresses._before
    assert len(after.notes.objects._now) == 2 and not after.notes.slices._now
