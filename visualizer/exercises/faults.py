"""Rule: what is wrong with content is one ContentError: where it stands, what is wrong, in sentences for its author."""

from __future__ import annotations

from collections.abc import Iterable

MOST_TOLD = 50


class ContentError(Exception):
    """Content that cannot be used. `problems`: `place: what is wrong`, each once."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(dict.fromkeys(problems))[:MOST_TOLD]
        super().__init__("\n".join(self.problems))
