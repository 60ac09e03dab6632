"""Rule: Kubernetes objects as frozen values, complete and valid; where they came from is forgotten.

Everything the API server, the kubelet or a controller would have filled in is filled in here:
no None where a real cluster has a value. Addresses are canonical text (see `packetsim.addresses`),
protocols lower case, mappings read-only by habit. Field names follow the Kubernetes API.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Key = tuple[str, str]  # (namespace, name)


@dataclass(frozen=True, slots=True)
class Node:
    """`addresses`: InternalIPs, at most one of each family first. `pod_cidrs`: canonical, at most one a family."""

    name: str
    addresses: tuple[str, ...]
    pod_cidrs: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    ready: bool = True

    @property
    def zone(self) -> str:
        return self.labels.get("topology.kubernetes.io/zone", "")

    def address(self, family: int) -> str | None:
        """The node's own IP of this family, or None."""
        return next((one for one in self.addresses if (":" in one) == (family == 6)), None)

    def pod_cidr(self, family: int) -> str | None:
        return next((one for one in self.pod_cidrs if (":" in one) == (family == 6)), None)


@dataclass(frozen=True, slots=True)
class ContainerPort:
    name: str
    port: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Pod:
    """A Pod that has been given a node and addresses.

    `listening`: the (protocol, port) pairs it has sockets on; None means every port answers (a Pod
    that declares no container ports tells us nothing). `answers` False: the Pod is gone while its
    address is still in use, so that nothing at all comes back.
    """

    namespace: str
    name: str
    node: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    host_network: bool = False
    ports: tuple[ContainerPort, ...] = ()
    ready: bool = True
    terminating: bool = False
    listening: frozenset[tuple[str, int]] | None = None
    answers: bool = True
    hostname: str = ""
    subdomain: str = ""

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    def address(self, family: int) -> str | None:
        return next((one for one in self.addresses if (":" in one) == (family == 6)), None)


@dataclass(frozen=True, slots=True)
class ServicePort:
    """`target_port`: a number or a container port's name. `node_port` 0: none."""

    name: str
    protocol: str
    port: int
    target_port: int | str
    node_port: int = 0


@dataclass(frozen=True, slots=True)
class Ingress:
    """One `status.loadBalancer.ingress` entry. `ip` "" for a hostname-only entry. `ip_mode`: VIP or Proxy."""

    ip: str
    ip_mode: str = "VIP"


@dataclass(frozen=True, slots=True)
class Service:
    """`cluster_ips` is empty for ExternalName and ("None",) for a headless Service.

    `affinity_timeout` (seconds) is None without ClientIP affinity. `external_traffic_local` and
    `internal_traffic_local` are the two traffic policies as written in the spec.
    """

    namespace: str
    name: str
    type: str  # ClusterIP, NodePort, LoadBalancer, ExternalName
    cluster_ips: tuple[str, ...]
    ports: tuple[ServicePort, ...]
    selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    external_ips: tuple[str, ...] = ()
    external_name: str = ""
    ingress: tuple[Ingress, ...] = ()
    source_ranges: tuple[str, ...] = ()  # canonical CIDRs, spec order
    health_check_node_port: int = 0
    external_traffic_local: bool = False
    internal_traffic_local: bool = False
    affinity_timeout: int | None = None
    publish_not_ready: bool = False
    traffic_distribution: str = ""  # "", PreferClose, PreferSameZone, PreferSameNode
    ip_families: tuple[int, ...] = (4,)

    @property
    def key(self) -> Key:
        return self.namespace, self.name

    def cluster_ip(self, family: int) -> str | None:
        """The ClusterIP of this family; None for headless, ExternalName, or the other family alone."""
        return next((ip for ip in self.cluster_ips if ip != "None" and (":" in ip) == (family == 6)), None)


@dataclass(frozen=True, slots=True)
class EndpointPort:
    name: str
    protocol: str
    port: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of a slice; conditions already defaulted (discovery.k8s.io/v1)."""

    address: str
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    node: str = ""
    pod: Key | None = None  # targetRef
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EndpointSlice:
    """`made_by_controller`: there was none in the manifests, so ours made it from the selector."""

    namespace: str
    name: str
    service: str
    family: int
    ports: tuple[EndpointPort, ...]
    endpoints: tuple[Endpoint, ...]
    made_by_controller: bool = False


@dataclass(frozen=True, slots=True)
class ProxyConfiguration:
    """KubeProxyConfiguration as far as it changes traffic; defaults of kubeproxy.config.k8s.io/v1alpha1.

    `mode` "" means the default (iptables). `detect_local_mode`: ClusterCIDR, NodeCIDR,
    BridgeInterface, InterfaceNamePrefix. `cluster_cidrs` canonical, at most one a family.
    `masquerade_*` are of the iptables section as read; `for_mode` puts those of the mode in force there.
    """

    mode: str = ""
    cluster_cidrs: tuple[str, ...] = ()
    detect_local_mode: str = "ClusterCIDR"
    bridge_interface: str = ""
    interface_name_prefix: str = ""
    node_port_addresses: tuple[str, ...] = ()  # canonical CIDRs, or ("primary",)
    masquerade_all: bool = False
    masquerade_bit: int = 14
    localhost_node_ports: bool = True
    ipvs_scheduler: str = "rr"
    ipvs_strict_arp: bool = False
    ipvs_exclude_cidrs: tuple[str, ...] = ()
    bind_address: str = ""
    proxy_port_range: str = ""
    origin: str = ""  # name of the file it came from, "" for the built-in defaults
    nftables_masquerade_all: bool = False
    nftables_masquerade_bit: int = 14

    def for_mode(self, mode: str) -> ProxyConfiguration:
        """With `masquerade_*` of the section that `mode` reads. To be asked of the configuration as it was read.

        pkg/proxy/apis/config/v1alpha1/conversion.go and cmd/kube-proxy/app/server_linux.go (Kubernetes 1.35).
        """
        if mode != "nftables":
            return replace(self, mode=mode)
        return replace(
            self,
            mode=mode,
            masquerade_all=self.nftables_masquerade_all,
            masquerade_bit=self.nftables_masquerade_bit,
        )

    def cluster_cidr(self, family: int) -> str | None:
        return next((one for one in self.cluster_cidrs if (":" in one) == (family == 6)), None)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster at one moment. Every mapping keeps the order of the manifests.

    `slices` holds a Service's EndpointSlices under the Service's key, whether read or made.
    """

    nodes: Mapping[str, Node]
    pods: Mapping[Key, Pod]
    services: Mapping[Key, Service]
    slices: Mapping[Key, tuple[EndpointSlice, ...]]
    service_cidrs: tuple[str, ...]
    proxy: ProxyConfiguration
    namespaces: tuple[str, ...] = ("default",)
