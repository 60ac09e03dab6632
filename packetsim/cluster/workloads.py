"""Rule: a workload becomes the Pods its controller would make, unless the manifests already hold them.

Names and labels from pkg/controller/{deployment,replicaset,statefulset,daemon} (Kubernetes 1.35).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from packetsim.cluster import schemas
from packetsim.cluster.inventing import suffix, template_hash
from packetsim.cluster.model import Pod
from packetsim.cluster.names import check_annotations, check_labels
from packetsim.cluster.notes import Table
from packetsim.cluster.objects import MAX_OBJECTS, POD_MAKERS, Object, Objects
from packetsim.cluster.places import Path, Place, Report, one_of, shown
from packetsim.cluster.pods import Draft, pod_of, read_pod
from packetsim.cluster.scheduling import Fitting
from packetsim.cluster.selectors import OPERATORS, fulfils, matches

HASH_LABEL = "pod-template-hash"
_TEMPLATE: Path = ("spec", "template")


@dataclass(frozen=True, slots=True)
class DraftNotes:
    """`pods`: what each Pod's own manifest says; `plans` and `made`: what each workload makes."""

    pods: Table[Object[schemas.Pod], None, Draft | None]
    plans: Table[Object[schemas.Workload], None, _Plan | None]
    made: Table[_Plan, None, list[Draft]]


def draft_pods(objects: Objects, fitting: Fitting, report: Report, notes: DraftNotes) -> list[Draft]:
    """Every Pod written, and every Pod that the workloads make, in the order of the manifests."""
    owned = _owned(objects)
    drafts: list[Draft] = []
    for one in objects.pods_and_workloads:
        if one.kind == "Pod":
            draft = notes.pods.of(one, None, report, partial(read_pod, one, report))
            drafts += [draft] if draft else []
            continue
        expand = partial(_expand, one, fitting, report)
        # the Pods of a DaemonSet follow from the nodes, too
        made = expand() if one.kind == "DaemonSet" else notes.plans.of(one, None, report, expand)
        if (one.kind, *one.key) in owned or made is None:
            continue
        if len(drafts) + len(made) > MAX_OBJECTS:
            message = f"{one} brings the Pods to more than {MAX_OBJECTS:,}"
            report.problem(one.place, ("spec", "replicas"), message, "Ask for fewer replicas")
            continue
        drafts += notes.made.find(made, None) or notes.made.keep(made, None, list(made.drafts()))
    return drafts


