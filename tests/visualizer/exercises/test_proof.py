"""Rule: the proof finds every fault that is planted, and finds nothing where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.visualizer.exercises.planting import files_of, planted, problems_of
from visualizer.exercises.__main__ import main
from visualizer.exercises.loader import load_course
from visualizer.exercises.proof import prove

WHY = "010-why-a-service"
SELECTORS = "020-selectors-and-endpoints"
RULES = "030-clusterip-rule-by-rule"
NODEPORT = "040-nodeport-and-snat"
MODES = "060-which-mode-balances-how"

_TYPO = "patch: {spec: {selector: {app: wbe}}}"


def test_all_content_is_proven() -> None:
    course = load_course()
    failed = [f"{row.lesson} {row.what}: {row.problems}" for row in prove(course, seeds=2) if row.problems]
    assert failed == []
    kinds = {one.kind for lesson in course.lessons.values() for one in lesson.exercises.values()}
    assert kinds == {"predict", "build", "repair", "choose", "explain"}


@pytest.mark.parametrize(
    ("lesson", "file", "old", "new", "what", "finds"),
    [
        (SELECTORS, "solution.yaml", "targetPort: 8080", "targetPort: 8181", "mend-the-service", "its solution fails"),
        (WHY, "solution.yaml", "{app: web}", "{app: other}", "write-a-service", "outcome is rejected"),
        (SELECTORS, "exercise.yaml", _TYPO, _TYPO.replace("wbe", "web"), "mend-the-service", "passes already"),
        (SELECTORS, "solution.yaml", "mend-the-service:", "mend-the-service:", "mend-the-service", ""),
        (
            RULES,
            "exercise.yaml",
            "ask: {what: probability, pod: shop/web-3}",
            "ask: {what: pod}",
            "chance-of-the-last",
            "`pod` has no single answer",
        ),
        (
            MODES,
            "exercise.yaml",
            "  - mode: ipvs\n  - send: {from: shop/client",
            "  - mode: iptables\n  - send: {from: shop/client",
            "the-fourth",
            "`pod` has no single answer",
        ),
        (MODES, "lesson.md", "- mode: ipvs\n", "- mode: ipvs\n", "scenes", ""),
        (SELECTORS, "exercise.yaml", "wanted: 2", "wanted: 3", "out-of-the-service", "2 choices are right"),
        (SELECTORS, "exercise.yaml", "wanted: 2", "wanted: 7", "out-of-the-service", "0 choices are right"),
        (
            SELECTORS,
            "exercise.yaml",
            "misconception: services-own-labels",
            "misconception: nobody-thinks-so",
            "out-of-the-service",
            "there is no misconception 'nobody-thinks-so'",
        ),
        (
            WHY,
            "exercise.yaml",
            "{id: address-follows-pod, when: delivered}",
            "{id: address-follows-pod, when: unanswered}",
            "gone-pod",
            "mistake address-follows-pod is the right answer",
        ),
        (
            RULES,
            "exercise.yaml",
            "value: {calc: divide, of: [2, {what: endpoints, of: shop/web}]}",
            "value: {calc: divide, of: [1, {calc: subtract, of: [{what: endpoints, of: shop/web}, 1]}]}",
            "the-number-in-the-rule",
            "2 choices are right",
        ),
        (
            NODEPORT,
            "exercise.yaml",
            "- fail: {pod: shop/web-1, how: gone}",
            "- wait: 1",
            "who-calls-from-outside",
            "`source_seen` has no single answer",
        ),
    ],
)  # fmt: skip
def test_a_planted_fault_is_found(lesson: str, file: str, old: str, new: str, what: str, finds: str) -> None:
    found = problems_of(planted(lesson, file, old, new), lesson, what)
    assert finds in found
    assert bool(finds) == bool(found)


@pytest.mark.parametrize(
    ("old", "new", "finds"),
    [
        ("is: unanswered}", "is: delivered}", "the text says delivered, the engine unanswered"),
        ("{to: verdict}", "{to: dialled}", "has 0 steps that fit"),
        ("{pod: shop/web-1, how: gone}", "{pod: shop/web-9, how: gone}", "There is no Pod shop/web-9"),
        ('- send: {from: shop/client, to: "10.244.1.21:8080"}\n', "", "nothing was sent yet"),
    ],
)
def test_a_scene_that_says_what_is_not_so_is_found(old: str, new: str, finds: str) -> None:
    files = planted(WHY, "lesson.md", old, new)
    files["lesson.zh-hans.md"] = planted(WHY, "lesson.zh-hans.md", old, new)["lesson.zh-hans.md"]
    assert finds in problems_of(files, WHY, "scenes")


def _written(folder: Path, files: dict[str, str]) -> None:
    (folder / WHY).mkdir()
    for file, text in files.items():
        (folder / WHY / file).write_text(text, encoding="utf-8")


def test_the_command_fails_when_something_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _written(tmp_path, planted(WHY, "exercise.yaml", "app: web}", "app: web}"))
    misconceptions = (Path(load_course.__code__.co_filename).parent / "content" / "misconceptions.yaml").read_text()
    (tmp_path / "misconceptions.yaml").write_text(misconceptions, encoding="utf-8")
    assert main([str(tmp_path), "--lesson", WHY, "--seeds", "1"]) == 0
    (tmp_path / WHY / "solution.yaml").write_text("{}\n")
    assert main([str(tmp_path), "--lesson", WHY, "--seeds", "1"]) == 1
    out = capsys.readouterr().out
    assert "FAILS" in out and "it has no solution" in out


def test_the_command_says_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _written(tmp_path, {**files_of(WHY), "cluster.yaml": ""} | {"lesson.md": "no front matter"})
    assert main([str(tmp_path)]) == 1
    assert "begin with front matter" in capsys.readouterr().err
