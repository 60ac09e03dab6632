"""Rule: one websocket a lab."""

from __future__ import annotations

from typing import Any

from django.urls import re_path

from visualizer.consumers import LabConsumer, Nowhere

websocket_urls: list[Any] = [
    re_path(r"^ws/lab/(?P<token>[^/]{1,200})/?$", LabConsumer.as_asgi()),
    re_path(r"", Nowhere.as_asgi()),
]
