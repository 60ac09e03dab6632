"""Rule: the kernel's word on each step of a walk is comparison's verdict, laid on the steps that it is about.

A step of which the kernel tells nothing has no word: a rule that missed is implied by the next that
matched, a route by where the packet goes. Where rules or packets part at a place, the first such step
there differs, and of what comes later there nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from packetsim.oracle.comparison import (
    OWN_CONNECTION,
    STRANDS,
    Difference,
    Heard,
    answer_of,
    differences,
    entry,
    is_accepted,
)
from packetsim.oracle.story import Story, ours, positions
from packetsim.trace import Disposition, Ended, Position, Scheduled, Step, Trace, Tracked, Translated

AGREES, DIFFERS = "agrees", "differs"
ANSWERED_BY_ERROR = (Disposition.REJECTED, Disposition.REFUSED)


class Claim(NamedTuple):
    """What is said of a step, and at which place: of a packet that comes in, where it arrives."""

    place: str
    position: Position
    word: str
    strand: bool = False  # of rules or packets, told in order of time


def marks(trace: Trace, heard: Heard, balanced: Mapping[str, frozenset[str]]) -> dict[Position, str]:
    """The steps of which the kernel tells, each with its word. Takes what `comparison.compare` takes."""
    found = list(differences(trace, heard, balanced))
    claims = [
        *_strands(trace, found),
        *_connections(trace, heard, found),
        *_schedules(trace, heard, found),
        *_endings(trace, heard, found),
    ]
    words: dict[Position, str] = {}
    for claim in _until_they_part(claims):
        if words.get(claim.position) != DIFFERS:
            words[claim.position] = claim.word
    if found and DIFFERS not in words.values():  # the kernel alone was where the two part
        words[_end(trace, len(trace.legs) - 1)] = DIFFERS
    return words


def _until_they_part(claims: Sequence[Claim]) -> Iterator[Claim]:
    parted: dict[str, Position] = {}
    for claim in claims:
        if claim.strand and claim.word == DIFFERS:
            parted[claim.place] = min(claim.position, parted.get(claim.place, claim.position))
    return (one for one in claims if one.place not in parted or one.position <= parted[one.place])


# ---- rules and packets --------------------------------------------------------------------------


def _strands(trace: Trace, found: Sequence[Difference]) -> Iterator[Claim]:
    for place, story in ours(trace).items():
        for aspect in STRANDS:
            yield from _strand(trace, place, _of(story, aspect), _at(found, aspect, place))


def _of(story: Story, aspect: str) -> Sequence[Position]:
    return story.told if aspect == "rules" else story.came


def _strand(trace: Trace, place: str, steps: Sequence[Position], difference: Difference | None) -> Iterator[Claim]:
    depth = len(steps) if difference is None else difference.depth
    for position in steps[:depth]:
        yield Claim(place, position, AGREES, strand=True)
    if depth < len(steps):
        yield Claim(place, steps[depth], DIFFERS, strand=True)
    elif difference is not None:  # the kernel goes on where our walk is over
        yield from (Claim(place, last, DIFFERS, strand=True) for last in _last(trace, place))


# ---- conntrack and IPVS: tables, read when all is over ------------------------------------------


def _connections(trace: Trace, heard: Heard, found: Sequence[Difference]) -> Iterator[Claim]:
    """The steps that made the entries. Where the tables differ, the last of them is what led there."""
    for place in {hop.place: None for leg in trace.legs for hop in leg.hops}:
        known = place in heard.connections
        yield from _table(trace, place, list(_tracked(trace, place)), known, _at(found, "conntrack", place))


def _tracked(trace: Trace, place: str) -> Iterator[Position]:
    """Where packets of the connections that the place still has in the end were looked up and translated."""
    originals = {entry(line)[0] for name, lines in trace.entries if name == place for line in lines}
    kept = False
    for position, _, step in _steps_at(trace, place):
        if isinstance(step.detail, Tracked):
            kept = bool(step.detail.entry) and entry(step.detail.entry)[0] in originals
        if kept and isinstance(step.detail, Tracked | Translated):
            yield position


def _schedules(trace: Trace, heard: Heard, found: Sequence[Difference]) -> Iterator[Claim]:
    for place in {hop.place: None for leg in trace.legs for hop in leg.hops}:
        steps = [position for position, _, step in _steps_at(trace, place) if isinstance(step.detail, Scheduled)]
        yield from _table(trace, place, steps, place in heard.balanced, _at(found, "ipvs", place))


def _table(
    trace: Trace, place: str, steps: Sequence[Position], known: bool, difference: Difference | None
) -> Iterator[Claim]:
    """`known`: the kernel's table has something to tell."""
    if difference is not None:
        yield from (Claim(place, position, DIFFERS) for position in steps[-1:] or _last(trace, place))
    elif known:
        yield from (Claim(place, position, AGREES) for position in steps)


# ---- who took it, and what the sender heard -----------------------------------------------------


def _endings(trace: Trace, heard: Heard, found: Sequence[Difference]) -> Iterator[Claim]:
    taking = max(number for number, leg in enumerate(trace.legs) if number == 0 or leg.title == OWN_CONNECTION)
    if any(one.aspect == "endpoint" for one in found):
        yield _ending(trace, taking, DIFFERS)
    elif is_accepted(trace) and heard.accepted:
        yield _ending(trace, taking, AGREES)
    answer, bringing = answer_of(trace)
    if any(one.aspect == "answer" for one in found):
        yield _ending(trace, bringing, DIFFERS)
        return
    yield _ending(trace, bringing, AGREES)
    if answer != "silence" and trace.disposition in ANSWERED_BY_ERROR:
        yield _ending(trace, 0, AGREES)


def _ending(trace: Trace, leg: int, word: str) -> Claim:
    position = _end(trace, leg)
    return Claim(trace.legs[leg].hops[position[1]].place, position, word)


def _end(trace: Trace, leg: int) -> Position:
    """The step that ends a leg: kube-proxy's own dealings may still follow it."""
    steps = [(position, step) for position, _, step in positions(trace) if position[0] == leg]
    ended = [position for position, step in steps if isinstance(step.detail, Ended)]
    return ended[-1] if ended else steps[-1][0]


# ---- where things are ---------------------------------------------------------------------------


def _at(found: Sequence[Difference], aspect: str, place: str) -> Difference | None:
    return next((one for one in found if (one.aspect, one.place) == (aspect, place)), None)


def _last(trace: Trace, place: str) -> list[Position]:
    return [position for position, _, _ in _steps_at(trace, place)][-1:]


def _steps_at(trace: Trace, place: str) -> Iterator[tuple[Position, str, Step]]:
    return (one for one in positions(trace) if one[1] == place)
