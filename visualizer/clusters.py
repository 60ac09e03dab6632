"""Rule: the cluster as the page shows it, from packetsim's; and what is new, different or gone since another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from packetsim.cluster import Manifests, Running, load_documents, running_in
from packetsim.cluster.inventing import template_hash
from packetsim.cluster.model import Cluster, EndpointSlice, Key, Node, Pod, Service
from packetsim.cluster.workloads import HASH_LABEL
from packetsim.errors import ManifestError
from visualizer.documents import Written, key_of
from visualizer.refusals import RefusedError, refusal_of
from visualizer.schemas import ClusterView, EndpointView, NodeView, PodView, PortView, ServiceView
from visualizer.sharing import joined_with

MOST_PODS = 10_000
MOST_NODES = 100
MOST_ENDPOINT_PORTS = 30_000  # endpoints, each as often as its Service has ports
MOST_LOOKED = 50_000
_REPLICATED = ("Deployment", "ReplicaSet", "StatefulSet")


def load(
    documents: Mapping[str, Written],
    running: Mapping[Key, Running],
    offsets: Mapping[str, int] | None = None,
    before: Manifests | None = None,
) -> Manifests:
    """The cluster of a lab's documents; Pods that run already stay where they are. Raises RefusedError."""
    _check_replicas(documents)
    try:
        manifests = load_documents((one.document for one in documents.values()), running, MOST_LOOKED, before)
    except ManifestError as error:
        raise refusal_of(error, offsets) from None
    _check_size(manifests.cluster)
    return manifests if before is None else replace(manifests, cluster=joined_with(before.cluster, manifests.cluster))


def _check_replicas(documents: Mapping[str, Written]) -> None:
    """Before any Pod is made."""
    asked = 0
    for one in documents.values():
        if one.kind in _REPLICATED:
            spec = one.document.value.get("spec")
            replicas = spec.get("replicas", 1) if isinstance(spec, dict) else 1
            asked += replicas if isinstance(replicas, int) and replicas > 0 else 0
        elif one.kind in ("Pod", "DaemonSet"):
            asked += 1
    if asked > MOST_PODS:
        raise RefusedError(
            [f"A lab runs at most {MOST_PODS:,} Pods, and these would be {asked:,}. Ask for fewer replicas."]
        )


def _check_size(cluster: Cluster) -> None:
    ports = sum(
        len(one.endpoints) * max(1, len(one.ports or ())) for slices in cluster.slices.values() for one in slices
    )
    for there, most, what in (
        (len(cluster.nodes), MOST_NODES, "nodes"),
        (len(cluster.pods), MOST_PODS, "Pods"),
        (ports, MOST_ENDPOINT_PORTS, "endpoints, counted for each port"),
    ):
        if there > most:
            raise RefusedError([f"A lab has at most {most:,} {what}, and these would be {there:,}. Take some away."])


# ---- one object ---------------------------------------------------------------------------------------


def place_of(key: Key) -> str:
    return "/".join(key)


def node_view(node: Node) -> NodeView:
    return NodeView(
        name=node.name,
        addresses=list(node.addresses),
        pod_cidrs=list(node.pod_cidrs),
        zone=node.zone,
        ready=node.ready,
    )


def pod_view(pod: Pod, documents: Mapping[str, Written]) -> PodView:
    listening = None
    if pod.listening is not None:
        listening = [f"{protocol}/{port}" for protocol, port in sorted(pod.listening)]
    return PodView(
        place=place_of(pod.key),
        node=pod.node,
        addresses=list(pod.addresses),
        labels=dict(pod.labels),
        ready=pod.ready,
        terminating=pod.terminating,
        answers=pod.answers,
        host_network=pod.host_network,
        listening=listening,
        owner=owner_of(pod, documents),
    )


