"""Rule: an author's YAML is read by packetsim's bounded reader, and told wrong with its line."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from packetsim.cluster.documents import Source, read_documents
from packetsim.errors import Problem
from visualizer.documents import plain
from visualizer.exercises.faults import ContentError

MOST_LETTERS = 400_000  # of one file
Model = TypeVar("Model", bound=BaseModel)


def read_one(name: str, text: str) -> Any:
    """The one document of a text; None where it is empty. Raises ContentError."""
    if len(text) > MOST_LETTERS:
        raise ContentError([f"{name}: a file has at most {MOST_LETTERS:,} letters, and this has {len(text):,}"])
    problems: list[Problem] = []
    found = list(read_documents([Source(name, text)], problems))
    if problems:
        raise ContentError(str(one) for one in problems)
    if len(found) > 1:
        raise ContentError([f"{name}: it holds one document, and this has {len(found)}"])
    return plain(found[0].value) if found else None


def validated(model: type[Model], value: Any, place: str) -> Model:
    """Raises ContentError with each field that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise ContentError(
            f"{place}: {'.'.join(map(str, one['loc'])) or 'it'}: {one['msg']}" for one in error.errors()
        ) from None
