// Rule: the same flow in several modes side by side, aligned at the moments that mean the same; every number is a count of
// steps of the trace. Pure.
import type { Moment, Timeline } from "../timeline";
import type { RuleTried } from "../trace";
import type { Mode } from "../wire";

export const MODES: readonly Mode[] = ["userspace", "iptables", "ipvs", "nftables"];
export const MILESTONES = ["sent", "vip", "chosen", "translated", "routed", "masqueraded", "ended"] as const;
export type Milestone = (typeof MILESTONES)[number];

export interface Lane {
  readonly mode: Mode;
  readonly number: number; // of the trace
  readonly timeline: Timeline;
  readonly last: number; // the last moment that counts; what follows is answers
  readonly at: Readonly<Record<Milestone, number | null>>; // moments
}

/** Titles of legs that come back; all others are on the way there. */
const OWN = "proxy's own connection";
const BACK: ReadonlySet<string> = new Set(["reply", "refusal", "ICMP error", "reset", "next packet"]);

export function laneOf(mode: Mode, number: number, timeline: Timeline): Lane {
  const there = timeline.moments.filter((moment) => isThere(timeline, moment));
  const ended = there.at(-1)?.index ?? timeline.moments.length - 1;
  const last = timeline.moments.findLast((moment) => moment.meaning === "proxy")?.index ?? ended;
  const find = (from: number, test: (moment: Moment) => boolean): number | null =>
    there.find((moment) => moment.index >= from && test(moment))?.index ?? null;
  const scheduled = find(0, (moment) => moment.detail.kind === "scheduled");
  const dialled = timeline.legs.findLast((leg) => leg.title === OWN)?.first ?? null; // kube-proxy opens its own connection
  const vip = find(0, (moment) => matchedFrom(moment, "Service") !== null) ?? scheduled;
  const own = dialled ?? find(0, (moment) => moment.detail.kind === "translated" && moment.detail.end === "destination");
  const translated = vip === null && scheduled === null ? null : own;
  const chosen = dialled ?? scheduled ?? (translated === null ? null : choice(there, translated));
  const from = translated ?? chosen ?? 0;
  const routed = vip === null ? null : find(from, (moment) => moment.detail.kind === "routed" && moment.placeKind === "node");
  const masked = find(vip ?? 0, (moment) => moment.detail.kind === "translated" && moment.detail.end === "source");
  return {
    mode,
    number,
    timeline,
    last: Math.max(last, ended),
    at: { sent: there[0]?.index ?? null, vip, chosen, translated, routed, masqueraded: masked, ended },
  };
}

function isThere(timeline: Timeline, moment: Moment): boolean {
  return !BACK.has(timeline.legs[moment.leg]?.title ?? "");
}

function matchedFrom(moment: Moment, kind: string): RuleTried | null {
  const { detail } = moment;
  return detail.kind === "rule_tried" && detail.matched && detail.origins.some((origin) => origin.kind === kind) ? detail : null;
}

/** The rule that settled on one endpoint: the first matched, up to the rewrite, that an EndpointSlice made. */
function choice(there: readonly Moment[], translated: number): number | null {
  const found = there.find((moment) => moment.index <= translated && matchedFrom(moment, "EndpointSlice") !== null);
  return found?.index ?? translated;
}

// ---- alignment -------------------------------------------------------------------------------------------

/** Where a moment stands between the milestones: 2.5 is half-way from the third to the fourth. */
export function phaseAt(lane: Lane, index: number): number {
  const marks = marksOf(lane);
  let before = marks[0];
  for (const mark of marks) {
    if (mark.index > index) {
      if (before === undefined) return 0;
      const way = mark.index - before.index;
      return before.column + ((index - before.index) / Math.max(1, way)) * (mark.column - before.column);
    }
    before = mark;
  }
  return before?.column ?? 0;
}

/** The moment of a lane that means the same as a phase. */
export function indexAt(lane: Lane, phase: number): number {
  const marks = marksOf(lane);
  let before = marks[0];
  for (const mark of marks) {
    if (mark.column > phase + 1e-9) {
      if (before === undefined) return 0;
      const way = mark.column - before.column;
      return Math.floor(before.index + ((phase - before.column) / Math.max(1e-9, way)) * (mark.index - before.index) + 1e-6);
    }
    before = mark;
  }
  return before?.index ?? 0;
}

interface Mark {
  readonly column: number;
  readonly index: number;
}

/** The milestones that this lane has, both columns and moments rising. */
function marksOf(lane: Lane): readonly Mark[] {
  const marks: Mark[] = [];
  MILESTONES.forEach((milestone, column) => {
    const index = lane.at[milestone];
    const before = marks.at(-1);
    if (index !== null && (before === undefined || index >= before.index)) marks.push({ column, index });
  });
  return marks;
}

// ---- odometers -------------------------------------------------------------------------------------------

export interface Odometers {
  readonly rules: number; // evaluated, matched or not
  readonly lookups: number; // in hash tables: conntrack, sets, maps, IPVS
  readonly crossings: number; // of the line between kernel and user space
  readonly connections: number;
}

/** What it took from the beginning up to a moment, on the way there. */
export function odometersAt(lane: Lane, index: number): Odometers {
  const sum = { rules: 0, lookups: 0, crossings: 0, connections: 0 };
  const legs = new Set<number>();
  for (const moment of lane.timeline.moments) {
    if (moment.index > index || moment.index > lane.last) break;
    if (moment.meaning === "proxy") sum.crossings += 1;
    if (!isThere(lane.timeline, moment)) continue;
    legs.add(moment.leg);
    count(sum, moment);
  }
  sum.connections = legs.size;
  return sum;
}

function count(sum: { rules: number; lookups: number }, moment: Moment): void {
  const { detail } = moment;
  switch (detail.kind) {
    case "rule_tried":
      sum.rules += 1;
      sum.lookups += looksUp(detail.text) ? 1 : 0;
      return;
    case "rules_missed":
      sum.rules += detail.count;
      sum.lookups += (detail.rules ?? []).filter((rule) => looksUp(rule.text)).length;
      return;
    case "tracked":
    case "scheduled":
      sum.lookups += 1;
      return;
    default:
      return;
  }
}

/** Does the rule's text name a set or map to look in? */
function looksUp(text: string): boolean {
  return /--match-set |(?:^|\s)@|\bvmap\b|\bmap \{/.test(text);
}

/** Of a `compare` command's traces, the latest for each mode, in the modes' order. */
export function comparedTogether<Summary extends { readonly seq: number; readonly label: string; readonly mode: Mode }>(
  traces: readonly Summary[],
  seq: number | null,
): readonly Summary[] {
  const compared = traces.filter((trace) => trace.label === "compare");
  const wanted = seq ?? compared.at(-1)?.seq;
  return MODES.flatMap((mode) => compared.findLast((trace) => trace.seq === wanted && trace.mode === mode) ?? []);
}
