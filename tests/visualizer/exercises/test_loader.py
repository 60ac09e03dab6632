"""Rule: content that is incomplete, unequal in its languages, or not what the schema says is refused with its place."""

from __future__ import annotations

import pytest

from tests.visualizer.exercises.planting import files_of, planted
from visualizer.exercises.faults import ContentError
from visualizer.exercises.lessons import read_page
from visualizer.exercises.loader import lesson_from, load_course

WHY = "010-why-a-service"


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("exercise.yaml", ", zh-hans: 旧地址}", "}", "title.zh-hans"),
        ("exercise.yaml", "    zh-hans: 这个地址", "    zh: 这个地址", "explanation.zh-hans: Field required"),
        ("exercise.yaml", "kind: predict", "kind: guess", "kind: Input should be"),
        ("exercise.yaml", "ask: {what: outcome}", "ask: delivered", "ask"),
        ("exercise.yaml", "ask: {what: outcome}", "answer: delivered", "answer: Extra inputs"),
        ("exercise.yaml", "claims: [1]", "claims: [30]", "less than or equal to 29"),
        ("exercise.yaml", "id: todays-pods", "id: gone-pod", "two exercises are called gone-pod"),
        ("exercise.yaml", "  tests:\n", "  examples:\n", "write-a-service"),
        ("exercise.yaml", "en: A Service needs", "en: <b>A</b> Service needs", "HTML is not read"),
        ("lesson.md", "- ask: gone-pod\n", "- ask: no-such\n", "its stage is another in lesson.zh-hans.md"),
        ("lesson.md", "- ask: gone-pod\n", "", "scene 3, 'Its successor has another address': its stage is another"),
        ("lesson.md", "## Your turn\n", "### Your turn\n", "a scene has one stage"),
        ("lesson.md", "order: 10\n", "", "order: Field required"),
        ("lesson.md", "level: beginner", "level: easy", "level"),
        ("lesson.md", "The packet arrives.", "The packet <script>arrives</script>.", "HTML is not read"),
        ("lesson.md", "The packet arrives.", "![x](https://example.org/x.png)", "a link begins with"),
        ("lesson.md", "The packet arrives.", "[x](javascript:alert(1))", "a link begins with"),
        ("lesson.md", "- send: {from: shop/client", "- sent: {from: shop/client", "Extra inputs"),
        ("lesson.md", "- ask: write-a-service\n```\n", "- ask: write-a-service\n", "does not end"),
        ("lesson.zh-hans.md", "title: 为什么需要 Service", "order: 10", "title: Field required"),
        ("solution.yaml", "write-a-service:", "write-another:", "there is no exercise 'write-another'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused(file: str, old: str, new: str, says: str) -> None:
    with pytest.raises(ContentError) as caught:
        lesson_from(WHY, planted(WHY, file, old, new))
    assert says in str(caught.value)
    assert WHY in str(caught.value)


@pytest.mark.parametrize("file", ["lesson.md", "lesson.zh-hans.md", "cluster.yaml"])
def test_a_missing_file_is_told(file: str) -> None:
    files = {name: text for name, text in files_of(WHY).items() if name != file}
    with pytest.raises(ContentError, match=f"{WHY}/{file}: it is missing"):
        lesson_from(WHY, files)


def test_hints_are_at_least_two() -> None:
    files = dict(files_of(WHY))
    start = files["exercise.yaml"].index('  - en: "Look for the Pods')
    end = files["exercise.yaml"].index("  explanation:", start)
    files["exercise.yaml"] = files["exercise.yaml"][:start] + files["exercise.yaml"][end:]
    with pytest.raises(ContentError, match="hints: Tuple should have at least 2 items"):
        lesson_from(WHY, files)


def test_an_exercise_that_no_scene_asks_is_told() -> None:
    files = planted(WHY, "lesson.md", "- ask: gone-pod\n", "")
    files["lesson.zh-hans.md"] = planted(WHY, "lesson.zh-hans.md", "- ask: gone-pod\n", "")["lesson.zh-hans.md"]
    with pytest.raises(ContentError, match="no scene asks exercise 'gone-pod'"):
        lesson_from(WHY, files)


def test_a_heading_within_code_is_no_scene() -> None:
    page = read_page("x", "---\ntitle: x\n---\n## One\n\n```yaml\n## not a scene\n```\n\nText with `<b>`.\n")
    assert [scene.title for scene in page.scenes] == ["One"]
    assert "## not a scene" in page.scenes[0].text


def test_a_file_too_long_is_refused() -> None:
    with pytest.raises(ContentError, match="at most"):
        lesson_from(WHY, {**files_of(WHY), "exercise.yaml": "#" * 400_001})
    with pytest.raises(ContentError, match="at most"):
        lesson_from(WHY, {**files_of(WHY), "lesson.md": "#" * 400_001})


def test_aliases_cannot_explode() -> None:
    bomb = "a: &a [1,1,1,1,1,1,1,1,1,1]\n"
    for number in range(8):
        bomb += f"{chr(98 + number)}: &{chr(98 + number)} [{', '.join(['*' + chr(97 + number)] * 10)}]\n"
    with pytest.raises(ContentError):
        lesson_from(WHY, {**files_of(WHY), "exercise.yaml": bomb})


def test_lessons_come_in_their_order() -> None:
    orders = [lesson.front.order for lesson in load_course().lessons.values()]
    assert orders == sorted(orders)
