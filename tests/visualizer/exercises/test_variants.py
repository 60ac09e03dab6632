"""Rule: a seed changes words whole, the same each time, and leaves what is no word of the cluster alone."""

from __future__ import annotations

import pytest

from visualizer.exercises.faults import ContentError
from visualizer.exercises.loader import Course, Lesson, load_course
from visualizer.exercises.questions import evaluated
from visualizer.exercises.variants import drawn_words, renamer, varied


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course()


@pytest.fixture
def selectors(course: Course) -> Lesson:
    return course.lessons["020-selectors-and-endpoints"]


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("shop/web:80", "store/api:80"),
        ("web-1 webs cobweb web", "api-1 webs cobweb api"),
        ("10.244.1.21:8080", "10.60.1.21:9000"),
        ("110.244.1.21 1.10.244.1 18080 8080.", "110.244.1.21 1.10.244.1 18080 9000."),
        ("api", "web"),
    ],
)
def test_words_are_replaced_whole_and_at_once(text: str, renamed: str) -> None:
    rename = renamer({"web": "api", "api": "web", "shop": "store", "10.244": "10.60", "8080": "9000"})
    assert rename(text) == renamed


def test_the_same_seed_gives_the_same_and_seeds_differ(selectors: Lesson) -> None:
    first = [varied(selectors, "mend-the-service", seed) for seed in range(12)]
    again = [varied(selectors, "mend-the-service", seed) for seed in range(12)]
    assert [(one.words, one.case, one.cluster) for one in first] == [
        (one.words, one.case, one.cluster) for one in again
    ]
    assert len({one.cluster for one in first}) > 3
    assert len({one.case.id for one in first if one.case}) > 1


def test_no_two_words_become_the_same() -> None:
    for seed in range(50):
        drawn = drawn_words({"a": ("x", "y"), "b": ("x", "y")}, seed)
        assert len(set(drawn.values())) == 2
    with pytest.raises(ContentError, match="every one of its words is taken"):
        for seed in range(50):
            drawn_words({"a": ("x", "y"), "b": ("x", "y"), "c": ("x", "y")}, seed)


def test_prose_is_renamed_between_backticks_alone(selectors: Lesson) -> None:
    seed = next(
        seed
        for seed in range(40)
        if drawn_words(selectors.vary, selectors.name, "nobody-is-ready", seed)["web"] == "cart"
    )
    one = varied(selectors, "nobody-is-ready", seed)
    assert "`cart`" in one.exercise.prompt.en and "`cart`" in one.exercise.prompt.zh_hans
    assert one.exercise.id == "nobody-is-ready"


def test_answers_are_worked_out_anew(course: Course) -> None:
    lesson = course.lessons["030-clusterip-rule-by-rule"]
    answers = set()
    for seed in range(8):
        one = varied(lesson, "who-does-the-pod-see", seed)
        assert one.exercise.ask is not None
        answers.add(evaluated(one.exercise.ask, one.staged()))
    assert len(answers) > 1


def test_an_unknown_exercise_is_refused(selectors: Lesson) -> None:
    with pytest.raises(ContentError, match="no exercise"):
        varied(selectors, "nothing", 1)
