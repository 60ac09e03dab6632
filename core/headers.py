"""Rule: every answer says what a browser may do with it; nothing comes from another host, nothing inline runs.

A page that needs a style element of its own (CodeMirror makes one) gives it `request.csp_nonce`.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Answer = Callable[[HttpRequest], HttpResponseBase] | Callable[[HttpRequest], Awaitable[HttpResponseBase]]
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        request.csp_nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        if self._is_async:
            return self._later(request)
        return _with_headers(request, self._answer(request))  # type: ignore[arg-type]

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return _with_headers(request, await self._answer(request))  # type: ignore[misc]


def _with_headers(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    nonce: str = request.csp_nonce  # type: ignore[attr-defined]
    response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
    response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("X-Frame-Options", "DENY")
    return response
