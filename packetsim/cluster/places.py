"""Rule: whatever is wrong or left out is told with its place; problems and notices are collected, not raised.

One fault makes one problem. What is said of a field whose type is wrong, or of anything in it, is
not told, nor is what rests on a field already complained of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from packetsim.cluster.documents import Fields, Items
from packetsim.errors import ManifestError, Problem

MAX_PROBLEMS = 1000
MAX_NOTICES = 200

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where one object stands. `root` knows its fields' lines. No two are equal: each is one object's own.

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


class _Paths:
    """Some fields of one object."""

    def __init__(self) -> None:
        self._fields: set[Path] = set()
        self._around: set[Path] = set()

    def add(self, path: Path) -> None:
        self._fields.add(path)
        self._around.update(path[:depth] for depth in range(len(path)))

    def hold(self, path: Path) -> bool:
        """Is the field one of these, or in one of these?"""
        return any(path[:depth] in self._fields for depth in range(len(path) + 1))

    def touch(self, path: Path) -> bool:
        """Is the field one of these, or in one, or around one?"""
        return path in self._around or self.hold(path)


class Report:
    """Everything wrong (problems) and everything left out or made up (notices) in one load."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.said = 0  # how often something was to be told, told or not
        self._wrong: defaultdict[Place, _Paths] = defaultdict(_Paths)
        self._lost: defaultdict[Place, _Paths] = defaultdict(_Paths)
        self._notices: dict[str, tuple[int, Place | None]] = {}

    def problem(self, place: Place, path: Path, message: str, cure: str, rests_on: Iterable[Path] = ()) -> None:
        """Tell what is wrong with the field at `path`, unless that may only follow from another fault.

        `rests_on`: fields of the object that the judgement would change with, its own among them if
        it is about what the field lacks.
        """
        self.said += 1
        if not self._is_lost(place, path) and self.sound(place, *rests_on):
            self._tell(place, path, message, cure)

    def mistyped(self, place: Place, path: Path, message: str, cure: str) -> None:
        """Tell that the type of the field at `path` is wrong: from here on the object lacks it."""
        self.said += 1
        if not self._is_lost(place, path):
            self._lost[place].add(path)
            self._tell(place, path, message, cure)

    def sound(self, place: Place, *paths: Path) -> bool:
        """Has nothing been told of these fields, of what they hold, or of what holds them?"""
        return place not in self._wrong or not any(map(self._wrong[place].touch, paths))

    def known(self, place: Place, *paths: Path) -> bool:
        """Do these fields say what was written, be it wrong? Else they, or parts of them, are left out."""
        return place not in self._lost or not any(map(self._lost[place].touch, paths))

    def _is_lost(self, place: Place, path: Path) -> bool:
        return place in self._lost and self._lost[place].hold(path)

    def _tell(self, place: Place, path: Path, message: str, cure: str) -> None:
        self._wrong[place].add(path)
        field = ".".join(part for part in (place.prefix, path_text(path)) if part)
        self.problems.append(Problem(place.file, place.document, place.line(path), field, message, cure))

    def notice(self, text: str, place: Place | None = None) -> None:
        """Say `text` once, with how often it came up and where first."""
        self.said += 1
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
