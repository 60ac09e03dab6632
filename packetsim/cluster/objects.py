"""Rule: documents become objects of known kinds, each once; unknown kinds are noticed and skipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from packetsim.cluster import schemas
from packetsim.cluster.decoding import decode
from packetsim.cluster.documents import Document, Fields, Items
from packetsim.cluster.model import Key
from packetsim.cluster.names import (
    Check,
    check_annotations,
    check_labels,
    dns_label,
    dns_subdomain,
    service_name,
)
from packetsim.cluster.notes import Table
from packetsim.cluster.places import Place, Report, clipped, one_of, shown

MAX_OBJECTS = 100_000
OURS = "packetwalk.dev/"

Model = TypeVar("Model", bound=schemas.Shape, covariant=True)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind we read: API group, versions, whether it lives in a namespace, its types, its name's form."""

    group: str
    versions: tuple[str, ...]
    namespaced: bool
    model: type[schemas.Shape]
    name: Check = dns_subdomain

    @property
    def api_versions(self) -> tuple[str, ...]:
        return tuple(f"{self.group}/{version}" if self.group else version for version in self.versions)


KINDS: Mapping[str, Kind] = {
    "Node": Kind("", ("v1",), False, schemas.Node),
    "Namespace": Kind("", ("v1",), False, schemas.Named, dns_label),
    "Pod": Kind("", ("v1",), True, schemas.Pod),
    "Service": Kind("", ("v1",), True, schemas.Service, service_name),
    "Endpoints": Kind("", ("v1",), True, schemas.Endpoints),
    "ConfigMap": Kind("", ("v1",), True, schemas.ConfigMap),
    "Deployment": Kind("apps", ("v1",), True, schemas.Workload),
    "ReplicaSet": Kind("apps", ("v1",), True, schemas.Workload),
    "StatefulSet": Kind("apps", ("v1",), True, schemas.Workload),
    "DaemonSet": Kind("apps", ("v1",), True, schemas.Workload),
    "ServiceCIDR": Kind("networking.k8s.io", ("v1", "v1beta1"), False, schemas.ServiceCIDR),
    "EndpointSlice": Kind("discovery.k8s.io", ("v1",), True, schemas.EndpointSlice),
    "KubeProxyConfiguration": Kind("kubeproxy.config.k8s.io", ("v1alpha1",), False, schemas.KubeProxyConfiguration),
    "FlowTest": Kind("packetwalk.dev", ("v1",), False, schemas.FlowTest),
}
NAMELESS = ("KubeProxyConfiguration",)
POD_MAKERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


@dataclass(frozen=True, slots=True)
class Object(Generic[Model]):
    """One object of a known kind, without the fields whose type is wrong."""

    kind: str
    namespace: str  # "" outside namespaces
    name: str
    data: Model
    place: Place
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


ObjectNotes = Table[Document, None, Object[Any]]


class Objects:
    """All objects by kind, in the order of the manifests.

    `declared`: names, of objects in versions that we do not read, too.
    """

    def __init__(self) -> None:
        self._by_kind: dict[str, list[Object[Any]]] = defaultdict(list)
        self.declared: dict[tuple[str, str, str], Place] = {}
        self.pods_and_workloads: list[Object[Any]] = []

    def add(self, one: Object[Any]) -> None:
        self._by_kind[one.kind].append(one)
        if one.kind == "Pod" or one.kind in POD_MAKERS:
            self.pods_and_workloads.append(one)

    @property
    def nodes(self) -> list[Object[schemas.Node]]:
        return self._by_kind["Node"]

    @property
    def namespaces(self) -> list[Object[schemas.Named]]:
        return self._by_kind["Namespace"]

    @property
    def pods(self) -> list[Object[schemas.Pod]]:
        return self._by_kind["Pod"]

    @property
    def services(self) -> list[Object[schemas.Service]]:
        return self._by_kind["Service"]

    @property
    def endpoints(self) -> list[Object[schemas.Endpoints]]:
        return self._by_kind["Endpoints"]

    @property
    def config_maps(self) -> list[Object[schemas.ConfigMap]]:
        return self._by_kind["ConfigMap"]

    @property
    def service_cidrs(self) -> list[Object[schemas.ServiceCIDR]]:
        return self._by_kind["ServiceCIDR"]

    @property
    def slices(self) -> list[Object[schemas.EndpointSlice]]:
        return self._by_kind["EndpointSlice"]

    @property
    def proxy_configurations(self) -> list[Object[schemas.KubeProxyConfiguration]]:
        return self._by_kind["KubeProxyConfiguration"]

    @property
    def flow_tests(self) -> list[Object[schemas.FlowTest]]:
        return self._by_kind["FlowTest"]

    @property
    def used_namespaces(self) -> tuple[str, ...]:
        """`default`, those with a document, and those that anything stands in."""
        named = [one.name for one in self.namespaces]
        used = [one.namespace for kind, ones in self._by_kind.items() for one in ones if KINDS[kind].namespaced]
        return tuple(dict.fromkeys(["default", *named, *used]))


