"""Rule: trials without a kernel. Whoever plays it does what our walk does, but for what a test has it do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from packetsim import Dice, Flow, RolledDice, Simulation, Source, Trace, load
from packetsim.cluster.model import Cluster
from packetsim.oracle import verify
from packetsim.oracle.comparison import Difference, Heard, answer_of, entry
from packetsim.oracle.following import balanced
from packetsim.oracle.observation import Connection
from packetsim.oracle.plan import Accepted
from packetsim.oracle.story import ours
from packetsim.oracle.trial import Judged

SHOP = Path(__file__).parents[2] / "shop.yaml"
LAST_WAY = RolledDice(lambda below: below - 1)
Objection = Callable[[Cluster, Trace], Difference | None]


class Played(NamedTuple):
    """The patience of each trial held, and each wiring's name with how many flows it was for."""

    held: list[float]
    wired: list[tuple[str, int]]


class Talkative:
    """A judge that says hello and is asked no more."""

    def __init__(self, *can: str) -> None:
        self._can = can

    def __enter__(self) -> Talkative:
        return self

    def __exit__(self, *how: object) -> None: ...

    def ask(self, do: str, /, *, within: float = 0, **fields: object) -> dict[str, Any]:
        assert do == "hello"
        return {"kernel": "6.1.0-test", "can": list(self._can)}


def agree(patch: pytest.MonkeyPatch, objection: Objection = lambda cluster, trace: None) -> Played:
    """Trials agree, but for the flows to which there is an objection."""
    held: list[float] = []
    wired: list[tuple[str, int]] = []

    class Standing:
        """A wiring of nothing."""

        def __init__(self, judge: object, can: object, cluster: Cluster, name: str, flows: Iterable[Flow]) -> None:
            self.cluster = cluster
            wired.append((name, len(list(flows))))

        def __enter__(self) -> Standing:
            return self

        def __exit__(self, *how: object) -> None: ...

    class Agreeing:
        def __init__(self, wiring: Standing, mode: str, flows: Sequence[Flow], patience: float) -> None:
            self.cluster, self.flows = wiring.cluster, flows
            self.simulation = Simulation(wiring.cluster, mode, RolledDice(Random(0).randrange), restored=True)
            held.append(patience)

        def run(self) -> Iterator[Judged | Difference]:
            for flow in self.flows:
                trace = self.simulation.send(flow)
                difference = objection(self.cluster, trace)
                if difference is not None and difference.aspect == "text":
                    yield difference
                    difference = None
                yield Judged(flow, trace, difference, heard=heard(trace))

    patch.setattr(verify, "Trial", Agreeing)
    patch.setattr(verify, "Wiring", Standing)
    return Played(held, wired)


def heard(trace: Trace) -> Heard:
    """What a sender hears and a server accepts that do as our walk has them."""
    accepted: tuple[tuple[str, Accepted], ...] = ()
    if trace.disposition == "delivered":
        address, _, port = (trace.endpoint or "").rpartition(":")
        accepted = (("there", Accepted("c1", trace.source_seen or "", 1, address.strip("[]"), int(port))),)
    entries = {place: [entry(line) for line in lines] for place, lines in trace.entries}
    connections = {place: tuple(Connection(*pair, 0, 0) for pair in pairs) for place, pairs in entries.items()}
    return Heard(answer_of(trace)[0], "", accepted, ours(trace), connections, {})


class Walk:
    """One flow's walk in shop.yaml's cluster, and what a kernel would tell that did the same."""

    def __init__(self, flow: Flow, mode: str = "iptables", dice: Dice = LAST_WAY) -> None:
        simulation = Simulation(shop(), mode, dice, restored=True)
        self.trace = simulation.send(flow)
        self.balanced = {place: rows for place, rows in balanced(simulation).items() if rows}
        self.heard = replace(heard(self.trace), balanced=self.balanced)


@cache
def shop() -> Cluster:
    return load([Source("shop.yaml", SHOP.read_text())]).cluster
