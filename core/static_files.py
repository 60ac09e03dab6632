"""Rule: a static file is read and compressed once; names with a hash in them are kept by browsers for good.

Files are the front end's build, and through staticfiles' finders the admin's and the API documentation's own.
"""

from __future__ import annotations

import gzip
import mimetypes
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.exceptions import SuspiciousFileOperation

Application = Callable[[Any, Any, Any], Awaitable[None]]
Header = tuple[bytes, bytes]
MOST_KEPT = 32 * 1024 * 1024  # bytes of files in memory
_HASHED = re.compile(r"[-.][\w-]{8,}\.\w+$")  # Vite: main-Bx3k_9aZ.js
_TEXT = re.compile(r"text/|application/(javascript|json|manifest)|image/svg")


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    zipped: bytes | None
    headers: tuple[Header, ...]
    etag: bytes
    modified: float


class StaticFiles:
    """In front of Django: answers below STATIC_URL, passes everything else on."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._kept: dict[str, tuple[str, _File]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(settings.STATIC_URL):
            await self._application(scope, receive, send)
            return
        name = unquote(scope["path"]).removeprefix(settings.STATIC_URL)
        found = await self._find(name) if scope["method"] in ("GET", "HEAD") else None
        await _answer(found, dict(scope["headers"]), scope["method"] == "HEAD", send)

    async def _find(self, name: str) -> _File | None:
        kept = self._kept.get(name)
        if kept is not None and (_is_hashed(name) or _modified(kept[0]) == kept[1].modified):
            return kept[1]
        path = await sync_to_async(_path_of, thread_sensitive=False)(name)
        if path is None:
            return None
        file = await sync_to_async(_read, thread_sensitive=False)(name, path)
        if sum(len(one.plain) for _, one in self._kept.values()) + len(file.plain) <= MOST_KEPT:
            self._kept[name] = path, file
        return file


def _path_of(name: str) -> str | None:
    if not name or "\0" in name or "\\" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    dist: Path = settings.PACKETWALK_DIST.resolve()
    try:
        own = (dist / name).resolve()
        if own.is_relative_to(dist) and own.is_file():
            return str(own)
        found = finders.find(name)
    except (SuspiciousFileOperation, ValueError, OSError):
        return None
    return found if isinstance(found, str) and Path(found).is_file() else None


def _modified(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return -1.0


def _is_hashed(name: str) -> bool:
    return name.startswith("assets/") and _HASHED.search(name) is not None


def _read(name: str, path: str) -> _File:
    modified = _modified(path)
    plain = Path(path).read_bytes()
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    zipped = gzip.compress(plain, 9, mtime=0) if _TEXT.match(kind) and len(plain) > 500 else None
    text = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    keep = b"public, max-age=31536000, immutable" if _is_hashed(name) else b"no-cache"
    headers: tuple[Header, ...] = (
        (b"content-type", text.encode()),
        (b"cache-control", keep),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    )
    if kind in ("text/javascript", "application/javascript"):  # a worker's policy is that of its own file
        headers = headers[:-1]
    return _File(plain, zipped, headers, b'"' + sha256(plain).hexdigest()[:32].encode() + b'"', modified)


async def _answer(file: _File | None, asked: dict[bytes, bytes], head: bool, send: Any) -> None:
    if file is None:
        body = b"There is no such file."
        plain = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 404, "headers": plain})
        await send({"type": "http.response.body", "body": b"" if head else body})
        return
    headers: list[Header] = [*file.headers, (b"etag", file.etag), (b"vary", b"accept-encoding")]
    if file.etag in asked.get(b"if-none-match", b""):
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    body = file.plain
    if file.zipped is not None and b"gzip" in asked.get(b"accept-encoding", b""):
        body = file.zipped
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
