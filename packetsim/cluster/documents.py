"""Rule: YAML text becomes plain values, each with its line, inside fixed bounds; nothing else reads YAML.

Values are built from the parser's events, so no node graph is kept and no constructor can run. What
a plain scalar means follows sigs.k8s.io/yaml, which kubectl uses: YAML 1.1 without sexagesimals and
with time stamps left as text. The text is split at `---` first: one broken document hides no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml import events as ev

from packetsim.errors import ManifestError, Problem

MAX_BYTES = 32 * 1024 * 1024
MAX_DOCUMENTS = 100_000
MAX_DEPTH = 64
MAX_SCALAR = 1024 * 1024  # etcd takes no object above 1.5 MiB
MAX_REPEATED = 200_000  # nodes that aliases may repeat, in all

_Loader: type[Any] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_TAG = "tag:yaml.org,2002:"
_NULLS = ("", "~", "null", "Null", "NULL")
_TRUE = frozenset(form for word in ("true", "yes", "on", "y") for form in (word, word.title(), word.upper()))
_FALSE = frozenset(form for word in ("false", "no", "off", "n") for form in (word, word.title(), word.upper()))
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F_]{1,16}|0b[01_]{1,64}|0o?[0-7_]{0,22}|[1-9][0-9_]{0,18})")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]{1,4})?")
_NOT_FINITE = {"inf": float("inf"), "nan": float("nan")}
_WRITTEN = re.compile(r"^[ \t]*[^#%\s]", re.MULTILINE)
_SPLIT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """One file's name, as errors shall call it, and its text."""

    name: str
    text: str


class Fields(dict[str, Any]):
    """A YAML mapping. `line` is where it starts, `lines` the line of each key in order."""

    __slots__ = ("line", "lines")
    line: int
    lines: list[int]

    def line_of(self, key: str) -> int:
        return self.lines[list(self).index(key)] if key in self else self.line


class Items(list[Any]):
    """A YAML sequence. `line` is where it starts, `lines` the line of each item."""

    __slots__ = ("line", "lines")
    line: int
    lines: list[int]


@dataclass(frozen=True, slots=True)
class Document:
    """One document that is not empty. `index` counts from 1, empty documents included."""

    file: str
    index: int
    line: int
    value: Any


class _RefusedError(Exception):
    def __init__(self, line: int, message: str, cure: str) -> None:
        self.line, self.message, self.cure = line, message, cure


def source_from_bytes(name: str, data: bytes) -> Source:
    """A file's bytes as a Source. Raises ManifestError when they are not UTF-8 text."""
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ManifestError([_not_text(name, line)]) from None


def read_documents(sources: Iterable[Source], problems: list[Problem]) -> Iterator[Document]:
    """Every document of every file; what cannot be read goes to `problems` instead."""
    left, repeated = MAX_BYTES, [0]
    for source in sources:
        size = _size(source, problems)
        if size is None:
            continue
        left -= size
        if left < 0:
            cure = "Leave out what has no part in the traffic, or split the cluster"
            problems.append(Problem(source.name, 0, 0, "", f"the manifests exceed {MAX_BYTES >> 20} MiB in all", cure))
            return
        yield from _read(source, problems, repeated)


def _size(source: Source, problems: list[Problem]) -> int | None:
    """Bytes of the text; None, and a problem, when it is not text."""
    nul = source.text.find("\0")
    try:
        size = len(source.text.encode())
    except UnicodeEncodeError as error:
        nul, size = error.start, 0
    if nul < 0:
        return size
    problems.append(_not_text(source.name, source.text.count("\n", 0, nul) + 1))
    return None


def _not_text(name: str, line: int) -> Problem:
    return Problem(name, 0, line, "", "this is not UTF-8 text", "Save the file as UTF-8, without NUL characters")


def _read(source: Source, problems: list[Problem], repeated: list[int]) -> Iterator[Document]:
    index = 0
    for text, offset in chunks(source.text.removeprefix("\ufeff")):
        index += 1
        if index > MAX_DOCUMENTS:
            cure = "Remove the empty ones, or put the objects into one `kind: List`"
            problems.append(Problem(source.name, index, offset + 1, "", f"more than {MAX_DOCUMENTS:,} documents", cure))
            return
        try:
            for value, line, later in _Builder(text, offset, repeated).documents():
                index += later
                if value is not None:
                    yield Document(source.name, index, line, value)
        except _RefusedError as error:
            problems.append(Problem(source.name, index, error.line, "", error.message, error.cure))


