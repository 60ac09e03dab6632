"""Rule: a request is one line of JSON with `id` and `do`, a reply one line with the same `id` and `done` or `error`.

Nothing that comes in can end the guest: a line that is too long or no JSON is answered with an error.
"""

from __future__ import annotations

import json
import os
from binascii import b2a_base64
from collections.abc import Iterator, Mapping
from threading import Lock
from typing import Any

LONGEST_LINE = 1 << 25
_CHUNK = 1 << 16


class Channel:
    """Any thread may reply; one reads."""

    def __init__(self, reading: int, writing: int, longest: int = LONGEST_LINE) -> None:
        self._reading = reading
        self._writing = writing
        self._longest = longest
        self._lock = Lock()

    def requests(self) -> Iterator[dict[str, Any]]:
        """Until the other side closes. What is no request is answered here."""
        for line in self._lines():
            if line is None:
                self.fail(None, f"a request may have {self._longest} bytes at most; ask for less at a time")
                continue
            try:
                request = json.loads(line)
            except (ValueError, RecursionError) as error:
                self.fail(None, f"a request is one line of JSON: {error}")
                continue
            if isinstance(request, dict):
                yield request
            else:
                self.fail(None, "a request is a JSON object with `id` and `do`")

    def _lines(self) -> Iterator[bytes | None]:
        """None stands for a line that was too long to keep."""
        kept: list[bytes] = []
        size = 0
        while chunk := os.read(self._reading, _CHUNK):
            *ended, rest = chunk.split(b"\n")
            for part in ended:
                whole = size + len(part) <= self._longest
                line = b"".join((*kept, part)) if whole else None
                kept, size = [], 0
                if line is None or line.strip():
                    yield line
            size += len(rest)
            kept = [*kept, rest] if size <= self._longest else []

    def done(self, identity: object, fields: Mapping[str, object]) -> None:
        self._write({"id": identity, "done": fields})

    def fail(self, identity: object, sentence: str) -> None:
        self._write({"id": identity, "error": sentence})

    def _write(self, reply: Mapping[str, object]) -> None:
        data = memoryview(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self._writing, data) :]


def text_of(data: bytes) -> str:
    """Bytes as they stand in JSON."""
    return b2a_base64(data, newline=False).decode()
