"""Rule: one service port and its proxy port in, its iptables lines out.

Facts from openPortal and the *PortalArgs functions of pkg/proxy/userspace/proxier.go (Kubernetes
1.25). "Container" chains see what comes in by an interface, "host" chains what the node sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from packetsim.addresses import family_of, full_length, with_port
from packetsim.cluster.model import Service
from packetsim.kubeproxy.services import ProxiedPort
from packetsim.ruletext import Line, Origin

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where the proxy listens. `bound` "": on every address, and the host then uses `host_ip`."""

    family: int
    bound: str
    host_ip: str


class Portals(NamedTuple):
    """Lines for each of the five chains."""

    portals_container: Lines = ()
    portals_host: Lines = ()
    node_port_container: Lines = ()
    node_port_host: Lines = ()
    node_port_non_local: Lines = ()


class Front(NamedTuple):
    """An address a service port answers on. `external`: from `spec.externalIPs`."""

    address: str
    external: bool
    origin: Origin


def fronts(service: Service, port: ProxiedPort) -> tuple[Front, ...]:
    """In the order they are opened. iptables refuses an address of the other family, and the rest is left then."""
    found = [Front(service.cluster_ips[0], False, port.origin("spec.clusterIP"))]
    for place, address in enumerate(service.external_ips):
        found.append(Front(address, True, port.origin(f"spec.externalIPs[{place}]")))
    for place, ingress in enumerate(service.ingress):
        # 1.25 knows no ipMode: every ingress IP counts.
        if ingress.ip:
            origin = port.origin(f"status.loadBalancer.ingress[{place}].ip")
            found.append(Front(ingress.ip, False, origin))
    wrong = [place for place, front in enumerate(found) if family_of(front.address) != port.family]
    return tuple(found[: wrong[0]] if wrong else found)


def is_whole(service: Service, opened: tuple[Front, ...]) -> bool:
    """Was every address opened, so that the node port comes next?"""
    return len(opened) == 1 + len(service.external_ips) + sum(bool(one.ip) for one in service.ingress)


class PortalRules:
    """One service port's rules."""

    def __init__(self, port: ProxiedPort, proxy: Proxy, proxy_port: int) -> None:
        self.port, self.proxy, self.proxy_port = port, proxy, proxy_port
        self.from_host = f"DNAT --to-destination {with_port(proxy.bound or proxy.host_ip, proxy_port)}"
        self.from_outside = self.from_host if proxy.bound else f"REDIRECT --to-ports {proxy_port}"
        self.origins = (port.port_origin("port"),)

    def portals(self, opened: tuple[Front, ...], node_port: bool) -> Portals:
        """`node_port`: it was claimed for this service port."""
        addresses = Portals(
            _once(line for front in opened for line in self._container(front)),
            _once(self._host(front) for front in opened),
        )
        return addresses._replace(**self._node_port()) if node_port else addresses

    def _match(self, chain: str, address: str, number: int) -> str:
        port = self.port
        to = f" -d {address}/{full_length(address)}" if address else ""
        return (
            f"-A {chain}{to} -p {port.protocol} "
            f'-m comment --comment "{port.display}" -m {port.protocol} --dport {number}'
        )

    def _container(self, front: Front) -> Iterator[Line]:
        match = self._match("KUBE-PORTALS-CONTAINER", front.address, self.port.port)
        origins = (front.origin, *self.origins)
        if front.external:
            yield Line(f"{match} -m physdev ! --physdev-is-in -j {self.from_outside}", origins)
            match += " -m addrtype --dst-type LOCAL"
        yield Line(f"{match} -j {self.from_outside}", origins)

    def _host(self, front: Front) -> Line:
        match = self._match("KUBE-PORTALS-HOST", front.address, self.port.port)
        owned = " -m addrtype --dst-type LOCAL" if front.external else ""
        return Line(f"{match}{owned} -j {self.from_host}", (front.origin, *self.origins))

    def _node_port(self) -> dict[str, Lines]:
        origins = (self.port.port_origin("nodePort"),)
        container = self._match("KUBE-NODEPORT-CONTAINER", "", self.port.node_port)
        host = self._match("KUBE-NODEPORT-HOST", "", self.port.node_port)
        # The proxy's own port: filter INPUT comes after nat PREROUTING.
        accept = self._match("KUBE-NODEPORT-NON-LOCAL", "", self.proxy_port)
        return {
            "node_port_container": (Line(f"{container} -j {self.from_outside}", origins),),
            "node_port_host": (Line(f"{host} -j {self.from_host}", origins),),
            "node_port_non_local": (Line(f"{accept} -m state --state NEW -j ACCEPT", origins),),
        }


def _once(lines: Iterable[Line]) -> Lines:
    """Each rule is appended only where an identical one is missing (EnsureRule)."""
    found: dict[str, Line] = {}
    for line in lines:
        found.setdefault(line.text, line)
    return tuple(found.values())
