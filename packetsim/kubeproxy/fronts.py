"""Rule: which field of a Service gave an address it answers on, and why nobody answers, is told here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from packetsim.cluster.model import EndpointSlice, Service
from packetsim.kubeproxy.services import ProxiedPort
from packetsim.ruletext import Origin


class Front(NamedTuple):
    """An address that a service port answers on, and the fields that gave it."""

    address: str
    origins: tuple[Origin, ...]


def cluster_ip(port: ProxiedPort, service: Service) -> Front:
    place = service.cluster_ips.index(port.cluster_ip)
    path = f"spec.clusterIPs[{place}]" if place else "spec.clusterIP"
    return Front(port.cluster_ip, (port.origin(path), port.port_origin("port")))


def external_ips(port: ProxiedPort, service: Service) -> tuple[Front, ...]:
    return _fronts(port, port.external_ips, service.external_ips, "spec.externalIPs[{}]")


def load_balancer_ips(port: ProxiedPort, service: Service) -> tuple[Front, ...]:
    places = [one.ip for one in service.ingress]
    return _fronts(port, port.load_balancer_ips, places, "status.loadBalancer.ingress[{}].ip")


def _fronts(port: ProxiedPort, addresses: Iterable[str], places: Iterable[str], path: str) -> tuple[Front, ...]:
    found, number = list(places), port.port_origin("port")
    return tuple(Front(one, (port.origin(path.format(found.index(one))), number)) for one in dict.fromkeys(addresses))


def missing(port: ProxiedPort, slices: Iterable[EndpointSlice], policy: str) -> tuple[Origin, ...]:
    """Why there is nobody to send to: a Local policy, slices without endpoints, or no slice at all."""
    found = tuple(
        Origin("EndpointSlice", one.namespace, one.name, "endpoints") for one in slices if one.family == port.family
    ) or (port.origin("spec.selector"),)
    return (port.origin(policy), *found) if port.has_endpoints else found
