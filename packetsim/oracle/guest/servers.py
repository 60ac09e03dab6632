"""Rule: whoever connects is taken and kept, whoever asks by datagram is answered from the address it asked.

A connection stays open until `close_connections`: IPVS's schedulers count those that are.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable

from . import sockets
from .asked import Listener
from .faults import GuestError, errno_name
from .loop import READABLE, Call, Loop
from .namespaces import Namespace
from .running import run

ANSWER = b"answer to it"  # differs in length from the question, so that the two cannot be taken for each other


class Servers:
    """`accepted`: for each request taken since it was last cleared, an Accepted as JSON has it."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._listening: dict[Listener, list[socket.socket]] = {}
        self._taken: list[socket.socket] = []
        self.accepted: list[dict[str, object]] = []

    def open(self, namespace: Namespace, listeners: Iterable[Listener]) -> list[Listener]:
        """Gives those that were not open yet."""
        namespace.enter()
        opened = []
        for listener in listeners:
            if listener not in self._listening:
                self._listening[listener] = self._open(listener)
                opened.append(listener)
        return opened

    def _open(self, listener: Listener) -> list[socket.socket]:
        datagrams = listener.protocol == "udp"
        # One SCTP socket for all addresses would answer from whichever it likes, and name them all.
        addresses = addresses_here(listener.address) if listener.protocol == "sctp" else [listener.address]
        opened = []
        for address in addresses:
            server = listen(listener.protocol, address, listener.port, listener.code, datagrams)
            take = self._answers(listener, server) if datagrams else self._accepts(listener, server)
            self._loop.watch(server, READABLE, take)
            opened.append(server)
        return opened

    def _accepts(self, listener: Listener, server: socket.socket) -> Call:
        def take(_: int) -> None:
            for taken, peer in accept_all(server):
                self._taken.append(taken)
                self._note(listener, peer, taken.getsockname()[0])

        return take

    def _answers(self, listener: Listener, server: socket.socket) -> Call:
        def take(_: int) -> None:
            try:
                asked = sockets.receive(server)
            except OSError:  # an ICMP error about an earlier answer
                return
            self._note(listener, asked.peer, asked.destination)
            try:
                sockets.answer(server, ANSWER, asked)
            except OSError:  # a rule of this machine's OUTPUT drops it: the sender will hear nothing
                return

        return take

    def _note(self, listener: Listener, peer: tuple[str, int], address: str) -> None:
        self.accepted.append(
            {
                "code": listener.code,
                "peer": peer[0],
                "peer_port": peer[1],
                "address": address,
                "port": listener.port,
            }
        )

    def close(self, listeners: Iterable[Listener]) -> None:
        for listener in listeners:
            for server in self._listening.pop(listener):
                close(self._loop, server)

    def close_connections(self) -> None:
        """Those that clients have made."""
        for taken in self._taken:
            taken.close()
        self._taken.clear()
        self.accepted.clear()

    def close_all(self) -> None:
        self.close_connections()
        self.close(list(self._listening))


def addresses_here(wildcard: str) -> list[str]:
    """Every address of this family that the namespace has, but for those that hold on one link only."""
    family = "inet6" if ":" in wildcard else "inet"
    listed = run("ip", "-o", "-f", family, "address", "show")
    return [each for each in re.findall(rf"\s{family} ([^/ ]+)", listed) if not each.startswith("fe80:")]


def listen(protocol: str, address: str, port: int, code: str, tells_destination: bool = False) -> socket.socket:
    """A socket in the namespace of this code, which the calling thread is in."""
    try:
        return sockets.listening(protocol, address, port, tells_destination)
    except OSError as error:
        where = f"{protocol} {address} port {port} in {code}"
        raise GuestError(f"nobody can listen on {where}: {errno_name(error.errno or 0)}") from None


def accept_all(server: socket.socket) -> Iterable[tuple[socket.socket, tuple[str, int]]]:
    """Every connection that is there; one that has gone again meanwhile is none."""
    while True:
        try:
            taken, peer = server.accept()
        except OSError:
            return
        taken.setblocking(False)
        yield taken, (peer[0], peer[1])


def close(loop: Loop, one: socket.socket) -> None:
    loop.forget(one)
    one.close()
