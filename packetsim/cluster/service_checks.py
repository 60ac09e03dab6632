"""Rule: a Service is refused for what the API server refuses it for, field by field, each with its cure.

After ValidateService in pkg/apis/core/validation/validation.go (Kubernetes 1.35). What the API
server fills in before it validates may be absent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packetsim.cluster import schemas
from packetsim.cluster.families import FAMILIES, POLICIES
from packetsim.cluster.names import check_labels, dns_label, dns_subdomain, port_name
from packetsim.cluster.objects import Object
from packetsim.cluster.parsing import cidr_refusal, ip_refusal, parse_cidr, parse_ip, special_refusal
from packetsim.cluster.places import Path, Place, Report, one_of, shown
from packetsim.cluster.pods import check_number, check_protocol

TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
POLICY = ("Cluster", "Local")
AFFINITIES = ("None", "ClientIP")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
IP_MODES = ("VIP", "Proxy")
MAX_AFFINITY = 86400
TOPOLOGY_MODE = "service.kubernetes.io/topology-mode"
TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints"
SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
TYPE: Path = ("spec", "type")
HEADLESS_BY: tuple[Path, ...] = (("spec", "clusterIP"), ("spec", "clusterIPs"))
_AFFINITY: Path = ("spec", "sessionAffinity")

One = Object[schemas.Service]


def check_service(one: One, spec: schemas.ServiceSpec, report: Report) -> None:
    """Report everything wrong with the Service that can be told from it alone."""
    kind = spec.type or "ClusterIP"
    _check_is_one_of(kind, TYPES, one.place, TYPE, report)
    if kind == "ExternalName":
        _check_external_name(one, spec, report)
    else:
        _check_cluster_ips(one, spec, kind, report)
        if not spec.ports and not is_headless(spec) and report.known(one.place, *HEADLESS_BY):
            message, cure = f"{one} has no ports", "Add spec.ports with at least one port"
            report.problem(one.place, ("spec", "ports"), message, cure, rests_on=[TYPE])
    _check_ports(one, spec, kind, report)
    selector = {key: value or "" for key, value in (spec.selector or {}).items()}
    check_labels(selector, one.place, ("spec", "selector"), report)
    _check_affinity(one, spec, report)
    _check_external(one, spec, kind, report)
    _check_load_balancer(one, spec, kind, report)
    _check_policies(one, spec, kind, report)
    _check_topology(one, one.annotations, report)


def is_headless(spec: schemas.ServiceSpec) -> bool:
    return "None" in (spec.cluster_ip, *(spec.cluster_ips or ())[:1])


def is_external(spec: schemas.ServiceSpec) -> bool:
    """ExternallyAccessible (pkg/api/service/util.go)."""
    kind = spec.type or "ClusterIP"
    return kind in ("NodePort", "LoadBalancer") or (kind == "ClusterIP" and bool(spec.external_ips))


def needs_health_check(spec: schemas.ServiceSpec) -> bool:
    return spec.type == "LoadBalancer" and spec.external_traffic_policy == "Local"


def _check_is_one_of(value: str, allowed: Iterable[str], place: Place, path: Path, report: Report) -> None:
    if value not in allowed:
        report.problem(place, path, f"there is no {path[-1]} {shown(value)}", f"Use {one_of(allowed)}")


def _forbid(one: One, field: str, reason: str, cure: str, report: Report, rests_on: Iterable[Path] = (TYPE,)) -> None:
    report.problem(one.place, ("spec", field), f"{field} {reason}", cure, rests_on)


def _check_external_name(one: One, spec: schemas.ServiceSpec, report: Report) -> None:
    if spec.cluster_ip or spec.cluster_ips:
        field = "clusterIPs" if spec.cluster_ips else "clusterIP"
        _forbid(one, field, "may not be set for ExternalName", "Remove it: such a Service is a DNS name alone", report)
    for field, value in (("ipFamilies", spec.ip_families), ("ipFamilyPolicy", spec.ip_family_policy)):
        if value:
            _forbid(one, field, "may not be set for ExternalName", "Remove it", report)
    name = (spec.external_name or "").removesuffix(".")
    if not name:
        cure = "Add spec.externalName with the DNS name to lead to"
        report.problem(one.place, ("spec", "externalName"), "the external name is missing", cure)
    elif refusal := dns_subdomain(name):
        report.problem(one.place, ("spec", "externalName"), *refusal)


def _check_cluster_ips(one: One, spec: schemas.ServiceSpec, kind: str, report: Report) -> None:
    """ValidateServiceClusterIPsRelatedFields."""
    place, ips = one.place, spec.cluster_ips or []
    if spec.cluster_ip and ips and spec.cluster_ip != ips[0]:
        message = f"clusterIP {shown(spec.cluster_ip)} and clusterIPs[0] {shown(ips[0])} differ"
        cure = "Write the same address in both, or one of them alone"
        report.problem(place, ("spec", "clusterIP"), message, cure, rests_on=[("spec", "clusterIPs", 0)])
    if is_headless(spec):
        if len(ips) > 1:
            message = "None stands for no ClusterIP at all, and cannot stand beside an address"
            report.problem(place, ("spec", "clusterIPs"), message, 'Write ["None"], or addresses alone')
        if kind != "ClusterIP":
            message = f"a {kind} Service needs a ClusterIP"
            cure = "Leave clusterIP out, or use type ClusterIP"
            report.problem(place, ("spec", "clusterIP"), message, cure, rests_on=[TYPE])
    if len(ips) > 2:
        message = f"{len(ips)} ClusterIPs"
        report.problem(place, ("spec", "clusterIPs"), message, "Write at most one of each address family")
    _check_families(one, spec, report)
    path: Path = ("spec", "clusterIPs") if ips else ("spec", "clusterIP")
    seen: dict[int, str] = {}
    for index, text in enumerate(ips[:2] or ([spec.cluster_ip] if spec.cluster_ip else [])):
        if text == "None":
            continue
        where = (*path, index) if ips else path
        ip = parse_ip(text)
        if ip is None:
            report.problem(place, where, *ip_refusal(text))
            continue
        family = 6 if ":" in ip else 4
        wanted = spec.ip_families[index] if spec.ip_families and index < len(spec.ip_families) else None
        if wanted in FAMILIES and FAMILIES[wanted] != family:
            message = f"{ip} is no {wanted} address, as ipFamilies[{index}] wants"
            report.problem(place, where, message, "Put the addresses in the order of ipFamilies")
        elif family in seen:
            message = f"{ip} is of the same family as {seen[family]}"
            report.problem(place, where, message, "Write at most one of each address family")
        seen[family] = ip


def _check_families(one: One, spec: schemas.ServiceSpec, report: Report) -> None:
    families = spec.ip_families or []
    for index, family in enumerate(families):
        path: Path = ("spec", "ipFamilies", index)
        if family not in FAMILIES:
            report.problem(one.place, path, f"there is no address family {shown(family)}", "Use IPv4 or IPv6")
        elif family in families[:index]:
            report.problem(one.place, path, f"{family} stands twice", "Write each family once")
    policy = spec.ip_family_policy
    if policy is not None:
        _check_is_one_of(policy, POLICIES, one.place, ("spec", "ipFamilyPolicy"), report)
    headless = is_headless(spec) and not spec.selector
    dual = len(families) == 2 or len(spec.cluster_ips or ()) == 2
    if dual and (policy or ("RequireDualStack" if headless else "SingleStack")) == "SingleStack":
        message = "two families need a dual-stack policy"
        cure = "Set ipFamilyPolicy to PreferDualStack or RequireDualStack"
        if report.known(one.place, *HEADLESS_BY, ("spec", "selector")):
            by = (("spec", "ipFamilies"), ("spec", "ipFamilyPolicy"))
            report.problem(one.place, by[1], message, cure, rests_on=by)


def _check_ports(one: One, spec: schemas.ServiceSpec, kind: str, report: Report) -> None:
    ports = spec.ports or []
    names: set[str] = set()
    numbers: set[tuple[str, int]] = set()
    node_ports: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        path: Path = ("spec", "ports", index)
        _check_port_name(one, port.name, len(ports) > 1, names, path, report)
        check_number(port.port, one.place, (*path, "port"), report)
        check_protocol(port.protocol, one.place, (*path, "protocol"), report)
        _check_target(one, port.target_port, (*path, "targetPort"), report)
        if port.node_port and kind in ("ClusterIP", "ExternalName"):
            message = f"a {kind} Service has no node ports"
            cure = "Remove it, or use type NodePort or LoadBalancer"
            report.problem(one.place, (*path, "nodePort"), message, cure, rests_on=[TYPE])
        if report.sound(one.place, (*path, "protocol")):
            _check_twice(one, port, numbers, node_ports, path, report)


def _check_twice(
    one: One,
    port: schemas.ServicePort,
    numbers: set[tuple[str, int]],
    node_ports: set[tuple[str, int]],
    path: Path,
    report: Report,
) -> None:
    protocol = port.protocol or "TCP"
    if port.port:
        if (protocol, port.port) in numbers:
            message = f"{protocol} port {port.port} stands twice"
            cure = "Give each port another number, or another protocol"
            report.problem(one.place, path, message, cure, rests_on=[(*path, "port")])
        numbers.add((protocol, port.port))
    if port.node_port:
        if (protocol, port.node_port) in node_ports:
            where, message = (*path, "nodePort"), f"{protocol} node port {port.node_port} stands twice"
            report.problem(one.place, where, message, "Give each port its own node port", rests_on=[where])
        node_ports.add((protocol, port.node_port))


def _check_port_name(one: One, name: str | None, needed: bool, names: set[str], path: Path, report: Report) -> None:
    if not name:
        if needed:
            message = "of several ports each needs a name, and this one has none"
            report.problem(one.place, (*path, "name"), message, "Add a name, like `name: http`")
        return
    if refusal := dns_label(name):
        report.problem(one.place, (*path, "name"), *refusal)
    if name in names:
        message = f"the port name {shown(name)} stands twice"
        report.problem(one.place, (*path, "name"), message, "Give each port its own name")
    names.add(name)


def _check_target(one: One, target: int | str | None, path: Path, report: Report) -> None:
    if isinstance(target, int):
        if target:  # 0 means the same as absent
            check_number(target, one.place, path, report)
    elif target and (refusal := port_name(target)):
        message, cure = refusal
        if target.isdecimal():
            cure = "Write the number without quotes: text is a container port's name"
        report.problem(one.place, path, message, cure)


def _check_affinity(one: One, spec: schemas.ServiceSpec, report: Report) -> None:
    affinity = spec.session_affinity or "None"
    _check_is_one_of(affinity, AFFINITIES, one.place, _AFFINITY, report)
    config = spec.session_affinity_config
    if affinity == "None" and config is not None and report.sound(one.place, _AFFINITY):
        reason, cure = (
            "has no meaning without sessionAffinity ClientIP",
            "Set sessionAffinity to ClientIP, or remove it",
        )
        _forbid(one, "sessionAffinityConfig", reason, cure, report, rests_on=())
        return
    timeout = config.client_ip.timeout_seconds if config and config.client_ip else None
    if timeout is not None and not 1 <= timeout <= MAX_AFFINITY:
        path = ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds")
        message = f"{shown(timeout)} seconds"
        report.problem(one.place, path, message, f"Write 1 to {MAX_AFFINITY}, or leave it out for 10800")


def _check_external(one: One, spec: schemas.ServiceSpec, kind: str, report: Report) -> None:
    for index, text in enumerate(spec.external_ips or ()):
        path: Path = ("spec", "externalIPs", index)
        ip = parse_ip(text)
        refusal = ip_refusal(text) if ip is None else special_refusal(ip)
        if refusal:
            report.problem(one.place, path, *refusal)
    status = one.data.status.load_balancer if one.data.status else None
    for index, ingress in enumerate((status.ingress if status else None) or ()):
        path = ("status", "loadBalancer", "ingress", index)
        if kind != "LoadBalancer":
            message = f"a {kind} Service has no load balancer"
            report.problem(one.place, path, message, "Use type LoadBalancer, or remove it", rests_on=[TYPE])
        if ingress.ip and parse_ip(ingress.ip) is None:
            report.problem(one.place, (*path, "ip"), *ip_refusal(ingress.ip))
        if ingress.hostname and (refusal := dns_subdomain(ingress.hostname)):
            report.problem(one.place, (*path, "hostname"), *refusal)
        if ingress.ip_mode is not None:
            _check_is_one_of(ingress.ip_mode, IP_MODES, one.place, (*path, "ipMode"), report)
            if not ingress.ip:
                message = "ipMode says how an ip is reached, and there is no ip"
                cure = "Add ip, or remove ipMode"
                report.problem(one.place, (*path, "ipMode"), message, cure, rests_on=[(*path, "ip")])


def _check_load_balancer(one: One, spec: schemas.ServiceSpec, kind: str, report: Report) -> None:
    cure = "Use type LoadBalancer, or remove it"
    if spec.load_balancer_source_ranges and kind != "LoadBalancer":
        _forbid(one, "loadBalancerSourceRanges", "may be used with type LoadBalancer alone", cure, report)
    if spec.allocate_load_balancer_node_ports is not None and kind != "LoadBalancer":
        _forbid(one, "allocateLoadBalancerNodePorts", "may be used with type LoadBalancer alone", cure, report)
    for index, text in enumerate(spec.load_balancer_source_ranges or ()):
        if parse_cidr(text.strip()) is None:
            report.problem(one.place, ("spec", "loadBalancerSourceRanges", index), *cidr_refusal(text.strip()))
    if SOURCE_RANGES in one.annotations:
        report.notice(f"the annotation {SOURCE_RANGES} is for clouds: kube-proxy does not read it", one.place)
    if spec.health_check_node_port and not needs_health_check(spec) and _is_policy_clear(one, spec, report):
        reason = "may be used with type LoadBalancer and externalTrafficPolicy Local alone"
        _forbid(one, "healthCheckNodePort", reason, "Remove it, or set those two", report)


def _is_policy_clear(one: One, spec: schemas.ServiceSpec, report: Report) -> bool:
    policy = spec.external_traffic_policy or "Cluster"
    return policy in POLICY and report.known(one.place, ("spec", "externalTrafficPolicy"))


def _check_policies(one: One, spec: schemas.ServiceSpec, kind: str, report: Report) -> None:
    if spec.external_traffic_policy:
        path: Path = ("spec", "externalTrafficPolicy")
        _check_is_one_of(spec.external_traffic_policy, POLICY, one.place, path, report)
        if not is_external(spec):
            cure = "Remove it, or use type NodePort or LoadBalancer, or externalIPs"
            reason, by = "has no meaning: nothing outside reaches this", (TYPE, path, ("spec", "externalIPs"))
            _forbid(one, "externalTrafficPolicy", reason, cure, report, rests_on=by)
    if spec.internal_traffic_policy is not None:
        _check_is_one_of(spec.internal_traffic_policy, POLICY, one.place, ("spec", "internalTrafficPolicy"), report)
    if spec.traffic_distribution is not None:
        path = ("spec", "trafficDistribution")
        _check_is_one_of(spec.traffic_distribution, DISTRIBUTIONS, one.place, path, report)


def _check_topology(one: One, annotations: Mapping[str, str], report: Report) -> None:
    if (
        TOPOLOGY_MODE in annotations
        and annotations.get(TOPOLOGY_HINTS, annotations[TOPOLOGY_MODE]) != (annotations[TOPOLOGY_MODE])
    ):
        message = f"{TOPOLOGY_MODE} and {TOPOLOGY_HINTS} differ"
        path: Path = ("metadata", "annotations", TOPOLOGY_MODE)
        report.problem(one.place, path, message, "Keep topology-mode alone")
