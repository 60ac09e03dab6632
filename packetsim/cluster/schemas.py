"""Rule: the types of every field we read, as the API declares them; what they may say is judged elsewhere.

Fields are strict (a number is not text), null is the same as absent, and unknown fields are let
pass, since the API server itself writes many. Our own FlowTest knows no unknown fields. Any field
may be absent here: `decoding` leaves out the wrong ones.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

_WORDS = {"ip": "IP", "ips": "IPs", "cidr": "CIDR", "cidrs": "CIDRs", "arp": "ARP"}


def api_name(name: str) -> str:
    """`cluster_ips` -> `clusterIPs`: Go's way with initials."""
    first, *rest = name.split("_")
    return first + "".join(_WORDS.get(word, word.title()) for word in rest)


def _number_or_text(value: object) -> int | str:
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        return value
    raise PydanticCustomError("number_or_text", "number_or_text")


NumberOrText = Annotated[int | str, PlainValidator(_number_or_text)]
Texts = dict[str, str | None]


class Shape(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", alias_generator=api_name)


class OwnerReference(Shape):
    kind: str | None = None
    name: str | None = None


class Meta(Shape):
    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    labels: Texts | None = None
    annotations: Texts | None = None
    deletion_timestamp: str | None = None
    owner_references: list[OwnerReference] | None = None


class Named(Shape):
    """An object of which only the metadata is read, such as a Namespace."""

    metadata: Meta = Field(default_factory=Meta)


# ---- Node and ServiceCIDR ---------------------------------------------------------------------


class Condition(Shape):
    type: str | None = None
    status: str | None = None


class Taint(Shape):
    key: str | None = None
    value: str | None = None
    effect: str | None = None


class NodeSpec(Shape):
    pod_cidr: str | None = None
    pod_cidrs: list[str] | None = None
    unschedulable: bool | None = None
    taints: list[Taint] | None = None


class NodeAddress(Shape):
    type: str | None = None
    address: str | None = None


class NodeStatus(Shape):
    addresses: list[NodeAddress] | None = None
    conditions: list[Condition] | None = None
    allocatable: dict[str, NumberOrText] | None = None


class Node(Named):
    spec: NodeSpec | None = None
    status: NodeStatus | None = None


class ServiceCIDRSpec(Shape):
    cidrs: list[str] | None = None


class ServiceCIDR(Named):
    spec: ServiceCIDRSpec | None = None


# ---- Pods and what makes them -----------------------------------------------------------------


class ContainerPort(Shape):
    name: str | None = None
    container_port: int | None = None
    host_port: int | None = None
    protocol: str | None = None


class Container(Shape):
    name: str | None = None
    ports: list[ContainerPort] | None = None
    restart_policy: str | None = None


class Toleration(Shape):
    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class PodSpec(Shape):
    node_name: str | None = None
    host_network: bool | None = None
    hostname: str | None = None
    subdomain: str | None = None
    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    node_selector: Texts | None = None
    tolerations: list[Toleration] | None = None
    affinity: dict[str, Any] | None = None


class PodIP(Shape):
    ip: str | None = None


class PodStatus(Shape):
    phase: str | None = None
    pod_ip: str | None = None
    pod_ips: list[PodIP] | None = None
    host_ip: str | None = None
    host_ips: list[PodIP] | None = None
    conditions: list[Condition] | None = None


class Pod(Named):
    spec: PodSpec | None = None
    status: PodStatus | None = None


class Requirement(Shape):
    key: str | None = None
    operator: str | None = None
    values: list[str] | None = None


class LabelSelector(Shape):
    match_labels: Texts | None = None
    match_expressions: list[Requirement] | None = None


class PodTemplate(Named):
    spec: PodSpec | None = None


class Ordinals(Shape):
    start: int | None = None


class WorkloadSpec(Shape):
    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplate | None = None
    service_name: str | None = None
    ordinals: Ordinals | None = None


class Workload(Named):
    """Deployment, ReplicaSet, StatefulSet and DaemonSet, as far as they make Pods."""

    spec: WorkloadSpec | None = None


# ---- Service and its endpoints ----------------------------------------------------------------


class ServicePort(Shape):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None
    target_port: NumberOrText | None = None
    node_port: int | None = None
    app_protocol: str | None = None


class ClientIP(Shape):
    timeout_seconds: int | None = None


class SessionAffinityConfig(Shape):
    client_ip: ClientIP | None = None


class ServiceSpec(Shape):
    type: str | None = None
    cluster_ip: str | None = None
    cluster_ips: list[str] | None = None
    ip_families: list[str] | None = None
    ip_family_policy: str | None = None
    ports: list[ServicePort] | None = None
    selector: Texts | None = None
    external_ips: list[str] | None = None
    external_name: str | None = None
    load_balancer_source_ranges: list[str] | None = None
    health_check_node_port: int | None = None
    allocate_load_balancer_node_ports: bool | None = None
    external_traffic_policy: str | None = None
    internal_traffic_policy: str | None = None
    session_affinity: str | None = None
    session_affinity_config: SessionAffinityConfig | None = None
    publish_not_ready_addresses: bool | None = None
    traffic_distribution: str | None = None


class Ingress(Shape):
    ip: str | None = None
    hostname: str | None = None
    ip_mode: str | None = None


class LoadBalancerStatus(Shape):
    ingress: list[Ingress] | None = None


class ServiceStatus(Shape):
    load_balancer: LoadBalancerStatus | None = None


class Service(Named):
    spec: ServiceSpec | None = None
    status: ServiceStatus | None = None


class ObjectReference(Shape):
    kind: str | None = None
    namespace: str | None = None
    name: str | None = None


class EndpointConditions(Shape):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Hint(Shape):
    name: str | None = None


class EndpointHints(Shape):
    for_zones: list[Hint] | None = None
    for_nodes: list[Hint] | None = None


class Endpoint(Shape):
    addresses: list[str] | None = None
    conditions: EndpointConditions | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None
    hints: EndpointHints | None = None


class EndpointPort(Shape):
    name: str | None = None
    protocol: str | None = None
    port: int | None = None


class EndpointSlice(Named):
    address_type: str | None = None
    ports: list[EndpointPort] | None = None
    endpoints: list[Endpoint] | None = None


class OldAddress(Shape):
    ip: str | None = None
    node_name: str | None = None
    target_ref: ObjectReference | None = None


class Subset(Shape):
    addresses: list[OldAddress] | None = None
    not_ready_addresses: list[OldAddress] | None = None
    ports: list[EndpointPort] | None = None


class Endpoints(Named):
    subsets: list[Subset] | None = None


# ---- kube-proxy -------------------------------------------------------------------------------


class ConfigMap(Named):
    data: Texts | None = None


class IptablesSection(Shape):
    masquerade_all: bool | None = None
    masquerade_bit: int | None = None
    localhost_node_ports: bool | None = None


class IpvsSection(Shape):
    scheduler: str | None = None
    strict_arp: bool | None = None
    exclude_cidrs: list[str] | None = None


class NftablesSection(Shape):
    masquerade_all: bool | None = None
    masquerade_bit: int | None = None


class DetectLocal(Shape):
    bridge_interface: str | None = None
    interface_name_prefix: str | None = None


class KubeProxyConfiguration(Named):
    mode: str | None = None
    cluster_cidr: str | None = None
    detect_local_mode: str | None = None
    detect_local: DetectLocal | None = None
    node_port_addresses: list[str] | None = None
    iptables: IptablesSection | None = None
    ipvs: IpvsSection | None = None
    nftables: NftablesSection | None = None
    bind_address: str | None = None
    port_range: str | None = None
    hostname_override: str | None = None


# ---- FlowTest, our own ------------------------------------------------------------------------


class Strict(Shape):
    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=api_name)


class Expect(Strict):
    outcome: str | None = None
    endpoints: list[str] | None = None
    masqueraded: bool | None = None
    sticky: bool | None = None


class Flow(Strict):
    name: str | None = None
    source: str | None = Field(default=None, alias="from")
    via: str | None = None
    target: str | None = Field(default=None, alias="to")
    protocol: str | None = None
    again_after: int | None = Field(default=None, alias="again_after")
    expect: Expect | None = None


class FlowTestSpec(Strict):
    mode: str | None = None
    modes: list[str] | None = None
    flows: list[Flow] | None = None


class FlowTest(Strict):
    api_version: str | None = None
    kind: str | None = None
    metadata: Meta = Field(default_factory=Meta)
    spec: FlowTestSpec | None = None
