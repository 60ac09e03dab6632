"""Rule: new text changes the running servers as the kernel's users would: in place, connections kept.

A virtual server that is no longer wanted goes at once with its real servers. A real server that
is no longer wanted goes at once if it is idle or not TCP; else it gets weight 0 and goes at the
first whole minute at which it has no connection left (Kubernetes pkg/proxy/ipvs/graceful_termination.go,
1.33: rsCheckDeleteInterval). One that is wanted again meanwhile is deleted and added anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packetsim.errors import RuleTextError
from packetsim.kernel.ipvs.model import RealKey, VirtualKey, VirtualServer
from packetsim.kernel.ipvs.schedulers import scheduler
from packetsim.kernel.ipvs.servers import LiveServer
from packetsim.kernel.ipvs.text import parse_server
from packetsim.ruletext import ServerText


class ServerTable:
    """The virtual servers of one network namespace. Shared between copies; `own` gives one to write to."""

    def __init__(self, ordered: bool) -> None:
        self._ordered = ordered
        self._texts: dict[str, ServerText] = {}
        self._keys: dict[str, VirtualKey] = {}  # the name a text was given under -> its server
        self._leaving: set[tuple[VirtualKey, RealKey]] = set()
        self._owner = object()
        self.by_key: dict[VirtualKey, LiveServer] = {}

    @property
    def present(self) -> Iterable[LiveServer]:
        return (server for server in self.by_key.values() if server.present)

    def own(self, server: LiveServer) -> LiveServer:
        """The server to write to: itself, or this table's own copy of a shared one."""
        if server.owner is self._owner:
            return server
        mine = self.by_key[server.spec.key] = server.copy(self._owner)
        return mine

    def load(self, texts: Mapping[str, ServerText]) -> None:
        """Take over `texts`. A text that is the same object as before costs nothing."""
        keys: dict[str, VirtualKey] = {}
        changed: list[VirtualServer] = []
        for name, text in texts.items():
            if self._texts.get(name) is text:
                keys[name] = self._keys[name]
            else:
                spec = parse_server(text)
                keys[name] = spec.key
                changed.append(spec)
        wanted = set(keys.values())
        if len(wanted) < len(keys):
            raise RuleTextError("ipvs", "two of the virtual servers have the same protocol, address and port")
        for spec in changed:
            self._apply(spec)
        for key in set(self._keys.values()) - wanted:
            self._delete(key)
        self._texts, self._keys = dict(texts), keys

    def sweep(self) -> None:
        """Delete the leaving real servers that have no connection left."""
        for key, real in sorted(self._leaving):
            if not self.by_key[key].reals[real].connections:
                self._leaving.discard((key, real))
                self.own(self.by_key[key]).delete(real)

    @property
    def waits(self) -> bool:
        """Is any real server leaving?"""
        return bool(self._leaving)

    def forget(self, server: LiveServer, real: RealKey) -> None:
        """A connection ended: drop what was kept for it alone. `server` is this table's own."""
        gone = server.gone.get(real)
        if gone is not None and not gone.connections:
            del server.gone[real]
        if not server.present and not server.gone:
            del self.by_key[server.spec.key]

    def copy(self) -> ServerTable:
        """A table that starts out equal. Both are new owners, so neither writes to what they share."""
        twin = ServerTable(self._ordered)
        twin._texts, twin._keys, twin._leaving = self._texts, self._keys, set(self._leaving)
        twin.by_key = dict(self.by_key)
        self._owner = object()
        return twin

    def _apply(self, spec: VirtualServer) -> None:
        found = self.by_key.get(spec.key)
        if found is None:
            server = self.by_key[spec.key] = LiveServer(spec, scheduler(spec.scheduler), self._owner)
        else:
            server = self.own(found)
        if not server.present or server.spec.scheduler != spec.scheduler:
            server.scheduler = scheduler(spec.scheduler)
            server.servers.cursor = -1
            server.scheduler.changed(server)
        server.spec, server.present = spec, True
        self._add_and_reweigh(server, spec)
        for key in server.reals.keys() - {real.key for real in spec.reals}:
            self._let_go(server, key)

    def _add_and_reweigh(self, server: LiveServer, spec: VirtualServer) -> None:
        added: dict[RealKey, int] = {}
        for real in spec.reals:
            live = server.reals.get(real.key)
            if live is not None and live.leaving:
                self._leaving.discard((spec.key, real.key))
                server.delete(real.key)
                live = None
            if live is None:
                added[real.key] = real.weight
            elif live.weight != real.weight:
                server.reweigh(live, real.weight)
        if added:
            server.add(added, self._ordered)

    def _let_go(self, server: LiveServer, key: RealKey) -> None:
        live = server.reals[key]
        if live.leaving:
            return
        if server.spec.protocol != "tcp" or not live.connections:
            server.delete(key)
            return
        server.reweigh(live, 0)
        live.leaving = True
        self._leaving.add((server.spec.key, key))

    def _delete(self, key: VirtualKey) -> None:
        server = self.own(self.by_key[key])
        server.present = False
        for real in list(server.reals):
            self._leaving.discard((key, real))
            server.delete(real)
        if not server.gone:
            del self.by_key[key]
