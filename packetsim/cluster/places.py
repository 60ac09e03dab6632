"""Rule: whatever is wrong or left out is told with its place; problems and notices are collected, not raised."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from packetsim.cluster.documents import Fields, Items
from packetsim.errors import ManifestError, Problem

MAX_PROBLEMS = 1000
MAX_NOTICES = 200

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one object stands. `root` knows its fields' lines.

    For text inside a field of another object, `prefix` is that field and `offset` the line it stands on.
    """

    file: str
    document: int
    root: Any
    start: int
    prefix: str = ""
    offset: int = 0

    def line(self, path: Path = ()) -> int:
        """The line of the field, or of the nearest thing around it that is written."""
        line, value = self.start, self.root
        for step in path:
            if isinstance(value, Fields) and step in value:
                line = value.line_of(str(step))
            elif isinstance(value, Items) and isinstance(step, int) and step < len(value):
                line = value.lines[step]
            else:
                break
            value = value[step]
        return line + self.offset

    def __str__(self) -> str:
        return f"{self.file}: document {self.document}, line {self.line()}"


def path_text(path: Path) -> str:
    """`spec.ports[0].nodePort`; keys that hold dots or slashes stand in brackets."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif "." in step or "/" in step or not step:
            text += f"[{shown(step)}]"
        else:
            text += f".{clipped(step)}" if text else clipped(step)
    return text


def clipped(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def shown(value: object) -> str:
    """A value as an error shows it: text in quotes, never long."""
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return f'"{clipped(value)}"'.replace("\n", "\\n")
    if isinstance(value, (int, float)):
        return clipped(str(value))
    return "a list" if isinstance(value, list) else "a mapping" if isinstance(value, dict) else type(value).__name__


def one_of(words: Iterable[str]) -> str:
    """ "a, b or c", for a cure."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


class Report:
    """Everything wrong (problems) and everything left out or made up (notices) in one load."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._notices: dict[str, tuple[int, Place | None]] = {}

    def problem(self, place: Place, path: Path, message: str, cure: str) -> None:
        field = ".".join(part for part in (place.prefix, path_text(path)) if part)
        self.problems.append(Problem(place.file, place.document, place.line(path), field, message, cure))

    def notice(self, text: str, place: Place | None = None) -> None:
        """Say `text` once, with how often it came up and where first."""
        if text not in self._notices and len(self._notices) >= MAX_NOTICES:
            text, place = "there is more to notice than is told here", None
        count, first = self._notices.get(text, (0, place))
        self._notices[text] = (count + 1, first)

    @property
    def notices(self) -> tuple[str, ...]:
        return tuple(_noticed(text, count, place) for text, (count, place) in self._notices.items())

    def raise_problems(self, files: list[str]) -> None:
        """Raise ManifestError if anything is wrong, problems in the order of the files."""
        if not self.problems:
            return
        order = {name: place for place, name in reversed(list(enumerate(files)))}
        found = sorted(self.problems, key=lambda one: (order.get(one.file, 0), one.document, one.line))
        found = list(dict.fromkeys(found))
        if len(found) > MAX_PROBLEMS:
            last = found[MAX_PROBLEMS]
            more = f"{len(found) - MAX_PROBLEMS:,} more problems from here on"
            found[MAX_PROBLEMS:] = [Problem(last.file, last.document, last.line, "", more, "Mend those above first")]
        raise ManifestError(found)


def _noticed(text: str, count: int, place: Place | None) -> str:
    if place is None:
        return text
    return f"{text} ({f'{count} times, first' if count > 1 else 'at'} {place})"
