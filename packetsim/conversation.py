"""Rule: a conversation is a request, whoever takes it, and what goes back; each packet is a leg.

In userspace mode the one who takes it is kube-proxy itself, which then holds a conversation of its
own with an endpoint (pkg/proxy/userspace/proxysocket.go, Kubernetes 1.25).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from packetsim.kernel import answers
from packetsim.kernel.conntrack import Entry, inverted, tuple_of
from packetsim.kernel.machine import Arrival, Discarded, Machine
from packetsim.kubeproxy.balancer import NoEndpointError
from packetsim.kubeproxy.config import ProxySocket
from packetsim.packet import Packet
from packetsim.sockets import pod_takes
from packetsim.trace import (
    Detail,
    Disposition,
    Flow,
    Leg,
    ProxyAccepted,
    ProxyCopied,
    ProxyDialled,
    Step,
    Trace,
)
from packetsim.world import Sent, World, with_ending

EPHEMERAL = (32768, 60999)  # net.ipv4.ip_local_port_range
# endpointDialTimeouts: how long each attempt may take, in seconds
DIAL_TIMEOUTS = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2))


class Conversation:
    """One flow through one world. `record` False: the legs carry no steps."""

    def __init__(self, world: World, flow: Flow, record: bool) -> None:
        self._world = world
        self._flow = flow
        self._record = record
        self._legs: list[Leg] = []
        self._met: dict[int, tuple[str, Entry]] = {}

    def hold(self) -> Trace:
        sender = self._sender()
        sent = self._carry(sender, self._request(self._flow.protocol), "request")
        if isinstance(sent.fate, Discarded):
            self._legs.append(sent.leg)
            answered = self._send_error(sent)
            return self._trace(sent, sent.fate.outcome, sent.fate.why, None, answered)
        return self._taken(sent, sent.fate.packet)

    # ---- the request ------------------------------------------------------------------------------

    def _carry(self, machine: Machine, packet: Packet, title: str) -> Sent:
        sent = self._world.carry(machine, packet, title, self._record)
        self._met.update(sent.entries)
        return sent

    def _sender(self) -> Machine:
        """The machine the flow starts at. An outside host is remembered, with the node it enters by."""
        world, place = self._world, self._flow.place
        namespace, _, name = place.partition("/")
        pod = world.cluster.pods.get((namespace, name))
        if pod is not None and pod.host_network:
            return world.network.machine(pod.node)
        if pod is None and place not in world.cluster.nodes:
            world.network.outside[place] = self._flow.via or ""
        return world.network.machine(place)

    def _request(self, protocol: str) -> Packet:
        flow, dice = self._flow, self._world.dice
        on_node = flow.place in self._world.cluster.nodes or self._sender().kind == "node"
        packet = Packet(
            source="" if on_node else flow.source,
            destination=flow.destination,
            protocol=protocol,
            source_port=flow.source_port or dice.draw(*EPHEMERAL),
            destination_port=flow.port,
        )
        return _opening(packet, dice.draw(0, 2**32 - 2))

    # ---- whoever takes it -------------------------------------------------------------------------

    def _taken(self, sent: Sent, arrived: Packet) -> Trace:
        socket = self._proxy_socket(sent.machine, arrived)
        if socket is not None:
            return self._proxied(sent, arrived, socket)
        if not self._listens(sent.machine, arrived):
            why = f"nobody on {sent.machine.name} listens on {arrived.protocol} port {arrived.destination_port}"
            self._legs.append(with_ending(sent.leg, Disposition.REFUSED, why, arrived))
            answered = self._returns(sent, answers.nobody_listens(arrived), "refusal")
            return self._trace(sent, Disposition.REFUSED, why, arrived, answered)
        why = f"{arrived.to_text} on {sent.machine.name} accepts it"
        self._legs.append(with_ending(sent.leg, Disposition.DELIVERED, why, arrived))
        answered = self._answered(sent, arrived)
        return self._trace(sent, Disposition.DELIVERED, why, arrived, answered)

    def _answered(self, sent: Sent, arrived: Packet) -> bool:
        """The reply goes back, then what completes the handshake: packets that no nat chain sees."""
        answer = answers.reply(arrived, self._world.dice.draw(0, 2**32 - 2))
        answered = self._returns(sent, answer, "reply")
        if answered and arrived.protocol != "udp":
            third = self._carry(sent.origin, answers.next_packet(sent.packet, answer), "next packet")
            self._legs.append(third.leg)
            if arrived.protocol == "sctp" and isinstance(third.fate, Arrival):
                self._returns(third, answers.cookie_taken(third.fate.packet, sent.packet), "reply")
        return answered

    def _returns(self, sent: Sent, answer: Packet, title: str) -> bool:
        """Carry an answer back; True when the sender takes it for an answer to what it sent."""
        back = self._carry(sent.machine, answer, title)
        self._legs.append(back.leg)
        if not isinstance(back.fate, Arrival):
            return False
        got = back.fate.packet
        about = tuple_of(got.quoted) if got.quoted is not None else inverted(tuple_of(got))
        if about == tuple_of(sent.packet):
            return True
        why = f"{back.machine.name} never sent anything to {got.from_text}: it does not take this for an answer"
        self._legs[-1] = with_ending(back.leg, Disposition.REFUSED, why, got)
        if got.quoted is None and got.flags not in answers.LAST_WORDS:  # no socket is for it: it is answered as such
            self._legs.append(self._carry(back.machine, answers.nobody_listens(got), "refusal").leg)
        return False

    def _send_error(self, sent: Sent) -> bool:
        assert isinstance(sent.fate, Discarded)
        if sent.fate.answer is None:
            return False
        self._returns(sent, sent.fate.answer, "ICMP error" if sent.fate.answer.quoted is not None else "reset")
        return False

    def _listens(self, machine: Machine, packet: Packet) -> bool:
        port = (packet.protocol, packet.destination_port)
        if machine.kind == "node":
            return self._world.sockets[machine.name].takes(*port)
        pod = self._world.network.pod_named(machine.name)  # by name: over loopback the destination is no Pod's
        return pod is None or pod_takes(pod, *port)

    # ---- userspace kube-proxy ---------------------------------------------------------------------

    def _proxy_socket(self, machine: Machine, packet: Packet) -> ProxySocket | None:
        if self._world.mode != "userspace" or machine.kind != "node":
            return None
        sockets = self._world.sockets[machine.name]
        return sockets.proxy(packet.protocol, packet.destination, packet.destination_port)

    def _proxied(self, sent: Sent, arrived: Packet, socket: ProxySocket) -> Trace:
        accepted = ProxyAccepted(arrived.to_text, socket.service_port)
        self._legs.append(self._leg_with(sent.leg, accepted, arrived))
        if arrived.protocol != "udp" and not self._answered(sent, arrived):
            return self._trace(
                sent, Disposition.DROPPED, "the proxy's own answer never reached the client", None, False
            )
        return self._dial(sent, arrived, socket)

    def _dial(self, sent: Sent, arrived: Packet, socket: ProxySocket) -> Trace:
        """Up to four endpoints in turn; from the second attempt on affinity is ignored and rewritten."""
        balancer = self._world.balancers[sent.machine.name]
        why, outcome = "", Disposition.UNANSWERED
        attempts = DIAL_TIMEOUTS if arrived.protocol == "tcp" else DIAL_TIMEOUTS[:1]
        waited = Fraction(0)
        for attempt, timeout in enumerate(attempts, 1):
            now = self._world.now + float(waited)
            try:
                endpoint = balancer.next_endpoint(
                    socket.service_port, arrived.source, attempt > 1, now, self._world.dice
                )
            except NoEndpointError:
                why = f"kube-proxy knows no endpoint of {socket.service_port} and closes what it has accepted"
                outcome = Disposition.REFUSED if arrived.protocol == "tcp" else Disposition.DROPPED
                break
            dialled, result, why, outcome = self._dialled(sent, endpoint, arrived.protocol)
            waited += timeout if result == "timed out" else 0
            self._legs[-1] = self._leg_with(
                self._legs[-1], ProxyDialled(endpoint, attempt, timeout, result, why), dialled.packet
            )
            if outcome is Disposition.DELIVERED:
                assert isinstance(dialled.fate, Arrival)
                return self._joined(sent, arrived, dialled, dialled.fate.packet, socket)
        return self._trace(sent, outcome, why, None, False)

    def _dialled(self, sent: Sent, endpoint: str, protocol: str) -> tuple[Sent, str, str, Disposition]:
        """kube-proxy's own connection to an endpoint: (what was sent, result, why, outcome)."""
        address, _, port = endpoint.rpartition(":")
        dice = self._world.dice
        packet = Packet("", address.strip("[]"), protocol, dice.draw(*EPHEMERAL), int(port))
        opening = _opening(packet, dice.draw(0, 2**32 - 2))
        dialled = self._carry(sent.machine, opening, "proxy's own connection")
        if isinstance(dialled.fate, Discarded):
            self._legs.append(dialled.leg)
            return dialled, "timed out", dialled.fate.why, dialled.fate.outcome
        got = dialled.fate.packet
        if not self._listens(dialled.machine, got):
            why = f"nobody on {dialled.machine.name} listens on {protocol} port {got.destination_port}"
            self._legs.append(with_ending(dialled.leg, Disposition.REFUSED, why, got))
            self._returns(dialled, answers.nobody_listens(got), "refusal")
            return dialled, "refused", why, Disposition.REFUSED
        why = f"{got.to_text} on {dialled.machine.name} accepts it"
        self._legs.append(with_ending(dialled.leg, Disposition.DELIVERED, why, got))
        if self._answered(dialled, got):
            return dialled, "connected", why, Disposition.DELIVERED
        return dialled, "timed out", "its answer never came back", Disposition.DROPPED

    def _joined(self, sent: Sent, arrived: Packet, dialled: Sent, got: Packet, socket: ProxySocket) -> Trace:
        copied = ProxyCopied(f"{arrived.from_text} → {arrived.to_text}", f"{dialled.packet.from_text} → {got.to_text}")
        self._legs[-1] = self._leg_with(self._legs[-1], copied, got)
        answered = True
        if arrived.protocol == "udp":
            answer = answers.reply(arrived, 0)
            if socket.address in ("0.0.0.0", "::"):  # WriteTo names no source: routing chooses it (proxyClient)
                answer = replace(answer, source="")
            answered = self._returns(sent, answer, "reply")
        why = f"{got.to_text} accepts kube-proxy's connection"
        told = self._trace(sent, Disposition.DELIVERED, why, got, answered)
        return replace(told, masqueraded=True)  # even if the proxy's socket is of the sender's address and port

    # ---- telling it -------------------------------------------------------------------------------

    def _leg_with(self, leg: Leg, detail: Detail, packet: Packet) -> Leg:
        if not leg.hops:
            return leg
        last = leg.hops[-1]
        return replace(
            leg, hops=(*leg.hops[:-1], replace(last, steps=(*last.steps, Step(None, detail, packet, packet))))
        )

    def _trace(self, sent: Sent, disposition: Disposition, why: str, arrived: Packet | None, answered: bool) -> Trace:
        flow = replace(self._flow, source=sent.packet.source or self._flow.source, source_port=sent.packet.source_port)
        return Trace(
            flow=flow,
            mode=self._world.mode,
            legs=tuple(self._legs),
            disposition=disposition,
            why=why,
            endpoint=arrived.to_text if arrived is not None else None,
            source_seen=arrived.source if arrived is not None else None,
            masqueraded=arrived is not None and arrived.from_text != sent.packet.from_text,
            answered=answered,
            entries=self._entries() if self._record else (),
        )

    def _entries(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The entries that this conversation's packets met, machine by machine, as they stand now."""
        by_place: dict[str, list[str]] = {}
        for place, entry in self._met.values():
            if entry.confirmed and not entry.dying:
                by_place.setdefault(place, []).append(entry.listed(self._world.now))
        return tuple((place, tuple(lines)) for place, lines in by_place.items())


def _opening(packet: Packet, sequence: int) -> Packet:
    """The first packet of a connection of this protocol."""
    if packet.protocol == "udp":
        return replace(packet, payload=b"question")
    return replace(packet, flags={"tcp": "S", "sctp": "INIT"}[packet.protocol], sequence=sequence)
