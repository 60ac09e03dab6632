"""Rule: an event is put into words once, however many pages hear of it; what a page says is read with suspicion."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from visualizer.log import Stored
from visualizer.refusals import LONGEST, RefusedError
from visualizer.schemas import PROTOCOL, FromPage

MOST_LETTERS = 9 * 1024 * 1024  # of one message: an `apply` with every letter escaped, and some
MOST_TOLD = 8
_FROM_PAGE: TypeAdapter[FromPage] = TypeAdapter(FromPage)
_LONGEST_ID = 64


def happened(stored: Stored) -> str:
    return f'{{"type":"happened","seq":{stored.seq},"at":"{stored.at}","event":{stored.event}}}'


def welcome(view: str | None) -> str:
    return f'{{"type":"welcome","protocol":{PROTOCOL},"view":{view or "null"}}}'


def read(text: str) -> FromPage:
    """The message. Raises RefusedError."""
    if len(text) > MOST_LETTERS:
        raise RefusedError([f"A message of more than {MOST_LETTERS >> 20} MiB is not read. Send less at once."])
    try:
        return _FROM_PAGE.validate_json(text)
    except ValidationError as error:
        raise RefusedError(sentences(error)) from None


def id_in(text: str) -> str:
    """The id of a message that could not be read, "" where it has none."""
    if len(text) > MOST_LETTERS:
        return ""
    try:
        found = from_json(text)
    except ValueError:
        return ""
    known = found.get("id") if isinstance(found, dict) else None
    return known if isinstance(known, str) and len(known) <= _LONGEST_ID else ""


def sentences(error: ValidationError) -> list[str]:
    """What is wrong, field by field, in words for whoever wrote the message."""
    told = []
    for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_TOLD]:
        place = ".".join(str(step)[:60] for step in one["loc"])
        words = str(one["msg"]).rstrip(".")
        told.append(f"{place or 'The message'}: {words}. Write it as docs/protocol.md says."[:LONGEST])
    return told
