// Rule: a node's rules as rows to show: blocks that fold, lines that wrap, each row's height known before it is drawn. Pure.
import type { RuleLine, RulesView } from "../wire";
import { ruleId, type Trial, type Trials } from "./marks";
import { rowCount } from "./tokens";

/** Lines that belong together: a chain's rules, a set with its elements, a virtual server with its real servers. */
export interface Block {
  readonly id: string;
  readonly part: string;
  readonly title: string;
  readonly kind: "chain" | "set" | "server" | "declared" | "plain";
  readonly lines: readonly RuleLine[];
  readonly rules: number;
  readonly hits: number;
}

export interface Part {
  readonly part: string;
  readonly heading: string;
  readonly blocks: readonly Block[];
  readonly lines: number;
}

export type Row =
  | { readonly kind: "part"; readonly key: string; readonly part: Part }
  | { readonly kind: "fold"; readonly key: string; readonly block: Block; readonly open: boolean; readonly tried: number; readonly shown: number }
  | { readonly kind: "line"; readonly key: string; readonly line: RuleLine; readonly height: number; readonly trials: readonly Trial[]; readonly fresh: boolean }
  | { readonly kind: "gone"; readonly key: string; readonly text: string; readonly height: number };

export interface Rows {
  readonly rows: readonly Row[];
  readonly tops: Float64Array; // one more than rows: the last is the whole height
  readonly lines: number; // that are shown or folded
}

export const ROW = { text: 17, gap: 3, why: 16, fold: 25, part: 30 } as const; // pixels

export function partsOf(view: RulesView): readonly Part[] {
  return view.parts.map((part) => ({
    part: part.part,
    heading: part.heading,
    blocks: blocksOf(part.part, part.lines),
    lines: part.lines.length,
  }));
}

const OPENS: readonly (readonly [Block["kind"], RegExp])[] = [
  ["chain", /^\s*chain (?<name>\S+)/],
  ["set", /^\s*(?:set|map) (?<name>\S+)/],
  ["set", /^create (?<name>\S+)/],
  ["server", /^-A (?<name>(?:-[tu]|--sctp-service) \S+)/],
];

function blocksOf(part: string, lines: readonly RuleLine[]): Block[] {
  const blocks: Block[] = [];
  let start = 0;
  let title = "";
  let kind: Block["kind"] = "plain";
  const close = (end: number): void => {
    if (end > start) blocks.push(block(part, blocks.length, kind, title, lines.slice(start, end)));
    start = end;
  };
  lines.forEach((line, at) => {
    const next = belongs(line, kind, title, lines[at - 1]);
    if (next === null) return;
    close(at);
    [kind, title] = next;
  });
  close(lines.length);
  return blocks;
}

/** The block that begins with this line; null where the line goes on with the one before. */
function belongs(
  line: RuleLine,
  kind: Block["kind"],
  title: string,
  before: RuleLine | undefined,
): readonly [Block["kind"], string] | null {
  const text = line.text;
  for (const [opens, form] of OPENS) {
    const name = form.exec(text)?.groups?.["name"];
    if (name !== undefined && (opens !== "server" || !/^-A [A-Z]/.test(text))) return [opens, name];
  }
  if (line.number > 0 && !text.startsWith("-A ") && title !== line.chain) return ["chain", line.chain];
  if (/^:/.test(text)) return kind === "declared" ? null : ["declared", ""];
  if (/^-A /.test(text)) {
    const name = line.number > 0 ? line.chain : (/^-A (\S+)/.exec(text)?.[1] ?? "");
    return kind === "chain" && title === name ? null : ["chain", name];
  }
  if (/^\s*}?$/.test(text) && /^\s+}/.test(before?.text ?? "")) return ["plain", ""];
  if (/^(\*|COMMIT|table |}|#)/.test(text)) return kind === "plain" ? null : ["plain", ""];
  return before === undefined ? ["plain", ""] : null;
}

function block(part: string, number: number, kind: Block["kind"], title: string, lines: readonly RuleLine[]): Block {
  const first = lines[0];
  const table = first?.table ? `${first.table} ` : "";
  let rules = 0;
  let hits = 0;
  for (const line of lines) {
    if (line.number > 0) rules += 1;
    hits += line.hits;
  }
  // A chain keeps its id when others come and go, so what was folded stays folded.
  const id = title === "" ? `${part} ${kind} ${number}` : `${part} ${table}${kind} ${title}`;
  return { id, part, title, kind, lines, rules, hits };
}

export interface Wanted {
  readonly search: string;
  readonly service: string | null; // "shop/web"
  readonly columns: number;
  readonly folded: (block: Block) => boolean;
  readonly trials: Trials;
  readonly fresh: ReadonlySet<string>; // texts of lines that the last change added
  readonly gone: ReadonlyMap<string, readonly string[]>; // lines it took away, by part
}

