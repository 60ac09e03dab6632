"""Rule: IPVS only says which connection a packet belongs to; rewriting the packet is the node's part.

One `Ipvs` is one network namespace, both families. `schedule` stands for ip_vs_in (hooks LOCAL_IN 99
and LOCAL_OUT -98), `reply` for ip_vs_out (LOCAL_IN 98, LOCAL_OUT -99, FORWARD 100); facts from
net/netfilter/ipvs/ip_vs_core.c, Linux 5.15 to 6.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packetsim.addresses import network, with_port
from packetsim.hooks import Hook
from packetsim.kernel.ipvs import listing
from packetsim.kernel.ipvs.connections import Connection, ConnectionTable, Template
from packetsim.kernel.ipvs.loading import ServerTable
from packetsim.kernel.ipvs.model import RealKey, Sysctls, read_sysctls
from packetsim.kernel.ipvs.schedulers import MaglevHashing
from packetsim.kernel.ipvs.servers import LiveReal, LiveServer
from packetsim.kernel.ipvs.states import ACTIVE, ESTABLISHED, FIRST, REUSABLE, TIMEOUTS, event_of, next_state, opens
from packetsim.kernel.visit import Visit
from packetsim.packet import Packet
from packetsim.ruletext import ServerText
from packetsim.trace import Noted, Scheduled

_FTP, _FTP_DATA = 21, 20


@dataclass(frozen=True, slots=True)
class NoServer:
    """A virtual server has no real server to give: the node answers with ICMP port unreachable, TCP too."""

    virtual_server: str
    why: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """IPVS discards the packet silently. `forgets`: the connection is gone, and its conntrack entry with it."""

    connection: Connection
    forgets: bool
    why: str


Scheduling = Connection | NoServer | Dropped | None


class Ipvs:
    """`ordered`: real servers are added in the order of the text; else their order is open (see order.py)."""

    def __init__(self, sysctls: Mapping[str, str] | None = None, ordered: bool = False) -> None:
        self._sysctls = read_sysctls(sysctls or {})
        self._servers = ServerTable(ordered)
        self._table = ConnectionTable()
        self._now = 0.0
        self._ended: list[Connection] = []  # by a change, and not yet told by `tick`

    def configure(self, sysctls: Mapping[str, str]) -> None:
        """Set `net.ipv4.vs.*`; what is not named goes back to the kernel's default."""
        self._sysctls = read_sysctls(sysctls)

    @property
    def sysctls(self) -> Sysctls:
        return self._sysctls

    def load(self, servers: Mapping[str, ServerText]) -> None:
        """Take over virtual servers; what did not change keeps counters, cursors, connections, templates."""
        self._servers.load(servers)
        self._flush()

    def _flush(self) -> None:
        """What leads to a deleted real server ends a jiffy later (ip_vs_expire_nodest_conn_flush, Linux 5.9 on)."""
        if not self._nodest:
            return
        table, by_key = self._table, self._servers.by_key
        lost = [one for one in table.requests.values() if one.real_key not in by_key[one.virtual_key].reals]
        for template in list(table.templates.values()):
            protocol, _, address, port = template.key
            server = by_key.get((protocol, address, port or _FTP))
            if server is None or template.real not in server.reals:
                table.drop(template)
        for connection in lost:
            self._end(connection)
        self._ended.extend(lost)

    def tick(self, now: float) -> list[Connection]:
        """Let time pass. Gives the connections that ended, whose conntrack entries end with them."""
        ended, self._ended = self._ended, []
        minute = now // 60 * 60
        if self._servers.waits and minute > self._now:
            self._expire(minute, ended)
            self._servers.sweep()
            self._flush()
        self._expire(now, ended)
        self._now = max(self._now, now)
        return ended

    def schedule(self, visit: Visit) -> Scheduling:
        """The connection of a request, made if need be. None: IPVS leaves the packet to others."""
        packet = visit.packet
        if visit.now != self._now:
            self.tick(visit.now)
        flow = (packet.protocol, packet.source, packet.source_port, packet.destination, packet.destination_port)
        connection = self._table.requests.get(flow)
        if connection is not None:
            taken = self._existing(visit, connection)
            if taken is not None:
                return taken
        server = self._servers.by_key.get((packet.protocol, packet.destination, packet.destination_port))
        if server is None or not server.present:
            return None
        refusal = self._left_alone(visit)
        if refusal:
            if visit.steps is not None:
                visit.note(Noted(f"IPVS leaves the packet to the local machine: {refusal}"))
            return None
        return self._new(visit, self._servers.own(server))

    def reply(self, packet: Packet, now: float | None = None) -> Connection | None:
        """The connection whose real server sent this packet to its client; the packet counts for its state."""
        flow = (packet.protocol, packet.source, packet.source_port, packet.destination, packet.destination_port)
        if now is not None and now != self._now:
            self.tick(now)
        found = self._table.replies.get(flow)
        if found is None:
            return None
        connection = self._table.own(found)
        connection.packets_out += 1
        self._advance(connection, packet, reply=True)
        return connection

    def related(self, packet: Packet) -> Connection | None:
        """The connection that an ICMP error is about, whichever side sent it (ip_vs_in_icmp, ip_vs_out_icmp)."""
        quoted = packet.quoted
        if quoted is None:
            return None
        there = (quoted.protocol, quoted.destination, quoted.destination_port, quoted.source, quoted.source_port)
        return self._table.replies.get(there) or self._table.requests.get(there)

    def connection_view(self, packet: Packet) -> Connection | None:
        """For `-m ipvs` (net/netfilter/xt_ipvs.c): only a request that IPVS has already sent on to its
        real server has a connection; a packet not scheduled yet, and any reply, has none."""
        there = (packet.protocol, packet.destination, packet.destination_port, packet.source, packet.source_port)
        return self._table.replies.get(there)

    def hashed_ports(self, packet: Packet, ports: range) -> dict[RealKey, list[int]]:
        """Where the client's source port decides (mh-port): real server -> the ports that lead to it. Else empty."""
        server = self._servers.by_key.get((packet.protocol, packet.destination, packet.destination_port))
        if server is None or "mh-port" not in server.spec.flags or self._template(server, packet) is not None:
            return {}
        scheduler = server.scheduler
        return scheduler.shares(server, packet.source, ports) if isinstance(scheduler, MaglevHashing) else {}

    def list_servers(self) -> str:
        """`ipvsadm -Ln`."""
        return listing.list_servers(self._servers.present)

    def list_connections(self) -> str:
        """`ipvsadm -Lnc`."""
        return listing.list_connections(self._table, self._now)

    def copy(self) -> Ipvs:
        """Another one in the same state. Entries are shared until either writes to them."""
        twin = Ipvs()
        twin._sysctls, twin._now = self._sysctls, self._now
        twin._servers, twin._table = self._servers.copy(), self._table.copy()
        twin._ended = list(self._ended)
        return twin

    # ---- packets of a connection that is there --------------------------------------------------

    def _existing(self, visit: Visit, connection: Connection) -> Connection | Dropped | None:
        """The connection or a drop; None when the packet is to be scheduled anew."""
        server = self._servers.by_key[connection.virtual_key]
        real = server.reals.get(connection.real_key)
        obstacle = self._obstacle(connection, real, visit.packet)
        if obstacle:
            return self._renew(visit, connection, obstacle, expire=real is not None)
        connection = self._table.own(connection)
        connection.packets_in += 1
        self._advance(connection, visit.packet, reply=False)
        if visit.steps is not None:
            self._note(visit, connection, "existing connection", f"its connection is in {connection.state}")
        return connection

    @property
    def _nodest(self) -> bool:
        return bool(self._sysctls.expire_nodest_conn)

    def _obstacle(self, connection: Connection, real: LiveReal | None, packet: Packet) -> str:
        """Why the connection cannot take the packet, or ""."""
        if real is None:
            return f"real server {connection.real_text} was deleted"
        if connection.template is None and opens(packet):
            if self._nodest and not real.weight:
                return f"a new connection, and real server {connection.real_text} has weight 0"
            if self._sysctls.conn_reuse_mode and connection.state in REUSABLE[connection.protocol]:
                return f"a new connection, and the one before is in {connection.state}"
        return ""

    def _renew(self, visit: Visit, connection: Connection, why: str, expire: bool) -> Dropped | None:
        """End the connection; the packet is scheduled anew, unless conntrack still ties it to the old one."""
        # ip_vs_conn_uses_old_conntrack: is the packet's conntrack entry older than the packet? One in
        # state NEW is, if no answer has come yet: it was made by the connection's first packet.
        old = visit.state in ("ESTABLISHED", "RELATED") or (visit.state == "NEW" and not connection.packets_out)
        tied = not expire or (bool(self._sysctls.conntrack) and old)
        if expire:
            self._end(connection)
        if visit.steps is not None:
            visit.note(Noted(f"IPVS {'drops the packet' if tied else 'ends the old connection'}: {why}"))
        return Dropped(connection, expire, why) if tied else None

    # ---- new connections ------------------------------------------------------------------------

    def _left_alone(self, visit: Visit) -> str:
        """Why a packet to a virtual server is not scheduled, or "" (tcp_conn_schedule, ip_vs_schedule …)."""
        packet = visit.packet
        if packet.protocol != "udp" and not opens(packet):
            sloppy = self._sysctls.sloppy_tcp if packet.protocol == "tcp" else self._sysctls.sloppy_sctp
            if not sloppy or event_of(packet) in ("rst", "ABORT"):
                first = "a SYN" if packet.protocol == "tcp" else "an INIT"
                return f"it belongs to no connection and is not {first}"
        if packet.source_port == _FTP_DATA:
            return "its source port 20 is FTP data"
        if visit.hook is Hook.OUTPUT:
            there = (packet.protocol, packet.destination, packet.destination_port, packet.source, packet.source_port)
            if there in self._table.requests:
                return "it answers a connection to a virtual server"
        return ""

    def _new(self, visit: Visit, server: LiveServer) -> Connection | NoServer:
        packet, watched = visit.packet, visit.steps is not None
        template: Template | None = None
        real: LiveReal | None = None
        how = why = ""
        if server.spec.persistence is not None:
            template = self._template(server, packet)
            if template is not None:
                real, how = server.reals[template.real], "persistence template"
                why = f"persistence template for {template.key[1]} ({server.spec.persistence} s)" if watched else ""
        if real is None:
            real, why = server.scheduler.choose(server, packet, visit.dice, watched)
            if real is None:
                return self._no_server(visit, server, why)
            if server.spec.persistence is not None:
                template = self._remember(server, packet, real)
                why += f"; remembered for {template.key[1]} for {server.spec.persistence} s" if watched else ""
        connection = self._open(packet, real, template)
        if watched:
            self._note(visit, connection, how or f"scheduled {server.spec.scheduler}", why)
        return connection

    def _template(self, server: LiveServer, packet: Packet) -> Template | None:
        """The client's template, if its real server is still there and may be used (ip_vs_check_template)."""
        found = self._table.templates.get(_template_key(server, packet))
        if found is None:
            return None
        real = server.reals.get(found.real)
        if real is None or (self._sysctls.expire_quiescent_template and not real.weight):
            return None
        return self._table.own_template(found)

    def _remember(self, server: LiveServer, packet: Packet, real: LiveReal) -> Template:
        timeout = server.spec.persistence
        assert timeout is not None
        return self._table.remember(_template_key(server, packet), real.key, timeout, self._now)

    def _open(self, packet: Packet, real: LiveReal, template: Template | None) -> Connection:
        flow = (packet.protocol, packet.source, packet.source_port, packet.destination, packet.destination_port)
        connection = self._table.open(flow, real.key, FIRST[packet.protocol], template)
        real.inactive += 1  # a new entry starts as inactive, its first packet then moves it
        connection.packets_in = 1
        self._advance(connection, packet, reply=False, real=real)
        if template is not None:
            template.controls += 1
            template.expires = self._now + template.timeout
        return connection

    def _no_server(self, visit: Visit, server: LiveServer, why: str) -> NoServer:
        text = _virtual_text(server.spec.protocol, server.spec.address, server.spec.port)
        if visit.steps is not None:
            visit.note(Noted(f"IPVS has no real server for {text}: {why}"))
        return NoServer(text, why)

    # ---- state, counters, time ------------------------------------------------------------------

    def _advance(self, connection: Connection, packet: Packet, reply: bool, real: LiveReal | None = None) -> None:
        """Move the state, count the connection as active or not, start its timer again. Both are our own."""
        protocol = connection.protocol
        state = next_state(protocol, connection.state, packet, reply)
        if state != connection.state:
            connection.state = state
            active = state in ACTIVE[protocol]
            if active != connection.active:
                self._recount(connection, active, real)
        if connection.template is not None and (state == ESTABLISHED or (protocol == "udp" and reply)):
            template = self._table.template_of(connection)
            if template is not None:
                template.assured = True
        self._table.keep(connection, self._now + TIMEOUTS[protocol][state])

    def _recount(self, connection: Connection, active: bool, real: LiveReal | None) -> None:
        real = real or self._servers.own(self._servers.by_key[connection.virtual_key]).find(connection.real_key)
        assert real is not None  # a real server is kept while connections lead to it
        moved = 1 if active else -1
        real.active += moved
        real.inactive -= moved
        connection.active = active

    def _expire(self, now: float, ended: list[Connection]) -> None:
        for connection in self._table.expire(now):
            self._end(connection)
            ended.append(connection)

    def _end(self, connection: Connection) -> None:
        self._table.close(connection)
        server = self._servers.own(self._servers.by_key[connection.virtual_key])
        real = server.find(connection.real_key)
        assert real is not None
        if connection.active:
            real.active -= 1
        else:
            real.inactive -= 1
        self._servers.forget(server, real.key)
        template = self._table.template_of(connection)
        if template is not None:
            template.controls -= 1

    def _note(self, visit: Visit, connection: Connection, how: str, why: str) -> None:
        text = _virtual_text(*connection.virtual_key)
        visit.note(Scheduled(text, connection.real_text, how, why))


def _virtual_text(protocol: str, address: str, port: int) -> str:
    return f"{protocol.upper()} {with_port(address, port)}"


def _template_key(server: LiveServer, packet: Packet) -> tuple[str, str, str, int]:
    """<protocol, masked client, virtual address and port>; for FTP the port is 0 (ip_vs_sched_persist)."""
    spec = server.spec
    client = packet.source
    if spec.netmask is not None:
        client = network(f"{client}/{spec.netmask}").text.partition("/")[0]
    return spec.protocol, client, spec.address, 0 if spec.port == _FTP else spec.port
