"""Rule: every message and document that leaves or enters the lab has its one description here.

JSON Schema and the page's TypeScript types are made from these models (`manage.py wire`), and a check
fails when they fall behind. Unknown fields are refused; every length is bounded. A trace document is
packetsim's own (docs/trace.md).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PROTOCOL = 1  # of the websocket; raised when an old page could no longer follow
MOST_MANIFESTS = 2_000_000  # letters in one `apply`
MOST_BURST = 10_000
MOST_ORIGINS = 8  # of one line told in a stage
MOST_LINES = 200  # rule lines told in one stage; the counts beside them are exact

Name = Annotated[str, Field(min_length=1, max_length=253)]
Place = Annotated[str, Field(min_length=1, max_length=520)]  # `ns/pod`, a node, or an outside address
Mode = Literal["userspace", "iptables", "ipvs", "nftables"]
Transport = Literal["tcp", "udp", "sctp"]
Role = Literal["owner", "editor", "viewer"]
Sign = Literal["+", "-"]


class Wire(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ---- commands: what a person asks for ---------------------------------------------------------------


class Apply(Wire):
    """Create or replace objects, as `kubectl apply` does. All documents or none."""

    type: Literal["apply"] = "apply"
    manifests: str = Field(max_length=MOST_MANIFESTS)


class Patch(Wire):
    """A JSON merge patch (RFC 7386) on one document: scale, relabel, change readiness or a Service's type."""

    type: Literal["patch"] = "patch"
    kind: Name
    namespace: str = Field(default="", max_length=253)
    name: Name
    patch: dict[str, Any]


class Delete(Wire):
    type: Literal["delete"] = "delete"
    kind: Name
    namespace: str = Field(default="", max_length=253)
    name: Name


class SetMode(Wire):
    type: Literal["set_mode"] = "set_mode"
    mode: Mode


class Undo(Wire):
    type: Literal["undo"] = "undo"


class Redo(Wire):
    type: Literal["redo"] = "redo"


class Rename(Wire):
    type: Literal["rename"] = "rename"
    title: str = Field(min_length=1, max_length=120)


class Ends(Wire):
    """Of a flow; written as for `packetsim trace`."""

    source: Place
    target: Place
    protocol: Transport | None = None
    via: Name | None = None


class Send(Ends):
    """A flow: its request, the answer, and what completes the handshake."""

    type: Literal["send"] = "send"


class Resolve(Wire):
    """A DNS look-up of a Service's name through the cluster's DNS Service, then a connection to what it gave."""

    type: Literal["resolve"] = "resolve"
    source: Place
    service: Name  # `namespace/name[:port]`


class Burst(Ends):
    """`count` new connections of one flow, counted by where they end."""

    type: Literal["burst"] = "burst"
    count: int = Field(ge=2, le=MOST_BURST)


class Compare(Ends):
    """The same flow in all four modes, each from kernels that have seen nothing yet."""

    type: Literal["compare"] = "compare"


class Wait(Wire):
    """Let time pass for conntrack entries and session affinity."""

    type: Literal["wait"] = "wait"
    seconds: int = Field(ge=1, le=864_000)


Command = Annotated[
    Apply | Patch | Delete | SetMode | Undo | Redo | Rename | Send | Resolve | Burst | Compare | Wait,
    Field(discriminator="type"),
]


# ---- what exists: the cluster as the page shows it ------------------------------------------------------


class DocumentView(Wire):
    """A manifest as somebody wrote it; `key` reads `Service shop/web`."""

    key: str
    kind: str
    namespace: str
    name: str
    yaml: str


class NodeView(Wire):
    name: str
    addresses: list[str]
    pod_cidrs: list[str]
    zone: str
    ready: bool


class PodView(Wire):
    """`place` is its name in traces. `owner`: the key of its document. `listening` None: on every port."""

    place: str
    node: str
    addresses: list[str]
    labels: dict[str, str]
    ready: bool
    terminating: bool
    answers: bool
    host_network: bool
    listening: list[str] | None  # "tcp/8080"
    owner: str


