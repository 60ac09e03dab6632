"""Rule: a page is a shell that loads the front end; the lab itself comes over the websocket."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_safe

from visualizer import creating, log, tokens
from visualizer.frontend import built
from visualizer.log import LostError
from visualizer.pages import LANGUAGE_TAGS, WORDS, language_of

COOKIE = "lab"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The lab this browser has already, else a new one with a packet on its way."""
    token = request.COOKIES.get(COOKIE, "")
    try:
        log.find(token)
    except LostError:
        if request.method == "HEAD":
            return HttpResponse()
        if not creating.may_create(request, time.monotonic()):
            return _page(request, "busy.html", 429)
        _, token = creating.first_lab()
    response = HttpResponseRedirect(f"/l/{token}")
    return _remembering(response, token)


@require_safe
def lab(request: HttpRequest, token: str) -> HttpResponse:
    try:
        found, _ = log.find(token)
    except LostError:
        return _page(request, "lost.html", 404)
    files = built()
    if files is None:
        return _page(request, "unbuilt.html", 503, token=token)
    log.touch(found)
    return _page(request, "lab.html", 200, built=files, token=token)


def _page(request: HttpRequest, name: str, status: int, **more: Any) -> HttpResponse:
    language = language_of(request.headers.get("Accept-Language", ""))
    words = dict(WORDS[language])
    words["lost_text"] = words["lost_text"].format(days=settings.PACKETWALK_LAB_DAYS)
    context = {"words": words, "language": LANGUAGE_TAGS[language], "nonce": getattr(request, "csp_nonce", ""), **more}
    response = render(request, f"visualizer/{name}", context, status=status)
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept-Language, Cookie"
    if status in (404, 503):
        response["X-Robots-Tag"] = "noindex"
    return response


def _remembering(response: HttpResponse, token: str) -> HttpResponse:
    if tokens.is_token(token):
        response.set_cookie(
            COOKIE,
            token,
            max_age=settings.PACKETWALK_LAB_DAYS * 86400,
            httponly=True,
            samesite="Lax",
            secure=settings.HTTPS,
        )
    response["Cache-Control"] = "no-store"
    return response
