"""Rule: Endpoints written by hand become slices, as the mirroring controller does; all other Endpoints are not read.

pkg/controller/endpointslicemirroring (Kubernetes 1.35): only for a Service without a selector, and
here only where no EndpointSlice is written for it. A slice for each subset and address family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packetsim.cluster import schemas
from packetsim.cluster.inventing import suffix
from packetsim.cluster.model import Endpoint, EndpointPort, EndpointSlice, Key
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.places import Path, Report
from packetsim.cluster.slices import pod_of, read_ip, read_ports

SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
_API_SERVER = ("default", "kubernetes")  # the API server writes its own slice beside its own Endpoints
_SELECTOR: Path = ("spec", "selector")
MAX_ENDPOINTS = 1000  # of one subset; the controller leaves the rest out


def mirrored(
    objects: Objects, services: Mapping[Key, Object[schemas.Service]], written: Mapping[Key, object], report: Report
) -> dict[Key, list[EndpointSlice]]:
    """The slices made from Endpoints, by Service."""
    found: dict[Key, list[EndpointSlice]] = {}
    for one in objects.endpoints:
        service = services.get(one.key)
        if service is None or _may_select(service, report) or one.key in written:
            continue
        if one.labels.get(SKIP_LABEL) == "true" and one.key != _API_SERVER:
            continue
        slices = list(_mirror(one, report))
        if slices:
            found[one.key] = slices
    return found


def _may_select(service: Object[schemas.Service], report: Report) -> bool:
    return bool(service.data.spec and service.data.spec.selector) or not report.known(service.place, _SELECTOR)


def _mirror(one: Object[schemas.Endpoints], report: Report) -> Iterator[EndpointSlice]:
    for index, subset in enumerate(one.data.subsets or ()):
        path: Path = ("subsets", index)
        ports = tuple(read_ports(subset.ports or (), one.place, (*path, "ports"), report))
        ready = _endpoints(one, subset.addresses or [], True, (*path, "addresses"), report)
        unready = _endpoints(one, subset.not_ready_addresses or [], False, (*path, "notReadyAddresses"), report)
        endpoints = [*ready, *unready]
        if len(endpoints) > MAX_ENDPOINTS:
            report.notice(f"of a subset of Endpoints only {MAX_ENDPOINTS:,} addresses are mirrored", one.place)
        for family in (4, 6):
            yield from _slices(one, index, family, ports, endpoints[:MAX_ENDPOINTS])


def _endpoints(
    one: Object[schemas.Endpoints], addresses: list[schemas.OldAddress], ready: bool, path: Path, report: Report
) -> Iterator[Endpoint]:
    for index, item in enumerate(addresses):
        ip = read_ip(item.ip or "", None, one.place, (*path, index, "ip"), report)
        if ip is not None:
            yield Endpoint(ip, ready, node=item.node_name or "", pod=pod_of(item.target_ref, one.namespace))


def _slices(
    one: Object[schemas.Endpoints], index: int, family: int, ports: tuple[EndpointPort, ...], endpoints: list[Endpoint]
) -> Iterator[EndpointSlice]:
    mine = tuple(endpoint for endpoint in endpoints if (":" in endpoint.address) == (family == 6))
    if mine:
        name = f"{one.name}-{suffix(*one.key, str(index), str(family))}"
        yield EndpointSlice(one.namespace, name, one.name, family, ports, mine, made_by_controller=True)
