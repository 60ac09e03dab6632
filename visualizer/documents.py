"""Rule: a manifest stays as somebody wrote it, comments and all; only what cannot stand alone is written anew.

Text of many documents is split into one text for each object. What a document says is read by packetsim.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from packetsim.cluster.documents import Document, Fields, Items, Source, chunks, plain_value, read_documents
from packetsim.cluster.objects import KINDS, NAMELESS
from packetsim.errors import ManifestError, Problem
from visualizer.refusals import RefusedError, refusal_of

PASTED = "your manifests"
MOST_LETTERS = 4_000_000  # of one lab's documents together
MOST_DOCUMENTS = 5_000
MOST_PROBLEMS = 200
MOST_VALUES = 400_000  # mappings, items and scalars of one lab's documents together, aliases followed
_WIDTH = 100
_LESS = "Leave out what has no part in the traffic."
_FIRST_LINE = re.compile(r"(?:[ \t]*(?:#.*)?\r?\n)*---[ \t]*(?:\r?\n|\Z)")  # with a heading of comments above it
_AGAIN = re.compile(r"^(?:---|\.\.\.|%)", re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """One object's manifest. `namespace` "" outside namespaces."""

    kind: str
    namespace: str
    name: str
    yaml: str

    @property
    def key(self) -> str:
        """`Service shop/web`, `Node node1`."""
        return key_of(self.kind, self.namespace, self.name)

    @cached_property
    def document(self) -> Document:
        """What it says. Raises ManifestError."""
        problems: list[Problem] = []
        found = list(read_documents([Source(self.key, self.yaml)], problems))
        if problems or len(found) != 1:
            raise ManifestError(problems or [Problem(self.key, 0, 0, "", "it is empty", "Write one object")])
        return found[0]

    @cached_property
    def values(self) -> int:
        """How many values it holds, aliases followed."""
        return _size(self.document.value)


def key_of(kind: str, namespace: str, name: str) -> str:
    if kind in NAMELESS:
        return kind
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _size(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 1
    return 1 + sum(_size(one) for one in (value.values() if isinstance(value, dict) else value))


# ---- splitting ------------------------------------------------------------------------------------


def split(text: str) -> tuple[list[Written], dict[str, int]]:
    """Every object of a text, and for each key how many lines stand above it. Raises RefusedError."""
    found: dict[str, Written] = {}
    offsets: dict[str, int] = {}
    problems: list[Problem] = []
    for value, written, line in _objects(text, problems):
        one = _named(value, written, line, problems)
        if one is None:
            continue
        if one.key in found:
            cure = "Remove or rename one of the two"
            problems.append(Problem(PASTED, 0, line, "", f"{one.key} stands here twice", cure))
        elif len(found) >= MOST_DOCUMENTS:
            raise RefusedError([f"A lab holds at most {MOST_DOCUMENTS:,} objects. {_LESS}"])
        found[one.key], offsets[one.key] = one, max(0, line - one.document.line)
    if problems:
        raise refusal_of(ManifestError(problems))
    return list(found.values()), offsets


def _objects(text: str, problems: list[Problem]) -> Iterator[tuple[Fields, str | None, int]]:
    """(value, its own text or None, its line in the whole) of each object, lists opened."""
    left = [MOST_VALUES]
    for index, (part, above) in enumerate(chunks(text.removeprefix("\ufeff"))):
        if len(problems) > MOST_PROBLEMS or index > 2 * MOST_DOCUMENTS:
            problems.append(
                Problem(PASTED, 0, above + 1, "", "from here on nothing is read", "Mend what is above first")
            )
            return
        told: list[Problem] = []
        read = list(read_documents([Source(PASTED, part)], told))
        problems += [Problem(PASTED, 0, one.line + above if one.line else 0, "", one.message, one.cure) for one in told]
        alone = len(read) == 1
        for document in read:
            left[0] -= _size(document.value)
            if left[0] < 0:
                raise RefusedError([f"A lab holds at most {MOST_VALUES:,} values. {_LESS}"])
            for value, line in _opened(document.value, document.line, above, problems):
                own = alone and value is document.value
                yield value, _own_text(part) if own else None, line


def _opened(value: Any, line: int, above: int, problems: list[Problem]) -> Iterator[tuple[Fields, int]]:
    """The object, or the items of a List, however deep, each with its line in the whole. `above`: lines before it."""
    if not isinstance(value, Fields):
        cure = "Begin with apiVersion and kind"
        problems.append(Problem(PASTED, 0, line + above, "", "a manifest must be a mapping", cure))
        return
    kind, items = value.get("kind"), value.get("items")
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(items, Items)):
        yield value, line + above
        return
    for item, where in zip(items, items.lines, strict=True):
        if isinstance(item, Fields):
            for field, given in (("kind", kind.removesuffix("List")), ("apiVersion", value.get("apiVersion"))):
                if given and field not in item:
                    item[field] = given
                    item.lines.append(where)
        yield from _opened(item, where, above, problems)


def _own_text(part: str) -> str | None:
    """The document's text without its `---`; None where it could not stand alone."""
    heading = _FIRST_LINE.match(part)
    text = part[heading.end() :] if heading else part
    if _AGAIN.search(text):
        return None
    return text.strip("\n") + "\n"


def _named(value: Fields, text: str | None, line: int, problems: list[Problem]) -> Written | None:
    meta = value.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    kind, name, namespace = value.get("kind"), meta.get("name"), meta.get("namespace")
    if not isinstance(kind, str) or not 0 < len(kind) <= 63:
        problems.append(
            Problem(PASTED, 0, line, "kind", "the kind is missing", "Say what this is, like `kind: Service`")
        )
        return None
    if kind in NAMELESS:
        name, namespace = kind, ""
    elif not isinstance(name, str) or not 0 < len(name) <= 253:
        problems.append(Problem(PASTED, 0, line, "metadata.name", f"this {kind} has no name", "Add metadata.name"))
        return None
    known = KINDS.get(kind)
    home = namespace if isinstance(namespace, str) and len(namespace) <= 253 else ""
    if known is not None:
        home = (home or "default") if known.namespaced else ""
    if text is not None:
        own = Written(kind, home, name, text)
        with suppress(ManifestError):
            if own.document.value == value:
                return own
    return Written(kind, home, name, dump(value))


# ---- many together ----------------------------------------------------------------------------------


def merged(documents: Mapping[str, Written], new: Iterable[Written]) -> dict[str, Written]:
    """With the new in the place of the old of the same key, or after all others. Raises RefusedError."""
    found = {**documents, **{one.key: one for one in new}}
    for what, most, there in (
        ("objects", MOST_DOCUMENTS, len(found)),
        ("letters of manifests", MOST_LETTERS, sum(len(one.yaml) for one in found.values())),
        ("values", MOST_VALUES, sum(one.values for one in found.values())),
    ):
        if there > most:
            raise RefusedError([f"A lab holds at most {most:,} {what}, and these are {there:,}. Take some away first."])
    return found


def joined(documents: Iterable[Written]) -> str:
    """One text that `split` takes apart again."""
    return "---\n".join(one.yaml for one in documents)


# ---- writing ------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Block style without aliases; text that Kubernetes would read as something else stands in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    misread = not isinstance(plain_value(text), str)
    style = '"' if misread else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def dump(value: Any, flow: bool = False) -> str:
    """The value as YAML; `flow`: on one line."""
    return yaml.dump(
        plain(value),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=1_000_000 if flow else _WIDTH,
        default_flow_style=flow,
    )


def plain(value: Any) -> Any:
    """Dicts and lists, without lines."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value
