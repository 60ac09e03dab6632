// Rule: <rules-panel> shows a node's real text. Only the rows in sight are drawn; what a rule did is the trace's word.
import { html, LitElement, nothing, type TemplateResult } from "lit";
import { guard } from "lit/directives/guard.js";
import { repeat } from "lit/directives/repeat.js";
import { Localized, t } from "../i18n";
import { Follow } from "../playback";
import type { RuleLine, RulesView } from "../wire";
import { fieldOfOrigin, madeBy } from "./blame";
import { lastDifference, NO_DIFFERENCE, type Difference } from "./changes";
import { FollowLab } from "./follow";
import { ICONS } from "./icons";
import type { Lab } from "./lab";
import { latest, ruleInPlay, serverInPlay, trialsOf, type Trials } from "./marks";
import { rulesOfWalk } from "./marked-rules";
import { drawLine, drawOrigins, drawRow } from "./rules-drawing";
import { heightOf, partsOf, rowAt, rowOfRule, rowOfServer, ROW, rowsOf, type Block, type Part, type Row, type Rows } from "./rows";
import { rulesStyle } from "./rules-panel.css";
import { RulesSource } from "./rules-source";
import { says } from "./served";
import { sheet } from "./sheet.css";

const GUTTER = 46; // pixels: marks and hits
const AROUND = 12; // rows drawn beyond what is in sight
const MANY = 160; // lines; with more, chains that the walk did not meet begin folded
const NO_TRIALS: Trials = new Map();

export class RulesPanel extends LitElement {
  static override styles = [sheet, rulesStyle];
  static override properties = {
    lab: { attribute: false },
    search: { state: true },
    service: { state: true },
    top: { state: true },
    copied: { state: true },
    asWalk: { state: true },
  };
  declare lab: Lab | null;
  declare private search: string;
  declare private service: string | null;
  declare private top: number;
  declare private copied: boolean;
  declare private asWalk: boolean | null; // null: as fits the walk

  private readonly source = new RulesSource(() => this.requestUpdate());
  private readonly folds = new Map<string, boolean>();
  private rows: Rows = { rows: [], tops: new Float64Array(1), lines: 0 };
  private rowsKey: readonly unknown[] = [];
  private parts: readonly Part[] = [];
  private partsOf: RulesView | null = null;
  private trials: Trials = NO_TRIALS;
  private trialsKey: readonly unknown[] = [];
  private size = { width: 0, height: 0 };
  private columns = 60;
  private letter = 0;
  private resize: ResizeObserver | null = null;
  private inPlay = -1;
  private still = 0; // until when the person scrolls by hand

