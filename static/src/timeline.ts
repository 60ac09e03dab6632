// Rule: a trace document as one row of moments, one a step, numbered from 0 through all legs. Pure: time is passed in.
import type { Capture, Detail, Hook, PlaceKind, Packet, Step, TraceDocument } from "./trace";

/** What a moment means to a reader; its shape on the time line. */
export type Meaning =
  | "match"
  | "miss"
  | "return" // a chain ran out of rules
  | "track"
  | "rewrite"
  | "route"
  | "schedule" // IPVS chose
  | "cross" // from one machine to the next
  | "proxy" // user space
  | "arrive" // the last moment of a leg that was not ended by a verdict
  | "verdict"
  | "note";

export interface Moment {
  readonly index: number;
  readonly leg: number;
  readonly hop: number; // within the leg
  readonly step: number; // within the hop
  readonly place: string;
  readonly placeKind: PlaceKind;
  readonly hook: Hook | null;
  readonly meaning: Meaning;
  readonly detail: Detail;
  readonly before: Packet;
  readonly after: Packet;
  readonly changes: Step["changes"];
  readonly enters: boolean; // the first moment at this place
  readonly ends: boolean; // the last moment of its leg
  readonly interesting: boolean;
  readonly start: number; // seconds from the beginning, at speed 1
  readonly duration: number;
}

export interface Span {
  readonly first: number; // moments
  readonly last: number;
}
export interface HopSpan extends Span {
  readonly place: string;
  readonly kind: PlaceKind;
}
export interface LegSpan extends Span {
  readonly title: string;
  readonly hops: readonly HopSpan[];
}

export interface Timeline {
  readonly trace: TraceDocument;
  readonly moments: readonly Moment[];
  readonly legs: readonly LegSpan[];
  readonly total: number; // seconds at speed 1
}

/** Seconds at speed 1: long enough to see, and for what matters, to read. */
const DURATION: Readonly<Record<Meaning, number>> = {
  match: 0.7,
  miss: 0.22,
  return: 0.3,
  track: 0.6,
  rewrite: 1.5,
  route: 0.7,
  schedule: 1.3,
  cross: 0.9,
  proxy: 1.2,
  arrive: 1.0,
  verdict: 1.8,
  note: 0.4,
};
const INTERESTING: ReadonlySet<Meaning> = new Set<Meaning>([
  "match",
  "rewrite",
  "schedule",
  "proxy",
  "verdict",
  "arrive",
]);

export function timelineOf(trace: TraceDocument): Timeline {
  const moments: Moment[] = [];
  const legs: LegSpan[] = [];
  let start = 0;
  trace.legs.forEach((leg, legNumber) => {
    const firstOfLeg = moments.length;
    const hops: HopSpan[] = [];
    const steps = leg.hops.reduce((sum, hop) => sum + hop.steps.length, 0);
    let before: Packet | null = null;
    leg.hops.forEach((hop, hopNumber) => {
      const firstOfHop = moments.length;
      hop.steps.forEach((step, stepNumber) => {
        const ends = moments.length - firstOfLeg === steps - 1;
        const meaning = meaningOf(step, ends);
        const duration = DURATION[meaning];
        moments.push({
          index: moments.length,
          leg: legNumber,
          hop: hopNumber,
          step: stepNumber,
          place: hop.place,
          placeKind: hop.kind,
          hook: step.hook,
          meaning,
          detail: step.detail,
          before: before ?? undone(step),
          after: step.packet,
          changes: step.changes,
          enters: stepNumber === 0,
          ends,
          interesting: INTERESTING.has(meaning),
          start,
          duration,
        });
        start += duration;
        before = step.packet;
      });
      if (moments.length > firstOfHop) {
        hops.push({ place: hop.place, kind: hop.kind, first: firstOfHop, last: moments.length - 1 });
      }
    });
    if (moments.length > firstOfLeg) {
      legs.push({ title: leg.title, hops, first: firstOfLeg, last: moments.length - 1 });
    }
  });
  return { trace, moments, legs, total: start };
}

/** The packet as it was before the first step of a leg. */
function undone(step: Step): Packet {
  return { ...step.packet, ...Object.fromEntries(step.changes.map((change) => [change.field, change.old])) } as Packet;
}

function meaningOf(step: Step, ends: boolean): Meaning {
  switch (step.detail.kind) {
    case "rule_tried":
      return step.detail.matched ? "match" : "miss";
    case "rules_missed":
      return "miss";
    case "chain_ended":
      return "return";
    case "tracked":
      return "track";
    case "translated":
      return "rewrite";
    case "routed":
      return "route";
    case "scheduled":
      return "schedule";
    case "crossed":
      return "cross";
    case "proxy_accepted":
    case "proxy_dialled":
    case "proxy_copied":
      return "proxy";
    case "ended":
      return "verdict";
    case "noted":
      return ends ? "arrive" : "note";
    default:
      return "note"; // a kind of step from a newer engine: shown with its own sentence
  }
}

