"""Rule: one service port in, its nftables chains, sets and elements out; no other service port is looked at.

Facts from syncProxyRules in pkg/proxy/nftables/proxier.go (Kubernetes 1.35). Lines read as
`nft list ruleset` of nft 1.0.6 prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from packetsim.addresses import number_of
from packetsim.cluster.model import EndpointSlice, Service
from packetsim.kubeproxy import fronts
from packetsim.kubeproxy.detect_local import LocalDetector
from packetsim.kubeproxy.fragments import Place
from packetsim.kubeproxy.fronts import Front
from packetsim.kubeproxy.nftables_names import endpoint_name, port_name
from packetsim.kubeproxy.nftables_ranges import literal
from packetsim.kubeproxy.services import Endpoints, ProxiedPort, ServiceEndpoint, holds
from packetsim.ruletext import Line, NftChainText, NftSetText, Origin

Lines = tuple[Line, ...]
MARK = "jump mark-for-masquerade"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the rules of every service port of one family depend on."""

    family: int
    node_ip: str
    masquerade_all: bool
    detector: LocalDetector | None

    @property
    def ip(self) -> str:
        """How rules name this family's header, and its table."""
        return "ip6" if self.family == 6 else "ip"

    @property
    def address_type(self) -> str:
        return "ipv6_addr" if self.family == 6 else "ipv4_addr"

    def local(self, detector: LocalDetector, unequal: str = "") -> str:
        """The match for local traffic; `unequal` "!= " for all other."""
        if detector.cidr:
            return f"{self.ip} saddr {unequal}{detector.cidr}"
        return f'iifname {unequal}"{detector.interface}{"*" if detector.prefix else ""}"'


@dataclass(frozen=True, slots=True)
class Made:
    """What one Service adds to the table. `elements`: of each set or map that all share."""

    chains: dict[str, NftChainText] = field(default_factory=dict)
    sets: dict[str, NftSetText] = field(default_factory=dict)
    elements: dict[str, list[tuple[Place, Line]]] = field(default_factory=dict)


