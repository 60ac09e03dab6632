// Rule: which rules of a place a packet tried, when, and why each did not match: read off the trace, never worked out. Pure.
import type { Timeline } from "../timeline";
import type { RuleTried } from "../trace";

export interface Trial {
  readonly index: number; // of the moment
  readonly rule: RuleTried;
}

export type Trials = ReadonlyMap<string, readonly Trial[]>; // by rule, in the order of time

export function ruleId(rule: { readonly table: string; readonly chain: string; readonly number: number }): string {
  return `${rule.table} ${rule.chain} ${rule.number}`;
}

/** Every rule that the packet of `leg` tries at `place`, over the whole leg. */
export function trialsOf(timeline: Timeline, leg: number, place: string): Trials {
  const found = new Map<string, Trial[]>();
  const add = (index: number, rule: RuleTried): void => {
    const id = ruleId(rule);
    const list = found.get(id);
    if (list === undefined) found.set(id, [{ index, rule }]);
    else list.push({ index, rule });
  };
  const span = timeline.legs[leg];
  for (let index = span?.first ?? 0; span !== undefined && index <= span.last; index++) {
    const moment = timeline.moments[index]!;
    if (moment.place !== place) continue;
    if (moment.detail.kind === "rule_tried") add(index, moment.detail);
    if (moment.detail.kind === "rules_missed") for (const rule of moment.detail.rules ?? []) add(index, rule);
  }
  return found;
}

/** The latest trial of a rule up to a moment. */
export function latest(trials: readonly Trial[] | undefined, index: number): Trial | null {
  for (let at = (trials?.length ?? 0) - 1; at >= 0; at--) {
    const trial = trials![at]!;
    if (trial.index <= index) return trial;
  }
  return null;
}

/** The place whose rules a moment is about: where the packet is, if it is a node; else the node it last passed. */
export function nodeAt(timeline: Timeline, index: number, isNode: (place: string) => boolean): string | null {
  const leg = timeline.moments[index]?.leg;
  for (let at = index; at >= 0; at--) {
    const moment = timeline.moments[at]!;
    if (moment.leg === leg && isNode(moment.place)) return moment.place;
    if (moment.leg !== leg) break;
  }
  for (let at = index; at < timeline.moments.length; at++) {
    const moment = timeline.moments[at]!;
    if (isNode(moment.place)) return moment.place;
  }
  return null;
}

/** The line of `ipvsadm -Sn` by which IPVS chose, as it stands there: `-a -u 10.96.0.10:53 -r 10.244.2.4:53`. */
export function serverInPlay(timeline: Timeline, index: number): string | null {
  const detail = timeline.moments[index]?.detail;
  if (detail?.kind !== "scheduled") return null;
  const [protocol, address] = detail.virtual_server.split(" ");
  const flag = { TCP: "-t", UDP: "-u", SCTP: "--sctp-service" }[protocol ?? ""];
  return flag === undefined || address === undefined ? null : `-a ${flag} ${address} -r ${detail.real_server}`;
}

/** The rule in play: the one tried at this moment, or the last one before it at the same place that matched. */
export function ruleInPlay(timeline: Timeline, index: number, place: string): RuleTried | null {
  const here = timeline.moments[index];
  for (let at = index; here !== undefined && at >= 0; at--) {
    const moment = timeline.moments[at]!;
    if (moment.leg !== here.leg || moment.place !== place) return null;
    if (moment.hook !== here.hook && at !== index) return null;
    if (moment.detail.kind === "rule_tried") return moment.detail;
    if (moment.detail.kind === "rules_missed") return moment.detail.rules?.at(-1) ?? null;
    if (moment.meaning !== "rewrite" && moment.meaning !== "verdict") return null;
  }
  return null;
}
