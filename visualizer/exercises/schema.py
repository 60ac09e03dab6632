"""Rule: everything an author may write in a lesson or exercise has its one description here; the rest is refused.

A right answer is never written: it is an `Ask`, which the engine answers from the stage. Every length is bounded.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from visualizer.schemas import MOST_BURST, MOST_MANIFESTS, Mode, Name, Place, Transport

MOST_ACTIONS = 40  # in one stage
MOST_SCENES = 40
MOST_EXERCISES = 30  # in one lesson
CLAIMS = 29  # rows of the article's claims

Kind = Literal["predict", "build", "repair", "choose", "explain"]
Level = Literal["beginner", "intermediate", "advanced"]
Outcome = Literal["delivered", "rejected", "dropped", "refused", "unanswered"]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
Claim = Annotated[int, Field(ge=1, le=CLAIMS)]
Prose = Annotated[str, Field(min_length=1, max_length=4000)]
Pattern = Annotated[str, Field(max_length=200)]
Word = Annotated[str, Field(min_length=1, max_length=60)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Words(Strict):
    """The same in both languages."""

    en: Prose
    zh_hans: Prose = Field(alias="zh-hans")

    def in_language(self, language: str) -> str:
        return self.zh_hans if language == "zh-hans" else self.en


# ---- what the stage does ------------------------------------------------------------------------------


class FlowSpec(Strict):
    """Ends are written as for `packetsim trace`."""

    source: Place = Field(alias="from")
    target: Place = Field(alias="to")
    protocol: Transport | None = None
    via: Name | None = None


class BurstSpec(FlowSpec):
    count: int = Field(ge=2, le=MOST_BURST)


class ResolveSpec(Strict):
    source: Place = Field(alias="from")
    service: Name


class ObjectName(Strict):
    kind: Name
    namespace: str = Field(default="", max_length=253)
    name: Name


class Change(ObjectName):
    """A JSON merge patch on one object."""

    patch: dict[str, Any]


class Fail(Strict):
    """`silent`: gone, and nobody has noticed. `refusing`: nobody listens. `not-ready`: the kubelet said so."""

    pod: Place
    how: Literal["silent", "refusing", "not-ready", "gone"] = "silent"


class Cue(Strict):
    """A step of the trace sent last: the `nth` of this sort, of those that fit what else is said.

    `chain` may hold `*`; `has` is a part of the rule's text. `mode`: of the walks of a comparison.
    """

    to: Literal[
        "start", "rule", "rewrite", "verdict", "tracked", "routed", "scheduled", "accepted", "dialled", "copied"
    ]
    leg: Pattern = "request"
    place: Pattern = ""
    table: Pattern = ""
    chain: Pattern = ""
    has: Pattern = ""
    end: Literal["", "source", "destination"] = ""
    nth: int = Field(default=1, ge=1, le=1000)
    mode: Mode | None = None


class Check(Strict):
    """What the text beside says, held against the engine by the proof; a player passes over it."""

    ask: Expression
    equals: Expression = Field(alias="is")


class Action(Strict):
    """Exactly one of these."""

    send: FlowSpec | None = None
    step: Cue | None = None
    mode: Mode | None = None
    apply: str | None = Field(default=None, max_length=MOST_MANIFESTS)
    change: Change | None = None
    delete: ObjectName | None = None
    fail: Fail | None = None
    wait: int | None = Field(default=None, ge=1, le=864_000)
    burst: BurstSpec | None = None
    compare: FlowSpec | None = None
    resolve: ResolveSpec | None = None
    ask: Identifier | None = None
    check: Check | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.value is None:
            raise ValueError("write exactly one thing to do, such as `send: {from: …, to: …}`")
        return self

    @property
    def verb(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def value(self) -> Any:
        return getattr(self, self.verb)


Actions = Annotated[tuple[Action, ...], Field(max_length=MOST_ACTIONS)]


# ---- what is asked ------------------------------------------------------------------------------------


class Ask(Strict):
    """Something that the engine knows of the stage. docs/authoring.md says what each `what` means."""

    what: Literal[
        "outcome",
        "pod",
        "node",
        "endpoint",
        "source_seen",
        "masqueraded",
        "answered",
        "rule",
        "rules_tried",
        "rules_matched",
        "rewrites",
        "lookups",
        "copies",
        "connections",
        "dials",
        "pods",
        "probability",
        "distinct_pods",
        "cluster_ip",
        "node_port",
        "address",
        "port",
        "target_port",
        "endpoints",
        "lines",
        "option",
        "entries",
    ]
    mode: Mode | None = None
    pod: Place | None = None
    outcome: Outcome | None = None
    source_seen: Place | None = None
    of: Place = ""
    leg: Pattern = ""
    place: Pattern = ""
    table: Pattern = ""
    chain: Pattern = ""
    has: Pattern = ""
    part: Literal["iptables", "ipset", "ipvs", "nft", "addresses"] = "iptables"
    option: Pattern = ""


class Calculation(Strict):
    calc: Literal["add", "subtract", "multiply", "divide"]
    of: tuple[Expression, Expression]


Expression = int | Annotated[str, Field(max_length=200)] | Ask | Calculation


class Choice(Strict):
    """Right when its `value` is what is asked; or when after its `stage` what is asked equals `wanted`."""

    id: Identifier
    text: Words
    value: Expression | None = None
    stage: Actions | None = None
    misconception: Identifier | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.value is None) == (self.stage is None):
            raise ValueError("a choice has either a value or a stage")
        return self


class Mistake(Strict):
    """Whoever answers what `when` comes to thinks so."""

    id: Identifier
    when: Expression


class Expect(Strict):
    outcome: Outcome | None = None
    pods: Annotated[tuple[Place, ...], Field(max_length=100)] | None = None
    source_seen: Place | None = None  # an address, or the Pod or node whose address it is
    masqueraded: bool | None = None
    sticky: bool | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expect something of the flow")
        return self


class Test(FlowSpec):
    """A FlowTest's flow whose endpoints are called by their Pods' names. `modes` empty: the cluster's."""

    __test__ = False  # no test of ours
    text: Words
    modes: Annotated[tuple[Mode, ...], Field(max_length=4)] = ()
    again_after: int = Field(default=0, ge=0, le=172_800)
    expect: Expect


