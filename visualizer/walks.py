"""Rule: a walk is told in short here; its whole story is packetsim's trace document, made once and kept."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from io import BytesIO
from typing import get_args

from packetsim import pcapng
from packetsim.trace import Disposition, Leg, RulesMissed, RuleTried, Trace
from packetsim.tracejson import to_json
from visualizer.schemas import Mode, TraceSummary

MOST_EXPANDED = 3000  # missed rules told one by one in a document
ANSWERS = ("reply", "refusal", "ICMP error", "reset", "next packet")
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Walk:
    """A trace with what the person called its ends. `label`: "", "dns" or "compare"."""

    trace: Trace
    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class KeptTrace:
    """What is stored of a walk. `document` is JSON, `capture` pcapng, both in zlib."""

    number: int
    document: bytes
    capture: bytes


def kept(walk: Walk, number: int) -> KeptTrace:
    trace = walk.trace
    document = json.dumps(to_json(trace, expand=_missed(trace) <= MOST_EXPANDED), separators=(",", ":"))
    file = BytesIO()
    pcapng.write(trace, file)
    return KeptTrace(number, zlib.compress(document.encode(), 6), zlib.compress(file.getvalue(), 6))


def summary(walk: Walk, number: int, seq: int) -> TraceSummary:
    trace = walk.trace
    return TraceSummary(
        number=number,
        seq=seq,
        mode=mode_named(trace.mode),
        source=walk.source,
        target=walk.target,
        protocol=trace.flow.protocol,
        disposition=trace.disposition.value,
        endpoint=trace.endpoint,
        path=path_of(trace),
        steps=sum(1 for _ in trace.steps),
        rules_tried=_tried(trace) + _missed(trace),
        label=walk.label,
    )


def mode_named(text: str) -> Mode:
    """The mode of this name, of which the caller is sure."""
    return next(mode for mode in MODES if mode == text)


def path_of(trace: Trace) -> list[str]:
    """The places of the request, in order; through userspace kube-proxy on to the endpoint that took it."""
    legs = [leg for leg in trace.legs if leg.title not in ANSWERS]
    places = [hop.place for leg in _onward(legs) for hop in leg.hops]
    return [place for index, place in enumerate(places) if index == 0 or places[index - 1] != place]


def _onward(legs: list[Leg]) -> list[Leg]:
    """The request, and of the proxy's own connections the last: those before it came to nothing."""
    return [*legs[:1], *legs[1:][-1:]]


def _tried(trace: Trace) -> int:
    return sum(isinstance(step.detail, RuleTried) for step in trace.steps)


def _missed(trace: Trace) -> int:
    return sum(step.detail.count for step in trace.steps if isinstance(step.detail, RulesMissed))


def was_answered(trace: Trace) -> bool:
    return trace.disposition is Disposition.DELIVERED and trace.answered
