"""Rule: the front end's types come from `schemas.py` through one file, and a check tells when it falls behind.

What pages send is described as it is read (fields with defaults may be left out), what they get as it is
written (every field is there).
"""

from __future__ import annotations

import inspect
import json
from typing import Any

from pydantic import TypeAdapter

from visualizer import schemas

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_FROM_PAGE = {"Command": schemas.Command, "FromPage": schemas.FromPage}
_FROM_SERVER = {"Event": schemas.Event, "FromServer": schemas.FromServer}
_WORDS = {"Mode": schemas.Mode, "Role": schemas.Role, "Sign": schemas.Sign, "Transport": schemas.Transport}
_CONSTANTS = ("PROTOCOL", "MOST_MANIFESTS", "MOST_BURST", "MOST_LINES")


def schema_text() -> str:
    return json.dumps(schema(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """Every model and union by its name in `$defs`; limits under `x-constants`."""
    sent = _definitions(_FROM_PAGE, "validation")
    written = _definitions({**_FROM_SERVER, **_WORDS, **_documents(set(sent))}, "serialization")
    return {
        "$schema": DRAFT,
        "title": "Wire",
        "type": "object",
        "additionalProperties": False,
        "properties": {"from_page": {"$ref": "#/$defs/FromPage"}, "from_server": {"$ref": "#/$defs/FromServer"}},
        "x-constants": {name: getattr(schemas, name) for name in _CONSTANTS},
        "$defs": {**sent, **written},
    }


def _documents(known: set[str]) -> dict[str, Any]:
    models = inspect.getmembers(schemas, lambda one: inspect.isclass(one) and issubclass(one, schemas.Wire))
    return {name: model for name, model in models if name not in known and model is not schemas.Wire}


def _definitions(types: dict[str, Any], mode: Any) -> dict[str, Any]:
    found, shared = TypeAdapter.json_schemas([(name, mode, TypeAdapter(one)) for name, one in types.items()])
    definitions: dict[str, Any] = dict(shared.get("$defs", {}))
    for (name, _), one in found.items():
        if set(one) != {"$ref"}:
            definitions[name] = one
    return definitions
