// Rule: made from visualizer/schemas.py by `npm run wire`; never edited by hand.

/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FromPage".
 */
export type FromPage = (Hello | Ask | Ping)
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "FromServer".
 */
export type FromServer = (Welcome | Happened | Done | Refused | People | Resync | Pong | Goodbye)
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Command".
 */
export type Command = (Apply | Patch | Delete | SetMode | Undo | Redo | Rename | Send | Resolve | Burst | Compare | Wait)
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Event".
 */
export type Event = (Changed | Traced | Bursted | Renamed | Waited)
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Mode".
 */
export type Mode = ("userspace" | "iptables" | "ipvs" | "nftables")
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Role".
 */
export type Role = ("owner" | "editor" | "viewer")
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Sign".
 */
export type Sign = ("+" | "-")
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Transport".
 */
export type Transport = ("tcp" | "udp" | "sctp")

export interface Wire {
from_page?: FromPage
from_server?: FromServer
}
/**
 * The first message of a page. `seen`: the last event it has, None for a page that begins.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Hello".
 */
export interface Hello {
protocol: number
seen?: (number | null)
type: "hello"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Ask".
 */
export interface Ask {
command: (Apply | Patch | Delete | SetMode | Undo | Redo | Rename | Send | Resolve | Burst | Compare | Wait)
id: string
type: "ask"
}
/**
 * Create or replace objects, as `kubectl apply` does. All documents or none.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Apply".
 */
export interface Apply {
manifests: string
type: "apply"
}
/**
 * A JSON merge patch (RFC 7386) on one document: scale, relabel, change readiness or a Service's type.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Patch".
 */
export interface Patch {
kind: string
name: string
namespace?: string
patch: {
[k: string]: unknown
}
type: "patch"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Delete".
 */
export interface Delete {
kind: string
name: string
namespace?: string
type: "delete"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "SetMode".
 */
export interface SetMode {
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
type: "set_mode"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Undo".
 */
export interface Undo {
type: "undo"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Redo".
 */
export interface Redo {
type: "redo"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Rename".
 */
export interface Rename {
title: string
type: "rename"
}
/**
 * A flow: its request, the answer, and what completes the handshake.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Send".
 */
export interface Send {
protocol?: (("tcp" | "udp" | "sctp") | null)
source: string
target: string
type: "send"
via?: (string | null)
}
/**
 * A DNS look-up of a Service's name through the cluster's DNS Service, then a connection to what it gave.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Resolve".
 */
export interface Resolve {
service: string
source: string
type: "resolve"
}
/**
 * `count` new connections of one flow, counted by where they end.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Burst".
 */
export interface Burst {
count: number
protocol?: (("tcp" | "udp" | "sctp") | null)
source: string
target: string
type: "burst"
via?: (string | null)
}
/**
 * The same flow in all four modes, each from kernels that have seen nothing yet.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Compare".
 */
export interface Compare {
protocol?: (("tcp" | "udp" | "sctp") | null)
source: string
target: string
type: "compare"
via?: (string | null)
}
/**
 * Let time pass for conntrack entries and session affinity.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Wait".
 */
export interface Wait {
seconds: number
type: "wait"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Ping".
 */
export interface Ping {
type: "ping"
}
/**
 * `view` None: the events the page missed follow instead.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Welcome".
 */
export interface Welcome {
protocol: number
type: "welcome"
view: (LabView | null)
}
/**
 * All that a page needs to begin; events after `seq` keep it true.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LabView".
 */
export interface LabView {
can_redo: boolean
can_undo: boolean
cluster: ClusterView
documents: DocumentView[]
expires: string
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
notices: string[]
role: ("owner" | "editor" | "viewer")
seq: number
title: string
traces: TraceSummary[]
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ClusterView".
 */
export interface ClusterView {
nodes: NodeView[]
pods: PodView[]
services: ServiceView[]
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "NodeView".
 */
export interface NodeView {
addresses: string[]
name: string
pod_cidrs: string[]
ready: boolean
zone: string
}
/**
 * `place` is its name in traces. `owner`: the key of its document. `listening` None: on every port.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PodView".
 */
export interface PodView {
addresses: string[]
answers: boolean
host_network: boolean
labels: {
[k: string]: string
}
listening: (string[] | null)
node: string
owner: string
place: string
ready: boolean
terminating: boolean
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "ServiceView".
 */
export interface ServiceView {
cluster_ips: string[]
endpoints: EndpointView[]
external_ips: string[]
ingress: string[]
key: string
name: string
namespace: string
ports: PortView[]
selector: {
[k: string]: string
}
type: string
}
/**
 * `place` "" where no Pod object has the address.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "EndpointView".
 */
export interface EndpointView {
address: string
node: string
place: string
port: number
port_name: string
ready: boolean
serving: boolean
terminating: boolean
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "PortView".
 */
export interface PortView {
name: string
node_port: number
port: number
protocol: string
target_port: string
}
/**
 * A manifest as somebody wrote it; `key` reads `Service shop/web`.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "DocumentView".
 */
export interface DocumentView {
key: string
kind: string
name: string
namespace: string
yaml: string
}
/**
 * `number` fetches the document. `path`: the places of the request, in order. `group`: traces of one command.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "TraceSummary".
 */
export interface TraceSummary {
disposition: string
endpoint: (string | null)
label: string
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
number: number
path: string[]
protocol: string
rules_tried: number
seq: number
source: string
steps: number
target: string
}
/**
 * `id`: of the asking command, for the page that asked.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Happened".
 */
export interface Happened {
at: string
event: (Changed | Traced | Bursted | Renamed | Waited)
seq: number
type: "happened"
}
/**
 * The cluster or its mode changed. Lists hold what is new or different; `removed` ids of what is gone.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Changed".
 */
export interface Changed {
by: string
can_redo: boolean
can_undo: boolean
documents: DocumentView[]
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
nodes: NodeView[]
notices: string[]
pods: PodView[]
removed: string[]
services: ServiceView[]
stages: Stage[]
summary: string
type: "changed"
}
/**
 * One step down the line from a change: who did it, and what. For kube-proxy, a node's rules + and -.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Stage".
 */
export interface Stage {
actor: ("api-server" | "etcd" | "scheduler" | "controller" | "endpointslice-controller" | "kube-proxy")
added: number
/**
 * @maxItems 200
 */
lines: RuleChange[]
place: string
removed: number
text: string
}
/**
 * `place`: the table and chain, set, map or server that the line stands in, as trace steps name it.
 * 
 * `origins`: what made the line, the most telling first.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RuleChange".
 */
export interface RuleChange {
/**
 * @maxItems 8
 */
origins: OriginView[]
part: string
place: string
sign: ("+" | "-")
text: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OriginView".
 */
export interface OriginView {
field: string
kind: string
name: string
namespace: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Traced".
 */
export interface Traced {
traces: TraceSummary[]
type: "traced"
}
/**
 * `expected` counts are those of the first connection's odds: affinity and turns make the others differ.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Bursted".
 */
export interface Bursted {
count: number
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
results: Counted[]
source: string
target: string
type: "bursted"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Counted".
 */
export interface Counted {
count: number
endpoint: (string | null)
expected: number
outcome: string
probability: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Renamed".
 */
export interface Renamed {
title: string
type: "renamed"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Waited".
 */
export interface Waited {
now: number
seconds: number
type: "waited"
}
/**
 * The command is stored and its events are `seq`s up to this.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Done".
 */
export interface Done {
id: string
seq: number
type: "done"
}
/**
 * `problems`: one sentence each, with its cure. Nothing has changed.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Refused".
 */
export interface Refused {
id: string
problems: string[]
type: "refused"
}
/**
 * How many pages are open on this lab now. Not stored.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "People".
 */
export interface People {
count: number
type: "people"
}
/**
 * The page was too slow and missed events: say hello again.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Resync".
 */
export interface Resync {
type: "resync"
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Pong".
 */
export interface Pong {
type: "pong"
}
/**
 * The server ends the connection; `reason` for people.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Goodbye".
 */
export interface Goodbye {
reason: string
type: "goodbye"
}
/**
 * What a command sent over HTTP did; whoever is on the lab hears the same events.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Answer".
 */
export interface Answer {
events: Happened[]
seq: number
}
/**
 * Of a flow; written as for `packetsim trace`.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Ends".
 */
export interface Ends {
protocol: (("tcp" | "udp" | "sctp") | null)
source: string
target: string
via: (string | null)
}
/**
 * After which event the new lab begins; None: the last.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Fork".
 */
export interface Fork {
seq: (number | null)
}
/**
 * What a node's kernel holds now: `conntrack -L`, `ipvsadm -Ln`, `ipvsadm -Lcn`.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "KernelView".
 */
export interface KernelView {
connections: string[]
conntrack: string[]
node: string
servers: string[]
}
/**
 * A lab as a file: what it is now, what it began with, and everything that happened between.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LabExport".
 */
export interface LabExport {
first_manifests: string
format: "packetwalk-lab/1"
log: LoggedEvent[]
manifests: string
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
seq: number
title: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LoggedEvent".
 */
export interface LoggedEvent {
at: string
command: (Apply | Patch | Delete | SetMode | Undo | Redo | Rename | Send | Resolve | Burst | Compare | Wait)
event: (Changed | Traced | Bursted | Renamed | Waited)
seq: number
}
/**
 * A new lab's links, one a role; the owner's is told once, to whoever made it.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "LabLinks".
 */
export interface LabLinks {
editor: string
expires: string
owner: string
viewer: string
}
/**
 * `manifests` "": the shop, with a packet on its way. `mode` None: the one the manifests say.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "NewLab".
 */
export interface NewLab {
manifests: string
mode: (("userspace" | "iptables" | "ipvs" | "nftables") | null)
title: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "OutcomeView".
 */
export interface OutcomeView {
endpoint: (string | null)
kernel_probability: string
masqueraded: boolean
outcome: string
probability: string
source_seen: (string | null)
}
/**
 * Why something was refused: one sentence each, with its cure.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "Problems".
 */
export interface Problems {
problems: string[]
}
/**
 * A line of the real text. `table`, `chain`, `number`: the rule as trace steps name it; number 0: no rule.
 * 
 * A line that opens a table or chain names it, too.
 * 
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RuleLine".
 */
export interface RuleLine {
chain: string
hits: number
number: number
origins: OriginView[]
table: string
text: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RulesPart".
 */
export interface RulesPart {
heading: string
lines: RuleLine[]
part: string
}
/**
 * This interface was referenced by `Wire`'s JSON-Schema
 * via the `definition` "RulesView".
 */
export interface RulesView {
mode: ("userspace" | "iptables" | "ipvs" | "nftables")
node: string
parts: RulesPart[]
seq: number
}
