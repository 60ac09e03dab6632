"""Rule: who reads slowly is waited for, by its own connection alone; what waits is then bounded where it is made.

Daphne writes without looking how much is still to be sent. Here a send waits until the connection has
taken what was sent before, as Twisted tells its producers.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from autobahn.exception import Disconnected
from daphne.cli import CommandLineInterface
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Flow:
    """Told by the transport when it has more than enough to send, and when it has sent it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is gone: nobody waits for it."""
        self._open.set()

    async def wait(self) -> None:
        await self._open.wait()


class WaitingServer(Server):  # type: ignore[misc]
    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            await _flow_of(protocol).wait()
        with suppress(Disconnected):  # gone while we waited, which its application is about to hear
            await super().handle_reply(protocol, message)


def _flow_of(protocol: Any) -> Flow:
    flow: Flow | None = getattr(protocol, "packetwalk_flow", None)
    if flow is None:
        flow = protocol.packetwalk_flow = Flow()
        transport = protocol.transport
        if transport is not None:
            transport.unregisterProducer()  # the HTTP channel's, from before the upgrade
            transport.registerProducer(flow, True)
    return flow


class Interface(CommandLineInterface):  # type: ignore[misc]
    server_class = WaitingServer
