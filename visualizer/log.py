"""Rule: an event is in the log before anybody hears of it, and the log alone is enough to bring a lab back.

Everything here waits for the database, so it runs in a thread, under the lab's lock where it writes.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from pydantic import TypeAdapter

from packetsim.dice import Dice, RolledDice
from packetsim.simulation import Simulation
from visualizer import tokens
from visualizer.documents import joined
from visualizer.lab_state import LabState, packed, unpacked
from visualizer.models import Entry, Lab, Snapshot, TraceDocument
from visualizer.refusals import RefusedError
from visualizer.schemas import Command, Event, LabExport, LabLinks, LoggedEvent, Role
from visualizer.seen import Seen
from visualizer.sessions import DiceOf, Handled, Session

EACH = 50  # events from one snapshot to the next
_COMMANDS: TypeAdapter[Command] = TypeAdapter(Command)
_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)
_TOUCH_EACH = timedelta(hours=1)


class LostError(Exception):
    """The lab is not there, or not any more."""


class OvertakenError(Exception):
    """Another process has written to the lab: what this one has in memory is out of date."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as it is kept: `event` is its JSON."""

    seq: int
    at: str
    event: str


# ---- labs -----------------------------------------------------------------------------------------------------


def create(state: LabState) -> tuple[Lab, str]:
    """A new lab that begins in this state, and its owner's token."""
    owner = tokens.drawn()
    hashes = {f"{role}_hash": tokens.hash_of(tokens.token_of(owner, role)) for role in tokens.ROLES}
    lab = Lab.objects.create(seed=secrets.randbits(62), first=packed(state), touched=timezone.now(), **hashes)
    return lab, owner


def links(owner: str, lab: Lab) -> LabLinks:
    made = {role: f"/l/{tokens.token_of(owner, role)}" for role in tokens.ROLES}
    return LabLinks(**made, expires=expires(lab))


def find(token: str) -> tuple[Lab, Role]:
    """The lab of a link, and what the link allows. Raises LostError."""
    if tokens.is_token(token):
        digest = tokens.hash_of(token)
        for role in tokens.ROLES:
            lab = Lab.objects.filter(**{f"{role}_hash": digest}).first()
            if lab is not None and _lives_until(lab) > timezone.now():
                return lab, role
    raise LostError


def _lives_until(lab: Lab) -> datetime:
    return lab.touched + timedelta(days=settings.PACKETWALK_LAB_DAYS)


def expires(lab: Lab) -> str:
    return _lives_until(lab).isoformat(timespec="seconds")


def touch(lab: Lab) -> None:
    """Somebody uses the lab: it expires later."""
    now = timezone.now()
    if now - lab.touched > _TOUCH_EACH:
        lab.touched = now
        lab.save(update_fields=["touched"])


def expired() -> Iterator[Lab]:
    yield from Lab.objects.filter(touched__lt=timezone.now() - timedelta(days=settings.PACKETWALK_LAB_DAYS))


# ---- writing --------------------------------------------------------------------------------------------------


def append(lab_id: int, command: Command, handled: Handled, session: Session) -> list[Stored]:
    """Store what a command did: all of it or nothing. Raises LostError, OvertakenError."""
    now = timezone.now()
    first = session.seq - len(handled.events) + 1
    stored = [Stored(first + place, _text(now), event.model_dump_json()) for place, event in enumerate(handled.events)]
    asked = zlib.compress(_COMMANDS.dump_json(command))
    try:
        with transaction.atomic():
            if not Lab.objects.filter(pk=lab_id).update(touched=now):
                raise LostError
            Entry.objects.bulk_create(
                Entry(lab_id=lab_id, seq=one.seq, at=now, command=asked, event=zlib.compress(one.event.encode()))
                for one in stored
            )
            TraceDocument.objects.bulk_create(
                TraceDocument(
                    lab_id=lab_id, number=one.number, seq=session.seq, document=one.document, capture=one.capture
                )
                for one in handled.traces
            )
            if handled.fresh or session.seq % EACH == 0:
                Snapshot.objects.create(
                    lab_id=lab_id, seq=session.seq, state=packed(session.state), fresh=handled.fresh
                )
    except IntegrityError as error:
        raise OvertakenError from error
    return stored


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


