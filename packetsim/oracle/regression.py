"""Rule: a difference is made small and kept as a case, which from then on must agree.

The case promises what the kernel did, for a fault may be in the rules themselves. Where a flow's outcome hangs on
chance, or on the flows before it, it promises only who can be reached.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from packetsim.addresses import with_port
from packetsim.check import actual_of
from packetsim.cluster import Source, load
from packetsim.dice import RolledDice
from packetsim.errors import PacketsimError
from packetsim.oracle.cases import Expected, write_case
from packetsim.oracle.comparison import Heard
from packetsim.oracle.shrinking import shrink
from packetsim.oracle.trial import Judged
from packetsim.oracle.verify import Bench, Job, Verdict
from packetsim.outcomes import outcomes
from packetsim.progress import Progress
from packetsim.simulation import Simulation
from packetsim.trace import Disposition, Flow, Trace

TRIES = 120
SILENT = (Disposition.DROPPED, Disposition.UNANSWERED)
BY_ERROR = (Disposition.REJECTED, Disposition.REFUSED)


def save_difference(bench: Bench, verdict: Verdict, text: str, folder: Path) -> Path:
    """Shrinks what differed in this verdict of the manifests `text`; gives the file it is saved in."""
    mode = verdict.job.mode
    first = next((place for place, one in enumerate(verdict.flows) if one.difference is not None), 0)

    def judged(candidate: str, sent: Sequence[Flow]) -> Verdict:
        return bench.judge(Job("candidate", load([Source("candidate", candidate)]).cluster, mode, tuple(sent)))

    with Progress("shrinking", sys.stderr, TRIES) as bar:

        def tell(done: int, _most: int) -> None:
            bar.done = done

        flows = verdict.job.flows[: first + 1]
        small, sent = shrink(text, flows, lambda some, of: not judged(some, of).agrees, TRIES, tell)
    told = next((one.difference for one in verdict.flows if one.difference is not None), None)
    why = f"Found by {verdict.job.name} in {mode} mode: {told or verdict.texts[0]}"
    last = judged(small, sent)
    fresh = Simulation(last.job.cluster, mode, RolledDice(lambda below: 0))
    rows = [(one.flow, _expected(one, fresh)) for one in last.flows]
    return _write(write_case(small, "agrees", mode, rows, why), mode, folder)


def _write(case: str, mode: str, folder: Path) -> Path:
    path = folder / f"{mode}-{sha256(case.encode()).hexdigest()[:8]}.yaml"
    try:
        path.write_text(case, encoding="utf-8")
    except OSError as error:
        raise PacketsimError(f"{path}: {error.strerror}. Name a folder that can be written with --save.") from None
    return path


# ---- what the kernel made of a flow ---------------------------------------------------------------


def _expected(judged: Judged, fresh: Simulation) -> Expected:
    actual = actual_of(outcomes(fresh, judged.flow))
    if judged.trace is not None and judged.heard is not None and actual.outcome == judged.trace.disposition.value:
        return Expected(outcome_of(judged.trace, judged.heard).value)
    accepted = (with_port(one.address, one.port) for _, one in (judged.heard.accepted if judged.heard else ()))
    return Expected(endpoints=tuple(sorted({*actual.endpoints, *accepted})))


def outcome_of(trace: Trace, heard: Heard) -> Disposition:
    """How the flow ended in the kernel. Where it leaves two names for that open, it is our walk's if that is one."""
    own = trace.disposition
    if heard.accepted:
        return Disposition.DELIVERED
    if heard.answer == "silence":
        return own if own in SILENT else Disposition.DROPPED
    if not _told_by_icmp(trace, heard):
        return Disposition.REFUSED if heard.answer == "refused" else own
    # A machine says by ICMP, too, that none of its UDP sockets has this port.
    return own if own in BY_ERROR and trace.flow.protocol == "udp" else Disposition.REJECTED


def _told_by_icmp(trace: Trace, heard: Heard) -> bool:
    story = heard.stories.get(trace.legs[0].hops[0].place)
    return story is not None and any(one.sight.protocol in ("icmp", "icmpv6") for one in story.arrivals)
