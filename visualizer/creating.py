"""Rule: a lab is made in one step and begins with something to see; one address makes only so many."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest

from visualizer import log
from visualizer.lab_state import LabState
from visualizer.limits import Buckets
from visualizer.schemas import Send
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


def first_lab() -> str:
    """A shop with a packet on its way. The owner's token."""
    lab, token = log.create(_first_state())
    session = log.opened(lab)
    log.append(lab.pk, FIRST, session.handle(FIRST), session)
    return token


@lru_cache(maxsize=1)
def _first_state() -> LabState:
    return new_state(settings.PACKETWALK_FIRST_LAB.read_text(), TITLE)
