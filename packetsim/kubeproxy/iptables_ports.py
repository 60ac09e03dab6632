"""Rule: one service port in, its iptables lines out; nothing here looks at another service port.

Facts from syncProxyRules in pkg/proxy/iptables/proxier.go (Kubernetes 1.35). Lines read as
iptables-save 1.8.9 prints them: -s -d -i -p first, addresses with their length, comments quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from packetsim.addresses import full_length, network
from packetsim.cluster.model import EndpointSlice, Service
from packetsim.kubeproxy import chain_names
from packetsim.kubeproxy.chain_names import endpoint_chain, port_hash
from packetsim.kubeproxy.detect_local import LocalDetector
from packetsim.kubeproxy.services import Endpoints, ProxiedPort, ServiceEndpoint, holds
from packetsim.ruletext import ChainText, Line, Origin

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the rules of every service port of one family depend on.

    `large`: over 1000 endpoints; rules about single endpoints then have no comment.
    """

    family: int
    node_ip: str
    masquerade_all: bool
    detector: LocalDetector | None
    large: bool

    @property
    def full_mask(self) -> str:
        return "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" if self.family == 6 else "255.255.255.255"

    @property
    def reject(self) -> str:
        kind = "icmp6-port-unreachable" if self.family == 6 else "icmp-port-unreachable"
        return f"REJECT --reject-with {kind}"


class Shared(NamedTuple):
    """Lines for chains that all service ports write to."""

    services: Lines = ()  # nat KUBE-SERVICES
    node_ports: Lines = ()  # nat KUBE-NODEPORTS
    verdicts: Lines = ()  # filter KUBE-SERVICES
    external_verdicts: Lines = ()  # filter KUBE-EXTERNAL-SERVICES
    firewall: Lines = ()  # filter KUBE-PROXY-FIREWALL
    health_checks: Lines = ()  # filter KUBE-NODEPORTS


class Front(NamedTuple):
    """An address outside the cluster network that a service port answers on, and the field that gave it."""

    address: str
    origin: Origin