  constructor() {
    super();
    this.lab = null;
    this.search = "";
    this.service = null;
    this.top = 0;
    this.copied = false;
    this.asWalk = null;
    new Localized(this);
    new FollowLab(this, () => this.lab, ["change", "hover"]);
    new Follow(this, () => this.lab?.playback ?? null, ["load", "moment"]);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.resize = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      this.size = { width, height };
      this.requestUpdate();
    });
    void this.updateComplete.then(() => this.resize?.observe(this.scroller!));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resize?.disconnect();
    this.source.stop();
  }

  focusSearch(): void {
    this.renderRoot.querySelector<HTMLInputElement>("input.search")?.focus();
  }

  filterBy(service: string | null): void {
    this.service = service;
  }

  // ---- what is shown -------------------------------------------------------------------------------------

  protected override willUpdate(): void {
    const lab = this.lab;
    if (lab?.state == null || lab.node === null) return;
    this.source.want(lab.api, lab.node, lab.state);
    const { timeline, moment } = lab.playback;
    const trialsKey = [timeline, moment?.leg, lab.node];
    if (differ(trialsKey, this.trialsKey)) {
      this.trialsKey = trialsKey;
      this.trials = timeline === null || moment === null ? NO_TRIALS : trialsOf(timeline, moment.leg, lab.node);
    }
    const view = this.viewNow();
    if (view !== this.partsOf) {
      this.partsOf = view;
      this.parts = view === null ? [] : partsOf(view);
    }
    this.columns = Math.max(24, Math.floor((this.size.width - GUTTER - 14) / (this.letter || 6.6)));
    const difference = this.difference();
    const rowsKey = [this.parts, this.trials, this.search, this.service, this.columns, difference.seq, this.folds.size, this.foldCount];
    if (differ(rowsKey, this.rowsKey)) {
      this.rowsKey = rowsKey;
      this.rows = this.laidOut(difference);
    }
    if (timeline === null || moment === null || moment.place !== lab.node) this.inPlay = -1;
    else if (moment.detail.kind === "scheduled") this.inPlay = rowOfServer(this.rows, serverInPlay(timeline, moment.index));
    else this.inPlay = rowOfRule(this.rows, ruleInPlay(timeline, moment.index, lab.node));
    this.aimAtInPlay();
  }
  private foldCount = 0;
  private walkKey: readonly unknown[] = [];
  private walk: RulesView | null = null;

  /** The node's own text, or the walk's own rules where the node's have changed since. */
  private viewNow(): RulesView | null {
    const timeline = this.lab!.playback.timeline;
    if (!this.showsWalk || timeline === null) return this.source.view;
    const key = [timeline, this.lab!.node];
    if (differ(key, this.walkKey)) {
      this.walkKey = key;
      this.walk = rulesOfWalk(timeline, this.lab!.node!);
    }
    return this.walk;
  }

  private get isOfAnotherMode(): boolean {
    const { state, playback } = this.lab!;
    return playback.timeline !== null && playback.timeline.trace.mode !== state?.mode;
  }

  private get showsWalk(): boolean {
    return this.asWalk ?? this.isOfAnotherMode;
  }

  private difference(): Difference {
    const { state, node } = this.lab!;
    return this.showsWalk || state === null || node === null ? NO_DIFFERENCE : lastDifference(state.history, node);
  }

  private laidOut(difference: Difference): Rows {
    const many = this.parts.reduce((sum, part) => sum + part.lines, 0) > MANY;
    const met = new Set([...this.trials.values()].flatMap((trials) => trials.map(({ rule }) => `${rule.table} ${rule.chain}`)));
    return rowsOf(this.parts, {
      search: this.search,
      service: this.service,
      columns: this.columns,
      trials: this.trials,
      fresh: difference.fresh,
      gone: difference.gone,
      folded: (block) => this.folds.get(block.id) ?? this.foldedAtFirst(block, many, met, difference),
    });
  }

  private foldedAtFirst(block: Block, many: boolean, met: ReadonlySet<string>, difference: Difference): boolean {
    if (block.kind === "declared") return true;
    if (difference.fresh.size > 0 && block.lines.some((line) => difference.fresh.has(line.text.trim()))) return false;
    const first = block.lines.find((line) => line.number > 0) ?? block.lines[0];
    return many && block.kind === "chain" && !met.has(`${first?.table ?? ""} ${first?.chain ?? ""}`);
  }

  // ---- drawing -------------------------------------------------------------------------------------------

  protected override render() {
    const lab = this.lab;
    if (lab?.state == null) return nothing;
    return html`
      <header>
        <h2>${t("rules.title")}</h2>
        ${this.nodePicker(lab)}
        <span class="grow"></span>
        ${this.differenceChip()}
        <button class="icon" type="button" title=${t("rules.copy")} aria-label=${t("rules.copy")} @click=${this.copy}>
          ${this.copied ? "✓" : ICONS.copy}
        </button>
      </header>
      <div class="filters">
        <input class="search" type="search" placeholder=${t("rules.search")} aria-label=${t("rules.search")} title=${t("rules.search.key")}
          .value=${this.search} maxlength="200" @input=${(event: Event) => this.onSearch(event)} />
        <select aria-label=${t("rules.service")} @change=${(event: Event) => (this.service = (event.target as HTMLSelectElement).value || null)}>
          <option value="" ?selected=${this.service === null}>${t("rules.allServices")}</option>
          ${guard([lab.state.services, this.service], () => [...lab.state!.services.values()].map((service) => {
            const name = `${service.namespace}/${service.name}`;
            return html`<option value=${name} ?selected=${name === this.service}>${name}</option>`;
          }))}
        </select>
      </div>
      ${this.banner()}
      <div class="pane scrolls" tabindex="0" role="region" aria-label=${t("rules.of", { node: lab.node ?? "" })}
        @scroll=${this.onScroll} @wheel=${this.byHand} @pointerdown=${this.byHand} @keydown=${this.byHand}
        @mouseleave=${() => lab.hover(null)}>
        <span class="ruler" aria-hidden="true">0000000000</span>
        ${this.rows.rows.length === 0 ? this.nothingHere() : this.inSight()}
      </div>
      ${this.foot()}`;
  }

  private nodePicker(lab: Lab) {
    const names = [...lab.state!.nodes.keys()];
    return html`
      <select class="node" aria-label=${t("rules.node")} @change=${(event: Event) =>
        lab.showRulesOf((event.target as HTMLSelectElement).value, true)}>
        ${names.map((name) => html`<option value=${name} ?selected=${name === lab.node} .selected=${name === lab.node}>${name}</option>`)}
      </select>
      <button class="icon pin" type="button" aria-pressed=${!lab.nodePinned} title=${t("rules.follow")} aria-label=${t("rules.follow")}
        @click=${() => this.togglePin()}>
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M8 2.2v3M8 10.8v3M2.2 8h3M10.8 8h3M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z" /></svg>
      </button>`;
  }

  private togglePin(): void {
    const lab = this.lab!;
    lab.nodePinned = !lab.nodePinned;
    if (!lab.nodePinned) lab.playback.dispatchEvent(new Event("moment"));
    lab.tell();
  }

  private differenceChip() {
    const { added, removed } = this.difference();
    if (added === 0 && removed === 0) return nothing;
    return html`<button class="delta" type="button" title=${t("rules.delta.hint")} @click=${() => this.showFresh()}>
      ${added > 0 ? html`<span class="plus">+${added}</span>` : nothing} ${removed > 0 ? html`<span class="minus">−${removed}</span>` : nothing}</button>`;
  }

  /** The next line that the last change wrote or took away; after the last, the first. */
  private showFresh(): void {
    const isFresh = (row: Row): boolean => row.kind === "gone" || (row.kind === "line" && row.fresh);
    const { rows, tops } = this.rows;
    const below = rows.findIndex((row, at) => isFresh(row) && tops[at]! > this.top + this.size.height / 3 + 1);
    const at = below >= 0 ? below : rows.findIndex(isFresh);
    if (at < 0 || this.scroller === null) return;
    this.byHand();
    this.scroller.scrollTop = Math.max(0, tops[at]! - this.size.height / 3);
  }

  private banner() {
    const lab = this.lab!;
    if (this.showsWalk) {
      const mode = t(`mode.${lab.playback.timeline!.trace.mode as "iptables"}`);
      return html`<p class="banner">${t("rules.walk", { mode })}
        ${this.isOfAnotherMode ? nothing : html`<button type="button" @click=${() => (this.asWalk = null)}>${t("rules.walk.back")}</button>`}</p>`;
    }
    if (this.source.view === null || this.trials.size === 0 || this.isFound()) return nothing;
    return html`<p class="banner">${t("rules.stale")}
      <button type="button" @click=${() => (this.asWalk = true)}>${t("rules.stale.show")}</button></p>`;
  }
  private foundKey: readonly unknown[] = [];
  private found = true;

  /** Does the node's text still have the rules that the walk matched here? */
  private isFound(): boolean {
    const key = [this.partsOf, this.trials];
    if (differ(key, this.foundKey)) {
      this.foundKey = key;
      const there = new Set(this.partsOf?.parts.flatMap((part) => part.lines.map((line) => line.text.trim())));
      this.found = [...this.trials.values()].every((trials) =>
        trials.every(({ rule }) => !rule.matched || there.has(rule.text.trim())));
    }
    return this.found;
  }

  private nothingHere() {
    if (this.source.failed !== null) return html`<div class="empty"><p><strong>${t("rules.failed")}</strong></p><p>${says(this.source.failed)}</p></div>`;
    if (this.source.view === null) return html`<div class="empty quiet">${t("rules.loading")}</div>`;
    if (this.search !== "" || this.service !== null) {
      return html`<div class="empty"><p><strong>${t("rules.noneFound")}</strong></p>
        <p><button class="framed" type="button" @click=${() => { this.search = ""; this.service = null; }}>${t("rules.showAll")}</button></p></div>`;
    }
    return html`<div class="empty"><p><strong>${t("rules.none")}</strong></p><p>${t("rules.none.hint")}</p></div>`;
  }

  private inSight(): TemplateResult {
    const { rows, tops } = this.rows;
    const first = Math.max(0, rowAt(tops, this.top) - AROUND);
    const last = Math.min(rows.length, rowAt(tops, this.top + this.size.height) + AROUND);
    const shown = rows.slice(first, last).map((row, at) => ({ row, at: first + at }));
    return html`<div class="sheet" .style=${`height:${tops[rows.length]}px`}>
      ${repeat(shown, ({ row }) => row.key, ({ row, at }) => this.drawRow(row, tops[at]!, at))}
    </div>`;
  }

  private drawRow(row: Row, top: number, at: number) {
    const style = `transform:translateY(${top}px);height:${heightOf(row)}px`;
    if (row.kind !== "line") return drawRow(row, style, this.columns, (block, open) => this.fold(block, open));
    const { line } = row;
    const trial = latest(row.trials, this.lab!.playback.index);
    return drawLine(row, trial, {
      style,
      columns: this.columns,
      inPlay: at === this.inPlay,
      lit: this.isLit(line),
      hover: () => this.hoverLine(line),
      open: () => this.openOrigin(line),
    });
  }

  private isLit(line: RuleLine): boolean {
    const { hovered, state } = this.lab!;
    if (hovered === null || hovered.from !== "yaml" || state === null) return false;
    return hovered.fields.some((field) => madeBy(line, field, state));
  }

  private hoverLine(line: RuleLine): void {
    const lab = this.lab!;
    const fields = line.origins.flatMap((origin) => fieldOfOrigin(origin, lab.state!) ?? []);
    this.about = line.origins.length === 0 ? null : line;
    lab.hover({ from: "rules", fields });
  }
  private about: RuleLine | null = null;

  private openOrigin(line: RuleLine): void {
    const lab = this.lab!;
    const field = line.origins.flatMap((origin) => fieldOfOrigin(origin, lab.state!) ?? [])[0];
    if (field !== undefined && getSelection()?.toString() === "") lab.select(field.document);
  }

  /** What made the rule under the pointer, else the rule in play. */
  private foot() {
    const lab = this.lab!;
    const row = this.rows.rows[this.inPlay];
    const line = lab.hovered?.from === "rules" ? this.about : row?.kind === "line" ? row.line : null;
    return drawOrigins(line, (origin) => fieldOfOrigin(origin, lab.state!), (document) => lab.select(document));
  }

  // ---- moving --------------------------------------------------------------------------------------------

  protected override updated(): void {
    if (this.letter === 0) {
      const ruler = this.renderRoot.querySelector(".ruler");
      const width = (ruler?.getBoundingClientRect().width ?? 0) / 10;
      if (width > 0) {
        this.letter = width;
        this.requestUpdate();
      }
    }
    if (this.aim !== null && this.scroller !== null) this.scroller.scrollTop = this.aim;
    this.aim = null;
  }
  private aim: number | null = null; // where to scroll to, once it is drawn
  private shownAt = -2;
  private shownIn: Rows | null = null;

  /** Before drawing, so that only the rows there are drawn. */
  private aimAtInPlay(): void {
    if (this.inPlay === this.shownAt && this.rows === this.shownIn) return;
    this.shownAt = this.inPlay;
    this.shownIn = this.rows;
    if (this.inPlay < 0 || this.size.height === 0 || performance.now() < this.still) return;
    const top = this.rows.tops[this.inPlay]!;
    const bottom = this.rows.tops[this.inPlay + 1]!;
    if (top >= this.top + ROW.fold && bottom <= this.top + this.size.height - 8) return;
    const most = this.rows.tops.at(-1)! - this.size.height;
    this.aim = Math.round(Math.max(0, Math.min(most, top - this.size.height / 3)));
    this.top = this.aim;
  }

  private get scroller(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>(".pane");
  }

  private readonly onScroll = (): void => {
    this.top = this.scroller?.scrollTop ?? 0;
  };

  private readonly byHand = (): void => {
    this.still = performance.now() + 2500;
  };

  private onSearch(event: Event): void {
    this.search = (event.target as HTMLInputElement).value;
    if (this.scroller !== null) this.scroller.scrollTop = 0;
  }

  private fold(block: Block, open: boolean): void {
    this.folds.set(block.id, open);
    this.foldCount += 1;
    this.requestUpdate();
  }

  private readonly copy = async (): Promise<void> => {
    const picked = this.search !== "" || this.service !== null;
    const text = picked
      ? this.rows.rows.flatMap((row) => (row.kind === "line" ? [row.line.text] : [])).join("\n")
      : (this.viewNow()?.parts.map((part) => `${part.heading === "" ? "" : `# ${part.heading}\n`}${part.lines.map((line) => line.text).join("\n")}`).join("\n\n") ?? "");
    try {
      await navigator.clipboard.writeText(`${text}\n`);
      this.copied = true;
      setTimeout(() => (this.copied = false), 1500);
    } catch {
      this.lab?.say("wrong", [t("lab.noClipboard")]);
    }
  };
}

function differ(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length !== b.length || a.some((one, at) => one !== b[at]);
}

customElements.define("rules-panel", RulesPanel);
declare global {
  interface HTMLElementTagNameMap {
    "rules-panel": RulesPanel;
  }
}
