"""Rule: `python -m core` serves the lab on one address, for HTTP and websockets.

Daphne's options all work (`-b 0.0.0.0 -p 80`). Nothing is logged by address: a lab's link is its key.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")

from django.conf import settings

from core.serving import Interface

MOST_BYTES = str(16 * 1024 * 1024)  # of one message; the consumer refuses those of more than it reads, and says so


def main(arguments: list[str]) -> None:
    proxy = ["--proxy-headers"] if settings.PACKETWALK_BEHIND_PROXY else []
    sizes = ["--websocket-max-message-size", MOST_BYTES, "--websocket-max-frame-size", MOST_BYTES]
    Interface().run(["-v", "0", *proxy, *sizes, *arguments, "core.asgi:application"])


if __name__ == "__main__":
    main(sys.argv[1:])
