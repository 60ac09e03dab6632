"""Rule: a right answer passes however it is written, a wrong one names its misconception; flows judge a cluster."""

from __future__ import annotations

from fractions import Fraction

import pytest

from visualizer.exercises.grading import Answer, grade, number_in
from visualizer.exercises.loader import Course, load_course
from visualizer.exercises.options import question
from visualizer.exercises.variants import Varied, varied


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course()


def _plain(course: Course, lesson: str, exercise: str, case: str | None = None) -> Varied:
    return varied(course.lessons[lesson], exercise, 0, case, plainly=True)


def _manifests(one: Varied, solved: bool) -> str:
    stage = one.started().perform(one.solution if solved else ())
    return "---\n".join(written.yaml for written in stage.session.state.documents.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/3", Fraction(1, 3)),
        ("33%", Fraction(33, 100)),
        ("33.3 %", Fraction(333, 1000)),
        ("0.33", Fraction(33, 100)),
        ("12", Fraction(12)),
        ("1/0", None),
        ("", None),
        ("one third", None),
        ("9" * 200, None),
        ("1/3/3", None),
    ],
)
def test_numbers_are_read(text: str, value: Fraction | None) -> None:
    assert number_in(text) == value


@pytest.mark.parametrize(
    ("answer", "passed", "misconception"),
    [
        ("1/3", True, None),
        ("33%", True, None),
        ("0.333", True, None),
        ("0.5", False, None),
        ("1", False, "last-rule-takes-all"),
        ("0", False, "last-rule-takes-none"),
        ("often", False, None),
    ],
)
def test_a_probability_is_graded(course: Course, answer: str, passed: bool, misconception: str | None) -> None:
    one = _plain(course, "030-clusterip-rule-by-rule", "chance-of-the-last", "three-pods")
    result = grade(one, Answer(value=answer))
    assert (result.passed, result.misconception, result.expected) == (passed, misconception, "1/3")


def test_several_pods_in_any_order(course: Course) -> None:
    one = _plain(course, "010-why-a-service", "todays-pods")
    assert question(one).options == ("shop/web-2", "shop/web-3", "shop/web-4")
    assert grade(one, Answer(values=("shop/web-4", "shop/web-2", "shop/web-3"))).passed
    assert not grade(one, Answer(values=("shop/web-2", "shop/web-3"))).passed
    assert not grade(one, Answer(value="shop/web-2")).passed


def test_a_choice_names_its_misconception(course: Course) -> None:
    one = _plain(course, "020-selectors-and-endpoints", "out-of-the-service")
    assert grade(one, Answer(value="relabel-pod")).passed
    wrong = grade(one, Answer(value="relabel-service"))
    assert (wrong.passed, wrong.misconception, wrong.expected) == (False, "services-own-labels", "relabel-pod")
    assert not grade(one, Answer(value="no such choice")).passed
    assert not grade(one, Answer()).passed


@pytest.mark.parametrize("case", ["selector-typo", "wrong-target-port", "wrong-port", "one-pod-lost-its-label"])
def test_a_repair_is_judged_by_its_flows(course: Course, case: str) -> None:
    one = _plain(course, "020-selectors-and-endpoints", "mend-the-service", case)
    broken = grade(one, Answer(manifests=_manifests(one, solved=False)))
    assert not broken.passed
    assert broken.details[0].differences
    assert grade(one, Answer(manifests=_manifests(one, solved=True))).passed


def test_another_way_to_repair_passes_too(course: Course) -> None:
    one = _plain(course, "040-nodeport-and-snat", "the-empty-node", "nothing-on-node1")
    pod = """---
apiVersion: v1
kind: Pod
metadata: {name: mine, namespace: shop, labels: {app: web}}
spec:
  nodeName: node1
  containers:
  - {name: web, image: nginx, ports: [{name: http, containerPort: 8080}]}
"""
    assert not grade(one, Answer(manifests=_manifests(one, solved=False))).passed
    assert grade(one, Answer(manifests=_manifests(one, solved=False) + pod)).passed


def test_flow_tests_among_the_answer_have_no_part(course: Course) -> None:
    one = _plain(course, "020-selectors-and-endpoints", "mend-the-service", "selector-typo")
    mine = """---
apiVersion: packetwalk.dev/v1
kind: FlowTest
metadata: {name: mine}
spec: {flows: [{name: all is well, from: shop/client, to: "shop/web:80", expect: {outcome: rejected}}]}
"""
    assert not grade(one, Answer(manifests=_manifests(one, solved=False) + mine)).passed


@pytest.mark.parametrize("manifests", ["", "not: [yaml", "kind: Service", "just text", "\0"])
def test_what_is_no_cluster_fails_with_words(course: Course, manifests: str) -> None:
    one = _plain(course, "020-selectors-and-endpoints", "mend-the-service", "selector-typo")
    result = grade(one, Answer(manifests=manifests))
    assert not result.passed
    assert result.problems or result.details[0].differences


def test_the_question_does_not_tell_the_answer(course: Course) -> None:
    explained = question(_plain(course, "030-clusterip-rule-by-rule", "the-number-in-the-rule", "three-pods"))
    assert explained.number == "1/2"
    built = question(_plain(course, "010-why-a-service", "write-a-service"))
    assert (built.how, built.options) == ("cluster", ())
    typed = question(_plain(course, "050-conntrack", "still-rewritten"))
    assert (typed.how, typed.options) == ("typed", ())
    rule = question(_plain(course, "030-clusterip-rule-by-rule", "next-rule"))
    assert len(rule.options) > 2
