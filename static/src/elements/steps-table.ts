// Rule: <steps-table> tells every step of the walk in words. It stands in for the pictures; a row leads to its step.
//
// properties  playback: Playback | null
import { css, html, LitElement, nothing } from "lit";
import { Localized, t, tOr } from "../i18n";
import { Follow, type Playback } from "../playback";
import { glyph, glyphStyle } from "../render/glyphs";
import { legTitle, momentSentence } from "../sentences";
import { destinationOf, sourceOf } from "../trace";
import type { LegSpan, Moment, Timeline } from "../timeline";

export class StepsTable extends LitElement {
  static override properties = { playback: { attribute: false } };
  declare playback: Playback | null;

  constructor() {
    super();
    this.playback = null;
    new Localized(this);
    new Follow(
      this,
      () => this.playback,
      ["load", "moment"],
      (event) => {
        if (event.type === "moment" && this.hasUpdated) this.mark();
        else this.requestUpdate();
      },
    );
  }

  protected override render() {
    const timeline = this.playback?.timeline ?? null;
    if (timeline === null) return html`<p class="none">${t("player.empty")}</p>`;
    return html`<div class="scroll" tabindex="0" role="region" aria-label=${t("table.label")}>
      <table @click=${this.onClick}>
        <thead><tr>
          <th scope="col">${t("table.number")}</th><th scope="col">${t("table.what")}</th>
          <th scope="col">${t("table.hook")}</th><th scope="col">${t("table.sentence")}</th>
        </tr></thead>
        ${timeline.legs.map((leg) => this.leg(timeline, leg))}
      </table>
    </div>`;
  }

  private leg(timeline: Timeline, leg: LegSpan) {
    const packet = timeline.moments[leg.first]!.before;
    const title = t("table.leg", { title: legTitle(leg.title), from: sourceOf(packet), to: destinationOf(packet) });
    return html`<tbody>
      <tr class="leg"><th colspan="4" scope="rowgroup">${title}</th></tr>
      ${leg.hops.map(
        (
          hop,
        ) => html`<tr class="hop"><th colspan="4" scope="rowgroup">${tOr(`place.${hop.kind}`, "")} ${hop.place === hop.kind ? nothing : hop.place}</th></tr>
          ${timeline.moments.slice(hop.first, hop.last + 1).map((moment) => this.row(timeline, moment))}`,
      )}
    </tbody>`;
  }

  private row(timeline: Timeline, moment: Moment) {
    return html`<tr class=${`step ${moment.meaning}`} data-index=${moment.index}>
      <td class="number"><button type="button">${moment.index + 1}</button></td>
      <td class="what"><span>${glyph(moment.meaning)}${tOr(`meaning.${moment.meaning}`, "")}</span></td>
      <td class="hook">${moment.hook?.toUpperCase() ?? ""}</td>
      <td>${momentSentence(timeline, moment)}</td>
    </tr>`;
  }

  protected override updated(): void {
    this.mark();
  }

  private mark(): void {
    this.renderRoot.querySelector("[aria-current]")?.removeAttribute("aria-current");
    const row = this.renderRoot.querySelector<HTMLElement>(`[data-index="${this.playback?.index ?? -1}"]`);
    row?.setAttribute("aria-current", "step");
    const scroll = this.renderRoot.querySelector<HTMLElement>(".scroll");
    if (row === null || scroll === null || this.offsetParent === null) return;
    const top = row.offsetTop - scroll.clientHeight / 2;
    if (
      row.offsetTop < scroll.scrollTop + 30 ||
      row.offsetTop + row.offsetHeight > scroll.scrollTop + scroll.clientHeight
    )
      scroll.scrollTop = top;
  }

  private readonly onClick = (event: Event): void => {
    const row = (event.target as Element).closest<HTMLElement>("[data-index]");
    if (row !== null) this.playback?.seek(Number(row.dataset["index"]));
  };

  static override styles = [
    glyphStyle,
    css`
      :host {
        display: block;
        min-height: 0;
        min-width: 0;
        font: var(--text-s) / 1.5 var(--prose);
        color: var(--ink);
        background: var(--paper);
      }
      .scroll {
        height: 100%;
        overflow: auto;
        position: relative;
      }
      .scroll:focus-visible {
        outline: 2px solid var(--focus);
        outline-offset: -2px;
      }
      table {
        border-collapse: collapse;
        width: 100%;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--paper);
        color: var(--ink-2);
        border-bottom: 1px solid var(--line-2);
        z-index: 1;
      }
      th {
        text-align: left;
        font-weight: 600;
        padding: var(--space-1) var(--space-2);
      }
      td {
        padding: 2px var(--space-2);
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      .leg th {
        padding-top: var(--space-4);
        font-size: var(--text-m);
      }
      .hop th {
        color: var(--ink-2);
        background: var(--wash);
      }
      .number {
        width: 3em;
      }
      button {
        all: unset;
        cursor: pointer;
        font-variant-numeric: tabular-nums;
        color: var(--ink-3);
        min-width: 2em;
        text-align: right;
      }
      button:focus-visible {
        outline: 2px solid var(--focus);
      }
      .what span {
        display: flex;
        align-items: center;
        gap: var(--space-1);
        white-space: nowrap;
        color: var(--ink-2);
      }
      .hook {
        color: var(--ink-3);
      }
      .step {
        cursor: pointer;
      }
      .step:hover td {
        background: var(--wash);
      }
      .step.miss td,
      .step.return td {
        color: var(--ink-3);
      }
      .step[aria-current] td {
        background: var(--vermilion-wash);
        color: var(--ink);
      }
      .step[aria-current] button {
        color: inherit;
      }
      .step[aria-current] td:first-child {
        box-shadow: inset 3px 0 var(--packet);
      }
      .none {
        color: var(--ink-2);
        text-align: center;
        padding: var(--space-5);
      }
      @media (max-width: 560px) {
        .hook,
        thead th:nth-child(3) {
          display: none;
        }
        .what span {
          font-size: 0;
        }
      }
    `,
  ];
}

customElements.define("steps-table", StepsTable);
declare global {
  interface HTMLElementTagNameMap {
    "steps-table": StepsTable;
  }
}
