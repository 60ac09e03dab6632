"""Rule: manifests are written so that a person reads them with ease and `load` reads back what was meant.

What is short stands on one line, as people write it. Text that looks like a number or a truth value is quoted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from packetsim.cluster.documents import Source, plain_value, read_documents
from packetsim.errors import ManifestError, Problem

WIDTH = 120
_LINE = 100  # a mapping or list up to this long stands on one line
_NEVER_BROKEN = 10_000

Document = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Short collections in flow style."""

    def represent_data(self, data: Any) -> yaml.Node:
        node: yaml.Node = super().represent_data(data)
        if isinstance(node, yaml.CollectionNode):
            node.flow_style = _length(node) <= _LINE
        return node

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.Node:
    style = None if plain_value(text) == text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _length(node: yaml.Node) -> int:
    """About how long the node is in flow style; two more for `, ` or `: ` after each part."""
    if isinstance(node, yaml.MappingNode):
        return 2 + sum(_length(key) + _length(value) + 4 for key, value in node.value)
    if isinstance(node, yaml.SequenceNode):
        return 2 + sum(_length(one) + 2 for one in node.value)
    return len(node.value)


def write(documents: Iterable[Document]) -> str:
    """The documents as one YAML text, keys in the order given."""
    return "---\n".join(
        "".join(f"{key}:{_value(value)}" for key, value in document.items()) for document in documents if document
    )


def _value(value: Any) -> str:
    """A top-level field's value: beside its key when it fits there, else below."""
    text: str = yaml.dump(value, Dumper=_Dumper, width=_NEVER_BROKEN, sort_keys=False, allow_unicode=True)
    text = text.removesuffix("...\n")
    if not isinstance(value, (dict, list)) or text[0] in "{[":
        return f" {text}"
    indent = "" if isinstance(value, list) else "  "
    return "\n" + "".join(f"{indent}{line}\n" for line in text.splitlines())


def read(text: str, name: str = "manifests") -> list[Document]:
    """Every document of the text as plain dicts and lists. Raises ManifestError where it is no YAML."""
    problems: list[Problem] = []
    documents = [_plain(one.value) for one in read_documents([Source(name, text)], problems)]
    if problems:
        raise ManifestError(problems)
    return [one for one in documents if isinstance(one, dict)]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
