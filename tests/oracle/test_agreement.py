"""A real kernel does what our walk does: in the saved cases, whose promises hold, and wherever else it is asked."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from packetsim import RolledDice, Simulation, outcomes
from packetsim.oracle.cases import EVEN_MODES
from packetsim.oracle.judge import Judge
from packetsim.oracle.shares import burst, improbable
from packetsim.oracle.verify import Bench, Verdict
from tests.oracle.jobs import case_jobs, random_set, scheduler_jobs, told
from tests.oracle.three_endpoints import ENDPOINTS, sequence, three_endpoints

pytestmark = pytest.mark.judge

Verdicts = dict[tuple[str, str], Verdict]
CONNECTIONS = 1000


@pytest.fixture(scope="session")
def verdicts(bench: Bench) -> Verdicts:
    """All at once, since a kernel waits more than it works."""
    jobs = [*case_jobs().values(), *random_set().values(), *scheduler_jobs().values()]
    return {(found.job.name, found.job.mode): found for found in bench.judge_all(jobs, together=True)}


@pytest.mark.parametrize(("name", "mode"), [*case_jobs(), *random_set(), *scheduler_jobs()])
def test_kernel_and_walk_agree(name: str, mode: str, verdicts: Verdicts) -> None:
    found = verdicts[name, mode]
    assert found.agrees, "\n".join(told(found))
    assert len(found.flows) == len(found.job.flows) and not any(one.skipped for one in found.flows)


@pytest.mark.parametrize("name", [name for name, _ in scheduler_jobs()])
def test_schedulers_spread_and_persistence_ties(name: str, verdicts: Verdicts) -> None:
    """Else it would prove little that kernel and walk agree about them."""
    reached: dict[str, Counter[str | None]] = {}
    for one in verdicts[name, "ipvs"].flows:
        assert one.trace is not None
        reached.setdefault(one.flow.place, Counter())[one.trace.endpoint] += 1
    tied = all(len(found) == 1 for found in reached.values())
    spread = len({endpoint for found in reached.values() for endpoint in found})
    assert tied is ("persistence" in name or name in ("sh", "dh"))
    assert spread == 3 or name.startswith(("sh", "dh", "mh"))


@pytest.mark.parametrize("mode", EVEN_MODES)
def test_a_kernels_shares_are_even_and_as_our_rules_have_them(mode: str, machine: Judge) -> None:
    cluster, (flow,) = three_endpoints(), sequence(1)
    counts = burst(machine, cluster, mode, flow, CONNECTIONS)
    assert sum(counts.values()) == CONNECTIONS
    found = outcomes(Simulation(cluster, mode, RolledDice(lambda below: 0)), flow)
    ours = {one.endpoint or "": one.kernel_probability for one in found}
    assert not list(improbable(counts, ours))
    assert not list(improbable(counts, dict.fromkeys(ENDPOINTS, Fraction(1, len(ENDPOINTS)))))
