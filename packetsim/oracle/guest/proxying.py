"""Rule: the little proxy chooses, dials and copies as userspace kube-proxy 1.25 did; only its turns begin in order.

Facts from pkg/proxy/userspace/proxysocket.go and roundrobin.go (Kubernetes 1.25), where the order of the endpoints is
shuffled. A client whom no endpoint serves keeps its connection here, where kube-proxy closes it: connections
are closed all at once (`close_connections`).
"""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterable

from . import sockets
from .asked import Proxy
from .loop import READABLE, WRITABLE, Call, Loop
from .namespaces import Namespace
from .servers import accept_all, close, listen

# EndpointDialTimeouts are 0.25, 0.5, 1 and 2 s. Nobody compares times, and a busy machine may take longer to answer.
DIAL_TIMEOUTS = (1.0, 1.0, 1.0, 2.0)
UDP_IDLE = 0.25  # seconds; --proxy-udp-timeout
_DATAGRAM = 4096  # proxysocket.go's buffer

Endpoint = tuple[str, int]


class Turns:
    """Whose turn it is at one service port, and which client is tied to whom since when."""

    def __init__(self, endpoints: list[Endpoint], affinity_timeout: int | None) -> None:
        self._endpoints = endpoints
        self._timeout = affinity_timeout
        self._index = 0
        self._ties: dict[str, tuple[Endpoint, float]] = {}

    def next(self, client: str, ignore_tie: bool, now: float) -> Endpoint | None:
        """LoadBalancerRR.NextEndpoint."""
        if not self._endpoints:
            return None
        tie = self._ties.get(client)
        if tie is not None and not ignore_tie and int(now - tie[1]) < (self._timeout or 0):
            endpoint = tie[0]
        else:
            endpoint = self._endpoints[self._index]
            self._index = (self._index + 1) % len(self._endpoints)
        if self._timeout is not None:
            self._ties[client] = endpoint, now
        return endpoint

    def forget(self) -> None:
        self._index = 0
        self._ties.clear()


