"""Rule: one websocket a lab."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from visualizer.consumers import LabConsumer


async def nowhere(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 4404})


websocket_urls: list[Any] = [
    re_path(r"^ws/lab/(?P<token>[^/]{1,200})/?$", LabConsumer.as_asgi()),
    re_path(r"", nowhere),
]
