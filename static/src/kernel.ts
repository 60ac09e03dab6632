// Rule: one machine's visit by a packet, room by room: which it passed, which it skipped and why, what each table did. Pure.
// Rooms and the order of tables are those of packetsim/hooks.py; the base chains of nftables are kube-proxy's.
import { t, type Key } from "./i18n";
import { fitted } from "./scene";
import { entryAt, type HopSpan, type Moment, type Timeline } from "./timeline";
import type { Hook } from "./trace";

export type RoomId = Hook | "routing";
export type RoomState = "here" | "passed" | "ahead" | "skipped";

export interface TableRow {
  readonly name: string;
  readonly tried: number;
  readonly matched: number;
  readonly text: string;
  readonly current: boolean;
}
export interface Room {
  readonly id: RoomId;
  readonly title: string;
  readonly state: RoomState;
  readonly why: string; // it was skipped
  readonly rows: readonly TableRow[];
  readonly lines: readonly string[]; // the chains that the packet is in, if it is here; what rules did to it, once it has gone on
}
export interface Visit {
  readonly place: string;
  readonly rooms: Readonly<Record<RoomId, Room>>;
  readonly here: RoomId | "process" | "ipvs" | null;
  readonly proxy: "idle" | "live" | "here";
  readonly ipvs: { readonly virtual: string; readonly real: string; readonly here: boolean } | null;
  readonly ipvsMode: boolean;
  readonly userspace: boolean; // kube-proxy itself carries the bytes
  readonly entry: { readonly state: string; readonly entry: string; readonly here: boolean } | null;
  readonly current: boolean; // the packet is at this machine now
  readonly from: string; // the machine that it came from, "" if it began here
  readonly to: string;
}

const IPTABLES: Readonly<Record<Hook, readonly string[]>> = {
  prerouting: ["nat"],
  input: ["filter"],
  forward: ["filter"],
  output: ["nat", "filter"],
  postrouting: ["nat"],
};
const NFTABLES: Readonly<Record<Hook, readonly string[]>> = {
  prerouting: ["filter-prerouting-pre-dnat", "nat-prerouting"],
  input: ["filter-input"],
  forward: ["filter-forward"],
  output: ["filter-output-pre-dnat", "nat-output", "filter-output"],
  postrouting: ["nat-postrouting"],
};
export const ROOMS: readonly RoomId[] = ["prerouting", "routing", "input", "forward", "output", "postrouting"];

/** The visit to show: of the machine where the packet is, or of `place`, the one nearest in this leg. */
export function visitOf(timeline: Timeline, index: number, place?: string): Visit | null {
  const moment = timeline.moments[index];
  const leg = timeline.legs[moment?.leg ?? -1];
  if (moment === undefined || leg === undefined) return null;
  const span = spanOf(leg.hops, index, place);
  if (span === null) return null;
  const moments = timeline.moments.slice(span.first, span.last + 1);
  const done = moments.filter((one) => one.index <= index);
  const passes = passedRooms(moments);
  const current = moment.place === span.place && index >= span.first && index <= span.last;
  const here = current ? roomOf(done) : null;
  const number = leg.hops.indexOf(span);
  const nft = timeline.trace.mode === "nftables";
  const rooms = Object.fromEntries(
    ROOMS.map((id) => [id, room(id, { moments, done, passes, here, nft, over: index > span.last })]),
  ) as Record<RoomId, Room>;
  return {
    place: span.place,
    rooms,
    here,
    proxy: proxyState(moments, done, current),
    ipvs: scheduledIn(done, current),
    ipvsMode: timeline.trace.mode === "ipvs",
    userspace: timeline.trace.mode === "userspace",
    entry: entryOf(timeline, done, index, current),
    current,
    from: leg.hops[number - 1]?.place ?? "",
    to: leg.hops[number + 1]?.place ?? "",
  };
}

/** The places of a leg where a kernel's rules may be looked at. */
function spanOf(hops: readonly HopSpan[], index: number, place?: string): HopSpan | null {
  const wanted = hops.filter((hop) =>
    place === undefined ? index >= hop.first && index <= hop.last : hop.place === place,
  );
  return wanted.findLast((hop) => hop.first <= index) ?? wanted[0] ?? null;
}

function roomOf(done: readonly Moment[]): Visit["here"] {
  const last = done.at(-1);
  if (last === undefined) return null;
  if (last.detail.kind === "scheduled") return "ipvs";
  if (last.meaning === "proxy") return "process";
  if (last.hook !== null) return last.hook;
  if (last.detail.kind === "routed") return "routing";
  if (last.detail.kind === "noted" && last.detail.text.startsWith("handed to")) return "process";
  if (last.detail.kind === "crossed") return null;
  return done.length > 1 ? roomOf(done.slice(0, -1)) : null;
}