class Case(Strict):
    """One way to begin: in a repair, a fault. A learner's seed chooses one."""

    id: Identifier
    start: Actions


class Exercise(Strict):
    id: Identifier
    kind: Kind
    claims: Annotated[tuple[Claim, ...], Field(max_length=CLAIMS)] = ()
    title: Words
    prompt: Words
    start: Actions = ()
    cases: Annotated[tuple[Case, ...], Field(max_length=12)] = ()
    stage: Actions = ()
    ask: Ask | Calculation | None = None
    wanted: Expression | None = None
    choices: Annotated[tuple[Choice, ...], Field(max_length=12)] = ()
    mistakes: Annotated[tuple[Mistake, ...], Field(max_length=12)] = ()
    tests: Annotated[tuple[Test, ...], Field(max_length=20)] = ()
    hints: Annotated[tuple[Words, ...], Field(min_length=2, max_length=6)]
    explanation: Words

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        built = self.kind in ("build", "repair")
        chosen = self.kind in ("choose", "explain")
        for wrong, why in (
            (built != bool(self.tests), "a build or repair has tests, the others none"),
            (built == (self.ask is not None), "a predict, choose or explain has an ask, the others none"),
            (chosen != (len(self.choices) >= 2), "a choose or explain has two choices or more, the others none"),
            (len({one.id for one in self.choices}) < len(self.choices), "two choices have the same id"),
            (len({one.id for one in self.cases}) < len(self.cases), "two cases have the same id"),
            (
                (self.wanted is None) == any(one.stage is not None for one in self.choices),
                "choices with a stage need `wanted`, others have none",
            ),
        ):
            if wrong:
                raise ValueError(why)
        return self


Vary = Annotated[
    dict[Word, Annotated[tuple[Word, ...], Field(min_length=2, max_length=20)]],
    Field(max_length=40),
]


class ExerciseFile(Strict):
    """`vary`: words of the cluster, each with the words that may stand in its place (itself among them)."""

    vary: Vary = Field(default_factory=dict)
    exercises: Annotated[tuple[dict[str, Any], ...], Field(max_length=MOST_EXERCISES)]


# ---- lessons and misconceptions -------------------------------------------------------------------------


class FrontMatter(Strict):
    title: str = Field(min_length=1, max_length=120)
    order: int = Field(ge=0, le=9999)
    claims: Annotated[tuple[Claim, ...], Field(max_length=CLAIMS)] = ()
    level: Level
    minutes: int = Field(ge=1, le=120)


class TranslatedFrontMatter(Strict):
    title: str = Field(min_length=1, max_length=120)


class Scene(Strict):
    """`text` is Markdown without HTML; what the stage does comes from its fenced block."""

    title: str = Field(min_length=1, max_length=120)
    text: Prose
    stage: Actions


class Misconception(Strict):
    """A belief that is not so, and a stage on `lesson`'s cluster that shows it; `shows` is proven."""

    id: Identifier
    name: Words
    text: Words
    lesson: Annotated[str, Field(pattern=r"^[0-9]{3}-[a-z0-9-]{1,60}$")]
    stage: Actions
    shows: Check


for _model in (Check, Action, Calculation, Choice, Mistake, Case, Exercise, Scene, Misconception):
    _model.model_rebuild()
