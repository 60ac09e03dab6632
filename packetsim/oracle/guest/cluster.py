"""Rule: one cluster's namespaces, sockets and texts; whatever happens to them is done by one thread, in order."""

from __future__ import annotations

import time
from collections.abc import Sequence

from . import namespaces, running, tracing
from .asked import Listener, Load, Plan, Probe
from .channel import text_of
from .faults import GuestError
from .loading import Texts
from .loop import Loop
from .netlink import Netfilter
from .probing import Senders
from .proxying import Proxies
from .servers import Servers


class Place:
    """One namespace with what is asked of its kernel."""

    def __init__(self, namespace: namespaces.Namespace, kind: str) -> None:
        self.namespace = namespace
        self.kind = kind
        self.netfilter = Netfilter()
        self.texts = Texts(self.netfilter)
        self.traced = False

    def trace(self, wanted: bool) -> None:
        """The calling thread is inside; a load has removed the judge's table."""
        if wanted and not self.traced:
            self.netfilter.change_tables(tracing.judges_table(self.kind in ("pod", "outside")))
        elif self.traced and not wanted:
            self.netfilter.change_tables(tracing.no_tables())
        self.traced = wanted


class Cluster:
    """All of it is made by `build`, and gone after `drop`."""

    def __init__(self, home: namespaces.Namespace) -> None:
        """`home`: where links are made, and where the thread goes back to."""
        self._home = home
        self._places: dict[str, Place] = {}
        self._loop = Loop()
        self._servers = Servers(self._loop)
        self._proxies = Proxies(self._loop)
        self._senders = Senders(self._loop, self._servers, self._proxies)
        self._traces = tracing.Traces()
        self._loaded_listeners: list[Listener] = []
        self._routes: dict[tuple[str, str, str], str] = {}  # namespace, table, destination -> how it was set last

    # ---- build, drop ----------------------------------------------------------------------------

    def build(self, plan: Plan) -> None:
        try:
            self._build(plan)
        except BaseException:
            self.drop()
            raise

    def _build(self, plan: Plan) -> None:
        for one in plan.namespaces:
            namespace = namespaces.make(one.code)
            try:
                self._places[one.code] = Place(namespace, one.kind)
            except BaseException:
                namespace.remove()
                raise
            running.write_sysctls(one.sysctls)  # before there are links, so that all have them
            self._traces.listen(one.code)
        self._home.enter()
        running.batch("ip", plan.links)
        for tool in ("ip", "bridge"):  # a port's neighbour is known by the MAC that commands elsewhere gave it
            for one in plan.namespaces:
                self._enter(one.code)
                running.batch(tool, one.commands if tool == "ip" else one.forwarding)
        self._open(plan.listeners)

    def drop(self) -> None:
        self._close_connections()
        self._servers.close_all()
        self._proxies.close_all()
        self._loop.close()
        self._traces.close()
        self._home.enter()
        for place in self._places.values():
            place.netfilter.close()
            place.namespace.remove()
        self._places.clear()

    def _close_connections(self) -> None:
        self._senders.close_connections()
        self._proxies.close_connections()
        self._servers.close_connections()

    # ---- load -----------------------------------------------------------------------------------

    def load(self, loads: Sequence[Load], trace: bool) -> dict[str, object]:
        self._close_connections()
        self._servers.close(self._loaded_listeners)
        self._proxies.close_all()
        self._loaded_listeners = []
        texts: dict[str, dict[str, str]] = {}
        rules: dict[str, list[str]] = {}
        for one in loads:
            place = self._enter(one.code)
            place.traced = False
            texts[one.code] = place.texts.load(one.texts, one.sysctls)
        for code in self._places:
            self._enter(code).trace(trace)
        for one in loads:
            place = self._enter(one.code)
            rules[one.code] = [text_of(each) for each in place.texts.rules()]
            self._loaded_listeners += self._open(one.listeners)
            self._proxies.open(place.namespace, one.proxies)
            place.texts.forget()
        self._traces.discard()
        return {"texts": texts, "rules": rules}

    def reset(self) -> None:
        self._close_connections()
        for place in self._places.values():
            place.namespace.enter()
            place.texts.forget()
        self._traces.discard()

    # ---- send -----------------------------------------------------------------------------------

    def send(self, probes: Sequence[Probe]) -> dict[str, object]:
        return {"reports": [self._report(probe) for probe in probes]}

    def _report(self, probe: Probe) -> dict[str, object]:
        self._route(probe.routes)
        self._loop.turn(0)
        self._traces.discard()
        began = time.monotonic()
        heard = self._senders.ask(self._place(probe.code).namespace, probe)
        events = {code: [text_of(each) for each in found] for code, found in self._traces.drain()}
        connections, balanced = {}, {}
        for code in probe.nodes:
            texts = self._enter(code).texts
            connections[code] = [text_of(each) for each in texts.connections()]
            rows = texts.balanced()
            if rows is not None:
                balanced[code] = rows
        return {
            "began": began,
            "heard": heard.word,
            "error": heard.error,
            "accepted": list(self._servers.accepted),
            "events": events,
            "conntrack": connections,
            "ipvs": balanced,
        }

    def _route(self, routes: list[tuple[str, str]]) -> None:
        """Each starts a process, so a route that stands is not set again."""
        for code, command in routes:
            route = replaced(command)
            if route is None or self._routes.get((code, *route)) != command:
                self._enter(code)
                running.run("ip", *command.split())
                if route is not None:
                    self._routes[(code, *route)] = command

    # ---- places ---------------------------------------------------------------------------------

    def _open(self, listeners: Sequence[Listener]) -> list[Listener]:
        opened = []
        for listener in listeners:
            opened += self._servers.open(self._place(listener.code).namespace, [listener])
        return opened

    def _place(self, code: str) -> Place:
        place = self._places.get(code)
        if place is None:
            raise GuestError(f"this cluster has no namespace {code}")
        return place

    def _enter(self, code: str) -> Place:
        place = self._place(code)
        place.namespace.enter()
        return place


_ROUTE_TYPES = ("unicast", "throw", "blackhole", "unreachable", "prohibit")


def replaced(command: str) -> tuple[str, str] | None:
    """(table, destination) of the route that this `ip` command sets anew; None: it does something else."""
    words = command.split()
    if words[:2] != ["route", "replace"]:
        return None
    table = words[words.index("table") + 1] if "table" in words[:-1] else "main"
    return table, next((word for word in words[2:] if word not in _ROUTE_TYPES), "")
