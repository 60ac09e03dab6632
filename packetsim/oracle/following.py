"""Rule: where our walk rolls dice it is told the kernel's roll, by taking the branch the kernel took.

Every branch that our walk can take is compared; the one that agrees is followed, else the one that
agrees longest, so that what is told of a difference is where it truly starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packetsim.oracle.comparison import Difference, Heard, compare
from packetsim.outcomes import branches
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Trace

MOST_BRANCHES = 400


@dataclass(frozen=True, slots=True)
class Followed:
    """`after`: our simulation as it goes on from here. `difference` None: we agree.

    `balanced`: our new IPVS entries, by node.
    """

    trace: Trace
    after: Simulation
    difference: Difference | None
    balanced: Mapping[str, frozenset[str]]


def follow(simulation: Simulation, flow: Flow, heard: Heard, earlier: int) -> Followed:
    """Our walk of the flow that is closest to what the kernel did. `earlier`: flows sent before it."""
    known = balanced(simulation)
    best: Followed | None = None
    for trace, after in branches(simulation, flow, earlier, MOST_BRANCHES):
        now = balanced(after)
        new = {place: lines - known.get(place, frozenset()) for place, lines in now.items()}
        new = {place: lines for place, lines in new.items() if lines}
        difference = compare(trace, heard, new)
        one = Followed(trace, after, difference, new)
        if difference is None:
            return one
        if best is None or best.difference is None or _rank(difference) > _rank(best.difference):
            best = one
    assert best is not None
    return best


def _rank(difference: Difference) -> tuple[bool, int]:
    """What differs after all rules agreed is closer than what differs among them."""
    return difference.aspect not in ("rules", "packets"), difference.depth


def balanced(simulation: Simulation) -> Mapping[str, frozenset[str]]:
    """Node -> its IPVS connections, as `ipvsadm -Lcn` prints them, expiry left out."""
    found: dict[str, frozenset[str]] = {}
    for place, machine in simulation.network.met.items():
        if machine.netfilter.ipvs is not None:
            rows = [line.split() for line in machine.netfilter.ipvs.list_connections().splitlines()[2:]]
            found[place] = frozenset(" ".join((row[0], *row[2:])) for row in rows)
    return found
