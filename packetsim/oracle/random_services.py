"""Rule: every field of a Service that changes traffic is a feature here; those that do not fit a type skip it.

What may stand together is what the API server admits (ValidateService, Kubernetes 1.35).
"""

from __future__ import annotations

from typing import Any

from packetsim.oracle.random_draft import Draft, Table, apply, host, pod_address
from packetsim.oracle.yaml_text import Document

SHAPES = ("ClusterIP",) * 4 + ("NodePort",) * 4 + ("LoadBalancer",) * 5 + ("Headless", "ExternalName")
HTTP: Document = {"name": "http", "port": 80, "targetPort": "http"}
DNS: Document = {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"}
SIP: Document = {"name": "sip", "port": 5060, "protocol": "SCTP", "targetPort": 5060}
PORTS: tuple[tuple[Document, ...], ...] = (
    ({"port": 80, "targetPort": 8080},),
    ({"port": 8080},),
    (HTTP,),
    (DNS,),
    (HTTP, DNS, SIP),
    # several protocols, and so one node port, on one number
    ({"name": "tcp", "port": 53, "targetPort": "http"}, DNS),
    ({"name": "t", "port": 5060, "targetPort": 8080}, SIP, {**DNS, "port": 5060}),
    # a target that some Pods, or all, do not have
    (HTTP, {"name": "other", "port": 81, "targetPort": 8081}),
    ({"name": "none", "port": 80, "targetPort": "nothing"}, {"name": "b", "port": 443, "targetPort": "http"}),
)
SELECTORS = ({"app": "web"}, {"app": "web"}, {"app": "api"}, {"only": "p2"}, {"only": "p3"}, {"app": "nothing"})
FAMILY_NAMES = {4: "IPv4", 6: "IPv6"}


def add_service(draft: Draft, number: int) -> None:
    """One more Service, of any type, and its EndpointSlices where they are written by hand."""
    shape = draft.chance.choice(SHAPES)
    service: Document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"s{number}", "namespace": "shop"},
        "spec": {"type": "ClusterIP" if shape == "Headless" else shape},
    }
    draft.services.append(service)
    if shape == "ExternalName":
        service["spec"]["externalName"] = "db.example.com"
        return
    service["spec"]["ports"] = [dict(port) for port in draft.chance.choice(PORTS)]
    service["spec"]["selector"] = dict(draft.chance.choice(SELECTORS))
    _addresses(draft, service, headless=shape == "Headless")
    apply(draft, FEATURES, service)


def _addresses(draft: Draft, service: Document, headless: bool) -> None:
    """ClusterIPs of one family or both, node ports, a balancer's addresses."""
    spec, chance = service["spec"], draft.chance
    families = chance.sample(draft.families, chance.randint(1, len(draft.families)))
    if len(families) == 2:
        spec["ipFamilyPolicy"] = chance.choice(("PreferDualStack", "RequireDualStack"))
    spec["ipFamilies"] = [FAMILY_NAMES[family] for family in families]
    ips = ["None"] if headless else [host("cluster", family, _number(service)) for family in families]
    spec["clusterIP"], spec["clusterIPs"] = ips[0], ips
    if spec["type"] in ("NodePort", "LoadBalancer"):
        numbers = {port["port"]: draft.node_port() for port in spec["ports"]}
        for port in spec["ports"]:
            port["nodePort"] = numbers[port["port"]]
    if spec["type"] == "LoadBalancer":
        ingress = [{"ip": host("balancer", family, _number(service))} for family in draft.families]
        service["status"] = {"loadBalancer": {"ingress": ingress}}


def _number(service: Document) -> int:
    """The Service's own: its addresses end with it."""
    return int(service["metadata"]["name"].removeprefix("s"))


def _is_external(spec: Document) -> bool:
    return spec["type"] != "ClusterIP" or "externalIPs" in spec


# ---- addresses ----------------------------------------------------------------------------------


def external_ips(draft: Draft, service: Document) -> None:
    if service["spec"]["clusterIP"] != "None":
        numbers = (_number(service), 100 + _number(service))[: draft.chance.randint(1, 2)]
        service["spec"]["externalIPs"] = [
            host("external", family, number) for family in draft.families for number in numbers
        ]


def several_ingress_ips(draft: Draft, service: Document) -> None:
    for ingress in _ingress(service):
        family = draft.chance.choice(draft.families)
        more = {"ip": host("balancer", family, 100 + _number(service))}
        ingress.append(draft.chance.choice((more, {"hostname": "lb.example.com"})))


def ip_mode(draft: Draft, service: Document) -> None:
    for ingress in _ingress(service):
        for one in ingress:
            if "ip" in one:
                one["ipMode"] = draft.chance.choice(("VIP", "Proxy"))


def no_ingress_yet(draft: Draft, service: Document) -> None:
    service.pop("status", None)


def _ingress(service: Document) -> list[list[Any]]:
    return [service["status"]["loadBalancer"]["ingress"]] if "status" in service else []


def source_ranges(draft: Draft, service: Document) -> None:
    if service["spec"]["type"] == "LoadBalancer":
        ranges = {
            4: ["198.51.100.0/24", "192.168.10.0/24", "192.168.10.11/32", "10.244.1.0/24", "0.0.0.0/0"],
            6: ["2001:db8:51::/64", "fd00:192:168:10::/64", "fd00:10:244:1::/64", "::/0"],
        }
        chosen = [one for family in draft.families for one in draft.chance.sample(ranges[family], 2)]
        service["spec"]["loadBalancerSourceRanges"] = chosen[draft.chance.randint(0, 1) :]


