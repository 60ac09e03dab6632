"""Rule: a command goes in, the event that tells what it did comes out; nothing else changes a lab.

Pure: chance is `dice(seq)`, time passes by `Wait` alone. The same commands in the same order give the same
walks, which is how kernels come back after a restart: `repeat` does what `handle` did and tells nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never

from packetsim.cluster import Manifests
from packetsim.dice import Dice
from packetsim.errors import PacketsimError
from packetsim.flows import flow_from
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.modes import DEFAULT_MODE
from packetsim.simulation import Simulation
from packetsim.trace import Flow
from visualizer import asking, changing, clusters
from visualizer.documents import split
from visualizer.lab_state import MOST_SUMMARIES, Documents, LabState
from visualizer.refusals import RefusedError, refusal_of
from visualizer.schemas import (
    Apply,
    Burst,
    Bursted,
    Command,
    Compare,
    Delete,
    Event,
    LabView,
    Patch,
    Redo,
    Rename,
    Renamed,
    Resolve,
    Role,
    Send,
    SetMode,
    Traced,
    Undo,
    Wait,
    Waited,
)
from visualizer.seen import Seen
from visualizer.walks import KeptTrace, Walk, kept, summary

DiceOf = Callable[[int], Dice]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Handled:
    """`fresh`: kernels began anew with this, so a replay may begin after it."""

    events: list[Event]
    traces: list[KeptTrace]
    fresh: bool = False


class Session:
    """A lab at work. `kernels`: makes the simulation as the log says it is, when first needed; None: new ones."""

    def __init__(
        self, state: LabState, seq: int, dice: DiceOf, kernels: Callable[[], Simulation] | None = None
    ) -> None:
        self.state = state
        self.seq = seq
        self._dice = dice
        self._kernels = kernels
        self._simulation: Simulation | None = None
        self.manifests: Manifests = clusters.load(state.documents, state.running)

    @property
    def simulation(self) -> Simulation:
        if self._simulation is None:
            if self._kernels is not None:
                self._simulation = self._kernels()
            else:
                self._simulation = Simulation(
                    self.manifests.cluster, self.state.mode, self._dice(self.seq), self.state.now
                )
        return self._simulation

    def handle(self, command: Command) -> Handled:
        """Do it. Raises RefusedError, and then nothing has changed."""
        try:
            return self._do(command)
        except PacketsimError as error:
            raise refusal_of(error) from None

    def _do(self, command: Command) -> Handled:
        match command:
            case Send():
                flow = self._flow(command)
                self._roll()
                return self._traced([Walk(self.simulation.send(flow), command.source, command.target)])
            case Resolve():
                self._roll()
                return self._traced(asking.resolved(self.simulation, command.source, command.service))
            case Compare():
                return self._traced(self._compared(command))
            case Burst():
                return self._told(self._bursted(command))
            case Wait():
                self._wait(command.seconds)
                return self._told(Waited(seconds=command.seconds, now=self.state.now))
            case Rename():
                self.state = replace(self.state, title=command.title)
                return self._told(Renamed(title=command.title))
            case Apply() | Patch() | Delete() | SetMode() | Undo() | Redo():
                return self._changed(command)
        assert_never(command)

    def repeat(self, command: Command, kernels: bool) -> None:
        """Do again what `handle` did. `kernels` False: the documents alone."""
        match command:
            case Send() if kernels:
                self._roll()
                self.simulation.send(self._flow(command))
            case Resolve() if kernels:
                self._roll()
                for _ in asking.resolved(self.simulation, command.source, command.service):
                    pass
            case Wait():
                self._wait(command.seconds, kernels)
            case Rename():
                self.state = replace(self.state, title=command.title)
            case Apply() | Patch() | Delete() | SetMode() | Undo() | Redo():
                self._take(changing.changed(self.state, command, self.manifests), kernels)
        self.seq += 1

    def remember(self, event: Event) -> None:
        """Traces that an event of the log told of."""
        if isinstance(event, Traced):
            self._count(event)

    # ---- walks --------------------------------------------------------------------------------------------

    def _roll(self) -> None:
        """Every command has dice of its own, so that none depends on what was asked between."""
        self.simulation.dice = self._dice(self.seq + 1)

    def _flow(self, command: Send | Burst | Compare) -> Flow:
        return flow_from(self.manifests.cluster, command.source, command.target, command.protocol, command.via)

    def _compared(self, command: Compare) -> Iterable[Walk]:
        flow, number = self._flow(command), self.seq + 1
        for simulation in asking.compared(self.manifests.cluster, flow, lambda: self._dice(number), self.state.now):
            yield Walk(simulation.send(flow), command.source, command.target, "compare")

    def _bursted(self, command: Burst) -> Bursted:
        results = asking.counted(self.simulation, self._flow(command), command.count, self._dice(self.seq + 1))
        return Bursted(
            source=command.source,
            target=command.target,
            mode=self.state.mode,
            count=command.count,
            results=results,
        )

    def _traced(self, walks: Iterable[Walk]) -> Handled:
        numbered = list(enumerate(walks, self.state.traces + 1))
        event = Traced(traces=[summary(walk, number, self.seq + 1) for number, walk in numbered])
        handled = Handled([event], [kept(walk, number) for number, walk in numbered])
        self._count(event)
        self.seq += 1
        return handled

    def _count(self, event: Traced) -> None:
        summaries = (*self.state.summaries, *event.traces)[-MOST_SUMMARIES:]
        self.state = replace(self.state, traces=event.traces[-1].number, summaries=summaries)

    def _told(self, event: Event, fresh: bool = False) -> Handled:
        self.seq += 1
        return Handled([event], [], fresh)

    def _wait(self, seconds: int, kernels: bool = True) -> None:
        if kernels:
            self.simulation.wait(seconds)
        self.state = replace(self.state, now=self.state.now + seconds)

    # ---- changes ------------------------------------------------------------------------------------------

    def _changed(self, command: changing.ChangeCommand) -> Handled:
        change = changing.changed(self.state, command, self.manifests)
        state, before = self.state, self.manifests
        known = self._configs() if change.manifests is not None else {}
        fresh = self._take(change, kernels=True)
        event = changing.event_of(command, change, state, self.state, before, known, self._configs())
        return self._told(event, fresh)

    def _configs(self) -> dict[str, NodeConfig]:
        """What stands on the first nodes; it makes them run kube-proxy from now on, replayed or not."""
        nodes = list(self.manifests.cluster.nodes)[: changing.MOST_NODES]
        return {node: self.simulation.config(node) for node in nodes}

    def _take(self, change: changing.Change, kernels: bool) -> bool:
        """The change comes into force. True: kernels begin anew with it."""
        if change.manifests is None:
            return False
        fresh = change.state.mode != self.state.mode
        if fresh:
            self._simulation, self._kernels = None, None
        elif kernels:
            self._configs()
            self.simulation.apply(change.manifests.cluster)
        self.state, self.manifests = change.state, change.manifests
        if kernels:
            self._configs()
        return fresh

    # ---- what there is ----------------------------------------------------------------------------------------

    def odds(
        self,
        work: Callable[[Simulation, Flow], Result],
        source: str,
        target: str,
        protocol: str | None,
        via: str | None,
    ) -> Callable[[], Result]:
        """What `work` finds of a flow from the kernels as they are now, whenever it is called. Raises RefusedError.

        It has a copy of them, so that they may go on.
        """
        try:
            flow = flow_from(self.manifests.cluster, source, target, protocol, via)
        except PacketsimError as error:
            raise refusal_of(error) from None
        twin = self.simulation.copy(self.simulation.dice)

        def found() -> Result:
            try:
                return work(twin, flow)
            except PacketsimError as error:
                raise refusal_of(error) from None

        return found

    def seen(self) -> Seen:
        return Seen(self.seq, self.state, self.manifests)

    def view(self, role: Role, expires: str) -> LabView:
        return self.seen().view(role, expires)


def new_state(manifests: str, title: str, mode: str = "") -> LabState:
    """A lab that begins with these manifests. `mode` "": the one they say. Raises RefusedError."""
    found, offsets = split(manifests)
    documents: Documents = changing.merged({}, found)
    loaded = clusters.load(documents, {}, offsets)
    wanted = changing.mode_of(mode or loaded.cluster.proxy.mode or DEFAULT_MODE)
    documents = changing.with_mode(documents, wanted)
    if not title:
        raise RefusedError(["A lab has a title. Give it one."])
    return LabState(title, wanted, documents, clusters.running(loaded.cluster))
