"""Rule: HTTP goes to Django, websockets from our own pages to Channels, and nothing else is spoken."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
http = get_asgi_application()  # first: it makes the apps ready

from core.origins import OwnOriginOnly  # noqa: E402
from core.static_files import StaticFiles  # noqa: E402
from visualizer.routing import websocket_urls  # noqa: E402

application = ProtocolTypeRouter({"http": StaticFiles(http), "websocket": OwnOriginOnly(URLRouter(websocket_urls))})
