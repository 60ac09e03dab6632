"""Rule: a value whose type is wrong is told in the API's words: which field, what it should be, how to write it.

Every field may be absent (see `schemas`), so what is left without the wrong ones is judged like any other object.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import getitem
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from packetsim.cluster.documents import Fields
from packetsim.cluster.places import Path, Place, Report, one_of, shown

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": ("text", 'Put it in quotes: "{value}"'),
    "int_type": ("a whole number", "Write it in digits, without quotes and without a fraction"),
    "bool_type": ("true or false", "Write true or false, without quotes"),
    "list_type": ("a list", "Begin each entry with '- '"),
    "dict_type": ("a mapping", "Write `key: value` lines below it"),
    "model_type": ("a mapping", "Write `key: value` lines below it"),
    "number_or_text": ("a number or a name", "Write a number without quotes, or a name"),
}


def decode(model: type[Model], value: Fields, place: Place, report: Report) -> Model:
    """`value` as `model`, with a problem for each field whose type is wrong, and without those fields."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False)
    for detail in details:
        report.mistyped(place, detail["loc"], *_told(detail, detail["loc"], model))
    return model.model_validate(_without(value, details))


def _without(value: Fields, details: Iterable[ErrorDetails]) -> Any:
    """The value without its wrong fields. A list keeps its length, so that its other items keep their places."""
    left = _copy(value)
    for detail in details:
        *way, last = detail["loc"]
        inner: Any = reduce(getitem, way, left)
        if isinstance(last, int):
            inner[last] = {} if detail["type"] == "model_type" else ""  # lists hold mappings or text
        else:
            del inner[last]
    return left


def _copy(value: Any) -> Any:
    """Every alias written out: what is wrong in one place may be right in the other."""
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    return [_copy(inner) for inner in value] if isinstance(value, list) else value


def _told(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str]:
    kind, value = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return "there is no such field", f"Use {one_of(_names(model, path[:-1]))}"
    wanted, cure = _WANTED.get(kind, ("something else", "Write what the Kubernetes API documents for this field"))
    if kind == "string_type" and isinstance(value, bool):
        cure = "Put quotes around it"  # it may have been written `yes`
    elif kind == "string_type" and not isinstance(value, (int, float)):
        cure = "Write a plain word, or text in quotes"
    return f"must be {wanted}, not {shown(value)}", cure.format(value=str(value)[:60])


def _names(model: type[BaseModel], path: Path) -> list[str]:
    """The fields that the model at `path` below `model` does have."""
    for step in path:
        if isinstance(step, str):
            inner = next(one.annotation for one in model.model_fields.values() if one.alias == step)
            model = _model_in(inner)
    return [one.alias or name for name, one in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model inside `list[M]`, `M | None` or `M`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(_model_in(one) for one in annotation.__args__ if one is not type(None))
