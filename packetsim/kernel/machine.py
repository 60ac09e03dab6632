"""Rule: a machine carries a packet from where it comes in to where it leaves or ends, as Linux's IP stack does.

Pods, nodes and outside hosts are all machines; a node only has more interfaces and rules.
net/ipv4/ip_{input,forward,output}.c, net/ipv4/route.c, net/bridge/br_netfilter_hooks.c,
net/netfilter/ipvs/ip_vs_xmit.c (Linux 6.1). Bridges call netfilter (bridge-nf-call-iptables=1),
as kubeadm demands; reverse path filtering is off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from packetsim.addresses import network
from packetsim.hooks import ROUTING, Hook
from packetsim.kernel import answers
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.journey import Journey
from packetsim.kernel.netfilter import HookResult, Netfilter, Skb, Stopped, Taken
from packetsim.kernel.routing import Route, RoutingTable
from packetsim.kernel.visit import Outcome
from packetsim.packet import Packet
from packetsim.trace import Disposition, Ended, Noted, Routed, Translated


@dataclass(frozen=True, slots=True)
class Interface:
    """`addresses`: (address, prefix length). `bridge`: the bridge whose port this is."""

    name: str
    mac: str
    addresses: tuple[tuple[str, int], ...] = ()
    bridge: str | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Who answers for a next hop: the MAC, and on a bridge the port."""

    mac: str
    port: str | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """The frame leaves by `interface`, addressed to `next_hop`."""

    interface: str
    packet: Packet
    next_hop: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """The packet is for a socket of this machine."""

    packet: Packet


@dataclass(frozen=True, slots=True)
class Discarded:
    """The packet's way ends. `answer`: the ICMP error or RST that this machine now sends (source may be open)."""

    outcome: Disposition
    why: str
    answer: Packet | None = None


Fate = Departure | Arrival | Discarded
Resolve = Callable[[str, str], Neighbour | None]  # (interface, next hop)


