"""Rule: every error is for one reader, and tells that reader the cure.

`ManifestError` is for the author of YAML, `FlowError` for whoever asks where a packet goes,
`RuleTextError` for the operator whose rules we cannot model, and `PacketsimError` is their
common parent, which the command line turns into exit code 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PacketsimError(Exception):
    """Anything this package refuses. `str(error)` is a whole sentence with its cure."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one field of one document.

    `document` counts from 1 in its file, `line` from 1; 0 where it is not known.
    """

    file: str
    document: int
    line: int
    field: str
    message: str
    cure: str

    def __str__(self) -> str:
        known = ((f"document {self.document}", self.document), (f"line {self.line}", self.line))
        place = ", ".join(words for words, number in known if number)
        place = f"{self.file}: {place}" if place else self.file
        field = f", {self.field}" if self.field else ""
        return f"{place}{field}: {self.message}. {self.cure}."


class ManifestError(PacketsimError):
    """The manifests cannot be used. `problems` holds every one found, in document order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class FlowError(PacketsimError):
    """A flow's source or destination names nothing in the cluster."""


class OracleError(PacketsimError):
    """The real kernel that judges our walks cannot be asked, or what it said cannot be understood."""


class RuleTextError(PacketsimError):
    """Rule text that the data plane does not model: refused, since a skipped rule teaches a falsehood."""

    def __init__(self, place: str, message: str) -> None:
        self.place = place
        super().__init__(f"{place}: {message}")