# ---- reading --------------------------------------------------------------------------------------------------


def last(lab_id: int) -> int:
    newest = Entry.objects.filter(lab_id=lab_id).order_by("-seq").values_list("seq", flat=True).first()
    return newest or 0


def after(lab_id: int, seq: int, most: int) -> list[Stored]:
    """The events that follow `seq`, in order, at most so many."""
    rows = Entry.objects.filter(lab_id=lab_id, seq__gt=seq).order_by("seq").values_list("seq", "at", "event")[:most]
    return [Stored(number, _text(at), zlib.decompress(event).decode()) for number, at, event in rows]


def trace(lab_id: int, number: int) -> TraceDocument | None:
    return TraceDocument.objects.filter(lab_id=lab_id, number=number).first()


# ---- bringing back ----------------------------------------------------------------------------------------------


def opened(lab: Lab) -> Session:
    """The lab as its log says; kernels are replayed when they are first asked for."""
    found = _session_at(lab, last(lab.pk))
    seq = found.seq
    return Session(found.state, seq, _dice_of(lab), lambda: _kernels(lab, seq))


def state_at(lab: Lab, seq: int) -> Session:
    """The lab as it was after event `seq`, with kernels that have seen nothing. Raises RefusedError."""
    newest = last(lab.pk)
    if not 0 <= seq <= newest:
        raise RefusedError([f"This lab has the events 1 to {newest}, and 0 for its beginning. {seq} is none of them."])
    return _session_at(lab, seq)


def forked(lab: Lab, seq: int) -> tuple[Lab, str]:
    """A new lab that begins as this one was after event `seq`."""
    state = state_at(lab, seq).state
    title = f"{state.title[:100]} (from {seq})"
    return create(replace(state, title=title, now=0.0, traces=0, summaries=()))


def exported(lab: Lab, seen: Seen) -> LabExport:
    """The lab as a file."""
    rows = Entry.objects.filter(lab=lab, seq__lte=seen.seq).order_by("seq")
    return LabExport(
        title=seen.state.title,
        mode=seen.state.mode,
        seq=seen.seq,
        manifests=joined(seen.state.documents.values()),
        first_manifests=joined(unpacked(lab.first).documents.values()),
        log=[
            LoggedEvent(
                seq=seq,
                at=_text(at),
                command=_COMMANDS.validate_json(zlib.decompress(command)),
                event=_EVENTS.validate_json(zlib.decompress(event)),
            )
            for seq, at, command, event in rows.values_list("seq", "at", "command", "event").iterator(200)
        ],
    )


def _session_at(lab: Lab, seq: int) -> Session:
    snapshot = Snapshot.objects.filter(lab=lab, seq__lte=seq).order_by("-seq").first()
    state, start = (unpacked(snapshot.state), snapshot.seq) if snapshot else (unpacked(lab.first), 0)
    session = Session(state, start, _dice_of(lab))
    rows = Entry.objects.filter(lab=lab, seq__gt=start, seq__lte=seq).order_by("seq")
    for command, event in rows.values_list("command", "event").iterator(200):
        session.repeat(_COMMANDS.validate_json(zlib.decompress(command)), kernels=False)
        session.remember(_EVENTS.validate_json(zlib.decompress(event)))
    return session


def _kernels(lab: Lab, seq: int) -> Simulation:
    """The kernels after event `seq`: every command since they began anew, done again."""
    snapshot = Snapshot.objects.filter(lab=lab, seq__lte=seq, fresh=True).order_by("-seq").first()
    state, start = (unpacked(snapshot.state), snapshot.seq) if snapshot else (unpacked(lab.first), 0)
    session = Session(state, start, _dice_of(lab))
    rows = Entry.objects.filter(lab=lab, seq__gt=start, seq__lte=seq).order_by("seq")
    for command in rows.values_list("command", flat=True).iterator(200):
        session.repeat(_COMMANDS.validate_json(zlib.decompress(command)), kernels=True)
    return session.simulation


def _dice_of(lab: Lab) -> DiceOf:
    """Dice for each event's number: the same lab rolls the same."""
    seed = lab.seed

    def dice(seq: int) -> Dice:
        return RolledDice(Random(f"{seed}:{seq}").randrange)

    return dice