/** Rooms with steps, and those that the routing decision and the way out lead through without any. */
function passedRooms(moments: readonly Moment[]): ReadonlySet<RoomId> {
  const passed = new Set<RoomId>();
  for (const { hook, detail } of moments) {
    if (hook !== null) passed.add(hook);
    if (detail.kind === "routed" && detail.verdict !== "bridge") passed.add("routing");
    if (detail.kind === "routed" && detail.verdict === "local") passed.add("input");
    if (detail.kind === "routed" && detail.verdict === "forward") passed.add("forward");
    if (detail.kind === "routed" && detail.verdict === "out") passed.add("output");
    if (detail.kind === "crossed") passed.add("postrouting");
  }
  return passed;
}

interface Asked {
  readonly moments: readonly Moment[];
  readonly done: readonly Moment[];
  readonly passes: ReadonlySet<RoomId>;
  readonly here: Visit["here"];
  readonly nft: boolean;
  readonly over: boolean;
}

function room(id: RoomId, asked: Asked): Room {
  const here = asked.here === id || (id === "input" && asked.here === "ipvs");
  const title = id === "routing" ? t("kernel.routing") : id.toUpperCase();
  const state: RoomState = here ? "here" : !asked.passes.has(id) ? "skipped" : isDone(id, asked) ? "passed" : "ahead";
  return {
    id,
    title,
    state,
    why: state === "skipped" ? skipReason(id, asked) : "",
    rows: id === "routing" ? routingRows(asked) : tableRows(id, asked, state),
    lines: id === "routing" ? [] : here ? chainsNow(id, asked) : effectsOf(id, asked.done),
  };
}

/** Has the packet left the room? One without steps is done once a later room has been reached. */
function isDone(id: RoomId, { done, moments, over }: Asked): boolean {
  if (over) return true;
  if (id === "routing") return done.some((one) => one.detail.kind === "routed");
  if (done.some((one) => one.hook === id)) return true;
  if (moments.some((one) => one.hook === id)) return false;
  const order = ROOMS.indexOf(id);
  return done.some(
    (one) => one.detail.kind === "crossed" || (one.hook !== null && ROOMS.indexOf(one.hook) > order) || atEnd(one),
  );
}

function atEnd(moment: Moment): boolean {
  return moment.meaning === "arrive" || moment.meaning === "verdict" || moment.meaning === "proxy";
}

function skipReason(id: RoomId, { moments, passes }: Asked): string {
  const verdicts = moments.flatMap((one) => (one.detail.kind === "routed" ? [one.detail.verdict] : []));
  const first = verdicts[0];
  const scheduled = moments.some((one) => one.detail.kind === "scheduled");
  const key = ((): Key => {
    if (first === undefined) return "kernel.skip.ended";
    if (id === "prerouting" || id === "input")
      return first === "out" ? "kernel.skip.outIn" : first === "forward" ? "kernel.skip.forward" : "kernel.skip.ended";
    if (id === "forward")
      return scheduled
        ? "kernel.skip.ipvs"
        : first === "local"
          ? "kernel.skip.local"
          : first === "out"
            ? "kernel.skip.out"
            : "kernel.skip.ended";
    if (id === "output")
      return passes.has("input") && first === "local" ? "kernel.skip.localPost" : "kernel.skip.forwardOut";
    if (id === "postrouting") return first === "local" && !scheduled ? "kernel.skip.localPost" : "kernel.skip.ended";
    return "kernel.skip.ended";
  })();
  return t(key);
}

function routingRows({ done }: Asked): readonly TableRow[] {
  return done.flatMap((one) => {
    if (one.detail.kind !== "routed") return [];
    return [
      {
        name: one.detail.destination,
        tried: 0,
        matched: 0,
        text: routeShort(one.detail.route, one.detail.verdict),
        current: false,
      },
    ];
  });
}

function routeShort(route: string, verdict: string): string {
  const device = /\bdev (\S+)/.exec(route)?.[1];
  return verdict === "unreachable" ? "✕" : verdict === "local" ? "local" : (device ?? verdict);
}

