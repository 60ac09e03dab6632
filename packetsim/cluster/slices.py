"""Rule: an EndpointSlice that is written is kept as it is, with the defaults that kube-proxy reads into it.

pkg/proxy/endpointslicecache.go and pkg/apis/discovery/validation (Kubernetes 1.35): a missing
condition means ready, serving and not terminating; only the first address of an endpoint counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packetsim.cluster import schemas
from packetsim.cluster.model import Endpoint, EndpointPort, EndpointSlice, Key
from packetsim.cluster.names import dns_label, dns_subdomain
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.parsing import ip_refusal, parse_ip, special_refusal
from packetsim.cluster.places import Path, Place, Report, one_of, shown
from packetsim.cluster.pods import check_number, check_protocol

SERVICE_LABEL = "kubernetes.io/service-name"
ADDRESS_TYPES = ("IPv4", "IPv6", "FQDN")
_FAMILIES = {"IPv4": 4, "IPv6": 6}
MAX_ENDPOINTS = 1000  # of one slice, as the API server counts
MAX_ADDRESSES = 100


def read_slices(objects: Objects, report: Report) -> dict[Key, list[EndpointSlice]]:
    """The slices written, by the Service they belong to."""
    found: dict[Key, list[EndpointSlice]] = {}
    for one in objects.slices:
        service = _service(one, report)
        kind = one.data.address_type
        if kind not in ADDRESS_TYPES:
            message = f"there is no addressType {shown(kind)}"
            report.problem(one.place, ("addressType",), message, f"Use {one_of(ADDRESS_TYPES)}")
        if kind == "FQDN":
            report.notice("EndpointSlices of host names (FQDN) are ignored, as kube-proxy ignores them", one.place)
        else:
            made = _slice(one, service, report)
            found.setdefault((one.namespace, service), []).append(made)
            if ("Service", one.namespace, service) not in objects.declared:
                report.notice("EndpointSlices whose Service is not among the manifests have no effect", one.place)
    return found


def _service(one: Object[schemas.EndpointSlice], report: Report) -> str:
    name = one.labels.get(SERVICE_LABEL)
    if name:
        return name
    owners = one.data.metadata.owner_references or ()
    owner = next((owner.name for owner in owners if owner.kind == "Service" and owner.name), None)
    if owner is None:
        message = f"{one} belongs to no Service"
        cure = f"Add the label {SERVICE_LABEL} with the Service's name"
        by = (("metadata", "labels", SERVICE_LABEL), ("metadata", "ownerReferences"))
        report.problem(one.place, ("metadata", "labels"), message, cure, rests_on=by)
    return owner or ""


def _slice(one: Object[schemas.EndpointSlice], service: str, report: Report) -> EndpointSlice:
    family = _FAMILIES.get(one.data.address_type or "")
    endpoints = one.data.endpoints or []
    if len(endpoints) > MAX_ENDPOINTS:
        message = f"{len(endpoints):,} endpoints"
        cure = f"Spread them over slices of at most {MAX_ENDPOINTS:,}"
        report.problem(one.place, ("endpoints",), message, cure)
    ports = tuple(read_ports(one.data.ports or (), one.place, ("ports",), report))
    read = tuple(
        endpoint
        for index, item in enumerate(endpoints)
        if (endpoint := _endpoint(item, one, family, ("endpoints", index), report))
    )
    return EndpointSlice(one.namespace, one.name, service, family or 4, ports, read)


def read_ports(
    ports: Iterable[schemas.EndpointPort], place: Place, path: Path, report: Report
) -> Iterator[EndpointPort]:
    """Ports with a number; one without means all ports, which kube-proxy cannot use and leaves out."""
    names: set[str] = set()
    for index, port in enumerate(ports):
        where = (*path, index)
        name = port.name or ""
        if name and (refusal := dns_label(name)):
            report.problem(place, (*where, "name"), *refusal)
        if name in names and report.sound(place, (*where, "name")):
            message = f"the port name {shown(name)} stands twice"
            report.problem(place, (*where, "name"), message, "Give each port its own name")
        if name or report.sound(place, (*where, "name")):
            names.add(name)
        check_protocol(port.protocol, place, (*where, "protocol"), report)
        if port.port:
            check_number(port.port, place, (*where, "port"), report)
            yield EndpointPort(name, (port.protocol or "TCP").lower(), port.port)


def read_ip(text: str, family: int | None, place: Place, path: Path, report: Report) -> str | None:
    """An endpoint's address, of the family that the slice holds."""
    ip = parse_ip(text)
    refusal = ip_refusal(text) if ip is None else special_refusal(ip)
    if refusal is None and ip is not None and family is not None and (":" in ip) != (family == 6):
        refusal = f"{ip} is no IPv{family} address, as addressType says", "Put it into a slice of the other addressType"
    if refusal is None:
        return ip
    report.problem(place, path, *refusal)
    return None


def _endpoint(
    item: schemas.Endpoint, one: Object[schemas.EndpointSlice], family: int | None, path: Path, report: Report
) -> Endpoint | None:
    addresses = item.addresses or []
    if not 1 <= len(addresses) <= MAX_ADDRESSES:
        message = f"an endpoint with {len(addresses)} addresses"
        report.problem(one.place, (*path, "addresses"), message, "Write one address for each endpoint")
        return None
    read = [
        None
        if family is None and _may_be_host_name(text)
        else read_ip(text, family, one.place, (*path, "addresses", index), report)
        for index, text in enumerate(addresses)
    ]
    conditions = item.conditions or _NO_CONDITIONS
    hints = item.hints or _NO_HINTS
    zones = _hints(hints.for_zones or [], one.place, (*path, "hints", "forZones"), report)
    nodes = _hints(hints.for_nodes or [], one.place, (*path, "hints", "forNodes"), report)
    if read[0] is None:
        return None
    return Endpoint(
        read[0],
        conditions.ready is not False,
        conditions.serving is not False,
        conditions.terminating is True,
        item.node_name or "",
        pod_of(item.target_ref, one.namespace),
        zones,
        nodes,
    )


def _may_be_host_name(text: str) -> bool:
    return text[-1:].isalpha() and parse_ip(text) is None and dns_subdomain(text) is None


def _hints(hints: list[schemas.Hint], place: Place, path: Path, report: Report) -> tuple[str, ...]:
    for index, hint in enumerate(hints):
        if hint.name is None:
            report.problem(place, (*path, index, "name"), 'the field "name" is missing', "Add it")
    return tuple(hint.name or "" for hint in hints)


_NO_CONDITIONS = schemas.EndpointConditions()
_NO_HINTS = schemas.EndpointHints()


def pod_of(target: schemas.ObjectReference | None, namespace: str) -> Key | None:
    """The Pod that an endpoint refers to."""
    if target is None or target.kind != "Pod" or not target.name:
        return None
    return target.namespace or namespace, target.name