def _owned(objects: Objects) -> set[tuple[str, str, str]]:
    """(kind, namespace, name) of the workloads whose Pods, or whose ReplicaSets, are among the manifests."""
    found = set()
    for one in objects.pods_and_workloads:
        for owner in one.data.metadata.owner_references or ():
            if owner.kind not in POD_MAKERS or not owner.name:
                continue
            found.add((owner.kind, one.namespace, owner.name))
            # a Pod names its ReplicaSet alone, whose name is the Deployment's and the hash
            tail = f"-{one.labels.get(HASH_LABEL)}"
            if owner.kind == "ReplicaSet" and owner.name.endswith(tail):
                found.add(("Deployment", one.namespace, owner.name.removesuffix(tail)))
    return found


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a workload makes: `pattern` is one of its Pods, `names` those of all, each with the node it is bound to."""

    one: Object[schemas.Workload]
    pattern: Pod
    spec: schemas.PodSpec
    count: int
    hosts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hosts) if self.one.kind == "DaemonSet" else self.count

    def drafts(self) -> Iterator[Draft]:
        for name, node, labels in _MAKERS[self.one.kind](self):
            pod = replace(self.pattern, name=name, node=node or self.pattern.node)
            if self.one.kind == "StatefulSet":
                service = self.one.data.spec.service_name if self.one.data.spec else None
                pod = replace(pod, hostname=name, subdomain=service or "")
            pod = replace(pod, labels={**pod.labels, **labels})
            yield Draft(pod, self.one.place, (*_TEMPLATE, "spec"), self.spec)


Made = Iterator[tuple[str, str, Mapping[str, str]]]  # name, node or "", labels added


def _of_deployment(plan: _Plan) -> Made:
    digest = template_hash("Deployment", *plan.one.key)
    return _replicas(plan, f"{plan.one.name}-{digest}", {HASH_LABEL: digest})


def _of_replica_set(plan: _Plan) -> Made:
    return _replicas(plan, plan.one.name, {})


def _replicas(plan: _Plan, prefix: str, labels: Mapping[str, str]) -> Made:
    for index in range(plan.count):
        yield f"{prefix}-{suffix(plan.one.namespace, prefix, str(index))}", "", labels


def _of_stateful_set(plan: _Plan) -> Made:
    ordinals = plan.one.data.spec.ordinals if plan.one.data.spec else None
    first = (ordinals.start if ordinals else 0) or 0
    for index in range(first, first + plan.count):
        name = f"{plan.one.name}-{index}"
        yield name, "", {"statefulset.kubernetes.io/pod-name": name, "apps.kubernetes.io/pod-index": str(index)}


def _of_daemon_set(plan: _Plan) -> Made:
    digest = template_hash("DaemonSet", *plan.one.key)
    for node in plan.hosts:
        name = f"{plan.one.name}-{suffix(*plan.one.key, node)}"
        yield name, node, {"controller-revision-hash": digest, "pod-template-generation": "1"}


_MAKERS = {
    "Deployment": _of_deployment,
    "ReplicaSet": _of_replica_set,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
}


def _expand(one: Object[schemas.Workload], fitting: Fitting, report: Report) -> _Plan | None:
    spec = one.data.spec or schemas.WorkloadSpec()
    replicas = 1 if spec.replicas is None else spec.replicas
    if replicas < 0:
        report.problem(one.place, ("spec", "replicas"), f"{shown(replicas)} replicas", "Write 0 or more")
        replicas = 1
    if spec.ordinals and (spec.ordinals.start or 0) < 0:
        report.problem(one.place, ("spec", "ordinals", "start"), "ordinals begin below 0", "Write 0 or more")
    if spec.template is None:
        report.problem(one.place, _TEMPLATE, f"{one} has no Pod template", "Add spec.template with labels and a spec")
    meta = (spec.template or schemas.PodTemplate()).metadata
    labels = {key: value or "" for key, value in (meta.labels or {}).items()}
    annotations = {key: value or "" for key, value in (meta.annotations or {}).items()}
    check_labels(labels, one.place, (*_TEMPLATE, "metadata", "labels"), report)
    check_annotations(annotations, one.place, (*_TEMPLATE, "metadata", "annotations"), report)
    _check_selector(spec.selector, labels, one.place, report)
    if spec.template is None:
        return None
    pod_spec = spec.template.spec or schemas.PodSpec()
    path = (*_TEMPLATE, "spec")
    pod = pod_of(one, annotations, pod_spec, True, one.place, path, (*_TEMPLATE, "metadata"), report)
    nodes: tuple[str, ...] = ()
    if one.kind == "DaemonSet":  # on unready and unschedulable nodes, too: daemon/util adds the tolerations
        fit = fitting.fitting(pod_spec, one.place, report)
        nodes = tuple(fitting.hosts[index].node.name for index in fit)
    return _Plan(one, replace(pod, labels=labels), pod_spec, replicas, nodes)


def _check_selector(
    selector: schemas.LabelSelector | None, labels: Mapping[str, str], place: Place, report: Report
) -> None:
    """apps validation: a selector is required, and must select the template's own Pods."""
    path: Path = ("spec", "selector")
    if selector is None or not (selector.match_labels or selector.match_expressions):
        cure = "Add spec.selector.matchLabels with the template's labels"
        report.problem(place, path, "the selector is missing", cure, rests_on=[path])
        return
    wanted = {key: value or "" for key, value in (selector.match_labels or {}).items()}
    requirements = selector.match_expressions or []
    for index, requirement in enumerate(requirements):
        if requirement.operator not in OPERATORS:
            message = f"there is no operator {shown(requirement.operator)}"
            cure = f"Use {one_of(OPERATORS)}"
            report.problem(place, (*path, "matchExpressions", index, "operator"), message, cure)
    if not matches(wanted, labels) or not all(fulfils(requirement, labels) for requirement in requirements):
        message = "the selector does not select the template's own labels"
        cure = "Write the same labels in spec.selector and in spec.template.metadata"
        report.problem(place, path, message, cure, rests_on=[path, (*_TEMPLATE, "metadata", "labels")])
