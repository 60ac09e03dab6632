"""Rule: a lab is made in one step and begins with something to see; one address makes only so many."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from visualizer import log
from visualizer.lab_state import LabState
from visualizer.limits import Buckets
from visualizer.models import Lab
from visualizer.schemas import LabLinks, Mode, NewLab, Send
from visualizer.sessions import new_state

TITLE = "Shop"
FIRST = Send(source="shop/client", target="shop/web:80")
_hour = settings.PACKETWALK_NEW_LABS_PER_HOUR
_made = Buckets(_hour, _hour / 3600)


def may_create(request: HttpRequest, now: float) -> bool:
    return _made.take(address_of(request), now)


def address_of(request: HttpRequest) -> str:
    """Who asks; behind a proxy of our own, as its last entry in X-Forwarded-For says."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.PACKETWALK_BEHIND_PROXY and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


def first_lab(title: str = TITLE, mode: Mode | None = None) -> tuple[Lab, str]:
    """A shop with a packet on its way, and the owner's token."""
    state = replace(_first_state(mode), title=title)
    lab, token = log.create(state)
    session = log.opened(lab)
    log.append(lab.pk, FIRST, session.handle(FIRST), session)
    return lab, token


def new_lab(new: NewLab) -> LabLinks:
    """What was asked for. Raises RefusedError."""
    if new.manifests:
        lab, token = log.create(new_state(new.manifests, new.title, new.mode or ""))
    else:
        lab, token = first_lab(new.title, new.mode)
    return log.links(token, lab)


@lru_cache(maxsize=8)
def _first_state(mode: Mode | None) -> LabState:
    return new_state(settings.PACKETWALK_FIRST_LAB.read_text(), TITLE, mode or "")
