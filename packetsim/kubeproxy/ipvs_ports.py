"""Rule: one service port in, its virtual servers and set entries out; no other service port is looked at.

Facts from syncProxyRules and syncEndpoint in pkg/proxy/ipvs/proxier.go (Kubernetes 1.33 to 1.35).
Virtual servers read as `ipvsadm -Sn` of ipvsadm 1.31 prints them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from packetsim.addresses import family_of, full_length, network, number_of, with_port
from packetsim.cluster.model import Service
from packetsim.kubeproxy import fronts, ipvs_sets
from packetsim.kubeproxy.fragments import Place
from packetsim.kubeproxy.fronts import Front
from packetsim.kubeproxy.ipvs_order import in_listing_order
from packetsim.kubeproxy.ipvs_sets import Entry, by_net, by_port
from packetsim.kubeproxy.services import Endpoints, ProxiedPort, holds
from packetsim.protocols import PROTOCOL_NUMBERS
from packetsim.ruletext import Line, Origin, ServerText

_OPTION = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the servers and entries of every service port of one family depend on.

    `node_addresses`: all that interfaces other than kube-ipvs0 have. `node_port_addresses`: those
    that node ports answer on.
    """

    family: int
    node_ip: str
    scheduler: str
    node_addresses: tuple[str, ...]
    node_port_addresses: tuple[str, ...]


class NamedServer(NamedTuple):
    """`name`: `tcp 10.96.0.1:80`."""

    name: str
    text: ServerText


@dataclass(frozen=True, slots=True)
class Made:
    """What one Service adds: servers, each set's entries, and lines of KUBE-IPVS-OUT-FILTER."""

    servers: dict[Place, NamedServer] = field(default_factory=dict)
    entries: dict[str, list[tuple[Place, Line]]] = field(default_factory=dict)
    out_filter: list[Line] = field(default_factory=list)


