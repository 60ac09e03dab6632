"""Rule: one flow is sent through a kernel; the walk shown is the branch that the kernel took, with its word on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from packetsim.cluster.model import Cluster
from packetsim.errors import OracleError
from packetsim.oracle.command import difference_json
from packetsim.oracle.comparison import Difference
from packetsim.oracle.marks import marks
from packetsim.oracle.probing import FIRST_PORT
from packetsim.oracle.talk import Asked
from packetsim.oracle.verify import Bench, Job
from packetsim.trace import Flow, Position, Trace


@dataclass(frozen=True, slots=True)
class VerifiedWalk:
    """`marks`: the kernel's word on the steps of which it tells. `difference`: the first, if any."""

    kernel: str
    trace: Trace
    marks: Mapping[Position, str]
    difference: Difference | None

    @property
    def agrees(self) -> bool:
        return self.difference is None


def verified_walk(judge: Asked, cluster: Cluster, mode: str, flow: Flow) -> VerifiedWalk:
    """Without a source port of its own, the flow gets one, so that both sides send the same."""
    bench = Bench(judge)
    sent = replace(flow, source_port=flow.source_port or FIRST_PORT)
    verdict = bench.judge(Job("the files' cluster", cluster, mode, (sent,)))
    (judged,) = verdict.flows
    if judged.trace is None or judged.heard is None:
        raise OracleError(f"{judged.skipped}. Ask that of the virtual machine (--kernel vm), or leave out --verify.")
    words = marks(judged.trace, judged.heard, judged.balanced)
    difference = judged.difference or next(iter(verdict.texts), None)
    return VerifiedWalk(bench.hello.kernel, judged.trace, words, difference)


def verified_json(walk: VerifiedWalk) -> dict[str, Any]:
    """The trace document's `verified` (docs/trace.md)."""
    difference = difference_json(walk.difference) if walk.difference is not None else None
    return {"kernel": walk.kernel, "agrees": walk.agrees, "difference": difference}
