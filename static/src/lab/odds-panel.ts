// Rule: <odds-panel> draws the exact odds of the flow in the send bar, and beside them what a burst counted.
import { css, html, LitElement, nothing } from "lit";
import type { Ends as ApiEnds } from "../api";
import { Localized, t, tOr } from "../i18n";
import type { LabState } from "../state";
import type { OutcomeView } from "../wire";
import { protocolOf } from "./complete";
import { FollowLab } from "./follow";
import type { Lab } from "./lab";
import { barsOfBurst, barsOfOdds, percent, scaleOf, type Bar } from "./odds";
import { says } from "./served";
import { sheet } from "./sheet.css";

const MOST_BARS = 60;

export class OddsPanel extends LitElement {
  static override properties = { lab: { attribute: false }, odds: { state: true }, failed: { state: true } };
  declare lab: Lab | null;
  declare private odds: readonly OutcomeView[] | null;
  declare private failed: string | null;
  private asked = "";
  private abort: AbortController | null = null;

  constructor() {
    super();
    this.lab = null;
    this.odds = null;
    this.failed = null;
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.abort?.abort();
    this.asked = "";
  }

  protected override willUpdate(): void {
    const { lab } = this;
    if (lab?.state == null) return;
    const { source, target, via } = lab.ends;
    const protocol = lab.ends.protocol ?? protocolOf(lab.state, target.trim());
    const changed = lab.state.history.findLast((told) => told.event.type === "changed" || told.event.type === "waited")?.seq ?? 0;
    const ends = { source: source.trim(), target: target.trim(), protocol, via: via.trim() || null };
    const asked = JSON.stringify([ends, changed]);
    if (asked === this.asked || ends.source === "" || ends.target === "") return;
    this.asked = asked;
    this.fetch(lab, ends);
  }

  private fetch(lab: Lab, ends: ApiEnds): void {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    lab.api.outcomes(ends, abort.signal).then(
      (odds) => {
        this.odds = odds;
        this.failed = null;
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        this.odds = null;
        this.failed = error instanceof Error ? error.message : "";
      },
    );
  }

  protected override render() {
    const { lab } = this;
    const state = lab?.state ?? null;
    if (lab === null || state === null) return nothing;
    const burst = state.bursts.find((one) => one.seq === lab.burst) ?? null;
    const mine = burst !== null && burst.source === lab.ends.source && burst.target === lab.ends.target;
    return html`<div class="scrolls all" tabindex="0" role="region" aria-label=${t("odds.label")}>
      ${burst === null ? nothing : this.burst(burst, state)}
      ${mine ? nothing : html`<section>
        <h2>${t("odds.exact")}</h2><p class="flow">${lab.ends.source} → ${lab.ends.target}</p>
        ${this.failed !== null ? html`<p class="wrong">${says(this.failed)}</p>` : this.odds === null ? html`<p class="quiet small">${t("odds.loading")}</p>` : this.chart(barsOfOdds(this.odds), null)}
        <p class="quiet small">${t("odds.exact.hint")}</p></section>`}
      ${burst === null ? html`<section class="empty"><p><strong>${t("odds.empty")}</strong></p><p>${t("odds.empty.hint")}</p></section>` : nothing}
    </div>`;
  }

  private burst(burst: LabState["bursts"][number], state: LabState) {
    const bars = barsOfBurst(burst.results, burst.count);
    return html`<section>
      <h2>${t("odds.burst", { count: burst.count })} <span class="quiet">${t(`mode.${burst.mode}`)}</span></h2>
      <p class="flow">${burst.source} → ${burst.target}</p>
      ${this.chart(bars, burst.count)}
      <p class="legend small"><span class="swatch bar"></span>${t("odds.counted")} <span class="swatch tick"></span>${t("odds.expected")}</p>
      ${burst.mode !== state.mode ? html`<p class="quiet small">${t("odds.otherMode", { mode: t(`mode.${burst.mode}`) })}</p>` : nothing}
    </section>`;
  }

  private chart(bars: readonly Bar[], count: number | null) {
    const end = scaleOf(bars);
    return html`<table class="chart"><thead class="unseen"><tr><th>${t("odds.outcome")}</th><th>${t("odds.counted")}</th><th>${t("odds.expected")}</th></tr></thead>
      <tbody>${bars.slice(0, MOST_BARS).map((bar) => html`<tr class=${bar.outcome}>
        <th scope="row"><span class="mark" aria-hidden="true">${bar.outcome === "delivered" ? "✓" : "✗"}</span>
          <span class="end">${bar.outcome === "delivered" ? bar.endpoint : tOr(`outcome.${bar.outcome}`, bar.outcome)}</span>
          <span class="number">${bar.count === null ? bar.probability : bar.count.toLocaleString()}</span></th>
        <td><svg viewBox="0 0 200 14" preserveAspectRatio="none" aria-hidden="true">
          <rect class="ground" width="200" height="14" /><rect class="bar" width=${((count === null ? bar.share : bar.counted) / end) * 200} height="14" />
</svg>
          <span class="tick" .style=${`left:${((bar.share / end) * 100).toFixed(2)}%`} ?hidden=${count === null}></span></td>
        <td class="small">${count === null ? percent(bar.share) : t("odds.compare", { got: percent(bar.counted), exact: bar.probability, share: percent(bar.share) })}</td>
      </tr>`)}</tbody></table>`;
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .all {
        flex: 1;
        min-height: 0;
      }
      section {
        padding: var(--space-3);
        border-bottom: 1px solid var(--line);
      }
      section.empty {
        border: 0;
      }
      .flow {
        font-family: var(--mono);
        font-size: 11px;
        color: var(--ink-2);
        margin: 2px 0 var(--space-2);
        overflow-wrap: anywhere;
      }
      .wrong {
        color: var(--vermilion-ink);
        font-size: var(--text-s);
        line-height: 1.4;
      }
      .chart,
      .chart tbody,
      .chart tr,
      .chart th,
      .chart td {
        display: block;
        padding: 0;
        font-weight: 400;
        text-align: left;
      }
      .chart tr {
        margin-bottom: 9px;
      }
      .chart th {
        display: flex;
        gap: 5px;
        font-size: 12px;
      }
      .chart td {
        position: relative;
      }
      .mark {
        color: var(--green-ink);
      }
      tr:not(.delivered) .mark {
        color: var(--vermilion-ink);
      }
      .end {
        font-family: var(--mono);
        font-size: 11.5px;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .number {
        margin-left: auto;
        font-variant-numeric: tabular-nums;
        font-weight: 600;
      }
      svg {
        display: block;
        width: 100%;
        height: 12px;
        margin: 2px 0;
      }
      .ground {
        fill: var(--wash);
      }
      rect.bar {
        fill: var(--green);
      }
      tr:not(.delivered) rect.bar {
        fill: var(--vermilion);
      }
      .tick {
        position: absolute;
        top: -3px;
        height: 18px;
        width: 2px;
        margin-left: -1px;
        background: var(--ink);
        outline: 1px solid var(--sheet);
      }
      td.small {
        color: var(--ink-3);
        font-size: 11px;
        font-variant-numeric: tabular-nums;
      }
      .legend {
        display: flex;
        gap: 5px;
        align-items: center;
        color: var(--ink-2);
      }
      .swatch {
        width: 12px;
        height: 9px;
        background: var(--green);
        display: inline-block;
      }
      .swatch.tick {
        position: static;
        width: 2px;
        height: 12px;
        margin-left: 8px;
        outline: 0;
      }
    `,
  ];
}

customElements.define("odds-panel", OddsPanel);
