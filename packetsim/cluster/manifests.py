"""Rule: manifests become a complete cluster, or one error that tells everything wrong with them.

The order below is that of a cluster coming up: ranges, nodes, Pods, Services, their slices.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from packetsim.cluster.documents import Document, Source, read_documents
from packetsim.cluster.endpointslices import MAX_LOOKED, Controller, all_slices
from packetsim.cluster.families import cluster_families
from packetsim.cluster.flow_tests import FlowTest, read_flow_tests
from packetsim.cluster.mirroring import mirrored
from packetsim.cluster.model import Cluster, Key, Pod
from packetsim.cluster.nodes import node_names, read_hosts
from packetsim.cluster.objects import Objects, read_objects
from packetsim.cluster.places import Report
from packetsim.cluster.pod_addresses import give_addresses
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.proxy_configuration import read_proxy
from packetsim.cluster.running import Running, still_running
from packetsim.cluster.scheduling import Fitting, schedule
from packetsim.cluster.service_ranges import service_cidrs
from packetsim.cluster.services import read_services
from packetsim.cluster.slices import read_slices
from packetsim.cluster.workloads import draft_pods


@dataclass(frozen=True, slots=True)
class Manifests:
    """What the manifests say. `notices`: what was skipped, guessed or made up, each once."""

    cluster: Cluster
    flow_tests: tuple[FlowTest, ...] = ()
    notices: tuple[str, ...] = ()


def load(sources: Iterable[Source]) -> Manifests:
    """The cluster that the manifests describe. Raises ManifestError with every problem found."""
    sources = list(sources)
    report = Report()
    with _collector_paused():
        return _manifests(read_documents(sources, report.problems), report, [source.name for source in sources])


def load_documents(
    documents: Iterable[Document], running: Mapping[Key, Running] | None = None, most_looked: int = MAX_LOOKED
) -> Manifests:
    """The same from documents that `read_documents` has read, each perhaps long ago.

    `running`: Pods that are there already: they keep their nodes and addresses as long as they can.
    `most_looked`: how many Pods all selectors may look at.
    """
    documents = list(documents)
    with _collector_paused():
        names = list(dict.fromkeys(one.file for one in documents))
        return _manifests(documents, Report(), names, running or {}, most_looked)


def _manifests(
    documents: Iterable[Document],
    report: Report,
    names: list[str],
    running: Mapping[Key, Running] = MappingProxyType({}),
    most_looked: int = MAX_LOOKED,
) -> Manifests:
    objects = read_objects(documents, report)
    cluster = _cluster(objects, report, running, most_looked)
    tests = read_flow_tests(objects, node_names(objects, cluster.nodes, report), report)
    report.raise_problems(names)
    return Manifests(cluster, tests, report.notices)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Millions of values come to life at once, none in a cycle: looking for cycles costs a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _cluster(objects: Objects, report: Report, running: Mapping[Key, Running], most_looked: int) -> Cluster:
    families = cluster_families(objects)
    cidrs = service_cidrs(objects, families, report)
    hosts = read_hosts(objects, families, report)
    pods = _pods(objects, hosts, families, running, report)
    owners = {ip: f"Pod {pod.namespace}/{pod.name}" for pod in pods for ip in pod.addresses}
    owners |= {ip: f"Node {host.node.name}" for host in hosts for ip in host.node.addresses}
    services = {service.key: service for service in read_services(objects, cidrs, owners, report)}
    written = read_slices(objects, report)
    shapes = {one.key: one for one in objects.services}
    written |= mirrored(objects, shapes, written, report)
    return Cluster(
        nodes={host.node.name: host.node for host in hosts},
        pods={pod.key: pod for pod in pods},
        services=services,
        slices=all_slices(services, shapes, written, Controller(pods, hosts, report, most_looked)),
        service_cidrs=cidrs,
        proxy=read_proxy(objects, hosts, families, report),
        namespaces=objects.used_namespaces,
    )


def _pods(
    objects: Objects, hosts: list[Host], families: tuple[int, ...], running: Mapping[Key, Running], report: Report
) -> list[Pod]:
    fitting = Fitting(hosts)
    names = node_names(objects, (host.node.name for host in hosts), report)
    drafts = still_running(draft_pods(objects, fitting, report), hosts, running)
    return give_addresses(schedule(drafts, fitting, names, report), hosts, families, report, running)