def read_objects(documents: Iterable[Document], report: Report, notes: ObjectNotes) -> Objects:
    """Every object, Lists opened, with a problem for each that cannot be used."""
    objects = Objects()
    count = 0
    for document in documents:
        known = notes.find(document, None)
        place = known.place if known else Place(document.file, document.index, document.value, document.line)
        said = report.said
        for fields, where in [(document.value, place)] if known else _opened(document.value, place, report):
            count += 1
            if count > MAX_OBJECTS:
                cure = "Leave out what has no part in the traffic"
                report.problem(where, (), f"more than {MAX_OBJECTS:,} objects", cure)
                return objects
            one = known or _object(fields, where, objects, report)
            if one is None:
                continue
            if not known and where is place and report.said == said:
                notes.keep(document, None, one)
            _declare(one, objects, report)
            objects.add(one)
    return objects


def _opened(value: object, place: Place, report: Report) -> Iterator[tuple[Fields, Place]]:
    """The objects that a document holds: itself, or the items of a List, however deep."""
    if not isinstance(value, Fields):
        report.problem(place, (), f"a manifest must be a mapping, not {shown(value)}", "Begin with apiVersion and kind")
        return
    kind = value.get("kind")
    if not isinstance(kind, str) or not kind.endswith("List") or "items" not in value:
        yield value, place
        return
    items = value["items"]
    if items is not None and not isinstance(items, Items):
        report.problem(place, ("items",), f"must be a list, not {shown(items)}", "Begin each object with '- '")
        return
    for item, line in zip(items or (), items.lines if items else (), strict=True):
        if isinstance(item, Fields):
            _complete(item, kind.removesuffix("List"), value.get("apiVersion"))
        yield from _opened(item, Place(place.file, place.document, item, line), report)


def _complete(item: Fields, kind: str, version: object) -> None:
    """The items of a typed list (`PodList`) need not say what they are."""
    for key, value in (("kind", kind), ("apiVersion", version)):
        if kind and key not in item:
            item[key] = value
            item.lines.append(item.line)


def _object(fields: Fields, place: Place, objects: Objects, report: Report) -> Object[Any] | None:
    kind = _kind(fields, place, report)
    if kind is None:
        return None
    if not _check_version(kind, fields, place, report):
        _declare_roughly(kind, fields, place, objects)
        return None
    data: Any = decode(KINDS[kind].model, fields, place, report)
    meta: schemas.Meta = data.metadata
    namespace = _namespace(kind, meta, place, report)
    name = _name(kind, meta, place, report)
    labels, annotations = _texts(meta.labels), _texts(meta.annotations)
    check_labels(labels, place, ("metadata", "labels"), report)
    check_annotations(annotations, place, ("metadata", "annotations"), report)
    if kind != "Pod":
        _check_ours(annotations, place, report)
    return Object(kind, namespace, name, data, place, labels, annotations)


def _texts(texts: Mapping[str, str | None] | None) -> dict[str, str]:
    return {key: value or "" for key, value in (texts or {}).items()}