/** A table's rules, or a base chain's, with all chains that they jump to. */
function tableRows(hook: Hook, asked: Asked, state: RoomState): readonly TableRow[] {
  const counts = new Map<string, { tried: number; matched: number }>();
  const known = (asked.nft ? NFTABLES : IPTABLES)[hook];
  let base = "";
  for (const { hook: at, detail } of asked.done) {
    if (at !== hook || !("table" in detail)) continue;
    base = asked.nft ? (known.includes(detail.chain) ? detail.chain : base || detail.chain) : detail.table;
    const count = counts.get(base) ?? { tried: 0, matched: 0 };
    if (detail.kind === "rule_tried") count.tried += 1;
    if (detail.kind === "rules_missed") count.tried += detail.count;
    if (detail.kind === "rule_tried" && detail.matched) count.matched += 1;
    counts.set(base, count);
  }
  const names = [...known, ...[...counts.keys()].filter((name) => !known.includes(name))];
  return names.map((name) => {
    const count = counts.get(name);
    return {
      name,
      tried: count?.tried ?? 0,
      matched: count?.matched ?? 0,
      text: count !== undefined ? t("kernel.counts", { ...count }) : rowNote(name, asked, state),
      current: state === "here" && name === base && count !== undefined,
    };
  });
}

function rowNote(name: string, { done }: Asked, state: RoomState): string {
  if (state === "skipped" || state === "ahead") return "";
  const tracked = done.findLast((one) => one.detail.kind === "tracked")?.detail;
  const known = tracked?.kind === "tracked" && tracked.state !== "NEW" && tracked.state !== "INVALID";
  if (name.startsWith("nat") && known) return t("kernel.natSkipped");
  return state === "passed" ? t("kernel.noRules") : "";
}

const MOST_LINES = 3;
const LETTERS = 29;

/** The chains that the packet has jumped into and not come back from, outermost first. */
function chainsNow(hook: Hook, { done, nft }: Asked): readonly string[] {
  const bases = nft ? NFTABLES[hook] : [hook.toUpperCase()];
  let stack: string[] = [];
  for (const { hook: at, detail } of done) {
    if (at !== hook || !("chain" in detail)) continue;
    if (bases.includes(detail.chain)) stack = [detail.chain];
    const known = stack.indexOf(detail.chain);
    stack = known >= 0 ? stack.slice(0, known + 1) : [...stack, detail.chain];
    const effect = detail.kind === "rule_tried" && detail.matched ? detail.effect : "";
    if (effect.startsWith("goto ")) stack.pop();
  }
  return stack.slice(-MOST_LINES).map((chain, level) => fitted(`${"  ".repeat(level)}${chain}`, LETTERS));
}

/** What rules of this hook did to the packet, jumps aside. */
function effectsOf(hook: Hook, done: readonly Moment[]): readonly string[] {
  const effects = done.flatMap(({ hook: at, detail }) =>
    at === hook && detail.kind === "rule_tried" && detail.matched && !/^(jump|goto|return|counted)/i.test(detail.effect)
      ? [detail.effect]
      : [],
  );
  return effects.slice(-2).map((effect) => fitted(effect, LETTERS));
}

function proxyState(moments: readonly Moment[], done: readonly Moment[], current: boolean): Visit["proxy"] {
  if (!moments.some((one) => one.meaning === "proxy")) return "idle";
  return current && done.at(-1)?.meaning === "proxy" ? "here" : "live";
}

function scheduledIn(done: readonly Moment[], current: boolean): Visit["ipvs"] {
  const found = done.findLast((one) => one.detail.kind === "scheduled");
  if (found?.detail.kind !== "scheduled") return null;
  return {
    virtual: found.detail.virtual_server,
    real: found.detail.real_server,
    here: current && done.at(-1) === found,
  };
}

function entryOf(timeline: Timeline, done: readonly Moment[], index: number, current: boolean): Visit["entry"] {
  const last = done.at(-1);
  if (last === undefined) return null;
  const entry = entryAt(timeline, last.index);
  return entry === null ? null : { state: entry.state, entry: entry.entry, here: current && entry.index === index };
}

// ---- a conntrack line, read ---------------------------------------------------------------------------------

export interface EntryParts {
  readonly head: string; // protocol, state
  readonly seconds: string;
  readonly original: string;
  readonly reply: string;
  readonly flags: string;
}

/** `conntrack -L`'s line in its parts: both tuples as source → destination. */
export function entryParts(line: string): EntryParts | null {
  const tuples = [...line.matchAll(/src=(\S+) dst=(\S+)(?: sport=(\d+) dport=(\d+))?/g)].map(
    ([, source, destination, sport, dport]) =>
      sport === undefined
        ? `${source} → ${destination}`
        : `${joined(source!, sport)} → ${joined(destination!, dport!)}`,
  );
  if (tuples.length !== 2) return null;
  const [protocol = "", , seconds = "", state = ""] = line.trim().split(/\s+/);
  return {
    head: state.includes("=") ? protocol : `${protocol} ${state}`,
    seconds,
    original: tuples[0]!,
    reply: tuples[1]!,
    flags: [...line.matchAll(/\[(\w+)\]/g)].map(([, flag]) => flag!).join(" "),
  };
}

function joined(address: string, port: string): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
