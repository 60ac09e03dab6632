"""Rule: an answer is judged by the engine: a guess against what it works out, a cluster by the flows in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from visualizer.exercises.assertions import Verdict, verdicts
from visualizer.exercises.faults import ContentError
from visualizer.exercises.questions import Value, evaluated, shown
from visualizer.exercises.schema import Choice, Strict
from visualizer.exercises.stage import Stage, staged
from visualizer.exercises.variants import Varied
from visualizer.schemas import MOST_MANIFESTS, Mode

NEAR = Fraction(1, 200)  # how far a typed fraction may be off
SAME = Fraction(1, 1_000_000)  # how far two computed numbers may be, the kernel's dice being whole numbers
_NUMBER = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,12})?)(?:\s*/\s*([0-9]{1,12}))?\s*(%?)")


class Answer(Strict):
    """`value`: a prediction or a choice's id; `values`: where several are asked; `manifests`: what was built."""

    value: str | None = Field(default=None, max_length=520)
    values: Annotated[tuple[Annotated[str, Field(max_length=520)], ...], Field(max_length=200)] | None = None
    manifests: str | None = Field(default=None, max_length=MOST_MANIFESTS)
    mode: Mode | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """`expected`: the right answer, to be shown afterwards. `problems`: why nothing could be judged."""

    passed: bool
    expected: str = ""
    misconception: str | None = None
    details: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()


def grade(one: Varied, answer: Answer) -> Result:
    """Raises ContentError where the exercise itself is at fault."""
    if one.exercise.tests:
        return _built(one, answer)
    stage = one.staged()
    if one.exercise.choices:
        return _chosen(one, answer, stage)
    return _predicted(one, answer, stage)


# ---- predictions ----------------------------------------------------------------------------------------


def _predicted(one: Varied, answer: Answer, stage: Stage) -> Result:
    assert one.exercise.ask is not None
    right = evaluated(one.exercise.ask, stage)
    if is_answer(answer, right):
        return Result(True, shown(right))
    mistake = next(
        (mistake.id for mistake in one.exercise.mistakes if is_answer(answer, evaluated(mistake.when, stage))), None
    )
    return Result(False, shown(right), mistake)


def is_answer(answer: Answer, value: Value) -> bool:
    if isinstance(value, tuple):
        return answer.values is not None and sorted(answer.values) == sorted(value)
    text = (answer.value or "").strip()
    if isinstance(value, Fraction):
        number = number_in(text)
        near = Fraction(0) if value.denominator == 1 and value > 1 else NEAR
        return number is not None and abs(number - value) <= near
    return text.lower() == value.lower()


def number_in(text: str) -> Fraction | None:
    """`1/3`, `0.33`, `33%`, `12`."""
    found = _NUMBER.fullmatch(text)
    if found is None or (found[2] is not None and not int(found[2])):
        return None
    number = Fraction(found[1]) / (int(found[2]) if found[2] else 1)
    return number / 100 if found[3] else number


# ---- choices --------------------------------------------------------------------------------------------


def _chosen(one: Varied, answer: Answer, stage: Stage) -> Result:
    right = right_choices(one, stage)
    if len(right) != 1:
        raise ContentError([f"exercise {one.exercise.id}: {len(right)} choices are right"])
    picked = next((choice for choice in one.exercise.choices if choice.id == answer.value), None)
    passed = picked is not None and picked.id == right[0]
    return Result(passed, right[0], picked.misconception if picked and not passed else None)


def right_choices(one: Varied, stage: Stage) -> list[str]:
    """The ids of the choices that the engine finds right."""
    assert one.exercise.ask is not None
    if one.exercise.wanted is not None:
        return [choice.id for choice in one.exercise.choices if _comes_true(one, choice, stage)]
    asked = evaluated(one.exercise.ask, stage)
    return [
        choice.id
        for choice in one.exercise.choices
        if choice.value is not None and same(evaluated(choice.value, stage), asked)
    ]


def _comes_true(one: Varied, choice: Choice, stage: Stage) -> bool:
    twin = stage.copy().perform(choice.stage or ())
    assert one.exercise.ask is not None and one.exercise.wanted is not None
    return same(evaluated(one.exercise.ask, twin), evaluated(one.exercise.wanted, twin))


def same(left: Value, right: Value) -> bool:
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return abs(left - right) <= SAME
    return left == right


# ---- clusters -------------------------------------------------------------------------------------------


def _built(one: Varied, answer: Answer) -> Result:
    try:
        stage = staged(answer.manifests or "", one.seed, answer.mode or "")
    except ContentError as error:
        return Result(False, problems=error.problems)
    return judged(one, stage)


def judged(one: Varied, stage: Stage) -> Result:
    """Every test, on the cluster as it is. FlowTests among its documents have no part in it."""
    found = tuple(verdicts(one.exercise.tests, stage.simulation.cluster, stage.simulation.mode))
    return Result(all(verdict.passed for verdict in found), details=found)
