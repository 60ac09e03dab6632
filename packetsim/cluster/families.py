"""Rule: which address families a cluster has is read off its objects; whatever speaks first is primary."""

from __future__ import annotations

from collections.abc import Iterator

from packetsim.cluster import schemas
from packetsim.cluster.objects import Object, Objects

POLICIES = ("SingleStack", "PreferDualStack", "RequireDualStack")
FAMILIES = {"IPv4": 4, "IPv6": 6}


def cluster_families(objects: Objects) -> tuple[int, ...]:
    """The families in use, primary first: (4,), (6,), (4, 6) or (6, 4).

    Node addresses count only when nothing else speaks: many single-stack clusters run on dual-stack nodes.
    """
    said = tuple(dict.fromkeys(_said(objects)))
    return said or tuple(dict.fromkeys(_of(_node_addresses(objects)))) or (4,)


def _of(texts: Iterator[str | None]) -> Iterator[int]:
    return (6 if ":" in text else 4 for text in texts if text and text != "None")


def _said(objects: Objects) -> Iterator[int]:
    yield from _of(cidr for one in objects.service_cidrs if one.data.spec for cidr in one.data.spec.cidrs or ())
    for node in objects.nodes:
        if node.data.spec:
            yield from _of(iter((node.data.spec.pod_cidr, *(node.data.spec.pod_cidrs or ()))))
    for proxy in objects.proxy_configurations:
        yield from _of(iter((proxy.data.cluster_cidr or "").split(",")))
    for service in objects.services:
        yield from _wanted(service)
    for pod in objects.pods:
        if pod.data.status and not (pod.data.spec and pod.data.spec.host_network):
            yield from _of(iter((pod.data.status.pod_ip, *(one.ip for one in pod.data.status.pod_ips or ()))))


def _wanted(service: Object[schemas.Service]) -> Iterator[int]:
    """Families that the Service asks for. A headless one without selector may ask for any, anywhere."""
    spec = service.data.spec
    if spec is None or (spec.cluster_ip == "None" and not spec.selector):
        return
    yield from _of(iter((spec.cluster_ip, *(spec.cluster_ips or ()))))
    yield from (FAMILIES[family] for family in spec.ip_families or () if family in FAMILIES)
    if spec.ip_family_policy == "RequireDualStack":
        yield from (4, 6)


def _node_addresses(objects: Objects) -> Iterator[str | None]:
    for node in objects.nodes:
        if node.data.status:
            yield from (one.address for one in node.data.status.addresses or () if one.type == "InternalIP")