def _kind(fields: Fields, place: Place, report: Report) -> str | None:
    """The kind, if it is one we read; else a problem or a notice. Without a version it is taken to be ours."""
    for key, example in (("kind", "Service"), ("apiVersion", "v1")):
        if not isinstance(fields.get(key), str) or not fields[key]:
            cure = f"Say what this is, like `{key}: {example}`"
            report.mistyped(place, (key,), f"must be text, not {shown(fields.get(key))}", cure)
    kind, version = _text(fields, "kind"), _text(fields, "apiVersion")
    if not kind or not version:
        return kind if kind in KINDS else None
    known, group = KINDS.get(kind), version.rpartition("/")[0]
    if known is None and group + "/" == OURS:
        report.problem(place, ("kind",), f"there is no kind {shown(kind)} in {shown(version)}", "Use FlowTest")
        return None
    foreign = "." in group and not group.endswith("k8s.io") and group + "/" != OURS
    if known is None or foreign:
        report.notice(f"kind {clipped(kind)} ({clipped(version)}) has no part in this model: skipped", place)
        return None
    return kind


def _text(fields: Fields, key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _check_version(kind: str, fields: Fields, place: Place, report: Report) -> bool:
    """Is it a version that we read, or none at all? Another version may have other fields: they are not judged."""
    version, versions = _text(fields, "apiVersion"), KINDS[kind].api_versions
    if not version or version in versions:
        return True
    report.problem(place, ("apiVersion",), f"there is no {kind} in {shown(version)}", f"Use {one_of(versions)}")
    return False


def _namespace(kind: str, meta: schemas.Meta, place: Place, report: Report) -> str:
    if not KINDS[kind].namespaced:
        if meta.namespace:
            cure = "Remove metadata.namespace"
            report.problem(place, ("metadata", "namespace"), f"a {kind} belongs to no namespace", cure)
        return ""
    namespace = meta.namespace or "default"
    if refusal := dns_label(namespace):
        report.problem(place, ("metadata", "namespace"), *refusal)
    return namespace


def _name(kind: str, meta: schemas.Meta, place: Place, report: Report) -> str:
    if kind in NAMELESS:
        return meta.name or ""
    if not meta.name:
        cure = "Give it a name: generateName is for the API server alone" if meta.generate_name else "Add metadata.name"
        report.problem(place, ("metadata", "name"), f"this {kind} has no name", cure)
    elif refusal := KINDS[kind].name(meta.name):
        report.problem(place, ("metadata", "name"), *refusal)
    return meta.name or ""


def _check_ours(annotations: Mapping[str, str], place: Place, report: Report) -> None:
    for key in annotations:
        if key.startswith(OURS):
            cure = "Put it on a Pod, or in a workload's spec.template.metadata"
            report.problem(place, ("metadata", "annotations", key), f"{clipped(key)} says something of Pods", cure)


def _declare(one: Object[Any], objects: Objects, report: Report) -> None:
    kind, namespace, name, place = one.kind, one.namespace, one.name, one.place
    if kind in NAMELESS or not name:
        return
    if namespace and not report.sound(place, ("metadata", "namespace")):
        return
    first = objects.declared.setdefault((kind, namespace, name), place)
    if first is not place:
        full = f"{namespace}/{name}" if namespace else name
        message = f"{kind} {clipped(full)} is defined twice, first in {first.file}: document {first.document}, "
        path, cure = ("metadata", "name"), "Remove or rename one of the two"
        report.problem(place, path, f"{message}line {first.line()}", cure, rests_on=[path])


def _declare_roughly(kind: str, fields: Fields, place: Place, objects: Objects) -> None:
    """Remember the name of an object that is not read, so that nothing complains that it is missing."""
    meta = fields.get("metadata")
    if isinstance(meta, Fields) and (name := _text(meta, "name")):
        namespace = (_text(meta, "namespace") or "default") if KINDS[kind].namespaced else ""
        objects.declared.setdefault((kind, namespace, name), place)