class PortRules:
    """One service port's rules: lines for the `shared()` chains, and `chains()` of its own."""

    def __init__(
        self, port: ProxiedPort, service: Service, slices: tuple[EndpointSlice, ...], settings: Settings
    ) -> None:
        self.port, self.service, self.slices, self.settings = port, service, slices, settings
        code = port_hash(port.display, port.protocol)
        self.cluster_chain = chain_names.CLUSTER + code
        self.local_chain = chain_names.LOCAL + code
        self.external_chain = chain_names.EXTERNAL + code
        self.firewall_chain = chain_names.FIREWALL + code
        self.internal_target = self.local_chain if port.internal_local else self.cluster_chain
        self.internal_ok = port.has_endpoints and bool(port.local_endpoints or not port.internal_local)
        self.external_ok = port.has_endpoints and bool(port.local_endpoints or not port.external_local)
        self.has_firewall = port.has_endpoints and bool(port.load_balancer_ips and port.source_ranges)

    # ---- what the origins are --------------------------------------------------------------

    @cached_property
    def number(self) -> Origin:
        return self.port.port_origin("port")

    @cached_property
    def cluster_ip(self) -> Front:
        place = self.service.cluster_ips.index(self.port.cluster_ip)
        path = f"spec.clusterIPs[{place}]" if place else "spec.clusterIP"
        return Front(self.port.cluster_ip, self.port.origin(path))

    @cached_property
    def external_ips(self) -> tuple[Front, ...]:
        places = self.service.external_ips
        return tuple(
            Front(one, self.port.origin(f"spec.externalIPs[{places.index(one)}]")) for one in self.port.external_ips
        )

    @cached_property
    def vips(self) -> tuple[Front, ...]:
        places = [one.ip for one in self.service.ingress]
        return tuple(
            Front(one, self.port.origin(f"status.loadBalancer.ingress[{places.index(one)}].ip"))
            for one in self.port.load_balancer_ips
        )

    def missing(self, policy: str) -> tuple[Origin, ...]:
        """Why there is nobody to send to: a Local policy, slices without endpoints, or no slice at all."""
        slices = tuple(
            Origin("EndpointSlice", one.namespace, one.name, "endpoints")
            for one in self.slices
            if one.family == self.port.family
        ) or (self.port.origin("spec.selector"),)
        return (self.port.origin(policy), *slices) if self.port.has_endpoints else slices

    # ---- lines for shared chains -----------------------------------------------------------

    def dispatch(self, chain: str, address: str, comment: str, target: str) -> str:
        """A rule for packets to `address` and the service port's number."""
        port = self.port
        return (
            f"-A {chain} -d {address}/{full_length(address)} -p {port.protocol} "
            f'-m comment --comment "{comment}" -m {port.protocol} --dport {port.port} -j {target}'
        )

    def verdict(self) -> tuple[str, str]:
        """Comment and target for traffic that nobody here can answer."""
        if self.port.has_endpoints:
            return f"{self.port.display} has no local endpoints", "DROP"
        return f"{self.port.display} has no endpoints", self.settings.reject

    def shared(self) -> Shared:
        node_ports, health = self.port.node_port, self.port.health_check_node_port
        return Shared(
            services=tuple(self._services()),
            node_ports=self._node_port() if node_ports and self.port.has_endpoints else (),
            verdicts=() if self.internal_ok else self._cluster_ip_verdict(),
            external_verdicts=() if self.external_ok else tuple(self._external_verdicts()),
            firewall=tuple(self._firewall_drops()) if self.has_firewall else (),
            health_checks=self._health_check() if health else (),
        )

    def _services(self) -> Iterator[Line]:
        port = self.port
        if self.internal_ok:
            text = self.dispatch("KUBE-SERVICES", port.cluster_ip, f"{port.display} cluster IP", self.internal_target)
            yield Line(text, (self.cluster_ip.origin, self.number))
        if not port.has_endpoints:
            return
        for front in self.external_ips:
            comment = f"{port.display} external IP"
            text = self.dispatch("KUBE-SERVICES", front.address, comment, self.external_chain)
            yield Line(text, (front.origin, self.number))
        for front in self.vips:
            comment = f"{port.display} loadbalancer IP"
            target = self.firewall_chain if self.has_firewall else self.external_chain
            yield Line(self.dispatch("KUBE-SERVICES", front.address, comment, target), (front.origin, self.number))

    def _node_port(self) -> Lines:
        port = self.port
        text = (
            f'-A KUBE-NODEPORTS -p {port.protocol} -m comment --comment "{port.display}" '
            f"-m {port.protocol} --dport {port.node_port} -j {self.external_chain}"
        )
        return (Line(text, (port.port_origin("nodePort"),)),)

    def _cluster_ip_verdict(self) -> Lines:
        comment, target = self.verdict()
        text = self.dispatch("KUBE-SERVICES", self.port.cluster_ip, comment, target)
        return (Line(text, (*self.missing("spec.internalTrafficPolicy"), self.cluster_ip.origin, self.number)),)

    def _external_verdicts(self) -> Iterator[Line]:
        port, chain = self.port, "KUBE-EXTERNAL-SERVICES"
        comment, target = self.verdict()
        why = self.missing("spec.externalTrafficPolicy")
        for front in (*self.external_ips, *self.vips):
            yield Line(self.dispatch(chain, front.address, comment, target), (*why, front.origin, self.number))
        if port.node_port:
            text = (
                f'-A {chain} -p {port.protocol} -m comment --comment "{comment}" -m addrtype --dst-type LOCAL '
                f"-m {port.protocol} --dport {port.node_port} -j {target}"
            )
            yield Line(text, (*why, port.port_origin("nodePort")))

    def _firewall_drops(self) -> Iterator[Line]:
        ranges = self.port.origin("spec.loadBalancerSourceRanges")
        comment = f"{self.port.display} traffic not accepted by {self.firewall_chain}"
        for front in self.vips:
            text = self.dispatch("KUBE-PROXY-FIREWALL", front.address, comment, "DROP")
            yield Line(text, (ranges, front.origin, self.number))

    def _health_check(self) -> Lines:
        port = self.port
        text = (
            f'-A KUBE-NODEPORTS -p tcp -m comment --comment "{port.display} health check node port" '
            f"-m tcp --dport {port.health_check_node_port} -j ACCEPT"
        )
        return (Line(text, (port.origin("spec.healthCheckNodePort"),)),)

    # ---- chains of its own -----------------------------------------------------------------

    def chains(self) -> dict[str, ChainText]:
        """Its nat chains; none when there is no endpoint anywhere."""
        port = self.port
        found: dict[str, Lines] = {}
        if port.has_endpoints and port.external:
            found[self.external_chain] = tuple(self._external())
        if self.has_firewall:
            found[self.firewall_chain] = tuple(self._firewall())
        reachable = port.reachable
        names = {one.text: endpoint_chain(port.display, port.protocol, one.text) for one in reachable}
        for chain, endpoints in (
            (self.cluster_chain, port.cluster_endpoints),
            (self.local_chain, port.local_endpoints),
        ):
            if endpoints:
                masquerade = self._masquerade() if chain == self.internal_target else ()
                found[chain] = (*masquerade, *self._choice(chain, endpoints, names))
        for one in reachable:
            found[names[one.text]] = self._endpoint(names[one.text], one)
        return {name: ChainText(None, lines) for name, lines in found.items()}

    def _masquerade(self) -> Lines:
        """To the ClusterIP from elsewhere than the cluster; it matches the ClusterIP as EXT comes here too."""
        port, settings = self.port, self.settings
        source, interface, why = "", "", Origin("KubeProxyConfiguration", "", "", "iptables.masqueradeAll")
        if not settings.masquerade_all:
            detector = settings.detector
            if detector is None:
                return ()
            source, interface, why = _not_local(detector), _not_from(detector), detector.origin
        address = f"{port.cluster_ip}/{full_length(port.cluster_ip)}"
        text = (
            f"-A {self.internal_target}{source} -d {address}{interface} -p {port.protocol} "
            f'-m comment --comment "{port.display} cluster IP" '
            f"-m {port.protocol} --dport {port.port} -j KUBE-MARK-MASQ"
        )
        return (Line(text, (why, self.cluster_ip.origin, self.number)),)

    def _external(self) -> Iterator[Line]:
        if self.port.external_local:
            yield from self._short_cuts()
        else:
            yield self._external_line("masquerade traffic", "", "KUBE-MARK-MASQ")
        if self.external_ok:
            target = self.local_chain if self.port.external_local else self.cluster_chain
            yield Line(f"-A {self.external_chain} -j {target}", (self._policy,))

    def _short_cuts(self) -> Iterator[Line]:
        """Local policy: this cluster's pods and this node reach every endpoint all the same."""
        detector = self.settings.detector
        if detector is not None:
            text = (
                f"-A {self.external_chain}{_local(detector)} -m comment "
                f'--comment "pod traffic for {self.port.display} external destinations" -j {self.cluster_chain}'
            )
            yield Line(text, (self._policy, detector.origin))
        node = " -m addrtype --src-type LOCAL"
        yield self._external_line("masquerade LOCAL traffic", node, "KUBE-MARK-MASQ")
        yield self._external_line("route LOCAL traffic", node, self.cluster_chain)

    def _external_line(self, what: str, match: str, target: str) -> Line:
        comment = f"{what} for {self.port.display} external destinations"
        return Line(f'-A {self.external_chain} -m comment --comment "{comment}"{match} -j {target}', (self._policy,))

    @cached_property
    def _policy(self) -> Origin:
        return self.port.origin("spec.externalTrafficPolicy")

    def _firewall(self) -> Iterator[Line]:
        port, chain = self.port, self.firewall_chain
        comment = f'-m comment --comment "{port.display} loadbalancer IP" -j {self.external_chain}'
        places = self.service.source_ranges
        for one in port.source_ranges:
            origin = port.origin(f"spec.loadBalancerSourceRanges[{places.index(one)}]")
            yield Line(f"-A {chain}{_source(one)} {comment}", (origin,))
        ranges = port.origin("spec.loadBalancerSourceRanges")
        if holds(port.source_ranges, self.settings.node_ip):
            # A node that owns the VIP calls it from the VIP itself.
            for front in self.vips:
                source = f"-s {front.address}/{full_length(front.address)}"
                yield Line(f"-A {chain} {source} {comment}", (ranges, front.origin))
        rest = f"other traffic to {port.display} will be dropped by KUBE-PROXY-FIREWALL"
        yield Line(f'-A {chain} -m comment --comment "{rest}"', (ranges,))

    def _choice(self, chain: str, endpoints: Endpoints, names: dict[str, str]) -> Iterator[Line]:
        """Those who came before go back to their endpoint; the rest are spread evenly."""
        if self.port.affinity_timeout is not None:
            yield from self._returning(chain, endpoints, names)
        service, last = self.number, len(endpoints) - 1
        for place, one in enumerate(endpoints):
            target = names[one.text]
            chance = f" -m statistic --mode random --probability {probability(last - place + 1)}"
            text = f"-A {chain}{self._choice_comment(one)}{chance if place < last else ''} -j {target}"
            yield Line(text, (one.origin, service))

    def _returning(self, chain: str, endpoints: Endpoints, names: dict[str, str]) -> Iterator[Line]:
        affinity, mask = self.port.origin("spec.sessionAffinity"), self.settings.full_mask
        for one in endpoints:
            name = names[one.text]
            text = (
                f"-A {chain}{self._choice_comment(one)} -m recent --rcheck "
                f"--seconds {self.port.affinity_timeout} --reap --name {name} --mask {mask} --rsource -j {name}"
            )
            yield Line(text, (affinity, one.origin))

    def _choice_comment(self, endpoint: ServiceEndpoint) -> str:
        if self.settings.large:
            return ""
        return f' -m comment --comment "{self.port.display} -> {endpoint.text}"'

    def _endpoint(self, chain: str, endpoint: ServiceEndpoint) -> Lines:
        """Masquerade for an endpoint that calls itself, then the translation."""
        port = self.port
        comment = "" if self.settings.large else f' -m comment --comment "{port.display}"'
        origins: tuple[Origin, ...] = (endpoint.origin, port.port_origin("targetPort"))
        remember = ""
        if port.affinity_timeout is not None:
            remember = f" -m recent --set --name {chain} --mask {self.settings.full_mask} --rsource"
            origins = (*origins, port.origin("spec.sessionAffinity"))
        source = f"{endpoint.address}/{full_length(endpoint.address)}"
        return (
            Line(f"-A {chain} -s {source}{comment} -j KUBE-MARK-MASQ", origins[:1]),
            Line(
                f"-A {chain} -p {port.protocol}{comment}{remember} -m {port.protocol} "
                f"-j DNAT --to-destination {endpoint.text}",
                origins,
            ),
        )


@lru_cache(maxsize=4096)
def probability(ways: int) -> str:
    """1 in `ways` as kube-proxy writes it (ten decimals) and the kernel keeps it (31 bits), in eleven decimals."""
    written = float(f"{1 / ways:.10f}")
    return f"{round(written * 2**31) / 2**31:.11f}"


def _source(cidr: str) -> str:
    """A source match; iptables-save leaves out one that holds every address."""
    return "" if network(cidr).is_zero else f" -s {cidr}"


def _local(detector: LocalDetector) -> str:
    return _source(detector.cidr) if detector.cidr else f" -i {_interface(detector)}"


def _not_local(detector: LocalDetector) -> str:
    return f" ! -s {detector.cidr}" if detector.cidr else ""


def _not_from(detector: LocalDetector) -> str:
    return f" ! -i {_interface(detector)}" if detector.interface else ""


def _interface(detector: LocalDetector) -> str:
    return f"{detector.interface}+" if detector.prefix else detector.interface
