"""Rule: a trial is one cluster in one mode, on the kernel and with us side by side; it only gathers and asks.

The kernel goes first: all flows are sent in order, then our simulation walks them in the same order,
each time from where the kernel's roll led it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packetsim.cluster.model import Cluster
from packetsim.dice import RolledDice
from packetsim.oracle import talk
from packetsim.oracle.comparison import Difference, Heard
from packetsim.oracle.following import follow
from packetsim.oracle.ipvs_table import connections as ipvs_connections
from packetsim.oracle.netlink import connections, decode, rule_numbers
from packetsim.oracle.observation import Connection, RuleNumbers, passages
from packetsim.oracle.plan import Listener, Load, Report
from packetsim.oracle.readback import differences
from packetsim.oracle.story import Story, kernels
from packetsim.oracle.wiring import loads, plan, probe
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Trace

BATCH = 25  # probes in one request

Ends = tuple[object, object]  # a connection's original and reply tuple


@dataclass(frozen=True, slots=True)
class Judged:
    """One flow's verdict. `trace`: our walk as followed; None where the kernel was not asked (`skipped`: why).

    `heard`, `balanced`: what the walk was compared with, and our new IPVS entries (`comparison.compare`).
    """

    flow: Flow
    trace: Trace | None
    difference: Difference | None
    skipped: str = ""
    heard: Heard | None = None
    balanced: Mapping[str, frozenset[str]] = field(default_factory=dict)


class Wiring:
    """A cluster's namespaces in a kernel, for one trial or for several: `with Wiring(…)`; gone afterwards.

    `name` is unique among those that stand at once. `flows`: all that will be sent there.
    """

    def __init__(
        self, judge: talk.Asked, can: frozenset[str], cluster: Cluster, name: str, flows: Iterable[Flow]
    ) -> None:
        """`can`: what the judging kernel has."""
        self.judge, self.can, self.cluster = judge, can, cluster
        sent = list(flows)
        outside = sorted({flow.place for flow in sent if _is_outside(cluster, flow.place)})
        wired = plan(cluster, name, outside, {(flow.protocol, flow.port) for flow in sent})
        self.plan = replace(wired, listeners=self.possible(wired.listeners))

    def __enter__(self) -> Wiring:
        talk.build(self.judge, self.plan)
        return self

    def __exit__(self, *raised: object) -> None:
        talk.drop(self.judge, self.plan.cluster)

    def possible(self, listeners: Sequence[Listener]) -> tuple[Listener, ...]:
        return tuple(one for one in listeners if self.knows(one.protocol))

    def knows(self, protocol: str) -> bool:
        """A kernel may lack SCTP."""
        return protocol != "sctp" or "sctp" in self.can


class Trial:
    """`patience`: seconds until silence is believed. The wiring stands; what was loaded there before goes."""

    def __init__(self, wiring: Wiring, mode: str, flows: Sequence[Flow], patience: float) -> None:
        self._wiring = wiring
        self._judge, self._plan = wiring.judge, wiring.plan
        self._flows = flows
        self._patience = patience
        self.simulation = Simulation(wiring.cluster, mode, RolledDice(random.Random(0).randrange), restored=True)
        self._places = {code: place for place, code in self._plan.places.items()}
        self._sent = 0
        self._clock: float | None = None
        self._numbers: dict[str, RuleNumbers] = {}
        self._known: dict[str, set[Ends]] = {}
        self._balanced: dict[str, frozenset[str]] = {}

    def run(self) -> Iterator[Judged | Difference]:
        """First what was loaded wrong, then each flow's verdict."""
        wanted = loads(self.simulation, self._plan)
        yield from self._load([replace(load, listeners=self._wiring.possible(load.listeners)) for load in wanted])
        for start in range(0, len(self._flows), BATCH):
            yield from self._send(self._flows[start : start + BATCH])

    def _load(self, wanted: Sequence[Load]) -> Iterator[Difference]:
        for loaded in talk.load(self._judge, self._plan.cluster, wanted):
            self._numbers[loaded.code] = rule_numbers(loaded.rules)
            texts = next(load.texts for load in wanted if load.code == loaded.code)
            yield from differences(self._places[loaded.code], texts, loaded.texts)

    def _send(self, flows: Sequence[Flow]) -> Iterator[Judged]:
        possible = [flow for flow in flows if self._wiring.knows(flow.protocol)]
        probes = [probe(self._plan, self.simulation, flow, self._patience) for flow in possible]
        reports = dict(zip(possible, talk.send(self._judge, self._plan.cluster, probes), strict=True))
        for flow in flows:
            if flow in reports:
                self._pass_time(reports[flow].began)
                heard = self._heard(reports[flow])
                followed = follow(self.simulation, flow, heard, self._sent)
                self._sent += 1
                self.simulation = followed.after
                yield Judged(flow, followed.trace, followed.difference, "", heard, followed.balanced)
            else:
                yield Judged(flow, None, None, f"the judging kernel has no {flow.protocol.upper()}")

    def _pass_time(self, began: float) -> None:
        """IPVS connections and conntrack entries end by the kernel's clock, so ours goes as that one went."""
        if self._clock is not None:
            self.simulation.wait(began - self._clock)
        self._clock = began

    # ---- the kernel's account, in terms of our places -------------------------------------------------

    def _heard(self, report: Report) -> Heard:
        return Heard(
            report.heard,
            report.error,
            tuple((self._places[one.code], one) for one in report.accepted),
            self._stories(report),
            self._new_connections(report),
            self._new_balanced(report),
        )

    def _stories(self, report: Report) -> dict[str, Story]:
        """Routers are the network between, of which our walk only says that it was crossed."""
        stories = {}
        for code, messages in report.events.items():
            place = self._places.get(code)
            if place is not None:
                numbers = self._numbers.get(code, RuleNumbers({}))
                stories[place] = kernels(passages(code, decode(messages), numbers))
        return {place: story for place, story in stories.items() if story.arrivals or story.stops}

    def _new_connections(self, report: Report) -> dict[str, tuple[Connection, ...]]:
        found = {}
        for code, messages in report.conntrack.items():
            known = self._known.setdefault(code, set())
            new = tuple(one for one in connections(messages) if (one.original, one.reply) not in known)
            known.update((one.original, one.reply) for one in new)
            if new:
                found[self._places[code]] = new
        return found

    def _new_balanced(self, report: Report) -> dict[str, frozenset[str]]:
        found = {}
        for code, text in report.ipvs.items():
            now = ipvs_connections(text)
            new = now - self._balanced.get(code, frozenset())
            self._balanced[code] = now
            if new:
                found[self._places[code]] = new
        return found


def _is_outside(cluster: Cluster, place: str) -> bool:
    namespace, _, name = place.partition("/")
    return place not in cluster.nodes and (namespace, name) not in cluster.pods
