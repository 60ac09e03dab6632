"""Rule: a lab at one moment is its documents, its mode and how to go back; kernels are made by replaying.

`packed` is what snapshots hold: each text once, however many moments it belongs to.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packetsim.cluster import Running
from packetsim.cluster.model import Key
from visualizer.documents import Written
from visualizer.schemas import Mode, TraceSummary

MOST_UNDONE = 100
MOST_UNDO_LETTERS = 8_000_000  # of the manifests that undo alone keeps
MOST_SUMMARIES = 100
_FORMAT = 1
Documents = Mapping[str, Written]


@dataclass(frozen=True, slots=True)
class Moment:
    """What undo goes back to. `summary`: of the change that came after it."""

    documents: Documents
    mode: Mode
    summary: str


@dataclass(frozen=True, slots=True)
class LabState:
    """`now`: the kernels' clock. `running`: where Pods are. `traces`: how many there were; `summaries`: the latest."""

    title: str
    mode: Mode
    documents: Documents
    running: Mapping[Key, Running] = field(default_factory=dict)
    undo: tuple[Moment, ...] = ()
    redo: tuple[Moment, ...] = ()
    now: float = 0.0
    traces: int = 0
    summaries: tuple[TraceSummary, ...] = ()


def affordable(moments: tuple[Moment, ...], documents: Documents) -> tuple[Moment, ...]:
    """The latest of the moments, as many as may be kept; what they share with one another costs nothing."""
    known = {id(one) for one in documents.values()}
    left = MOST_UNDO_LETTERS
    for place, moment in enumerate(reversed(moments[-MOST_UNDONE:])):
        new = [one for one in moment.documents.values() if id(one) not in known]
        known.update(map(id, new))
        left -= sum(len(one.yaml) for one in new)
        if left < 0:
            return moments[len(moments) - place :]
    return moments[-MOST_UNDONE:]


def packed(state: LabState) -> bytes:
    numbers: dict[Written, int] = {}

    def listed(documents: Documents) -> list[int]:
        return [numbers.setdefault(one, len(numbers)) for one in documents.values()]

    def moments(many: tuple[Moment, ...]) -> list[Any]:
        return [[listed(one.documents), one.mode, one.summary] for one in many]

    data = {
        "format": _FORMAT,
        "title": state.title,
        "mode": state.mode,
        "documents": listed(state.documents),
        "undo": moments(state.undo),
        "redo": moments(state.redo),
        "running": [[*key, one.node, list(one.addresses)] for key, one in state.running.items()],
        "now": state.now,
        "traces": state.traces,
        "summaries": [one.model_dump() for one in state.summaries],
        "written": [[one.kind, one.namespace, one.name, one.yaml] for one in numbers],
    }
    return zlib.compress(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def unpacked(data: bytes | memoryview) -> LabState:
    read: dict[str, Any] = json.loads(zlib.decompress(data))
    written = [Written(*one) for one in read["written"]]

    def documents(numbers: list[int]) -> Documents:
        return {one.key: one for one in map(written.__getitem__, numbers)}

    def moments(many: list[Any]) -> tuple[Moment, ...]:
        return tuple(Moment(documents(numbers), mode, summary) for numbers, mode, summary in many)

    return LabState(
        title=read["title"],
        mode=read["mode"],
        documents=documents(read["documents"]),
        running={(ns, name): Running(node, tuple(ips)) for ns, name, node, ips in read["running"]},
        undo=moments(read["undo"]),
        redo=moments(read["redo"]),
        now=read["now"],
        traces=read["traces"],
        summaries=tuple(TraceSummary.model_validate(one) for one in read["summaries"]),
    )
