"""Rule: a learner's seed gives other names, addresses, ports and faults; answers are then worked out anew.

Words are replaced whole and all at once: in manifests everywhere, in prose only between backticks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from visualizer.exercises.chance import chosen
from visualizer.exercises.faults import ContentError
from visualizer.exercises.loader import LANGUAGES, Lesson
from visualizer.exercises.schema import Action, Case, Exercise, Vary
from visualizer.exercises.stage import Stage, staged
from visualizer.exercises.yaml_files import validated

_OURS = frozenset(
    ("id", "kind", "what", "misconception", "claims", "nth", "wait", "count", "again_after", "mode", "modes", "calc")
)
_CODE = re.compile(r"(`+)([^`]*)\1")
_ACTIONS = TypeAdapter(tuple[Action, ...])


@dataclass(frozen=True)
class Varied:
    """One learner's exercise. `solution` empty: the exercise needs none."""

    seed: int
    words: Mapping[str, str]
    case: Case | None
    exercise: Exercise
    cluster: str
    solution: tuple[Action, ...]

    def started(self) -> Stage:
        """The cluster as the learner finds it."""
        start = (*self.exercise.start, *(self.case.start if self.case else ()))
        return staged(self.cluster, self.seed).perform(start)

    def staged(self) -> Stage:
        """With what the exercise shows before it asks."""
        return self.started().perform(self.exercise.stage)


def drawn_words(vary: Vary, *seed: object) -> dict[str, str]:
    """For each word the one that stands in its place; no two get the same."""
    words: dict[str, str] = {}
    for old, new in vary.items():
        free = [one for one in new if one not in words.values()]
        if not free:
            raise ContentError([f"vary: {old}: every one of its words is taken"])
        words[old] = chosen(free, "word", old, *seed)
    return words


def varied(lesson: Lesson, identifier: str, seed: int, case: str | None = None, plainly: bool = False) -> Varied:
    """The exercise for this seed. `case`: this one, whatever the seed; `plainly`: as the author wrote it.

    Raises ContentError.
    """
    if identifier not in lesson.exercises:
        raise ContentError([f"{lesson.name}: there is no exercise {identifier[:80]!r}"])
    words = {} if plainly else drawn_words(lesson.vary, lesson.name, identifier, seed)
    rename = renamer(words)
    place = f"{lesson.name}/exercise.yaml: exercise {identifier}"
    exercise = validated(Exercise, _renamed(lesson.raw[identifier], rename), place)
    cases = [one for one in exercise.cases if case in (None, one.id)]
    found = chosen(cases, "case", lesson.name, identifier, seed) if cases else None
    key = f"{identifier}/{found.id}" if found else identifier
    solution = lesson.solutions.get(key, lesson.solutions.get(identifier, []))
    return Varied(seed, words, found, exercise, rename(lesson.cluster), _actions(_renamed(solution, rename), place))


def _actions(value: Any, place: str) -> tuple[Action, ...]:
    try:
        return _ACTIONS.validate_python(value)
    except ValueError as error:
        raise ContentError([f"{place}: its solution: {error}"]) from None


def renamer(words: Mapping[str, str]) -> Callable[[str], str]:
    """Replaces each word where it stands alone; a number is never a part of another or of an address."""
    if not words:
        return lambda text: text
    longest = sorted(words, key=len, reverse=True)
    pattern = re.compile("|".join(f"(?:{_alone(word)})" for word in longest))
    return lambda text: pattern.sub(lambda found: words[found[0]], text)


def _alone(word: str) -> str:
    before = r"(?<![A-Za-z0-9.])" if word[0].isdigit() else r"(?<![A-Za-z0-9])"
    return f"{before}{re.escape(word)}(?![A-Za-z0-9])"


def _renamed(value: Any, rename: Callable[[str], str], prose: bool = False) -> Any:
    match value:
        case dict():
            return {
                rename(key): one if key in _OURS else _renamed(one, rename, prose=key in LANGUAGES)
                for key, one in value.items()
            }
        case list():
            return [_renamed(one, rename) for one in value]
        case bool():
            return value
        case int():
            return int(new) if (new := rename(str(value))).isdigit() else new
        case str() if prose:
            return _CODE.sub(lambda code: f"{code[1]}{rename(code[2])}{code[1]}", value)
        case str():
            return rename(value)
    return value
