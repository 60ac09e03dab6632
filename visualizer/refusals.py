"""Rule: what a person asked and cannot have is one `RefusedError`: sentences for that person, each with its cure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packetsim.errors import FlowError, ManifestError, PacketsimError, Problem

MOST_TOLD = 50
LONGEST = 1000


class RefusedError(Exception):
    """Nothing has changed. `problems`: one sentence each. `spoiled`: kernels in memory must be made anew."""

    def __init__(self, problems: Iterable[str], spoiled: bool = False) -> None:
        self.spoiled = spoiled
        told = [one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…" for one in problems]
        if len(told) > MOST_TOLD:
            told[MOST_TOLD:] = [f"{len(told) - MOST_TOLD:,} more problems. Mend these first."]
        self.problems = told
        super().__init__("\n".join(told))


def refusal_of(error: PacketsimError, offsets: Mapping[str, int] | None = None) -> RefusedError:
    """The engine's error as a refusal. `offsets`: how many lines stand above a document where it was written."""
    if isinstance(error, ManifestError):
        return RefusedError(_told(problem, offsets or {}) for problem in error.problems)
    return RefusedError(str(error).splitlines(), spoiled=not isinstance(error, FlowError))


def _told(problem: Problem, offsets: Mapping[str, int]) -> str:
    """`Service shop/web, line 7, spec.ports[0].port: …`; lines are those of the text that was sent."""
    line = problem.line + offsets.get(problem.file, 0)
    place = ", ".join(part for part in (problem.file, f"line {line}" if problem.line else "", problem.field) if part)
    return f"{place}: {problem.message}. {problem.cure}."