class PortView(Wire):
    name: str
    protocol: str
    port: int
    target_port: str
    node_port: int


class EndpointView(Wire):
    """`place` "" where no Pod object has the address."""

    address: str
    port: int
    port_name: str
    place: str
    node: str
    ready: bool
    serving: bool
    terminating: bool


class ServiceView(Wire):
    key: str  # "Service shop/web"
    namespace: str
    name: str
    type: str
    cluster_ips: list[str]
    external_ips: list[str]
    ingress: list[str]
    selector: dict[str, str]
    ports: list[PortView]
    endpoints: list[EndpointView]


class ClusterView(Wire):
    nodes: list[NodeView]
    pods: list[PodView]
    services: list[ServiceView]


class TraceSummary(Wire):
    """`number` fetches the document. `path`: the places of the request, in order. `group`: traces of one command."""

    number: int
    seq: int
    mode: Mode
    source: str
    target: str
    protocol: str
    disposition: str
    endpoint: str | None
    path: list[str]
    steps: int
    rules_tried: int
    label: str  # "", "dns", "compare"


class LabView(Wire):
    """All that a page needs to begin; events after `seq` keep it true."""

    seq: int
    title: str
    role: Role
    mode: Mode
    documents: list[DocumentView]
    cluster: ClusterView
    traces: list[TraceSummary]  # the latest, oldest first
    notices: list[str]
    can_undo: bool
    can_redo: bool
    expires: str  # ISO 8601


# ---- events: what happened ------------------------------------------------------------------------------


class OriginView(Wire):
    kind: str
    namespace: str
    name: str
    field: str


class RuleChange(Wire):
    """`place`: the table and chain, set, map or server that the line stands in, as trace steps name it.

    `origins`: what made the line, the most telling first.
    """

    sign: Sign
    part: str
    text: str
    place: str = ""
    origins: list[OriginView] = Field(default_factory=list, max_length=MOST_ORIGINS)


class Stage(Wire):
    """One step down the line from a change: who did it, and what. For kube-proxy, a node's rules + and -."""

    actor: Literal["api-server", "etcd", "scheduler", "controller", "endpointslice-controller", "kube-proxy"]
    place: str
    text: str
    added: int = 0
    removed: int = 0
    lines: list[RuleChange] = Field(default_factory=list, max_length=MOST_LINES)


class Changed(Wire):
    """The cluster or its mode changed. Lists hold what is new or different; `removed` ids of what is gone."""

    type: Literal["changed"] = "changed"
    by: str  # the command's type
    summary: str
    mode: Mode
    documents: list[DocumentView]
    nodes: list[NodeView]
    pods: list[PodView]
    services: list[ServiceView]
    removed: list[str]  # document keys, "node NAME", "pod PLACE", "service KEY"
    stages: list[Stage]
    notices: list[str]
    can_undo: bool
    can_redo: bool


class Traced(Wire):
    type: Literal["traced"] = "traced"
    traces: list[TraceSummary]


class Counted(Wire):
    outcome: str
    endpoint: str | None
    count: int
    probability: str  # exact, "1/3"
    expected: float


class Bursted(Wire):
    """`expected` counts are those of the first connection's odds: affinity and turns make the others differ."""

    type: Literal["bursted"] = "bursted"
    source: str
    target: str
    mode: Mode
    count: int
    results: list[Counted]


class Renamed(Wire):
    type: Literal["renamed"] = "renamed"
    title: str


class Waited(Wire):
    type: Literal["waited"] = "waited"
    seconds: int
    now: float


Event = Annotated[Changed | Traced | Bursted | Renamed | Waited, Field(discriminator="type")]


# ---- the websocket ----------------------------------------------------------------------------------------


