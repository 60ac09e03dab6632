"""Rule: a flow is sent by a plain socket, and what is told of it is what that socket hears and the kernel shows.

TCP and SCTP connect and say nothing; UDP asks one question. Nothing is waited for longer than it takes: an
error ends a probe at once, an answer as soon as the other end has it too, and silence after the probe's patience.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import NamedTuple

from . import sockets
from .asked import Probe
from .faults import errno_name
from .loop import READABLE, TROUBLED, WRITABLE, Loop
from .namespaces import Namespace
from .proxying import DIAL_TIMEOUTS, Proxies
from .servers import Servers

QUESTION = b"question"


class Heard(NamedTuple):
    """`word`: answered, refused, unreachable or silence. `error`: an errno's name or ""."""

    word: str
    error: str = ""


class Senders:
    """The sending ends of a cluster's flows. Those that were answered stay open until `close_connections`."""

    def __init__(self, loop: Loop, servers: Servers, proxies: Proxies) -> None:
        self._loop = loop
        self._servers = servers
        self._proxies = proxies
        self._open: list[socket.socket] = []

    def ask(self, namespace: Namespace, probe: Probe) -> Heard:
        self._servers.accepted.clear()
        self._proxies.taken = 0
        namespace.enter()
        flow = _Flow(self._loop, probe)
        until = time.monotonic() + probe.patience
        self._wait(flow, until)
        heard = flow.end()
        if probe.protocol == "tcp" and heard.word != "answered":
            flow.socket.close()  # else the kernel would ask again
        else:
            self._open.append(flow.socket)
        return heard

    def _wait(self, flow: _Flow, until: float) -> None:
        """Past its patience only the proxy's dials are waited for, and these end."""
        last = until + sum(DIAL_TIMEOUTS)
        while not self._settled(flow):
            now = time.monotonic()
            if now >= (last if self._proxies.busy else until):
                return
            self._loop.turn((last if self._proxies.busy else until) - now)

    def _settled(self, flow: _Flow) -> bool:
        """Has the sender heard, and has the other end all that there is? Then nothing is under way any more."""
        if flow.heard is None or self._proxies.busy:
            return False
        if flow.heard.word != "answered" or flow.protocol == "udp":
            return True
        return bool(self._servers.accepted or self._proxies.taken)

    def close_connections(self) -> None:
        for one in self._open:
            one.close()
        self._open.clear()


class _Flow:
    """One socket from its making to what it hears. `heard` None: nothing yet."""

    def __init__(self, loop: Loop, probe: Probe) -> None:
        self.protocol = probe.protocol
        self.heard: Heard | None = None
        self._loop = loop
        self._unsent = ""
        self.socket = sockets.make(probe.protocol, sockets.family_of(probe.destination))
        try:
            self._start(probe)
        except OSError as error:
            # Nothing went out: no source of that name here, no route, nobody who speaks this protocol.
            self.heard = Heard("silence", errno_name(error.errno or 0))
            return
        loop.watch(self.socket, READABLE if probe.protocol == "udp" else WRITABLE, self._hear)
        if probe.protocol == "sctp":
            self._hear(TROUBLED)  # it has no queue of errors, and does not wake for what came while it was busy

    def _start(self, probe: Probe) -> None:
        sockets.tell_errors(self.socket)
        source = probe.source
        if not source and probe.protocol == "sctp":
            # An SCTP socket without an address offers the other side all that the machine has.
            source = sockets.source_for(probe.destination, probe.port)
        if source or probe.source_port:
            unknown = "::" if self.socket.family == socket.AF_INET6 else "0.0.0.0"
            self.socket.bind((source or unknown, probe.source_port))
        result = self.socket.connect_ex((probe.destination, probe.port))
        if result not in (0, errno.EINPROGRESS):
            raise OSError(result, "connect")
        if probe.protocol == "udp":
            self._question()

    def _question(self) -> None:
        """A rule of the sender's own OUTPUT that discards it makes EPERM; REJECT's ICMP error comes besides."""
        try:
            self.socket.send(QUESTION)
        except OSError as error:
            self._unsent = errno_name(error.errno or 0)

    def _hear(self, events: int) -> None:
        if events & TROUBLED:
            number = sockets.trouble(self.socket)
            if number:
                self._loop.forget(self.socket)
                self.heard = _error(number)
                return
        if self.protocol == "udp":
            self._hear_answer()
        elif events & WRITABLE:
            self._loop.forget(self.socket)
            self.heard = Heard("answered")

    def _hear_answer(self) -> None:
        try:
            self.socket.recv(len(QUESTION))
        except BlockingIOError:
            return
        except OSError as error:
            self.heard = _error(error.errno or 0)
        else:
            self.heard = Heard("answered")
        self._loop.forget(self.socket)

    def end(self) -> Heard:
        if self.heard is None:
            self._loop.forget(self.socket)
            return Heard("silence", self._unsent)
        return self.heard


def _error(number: int) -> Heard:
    return Heard("refused" if number == errno.ECONNREFUSED else "unreachable", errno_name(number))
