"""Rule: no content is believed: each lesson is played, each exercise failed and solved, for several learners.

`prove` yields one row for each lesson, exercise and misconception; a row without problems is proven.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from packetsim.errors import PacketsimError
from visualizer.exercises.faults import ContentError
from visualizer.exercises.grading import Answer, Result, grade, judged, right_choices, same
from visualizer.exercises.loader import Course, Lesson
from visualizer.exercises.options import TYPED, how, options
from visualizer.exercises.questions import evaluated, shown
from visualizer.exercises.schema import Check, Exercise, Misconception
from visualizer.exercises.stage import Stage, staged
from visualizer.exercises.variants import Varied, varied

SEEDS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """`variants`: how many were tried. `answer`: the right one of the exercise as it is written."""

    lesson: str
    what: str
    kind: str
    variants: int
    answer: str
    problems: tuple[str, ...]


def prove(course: Course, seeds: int = SEEDS) -> Iterator[Row]:
    for lesson in course.lessons.values():
        yield _lesson_row(lesson, seeds)
        for exercise in lesson.exercises.values():
            yield exercise_row(course, lesson, exercise, seeds)
    for one in course.misconceptions.values():
        yield _misconception_row(course, one, seeds)


# ---- lessons --------------------------------------------------------------------------------------------


def _lesson_row(lesson: Lesson, seeds: int) -> Row:
    """Every scene's stage works and its checks hold, whatever the dice."""
    problems: list[str] = []
    for seed in range(seeds):
        try:
            stage = staged(lesson.cluster, seed)
            for number, scene in enumerate(lesson.scenes, 1):
                for action in scene.stage:
                    problems += _acted(stage, action.check, f"scene {number}, {scene.title!r}, seed {seed}")
                    stage.perform([action])
        except ContentError as error:
            problems += [f"seed {seed}: {problem}" for problem in error.problems]
    return Row(lesson.name, "scenes", "lesson", seeds, f"{len(lesson.scenes)} scenes", _each_once(problems))


def _acted(stage: Stage, check: Check | None, place: str) -> list[str]:
    return [] if check is None else [f"{place}: {problem}" for problem in _unfulfilled(check, stage)]


def _unfulfilled(check: Check, stage: Stage) -> list[str]:
    try:
        found, wanted = evaluated(check.ask, stage), evaluated(check.equals, stage)
    except (ContentError, PacketsimError) as error:
        return [str(error)]
    return [] if same(found, wanted) else [f"the text says {shown(wanted)}, the engine {shown(found)}"]


def _misconception_row(course: Course, one: Misconception, seeds: int) -> Row:
    """Its counter-example shows what it says."""
    problems: list[str] = []
    lesson = course.lessons.get(one.lesson)
    if lesson is None:
        problems = [f"there is no lesson {one.lesson!r}"]
    else:
        for seed in range(seeds):
            try:
                problems += _unfulfilled(one.shows, staged(lesson.cluster, seed).perform(one.stage))
            except ContentError as error:
                problems += error.problems
    return Row(one.lesson, one.id, "misconception", seeds, "", _each_once(problems))


# ---- exercises ------------------------------------------------------------------------------------------


def exercise_row(course: Course, lesson: Lesson, exercise: Exercise, seeds: int) -> Row:
    """As written, for each case; then for `seeds` learners."""
    problems = [
        f"there is no misconception {one!r}" for one in sorted(_named(exercise)) if one not in course.misconceptions
    ]
    tried, answer = 0, ""
    for seed, case, plainly in _variants(exercise, seeds):
        tried += 1
        try:
            one = varied(lesson, exercise.id, seed, case, plainly)
            found, answer = _judged(one, answer)
        except (ContentError, PacketsimError) as error:
            found = str(error).splitlines()
        label = "as written" if plainly else f"seed {seed}"
        problems += [f"{label}{f', case {case}' if case else ''}: {problem}" for problem in found]
    return Row(lesson.name, exercise.id, exercise.kind, tried, answer, _each_once(problems))


def _named(exercise: Exercise) -> set[str]:
    chosen = {choice.misconception for choice in exercise.choices if choice.misconception}
    return chosen | {mistake.id for mistake in exercise.mistakes}


def _variants(exercise: Exercise, seeds: int) -> Iterator[tuple[int, str | None, bool]]:
    for case in (*(one.id for one in exercise.cases),) or (None,):
        yield 0, case, True
    for seed in range(seeds):
        yield seed, None, False


def _judged(one: Varied, answer: str) -> tuple[list[str], str]:
    """What is wrong, and the right answer in words."""
    if one.exercise.tests:
        return _solvable(one), answer or "; ".join(action.verb for action in one.solution)
    stage = one.staged()
    if one.exercise.choices:
        problems, right = _choosable(one, stage)
    else:
        problems, right = _predictable(one, stage)
    return problems, answer or right


def _solvable(one: Varied) -> list[str]:
    problems: list[str] = []
    if judged(one, one.started()).passed:
        problems.append("its start passes already")
    if not one.solution:
        return [*problems, "it has no solution"]
    solved = one.started().perform(one.solution)
    text = "---\n".join(written.yaml for written in solved.session.state.documents.values())
    result = grade(one, Answer(manifests=text, mode=solved.session.state.mode))
    return problems if result.passed else [*problems, f"its solution fails: {_why(result)}"]


def _why(result: Result) -> str:
    told = [*result.problems]
    for verdict in result.details:
        told += [
            f"{verdict.source} → {verdict.target} ({verdict.mode}): {one.aspect} is {one.found}, not {one.expected}"
            for one in verdict.differences
        ]
    return "; ".join(told)


def _choosable(one: Varied, stage: Stage) -> tuple[list[str], str]:
    right = right_choices(one, stage)
    if len(right) != 1:
        return [f"{len(right)} choices are right{': ' if right else ''}{', '.join(right)}; one must be"], ""
    wrong = [
        choice.id
        for choice in one.exercise.choices
        if grade(one, Answer(value=choice.id)).passed != (choice.id == right[0])
    ]
    problems = [f"choice {choice} is graded wrongly" for choice in wrong]
    if any(choice.misconception for choice in one.exercise.choices if choice.id == right[0]):
        problems.append(f"the right choice, {right[0]}, names a misconception")
    return problems, right[0]


def _predictable(one: Varied, stage: Stage) -> tuple[list[str], str]:
    ask = one.exercise.ask
    assert ask is not None
    right = evaluated(ask, stage)
    problems: list[str] = []
    offered = options(ask, stage)
    wanted = right if isinstance(right, tuple) else (shown(right),)
    if how(ask) != TYPED:
        problems += [
            f"the right answer, {value}, is not among those offered" for value in wanted if value not in offered
        ]
        if len(offered) < 2:
            problems.append("there is nothing to choose between")
    answer = Answer(values=right) if isinstance(right, tuple) else Answer(value=shown(right))
    if not grade(one, answer).passed:
        problems.append(f"the right answer, {shown(right)}, is graded wrong")
    for value in offered:
        if not isinstance(right, tuple) and value != shown(right) and grade(one, Answer(value=value)).passed:
            problems.append(f"the wrong answer {value} passes")
    for mistake in one.exercise.mistakes:
        if same(evaluated(mistake.when, stage), right):
            problems.append(f"mistake {mistake.id} is the right answer")
    return problems, shown(right)


def _each_once(problems: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(problems))