class PortRules:
    """One service port: `add` puts everything it has into a Made."""

    def __init__(
        self, port: ProxiedPort, service: Service, slices: tuple[EndpointSlice, ...], settings: Settings
    ) -> None:
        self.port, self.slices, self.settings = port, slices, settings
        self.base = port_name(port.namespace, port.name, port.protocol, port.port_name)
        self.internal_target = f"{'local' if port.internal_local else 'service'}-{self.base}"
        self.internal_ok = port.has_endpoints and bool(port.local_endpoints or not port.internal_local)
        self.external_ok = port.has_endpoints and bool(port.local_endpoints or not port.external_local)
        self.cluster_ip = fronts.cluster_ip(port, service)
        self.external_ips = fronts.external_ips(port, service)
        self.vips = fronts.load_balancer_ips(port, service)
        # Unlike in iptables mode the firewall stands before "no endpoints" and does not need any.
        self.has_firewall = bool(self.vips and port.source_ranges)
        self.policy = port.origin("spec.externalTrafficPolicy")
        self.affinity = port.origin("spec.sessionAffinity")
        self.names = {one.text: self._endpoint_name(one) for one in port.reachable}

    def _endpoint_name(self, one: ServiceEndpoint) -> str:
        port = self.port
        return endpoint_name(port.namespace, port.name, port.protocol, port.port_name, one.address, one.port)

    def add(self, made: Made) -> None:
        for name, place, line in self._elements():
            made.elements.setdefault(name, []).append((place, line))
        for name, lines in self._chains():
            made.chains[name] = NftChainText((), lines)
        if self.port.affinity_timeout is not None:
            header = _affinity_header(self.settings.address_type, self.port.affinity_timeout)
            made.sets.update({f"affinity-{name}": NftSetText("set", header) for name in self.names.values()})

    # ---- elements of the sets and maps that all share ------------------------------------------

    def _elements(self) -> Iterator[tuple[str, Place, Line]]:
        address, origins = self.cluster_ip
        yield "cluster-ips", (number_of(address),), Line(address, origins[:1])
        if self.internal_ok:
            yield self._by_address("service-ips", self.cluster_ip, self.internal_target)
        else:
            yield self._nobody(self.cluster_ip, "spec.internalTrafficPolicy")
        for front in (*self.external_ips, *self.vips):
            if self.port.has_endpoints:
                yield self._by_address("service-ips", front, f"external-{self.base}")
            if not self.external_ok:
                yield self._nobody(front, "spec.externalTrafficPolicy")
        if self.has_firewall:
            ranges = self.port.origin("spec.loadBalancerSourceRanges")
            for front in self.vips:
                guarded = Front(front.address, (ranges, *front.origins))
                yield self._by_address("firewall-ips", guarded, f"firewall-{self.base}")
        if self.port.node_port:
            yield from self._node_port()

    def _place(self, address: str) -> tuple[str, Place]:
        port = self.port
        return f"{address} . {port.protocol} . {port.port}", (number_of(address), port.protocol, port.port)

    def _by_address(self, name: str, front: Front, chain: str) -> tuple[str, Place, Line]:
        text, place = self._place(front.address)
        return name, place, Line(f"{text} : goto {chain}", front.origins)

    def _nobody(self, front: Front, policy: str) -> tuple[str, Place, Line]:
        text, place = self._place(front.address)
        why = fronts.missing(self.port, self.slices, policy)
        return "no-endpoint-services", place, Line(f"{text} {self._verdict()}", (*why, *front.origins))

    def _verdict(self) -> str:
        """For whom nobody answers: nobody here (a Local policy), or nobody at all."""
        return f'comment "{self.port.display}" : {"drop" if self.port.has_endpoints else "goto reject-chain"}'

    def _node_port(self) -> Iterator[tuple[str, Place, Line]]:
        port, origin = self.port, self.port.port_origin("nodePort")
        text, place = f"{port.protocol} . {port.node_port}", (port.protocol, port.node_port)
        if port.has_endpoints:
            yield "service-nodeports", place, Line(f"{text} : goto external-{self.base}", (origin,))
        if not self.external_ok:
            why = fronts.missing(port, self.slices, "spec.externalTrafficPolicy")
            yield "no-endpoint-nodeports", place, Line(f"{text} {self._verdict()}", (*why, origin))

    # ---- chains of its own ----------------------------------------------------------------------

    def _chains(self) -> Iterator[tuple[str, Lines]]:
        port = self.port
        for kind, endpoints in (("service", port.cluster_endpoints), ("local", port.local_endpoints)):
            chain = f"{kind}-{self.base}"
            if endpoints:
                masquerade = self._masquerade() if chain == self.internal_target else ()
                yield chain, (*masquerade, *self._choice(endpoints))
        if port.has_endpoints and port.external:
            yield f"external-{self.base}", tuple(self._external())
        if self.has_firewall:
            yield f"firewall-{self.base}", self._firewall()
        for one in port.reachable:
            name = self.names[one.text]
            yield f"endpoint-{name}", tuple(self._endpoint(one, name))

    def _masquerade(self) -> Lines:
        """To the ClusterIP from outside; it matches the ClusterIP as external traffic comes here too."""
        settings, (address, origins) = self.settings, self.cluster_ip
        to = f"{settings.ip} daddr {address}"
        if settings.masquerade_all:
            setting = Origin("KubeProxyConfiguration", "", "", "nftables.masqueradeAll")
            return (Line(f"{to} {MARK}", (setting, *origins)),)
        if settings.detector is None:
            return ()
        outside = settings.local(settings.detector, "!= ")
        return (Line(f"{to} {outside} {MARK}", (settings.detector.origin, *origins)),)

    def _choice(self, endpoints: Endpoints) -> Iterator[Line]:
        """Those who came before go back to their endpoint; the rest are spread evenly."""
        if self.port.affinity_timeout is not None:
            for one in endpoints:
                name = self.names[one.text]
                text = f"{self.settings.ip} saddr @affinity-{name} goto endpoint-{name}"
                yield Line(text, (self.affinity, one.origin))
        ways = ", ".join(f"{place} : goto endpoint-{self.names[one.text]}" for place, one in enumerate(endpoints))
        text = f"numgen random mod {len(endpoints)} vmap {{ {ways} }}"
        yield Line(text, tuple(one.origin for one in endpoints))

    def _external(self) -> Iterator[Line]:
        target = f"service-{self.base}"
        if self.port.external_local:
            yield from self._short_cuts(target)
            target = f"local-{self.base}"
        else:
            yield Line(MARK, (self.policy,))
        if self.external_ok:
            yield Line(f"goto {target}", (self.policy,))

    def _short_cuts(self, target: str) -> Iterator[Line]:
        """Local policy: this cluster's pods and this node reach every endpoint all the same."""
        detector = self.settings.detector
        if detector is not None:
            text = f'{self.settings.local(detector)} goto {target} comment "short-circuit pod traffic"'
            yield Line(text, (self.policy, detector.origin))
        yield Line(f'fib saddr type local {MARK} comment "masquerade local traffic"', (self.policy,))
        yield Line(f'fib saddr type local goto {target} comment "short-circuit local traffic"', (self.policy,))

    def _firewall(self) -> Lines:
        port = self.port
        allowed, origins = list(port.source_ranges), [port.origin("spec.loadBalancerSourceRanges")]
        if holds(port.source_ranges, self.settings.node_ip):
            # A node that owns the VIP calls it from the VIP itself.
            allowed += [front.address for front in self.vips]
            origins += [front.origins[0] for front in self.vips]
        return (Line(f"{self.settings.ip} saddr != {literal(allowed)} drop", tuple(origins)),)

    def _endpoint(self, one: ServiceEndpoint, name: str) -> Iterator[Line]:
        ip, origin = self.settings.ip, one.origin
        yield Line(f"{ip} saddr {one.address} {MARK}", (origin,))
        if self.port.affinity_timeout is not None:
            yield Line(f"update @affinity-{name} {{ {ip} saddr }}", (self.affinity, origin))
        yield Line(
            f"meta l4proto {self.port.protocol} dnat to {one.text}", (origin, self.port.port_origin("targetPort"))
        )


def _affinity_header(address_type: str, seconds: int) -> tuple[str, ...]:
    # nft gives a set that rules update a size when none was asked for (nft_dynset_init has the same).
    return f"type {address_type}", "size 65535", "flags dynamic,timeout", f"timeout {duration(seconds)}"


def duration(seconds: int) -> str:
    """A time as nft writes it: `3h`, `1m30s`."""
    text, left = "", seconds
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text
