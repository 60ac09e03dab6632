"""Rule: the consumer reads, asks the room, and sends what waits; it decides nothing about packets.

Reading never waits for the engine, so that a page can always be told that it asks too much.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from channels.generic.websocket import AsyncWebsocketConsumer

from visualizer import log, messages
from visualizer.limits import Bucket
from visualizer.log import LostError
from visualizer.refusals import RefusedError
from visualizer.rooms import Listener, Room, in_thread, rooms
from visualizer.schemas import PROTOCOL, Ask, Done, Goodbye, Hello, Ping, Pong, Refused, Role

MOST_AT_ONCE, MOST_A_SECOND = 60, 30  # messages from one page
MOST_IGNORED = 600  # messages beyond that, before the connection ends
MOST_ASKED = 8  # commands under way from one page
HELLO_WITHIN, GOODBYE_WITHIN = 20.0, 5.0  # seconds
GONE, FLOODED, OUTDATED, SILENT, TOO_LARGE = 4404, 4429, 4426, 4408, 4413  # close codes
_LOST = "There is no such lab: its link is wrong, or it has expired. Start a new one."
_WATCHING = "This link lets you watch. Ask the lab's owner for a link that lets you build, or fork the lab."


class LabConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    channel_layer_alias = "none"  # rooms tell everybody; see rooms.py

    room: Room | None = None
    role: Role = "viewer"

    async def connect(self) -> None:
        self._listener = Listener()
        self._bucket = Bucket(MOST_AT_ONCE, MOST_A_SECOND)
        self._ignored = 0
        self._greeted = self._ended = False
        self._asks: set[asyncio.Task[None]] = set()
        self._silence = asyncio.get_running_loop().call_later(HELLO_WITHIN, self._on_silence)
        await self.accept()
        self._writer = asyncio.create_task(self._write())
        token = self.scope["url_route"]["kwargs"]["token"]
        try:
            lab, self.role = await in_thread(lambda: log.find(token))
        except LostError:
            await self._end(GONE, _LOST)
            return
        self.room = rooms.of(lab)

    async def disconnect(self, code: int) -> None:
        self._silence.cancel()
        if self.room is not None:
            self.room.leave(self._listener)
        self._writer.cancel()

    async def _write(self) -> None:
        while True:
            await self.base_send({"type": "websocket.send", "text": await self._listener.take()})

    async def _end(self, code: int, reason: str) -> None:
        """Say why, and close; once."""
        if self._ended:
            return
        self._ended = True
        if self.room is not None:
            self.room.leave(self._listener)
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_WITHIN):
                await self.base_send({"type": "websocket.send", "text": Goodbye(reason=reason).model_dump_json()})
        await self.close(code)

    def _on_silence(self) -> None:
        if not self._greeted:
            ended = asyncio.ensure_future(self._end(SILENT, "The page never said hello. Load it again."))
            self._asks.add(ended)
            ended.add_done_callback(self._asks.discard)

    # ---- what the page says -------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.room is None or self._ended:
            return
        if text_data is not None and len(text_data) > messages.MOST_LETTERS:
            await self._end(TOO_LARGE, "That message is too large. Send less at once.")
            return
        if not self._bucket.take(time.monotonic()):
            self._ignored += 1
            if self._ignored > MOST_IGNORED:
                await self._end(FLOODED, "Too many messages. Wait a minute, then load the page again.")
            elif text_data is not None and len(text_data) < 10_000:
                self._refuse(messages.id_in(text_data), ["Too many messages at once. Wait a moment, then ask again."])
            return
        if text_data is None:
            self._refuse("", ["Messages are JSON text, not bytes. Write them as docs/protocol.md says."])
            return
        try:
            message = messages.read(text_data)
        except RefusedError as refused:
            self._refuse(messages.id_in(text_data), refused.problems)
            return
        await self._hear(message)

    async def _hear(self, message: Hello | Ask | Ping) -> None:
        match message:
            case Ping():
                self._listener.put(Pong().model_dump_json())
            case Hello():
                await self._greet(message)
            case Ask() if not self._greeted:
                self._refuse(message.id, ["Say hello first."])
            case Ask() if self.role == "viewer":
                self._refuse(message.id, [_WATCHING])
            case Ask() if len(self._asks) >= MOST_ASKED:
                self._refuse(message.id, [f"{MOST_ASKED} commands are under way already. Wait for them."])
            case Ask():
                task = asyncio.create_task(self._ask(message))
                self._asks.add(task)
                task.add_done_callback(self._asks.discard)

    async def _greet(self, hello: Hello) -> None:
        assert self.room is not None
        if hello.protocol != PROTOCOL:
            await self._end(OUTDATED, "This page is of another version than the server. Load it again.")
            return
        self._greeted = True
        try:
            await self.room.join(self._listener, self.role, hello.seen)
        except LostError:
            await self._end(GONE, _LOST)

    async def _ask(self, ask: Ask) -> None:
        assert self.room is not None
        try:
            told = await self.room.ask(ask.command)
        except RefusedError as refused:
            self._refuse(ask.id, refused.problems)
        except LostError:
            await self._end(GONE, _LOST)
        else:
            self._listener.put(Done(id=ask.id, seq=told.seq).model_dump_json())

    def _refuse(self, asked: str, problems: list[str]) -> None:
        self._listener.put(Refused(id=asked, problems=problems).model_dump_json())


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other address."""

    channel_layer_alias = "none"

    async def connect(self) -> None:
        await self.close(GONE)
