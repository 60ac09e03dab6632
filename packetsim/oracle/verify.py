"""Rule: many trials at once on one kernel; what each of them found is gathered, and nothing is decided twice.

A slow machine can make an answer come too late to be believed, so a trial that differs is held once
more with more patience, and only what differs again counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import count, groupby

from packetsim.check import actual_of, differences, with_second_connections
from packetsim.cluster import Manifests, Source, load
from packetsim.cluster.model import Cluster
from packetsim.dice import RolledDice
from packetsim.oracle import talk
from packetsim.oracle.cases import EVEN_MODES, CaseFlow, flows_of, lopsided, misses
from packetsim.oracle.comparison import Difference
from packetsim.oracle.probing import probes
from packetsim.oracle.random_clusters import random_manifests
from packetsim.oracle.trial import Judged, Trial, Wiring
from packetsim.outcomes import outcomes, twice
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Trace

WORKERS = 12
FLOWS = 40
PATIENCE = 0.6  # seconds until silence is believed
PATIENT = 2.5  # the second time


@dataclass(frozen=True, slots=True)
class Job:
    """A cluster in one mode, and what is sent there. `rows`: what FlowTests promise of each flow, where they do.

    `text`: the manifests, of a random cluster.
    """

    name: str
    cluster: Cluster
    mode: str
    flows: tuple[Flow, ...]
    rows: tuple[CaseFlow, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`texts`: what was not read back as it was rendered."""

    job: Job
    texts: tuple[Difference, ...]
    flows: tuple[Judged, ...]

    @property
    def agrees(self) -> bool:
        return not self.texts and all(one.difference is None for one in self.flows)


# ---- what is to be judged -----------------------------------------------------------------------


def jobs_of(name: str, manifests: Manifests, modes: Sequence[str], flows: int | None, seed: int) -> list[Job]:
    """The FlowTests' flows in the modes they name; where there are none or `flows` says so, that many varied ones."""
    cases = flows_of(manifests)
    if cases and flows is None:
        return [
            Job(name, manifests.cluster, mode, tuple(row.flow for row in rows), tuple(rows))
            for mode, rows in cases.items()
            if mode in modes
        ]
    cluster = manifests.cluster
    return [Job(name, cluster, mode, tuple(probes(cluster, seed, flows or FLOWS, mode))) for mode in modes]


def random_jobs(clusters: int, seed: int, modes: Sequence[str], flows: int) -> Iterator[Job]:
    """`clusters` random clusters in each of the modes, with `flows` flows each."""
    for number in range(clusters):
        name, text = f"random {seed}/{number}", random_manifests(seed, number)
        cluster = load([Source(name, text)]).cluster
        for mode in modes:
            yield Job(name, cluster, mode, tuple(probes(cluster, seed, flows, mode)), text=text)


def _by_cluster(jobs: Iterable[Job]) -> Iterator[tuple[Job, ...]]:
    return (tuple(group) for _, group in groupby(jobs, lambda job: job.cluster))


# ---- judging ------------------------------------------------------------------------------------


class Bench:
    """One kernel that judges. `can`: what it has."""

    def __init__(self, judge: talk.Asked) -> None:
        self._judge = judge
        self.hello = talk.hello(judge)
        self._names = count(1)

    def judge_all(self, jobs: Iterable[Job], workers: int = WORKERS, together: bool = False) -> Iterator[Verdict]:
        """Verdicts as they come, not in the order of the jobs; `jobs` is drawn from as workers are free.

        `together`: a cluster is wired once for all modes, one after the other. That is less work where there are
        many clusters, and longer to wait for where there are few.
        """
        waiting = _by_cluster(jobs) if together else ((job,) for job in jobs)
        with ThreadPoolExecutor(workers) as pool:
            running: set[Future[list[Verdict]]] = set()
            while True:
                for group in waiting:
                    running.add(pool.submit(self._judge_group, group))
                    if len(running) >= workers:
                        break
                if not running:
                    return
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from future.result()

    def judge(self, job: Job) -> Verdict:
        (verdict,) = self._judge_group((job,))
        return verdict

    def _judge_group(self, jobs: Sequence[Job]) -> list[Verdict]:
        """Jobs of one cluster. What differs is held again on a wiring of its own."""
        possible = [job for job in jobs if self._can_hold(job)]
        verdicts = [self._not_held(job) for job in jobs if not self._can_hold(job)]
        if possible:
            with self._wired(possible) as wiring:
                verdicts += [self._held(wiring, job, PATIENCE) for job in possible]
        return [one if one.agrees else self.hold(one.job, PATIENT) for one in verdicts]

    def hold(self, job: Job, patience: float = PATIENCE) -> Verdict:
        """One trial, whatever it finds."""
        if not self._can_hold(job):
            return self._not_held(job)
        with self._wired((job,)) as wiring:
            return self._held(wiring, job, patience)

    def _can_hold(self, job: Job) -> bool:
        return job.mode != "ipvs" or "ipvs" in self.hello.can

    def _not_held(self, job: Job) -> Verdict:
        why = f"the judging kernel ({self.hello.kernel}) has no IPVS"
        return Verdict(job, (), tuple(Judged(flow, None, None, why) for flow in job.flows))

    def _wired(self, jobs: Sequence[Job]) -> Wiring:
        flows = (flow for job in jobs for flow in job.flows)
        return Wiring(self._judge, self.hello.can, jobs[0].cluster, f"c{next(self._names)}", flows)

    def _held(self, wiring: Wiring, job: Job, patience: float) -> Verdict:
        texts: list[Difference] = []
        flows: list[Judged] = []
        for found in Trial(wiring, job.mode, job.flows, patience).run():
            if isinstance(found, Difference):
                texts.append(found)
            else:
                flows.append(found)
        return Verdict(job, tuple(texts), _kept_promises(job, flows))


def _kept_promises(job: Job, flows: Sequence[Judged]) -> tuple[Judged, ...]:
    """Where kernel and walk agree, both may still be wrong together: FlowTests say what should have happened."""
    if not job.rows:
        return tuple(flows)
    fresh = Simulation(job.cluster, job.mode, RolledDice(lambda below: 0))
    kept = []
    for judged, row in zip(flows, job.rows, strict=True):
        if judged.difference is None and judged.trace is not None:
            problems = [*_broken(row, judged.trace, flows), *_impossible(row, fresh)]
            if problems:
                broken = Difference("promise", "", "; ".join(problems), f"the same, and FlowTest {row.test!r} does not")
                judged = replace(judged, difference=broken)
        kept.append(judged)
    return tuple(kept)


def _broken(row: CaseFlow, trace: Trace, flows: Sequence[Judged]) -> Iterator[str]:
    """What this very flow did and should not have."""
    yield from misses(row.expected, trace.disposition.value, trace.endpoint, trace.masqueraded)
    first = flows[row.follows].trace if row.follows is not None else None
    if first is not None and first.endpoint != trace.endpoint:
        yield f"endpoint: expected {first.endpoint}, as for the connection before, found {trace.endpoint}"


def _impossible(row: CaseFlow, fresh: Simulation) -> Iterator[str]:
    """What the rules, of which one flow is one throw, could have done and should not, or could not and should."""
    found = outcomes(fresh, row.flow)
    actual = actual_of(found)
    if row.expected.sticky is not None:
        actual = with_second_connections(actual, twice(fresh, row.flow, row.expected.again_after))
    yield from differences(row.expected, actual)
    if row.mode in EVEN_MODES:
        shares = lopsided(found)
        if shares:
            told = ", ".join(f"{endpoint} {share}" for endpoint, share in shares.items())
            yield f"endpoints: expected even shares, found {told}"
