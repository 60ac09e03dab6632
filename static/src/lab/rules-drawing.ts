// Rule: one row of rules as it looks: given everything, deciding nothing. Text stays text.
import { html, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { isKey, t } from "../i18n";
import { reason } from "../reasons";
import { effectOf } from "../sentences";
import type { OriginView, RuleLine } from "../wire";
import type { FieldAt } from "./blame";
import { ICONS } from "./icons";
import type { Trial } from "./marks";
import type { Block, Part, Row } from "./rows";
import { brokenRows } from "./tokens";

type LineRow = Extract<Row, { kind: "line" }>;
type FoldRow = Extract<Row, { kind: "fold" }>;

export function drawRow(row: Exclude<Row, LineRow>, style: string, columns: number, fold: (block: Block, open: boolean) => void): TemplateResult {
  switch (row.kind) {
    case "part":
      return html`<div class="row part" .style=${style}><span>${partTitle(row.part)}</span>
        <span class="quiet">${t("rules.lines", { count: row.part.lines })}</span></div>`;
    case "fold":
      return html`<button class="row fold" type="button" aria-expanded=${row.open} .style=${style} @click=${() => fold(row.block, row.open)}>
        <span class="arrow">${ICONS.chevron}</span>
        <span class="name">${row.block.title || t("rules.declared")}</span>
        <span class="quiet">${foldWords(row)}</span></button>`;
    case "gone":
      return html`<div class="row line gone" .style=${style}><span class="gutter" role="img" aria-label=${t("rules.gone")}>−</span>
        <span class="words">${words(row.text, columns)}</span></div>`;
  }
}

export interface LineLook {
  readonly style: string;
  readonly columns: number;
  readonly inPlay: boolean;
  readonly lit: boolean;
  readonly hover: () => void;
  readonly open: () => void;
}

/** `trial`: how the rule was last tried up to now; null: not yet. */
export function drawLine(row: LineRow, trial: Trial | null, look: LineLook): TemplateResult {
  const { line } = row;
  const state = look.inPlay ? (trial?.rule.matched === false ? "inPlay missed" : "inPlay") : trial === null ? "" : trial.rule.matched ? "matched" : "missed";
  return html`<div class="row line ${state} ${look.lit ? "lit" : ""} ${row.fresh ? "fresh" : ""} ${line.number > 0 ? "" : "frame"}" .style=${look.style}
    @mouseenter=${look.hover} @click=${look.open}>
    <span class="gutter"><span class="mark">${look.inPlay ? "▶" : row.fresh ? "+" : glyph(trial)}</span>${
      line.hits > 0 ? html`<span class="hits" title=${t("rules.hits", { count: line.hits })}>${short(line.hits)}</span>` : nothing}</span>
    <span class="words">${guard([line.text, look.columns], () => words(line.text, look.columns))}${why(row.trials, trial)}</span>
  </div>`;
}

/** What made a line: fields of documents that can be opened, or kube-proxy itself. */
export function drawOrigins(line: RuleLine | null, fieldOf: (origin: OriginView) => FieldAt | null, open: (document: string) => void): TemplateResult {
  if (line === null || line.origins.length === 0) return html`<footer class="quiet">${t("rules.blame.hint")}</footer>`;
  const made = line.origins.filter((origin) => origin.kind !== "kube-proxy").slice(0, 2);
  if (made.length === 0) {
    return html`<footer><span class="quiet">${t("rules.madeFrom")}</span><span class="itself">${t("rules.madeItself", { what: line.origins[0]!.field })}</span></footer>`;
  }
  return html`<footer><span class="quiet">${t("rules.madeFrom")}</span>${made.map((origin) => {
    const title = `${origin.kind} ${[origin.namespace, origin.name].filter(Boolean).join("/")} ${origin.field}`;
    const field = fieldOf(origin);
    const said = html`${origin.name === "" ? origin.kind : origin.name} <code>${origin.field}</code>`;
    return field === null ? html`<span class="chip" title=${title}>${said}</span>` :
      html`<button class="chip" type="button" title=${title} @click=${() => open(field.document)}>${said}</button>`;
  })}</footer>`;
}

function foldWords(row: FoldRow) {
  const { block } = row;
  if (block.kind !== "chain") return t("rules.lines", { count: block.lines.length });
  const counted = block.rules > 0 ? t("rules.rules", { count: block.rules }) : t("rules.emptyChain");
  return row.tried > 0 ? html`${counted} · <span class="tried">${t("rules.tried", { count: row.tried })}</span>` : counted;
}

function words(text: string, columns: number) {
  return brokenRows(text, columns).map(({ indent, pieces }) => html`<span class="v">${" ".repeat(indent)}${pieces.map(({ tone, text: word }) =>
    tone === "plain" ? word : html`<span class=${tone}>${word}</span>`)}</span>`);
}

/** Room for it is kept from the beginning; it says something once the packet has been there. */
function why(trials: readonly Trial[], trial: Trial | null) {
  if (trials.length === 0) return nothing;
  if (trial === null) return html`<span class="why">&nbsp;</span>`;
  const { rule } = trial;
  const said = rule.matched ? (rule.effect === "" ? "" : effectOf(rule.effect)) : reason(rule.why);
  return html`<span class="why ${rule.matched ? "yes" : "no"}">${rule.matched ? "✓" : "✗"} ${said}</span>`;
}

function partTitle(part: Part): string {
  const key = `rules.part.${part.part}`;
  return isKey(key) ? t(key) : part.heading;
}

function glyph(trial: Trial | null): string {
  return trial === null ? "" : trial.rule.matched ? "✓" : "·";
}

function short(count: number): string {
  return count < 1000 ? String(count) : count < 10_000 ? `${(count / 1000).toFixed(1)}k` : `${Math.round(count / 1000)}k`;
}
