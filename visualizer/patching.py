"""Rule: a patch changes what it names and leaves the rest of the text as its author wrote it.

JSON merge patch (RFC 7386). Each changed field is written into the text where it stands; if what comes
out does not say exactly what it should, the whole document is written anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

from packetsim.cluster.documents import Document, Source, read_documents
from packetsim.errors import Problem
from visualizer.documents import Written, dump, plain
from visualizer.refusals import RefusedError

MOST_VALUES = 20_000
MOST_DEEP = 50
MOST_EDITS = 60  # beyond it the document is written anew
LONGEST_NUMBER = 2**63
_ABSENT = object()

Path = tuple[str, ...]
Edit = tuple[Path, Any]


def patched(written: Written, patch: dict[str, Any]) -> Written:
    """The document with the patch applied. Raises RefusedError."""
    _check(patch)
    before = plain(written.document.value)
    wanted = merge(before, patch)
    for field in ("kind", "metadata"):
        if _identity(before, field) != _identity(wanted, field):
            raise RefusedError(
                [f"A patch gives {written.key} no other kind, namespace or name. Delete it and apply another."]
            )
    if wanted == before:
        return written
    text = _rewritten(written.yaml, list(_edits(before, wanted)))
    if text is None or _read(text) != wanted:
        text = dump(wanted)
    return Written(written.kind, written.namespace, written.name, text)


def merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merge(found.get(key), value)
    return found


def _identity(value: dict[str, Any], field: str) -> Any:
    one = value.get(field)
    return (one.get("namespace"), one.get("name")) if isinstance(one, dict) else one


def _check(patch: Any) -> None:
    """A patch is small, and holds only what YAML of Kubernetes can say."""
    waiting, count = [(patch, 1)], 0
    while waiting:
        value, depth = waiting.pop()
        count += 1
        if count > MOST_VALUES or depth > MOST_DEEP:
            raise RefusedError(["This patch is too large. Apply the whole document instead."])
        if isinstance(value, float) and not math.isfinite(value):
            raise RefusedError(["A patch holds no NaN or Infinity. Write a number."])
        if isinstance(value, int) and abs(value) >= LONGEST_NUMBER:
            raise RefusedError(["A number in this patch has more than 64 bits. Write a smaller one."])
        if isinstance(value, dict):
            waiting += [(one, depth + 1) for one in value.values()]
        elif isinstance(value, list):
            waiting += [(one, depth + 1) for one in value]


def _edits(before: Any, wanted: Any, path: Path = ()) -> Iterator[Edit]:
    """The fewest fields to write so that `before` becomes `wanted`; _ABSENT takes one away."""
    for key in before:
        if key not in wanted:
            yield (*path, key), _ABSENT
        elif isinstance(before[key], dict) and isinstance(wanted[key], dict) and before[key] and wanted[key]:
            yield from _edits(before[key], wanted[key], (*path, key))
        elif before[key] != wanted[key] or type(before[key]) is not type(wanted[key]):
            yield (*path, key), wanted[key]
    for key in wanted:
        if key not in before:
            yield (*path, key), wanted[key]


def _read(text: str) -> Any:
    problems: list[Problem] = []
    found: list[Document] = list(read_documents([Source("", text)], problems))
    return plain(found[0].value) if len(found) == 1 and not problems else _ABSENT


# ---- in the text ------------------------------------------------------------------------------------------


def _rewritten(text: str, edits: list[Edit]) -> str | None:
    """The text with every edit made; None where one has no simple place."""
    if len(edits) > MOST_EDITS:
        return None
    for path, value in edits:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError:
            return None
        changed = _edited(text, root, path, value)
        if changed is None:
            return None
        text = changed
    return text


def _edited(text: str, root: Any, path: Path, value: Any) -> str | None:
    mapping = root
    for key in path[:-1]:
        pair = _pair(mapping, key)
        if pair is None:
            return None
        mapping = pair[1]
    if not isinstance(mapping, yaml.MappingNode):
        return None
    pair = _pair(mapping, path[-1])
    if pair is None:
        return _added(text, mapping, path[-1], value)
    if value is _ABSENT:
        return _removed(text, mapping, pair)
    return _replaced(text, mapping, pair, value)


def _pair(mapping: Any, key: str) -> tuple[Any, Any] | None:
    if not isinstance(mapping, yaml.MappingNode):
        return None
    return next((pair for pair in mapping.value if pair[0].value == key), None)


def _end(text: str, node: Any) -> int:
    """Where a node's own text ends; a block's mark stands after the blank lines and comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        if not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        return _end(text, last[1] if isinstance(node, yaml.MappingNode) else last)
    end: int = node.end_mark.index
    return len(text[:end].rstrip()) if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") else end


def _column(node: Any) -> int:
    column: int = node.start_mark.column
    return column


def _lines(key: str, value: Any, column: int) -> str:
    """`key: value` in block style, as it stands at this column."""
    rows = dump({key: value}).rstrip("\n").split("\n")
    return ("\n" + " " * column).join(rows)


def _flow(value: Any) -> str:
    return dump([value], flow=True).strip()[1:-1]


def _added(text: str, mapping: yaml.MappingNode, key: str, value: Any) -> str | None:
    if not mapping.value:
        return None
    if mapping.flow_style:
        at = _end(text, mapping.value[-1][1])
        return f"{text[:at]}, {_flow({key: value})[1:-1]}{text[at:]}"
    at = _line_end(text, _end(text, mapping.value[-1][1]))
    column = _column(mapping.value[0][0])
    return f"{text[:at]}\n{' ' * column}{_lines(key, value, column)}{text[at:]}"


def _replaced(text: str, mapping: yaml.MappingNode, pair: tuple[Any, Any], value: Any) -> str:
    key, old = pair
    start, end = int(key.start_mark.index), _end(text, old)
    simple = isinstance(old, yaml.ScalarNode) or old.flow_style
    if mapping.flow_style or (simple and not (isinstance(value, dict | list) and value)):
        return f"{text[: int(old.start_mark.index)]}{_flow(value)}{text[end:]}"
    if not simple:  # what is written after its last line belonged to what goes
        end = _line_end(text, end)
    return f"{text[:start]}{_lines(key.value, value, _column(key))}{text[end:]}"


def _removed(text: str, mapping: yaml.MappingNode, pair: tuple[Any, Any]) -> str | None:
    if len(mapping.value) == 1:
        return None
    start, end = int(pair[0].start_mark.index), _end(text, pair[1])
    if mapping.flow_style:
        place = mapping.value.index(pair)
        if place + 1 < len(mapping.value):
            return text[:start] + text[int(mapping.value[place + 1][0].start_mark.index) :]
        return text[: _end(text, mapping.value[place - 1][1])] + text[end:]
    if pair is mapping.value[0] and text[text.rfind("\n", 0, start) + 1 : start].strip():
        return None  # the first of a list's item stands on the line of its dash
    return text[: text.rfind("\n", 0, start) + 1] + text[_line_end(text, end) + 1 :]


def _line_end(text: str, at: int) -> int:
    """The end of the line, what is written after the value included."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end
