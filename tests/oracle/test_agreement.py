"""A real kernel does what our walk does: in the saved cases, whose promises hold, and in a fixed random set."""

from __future__ import annotations

import pytest

from packetsim.oracle.verify import Bench, Verdict
from tests.oracle.jobs import case_jobs, random_set, told

pytestmark = pytest.mark.judge

Verdicts = dict[tuple[str, str], Verdict]


@pytest.fixture(scope="session")
def verdicts(bench: Bench) -> Verdicts:
    """All at once, since a kernel waits more than it works."""
    jobs = [*case_jobs().values(), *random_set().values()]
    return {(found.job.name, found.job.mode): found for found in bench.judge_all(jobs)}


@pytest.mark.parametrize(("name", "mode"), [*case_jobs(), *random_set()])
def test_kernel_and_walk_agree(name: str, mode: str, verdicts: Verdicts) -> None:
    found = verdicts[name, mode]
    assert found.agrees, "\n".join(told(found))
    assert len(found.flows) == len(found.job.flows) and not any(one.skipped for one in found.flows)
