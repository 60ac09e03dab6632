// Rule: what each change did down the line, as the log tells it, and which lines of rules it added and took away. Pure.
import type { Told } from "../state";
import type { Changed, Stage } from "../wire";

export interface LogEntry {
  readonly seq: number;
  readonly at: string;
  readonly kind: "changed" | "traced" | "bursted" | "renamed" | "waited";
  readonly told: Told;
}

/** The newest first. Walks of one command are one entry. */
export function logOf(history: readonly Told[]): readonly LogEntry[] {
  return history.map((told) => ({ seq: told.seq, at: told.at, kind: told.event.type, told })).reverse();
}

export interface Station {
  readonly actor: Stage["actor"];
  readonly stages: readonly Stage[];
  readonly added: number;
  readonly removed: number;
}

/** A change's stages, those of one actor together, in the order of time. */
export function stationsOf(changed: Changed): readonly Station[] {
  const found = new Map<Stage["actor"], Stage[]>();
  for (const stage of changed.stages) {
    const list = found.get(stage.actor);
    if (list === undefined) found.set(stage.actor, [stage]);
    else list.push(stage);
  }
  return [...found].map(([actor, stages]) => ({
    actor,
    stages,
    added: stages.reduce((sum, stage) => sum + stage.added, 0),
    removed: stages.reduce((sum, stage) => sum + stage.removed, 0),
  }));
}

export interface Difference {
  readonly seq: number;
  readonly added: number;
  readonly removed: number;
  readonly fresh: ReadonlySet<string>;
  readonly gone: ReadonlyMap<string, readonly string[]>; // by part
}

export const NO_DIFFERENCE: Difference = { seq: 0, added: 0, removed: 0, fresh: new Set(), gone: new Map() };

/** What the last change did to one node's rules. A change of mode replaces everything: then nothing is marked. */
export function lastDifference(history: readonly Told[], node: string): Difference {
  const told = history.findLast((one) => one.event.type === "changed");
  if (told === undefined || told.event.type !== "changed" || told.event.by === "set_mode") return NO_DIFFERENCE;
  const stage = told.event.stages.find((one) => one.actor === "kube-proxy" && one.place === node);
  if (stage === undefined) return { ...NO_DIFFERENCE, seq: told.seq };
  const fresh = new Set<string>();
  const gone = new Map<string, string[]>();
  for (const line of stage.lines) {
    if (line.sign === "+") {
      fresh.add(line.text.trim());
      continue;
    }
    const list = gone.get(line.part);
    if (list === undefined) gone.set(line.part, [line.text]);
    else list.push(line.text);
  }
  return { seq: told.seq, added: stage.added, removed: stage.removed, fresh, gone };
}