def chunks(text: str) -> Iterator[tuple[str, int]]:
    """The text split before each `---` at a line's start, with the number of lines before each part.

    A part of comments and directives alone belongs to the next one.
    """
    begin = line = 0
    for cut in (*(match.start() for match in _SPLIT.finditer(text)), len(text)):
        part = text[begin:cut]
        bare = part[:3] != "---" and len(part) < 65536 and not _WRITTEN.search(part)
        if bare and not (cut == len(text) and begin == 0):
            continue
        yield part, line
        line += part.count("\n")
        begin = cut


def plain_value(text: str) -> object:
    """What an unquoted scalar means: nothing, a truth value, a number or text."""
    if text in _NULLS:
        return None
    if text[0] not in "-+.0123456789tTfFyYnNoO":
        return text
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    sign, dot, word = text.rpartition(".")
    if dot and sign in ("", "-", "+") and word.lower() in _NOT_FINITE:
        return _NOT_FINITE[word.lower()]
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    bare = digits.lstrip("+-")
    if len(bare) > 1 and bare[0] == "0" and bare[1] not in "xbo":
        digits = digits.replace("0", "0o", 1)  # YAML 1.1: a leading zero means octal
    try:
        return int(digits, 0)
    except ValueError:  # "0x_", "08"
        return text


