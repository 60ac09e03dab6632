"""Rule: a fault is planted into a lesson that is proven, by replacing one piece of one of its files."""

from __future__ import annotations

from functools import cache

from visualizer.exercises.loader import CONTENT, FILES, Course, Lesson, lesson_from, load_misconceptions
from visualizer.exercises.proof import prove

SEEDS = 2


@cache
def files_of(name: str) -> dict[str, str]:
    return {file: (CONTENT / name / file).read_text(encoding="utf-8") for file in FILES}


def planted(name: str, file: str, old: str, new: str) -> dict[str, str]:
    """The lesson's files with `old` once replaced."""
    files = dict(files_of(name))
    assert old in files[file], f"{old!r} is not in {file}"
    return {**files, file: files[file].replace(old, new, 1)}


def course_of(lesson: Lesson) -> Course:
    """This lesson with the misconceptions whose stage is its own, and no other's proof."""
    return Course({lesson.name: lesson}, load_misconceptions(CONTENT))


def problems_of(files: dict[str, str], name: str, what: str) -> str:
    """What the proof finds wrong with one exercise, or with the `scenes`."""
    lesson = lesson_from(name, files)
    for row in prove(course_of(lesson), SEEDS):
        if row.what == what:
            return "\n".join(row.problems)
    raise AssertionError(f"no row is about {what}")
