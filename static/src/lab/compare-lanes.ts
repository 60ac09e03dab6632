// Rule: <compare-lanes> shows one flow in four modes, aligned where the moments mean the same. Numbers are counts of steps.
import { css, html, LitElement, nothing } from "lit";
import { Localized, t, tOr, type Key } from "../i18n";
import { Follow } from "../playback";
import { momentSentence } from "../sentences";
import type { Moment } from "../timeline";
import { destinationOf, sourceOf } from "../trace";
import { indexAt, MILESTONES, odometersAt, phaseAt, type Lane, type Milestone, type Odometers } from "./compare";
import { FollowLab } from "./follow";
import type { Lab } from "./lab";
import { sheet } from "./sheet.css";

const METERS: readonly (keyof Odometers)[] = ["rules", "lookups", "crossings", "connections"];

export class CompareLanes extends LitElement {
  static override properties = { lab: { attribute: false } };
  declare lab: Lab | null;

  constructor() {
    super();
    this.lab = null;
    new Localized(this);
    new FollowLab(this, () => this.lab);
    new Follow(this, () => this.lab?.playback ?? null, ["load", "moment"]);
  }

  protected override render() {
    const lab = this.lab;
    if (lab === null) return nothing;
    if (lab.lanes.length === 0) {
      return html`<div class="empty"><p><strong>${t(lab.busy > 0 ? "compare.working" : "compare.empty")}</strong></p><p>${t("compare.empty.hint")}</p></div>`;
    }
    const chosen = lab.lanes.find((lane) => lane.mode === lab.lane) ?? lab.lanes[0]!;
    const phase = phaseAt(chosen, lab.playback.index);
    const now = new Map(lab.lanes.map((lane) => [lane.mode, lane === chosen ? Math.min(lab.playback.index, lane.last) : indexAt(lane, phase)]));
    const whole = lab.lanes.map((lane) => odometersAt(lane, lane.last));
    const most = Object.fromEntries(METERS.map((meter) => [meter, Math.max(1, ...whole.map((one) => one[meter]))])) as unknown as Odometers;
    return html`<div class="scrolls all">
      <p class="intro" title=${t("compare.intro")}><strong>${lab.lanes[0]!.timeline.trace.flow.place} → ${lab.summary?.target ?? ""}</strong> ${t("compare.intro")}</p>
      <div class="grid" role="group" aria-label=${t("compare.label")}>
        <div class="line heads"><span class="mode"></span>
          ${MILESTONES.map((milestone, column) => html`<span class=${column <= phase + 1e-6 ? "reached" : ""}>${t(`compare.at.${milestone}`)}</span>`)}
        </div>
        ${lab.lanes.map((lane, at) => this.lane(lane, lane === chosen, now.get(lane.mode) ?? 0, whole[at]!, most))}
      </div>
    </div>`;
  }

  private lane(lane: Lane, chosen: boolean, index: number, whole: Odometers, most: Odometers) {
    const sofar = odometersAt(lane, index);
    const moment = lane.timeline.moments[index];
    return html`<div class="lane ${chosen ? "chosen" : ""}" role="group" aria-label=${t(`mode.${lane.mode}`)}>
      <div class="line">
        <button class="mode" type="button" aria-pressed=${chosen} @click=${() => void this.lab!.chooseLane(lane.mode)}>${t(`mode.${lane.mode}`)}</button>
        ${MILESTONES.map((milestone) => this.cell(lane, milestone, index))}
      </div>
      <div class="under">
        <p class="sentence" title=${moment === undefined ? "" : momentSentence(lane.timeline, moment)}>${moment === undefined ? "" : momentSentence(lane.timeline, moment)}</p>
        <dl class="meters">${METERS.map((meter) => html`<div title=${t(`compare.meter.${meter}.hint` as Key)}>
          <dt>${t(`compare.meter.${meter}` as Key)}</dt><dd><b>${sofar[meter]}</b><span class="of">/ ${whole[meter]}</span>
          <svg viewBox="0 0 60 4" preserveAspectRatio="none" aria-hidden="true"><rect class="ground" width="60" height="4" /><rect class="all" width=${(whole[meter] / most[meter]) * 60} height="4" /><rect class="now" width=${(sofar[meter] / most[meter]) * 60} height="4" /></svg></dd></div>`)}</dl>
      </div>
    </div>`;
  }

  private cell(lane: Lane, milestone: Milestone, index: number) {
    const at = lane.at[milestone];
    if (at === null) return html`<span class="cell none" title=${t(`compare.none.${milestone}` as Key)}>${this.absent(lane, milestone)}</span>`;
    const moment = lane.timeline.moments[at]!;
    const state = at === index ? "here" : at < index ? "passed" : "";
    return html`<button class="cell ${state}" type="button" title=${momentSentence(lane.timeline, moment)} aria-label=${`${t(`compare.at.${milestone}`)}: ${what(moment, milestone, lane)}`}
      @click=${() => void this.lab!.chooseLane(lane.mode, at)}><span class="dot" aria-hidden="true"></span><span class="what">${what(moment, milestone, lane)}</span></button>`;
  }