def no_balancer_node_ports(draft: Draft, service: Document) -> None:
    if service["spec"]["type"] == "LoadBalancer":
        service["spec"]["allocateLoadBalancerNodePorts"] = False
        for port in service["spec"]["ports"]:
            del port["nodePort"]


# ---- which endpoints ----------------------------------------------------------------------------


def session_affinity(draft: Draft, service: Document) -> None:
    """Long timeouts alone: a real kernel's clock cannot be wound."""
    service["spec"]["sessionAffinity"] = "ClientIP"
    if draft.chance.random() < 0.5:
        seconds = draft.chance.choice((600, 3600, 86400))
        service["spec"]["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": seconds}}


def internal_local(draft: Draft, service: Document) -> None:
    service["spec"]["internalTrafficPolicy"] = "Local"


def external_local(draft: Draft, service: Document) -> None:
    spec = service["spec"]
    if _is_external(spec):
        spec["externalTrafficPolicy"] = "Local"
        if spec["type"] == "LoadBalancer":
            spec["healthCheckNodePort"] = draft.node_port()


def traffic_distribution(draft: Draft, service: Document) -> None:
    service["spec"]["trafficDistribution"] = draft.chance.choice(("PreferClose", "PreferSameZone", "PreferSameNode"))


def topology_mode(draft: Draft, service: Document) -> None:
    service["metadata"]["annotations"] = {"service.kubernetes.io/topology-mode": "Auto"}


def publish_not_ready(draft: Draft, service: Document) -> None:
    service["spec"]["publishNotReadyAddresses"] = True


def another_proxys(draft: Draft, service: Document) -> None:
    service["metadata"]["labels"] = {"service.kubernetes.io/service-proxy-name": "other"}


# ---- endpoints written by hand ------------------------------------------------------------------


def written_slices(draft: Draft, service: Document) -> None:
    """The controller then keeps away, as it does from a Service without selector."""
    if draft.chance.random() < 0.7:
        del service["spec"]["selector"]
    for family in draft.families:
        for place in range(draft.chance.randint(1, 2)):
            draft.slices.append(_slice(draft, service, family, place))


def _slice(draft: Draft, service: Document, family: int, place: int) -> Document:
    name = service["metadata"]["name"]
    ports = [_slice_port(draft, port) for port in service["spec"]["ports"]]
    endpoints = [_endpoint(draft, family, place) for _ in range(draft.chance.randint(0, 3))]
    if draft.chance.random() < 0.3:
        for endpoint in endpoints:
            apply(draft, HINTS, endpoint)
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": f"{name}-ipv{family}-{place}",
            "namespace": "shop",
            "labels": {"kubernetes.io/service-name": name},
        },
        "addressType": FAMILY_NAMES[family],
        "ports": ports,
        "endpoints": endpoints,
    }


def _slice_port(draft: Draft, port: Document) -> Document:
    numbers = {"TCP": (8080, 8080, 8081), "UDP": (5353,), "SCTP": (5060,)}
    protocol = port.get("protocol", "TCP")
    shown = {"name": port["name"]} if "name" in port else {}
    return {**shown, "protocol": protocol, "port": draft.chance.choice(numbers[protocol])}


def _endpoint(draft: Draft, family: int, place: int) -> Document:
    endpoint = draft.chance.choice((_of_pod, _of_pod, _without_pod, _outside_the_cluster))(draft, family, place)
    apply(draft, CONDITIONS, endpoint)
    return endpoint


def _of_pod(draft: Draft, family: int, place: int) -> Document:
    pod = draft.chance.choice(draft.pods)
    address = next(one["ip"] for one in pod["status"]["podIPs"] if (":" in one["ip"]) == (family == 6))
    target = {"kind": "Pod", "name": pod["metadata"]["name"], "namespace": "shop"}
    return {"addresses": [address], "nodeName": pod["spec"]["nodeName"], "targetRef": target}


def _without_pod(draft: Draft, family: int, place: int) -> Document:
    """An address of a podCIDR that no Pod object speaks for; sometimes the node is not told either."""
    node = draft.chance.randint(1, len(draft.nodes))
    address = pod_address(family, node, 70 + place)
    return {"addresses": [address], **({"nodeName": f"node{node}"} if draft.chance.random() < 0.7 else {})}


def _outside_the_cluster(draft: Draft, family: int, place: int) -> Document:
    return {"addresses": [host("elsewhere", family, 20 + place)]}


def _unready(draft: Draft, endpoint: Document) -> None:
    endpoint["conditions"] = {"ready": False, "serving": False}


def _draining(draft: Draft, endpoint: Document) -> None:
    endpoint["conditions"] = {"ready": False, "serving": True, "terminating": True}


def _zone_hint(draft: Draft, endpoint: Document) -> None:
    endpoint.setdefault("hints", {})["forZones"] = [{"name": draft.chance.choice(("a", "b"))}]


def _node_hint(draft: Draft, endpoint: Document) -> None:
    endpoint.setdefault("hints", {})["forNodes"] = [{"name": draft.chance.choice(draft.nodes)["metadata"]["name"]}]


CONDITIONS: Table = ((0.1, _unready), (0.2, _draining))
HINTS: Table = ((0.9, _zone_hint), (0.6, _node_hint))
FEATURES: Table = (
    (0.25, external_ips),
    (0.40, several_ingress_ips),
    (0.30, ip_mode),
    (0.05, no_ingress_yet),
    (0.40, source_ranges),
    (0.25, no_balancer_node_ports),
    (0.30, session_affinity),
    (0.20, internal_local),
    (0.40, external_local),
    (0.20, traffic_distribution),
    (0.10, topology_mode),
    (0.12, publish_not_ready),
    (0.03, another_proxys),
    (0.20, written_slices),
)
