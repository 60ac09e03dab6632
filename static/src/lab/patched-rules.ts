// Rule: the rules on screen take a change's own lines at once, as the change tells them; the node's whole text follows. Pure.
import type { KernelView, RuleChange, RuleLine, RulesPart, RulesView, Stage } from "../wire";

/** The view after a kube-proxy stage. Lines that are new have no number until the whole text has come. */
export function patchedRules(view: RulesView, stage: Stage, seq: number): RulesView {
  const parts = view.parts.map((part) => {
    const changes = stage.lines.filter((line) => line.part === part.part);
    return changes.length === 0 ? part : { ...part, lines: patchedLines(part.lines, changes) };
  });
  return { ...view, seq, parts };
}

function patchedLines(lines: readonly RuleLine[], changes: readonly RuleChange[]): RuleLine[] {
  const gone = new Map<string, number>();
  const come = new Map<string, RuleChange[]>();
  for (const change of changes) {
    if (change.sign === "-") gone.set(idOf(change), (gone.get(idOf(change)) ?? 0) + 1);
    else if (come.has(change.place)) come.get(change.place)!.push(change);
    else come.set(change.place, [change]);
  }
  const kept = lines.filter((line) => {
    const id = `${placeOf(line)}\n${line.text.trim()}`;
    const left = gone.get(id) ?? 0;
    if (left > 0) gone.set(id, left - 1);
    return left === 0;
  });
  return inserted(kept, come);
}

/** New lines after the last of their place; those of a new place at the end of its table. Old logs tell no origins. */
function inserted(lines: readonly RuleLine[], come: ReadonlyMap<string, readonly RuleChange[]>): RuleLine[] {
  const last = new Map<string, number>();
  lines.forEach((line, at) => {
    if (line.number > 0 || line.text.trim() !== "}") last.set(placeOf(line), at);
    if (line.table !== "") last.set(line.table, at);
  });
  const after = new Map<number, RuleLine[]>();
  for (const [place, changes] of come) {
    const [table, chain] = splitPlace(place);
    const at = last.get(place) ?? last.get(table) ?? lines.length - 1;
    const fresh = changes.map((change) => ({ text: change.text, table, chain, number: 0, hits: 0, origins: change.origins ?? [] }));
    after.set(at, [...(after.get(at) ?? []), ...fresh]);
  }
  return lines.flatMap((line, at) => [line, ...(after.get(at) ?? [])]);
}

function placeOf(line: RuleLine): string {
  return `${line.table} ${line.chain}`.trim();
}

function splitPlace(place: string): readonly [string, string] {
  const at = place.lastIndexOf(" ");
  return at < 0 ? [place, ""] : [place.slice(0, at), place.slice(at + 1)];
}

function idOf(change: RuleChange): string {
  return `${change.place}\n${change.text.trim()}`;
}

/** What the kernel holds, as parts below the rules. */
export function withKernel(view: RulesView, kernel: KernelView | null): RulesView {
  if (kernel === null || kernel.node !== view.node) return view;
  const part = (name: string, heading: string, lines: readonly string[]): RulesPart[] =>
    lines.length === 0 ? [] : [{ part: name, heading, lines: lines.map((text) => ({ text, table: "", chain: "", number: 0, hits: 0, origins: [] })) }];
  return {
    ...view,
    parts: [
      ...view.parts,
      ...part("conntrack", "conntrack -L", kernel.conntrack),
      ...part("ipvs-servers", "ipvsadm -Ln", kernel.servers),
      ...part("ipvs-connections", "ipvsadm -Lcn", kernel.connections),
    ],
  };
}
