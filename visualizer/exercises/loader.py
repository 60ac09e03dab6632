"""Rule: a lesson is the text of its files, read whole or refused with everything that is wrong with it.

`lesson_from` knows no file system, so that a folder, an upload and a browser's draft are read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from visualizer.exercises.faults import ContentError
from visualizer.exercises.lessons import Page, read_page, refuse_markup
from visualizer.exercises.schema import (
    Exercise,
    ExerciseFile,
    FrontMatter,
    Misconception,
    Scene,
    TranslatedFrontMatter,
    Vary,
    Words,
)
from visualizer.exercises.yaml_files import read_one, validated

CONTENT = Path(__file__).parent / "content"
LANGUAGES = ("en", "zh-hans")
FILES = ("lesson.md", "lesson.zh-hans.md", "cluster.yaml", "exercise.yaml", "solution.yaml")
REQUIRED = FILES[:3]
MISCONCEPTIONS = "misconceptions.yaml"


@dataclass(frozen=True)
class Lesson:
    """`raw` and `solutions`: exercises and solutions as written, by id, for `variants` to rename."""

    name: str
    front: FrontMatter
    title: Words
    pages: Mapping[str, tuple[Scene, ...]]
    cluster: str
    vary: Vary
    raw: Mapping[str, dict[str, Any]]
    exercises: Mapping[str, Exercise]
    solutions: Mapping[str, Any]

    @property
    def scenes(self) -> tuple[Scene, ...]:
        return self.pages[LANGUAGES[0]]

    @cached_property
    def asked(self) -> frozenset[str]:
        """The exercises that a scene asks."""
        return frozenset(action.ask for scene in self.scenes for action in scene.stage if action.ask)


@dataclass(frozen=True)
class Course:
    lessons: Mapping[str, Lesson]
    misconceptions: Mapping[str, Misconception]


# ---- one lesson -------------------------------------------------------------------------------------------


def lesson_from(name: str, files: Mapping[str, str]) -> Lesson:
    """The lesson of these files, by name. Raises ContentError."""
    missing = [f"{name}/{one}: it is missing" for one in REQUIRED if one not in files]
    if missing:
        raise ContentError(missing)
    pages = {"en": _page(name, files, "lesson.md"), "zh-hans": _page(name, files, "lesson.zh-hans.md")}
    front = validated(FrontMatter, pages["en"].front, f"{name}/lesson.md")
    translated = validated(TranslatedFrontMatter, pages["zh-hans"].front, f"{name}/lesson.zh-hans.md")
    _compare(name, pages["en"].scenes, pages["zh-hans"].scenes)
    written = validated(
        ExerciseFile,
        read_one(f"{name}/exercise.yaml", files.get("exercise.yaml", "")) or {"exercises": []},
        f"{name}/exercise.yaml",
    )
    exercises = _exercises(name, written)
    lesson = Lesson(
        name=name,
        front=front,
        title=Words.model_validate({"en": front.title, "zh-hans": translated.title}),
        pages={language: page.scenes for language, page in pages.items()},
        cluster=files["cluster.yaml"],
        vary=written.vary,
        raw={one.id: raw for one, raw in zip(exercises, written.exercises, strict=True)},
        exercises={one.id: one for one in exercises},
        solutions=_solutions(name, files.get("solution.yaml", ""), exercises),
    )
    _check_asked(lesson)
    return lesson


def _page(name: str, files: Mapping[str, str], file: str) -> Page:
    return read_page(f"{name}/{file}", files[file])


def _compare(name: str, english: tuple[Scene, ...], chinese: tuple[Scene, ...]) -> None:
    """Both languages have the same scenes with the same stages."""
    if len(english) != len(chinese):
        raise ContentError([f"{name}: {len(english)} scenes in English, {len(chinese)} in Chinese"])
    raise_all(
        f"{name}: scene {number}, {one.title!r}: its stage is another in lesson.zh-hans.md"
        for number, (one, other) in enumerate(zip(english, chinese, strict=True), 1)
        if one.stage != other.stage
    )


def _exercises(name: str, written: ExerciseFile) -> list[Exercise]:
    problems: list[str] = []
    found: list[Exercise] = []
    for number, raw in enumerate(written.exercises, 1):
        place = f"{name}/exercise.yaml: exercise {raw.get('id') or number}"
        try:
            found.append(validated(Exercise, raw, place))
            _each_prose(raw, lambda text, place=place: refuse_markup(text, place))  # type: ignore[misc]
        except ContentError as error:
            problems += error.problems
    ids = [one.id for one in found]
    problems += [f"{name}/exercise.yaml: two exercises are called {one}" for one in ids if ids.count(one) > 1]
    raise_all(problems)
    return found


def _each_prose(value: Any, judge: Callable[[str], None]) -> None:
    if isinstance(value, dict):
        for key, one in value.items():
            if key in LANGUAGES and isinstance(one, str):
                judge(one)
            else:
                _each_prose(one, judge)
    elif isinstance(value, list):
        for one in value:
            _each_prose(one, judge)


def _solutions(name: str, text: str, exercises: list[Exercise]) -> dict[str, Any]:
    """By exercise, or `exercise/case` where a case has its own."""
    place = f"{name}/solution.yaml"
    value = read_one(place, text) or {}
    known = {one.id for one in exercises} | {f"{one.id}/{case.id}" for one in exercises for case in one.cases}
    if not isinstance(value, dict):
        raise ContentError([f"{place}: write each exercise's id, and below it what to do"])
    raise_all(f"{place}: there is no exercise {key!r}" for key in value if key not in known)
    return value


def _check_asked(lesson: Lesson) -> None:
    raise_all(
        [
            *(f"{lesson.name}: a scene asks {one!r}, and there is no such exercise"
              for one in sorted(lesson.asked - lesson.exercises.keys())),
            *(f"{lesson.name}: no scene asks exercise {one!r}"
              for one in sorted(lesson.exercises.keys() - lesson.asked)),
        ]
    )  # fmt: skip


def raise_all(problems: Any) -> None:
    found = list(problems)
    if found:
        raise ContentError(found)


# ---- folders ------------------------------------------------------------------------------------------------


def load_lesson(folder: Path) -> Lesson:
    """Raises ContentError."""
    return lesson_from(folder.name, {name: _text(folder / name) for name in FILES if (folder / name).is_file()})


def load_misconceptions(folder: Path) -> dict[str, Misconception]:
    path = folder / MISCONCEPTIONS
    if not path.is_file():
        return {}
    value = read_one(MISCONCEPTIONS, _text(path)) or []
    if not isinstance(value, list):
        raise ContentError([f"{MISCONCEPTIONS}: write a list, each with an id"])
    found = [validated(Misconception, one, f"{MISCONCEPTIONS}: {number}") for number, one in enumerate(value, 1)]
    return {one.id: one for one in found}


def load_course(folder: Path = CONTENT) -> Course:
    """Every lesson, in order. Raises ContentError with what is wrong in all of them."""
    problems: list[str] = []
    lessons: list[Lesson] = []
    for path in sorted(one for one in folder.iterdir() if one.is_dir() and one.name[:3].isdigit()):
        try:
            lessons.append(load_lesson(path))
        except ContentError as error:
            problems += error.problems
    misconceptions: dict[str, Misconception] = {}
    try:
        misconceptions = load_misconceptions(folder)
    except ContentError as error:
        problems += error.problems
    raise_all(problems)
    ordered = sorted(lessons, key=lambda one: (one.front.order, one.name))
    return Course({one.name: one for one in ordered}, misconceptions)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ContentError([f"{path.parent.name}/{path.name}: this is not UTF-8 text"]) from None