class Hello(Wire):
    """The first message of a page. `seen`: the last event it has, None for a page that begins."""

    type: Literal["hello"] = "hello"
    protocol: int
    seen: int | None = None


class Ask(Wire):
    type: Literal["ask"] = "ask"
    id: str = Field(min_length=1, max_length=64)
    command: Command


class Ping(Wire):
    type: Literal["ping"] = "ping"


FromPage = Annotated[Hello | Ask | Ping, Field(discriminator="type")]


class Welcome(Wire):
    """`view` None: the events the page missed follow instead."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    view: LabView | None


class Happened(Wire):
    """`id`: of the asking command, for the page that asked."""

    type: Literal["happened"] = "happened"
    seq: int
    at: str
    event: Event


class Done(Wire):
    """The command is stored and its events are `seq`s up to this."""

    type: Literal["done"] = "done"
    id: str
    seq: int


class Refused(Wire):
    """`problems`: one sentence each, with its cure. Nothing has changed."""

    type: Literal["refused"] = "refused"
    id: str
    problems: list[str]


class People(Wire):
    """How many pages are open on this lab now. Not stored."""

    type: Literal["people"] = "people"
    count: int


class Resync(Wire):
    """The page was too slow and missed events: say hello again."""

    type: Literal["resync"] = "resync"


class Pong(Wire):
    type: Literal["pong"] = "pong"


class Goodbye(Wire):
    """The server ends the connection; `reason` for people."""

    type: Literal["goodbye"] = "goodbye"
    reason: str


FromServer = Annotated[
    Welcome | Happened | Done | Refused | People | Resync | Pong | Goodbye, Field(discriminator="type")
]


# ---- documents fetched over HTTP ---------------------------------------------------------------------------


class RuleLine(Wire):
    """A line of the real text. `table`, `chain`, `number`: the rule as trace steps name it; number 0: no rule.

    A line that opens a table or chain names it, too.
    """

    text: str
    table: str = ""
    chain: str = ""
    number: int = 0
    hits: int = 0
    origins: list[OriginView] = Field(default_factory=list)


class RulesPart(Wire):
    part: str
    heading: str
    lines: list[RuleLine]


class RulesView(Wire):
    seq: int
    node: str
    mode: Mode
    parts: list[RulesPart]


class KernelView(Wire):
    """What a node's kernel holds now: `conntrack -L`, `ipvsadm -Ln`, `ipvsadm -Lcn`."""

    node: str
    conntrack: list[str]
    servers: list[str]
    connections: list[str]


class OutcomeView(Wire):
    probability: str
    kernel_probability: str
    outcome: str
    endpoint: str | None
    source_seen: str | None
    masqueraded: bool


class NewLab(Wire):
    """`manifests` "": the shop, with a packet on its way. `mode` None: the one the manifests say."""

    title: str = Field(default="Shop", min_length=1, max_length=120)
    manifests: str = Field(default="", max_length=MOST_MANIFESTS)
    mode: Mode | None = None


class Fork(Wire):
    """After which event the new lab begins; None: the last."""

    seq: int | None = Field(default=None, ge=0)


class Answer(Wire):
    """What a command sent over HTTP did; whoever is on the lab hears the same events."""

    seq: int
    events: list[Happened]


class Problems(Wire):
    """Why something was refused: one sentence each, with its cure."""

    problems: list[str]


class LoggedEvent(Wire):
    seq: int
    at: str
    command: Command
    event: Event


class LabExport(Wire):
    """A lab as a file: what it is now, what it began with, and everything that happened between."""

    format: Literal["packetwalk-lab/1"] = "packetwalk-lab/1"
    title: str
    mode: Mode
    seq: int
    manifests: str
    first_manifests: str
    log: list[LoggedEvent]


class LabLinks(Wire):
    """A new lab's links, one a role; the owner's is told once, to whoever made it."""

    owner: str
    editor: str
    viewer: str
    expires: str
