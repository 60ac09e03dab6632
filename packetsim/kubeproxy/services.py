"""Rule: which endpoints a service port may use on this node is decided here, once for every mode.

Facts from pkg/proxy/topology.go, serviceport.go and endpointslicecache.go (Kubernetes 1.35).
userspace mode has no such choice and looks at `endpoints` alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import compress
from operator import is_, is_not
from typing import TypeVar

from packetsim.addresses import network, with_port
from packetsim.cluster.model import Cluster, EndpointSlice, Key, Node, Service, ServicePort
from packetsim.ruletext import Origin


@dataclass(frozen=True, slots=True)
class ServiceEndpoint:
    """One `IP:PORT` (`text`) behind a service port, as this node sees it. `slice_name`: for blame."""

    text: str
    address: str
    port: int
    local: bool
    ready: bool
    serving: bool
    terminating: bool
    zone_hints: tuple[str, ...]
    node_hints: tuple[str, ...]
    namespace: str
    slice_name: str
    place: int  # index in the slice's endpoints
    pod: Key | None

    @property
    def draining(self) -> bool:
        """Serving though terminating: used when nothing better is left."""
        return self.serving and self.terminating

    @property
    def origin(self) -> Origin:
        return Origin("EndpointSlice", self.namespace, self.slice_name, f"endpoints[{self.place}]")


@dataclass(frozen=True, slots=True)
class ProxiedPort:
    """One service port of one family on one node, with its endpoints chosen.

    `cluster_endpoints`, `local_endpoints`: the Cluster set and the Local set, each sorted by text
    byte by byte; empty when the set is not used. `has_endpoints` decides REJECT or not.
    `external_local`: externalTrafficPolicy Local is in force. `index`: place in `spec.ports`.
    """

    namespace: str
    name: str
    port_name: str
    index: int
    protocol: str
    port: int
    node_port: int
    family: int
    cluster_ip: str
    external_ips: tuple[str, ...]
    load_balancer_ips: tuple[str, ...]
    source_ranges: tuple[str, ...]
    affinity_timeout: int | None
    internal_local: bool
    external_local: bool
    health_check_node_port: int
    endpoints: tuple[ServiceEndpoint, ...]
    cluster_endpoints: tuple[ServiceEndpoint, ...]
    local_endpoints: tuple[ServiceEndpoint, ...]
    has_endpoints: bool

    @property
    def display(self) -> str:
        """`NS/NAME:PORTNAME`, without the colon when the port has no name."""
        return f"{self.namespace}/{self.name}:{self.port_name}" if self.port_name else f"{self.namespace}/{self.name}"

    @property
    def external(self) -> bool:
        """Reachable by anything but its ClusterIP."""
        return bool(self.node_port or self.external_ips or self.load_balancer_ips)

    @property
    def reachable(self) -> tuple[ServiceEndpoint, ...]:
        """Cluster set and Local set together, sorted by text: the endpoints that get a chain."""
        if not self.local_endpoints or self.local_endpoints == self.cluster_endpoints:
            return self.cluster_endpoints
        both = {one.text: one for one in (*self.cluster_endpoints, *self.local_endpoints)}
        return tuple(both[text] for text in sorted(both))

    def origin(self, path: str) -> Origin:
        """Blame a field of the Service, e.g. `spec.clusterIP`."""
        return Origin("Service", self.namespace, self.name, path)

    def port_origin(self, path: str) -> Origin:
        """Blame a field of this entry of `spec.ports`, e.g. `nodePort`."""
        return self.origin(f"spec.ports[{self.index}].{path}")


Entry = tuple[Service, tuple[EndpointSlice, ...], tuple[ProxiedPort, ...]]


@dataclass(frozen=True, slots=True)
class PortTable:
    """Every proxied port of one family on one node, in the order of Service (namespace, name), then spec.

    `by_service` has every Service of the cluster, those that are not proxied with no ports. Entries
    whose Service and slices did not change are the same objects as in the table before, so a mode
    can tell with `differing` what it need not compile again. `services` and `slices`: the cluster's.
    """

    node: Node
    family: int
    by_service: Mapping[Key, Entry]
    services: Mapping[Key, Service]
    slices: Mapping[Key, tuple[EndpointSlice, ...]]

    @property
    def ports(self) -> Iterable[ProxiedPort]:
        return (port for _, _, ports in self.by_service.values() for port in ports)


def proxied_ports(cluster: Cluster, node_name: str, family: int, before: PortTable | None = None) -> PortTable:
    """The port table of `node_name`. `before`: the table before the last change, to share with."""
    node, services, slices = cluster.nodes[node_name], cluster.services, cluster.slices

    def entry(key: Key) -> Entry:
        service, own = services[key], slices.get(key, ())
        return service, own, tuple(_ports_of(service, own, node, family))

    if before is None or (before.node, before.family) != (node, family):
        return PortTable(node, family, {key: entry(key) for key in sorted(services)}, services, slices)
    changed = {*differing(before.services, services), *differing(before.slices, slices)} & services.keys()
    table = {**before.by_service, **{key: entry(key) for key in changed}}
    if not len(before.by_service) == len(table) == len(services):  # a Service came or went
        table = {key: table[key] for key in sorted(services)}
    return PortTable(node, family, table, services, slices)


Name = TypeVar("Name")
Value = TypeVar("Value")


def differing(old: Mapping[Name, Value], new: Mapping[Name, Value]) -> Iterable[Name]:
    """The keys under which the two do not hold the same object.

    With the same keys in the same order it costs next to nothing: one change among 10,000 Services
    must be found in well under the time it takes to look each of them up.
    """
    if len(old) == len(new) and all(map(is_, old, new)):
        return compress(new, map(is_not, old.values(), new.values()))
    return [key for key in old.keys() | new.keys() if old.get(key) is not new.get(key)]


def is_proxied(service: Service) -> bool:
    """pkg/proxy/util.ShouldSkipService, and the label selector of cmd/kube-proxy/app/server.go."""
    return (
        service.type != "ExternalName"
        and bool(service.cluster_ips)
        and service.cluster_ips[0] != "None"
        and "service.kubernetes.io/service-proxy-name" not in service.labels
        and "service.kubernetes.io/headless" not in service.labels
    )


def _ports_of(service: Service, slices: tuple[EndpointSlice, ...], node: Node, family: int) -> Iterable[ProxiedPort]:
    cluster_ip = service.cluster_ip(family)
    if cluster_ip is None or not is_proxied(service):
        return
    external_ips = tuple(ip for ip in service.external_ips if _is(ip, family))
    vips = tuple(one.ip for one in service.ingress if one.ip and one.ip_mode != "Proxy" and _is(one.ip, family))
    external_local = service.external_traffic_local and (
        service.type in ("LoadBalancer", "NodePort") or (service.type == "ClusterIP" and bool(service.external_ips))
    )
    for index, port in enumerate(service.ports):
        endpoints = _endpoints(port, slices, node, family)
        external = bool(port.node_port or external_ips or vips)
        choice = _choose(endpoints, node, service.internal_traffic_local, external_local, external)
        yield ProxiedPort(
            namespace=service.namespace,
            name=service.name,
            port_name=port.name,
            index=index,
            protocol=port.protocol,
            port=port.port,
            node_port=port.node_port,
            family=family,
            cluster_ip=cluster_ip,
            external_ips=external_ips,
            load_balancer_ips=vips,
            source_ranges=tuple(one for one in service.source_ranges if _is(one, family)),
            affinity_timeout=service.affinity_timeout,
            internal_local=service.internal_traffic_local,
            external_local=external_local,
            health_check_node_port=(
                service.health_check_node_port if external_local and service.type == "LoadBalancer" else 0
            ),
            endpoints=endpoints,
            cluster_endpoints=choice[0],
            local_endpoints=choice[1],
            has_endpoints=choice[2],
        )


def _is(address: str, family: int) -> bool:
    return (":" in address) == (family == 6)


def _endpoints(
    port: ServicePort, slices: tuple[EndpointSlice, ...], node: Node, family: int
) -> tuple[ServiceEndpoint, ...]:
    """Merged by text, a local one winning, sorted byte by byte (endpointslicecache.go, endpointInfo list)."""
    found: dict[str, ServiceEndpoint] = {}
    for one in slices:
        if one.family != family:
            continue
        for slice_port in one.ports:
            if slice_port.name != port.name or slice_port.protocol != port.protocol or not slice_port.port:
                continue
            for place, endpoint in enumerate(one.endpoints):
                if not _is(endpoint.address, family):
                    continue
                local = bool(endpoint.node) and endpoint.node == node.name
                text = with_port(endpoint.address, slice_port.port)
                if text in found and not local:
                    continue
                found[text] = ServiceEndpoint(
                    text=text,
                    address=endpoint.address,
                    port=slice_port.port,
                    local=local,
                    ready=endpoint.ready,
                    serving=endpoint.serving,
                    terminating=endpoint.terminating,
                    zone_hints=endpoint.zone_hints,
                    node_hints=endpoint.node_hints,
                    namespace=one.namespace,
                    slice_name=one.name,
                    place=place,
                    pod=endpoint.pod,
                )
    return tuple(found[text] for text in sorted(found))


Endpoints = tuple[ServiceEndpoint, ...]


def _choose(
    endpoints: Endpoints, node: Node, internal_local: bool, external_local: bool, external: bool
) -> tuple[Endpoints, Endpoints, bool]:
    """(Cluster set, Local set, has endpoints): CategorizeEndpoints in pkg/proxy/topology.go."""
    uses_cluster = not internal_local or external
    uses_local = internal_local or (external_local and external)
    ready = tuple(one for one in endpoints if one.ready)
    cluster: Endpoints = ()
    if uses_cluster:
        cluster = _near(ready, node) or tuple(one for one in endpoints if one.draining)
    local: Endpoints = ()
    if uses_local:
        local = tuple(one for one in ready if one.local) or tuple(
            one for one in endpoints if one.local and one.draining
        )
    has_endpoints = bool(cluster) or (uses_local and any(one.ready or one.draining for one in endpoints))
    return cluster, local, has_endpoints


def _near(ready: Endpoints, node: Node) -> Endpoints:
    """Topology hints: same node, else same zone, else everyone; hints count only when every one has them."""
    if ready and all(one.node_hints for one in ready):
        same_node = tuple(one for one in ready if node.name in one.node_hints)
        if same_node:
            return same_node
    if ready and node.zone and all(one.zone_hints for one in ready):
        return tuple(one for one in ready if node.zone in one.zone_hints) or ready
    return ready


def holds(ranges: Iterable[str], address: str | None) -> bool:
    """Does one of the CIDRs hold the address (the node's own IP, for loadBalancerSourceRanges)?"""
    return address is not None and any(address in network(one) for one in ranges)
