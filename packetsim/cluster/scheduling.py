"""Rule: a Pod without a node goes to the node with the fewest Pods that its spec allows, in node order.

The real scheduler scores more than this; nodeSelector, taints and tolerations are kept to, affinity is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable
from heapq import heapreplace

from packetsim.cluster import schemas
from packetsim.cluster.names import dns_subdomain
from packetsim.cluster.places import Place, Report, clipped, one_of
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.pods import PHASE, Draft, PlaceNotes
from packetsim.cluster.selectors import matches

MAX_DEMANDS = 1000


class Fitting:
    """Which nodes each Pod spec allows, worked out once for all that ask for the same."""

    def __init__(self, hosts: list[Host]) -> None:
        self.hosts = hosts
        self._known: dict[str, tuple[int, ...]] = {}

    def fitting(self, spec: schemas.PodSpec, place: Place, report: Report) -> tuple[int, ...]:
        """The places in `hosts` of the nodes allowed."""
        asks = spec.node_selector or spec.tolerations
        demand = repr((spec.node_selector, spec.tolerations)) if asks else ""
        if demand not in self._known:
            if len(self._known) >= MAX_DEMANDS:
                message = f"more than {MAX_DEMANDS:,} different nodeSelectors and tolerations"
                report.problem(place, ("spec",), message, "Write spec.nodeName on the Pods instead")
                return ()
            self._known[demand] = tuple(index for index, host in enumerate(self.hosts) if fits(spec, host))
        return self._known[demand]


def fits(spec: schemas.PodSpec, host: Host) -> bool:
    """Do the Pod's nodeSelector and tolerations allow the node?"""
    wanted = {key: value or "" for key, value in (spec.node_selector or {}).items()}
    barring = (taint for taint in host.taints if taint.effect in ("NoSchedule", "NoExecute"))
    return matches(wanted, host.node.labels) and all(_tolerated(taint, spec.tolerations or ()) for taint in barring)


def _tolerated(taint: schemas.Taint, tolerations: Iterable[schemas.Toleration]) -> bool:
    """Toleration.ToleratesTaint (core/v1 toleration.go)."""
    if (taint.key or "").startswith("node.kubernetes.io/"):
        return True  # not-ready, unschedulable …: known from the node itself
    return any(
        (not one.effect or one.effect == taint.effect)
        and ((not one.key and one.operator == "Exists") or one.key == taint.key)
        and (one.operator == "Exists" or (one.value or "") == (taint.value or ""))
        for one in tolerations
    )


def schedule(
    drafts: list[Draft], fitting: Fitting, known: Container[str], report: Report, notes: PlaceNotes
) -> list[Draft]:
    """Every Pod with its node; Pods on a node that does not exist are problems and left out."""
    names = {host.node.name for host in fitting.hosts}
    scheduler = _Scheduler(fitting, Counter(draft.pod.node for draft in drafts))
    placed = []
    for draft in drafts:
        node = draft.pod.node or scheduler.node_for(draft, report)
        if not node:
            report.notice("no node fits these Pods: left out, as they would stay Pending", draft.place)
        elif node in names:
            placed.append(draft.on(node, notes))
        elif node not in known and dns_subdomain(node) is None:
            message = f"there is no Node {clipped(node)}"
            cure = f"Add the Node, or use {one_of(sorted(names)[:5])}" if names else "Add the Node"
            report.problem(draft.place, (*draft.spec_path, "nodeName"), message, cure, rests_on=[PHASE])
    return placed


class _Scheduler:
    """Counts Pods by node. Nodes that fit alike share a heap, whose counts are put right when looked at."""

    def __init__(self, fitting: Fitting, counts: Counter[str]) -> None:
        self._fitting = fitting
        hosts = fitting.hosts
        open_hosts = {i for i, host in enumerate(hosts) if host.node.ready and not host.unschedulable}
        self._open = open_hosts or set(range(len(hosts)))
        self._counts = counts
        self._heaps: dict[int, list[tuple[int, int]]] = {}  # by the identity of what Fitting keeps

    def node_for(self, draft: Draft, report: Report) -> str:
        """The node for the Pod, "" if none fits."""
        if draft.spec.affinity:
            report.notice("affinity is not modelled: such Pods are spread like any others", draft.place)
        allowed = self._fitting.fitting(draft.spec, draft.place, report)
        heap = self._heaps.get(id(allowed))
        if heap is None:
            heap = self._heaps[id(allowed)] = [(0, index) for index in allowed if index in self._open]
        while heap:
            count, index = heap[0]
            name = self._fitting.hosts[index].node.name
            if count == self._counts[name]:
                self._counts[name] += 1
                heapreplace(heap, (count + 1, index))
                return name
            heapreplace(heap, (self._counts[name], index))
        return ""
