"""What `make oracle` judges: the saved cases in every mode that they name, a fixed random set, IPVS's schedulers."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from packetsim.cluster import MODES
from packetsim.oracle.cases import CaseFlow, read_case
from packetsim.oracle.verify import Job, Verdict, jobs_of, random_jobs
from tests.oracle.three_endpoints import sequence, three_endpoints

FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CLUSTERS, FLOWS, SEED = 6, 25, 11
CONNECTIONS = 12  # to each scheduler
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq")


@cache
def case_jobs() -> dict[tuple[str, str], Job]:
    """(case, mode) -> job."""
    found = [job for path in FILES for job in jobs_of(path.stem, read_case(path), MODES, None, 0)]
    return {(job.name, job.mode): job for job in found}


@cache
def random_set() -> dict[tuple[str, str], Job]:
    return {(job.name, job.mode): job for job in random_jobs(CLUSTERS, SEED, MODES, FLOWS)}


@cache
def scheduler_jobs() -> dict[tuple[str, str], Job]:
    """Each scheduler chooses for a sequence of connections, alone and with persistence."""
    flows = sequence(CONNECTIONS)
    found = {}
    for scheduler in SCHEDULERS:
        for name, sticky in ((scheduler, False), (f"{scheduler} with persistence", True)):
            found[name, "ipvs"] = Job(name, three_endpoints(scheduler, sticky), "ipvs", flows)
    return found


def part_of(job: Job, *names: str) -> Job:
    """The case's flows of these names alone, in its order. A second connection stays with its first."""
    kept = [place for place, row in enumerate(job.rows) if row.expected.name in names]
    assert {job.rows[place].expected.name for place in kept} == set(names)
    rows = tuple(_moved(job.rows[place], kept) for place in kept)
    return replace(job, rows=rows, flows=tuple(row.flow for row in rows))


def _moved(row: CaseFlow, kept: list[int]) -> CaseFlow:
    return row if row.follows is None else replace(row, follows=kept.index(row.follows))


def told(verdict: Verdict) -> list[str]:
    """What differs, in words."""
    flows = [f"{one.flow}: {one.difference}" for one in verdict.flows if one.difference is not None]
    return [*map(str, verdict.texts), *flows]


def aspects(verdict: Verdict) -> set[str]:
    found = [*verdict.texts, *(one.difference for one in verdict.flows)]
    return {one.aspect for one in found if one is not None}