class Proxies:
    """All proxy sockets of a cluster. `busy`: dials under way. `taken`: connections, since it was last set to 0."""

    def __init__(self, loop: Loop) -> None:
        self.busy = 0
        self.taken = 0
        self._loop = loop
        self._turns: dict[tuple[str, str, int], Turns] = {}
        self._listening: list[socket.socket] = []
        self._connections: set[socket.socket] = set()
        self._clients: dict[tuple[int, tuple[str, int]], _Client] = {}
        self._timers: set[int] = set()

    def open(self, namespace: Namespace, proxies: Iterable[Proxy]) -> None:
        namespace.enter()
        for proxy in proxies:
            server = listen(proxy.protocol, proxy.address, proxy.port, namespace.code)
            self._listening.append(server)
            name = (namespace.code, proxy.service_port, sockets.family_of(proxy.address))
            turns = self._turns.setdefault(name, Turns(proxy.endpoints, proxy.affinity_timeout))
            serve = self._datagrams if proxy.protocol == "udp" else self._connections_of
            self._loop.watch(server, READABLE, serve(namespace, server, turns))

    # ---- TCP ------------------------------------------------------------------------------------

    def _connections_of(self, namespace: Namespace, server: socket.socket, turns: Turns) -> Call:
        def take(_: int) -> None:
            for taken, peer in accept_all(server):
                self._connections.add(taken)
                self.taken += 1
                self.busy += 1
                self._dial(namespace, turns, peer[0], 0)

        return take

    def _dial(self, namespace: Namespace, turns: Turns, client: str, attempt: int) -> None:
        """TryConnectEndpoints: from the second attempt on affinity is ignored."""
        endpoint = None
        if attempt < len(DIAL_TIMEOUTS):
            endpoint = turns.next(client, attempt > 0, time.monotonic())
        if endpoint is None:
            self.busy -= 1
            return
        dialled = _connecting(namespace, "tcp", endpoint)
        if dialled is None:
            self._dial(namespace, turns, client, attempt + 1)
            return

        def ended(_: int = 0) -> None:
            self._timers.discard(timer)
            self._loop.cancel(timer)
            self._loop.forget(dialled)
            self._connected_or_on(dialled, namespace, turns, client, attempt)

        def timed_out() -> None:
            self._timers.discard(timer)
            close(self._loop, dialled)
            self._connections.discard(dialled)
            self._dial(namespace, turns, client, attempt + 1)

        self._connections.add(dialled)
        timer = self._loop.after(DIAL_TIMEOUTS[attempt], timed_out)
        self._timers.add(timer)
        self._loop.watch(dialled, WRITABLE, ended)

    def _connected_or_on(
        self, dialled: socket.socket, namespace: Namespace, turns: Turns, client: str, attempt: int
    ) -> None:
        if dialled.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            dialled.close()
            self._connections.discard(dialled)
            self._dial(namespace, turns, client, attempt + 1)
        else:
            self.busy -= 1

    # ---- UDP ------------------------------------------------------------------------------------

    def _datagrams(self, namespace: Namespace, server: socket.socket, turns: Turns) -> Call:
        def take(_: int) -> None:
            try:
                data, peer = server.recvfrom(_DATAGRAM)
            except OSError:  # an ICMP error about an earlier answer
                return
            client = self._client(namespace, server, turns, (peer[0], peer[1]))
            if client is not None:
                client.used = time.monotonic()
                _send(client.socket, data)

        return take

    def _client(
        self, namespace: Namespace, server: socket.socket, turns: Turns, peer: tuple[str, int]
    ) -> _Client | None:
        """getBackendConn: each client has a socket of its own, as long as it is not idle."""
        key = (server.fileno(), peer)
        known = self._clients.get(key)
        if known is not None:
            if time.monotonic() - known.used < UDP_IDLE:
                return known
            self._forget(key)
        endpoint = turns.next(peer[0], False, time.monotonic())
        dialled = _connecting(namespace, "udp", endpoint) if endpoint is not None else None
        if dialled is None:
            return None

        def copy_back(_: int) -> None:
            try:
                answer = dialled.recv(_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:  # the endpoint's ICMP error ends it
                self._forget(key)
                return
            self._clients[key].used = time.monotonic()
            _send(server, answer, peer)

        self._clients[key] = _Client(dialled)
        self._loop.watch(dialled, READABLE, copy_back)
        return self._clients[key]

    def _forget(self, key: tuple[int, tuple[str, int]]) -> None:
        close(self._loop, self._clients.pop(key).socket)

    # ---- the end --------------------------------------------------------------------------------

    def close_connections(self) -> None:
        """Back to the first turn."""
        for timer in self._timers:
            self._loop.cancel(timer)
        self._timers.clear()
        for connection in self._connections:
            close(self._loop, connection)
        self._connections.clear()
        for key in list(self._clients):
            self._forget(key)
        for turns in self._turns.values():
            turns.forget()
        self.busy = self.taken = 0

    def close_all(self) -> None:
        self.close_connections()
        for server in self._listening:
            close(self._loop, server)
        self._listening.clear()
        self._turns.clear()


class _Client:
    """A client's own way to its endpoint. `used`: when anything went along it last."""

    def __init__(self, dialled: socket.socket) -> None:
        self.socket = dialled
        self.used = time.monotonic()


def _connecting(namespace: Namespace, protocol: str, endpoint: Endpoint) -> socket.socket | None:
    """None: this machine's own kernel refuses at once."""
    namespace.enter()
    dialled = sockets.make(protocol, sockets.family_of(endpoint[0]))
    if dialled.connect_ex(endpoint) in (0, errno.EINPROGRESS):
        return dialled
    dialled.close()
    return None


def _send(through: socket.socket, data: bytes, peer: tuple[str, int] | None = None) -> None:
    """What cannot be sent is lost, as datagrams are."""
    try:
        if peer is None:
            through.send(data)
        else:
            through.sendto(data, peer)
    except OSError:
        return
