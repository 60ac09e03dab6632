"""Rule: IPVS's connection table: entries, persistence templates, and their timers (ip_vs_conn.c).

An entry's client is the one that sent the packet to the virtual server, whatever source address
the packet is given afterwards. Entries are shared between copies of a table; who wants to write
one asks `own` for it first.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from heapq import heappop, heappush, heapreplace

from packetsim.addresses import with_port
from packetsim.kernel.ipvs.model import RealKey, VirtualKey

FlowKey = tuple[str, str, int, str, int]  # (protocol, source, source port, destination, destination port)
TemplateKey = tuple[str, str, str, int]  # (protocol, client, virtual address, virtual port)


@dataclass(slots=True, eq=False)
class Connection:
    """One connection through a virtual server. The addresses never change.

    `template`: the persistence template it came from, with that template's serial. `timer`: when the
    table will next look whether it `expires`.
    """

    protocol: str
    client_address: str
    client_port: int
    virtual_address: str
    virtual_port: int
    real_address: str
    real_port: int
    state: str
    expires: float
    serial: int
    owner: object
    template: tuple[TemplateKey, int] | None = None
    active: bool = False
    packets_in: int = 0
    packets_out: int = 0
    timer: float = 0.0

    @property
    def request_key(self) -> FlowKey:
        return self.protocol, self.client_address, self.client_port, self.virtual_address, self.virtual_port

    @property
    def reply_key(self) -> FlowKey:
        return self.protocol, self.real_address, self.real_port, self.client_address, self.client_port

    @property
    def virtual_key(self) -> VirtualKey:
        return self.protocol, self.virtual_address, self.virtual_port

    @property
    def real_key(self) -> RealKey:
        return self.real_address, self.real_port

    @property
    def client_text(self) -> str:
        return with_port(self.client_address, self.client_port)

    @property
    def virtual_text(self) -> str:
        return with_port(self.virtual_address, self.virtual_port)

    @property
    def real_text(self) -> str:
        return with_port(self.real_address, self.real_port)


@dataclass(slots=True, eq=False)
class Template:
    """Remembers a client's real server. `client_address` is masked; `controls` counts its connections."""

    key: TemplateKey
    real: RealKey
    timeout: int
    expires: float
    serial: int
    owner: object
    controls: int = 0
    assured: bool = False


class ConnectionTable:
    def __init__(self) -> None:
        self.requests: dict[FlowKey, Connection] = {}
        self.replies: dict[FlowKey, Connection] = {}
        self.templates: dict[TemplateKey, Template] = {}
        # (when, serial, key). An entry used meanwhile is put back when its timer comes up; one that is to end
        # sooner gets another timer, and the old one is passed over.
        self._timers: list[tuple[float, int, FlowKey | TemplateKey]] = []
        self._serial = 0
        self._crowded: set[FlowKey] = set()  # reply keys that were ever shared by several entries
        self.owner = object()

    def open(self, flow: FlowKey, real: RealKey, state: str, template: Template | None) -> Connection:
        self._serial += 1
        origin = (template.key, template.serial) if template is not None else None
        made = Connection(*flow, *real, state, 0.0, self._serial, self.owner, origin)
        self.requests[flow] = made
        reply_key = (flow[0], real[0], real[1], flow[1], flow[2])
        if reply_key in self.replies:
            self._crowded.add(reply_key)
        self.replies[reply_key] = made
        return made

    def keep(self, connection: Connection, until: float) -> None:
        """Start the connection's timer again. It is this table's own."""
        connection.expires = until
        if not connection.timer or until < connection.timer:
            connection.timer = until
            heappush(self._timers, (until, connection.serial, connection.request_key))

    def close(self, connection: Connection) -> None:
        """Forget an entry. Of several with the same reply, the youngest left is found from now on."""
        self.requests.pop(connection.request_key, None)
        key = connection.reply_key
        if self.replies.get(key) is connection:
            del self.replies[key]
            others = (
                [other for other in self.requests.values() if other.reply_key == key] if key in self._crowded else []
            )
            if others:
                self.replies[key] = max(others, key=lambda other: other.serial)

    def remember(self, key: TemplateKey, real: RealKey, timeout: int, now: float) -> Template:
        """A new template, in place of one that is no longer valid."""
        self._serial += 1
        made = self.templates[key] = Template(key, real, timeout, now + timeout, self._serial, self.owner)
        heappush(self._timers, (made.expires, made.serial, key))
        return made

    def drop(self, template: Template) -> None:
        """Forget a template before its time; its timer then finds nothing."""
        del self.templates[template.key]

    def own(self, connection: Connection) -> Connection:
        """The entry to write to: itself, or this table's own copy of a shared one."""
        if connection.owner is self.owner:
            return connection
        mine = copy(connection)
        mine.owner = self.owner
        self.requests[mine.request_key] = mine
        if self.replies.get(mine.reply_key) is connection:
            self.replies[mine.reply_key] = mine
        return mine

    def own_template(self, template: Template) -> Template:
        if template.owner is self.owner:
            return template
        mine = copy(template)
        mine.owner = self.owner
        self.templates[mine.key] = mine
        return mine

    def template_of(self, connection: Connection) -> Template | None:
        """The template that controls the connection, to write to; None once it was replaced."""
        if connection.template is None:
            return None
        key, serial = connection.template
        found = self.templates.get(key)
        return self.own_template(found) if found is not None and found.serial == serial else None

    def expire(self, now: float) -> Iterator[Connection]:
        """Each connection whose timer ends by `now`, for the caller to close. Templates are seen to here."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            when, serial, key = timers[0]
            entry = self.requests.get(key) if len(key) == 5 else self.templates.get(key)
            if entry is None or entry.serial != serial or (isinstance(entry, Connection) and entry.timer != when):
                heappop(timers)
            elif entry.expires > when:
                if isinstance(entry, Connection):
                    self.own(entry).timer = entry.expires
                heapreplace(timers, (entry.expires, serial, key))
            elif isinstance(entry, Connection):
                heappop(timers)
                yield entry
            else:
                self._end_template(entry, when)

    def _end_template(self, template: Template, when: float) -> None:
        """ip_vs_conn_expire: while it controls connections it is put off, and has 60 s from then on."""
        if template.controls:
            mine = self.own_template(template)
            mine.timeout = 60
            mine.expires = when + 60
        else:
            heappop(self._timers)
            del self.templates[template.key]

    def copy(self) -> ConnectionTable:
        """A table that starts out equal. Both are new owners, so neither writes to what they share."""
        twin = ConnectionTable()
        twin.requests, twin.replies, twin.templates = dict(self.requests), dict(self.replies), dict(self.templates)
        twin._timers, twin._serial, twin._crowded = list(self._timers), self._serial, set(self._crowded)
        self.owner = object()
        return twin
