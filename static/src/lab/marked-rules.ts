// Rule: a node's rules as far as one walk tells them: for a walk of another mode, or from before a change. Pure.
import type { Timeline } from "../timeline";
import type { RuleTried } from "../trace";
import type { Mode, RuleLine, RulesView } from "../wire";

/** The rules that a walk tried at a node, in the order of their chains' first use. */
export function rulesOfWalk(timeline: Timeline, node: string): RulesView {
  const chains = new Map<string, Map<number, RuleTried>>();
  const add = (rule: RuleTried): void => {
    const id = `${rule.table} ${rule.chain}`;
    const rules = chains.get(id) ?? new Map<number, RuleTried>();
    chains.set(id, rules);
    rules.set(rule.number, rule);
  };
  for (const moment of timeline.moments) {
    if (moment.place !== node) continue;
    if (moment.detail.kind === "rule_tried") add(moment.detail);
    if (moment.detail.kind === "rules_missed") for (const rule of moment.detail.rules ?? []) add(rule);
  }
  const lines = [...chains.values()].flatMap((rules) => [...rules.values()].sort((a, b) => a.number - b.number).map(lineOf));
  return {
    seq: -1,
    node,
    mode: timeline.trace.mode as Mode,
    parts: lines.length === 0 ? [] : [{ part: "walk", heading: "", lines }],
  };
}

function lineOf(rule: RuleTried): RuleLine {
  return {
    text: rule.text,
    table: rule.table,
    chain: rule.chain,
    number: rule.number,
    hits: 0,
    origins: rule.origins.map((origin) => ({ ...origin })),
  };
}