export function rowsOf(parts: readonly Part[], wanted: Wanted): Rows {
  const rows: Row[] = [];
  const words = wanted.search.toLowerCase().split(/\s+/).filter(Boolean);
  const picks = words.length > 0 || wanted.service !== null;
  let lines = 0;
  for (const part of parts) {
    const inside: Row[] = [];
    for (const one of part.blocks) {
      const shown = picks ? one.lines.filter((line) => fits(line, words, wanted.service)) : one.lines;
      if (shown.length === 0) continue;
      lines += shown.length;
      blockRows(inside, one, shown, wanted, picks);
    }
    if (!picks) goneRows(inside, part, wanted);
    if (inside.length === 0) continue;
    rows.push({ kind: "part", key: `part ${part.part}`, part }, ...inside);
  }
  return { rows, tops: topsOf(rows), lines };
}

function blockRows(rows: Row[], one: Block, shown: readonly RuleLine[], wanted: Wanted, picks: boolean): void {
  const folds = one.kind !== "plain";
  const open = picks || !folds || !wanted.folded(one);
  if (folds) {
    const tried = one.lines.filter((line) => line.number > 0 && trialsFor(line, wanted.trials).length > 0).length;
    rows.push({ kind: "fold", key: one.id, block: one, open, tried, shown: shown.length });
  }
  if (!open) return;
  shown.forEach((line, number) => {
    if (line.text.trim() === "") return;
    rows.push({
      kind: "line",
      key: `${one.id} ${number}`,
      line,
      height: rowCount(line.text, wanted.columns),
      trials: trialsFor(line, wanted.trials),
      fresh: wanted.fresh.has(line.text.trim()),
    });
  });
}

function goneRows(rows: Row[], part: Part, wanted: Wanted): void {
  (wanted.gone.get(part.part) ?? []).forEach((text, number) => {
    rows.push({ kind: "gone", key: `gone ${part.part} ${number}`, text, height: rowCount(text, wanted.columns) });
  });
}

const NONE: readonly Trial[] = [];

/** The trials of this very line: IPv4 and IPv6 have tables, chains and numbers of the same names. */
function trialsFor(line: RuleLine, trials: Trials): readonly Trial[] {
  if (line.number === 0 || trials.size === 0) return NONE;
  const found = trials.get(ruleId(line));
  return found !== undefined && sameRule(line.text, found[0]?.rule.text ?? "") ? found : NONE;
}

export function sameRule(line: string, tried: string): boolean {
  return line.trim() === tried.trim() || line.trim().startsWith(`${tried.trim()} #`);
}

export function heightOf(row: Row): number {
  switch (row.kind) {
    case "part":
      return ROW.part;
    case "fold":
      return ROW.fold;
    case "gone":
      return row.height * ROW.text + ROW.gap;
    case "line":
      return row.height * ROW.text + ROW.gap + (saysWhy(row.trials) ? ROW.why : 0);
  }
}

/** Room for the words under a rule is kept from the beginning, so that nothing jumps as the packet comes. */
function saysWhy(trials: readonly Trial[]): boolean {
  return trials.some((trial) => (trial.rule.matched ? trial.rule.effect : trial.rule.why) !== "");
}

function topsOf(rows: readonly Row[]): Float64Array {
  const tops = new Float64Array(rows.length + 1);
  rows.forEach((row, at) => {
    tops[at + 1] = tops[at]! + heightOf(row);
  });
  return tops;
}

/** The first row whose lower edge is below `y`. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tops[middle + 1]! > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function rowOfRule(rows: Rows, rule: { table: string; chain: string; number: number; text: string } | null): number {
  if (rule === null) return -1;
  return rows.rows.findIndex(
    (row) => row.kind === "line" && row.line.number === rule.number && row.line.chain === rule.chain &&
      row.line.table === rule.table && sameRule(row.line.text, rule.text),
  );
}

export function rowOfServer(rows: Rows, text: string | null): number {
  return text === null ? -1 : rows.rows.findIndex((row) => row.kind === "line" && row.line.text.startsWith(`${text} `));
}

function fits(line: RuleLine, words: readonly string[], service: string | null): boolean {
  if (service !== null && !isOf(line, service)) return false;
  if (words.length === 0) return true;
  const text = line.text.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Does the line come from this Service or its endpoints? */
export function isOf(line: RuleLine, service: string): boolean {
  const [namespace, name] = service.split("/");
  return line.origins.some((origin) => {
    if (origin.namespace !== namespace) return false;
    if (origin.kind === "Service" || origin.kind === "Endpoints") return origin.name === name;
    return origin.kind === "EndpointSlice" && (origin.name === name || origin.name.startsWith(`${name ?? ""}-`));
  });
}