class _Builder:
    """Builds the values of one part of a file out of parser events."""

    def __init__(self, text: str, offset: int, repeated: list[int]) -> None:
        self._offset = offset + 1
        self._repeated = repeated
        self._anchors: dict[str, Any] = {}
        self._open: set[str] = set()
        self._sizes: dict[str, tuple[int, int]] = {}
        self._known: dict[str, object] = {}
        self._text = text

    def documents(self) -> Iterator[tuple[Any, int, int]]:
        """(value, line, 0 for the first and 1 for each later document)."""
        try:
            loader = _Loader(self._text)
            self._next: Callable[[], Any] = loader.get_event
            later = 0
            while (event := self._next()) is not None and type(event) is not ev.StreamEndEvent:
                if type(event) is ev.DocumentStartEvent:
                    first = self._next()
                    yield self._value(first, 1), self._line(first), later
                    self._anchors.clear()
                    later = 1
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise self._syntax(mark.line if mark else 0, error.problem or "it cannot be parsed") from None
        except yaml.reader.ReaderError as error:
            line = self._text.encode()[: error.position].count(b"\n")  # libyaml counts bytes
            raise self._syntax(line, "a control character is not allowed in YAML") from None

    def _syntax(self, line: int, problem: str) -> _RefusedError:
        rows = self._text.splitlines()
        row = rows[line] if line < len(rows) else ""
        cure = "Mend the syntax at this line or just above it"
        if "\t" in row:
            cure = "Indent with spaces: YAML allows no tabs"
        return _RefusedError(line + self._offset, f"this is not YAML: {problem}", cure)

    def _too_deep(self, event: Any) -> _RefusedError:
        cure = "No Kubernetes object needs it: flatten it"
        return _RefusedError(self._line(event), f"nested more than {MAX_DEPTH} deep", cure)

    def _line(self, event: Any) -> int:
        line: int = event.start_mark.line + self._offset
        return line

    def _value(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is ev.ScalarEvent:
            return self._scalar(event)
        if kind is ev.AliasEvent:
            return self._alias(event, depth)
        if depth > MAX_DEPTH:
            raise self._too_deep(event)
        anchor = event.anchor
        if anchor is not None:
            self._open.add(anchor)
            self._sizes.pop(anchor, None)
        mapping = kind is ev.MappingStartEvent
        self._check_tag(event, "map" if mapping else "seq")
        value = self._mapping(event, depth) if mapping else self._sequence(event, depth)
        if anchor is not None:
            self._open.discard(anchor)
            self._anchors[anchor] = value
        return value

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if len(text) > MAX_SCALAR:
            cure = "No field of a Kubernetes object may be that long: shorten it"
            raise _RefusedError(self._line(event), f"a value of {len(text):,} characters", cure)
        if event.implicit[0]:
            if text in self._known:
                value = self._known[text]
            else:
                value = self._known[text] = plain_value(text)
        elif event.tag is None or event.implicit[1]:
            value = text
        else:
            value = self._tagged(event, text)
        if event.anchor is not None:
            self._anchors[event.anchor] = value
            self._sizes.pop(event.anchor, None)
        return value

    def _tagged(self, event: Any, text: str) -> Any:
        if event.tag in ("!", _TAG + "str"):
            return text
        self._check_tag(event, "int", "float", "bool", "null")
        return plain_value(text)

    def _check_tag(self, event: Any, *allowed: str) -> None:
        if event.tag is not None and event.tag not in {"!", *(_TAG + name for name in allowed)}:
            tag = event.tag.replace(_TAG, "!!")[:60]
            cure = "Remove the tag: manifests are plain data"
            raise _RefusedError(self._line(event), f"the tag {tag} is not allowed here", cure)

    def _mapping(self, start: Any, depth: int) -> Fields:
        fields = Fields()
        fields.line, fields.lines = self._line(start), []
        merges: list[Any] = []
        while type(event := self._next()) is not ev.MappingEndEvent:
            line = self._line(event)
            if type(event) is not ev.ScalarEvent:
                raise _RefusedError(line, "a key must be plain text", "Write `key: value`")
            key = event.value
            if event.anchor is not None:
                self._scalar(event)
            value = self._value(self._next(), depth + 1)
            if key == "<<" and event.implicit[0]:
                merges.append((line, value))
            elif key in fields:
                first = fields.lines[list(fields).index(key)]
                message = f"the key {key[:60]!r} stands twice, first on line {first}"
                raise _RefusedError(line, message, "Remove one of the two")
            else:
                fields[key] = value
                fields.lines.append(line)
        for line, merge in merges:
            self._merge(fields, merge, line)
        return fields

    def _merge(self, fields: Fields, merge: Any, line: int) -> None:
        """`<<: *base`: keys that are missing here come from the mapping, or mappings, named."""
        for one in merge if isinstance(merge, Items) else [merge]:
            if not isinstance(one, Fields):
                raise _RefusedError(
                    line, "`<<` must name a mapping", "Give it an alias of a mapping, or write the keys out"
                )
            for key, key_line in zip(one, one.lines, strict=True):
                if key not in fields:
                    fields[key] = one[key]
                    fields.lines.append(key_line)

    def _sequence(self, start: Any, depth: int) -> Items:
        items = Items()
        items.line, items.lines = self._line(start), []
        while type(event := self._next()) is not ev.SequenceEndEvent:
            items.lines.append(self._line(event))
            items.append(self._value(event, depth + 1))
        return items

    def _alias(self, event: Any, depth: int) -> Any:
        """The very value anchored; how much and how deep it repeats is bounded."""
        anchor, line = event.anchor, self._line(event)
        alias = f"*{anchor[:60]}"
        if anchor in self._open:
            raise _RefusedError(line, f"{alias} stands inside its own anchor", "Write out what it is to hold")
        if anchor not in self._anchors:
            raise _RefusedError(line, f"{alias} has no anchor before it", f"Mark the value with &{anchor[:60]}")
        if anchor not in self._sizes:
            self._sizes[anchor] = _extent(self._anchors[anchor])
        size, height = self._sizes[anchor]
        self._repeated[0] += size
        if self._repeated[0] > MAX_REPEATED:
            raise _RefusedError(
                line, f"aliases repeat more than {MAX_REPEATED:,} values", "Write the values out instead"
            )
        if depth + height - 1 > MAX_DEPTH:
            raise self._too_deep(event)
        return self._anchors[anchor]


def _extent(value: Any) -> tuple[int, int]:
    """(how many values, how many levels) with every alias inside expanded."""
    if not isinstance(value, (Fields, Items)):
        return 1, 1
    inner = [_extent(one) for one in (value.values() if isinstance(value, Fields) else value)]
    return 1 + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)
