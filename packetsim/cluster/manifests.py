"""Rule: manifests become a complete cluster, or one error that tells everything wrong with them.

The order below is that of a cluster coming up: ranges, nodes, Pods, Services, their slices.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType

from packetsim.cluster.documents import Document, Source, read_documents
from packetsim.cluster.endpointslices import MAX_LOOKED, Controller, SliceNotes, all_slices
from packetsim.cluster.families import cluster_families
from packetsim.cluster.flow_tests import FlowTest, read_flow_tests
from packetsim.cluster.mirroring import mirrored
from packetsim.cluster.model import Cluster, Key, Pod
from packetsim.cluster.nodes import node_names, read_hosts
from packetsim.cluster.notes import Table
from packetsim.cluster.objects import ObjectNotes, Objects, read_objects
from packetsim.cluster.places import Report
from packetsim.cluster.pod_addresses import AddressNotes, give_addresses
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.pods import PlaceNotes
from packetsim.cluster.proxy_configuration import read_proxy
from packetsim.cluster.running import Running, still_running
from packetsim.cluster.scheduling import Fitting, schedule
from packetsim.cluster.service_ranges import service_cidrs
from packetsim.cluster.services import ServiceNotes, read_services
from packetsim.cluster.slices import read_slices
from packetsim.cluster.workloads import DraftNotes, draft_pods


@dataclass(frozen=True, slots=True)
class Manifests:
    """What the manifests say. `notices`: what was skipped, guessed or made up, each once."""

    cluster: Cluster
    flow_tests: tuple[FlowTest, ...] = ()
    notices: tuple[str, ...] = ()
    notes: Notes | None = field(default=None, compare=False, repr=False)  # for the next load; nobody else reads them


class Notes:
    """What a load has worked out of single objects (`notes`)."""

    def __init__(self, before: Notes | None = None, keeping: bool = True) -> None:
        drafts: DraftNotes | None = before.drafts if before else None
        services: ServiceNotes | None = before.services if before else None
        self.objects: ObjectNotes = Table(before.objects if before else None, keeping)
        self.drafts: DraftNotes = DraftNotes(
            pods=Table(drafts.pods if drafts else None, keeping),
            plans=Table(drafts.plans if drafts else None, keeping),
            made=Table(drafts.made if drafts else None, keeping),
        )
        self.places: PlaceNotes = Table(before.places if before else None, keeping)
        self.addresses: AddressNotes = Table(before.addresses if before else None, keeping)
        self.services: ServiceNotes = ServiceNotes(
            drafts=Table(services.drafts if services else None, keeping),
            complete=Table(services.complete if services else None, keeping),
        )
        self.slices: SliceNotes = Table(before.slices if before else None, keeping)

    def close(self) -> None:
        drafts, services = self.drafts, self.services
        self.objects.close()
        for table in (drafts.pods, drafts.plans, drafts.made, services.drafts, services.complete):
            table.close()
        self.places.close()
        self.addresses.close()
        self.slices.close()


def load(sources: Iterable[Source]) -> Manifests:
    """The cluster that the manifests describe. Raises ManifestError with every problem found."""
    sources = list(sources)
    report = Report()
    names = [source.name for source in sources]
    with _collector_paused():
        return _manifests(read_documents(sources, report.problems), report, names, Notes(keeping=False))


def load_documents(
    documents: Iterable[Document],
    running: Mapping[Key, Running] | None = None,
    most_looked: int = MAX_LOOKED,
    before: Manifests | None = None,
) -> Manifests:
    """The same from documents that `read_documents` has read, each perhaps long ago.

    `running`: Pods that are there already: they keep their nodes and addresses as long as they can.
    `most_looked`: how many Pods all selectors may look at.
    `before`: what an earlier load gave. Nothing comes out differently for it, but documents that are the very same
    objects as then cost next to nothing.
    """
    documents = list(documents)
    with _collector_paused():
        names = list(dict.fromkeys(one.file for one in documents))
        notes = Notes(before.notes if before else None)
        return _manifests(documents, Report(), names, notes, running or {}, most_looked)


def _manifests(
    documents: Iterable[Document],
    report: Report,
    names: list[str],
    notes: Notes,
    running: Mapping[Key, Running] = MappingProxyType({}),
    most_looked: int = MAX_LOOKED,
) -> Manifests:
    objects = read_objects(documents, report, notes.objects)
    cluster = _cluster(objects, report, running, most_looked, notes)
    tests = read_flow_tests(objects, node_names(objects, cluster.nodes, report), report)
    report.raise_problems(names)
    notes.close()
    return Manifests(cluster, tests, report.notices, notes)


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


def _cluster(
    objects: Objects, report: Report, running: Mapping[Key, Running], most_looked: int, notes: Notes
) -> Cluster:
    families = cluster_families(objects)
    cidrs = service_cidrs(objects, families, report)
    hosts = read_hosts(objects, families, report)
    pods = _pods(objects, hosts, families, running, report, notes)
    owners = {ip: f"Pod {pod.namespace}/{pod.name}" for pod in pods for ip in pod.addresses}
    owners |= {ip: f"Node {host.node.name}" for host in hosts for ip in host.node.addresses}
    services = {service.key: service for service in read_services(objects, cidrs, owners, report, notes.services)}
    written = read_slices(objects, report)
    shapes = {one.key: one for one in objects.services}
    written |= mirrored(objects, shapes, written, report)
    return Cluster(
        nodes={host.node.name: host.node for host in hosts},
        pods={pod.key: pod for pod in pods},
        services=services,
        slices=all_slices(services, shapes, written, Controller(pods, hosts, report, notes.slices, most_looked)),
        service_cidrs=cidrs,
        proxy=read_proxy(objects, hosts, families, report),
        namespaces=objects.used_namespaces,
    )


def _pods(
    objects: Objects,
    hosts: list[Host],
    families: tuple[int, ...],
    running: Mapping[Key, Running],
    report: Report,
    notes: Notes,
) -> list[Pod]:
    fitting = Fitting(hosts)
    names = node_names(objects, (host.node.name for host in hosts), report)
    drafts = still_running(draft_pods(objects, fitting, report, notes.drafts), hosts, running, notes.places)
    placed = schedule(drafts, fitting, names, report, notes.places)
    return give_addresses(placed, hosts, families, report, running, notes.addresses)
