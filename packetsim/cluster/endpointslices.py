"""Rule: this is the EndpointSlice controller: a Service with a selector gets the slices Kubernetes would make.

staging/src/k8s.io/endpointslice, reconciler.go and utils.go (Kubernetes 1.35). Pods that offer
different port numbers for one port name stand in different slices; a slice holds 100 at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packetsim.cluster.hints import Capacity, capacity, with_distribution_hints, with_mode_hints
from packetsim.cluster.inventing import suffix
from packetsim.cluster.model import Endpoint, EndpointPort, EndpointSlice, Key, Pod, Service
from packetsim.cluster.notes import Table
from packetsim.cluster.objects import Object
from packetsim.cluster.places import Report
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.schemas import Service as ServiceShape
from packetsim.cluster.selectors import PodIndex
from packetsim.cluster.service_checks import TOPOLOGY_HINTS, TOPOLOGY_MODE

MAX_PER_SLICE = 100
MAX_LOOKED = 1_000_000  # Pods that all selectors of one load may look at


SliceNotes = Table[Service, list[Pod], tuple[EndpointSlice, ...]]


class Controller:
    """Makes slices from Pods. `hosts` are for zones alone."""

    def __init__(
        self,
        pods: Iterable[Pod],
        hosts: Iterable[Host],
        report: Report,
        notes: SliceNotes,
        most_looked: int = MAX_LOOKED,
    ) -> None:
        self._notes = notes
        hosts = list(hosts)
        self._most_looked = most_looked
        self._index = PodIndex(pods)
        self._zones = {host.node.name: host.node.zone for host in hosts}
        self._capacity: Capacity = capacity(hosts)
        self._report = report

    def slices(self, service: Service, one: Object[ServiceShape]) -> tuple[EndpointSlice, ...]:
        """The Service's slices: for each family at least one, empty if need be."""
        if not service.selector or service.type == "ExternalName":
            return ()
        pods = self._index.select(service.namespace, service.selector)
        if self._index.looked > self._most_looked:
            message = f"the Services' selectors look at more than {self._most_looked:,} Pods in all"
            self._report.problem(one.place, ("spec", "selector"), message, "Select fewer Pods")
            return ()
        if _is_hinted(service, one):  # then the slices follow from the nodes, too
            return self._made(service, one, pods)
        return self._notes.of(service, pods, self._report, lambda: self._made(service, one, pods))

    def _made(self, service: Service, one: Object[ServiceShape], pods: list[Pod]) -> tuple[EndpointSlice, ...]:
        return tuple(made for family in service.ip_families for made in self._of_family(service, one, family, pods))

    def _of_family(
        self, service: Service, one: Object[ServiceShape], family: int, pods: list[Pod]
    ) -> Iterator[EndpointSlice]:
        groups: dict[tuple[EndpointPort, ...], list[Endpoint]] = {}
        for pod in pods:
            address = pod.address(family)
            if address is not None:
                groups.setdefault(_ports(service, pod), []).append(_endpoint(service, pod, address))
        ports = [port_set for port_set, found in groups.items() for _ in found]
        hinted = self._with_hints(service, one, [endpoint for found in groups.values() for endpoint in found])
        groups = {port_set: [] for port_set in groups} or {(): []}
        for port_set, endpoint in zip(ports, hinted, strict=True):
            groups[port_set].append(endpoint)
        for port_set, found in groups.items():
            for first in range(0, max(len(found), 1), MAX_PER_SLICE):
                name = f"{service.name}-{suffix(*service.key, str(family), repr(port_set), str(first))}"
                part = tuple(found[first : first + MAX_PER_SLICE])
                yield EndpointSlice(service.namespace, name, service.name, family, port_set, part, True)

    def _with_hints(self, service: Service, one: Object[ServiceShape], endpoints: list[Endpoint]) -> list[Endpoint]:
        """The annotation goes before the field, as in the reconciler."""
        if one.annotations.get(TOPOLOGY_HINTS, one.annotations.get(TOPOLOGY_MODE)) in ("Auto", "auto"):
            if self._capacity.assumed:
                text = "topology-mode Auto goes by the nodes' CPU: nodes without status.allocatable.cpu count as equal"
                self._report.notice(text, one.place)
            return with_mode_hints(endpoints, self._zones, self._capacity)
        if service.traffic_distribution:
            same_node = service.traffic_distribution == "PreferSameNode"
            return with_distribution_hints(endpoints, self._zones, same_node)
        return endpoints


def _is_hinted(service: Service, one: Object[ServiceShape]) -> bool:
    return bool(service.traffic_distribution) or not one.annotations.keys().isdisjoint((TOPOLOGY_HINTS, TOPOLOGY_MODE))


def _endpoint(service: Service, pod: Pod, address: str) -> Endpoint:
    """podToEndpoint: terminating Pods are never ready, unless the Service publishes those not ready, too."""
    ready = service.publish_not_ready or (pod.ready and not pod.terminating)
    return Endpoint(address, ready, pod.ready, pod.terminating, pod.node, pod.key)


def _ports(service: Service, pod: Pod) -> tuple[EndpointPort, ...]:
    """getEndpointPorts: a port whose name the Pod does not know is left out."""
    found = []
    for port in service.ports:
        number: int | None = port.target_port if isinstance(port.target_port, int) else None
        if number is None:
            named = (one.port for one in pod.ports if one.name == port.target_port and one.protocol == port.protocol)
            number = next(named, None)
        if number is not None:
            found.append(EndpointPort(port.name, port.protocol, number))
    return tuple(found)


def all_slices(
    services: Mapping[Key, Service],
    shapes: Mapping[Key, Object[ServiceShape]],
    written: Mapping[Key, list[EndpointSlice]],
    controller: Controller,
) -> dict[Key, tuple[EndpointSlice, ...]]:
    """Each Service's slices: those written, else those made."""
    found = {key: tuple(slices) for key, slices in written.items()}
    for key, service in services.items():
        if key not in found and (made := controller.slices(service, shapes[key])):
            found[key] = made
    return found
