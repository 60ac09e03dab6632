"""Rule: `python -m visualizer.exercises [FOLDER]` proves all content, and fails if anything is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from visualizer.exercises.faults import ContentError
from visualizer.exercises.loader import CONTENT, Course, load_course
from visualizer.exercises.proof import SEEDS, Row, prove
from visualizer.exercises.schema import CLAIMS


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m visualizer.exercises", description="Prove lessons and exercises.")
    parser.add_argument("folder", nargs="?", type=Path, default=CONTENT, help="where the lessons are")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"learners for each exercise (default {SEEDS})")
    parser.add_argument("--lesson", help="this one alone, and no misconceptions")
    options = parser.parse_args(arguments)
    try:
        course = load_course(options.folder)
    except ContentError as error:
        print(error, file=sys.stderr)
        return 1
    if options.lesson:
        course = Course(
            {name: one for name, one in course.lessons.items() if name == options.lesson}, course.misconceptions
        )
    failed = exercises = 0
    for row in prove(course, options.seeds):
        if options.lesson and row.kind == "misconception":
            continue
        print(_line(row), flush=True)
        failed += bool(row.problems)
        exercises += row.kind not in ("lesson", "misconception")
    print(_summary(course, exercises, failed))
    return 1 if failed else 0


def _line(row: Row) -> str:
    mark = "FAILS" if row.problems else "ok"
    line = f"{mark:<6}{row.lesson:<28} {row.what:<28} {row.kind:<14} {row.variants:>2}  {row.answer[:60]}".rstrip()
    return "\n".join([line, *(f"      {problem}" for problem in row.problems)])


def _summary(course: Course, exercises: int, failed: int) -> str:
    lessons = course.lessons.values()
    covered = {claim for lesson in lessons for claim in lesson.front.claims}
    covered |= {claim for lesson in lessons for one in lesson.exercises.values() for claim in one.claims}
    missing = [str(claim) for claim in range(1, CLAIMS + 1) if claim not in covered]
    told = f"; claims without a lesson yet: {', '.join(missing)}" if missing else "; every claim is covered"
    return f"{len(course.lessons)} lessons, {exercises} exercises, {failed} failed{told}"


if __name__ == "__main__":
    sys.exit(main())
