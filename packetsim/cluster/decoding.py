"""Rule: a value whose type is wrong is told in the API's words: which field, what it should be, how to write it."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

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


def decode(model: type[Model], value: object, place: Place, report: Report) -> Model | None:
    """`value` as `model`, or None with a problem for each field whose type is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False):
            path: Path = tuple(step for step in detail["loc"] if step != "[key]")
            report.problem(place, path, *_told(detail, path, model))
        return None


def _told(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> tuple[str, str]:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return f"the field {shown(path[-1])} is missing", "Add it"
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
