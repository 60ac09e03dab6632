"""Rule: a browser may open our websocket from our own pages alone; a page elsewhere must be named in the settings.

Browsers always say where a page is from. Who says nothing is a script, which the lab's token is enough for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

Application = Callable[[Any, Any, Any], Awaitable[None]]


class OwnOriginOnly:
    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if is_allowed(dict(scope["headers"])):
            await self._application(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 4403})


def is_allowed(headers: Mapping[bytes, bytes]) -> bool:
    host = headers.get(b"host", b"").decode("latin1").lower()
    if not validate_host(_name_of(host), settings.ALLOWED_HOSTS):
        return False
    origin = headers.get(b"origin", b"").decode("latin1").lower()
    if not origin:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    own = parts.scheme in ("http", "https") and parts.netloc == host
    return own or origin in [one.lower() for one in settings.PACKETWALK_ORIGINS]


def _name_of(host: str) -> str:
    """Without the port, which no address in brackets holds."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