// ---- seeking ----------------------------------------------------------------------------------------

export interface Playhead {
  readonly index: number;
  readonly fraction: number; // of the moment's own time, 0 to 1
}

/** The moment that holds at a time, and how far it is on. */
export function seek(timeline: Timeline, time: number): Playhead {
  const { moments, total } = timeline;
  if (moments.length === 0) return { index: -1, fraction: 0 };
  if (time >= total) return { index: moments.length - 1, fraction: 1 };
  let low = 0;
  let high = moments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (moments[middle]!.start <= time) low = middle;
    else high = middle - 1;
  }
  const moment = moments[low]!;
  return { index: low, fraction: Math.min(1, Math.max(0, (time - moment.start) / moment.duration)) };
}

/** The time at which a moment has been done: where stepping and links to a step lead. */
export function doneTime(timeline: Timeline, index: number): number {
  const moment = timeline.moments[clamp(index, 0, timeline.moments.length - 1)];
  return moment === undefined ? 0 : moment.start + moment.duration * DONE;
}
const DONE = 0.999; // just before the next begins

export function nextInteresting(timeline: Timeline, index: number): number {
  const found = timeline.moments.findIndex((moment) => moment.index > index && moment.interesting);
  return found < 0 ? timeline.moments.length - 1 : found;
}

export function previousInteresting(timeline: Timeline, index: number): number {
  for (let at = Math.min(index, timeline.moments.length) - 1; at > 0; at--) {
    if (timeline.moments[at]!.interesting) return at;
  }
  return 0;
}

// ---- playing ----------------------------------------------------------------------------------------

export interface Playback {
  readonly time: number;
  readonly speed: number;
  readonly playing: boolean;
}

/** After `elapsed` seconds by the clock on the wall. Playing stops at the end. */
export function advance(timeline: Timeline, playback: Playback, elapsed: number): Playback {
  if (!playback.playing) return playback;
  const time = playback.time + elapsed * playback.speed;
  if (time < timeline.total) return { ...playback, time };
  return { ...playback, time: timeline.total, playing: false };
}

export const SLOWEST = -3; // 1/8
export const FASTEST = 4; // 16

/** A slider's position to a speed: each whole step doubles it. */
export function speedAt(position: number): number {
  return 2 ** clamp(position, SLOWEST, FASTEST);
}

export function positionOf(speed: number): number {
  return clamp(Math.log2(speed), SLOWEST, FASTEST);
}

// ---- asking -----------------------------------------------------------------------------------------

/** What a sniffer saw as the packet crossed at this moment, on the side that it left. */
export function captureAt(timeline: Timeline, moment: Moment): Capture | null {
  const { detail } = moment;
  if (detail.kind !== "crossed") return null;
  const captures = timeline.trace.legs[moment.leg]?.captures ?? [];
  const before = timeline.moments.filter(
    (other) => other.leg === moment.leg && other.index < moment.index && other.detail.kind === "crossed",
  ).length;
  const left = captures.filter((capture) => capture.direction === "out")[before];
  return left !== undefined && left.place === moment.place ? left : null;
}

/** The latest conntrack line told at this moment's place, in this leg, up to it. */
export function entryAt(timeline: Timeline, index: number): { state: string; entry: string; index: number } | null {
  const here = timeline.moments[index];
  for (let at = index; here !== undefined && at >= 0; at--) {
    const moment = timeline.moments[at]!;
    if (moment.leg !== here.leg) return null;
    if (moment.place === here.place && moment.detail.kind === "tracked") {
      return { state: moment.detail.state, entry: moment.detail.entry, index: at };
    }
  }
  return null;
}

export interface Odometer {
  readonly rules: number; // tried, whether they matched or not
  readonly matched: number;
  readonly rewrites: number;
  readonly crossings: number; // from machine to machine
  readonly userspace: number; // into user space or out of it
}

/** What the packet went through up to a moment, of one leg. */
export function odometer(timeline: Timeline, index: number): Odometer {
  const sum = { rules: 0, matched: 0, rewrites: 0, crossings: 0, userspace: 0 };
  const leg = timeline.moments[index]?.leg;
  for (const moment of timeline.moments.slice(0, index + 1)) {
    if (moment.leg !== leg) continue;
    if (moment.detail.kind === "rules_missed") sum.rules += moment.detail.count;
    if (moment.detail.kind === "rule_tried") sum.rules += 1;
    if (moment.meaning === "match") sum.matched += 1;
    if (moment.meaning === "rewrite") sum.rewrites += 1;
    if (moment.meaning === "cross") sum.crossings += 1;
    if (moment.meaning === "proxy") sum.userspace += 1;
  }
  return sum;
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
