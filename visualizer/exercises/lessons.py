"""Rule: a lesson's Markdown is front matter and scenes; a scene is a heading, text, and what the stage does.

Text stays text: no HTML, no pictures, links to the web alone. Nothing is drawn here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from visualizer.exercises.faults import ContentError
from visualizer.exercises.schema import MOST_SCENES, Scene
from visualizer.exercises.yaml_files import MOST_LETTERS, read_one, validated

_FENCE = re.compile(r"^(?:```+|~~~+)")
_CODE = re.compile(r"(`+)[^`\n]+\1")  # on one line
_HTML = re.compile(r"<[A-Za-z/!?]")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)]*)\)")
_HEADING = "## "


@dataclass(frozen=True, slots=True)
class Page:
    """One language's file. `front`: its front matter, not yet judged."""

    front: Any
    scenes: tuple[Scene, ...]


@dataclass
class _Draft:
    title: str
    line: int
    text: list[str]
    stage: list[str] | None = None


def read_page(name: str, text: str) -> Page:
    """Raises ContentError."""
    if len(text) > MOST_LETTERS:
        raise ContentError([f"{name}: a file has at most {MOST_LETTERS:,} letters"])
    rows = text.removeprefix("\ufeff").splitlines()
    if not rows or rows[0].strip() != "---" or "---" not in [row.strip() for row in rows[1:]]:
        raise ContentError([f"{name}: begin with front matter between two lines of `---`"])
    end = next(at for at, row in enumerate(rows) if at and row.strip() == "---")
    front = read_one(name, "\n".join(rows[1:end]))
    drafts = list(_drafts(name, rows, end + 1))
    if not 0 < len(drafts) <= MOST_SCENES:
        raise ContentError([f"{name}: a lesson has 1 to {MOST_SCENES} scenes, each under a `## ` heading"])
    return Page(front, tuple(_scene(name, draft) for draft in drafts))


def _drafts(name: str, rows: list[str], start: int) -> Iterator[_Draft]:
    """The scenes. A fenced block's lines are no headings."""
    draft: _Draft | None = None
    fence, into = "", None
    for number, row in enumerate(rows[start:], start + 1):
        mark = _FENCE.match(row)
        if fence:
            if row.strip() == fence:
                closes_stage, fence, into = into is not None, "", None
                if closes_stage:
                    continue
        elif row.startswith(_HEADING):
            if draft is not None:
                yield draft
            draft = _Draft(row.removeprefix(_HEADING).strip(), number, [])
            continue
        elif mark and draft is not None:
            fence = mark[0]
            if row[len(fence) :].strip() == "stage":
                if draft.stage is not None:
                    raise ContentError([f"{name}: line {number}: a scene has one stage"])
                into = draft.stage = []
                continue
        if draft is None:
            if row.strip():
                raise ContentError([f"{name}: line {number}: text stands before the first `## ` heading"])
            continue
        (draft.text if into is None else into).append(row)
    if fence:
        raise ContentError([f"{name}: a fenced block does not end"])
    if draft is not None:
        yield draft


def _scene(name: str, draft: _Draft) -> Scene:
    place = f"{name}: line {draft.line}: scene {draft.title!r}"
    text = "\n".join(draft.text).strip()
    refuse_markup(text, place)
    stage = read_one(place, "\n".join(draft.stage or ())) or []
    return validated(Scene, {"title": draft.title, "text": text, "stage": stage}, place)


def _outside_fences(text: str) -> Iterator[str]:
    fence = ""
    for row in text.splitlines():
        mark = _FENCE.match(row)
        if fence:
            fence = "" if row.strip() == fence else fence
        elif mark:
            fence = mark[0]
        else:
            yield row


def refuse_markup(text: str, place: str) -> None:
    """Raises ContentError for what would be more than text on a page."""
    prose = _CODE.sub("", "\n".join(_outside_fences(text)))
    if _HTML.search(prose):
        raise ContentError([f"{place}: HTML is not read; write Markdown, and code between backticks"])
    for link in _LINK.finditer(prose):
        if link[0].startswith("!") or not link[1].startswith(("https://", "http://", "lesson:")):
            raise ContentError([f"{place}: {link[0][:60]!r}: a link begins with https://, or lesson: and its folder"])