class PortServers:
    """One service port: `add` puts everything it has into a Made."""

    def __init__(self, port: ProxiedPort, service: Service, settings: Settings) -> None:
        self.port, self.settings = port, settings
        self.cluster_ip = fronts.cluster_ip(port, service)
        self.external_ips = fronts.external_ips(port, service)
        self.vips = fronts.load_balancer_ips(port, service)
        # ipset refuses a /0; that range means the same as no range at all (kubernetes PR 132722).
        self.source_ranges = () if any(network(one).is_zero for one in port.source_ranges) else port.source_ranges
        self.internal = _listed(_fallback(port, port.internal_local))
        same = port.internal_local == port.external_local
        self.external = self.internal if same else _listed(_fallback(port, port.external_local))
        options = f"-s {settings.scheduler}"
        if port.affinity_timeout is not None:
            options += f" -p {port.affinity_timeout}"
        # mh alone would hash the source address only; kube-proxy wants the port as well.
        self.options = f"{options} -b mh-port" if settings.scheduler == "mh" else options
        affinity = () if port.affinity_timeout is None else (port.origin("spec.sessionAffinity"),)
        self.tuning = (*affinity, Origin("KubeProxyConfiguration", "", "", "ipvs.scheduler"))

    def add(self, made: Made) -> None:
        made.servers.update(self._servers())
        for name, entry in self._entries():
            line = entry.added_to(name, self.settings.family)
            made.entries.setdefault(name, []).append((entry.place, line))
        made.out_filter.extend(self._out_filter())

    # ---- virtual servers ------------------------------------------------------------------------

    def _servers(self) -> Iterator[tuple[Place, NamedServer]]:
        port = self.port
        yield self._server(self.cluster_ip, port.port, self.internal)
        for front in (*self.external_ips, *self.vips):
            yield self._server(front, port.port, self.external)
        if port.node_port:
            origins = (port.port_origin("nodePort"),)
            for address in self.settings.node_port_addresses:
                yield self._server(Front(address, origins), port.node_port, self.external)

    def _server(self, front: Front, number: int, endpoints: Endpoints) -> tuple[Place, NamedServer]:
        protocol = self.port.protocol
        text = with_port(front.address, number)
        service = f"{_OPTION[protocol]} {text}"
        server = Line(f"-A {service} {self.options}", (*front.origins, *self.tuning))
        reals = tuple(Line(f"-a {service} -r {one.text} -m -w 1", (one.origin, *front.origins)) for one in endpoints)
        place = (PROTOCOL_NUMBERS[protocol], number_of(front.address), number)
        return place, NamedServer(f"{protocol} {text}", ServerText(server, reals))

    # ---- set entries ----------------------------------------------------------------------------

    def _entries(self) -> Iterator[tuple[str, Entry]]:
        port = self.port
        for one in port.endpoints:
            if one.local:  # ready or not
                yield ipvs_sets.LOOP_BACK, by_port(one.address, port.protocol, one.port, one.origin, source=one.address)
        yield ipvs_sets.CLUSTER_IP, self._entry(self.cluster_ip)
        yield self._bound(self.cluster_ip)
        name = ipvs_sets.EXTERNAL_IP_LOCAL if port.external_local else ipvs_sets.EXTERNAL_IP
        for front in self.external_ips:
            yield name, self._entry(front)
        for front in self.vips:
            yield from self._load_balancer(front)
        for front in (*self.external_ips, *self.vips):
            if front.address not in self.settings.node_addresses:
                yield self._bound(front)
        if not port.node_port or self.settings.node_port_addresses:
            yield from self._node_port()

    def _entry(self, front: Front) -> Entry:
        return by_port(front.address, self.port.protocol, self.port.port, *front.origins)

    def _bound(self, front: Front) -> tuple[str, Entry]:
        """The address goes to kube-ipvs0."""
        return ipvs_sets.IPVS_IPS, Entry((number_of(front.address),), front.address, front.origins[:1])

    def _load_balancer(self, front: Front) -> Iterator[tuple[str, Entry]]:
        port = self.port
        yield ipvs_sets.LOAD_BALANCER, self._entry(front)
        if port.external_local:
            yield ipvs_sets.LOAD_BALANCER_LOCAL, self._entry(front)
        if not self.source_ranges:
            return
        ranges = port.origin("spec.loadBalancerSourceRanges")
        origins = (ranges, *front.origins)
        yield ipvs_sets.LOAD_BALANCER_FW, by_port(front.address, port.protocol, port.port, *origins)
        for one in self.source_ranges:
            yield ipvs_sets.SOURCE_CIDR, by_net(front.address, port.protocol, port.port, one, *origins)
        if self._node_allowed:
            own = by_port(front.address, port.protocol, port.port, *origins, source=front.address)
            yield ipvs_sets.SOURCE_IP, own

    @property
    def _node_allowed(self) -> bool:
        return holds(self.source_ranges, self.settings.node_ip)

    def _node_port(self) -> Iterator[tuple[str, Entry]]:
        """Without a usable node address kube-proxy leaves out the health check as well."""
        port, number = self.port, self.port.node_port
        names = [ipvs_sets.NODE_PORT, *([ipvs_sets.NODE_PORT_LOCAL] if port.external_local else [])]
        for by_protocol in names if number else ():
            name, origin = by_protocol[port.protocol], port.port_origin("nodePort")
            if port.protocol != "sctp":
                yield name, Entry((number,), str(number), (origin,))
                continue
            for address in self.settings.node_port_addresses:
                yield name, by_port(address, "sctp", number, origin)
        if port.health_check_node_port:
            check, origin = port.health_check_node_port, port.origin("spec.healthCheckNodePort")
            yield ipvs_sets.HEALTH_CHECK, Entry((check,), str(check), (origin,))

    def _out_filter(self) -> Iterator[Line]:
        """A node calls a VIP from the VIP itself: it is told by that, if no range holds the node."""
        if not self.source_ranges or self._node_allowed:
            return
        port, ranges = self.port, self.port.origin("spec.loadBalancerSourceRanges")
        for front in self.vips:
            # iptables-save prints an -s with its length and a --vaddr without (libxt_ipvs.c).
            text = (
                f"-A KUBE-IPVS-OUT-FILTER -s {front.address}/{full_length(front.address)} -m ipvs "
                f"--vproto {PROTOCOL_NUMBERS[port.protocol]} --vaddr {front.address} --vport {port.port} -j DROP"
            )
            yield Line(text, (ranges, *front.origins))


def _fallback(port: ProxiedPort, local: bool) -> Endpoints:
    """Local policy: the Local set, else the Cluster set so that pods at least get an answer (kubernetes PR 97081)."""
    return (port.local_endpoints if local else ()) or port.cluster_endpoints


def _listed(endpoints: Endpoints) -> Endpoints:
    """In the order of the listing: by address, then by port."""
    if len(endpoints) < 2:
        return endpoints
    numbers = [number_of(one.address) for one in endpoints]
    rank = {number: place for place, number in enumerate(in_listing_order(numbers, family_of(endpoints[0].address)))}
    return tuple(sorted(endpoints, key=lambda one: (rank[number_of(one.address)], one.port)))
