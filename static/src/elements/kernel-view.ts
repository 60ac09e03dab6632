// Rule: <kernel-view> shows the way through one machine's kernel at this moment. It follows the packet unless told a place.
//
// properties  playback: Playback | null     place: string (attribute; "" follows the packet)
import { css, html, LitElement, svg } from "lit";
import { Localized, t } from "../i18n";
import { ROOMS, visitOf, type Room, type Visit } from "../kernel";
import { Follow, type Playback } from "../playback";
import { drawKernel, tokenAt, VIEW } from "../render/kernel";
import { classes } from "../render/map";

export class KernelView extends LitElement {
  static override properties = { playback: { attribute: false }, place: { type: String } };
  declare playback: Playback | null;
  declare place: string;

  constructor() {
    super();
    this.playback = null;
    this.place = "";
    new Localized(this);
    new Follow(this, () => this.playback, ["load", "moment"]);
  }

  protected override render() {
    const timeline = this.playback?.timeline ?? null;
    const moment = this.playback?.moment ?? null;
    if (timeline === null || moment === null) return html`<p class="none">${t("kernel.none")}</p>`;
    const place = this.place || undefined;
    const visit = visitOf(timeline, moment.index, place);
    if (visit === null) return html`<p class="none">${t("kernel.none")}</p>`;
    const kind = timeline.legs[moment.leg]!.hops.find((hop) => hop.place === visit.place)?.kind;
    const remark =
      kind === "pod"
        ? t("kernel.pod", { place: visit.place })
        : kind === "outside"
          ? t("kernel.outside", { place: visit.place })
          : "";
    const token = tokenAt(visit);
    return html`
      <p class="head"><strong>${visit.place}</strong> <span>${remark}</span></p>
      <svg class="wide" viewBox="0 0 ${VIEW.width} ${VIEW.height}" role="img" aria-label=${t("kernel.label", { place: visit.place })}>
        <defs>
          ${["arrow", "arrow-taken"].map(
            (
              id,
            ) => svg`<marker id=${id} class=${id} viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="7" markerHeight="7"
              markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0.5L7,4L0,7.5Z" /></marker>`,
          )}
        </defs>
        ${drawKernel(visit)}
        ${token === null ? "" : svg`<circle class="token" r="7.5" .style=${`transform:translate(${token.x}px,${token.y}px)`} />`}
      </svg>
      <ol class="narrow">${ROOMS.map((id) => this.listed(visit.rooms[id], visit))}</ol>`;
  }

  private listed(room: Room, visit: Visit) {
    return html`<li class=${classes("item", room.state)} aria-current=${room.state === "here" ? "step" : "false"}>
      <strong>${room.title}</strong>
      ${room.why ? html`<span class="why">${room.why}</span>` : ""}
      ${room.rows.map((row) => html`<span class="count">${row.name} ${row.text}</span>`)}
      ${room.id === "input" && visit.ipvs !== null ? html`<span class="count">IPVS → ${visit.ipvs.real}</span>` : ""}
    </li>`;
  }

  static override styles = css`
    :host {
      display: flex;
      flex-direction: column;
      container-type: size;
      font-family: var(--prose);
      color: var(--ink);
      background: var(--paper);
      min-width: 0;
      min-height: 0;
      overflow: hidden;
    }
    .head {
      flex: none;
      margin: 0;
      padding: var(--space-2) var(--space-4) 0;
      font-size: var(--text-s);
      color: var(--ink-2);
      min-height: 1.4em;
    }
    .head strong {
      color: var(--ink);
      font-size: var(--text-m);
      margin-right: var(--space-2);
    }
    .none {
      margin: auto;
      padding: var(--space-5);
      color: var(--ink-2);
      text-align: center;
      max-width: 40ch;
    }
    svg {
      flex: 1;
      min-height: 0;
      width: 100%;
      max-width: 1180px;
      margin: 0 auto;
    }
    text {
      fill: var(--ink);
      font-size: 11.5px;
    }
    .small {
      fill: var(--ink-3);
      font-size: 11px;
    }
    .middle {
      text-anchor: middle;
    }
    .end {
      text-anchor: end;
    }
    .mono {
      font-family: var(--mono);
      font-size: 10.5px;
      fill: var(--ink-2);
    }
    .title {
      font-weight: 600;
      font-size: 12.5px;
      letter-spacing: 0.02em;
    }
    .above {
      fill: var(--wash);
      opacity: 0.7;
    }
    .writer .title {
      fill: var(--ink-2);
      font-weight: 500;
    }
    .border {
      stroke: var(--line-2);
      stroke-dasharray: 7 5;
      fill: none;
    }
    .room rect {
      fill: var(--sheet);
      stroke: var(--line-2);
      stroke-width: 1.2;
    }
    .room.passed rect {
      stroke: var(--packet);
      stroke-width: 1.4;
    }
    .room.here rect {
      stroke: var(--packet);
      stroke-width: 2.6;
    }
    .room.skipped rect,
    .room.quiet rect {
      stroke-dasharray: 3 4;
      fill: none;
    }
    .room.skipped .title,
    .room.quiet .title {
      fill: var(--ink-3);
      font-weight: 500;
    }
    .room.ahead .title {
      fill: var(--ink-2);
    }
    .why {
      fill: var(--ink-3);
      font-size: 10.5px;
      font-style: normal;
    }
    .row .table {
      font-family: var(--mono);
      font-size: 11px;
      fill: var(--ink-2);
    }
    .row .count {
      font-size: 10.5px;
      fill: var(--ink-3);
    }
    .skipped .row .table {
      fill: var(--ink-3);
    }
    .row.current .table {
      font-weight: 700;
      fill: var(--ink);
    }
    .row.current .count {
      fill: var(--ink);
    }
    .chain {
      fill: var(--packet-ink);
      white-space: pre;
    }
    .effect {
      fill: var(--rewrite);
    }
    .state {
      font-family: var(--mono);
      font-weight: 400;
      font-size: 10.5px;
      fill: var(--ink-2);
    }
    .flow {
      fill: none;
      stroke: var(--line-2);
      stroke-width: 1.4;
    }
    .flow.taken {
      stroke: var(--packet);
      stroke-width: 2.2;
    }
    .arrow path {
      fill: var(--line-2);
    }
    .arrow-taken path {
      fill: var(--packet);
    }
    .token {
      fill: var(--packet);
      stroke: var(--sheet);
      stroke-width: 2;
    }
    @media (prefers-reduced-motion: no-preference) {
      .token {
        transition: transform 260ms ease-in-out;
      }
    }
    .narrow {
      display: none;
    }
    @container (max-width: 620px) {
      .wide {
        display: none;
      }
      .narrow {
        display: block;
        list-style: none;
        margin: 0;
        padding: var(--space-2) var(--space-3);
        overflow: auto;
      }
      .item {
        display: flex;
        flex-wrap: wrap;
        gap: 0 var(--space-3);
        padding: var(--space-1) var(--space-3);
        border-left: 3px solid var(--line);
        font-size: var(--text-s);
        color: var(--ink-2);
      }
      .item.passed {
        border-color: var(--packet);
      }
      .item.here {
        border-color: var(--packet);
        background: var(--wash);
        color: var(--ink);
      }
      .item.skipped {
        border-left-style: dashed;
        color: var(--ink-3);
      }
    }
  `;
}

customElements.define("kernel-view", KernelView);
declare global {
  interface HTMLElementTagNameMap {
    "kernel-view": KernelView;
  }
}