  private absent(lane: Lane, milestone: Milestone): string {
    return milestone === "masqueraded" && lane.timeline.trace.source_seen !== null && !lane.timeline.trace.masqueraded ? t("compare.kept") : "—";
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: flex;
        min-height: 0;
        min-width: 0;
      }
      .all {
        flex: 1;
        min-width: 0;
        padding: 6px var(--space-3);
        overflow: auto;
      }
      .intro {
        font-size: var(--text-s);
        color: var(--ink-2);
        line-height: 1.4;
        white-space: nowrap;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .intro strong {
        font-family: var(--mono);
        font-weight: 600;
        color: var(--ink);
      }
      .grid {
        min-width: 36rem;
      }
      .line {
        display: grid;
        grid-template-columns: 5.9rem repeat(7, minmax(0, 1fr));
        align-items: stretch;
      }
      .heads > span {
        font-size: 11px;
        color: var(--ink-3);
        padding: 2px 4px;
        align-self: end;
        line-height: 1.2;
      }
      .heads .reached {
        color: var(--packet-ink);
        font-weight: 600;
      }
      .lane {
        border: 1px solid var(--line);
        border-radius: var(--round);
        background: var(--sheet);
        margin-bottom: 4px;
      }
      .lane.chosen {
        border-color: var(--blue);
        box-shadow: inset 3px 0 0 var(--blue);
      }
      button.mode {
        text-align: left;
        font-weight: 650;
        font-size: 13px;
        padding-left: 10px;
      }
      button.mode[aria-pressed="true"] {
        background: none;
      }
      .cell {
        position: relative;
        border-radius: 0;
        border: 0;
        padding: 13px 3px 3px 4px;
        text-align: left;
        font-size: 11px;
        line-height: 1.25;
        height: 2.65rem;
        display: block;
        color: var(--ink-3);
        overflow: hidden;
      }
      .cell::before {
        content: "";
        position: absolute;
        left: 0;
        right: 0;
        top: 7px;
        height: 1.5px;
        background: var(--line-2);
      }
      .cell.passed::before {
        background: var(--packet);
      }
      .cell.none::before {
        background: repeating-linear-gradient(90deg, var(--line) 0 3px, transparent 3px 7px);
      }
      .dot {
        position: absolute;
        left: 4px;
        top: 3px;
        width: 9px;
        height: 9px;
        border-radius: 50%;
        background: var(--sheet);
        border: 1.5px solid var(--line-2);
      }
      .passed .dot {
        background: var(--packet);
        border-color: var(--packet);
      }
      .here .dot {
        background: var(--packet);
        border-color: var(--packet);
        box-shadow: 0 0 0 3px var(--vermilion-wash);
      }
      .passed,
      .here {
        color: var(--ink);
      }
      .what {
        display: -webkit-box;
        -webkit-line-clamp: 2;
        -webkit-box-orient: vertical;
        overflow: hidden;
        overflow-wrap: anywhere;
        font-family: var(--mono);
        font-size: 10.5px;
      }
      .under {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: var(--space-3);
        align-items: center;
        padding: 0 8px 3px 10px;
      }
      .sentence {
        font-size: var(--text-s);
        line-height: 1.3;
        color: var(--ink-2);
        display: -webkit-box;
        -webkit-line-clamp: 2;
        -webkit-box-orient: vertical;
        overflow: hidden;
        min-height: 2.6em;
      }
      .meters {
        display: flex;
        gap: var(--space-3);
        margin: 0;
      }
      .meters dt {
        font-size: 10.5px;
        color: var(--ink-3);
        white-space: nowrap;
      }
      .meters dd {
        margin: 0;
        font-variant-numeric: tabular-nums;
        font-size: 12px;
      }
      .meters b {
        font-size: 14px;
      }
      .of {
        color: var(--ink-3);
        margin-left: 3px;
      }
      .meters svg {
        display: block;
        width: 62px;
        height: 4px;
      }
      .ground {
        fill: var(--wash);
      }
      rect.all {
        fill: var(--line-2);
      }
      rect.now {
        fill: var(--packet);
      }
      @media (max-width: 700px) {
        .under {
          grid-template-columns: minmax(0, 1fr);
          gap: 2px;
          position: sticky;
          left: 0;
          width: calc(100vw - 3rem);
        }
      }
    `,
  ];
}

/** The moment in a word or two: the trace's own addresses and names. */
function what(moment: Moment, milestone: Milestone, lane: Lane): string {
  const { detail } = moment;
  switch (milestone) {
    case "sent":
      return sourceOf(moment.before);
    case "vip":
      return detail.kind === "scheduled" ? detail.virtual_server : effect(moment);
    case "chosen":
      return detail.kind === "scheduled" ? detail.real_server : detail.kind === "rule_tried" ? effect(moment) : destinationOf(moment.after);
    case "translated":
      return detail.kind === "translated" ? detail.new : destinationOf(moment.after);
    case "masqueraded":
      return sourceOf(moment.after);
    case "routed":
      return detail.kind === "routed" ? (/(?:via|local) \S+|dev \S+/.exec(detail.route)?.[0] ?? detail.route) : moment.place;
    case "ended":
      return lane.timeline.trace.disposition === "delivered" ? (lane.timeline.trace.endpoint ?? moment.place) : tOr(`outcome.${lane.timeline.trace.disposition}`, "");
  }
}

function effect({ detail }: Moment): string {
  return detail.kind === "rule_tried" ? detail.effect.replace(/^(?:jump|goto) /, "") || detail.chain : "";
}

customElements.define("compare-lanes", CompareLanes);
