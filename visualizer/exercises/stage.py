"""Rule: a stage is a lab of its own that does what a scene or exercise says, in order, and remembers each walk.

What a lab's commands do is done by `Session`; what has been shown of the last walk ends at the last cue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from packetsim.errors import PacketsimError
from packetsim.flows import flow_from
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Position, Trace
from visualizer import asking
from visualizer.exercises.chance import dice_of
from visualizer.exercises.cues import find
from visualizer.exercises.faults import ContentError
from visualizer.exercises.schema import Action, Change, Cue, Fail, FlowSpec, ObjectName
from visualizer.refusals import RefusedError
from visualizer.schemas import Apply, Burst, Command, Delete, Mode, Patch, SetMode, Wait
from visualizer.sessions import DiceOf, Session, new_state


@dataclass(frozen=True, slots=True)
class Walked:
    """`before`: the moment the flow was sent in. `shown`: the last step that a learner has seen, None: none yet."""

    trace: Trace
    before: Simulation
    flow: Flow
    shown: Position | None = None


_FAILURES: dict[str, dict[str, Any]] = {
    "silent": {"metadata": {"annotations": {"packetwalk.dev/answers": "false"}}},
    "refusing": {"metadata": {"annotations": {"packetwalk.dev/listening": "none"}}},
    "not-ready": {"status": {"conditions": [{"type": "Ready", "status": "False"}]}},
}


@dataclass
class Stage:
    """`latest`: the walks of the last send, or of each mode in a comparison. `sent`: those since the last change.

    `checked`: what was claimed on the way.
    """

    session: Session
    dice: DiceOf
    sent: list[Walked] = field(default_factory=list)
    latest: list[Walked] = field(default_factory=list)
    checked: list[Action] = field(default_factory=list)

    @property
    def simulation(self) -> Simulation:
        return self.session.simulation

    def walk(self, mode: Mode | None = None) -> Walked:
        """Raises ContentError where nothing was sent."""
        found = [one for one in self.latest if mode in (None, one.trace.mode)]
        if not found:
            raise ContentError(["nothing was sent yet: add `send` or `compare` before it"])
        return found[-1]

    def perform(self, actions: Iterable[Action]) -> Stage:
        """Do them in turn. Raises ContentError."""
        for action in actions:
            try:
                self._do(action)
            except RefusedError as error:
                raise ContentError(f"{action.verb}: {problem}" for problem in error.problems) from None
            except PacketsimError as error:
                raise ContentError([f"{action.verb}: {error}"]) from None
        return self

    def copy(self) -> Stage:
        """The same moment, to try something on: documents, kernels and walks."""
        old = self.session
        kernels = old.simulation.copy(old.simulation.dice)
        new = Session(old.state, old.seq, self.dice, lambda: kernels)
        return Stage(new, self.dice, list(self.sent), list(self.latest))

    def _do(self, action: Action) -> None:
        verb, value = action.verb, action.value
        match verb:
            case "send":
                self._send(value)
            case "step":
                self._step(value)
            case "compare":
                self._compare(value)
            case "resolve":
                self._resolve(value.source, value.service)
            case "ask":
                pass
            case "check":
                self.checked.append(action)
            case _:
                self.sent = []
                self.session.handle(command_of(action))

    # ---- walks --------------------------------------------------------------------------------------------

    def _flow(self, spec: FlowSpec) -> Flow:
        return flow_from(self.session.manifests.cluster, spec.source, spec.target, spec.protocol, spec.via)

    def _roll(self) -> None:
        self.simulation.dice = self.dice(self.session.seq + 1)
        self.session.seq += 1

    def _send(self, spec: FlowSpec) -> None:
        flow = self._flow(spec)
        self._roll()
        before = self.simulation.copy(self.simulation.dice)
        self.latest = [Walked(self.simulation.send(flow), before, flow)]
        self.sent += self.latest

    def _compare(self, spec: FlowSpec) -> None:
        flow, seq = self._flow(spec), self.session.seq + 1
        many = asking.compared(self.session.manifests.cluster, flow, lambda: self.dice(seq), self.session.state.now)
        self.session.seq = seq
        walked = []
        for one in many:
            before = one.copy(one.dice)
            walked.append(Walked(one.send(flow), before, flow))
        self.latest = walked

    def _resolve(self, source: str, service: str) -> None:
        self._roll()
        before = self.simulation.copy(self.simulation.dice)
        walks = asking.resolved(self.simulation, source, service)
        self.latest = [Walked(one.trace, before, one.trace.flow) for one in walks]
        self.sent = []

    def _step(self, cue: Cue) -> None:
        walked = self.walk(cue.mode)
        shown = Walked(walked.trace, walked.before, walked.flow, find(walked.trace, cue))
        self.latest = [shown if one is walked else one for one in self.latest]


def command_of(action: Action) -> Command:
    """The lab's command that does it; only for those that are one command."""
    value = action.value
    match action.verb:
        case "mode":
            return SetMode(mode=value)
        case "apply":
            return Apply(manifests=value)
        case "change":
            return _patch(value)
        case "delete":
            return _delete(value)
        case "fail":
            return _failure(value)
        case "wait":
            return Wait(seconds=value)
        case "burst":
            return Burst(
                source=value.source, target=value.target, protocol=value.protocol, via=value.via, count=value.count
            )
    raise ContentError([f"`{action.verb}` is no change: it has no place here"])


def _patch(change: Change) -> Patch:
    return Patch(kind=change.kind, namespace=change.namespace, name=change.name, patch=change.patch)


def _delete(one: ObjectName) -> Delete:
    return Delete(kind=one.kind, namespace=one.namespace, name=one.name)


def _failure(fail: Fail) -> Command:
    """Only a Pod with a manifest of its own can fail alone."""
    namespace, _, name = fail.pod.partition("/")
    if fail.how == "gone":
        return Delete(kind="Pod", namespace=namespace, name=name)
    return Patch(kind="Pod", namespace=namespace, name=name, patch=_FAILURES[fail.how])


def staged(manifests: str, seed: int, mode: str = "") -> Stage:
    """A stage on which nothing has happened yet. `mode` "": the manifests'. Raises ContentError."""
    try:
        return Stage(Session(new_state(manifests, "stage", mode), 0, dice_of(seed)), dice_of(seed))
    except RefusedError as error:
        raise ContentError(error.problems) from None