def owner_of(pod: Pod, documents: Mapping[str, Written]) -> str:
    """The key of the document that the Pod comes from."""
    own = key_of("Pod", *pod.key)
    if own in documents:
        return own
    base = pod.name.rpartition("-")[0]
    digest = pod.labels.get(HASH_LABEL, "")
    name = base.removesuffix(f"-{digest}")
    if digest and name != base and digest == template_hash("Deployment", pod.namespace, name):
        return key_of("Deployment", pod.namespace, name)
    makers = (key_of(kind, pod.namespace, base) for kind in ("StatefulSet", "DaemonSet", "ReplicaSet"))
    return next((key for key in makers if key in documents), "")


def service_view(service: Service, slices: tuple[EndpointSlice, ...], cluster: Cluster) -> ServiceView:
    return ServiceView(
        key=key_of("Service", *service.key),
        namespace=service.namespace,
        name=service.name,
        type=service.type,
        cluster_ips=list(service.cluster_ips),
        external_ips=list(service.external_ips),
        ingress=[one.ip for one in service.ingress if one.ip],
        selector=dict(service.selector),
        ports=[
            PortView(
                name=port.name,
                protocol=port.protocol,
                port=port.port,
                target_port=str(port.target_port),
                node_port=port.node_port,
            )
            for port in service.ports
        ],
        endpoints=list(_endpoints(slices, cluster)),
    )


def _endpoints(slices: tuple[EndpointSlice, ...], cluster: Cluster) -> Iterator[EndpointView]:
    for one in slices:
        for endpoint in one.endpoints:
            pod = endpoint.pod if endpoint.pod in cluster.pods else None
            for port in one.ports:
                yield EndpointView(
                    address=endpoint.address,
                    port=port.port,
                    port_name=port.name,
                    place=place_of(pod) if pod else "",
                    node=endpoint.node,
                    ready=endpoint.ready,
                    serving=endpoint.serving,
                    terminating=endpoint.terminating,
                )


# ---- all, and what differs ------------------------------------------------------------------------------


def cluster_view(cluster: Cluster, documents: Mapping[str, Written]) -> ClusterView:
    return ClusterView(
        nodes=[node_view(node) for node in cluster.nodes.values()],
        pods=[pod_view(pod, documents) for pod in cluster.pods.values()],
        services=[
            service_view(service, cluster.slices.get(key, ()), cluster) for key, service in cluster.services.items()
        ],
    )


@dataclass(frozen=True, slots=True)
class Differences:
    """`removed`: ids as `Changed.removed` has them."""

    nodes: list[NodeView]
    pods: list[PodView]
    services: list[ServiceView]
    removed: list[str]


def differences(
    old: Cluster, new: Cluster, old_documents: Mapping[str, Written], documents: Mapping[str, Written]
) -> Differences:
    """`new` was joined with `old` (`sharing`): what is equal is the same object."""
    owned_alike = old_documents.keys() == documents.keys()

    def is_same_pod(key: Key, pod: Pod) -> bool:
        same = old.pods.get(key) is pod
        return same and (owned_alike or owner_of(pod, old_documents) == owner_of(pod, documents))

    def is_same_service(key: Key, service: Service) -> bool:
        return old.services.get(key) is service and old.slices.get(key, ()) is new.slices.get(key, ())

    return Differences(
        nodes=[node_view(node) for name, node in new.nodes.items() if old.nodes.get(name) != node],
        pods=[pod_view(pod, documents) for key, pod in new.pods.items() if not is_same_pod(key, pod)],
        services=[
            service_view(service, new.slices.get(key, ()), new)
            for key, service in new.services.items()
            if not is_same_service(key, service)
        ],
        removed=[
            *(f"node {name}" for name in old.nodes if name not in new.nodes),
            *(f"pod {place_of(key)}" for key in old.pods if key not in new.pods),
            *(f"service {key_of('Service', *key)}" for key in old.services if key not in new.services),
        ],
    )


def running(cluster: Cluster) -> dict[Key, Running]:
    return running_in(cluster)
