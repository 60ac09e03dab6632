// Rule: a trace document as docs/trace.md describes it, and nothing made of it. What comes from outside is checked once, here.

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";
export type PlaceKind = "pod" | "node" | "outside" | "wire";
export type Disposition = "delivered" | "rejected" | "dropped" | "refused" | "unanswered";

export interface Origin {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly field: string;
}

export interface RuleTried {
  readonly kind: "rule_tried";
  readonly table: string;
  readonly chain: string;
  readonly number: number;
  readonly text: string;
  readonly matched: boolean;
  readonly why: string;
  readonly effect: string;
  readonly origins: readonly Origin[];
}
export interface RulesMissed {
  readonly kind: "rules_missed";
  readonly table: string;
  readonly chain: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly rules?: readonly RuleTried[];
}
export interface ChainEnded {
  readonly kind: "chain_ended";
  readonly table: string;
  readonly chain: string;
  readonly caller: string | null;
  readonly policy: string | null;
}
export interface Tracked {
  readonly kind: "tracked";
  readonly state: string;
  readonly entry: string;
}
export interface Translated {
  readonly kind: "translated";
  readonly end: "source" | "destination";
  readonly old: string;
  readonly new: string;
  readonly by: string;
}
export interface Routed {
  readonly kind: "routed";
  readonly destination: string;
  readonly route: string;
  readonly verdict: string;
}
export interface Crossed {
  readonly kind: "crossed";
  readonly link: string;
  readonly out_interface: string;
  readonly in_interface: string;
  readonly to: string;
}
export interface Scheduled {
  readonly kind: "scheduled";
  readonly virtual_server: string;
  readonly real_server: string;
  readonly how: string;
  readonly why: string;
}
export interface ProxyAccepted {
  readonly kind: "proxy_accepted";
  readonly socket: string;
  readonly service_port: string;
}
export interface ProxyDialled {
  readonly kind: "proxy_dialled";
  readonly endpoint: string;
  readonly attempt: number;
  readonly timeout: string;
  readonly result: string;
  readonly why: string;
}
export interface ProxyCopied {
  readonly kind: "proxy_copied";
  readonly source: string;
  readonly destination: string;
}
export interface Ended {
  readonly kind: "ended";
  readonly outcome: Disposition;
  readonly why: string;
}
export interface Noted {
  readonly kind: "noted";
  readonly text: string;
}
export type Detail =
  | RuleTried
  | RulesMissed
  | ChainEnded
  | Tracked
  | Translated
  | Routed
  | Crossed
  | Scheduled
  | ProxyAccepted
  | ProxyDialled
  | ProxyCopied
  | Ended
  | Noted;

export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly source_port: number;
  readonly destination_port: number;
  readonly ttl: number;
  readonly mark: number;
  readonly source_mac: string;
  readonly destination_mac: string;
  readonly flags: string;
  readonly sequence: number;
  readonly acknowledgement: number;
  readonly identification: number;
  readonly payload: string;
  readonly icmp_type: number;
  readonly icmp_code: number;
  readonly quoted: Packet | null;
}

export interface Change {
  readonly field: string;
  readonly old: unknown;
  readonly new: unknown;
}
export interface Step {
  readonly hook: Hook | null;
  readonly sentence: string;
  readonly detail: Detail;
  readonly changes: readonly Change[];
  readonly packet: Packet;
}
export interface Hop {
  readonly place: string;
  readonly kind: PlaceKind;
  readonly steps: readonly Step[];
}
export interface Layer {
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
export interface Capture {
  readonly place: string;
  readonly interface: string;
  readonly direction: "in" | "out";
  readonly comments: readonly string[];
  readonly packet: Packet;
  readonly layers: readonly Layer[];
  readonly bytes: string;
}
export interface Leg {
  readonly title: string;
  readonly outcome: Disposition;
  readonly why: string;
  readonly hops: readonly Hop[];
  readonly captures: readonly Capture[];
}
export interface Flow {
  readonly place: string;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
  readonly protocol: string;
  readonly source_port: number;
  readonly via: string | null;
}
export interface TraceDocument {
  readonly flow: Flow;
  readonly mode: string;
  readonly disposition: Disposition;
  readonly why: string;
  readonly endpoint: string | null;
  readonly source_seen: string | null;
  readonly masqueraded: boolean;
  readonly answered: boolean;
  readonly legs: readonly Leg[];
  readonly entries: readonly { readonly place: string; readonly entries: readonly string[] }[];
}

export class TraceError extends Error {}

/** Text or parsed JSON, taken for a trace document if it has the shape of one. */
export function readTrace(given: unknown): TraceDocument {
  const value = typeof given === "string" ? parsed(given) : given;
  const trace = object(value, "trace");
  const flow = object(trace["flow"], "flow");
  for (const field of ["place", "source", "destination", "protocol"]) text(flow[field], `flow.${field}`);
  text(trace["mode"], "mode");
  text(trace["disposition"], "disposition");
  list(trace["legs"], "legs").forEach((leg, number) => checkLeg(leg, `legs[${number}]`));
  list(trace["entries"], "entries");
  return value as TraceDocument;
}

function checkLeg(value: unknown, at: string): void {
  const leg = object(value, at);
  text(leg["title"], `${at}.title`);
  list(leg["captures"], `${at}.captures`);
  list(leg["hops"], `${at}.hops`).forEach((given, number) => {
    const hop = object(given, `${at}.hops[${number}]`);
    text(hop["place"], `${at}.hops[${number}].place`);
    list(hop["steps"], `${at}.hops[${number}].steps`).forEach((step, index) =>
      checkStep(step, `${at}.hops[${number}].steps[${index}]`),
    );
  });
}

function checkStep(value: unknown, at: string): void {
  const step = object(value, at);
  text(object(step["detail"], `${at}.detail`)["kind"], `${at}.detail.kind`);
  object(step["packet"], `${at}.packet`);
  list(step["changes"], `${at}.changes`);
}

function parsed(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    throw new TraceError("not a trace document: not JSON");
  }
}

function object(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TraceError(`not a trace document: ${at} is not an object`);
  }
  return value as Record<string, unknown>;
}

function list(value: unknown, at: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new TraceError(`not a trace document: ${at} is not a list`);
  return value;
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string") throw new TraceError(`not a trace document: ${at} is not text`);
  return value;
}

/** `10.0.0.1:80`, `[fd00::1]:80`, or the address alone where the protocol has no ports. */
export function withPort(address: string, port: number, protocol = "tcp"): string {
  if (!["tcp", "udp", "sctp"].includes(protocol)) return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const FLAGS: Readonly<Record<string, string>> = { S: "SYN", A: "ACK", R: "RST", F: "FIN", P: "PSH", U: "URG" };

/** `TCP SYN/ACK`, `UDP`, `ICMP 3/3`: what kind of packet it is. */
export function packetKind(packet: Packet): string {
  if (packet.protocol === "tcp") {
    const flags = [...packet.flags].map((letter) => FLAGS[letter] ?? letter).join("/");
    return flags ? `TCP ${flags}` : "TCP";
  }
  if (["udp", "sctp"].includes(packet.protocol)) return packet.protocol.toUpperCase();
  return `${packet.protocol.toUpperCase()} ${packet.icmp_type}/${packet.icmp_code}`;
}

export function sourceOf(packet: Packet): string {
  return withPort(packet.source, packet.source_port, packet.protocol);
}

export function destinationOf(packet: Packet): string {
  return withPort(packet.destination, packet.destination_port, packet.protocol);
}
