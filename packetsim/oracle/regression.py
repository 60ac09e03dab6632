"""Rule: a difference is made small and kept as a case, which from then on must agree.

The case asserts no outcome of its own: that kernel and walk agree on its flows is what it is for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from packetsim.cluster import Source, load
from packetsim.errors import PacketsimError
from packetsim.oracle.cases import Expected, write_case
from packetsim.oracle.shrinking import shrink
from packetsim.oracle.verify import Bench, Job, Verdict
from packetsim.progress import Progress
from packetsim.trace import Flow

TRIES = 120


def save_difference(bench: Bench, verdict: Verdict, text: str, folder: Path) -> Path:
    """Shrinks what differed in this verdict of the manifests `text`; gives the file it is saved in."""
    mode = verdict.job.mode
    first = next((place for place, one in enumerate(verdict.flows) if one.difference is not None), 0)
    flows = verdict.job.flows[: first + 1]

    def differs(candidate: str, sent: Sequence[Flow]) -> bool:
        cluster = load([Source("candidate", candidate)]).cluster
        return not bench.judge(Job("candidate", cluster, mode, tuple(sent))).agrees

    with Progress("shrinking", sys.stderr, TRIES) as bar:

        def tell(done: int, _most: int) -> None:
            bar.done = done

        small, sent = shrink(text, flows, differs, TRIES, tell)
    told = next((one.difference for one in verdict.flows if one.difference is not None), None)
    why = f"Found by {verdict.job.name} in {mode} mode: {told or verdict.texts[0]}"
    case = write_case(small, "agrees", mode, [(flow, Expected()) for flow in sent], why)
    path = folder / f"{mode}-{sha256(case.encode()).hexdigest()[:8]}.yaml"
    try:
        path.write_text(case)
    except OSError as error:
        raise PacketsimError(f"{path}: {error.strerror}. Name a folder that can be written with --save.") from None
    return path
