"""Rule: a Service leaves here with everything the API server would have filled in.

Families and addresses as pkg/registry/core/service/storage/alloc.go gives them (Kubernetes 1.35).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from packetsim.addresses import family_of
from packetsim.cluster import schemas
from packetsim.cluster.families import FAMILIES
from packetsim.cluster.model import Ingress, Service, ServicePort
from packetsim.cluster.node_ports import NodePorts
from packetsim.cluster.notes import Table
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.parsing import family_name, parse_cidr, parse_ip
from packetsim.cluster.places import Path, Report
from packetsim.cluster.service_checks import HEADLESS_BY, check_service, is_headless, needs_health_check
from packetsim.cluster.service_ranges import ClusterIPs, are_certain

DEFAULT_AFFINITY = 10800
_OTHER = {4: 6, 6: 4}
_SELECTOR: Path = ("spec", "selector")


@dataclass(frozen=True, slots=True)
class _Draft:
    """A Service with its families, and the addresses it was written with."""

    one: Object[schemas.Service]
    spec: schemas.ServiceSpec
    families: tuple[int, ...]
    ips: tuple[str, ...]  # "" for what is none


@dataclass(frozen=True, slots=True)
class ServiceNotes:
    """`drafts`: what each manifest says, on a cluster of these families; `complete`: with what it was given."""

    drafts: Table[Object[schemas.Service], tuple[tuple[int, ...], bool], _Draft]
    complete: Table[_Draft, tuple[tuple[str, ...], tuple[ServicePort, ...], int], Service]


def read_services(
    objects: Objects, cidrs: tuple[str, ...], addresses: Mapping[str, str], report: Report, notes: ServiceNotes
) -> list[Service]:
    """Every Service, complete; none once something is wrong. `addresses`: of nodes and Pods, with whose each is."""
    cluster_ips, node_ports = ClusterIPs(cidrs, addresses, are_certain(objects, report)), NodePorts()
    asked = cluster_ips.families, cluster_ips.certain
    drafts = [
        notes.drafts.of(one, asked, report, partial(_draft, one, cluster_ips, report)) for one in objects.services
    ]
    for draft in drafts:
        _claim(draft, cluster_ips, node_ports, report)
    if report.problems:
        return []
    return [_complete(draft, cluster_ips, node_ports, report, notes) for draft in drafts]


def _draft(one: Object[schemas.Service], cluster_ips: ClusterIPs, report: Report) -> _Draft:
    spec = one.data.spec or schemas.ServiceSpec()
    check_service(one, spec, report)
    return _Draft(one, spec, _families(one, spec, cluster_ips, report), _written_ips(spec))


def _written_ips(spec: schemas.ServiceSpec) -> tuple[str, ...]:
    texts = spec.cluster_ips or ([spec.cluster_ip] if spec.cluster_ip else [])
    return tuple(parse_ip(text) or "" for text in texts if text != "None")


def _families(
    one: Object[schemas.Service], spec: schemas.ServiceSpec, cluster_ips: ClusterIPs, report: Report
) -> tuple[int, ...]:
    """initIPFamilyFields."""
    configured = cluster_ips.families
    if spec.type == "ExternalName":
        return ()
    free = is_headless(spec) and not spec.selector  # may have any family, on any cluster
    policy = spec.ip_family_policy or ("RequireDualStack" if free else "SingleStack")
    asked = tuple(FAMILIES[family] for family in spec.ip_families or () if family in FAMILIES)
    asked += tuple(family_of(ip) for ip in _written_ips(spec)[len(asked) :] if ip)
    families = asked or configured[:1]
    if cluster_ips.certain and not free and report.known(one.place, *HEADLESS_BY, _SELECTOR):
        for family in families:
            if family not in configured:
                message = f"{family_name(family)} is not configured on this cluster"
                cure = f"Add a ServiceCIDR with an {family_name(family)} range, or use the other family"
                report.problem(one.place, ("spec", "ipFamilies"), message, cure)
        if policy == "RequireDualStack" and len(configured) < 2:
            message = "this cluster is not dual-stack"
            cure = "Add a ServiceCIDR with ranges of both families, or use PreferDualStack"
            report.problem(one.place, ("spec", "ipFamilyPolicy"), message, cure)
    if policy != "SingleStack" and len(families) == 1 and (free or len(configured) == 2):
        families = (*families, _OTHER[families[0]])
    return families


def _claim(draft: _Draft, cluster_ips: ClusterIPs, node_ports: NodePorts, report: Report) -> None:
    for index, ip in enumerate(draft.ips):
        if ip:
            cluster_ips.claim(ip, draft.one, index, report)
    for index, port in enumerate(draft.spec.ports or ()):
        if port.node_port:
            node_ports.claim(port.node_port, draft.one, ("spec", "ports", index, "nodePort"), report)
    if draft.spec.health_check_node_port:
        path = ("spec", "healthCheckNodePort")
        if any(port.node_port == draft.spec.health_check_node_port for port in draft.spec.ports or ()):
            message = f"node port {draft.spec.health_check_node_port} belongs to one of its own ports"
            report.problem(draft.one.place, path, message, "Use another number, or leave it out", rests_on=[path])
        node_ports.claim(draft.spec.health_check_node_port, draft.one, path, report)


def _complete(
    draft: _Draft, cluster_ips: ClusterIPs, node_ports: NodePorts, report: Report, notes: ServiceNotes
) -> Service:
    """With its addresses and node ports, which follow from what others have."""
    one, spec = draft.one, draft.spec
    ips = draft.ips
    if is_headless(spec):
        ips = ("None",)
    elif spec.type != "ExternalName":
        ips = (*ips, *(cluster_ips.give(family, one, report) for family in draft.families[len(ips) :]))
    ports = _ports(draft, node_ports, report)
    health = spec.health_check_node_port or 0
    if needs_health_check(spec) and not health:
        health = node_ports.give(one, "health check", report)
    given = ips, ports, health
    return notes.complete.find(draft, given) or notes.complete.keep(draft, given, _service(draft, *given))


def _service(draft: _Draft, ips: tuple[str, ...], ports: tuple[ServicePort, ...], health: int) -> Service:
    one, spec = draft.one, draft.spec
    affinity = None
    if spec.session_affinity == "ClientIP":
        config = spec.session_affinity_config
        affinity = (config.client_ip.timeout_seconds if config and config.client_ip else None) or DEFAULT_AFFINITY
    return Service(
        namespace=one.namespace,
        name=one.name,
        type=spec.type or "ClusterIP",
        cluster_ips=ips,
        ports=ports,
        selector={key: value or "" for key, value in (spec.selector or {}).items()},
        labels=one.labels,
        external_ips=tuple(ip for text in spec.external_ips or () if (ip := parse_ip(text))),
        external_name=spec.external_name or "",
        ingress=_ingress(one),
        source_ranges=_source_ranges(spec),
        health_check_node_port=health,
        external_traffic_local=spec.external_traffic_policy == "Local",
        internal_traffic_local=spec.internal_traffic_policy == "Local",
        affinity_timeout=affinity,
        publish_not_ready=bool(spec.publish_not_ready_addresses),
        traffic_distribution=spec.traffic_distribution or "",
        ip_families=draft.families,
    )


def _ports(draft: _Draft, node_ports: NodePorts, report: Report) -> tuple[ServicePort, ...]:
    """Ports of one number get one node port: the one written for any of them, else the one first given."""
    spec = draft.spec
    wanted = spec.type == "NodePort" or (
        spec.type == "LoadBalancer" and spec.allocate_load_balancer_node_ports is not False
    )
    shared = {port.port: port.node_port for port in reversed(spec.ports or ()) if port.node_port}
    ports = []
    for port in spec.ports or ():
        assert port.port is not None
        node_port = port.node_port or 0
        if wanted and not node_port:
            if not shared.get(port.port):
                shared[port.port] = node_ports.give(draft.one, str(port.port), report)
            node_port = shared[port.port] or 0
        protocol = (port.protocol or "TCP").lower()
        ports.append(ServicePort(port.name or "", protocol, port.port, port.target_port or port.port, node_port))
    return tuple(ports)


def _ingress(one: Object[schemas.Service]) -> tuple[Ingress, ...]:
    status = one.data.status.load_balancer if one.data.status else None
    found = (status.ingress if status else None) or []
    return tuple(Ingress(parse_ip(item.ip or "") or "", item.ip_mode or "VIP") for item in found)


def _source_ranges(spec: schemas.ServiceSpec) -> tuple[str, ...]:
    return tuple(cidr for text in spec.load_balancer_source_ranges or () if (cidr := parse_cidr(text.strip())))