class Machine:
    """`kind`: pod, node, outside. `forwards`: net.ipv4.ip_forward."""

    def __init__(
        self, name: str, kind: str, interfaces: tuple[Interface, ...], routes: tuple[Route, ...], resolve: Resolve
    ) -> None:
        self.name = name
        self.kind = kind
        self.interfaces = {one.name: one for one in interfaces}
        self.resolve = resolve
        self.sysctls: Mapping[str, str] = {}
        self._static = routes
        self._own = {address: one.name for one in interfaces for address, _ in one.addresses}
        self.routes = RoutingTable(routes, dict(self._own))
        self.netfilter = Netfilter(self._address_type, self.address_of, self.primary_of)

    def hold(self, addresses: Mapping[str, str]) -> None:
        """More local addresses (address -> device), beside those of the interfaces: kube-ipvs0."""
        self.routes = RoutingTable(self._static, {**addresses, **self._own})

    def copy(self) -> Machine:
        """The same machine in the same state; what either does next the other does not see."""
        twin = Machine(self.name, self.kind, tuple(self.interfaces.values()), self._static, self.resolve)
        twin.routes = self.routes
        twin.continue_from(self)
        return twin

    def continue_from(self, other: Machine) -> None:
        """Go on in the kernel state in which another machine is now."""
        self.sysctls = other.sysctls
        self.netfilter = other.netfilter.copy(self._address_type, self.address_of, self.primary_of)

    def _address_type(self, address: str) -> str:
        return self.routes.address_type(address)

    def address_of(self, interface: str | None, destination: str) -> str | None:
        """The source for what leaves by the interface: its address in the destination's subnet, else its first.

        A loopback address is for this machine alone, so for lo it is another interface's (inet_select_addr);
        of IPv6 addresses the destination itself comes first (ipv6_dev_get_saddr, rule 1).
        """
        if interface is None or interface not in self.interfaces:
            return None
        if ":" in destination and destination in self._own:
            return destination
        own = self._global(interface, destination)
        near = (address for address, length in own if destination in network(f"{address}/{length}"))
        rest = (one[0] for name in (interface, *self.interfaces) for one in self._global(name, destination))
        return next(near, None) or next(rest, None)

    def _global(self, interface: str, destination: str) -> list[tuple[str, int]]:
        """The interface's addresses of the destination's family, those of scope host left out."""
        six = ":" in destination
        return [
            one for one in self.interfaces[interface].addresses if (":" in one[0]) == six and not _is_loopback(one[0])
        ]

    def primary_of(self, interface: str | None, family: int) -> str | None:
        """The interface's first address of the family: where REDIRECT leads (nf_nat_redirect_ipv4)."""
        if interface is None or interface not in self.interfaces:
            return None
        six = family == 6
        return next((one for one, _ in self.interfaces[interface].addresses if (":" in one) == six), None)

    # ---- sending --------------------------------------------------------------------------------

    def send(self, packet: Packet, journey: Journey) -> Fate:
        """A socket of this machine sends."""
        route = self.routes.look_up(packet.destination)
        self._note_route(route, packet, "out", journey)
        if route is None:
            return self._end(journey, packet, Disposition.UNANSWERED, "this machine has no route to the destination")
        skb = Skb(packet)
        result = self.netfilter.run(Hook.OUTPUT, skb, _way_out(route), journey)
        if isinstance(result, Taken):
            return self._ipvs_send(skb, result, Hook.OUTPUT, journey)
        if isinstance(result, Stopped):
            return self._stopped(result, skb, journey)
        return self._leave_locally(skb, packet, route, journey)

    def _leave_locally(self, skb: Skb, sent: Packet, route: Route, journey: Journey) -> Fate:
        if (skb.packet.destination, skb.packet.mark) != (sent.destination, sent.mark):
            again = self.routes.look_up(skb.packet.destination)  # ip_route_me_harder
            self._note_route(again, skb.packet, "out", journey)
            if again is None:
                return self._end(journey, skb.packet, Disposition.UNANSWERED, "no route to the new destination")
            route = again
        loopback = skb.packet.source.startswith("127.") and route.device != "lo" and route.kind != "local"
        if loopback and self.sysctls.get("net.ipv4.conf.all.route_localnet") != "1":
            why = "a loopback source may not leave by another interface (route_localnet is 0)"
            return self._end(journey, skb.packet, Disposition.DROPPED, why)
        return self._post(skb, route, journey)

    def source_toward(self, destination: str) -> str:
        """The source address the kernel chooses for a socket bound to none; "" without a route."""
        route = self.routes.look_up(destination)
        if route is None:
            return ""
        if route.source is not None:
            return route.source
        chosen = self.address_of(route.device, route.via or destination)
        return chosen or ("::1" if ":" in destination else "127.0.0.1")

    # ---- receiving ------------------------------------------------------------------------------

    def receive(self, packet: Packet, interface: str, journey: Journey) -> Fate:
        """A frame reaches an interface."""
        journey.capture(interface, "in", packet)
        if packet.mark:
            packet = packet.with_mark(0)  # the mark is of the other machine's skb
        port = self.interfaces[interface]
        if port.bridge is not None:
            return self._receive_bridged(packet, port, port.bridge, journey)
        return self._receive(Skb(packet, in_interface=interface), journey)

    def _receive(self, skb: Skb, journey: Journey) -> Fate:
        result = self.netfilter.run(Hook.PREROUTING, skb, None, journey)
        return self._stopped(result, skb, journey) if isinstance(result, Stopped) else self._route_in(skb, journey)

    def _receive_bridged(self, packet: Packet, port: Interface, bridge: str, journey: Journey) -> Fate:
        """br_nf_pre_routing, then either over the bridge or up the stack (br_nf_pre_routing_finish)."""
        skb = Skb(packet, in_interface=bridge, physical_in=port.name)
        result = self.netfilter.run(Hook.PREROUTING, skb, None, journey)
        if isinstance(result, Stopped):
            return self._stopped(result, skb, journey)
        if skb.packet.destination != packet.destination:
            route = self.routes.look_up(skb.packet.destination)
            if route is not None and route.device == bridge and route.kind != "local":
                # Translated to a neighbour on the same bridge: it stays a bridged frame, its TTL untouched.
                self._note_route(route, skb.packet, "bridge", journey)
                neighbour = self.resolve(bridge, route.via or skb.packet.destination)
                if neighbour is None or neighbour.port is None:
                    return self._nobody(skb.packet, skb.packet.destination, journey)
                skb.packet = replace(skb.packet, destination_mac=neighbour.mac)
                return self._bridge(skb, bridge, neighbour.port, journey)
        elif packet.destination_mac != self.interfaces[bridge].mac:
            neighbour = self.resolve(bridge, packet.destination)
            if neighbour is None or neighbour.port is None:
                return self._nobody(packet, packet.destination, journey)
            return self._bridge(skb, bridge, neighbour.port, journey)
        return self._route_in(skb, journey)  # PREROUTING is not run again (ip_sabotage_in)

    def _bridge(self, skb: Skb, bridge: str, port: str, journey: Journey) -> Fate:
        for hook in (Hook.FORWARD, Hook.POSTROUTING):
            result = self.netfilter.run(hook, skb, bridge, journey, physical_out=port)
            if isinstance(result, Stopped):
                return self._stopped(result, skb, journey)
        journey.capture(port, "out", skb.packet)
        return Departure(port, skb.packet, skb.packet.destination)

    def _route_in(self, skb: Skb, journey: Journey) -> Fate:
        packet = skb.packet
        why = self._martian(skb)
        if why:
            return self._end(journey, packet, Disposition.DROPPED, why)
        route = self.routes.look_up(packet.destination)
        local = route is not None and route.kind == "local"
        self._note_route(route, packet, "local" if local else "forward", journey)
        if local:
            return self._input(skb, journey)
        if self.kind != "node":
            return self._end(
                journey,
                packet,
                Disposition.UNANSWERED,
                "the packet is for another address, and this machine forwards nothing",
            )
        if route is None:
            answer = answers.unreachable(packet, "icmp-net-unreachable", "")
            return self._end(journey, packet, Disposition.UNANSWERED, "no route to the destination", answer)
        return self._forward(skb, route, journey)

    def _martian(self, skb: Skb) -> str:
        """Why the source or destination may not come in this way, or "" (ip_route_input_slow, IPv4 only)."""
        packet = skb.packet
        if packet.family == 6 or skb.in_interface == "lo":
            return ""
        if _is_loopback(packet.source) or (
            _is_loopback(packet.destination) and self.sysctls.get("net.ipv4.conf.all.route_localnet") != "1"
        ):
            return "a loopback address came in by another interface: martian"
        if packet.source in self.routes.local:
            return f"the source {packet.source} is this machine's own address: martian source"
        return ""

    def _input(self, skb: Skb, journey: Journey) -> Fate:
        result = self.netfilter.run(Hook.INPUT, skb, None, journey)
        if isinstance(result, Taken):
            return self._ipvs_send(skb, result, Hook.INPUT, journey)
        return self._stopped(result, skb, journey) if isinstance(result, Stopped) else Arrival(skb.packet)

    def _forward(self, skb: Skb, route: Route, journey: Journey) -> Fate:
        expired = self._too_old(skb, journey)
        if expired is not None:
            return expired
        before, skb.packet = skb.packet, skb.packet.hopped()  # ip_forward does so before it asks FORWARD
        journey.note(None, Noted("forwarded: one hop further"), before, skb.packet)
        result = self.netfilter.run(Hook.FORWARD, skb, route.device, journey)
        return self._stopped(result, skb, journey) if isinstance(result, Stopped) else self._post(skb, route, journey)

    def _too_old(self, skb: Skb, journey: Journey) -> Discarded | None:
        if skb.packet.ttl > 1:
            return None
        answer = answers.time_exceeded(skb.packet)
        return self._end(journey, skb.packet, Disposition.DROPPED, "its TTL has run out", answer)

    # ---- leaving --------------------------------------------------------------------------------

    def _post(self, skb: Skb, route: Route, journey: Journey) -> Fate:
        result = self.netfilter.run(Hook.POSTROUTING, skb, _way_out(route), journey)
        if isinstance(result, Stopped):
            return self._stopped(result, skb, journey)
        if route.kind == "local":
            journey.cross("loopback", "lo", "lo", self.name, skb.packet)
            skb.in_interface, skb.physical_in = "lo", None
            return self._receive(skb, journey)
        return self._transmit(skb.packet, route, journey)

    def _transmit(self, packet: Packet, route: Route, journey: Journey) -> Fate:
        next_hop = route.via or packet.destination
        neighbour = self.resolve(route.device, next_hop)
        if neighbour is None:
            return self._nobody(packet, next_hop, journey)
        framed = packet.framed(self.interfaces[route.device].mac, neighbour.mac)
        journey.capture(route.device, "out", framed)
        if neighbour.port is not None:
            journey.capture(neighbour.port, "out", framed)
        return Departure(neighbour.port or route.device, framed, next_hop)

    def _nobody(self, packet: Packet, next_hop: str, journey: Journey) -> Discarded:
        why = f"nobody on the link answers for {next_hop}"
        return self._end(journey, packet, Disposition.UNANSWERED, why)

    # ---- IPVS -----------------------------------------------------------------------------------

    def _ipvs_send(self, skb: Skb, taken: Taken, hook: Hook, journey: Journey) -> Fate:
        """ip_vs_nat_xmit: rewrite the destination, route anew, and go out through LOCAL_OUT."""
        connection = taken.connection
        self._follow(skb, connection)
        before = skb.packet
        skb.packet = before.with_destination(connection.real_address, connection.real_port)
        journey.note(hook, Translated("destination", before.to_text, skb.packet.to_text, "IPVS"), before, skb.packet)
        skb.ipvs_done = True
        route = self.routes.look_up(skb.packet.destination)
        self._note_route(route, skb.packet, "out", journey)
        if route is None:
            return self._end(journey, skb.packet, Disposition.UNANSWERED, "no route to the real server")
        if route.kind == "local":
            return self._ipvs_to_self(skb, taken, hook, route, journey)
        expired = self._too_old(skb, journey)
        if expired is not None:
            return expired
        skb.packet = skb.packet.hopped()
        result = self.netfilter.run(Hook.OUTPUT, skb, route.device, journey)
        return self._stopped(result, skb, journey) if isinstance(result, Stopped) else self._post(skb, route, journey)

    def _ipvs_to_self(self, skb: Skb, taken: Taken, hook: Hook, route: Route, journey: Journey) -> Fate:
        """The real server is on this machine: the hook goes on where IPVS stood."""
        result: HookResult = self.netfilter.run(hook, skb, None, journey, after=taken.priority)
        if isinstance(result, Stopped):
            return self._stopped(result, skb, journey)
        return Arrival(skb.packet) if hook is Hook.INPUT else self._post(skb, route, journey)

    def _follow(self, skb: Skb, connection: Connection) -> None:
        """Conntrack is told whom answers will come from (ip_vs_update_conntrack, net.ipv4.vs.conntrack=1)."""
        tracking = skb.tracking
        if tracking is None or tracking.entry is None or tracking.entry.confirmed or tracking.reply:
            return
        protocol, _, _, client, port = tracking.entry.reply
        real = (protocol, connection.real_address, connection.real_port, client, port)
        self.netfilter.conntrack.replace_reply(tracking.entry, real)

    # ---- endings --------------------------------------------------------------------------------

    def _stopped(self, stopped: Stopped, skb: Skb, journey: Journey) -> Discarded:
        if stopped.outcome is Outcome.REJECT:
            own = skb.packet.destination if self.routes.is_local(skb.packet.destination) else ""
            answer = answers.rejection(skb.packet, stopped.reject_with, own)
            return self._end(journey, skb.packet, Disposition.REJECTED, stopped.why, answer)
        return self._end(journey, skb.packet, Disposition.DROPPED, stopped.why)

    def _end(
        self, journey: Journey, packet: Packet, outcome: Disposition, why: str, answer: Packet | None = None
    ) -> Discarded:
        journey.note(None, Ended(outcome, why), packet)
        return Discarded(outcome, why, answer)

    def _note_route(self, route: Route | None, packet: Packet, verdict: str, journey: Journey) -> None:
        if journey.steps is not None:
            text, verdict = (str(route), verdict) if route is not None else (f"no {ROUTING}", "unreachable")
            journey.note(None, Routed(packet.destination, text, verdict), packet)


def _way_out(route: Route) -> str:
    """What goes to an own address leaves by lo, whichever device holds it (ip_route_output_key)."""
    return "lo" if route.kind == "local" else route.device


def _is_loopback(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
