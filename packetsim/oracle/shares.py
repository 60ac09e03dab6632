"""Rule: a share is judged by many connections and one bound: what is told would not happen by chance in a lifetime."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from math import log

from packetsim.addresses import with_port
from packetsim.cluster.model import Cluster
from packetsim.dice import RolledDice
from packetsim.oracle import talk
from packetsim.oracle.comparison import Difference
from packetsim.oracle.probing import source_port
from packetsim.oracle.wiring import loads, plan, probe
from packetsim.simulation import Simulation
from packetsim.trace import Flow

CHANCE = 1e-9  # of telling a difference where there is none
BATCH = 100  # probes in one request
PATIENCE = 2.5
NOBODY = ""


def burst(judge: talk.Asked, cluster: Cluster, mode: str, flow: Flow, count: int, name: str = "burst") -> Counter[str]:
    """How many of `count` connections each endpoint accepted; NOBODY for those that none did."""
    simulation = Simulation(cluster, mode, RolledDice(lambda below: 0), restored=True)
    wired = plan(cluster, name, (), {(flow.protocol, flow.port)})
    one = replace(probe(wired, simulation, replace(flow, source_port=source_port(0)), PATIENCE), nodes=())
    probes = [replace(one, source_port=source_port(position)) for position in range(count)]
    found = Counter[str]()
    talk.build(judge, wired)
    try:
        talk.load(judge, name, loads(simulation, wired), trace=False)
        for start in range(0, count, BATCH):
            for report in talk.send(judge, name, probes[start : start + BATCH]):
                accepted = report.accepted[-1:]
                found[with_port(accepted[0].address, accepted[0].port) if accepted else NOBODY] += 1
    finally:
        talk.drop(judge, name)
    return found


def improbable(counts: Mapping[str, int], shares: Mapping[str, Fraction]) -> Iterator[Difference]:
    """For each endpoint whose count these shares would give less often than CHANCE, what was found.

    Chernoff's bound: of n draws, a part of q or farther from p comes with a chance of at most exp(-n KL(q, p)).
    """
    total = sum(counts.values())
    ends = sorted({*counts, *shares})
    most = log(2 * len(ends) / CHANCE)
    for endpoint in ends:
        count, share = counts.get(endpoint, 0), shares.get(endpoint, Fraction(0))
        if total * _divergence(count / max(total, 1), float(share)) > most:
            yield Difference(
                "shares", "", f"{endpoint or 'nobody'} in {count} of {total} connections", f"it in {share} of them"
            )


def _divergence(found: float, meant: float) -> float:
    """Kullback and Leibler's, of one toss from another."""
    pairs = ((found, meant), (1 - found, 1 - meant))
    if any(one > 0 and other <= 0 for one, other in pairs):
        return float("inf")
    return sum(one * log(one / other) for one, other in pairs if one > 0)
