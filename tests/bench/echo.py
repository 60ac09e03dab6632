"""Rule: the least that Channels can do: whoever says something, everybody in the group hears it. Nothing is stored.

`/group` goes by the channel layer, as Channels means it; `/direct` leaves even that out, and no server can do less.
"""

from __future__ import annotations

from typing import Any, ClassVar

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import InMemoryChannelLayer, channel_layers
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import path

GROUP = "all"
if not settings.configured:
    settings.configure(CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}})
channel_layers.set("default", InMemoryChannelLayer(capacity=10_000))  # the default of 100 would lose some


class Echo(AsyncWebsocketConsumer):  # type: ignore[misc]
    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.channel_layer.group_send(GROUP, {"type": "said", "text": text_data})

    async def said(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


class Direct(AsyncWebsocketConsumer):  # type: ignore[misc]
    everybody: ClassVar[set[Direct]] = set()

    async def connect(self) -> None:
        self.everybody.add(self)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        self.everybody.discard(self)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        for consumer in list(self.everybody):
            await consumer.send(text_data=text_data)


_PATHS = [path("group", Echo.as_asgi()), path("direct", Direct.as_asgi())]
application = ProtocolTypeRouter({"websocket": URLRouter(_PATHS)})
