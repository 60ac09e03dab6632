// Rule: <packet-panel> says what this step did to the packet: the sentence, the rule, the fields before and after, the entry.
//
// properties  playback: Playback | null
// events      panel-origin {kind, namespace, name, field}   somebody asked for what made the rule
import { css, html, LitElement, nothing } from "lit";
import { Localized, t, tOr } from "../i18n";
import { entryParts } from "../kernel";
import { changedFields, layersOf, shown, type FieldRow } from "../packetfields";
import { Follow, type Playback } from "../playback";
import { legTitle, momentSentence } from "../sentences";
import { captureAt, entryAt, type Moment, type Timeline } from "../timeline";
import { packetKind, type Capture, type Origin, type RuleTried } from "../trace";
import { glyph, glyphStyle } from "../render/glyphs";

export class PacketPanel extends LitElement {
  static override properties = { playback: { attribute: false } };
  declare playback: Playback | null;

  constructor() {
    super();
    this.playback = null;
    new Localized(this);
    new Follow(this, () => this.playback, ["load", "moment"]);
  }

  protected override render() {
    const timeline = this.playback?.timeline ?? null;
    const moment = this.playback?.moment ?? null;
    if (timeline === null || moment === null) {
      return html`<div class="none"><p><strong>${t("player.empty")}</strong></p><p>${t("player.empty.hint")}</p></div>`;
    }
    return html`<div class="panel">
      <div class="head">
        <p class="where">${glyph(moment.meaning)}<span>${tOr(`meaning.${moment.meaning}`, "")}</span><span class="dim">${this.where(timeline, moment)}</span></p>
        <p class="sentence">${momentSentence(timeline, moment)}</p>
      </div>
      <div class="body">
        <section class="told" tabindex="0" aria-label=${t("panel.told")}>${this.rule(moment)}${this.entry(timeline, moment)}${this.capture(timeline, moment)}</section>
        <section class="fields" tabindex="0" aria-label=${t("panel.fields")}>${this.fields(moment)}</section>
      </div>
    </div>`;
  }

  private where(timeline: Timeline, moment: Moment): string {
    const hook = moment.hook === null ? "" : ` · ${moment.hook.toUpperCase()}`;
    return `${legTitle(timeline.legs[moment.leg]?.title ?? "")} · ${moment.place}${hook}`;
  }

  private rule(moment: Moment) {
    if (moment.detail.kind !== "rule_tried") return nothing;
    const rule = moment.detail;
    return html`<h3>${t("panel.rule")}</h3>
      <p class=${rule.matched ? "rule matched" : "rule"}>${rule.text}</p>
      ${this.made(rule)}`;
  }

  private made(rule: RuleTried) {
    const [origin] = rule.origins;
    if (origin === undefined) return nothing;
    if (origin.kind === "kube-proxy") return html`<p class="dim">${t("panel.madeItself", { what: origin.field })}</p>`;
    const name = origin.namespace ? `${origin.namespace}/${origin.name}` : origin.name;
    return html`<p class="dim">
      <button type="button" class="link" @click=${() => this.ask(origin)}>${t("panel.made", { kind: origin.kind, name })}</button>
      <code>${origin.field}</code>
    </p>`;
  }

  private ask(detail: Origin): void {
    this.dispatchEvent(new CustomEvent("panel-origin", { detail, bubbles: true, composed: true }));
  }

  private entry(timeline: Timeline, moment: Moment) {
    const entry = entryAt(timeline, moment.index);
    if (entry === null) return nothing;
    const parts = entryParts(entry.entry);
    return html`<h3>${t("panel.conntrack")} <span class="state">${entry.state}</span></h3>
      ${
        parts === null
          ? html`<p class="rule">${entry.entry || t("panel.conntrack.none")}</p>`
          : html`<dl class="entry" title=${entry.entry}>
              <dt>${t("panel.conntrack.original")}</dt><dd>${parts.original}</dd>
              <dt>${t("panel.conntrack.reply")}</dt><dd>${parts.reply}</dd>
              <dt>${parts.head}</dt><dd class="dim">${t("panel.conntrack.timeout", { seconds: Number(parts.seconds) })} ${parts.flags}</dd>
            </dl>`
      }`;
  }

  private fields(moment: Moment) {
    const changed = changedFields(moment);
    return html`
      <h3>${packetKind(moment.after)}<span class="state">${changed.size === 0 ? "" : t("panel.changes", { count: changed.size })}</span></h3>
      <table>
        <thead><tr><th scope="col">${t("panel.layer")}</th><th scope="col">${t("panel.field")}</th><th scope="col">${t("panel.before")}</th><th scope="col">${t("panel.after")}</th></tr></thead>
        ${layersOf(moment).map(
          (layer) => html`<tbody>
            ${layer.rows.map((row, number) => this.field(row, number === 0 ? { id: layer.id, rows: layer.rows.length } : null))}
          </tbody>`,
        )}
      </table>`;
  }

  private field(row: FieldRow, layer: { readonly id: string; readonly rows: number } | null) {
    const name = tOr(`field.${row.field}`, row.field);
    const head =
      layer === null
        ? nothing
        : html`<th class="layer" scope="rowgroup" rowspan=${layer.rows}>${tOr(`panel.layer.${layer.id}`, layer.id)}</th>`;
    if (!row.changed) return html`<tr>${head}<th scope="row">${name}</th><td colspan="2">${row.after}</td></tr>`;
    return html`<tr class="changed">
      ${head}<th scope="row">${name}</th><td colspan="2"><span class="before">${row.before}</span>
      <span class="after"><span aria-hidden="true">→ </span>${row.after}<span class="unseen"> (${t("panel.changed")})</span></span></td>
    </tr>`;
  }

  private capture(timeline: Timeline, moment: Moment) {
    const capture = captureAt(timeline, moment);
    if (capture === null) return nothing;
    return html`<h3>${t("panel.capture", { interface: capture.interface, place: capture.place })}</h3>
      <dl class="capture">
        ${capture.layers.map((layer) => html`<dt>${layer.name}</dt><dd>${layerText(layer)}</dd>`)}
      </dl>
      <details><summary>${t("panel.bytes", { count: capture.bytes.length / 2 })}</summary><pre>${hexText(capture)}</pre></details>`;
  }

  static override styles = [
    glyphStyle,
    css`
      :host {
        display: grid;
        grid-template: minmax(0, 1fr) / minmax(0, 1fr);
        container: panel / inline-size;
        min-width: 0;
        min-height: 0;
        overflow: hidden;
        font: var(--text-m) / 1.45 var(--prose);
        color: var(--ink);
        background: var(--sheet);
      }
      .panel {
        display: grid;
        grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
        min-height: 0;
      }
      .head {
        padding: var(--space-3) var(--space-4);
        border-bottom: 1px solid var(--line);
        min-height: 6.4em;
      }
      :host([compact]) .head {
        padding: 5px var(--space-4) 3px;
        min-height: 4.3em;
      }
      :host([compact]) .sentence {
        margin-top: 0;
        font-size: 0.9375rem;
        line-height: 1.35;
      }
      :host([compact]) h3 {
        margin-top: var(--space-2);
      }
      p {
        margin: 0;
      }
      .where {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        font-size: var(--text-s);
        font-weight: 600;
        white-space: nowrap;
        overflow: hidden;
      }
      .where .dim {
        font-weight: 400;
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .sentence {
        margin-top: var(--space-1);
        font-size: var(--text-l);
        line-height: 1.4;
        overflow-wrap: anywhere;
      }
      .dim {
        color: var(--ink-3);
      }
      .body {
        min-height: 0;
        overflow: auto;
        padding: 0 var(--space-4) var(--space-4);
        display: flex;
        flex-direction: column;
      }
      .fields {
        order: -1;
      }
      h3 {
        margin: var(--space-3) 0 var(--space-1);
        font-size: var(--text-s);
        font-weight: 600;
        color: var(--ink-2);
      }
      .state {
        font-weight: 400;
        margin-left: var(--space-2);
        color: var(--ink-3);
      }
      .rule,
      pre,
      code,
      dd,
      td {
        font-family: var(--mono);
        font-size: var(--text-s);
        overflow-wrap: anywhere;
      }
      .rule {
        padding: var(--space-1) var(--space-2);
        background: var(--wash);
        border-left: 3px solid var(--line-2);
        line-height: 1.5;
      }
      .rule.matched {
        border-left-color: var(--green);
      }
      .rule + .dim {
        font-size: var(--text-s);
        margin-top: var(--space-1);
      }
      .link {
        all: unset;
        color: var(--blue-ink);
        text-decoration: underline;
        text-underline-offset: 2px;
        cursor: pointer;
      }
      .link:focus-visible,
      section:focus-visible,
      summary:focus-visible {
        outline: 2px solid var(--focus);
        outline-offset: 2px;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        table-layout: fixed;
        line-height: 1.35;
      }
      thead th {
        height: 0;
        padding-block: 0;
        line-height: 0;
        font-size: 0;
      }
      thead th:nth-child(n + 3) {
        width: auto;
      }
      tbody {
        border-top: 1px solid var(--line);
      }
      th,
      td {
        padding: 1px var(--space-1);
        vertical-align: baseline;
      }
      th {
        width: 5.7rem;
        box-sizing: border-box;
        text-align: left;
        font-weight: 400;
        font-size: var(--text-s);
        color: var(--ink-2);
      }
      th.layer,
      thead th:first-child {
        width: 3.8rem;
        color: var(--ink-3);
        padding-left: 0;
        vertical-align: top;
      }
      .changed td,
      .changed th:not(.layer) {
        background: var(--rewrite-wash);
      }
      .changed th:not(.layer) {
        color: var(--ink);
        font-weight: 600;
        box-shadow: inset 3px 0 var(--orange);
        padding-left: var(--space-2);
      }
      .changed .before {
        color: var(--ink-2);
      }
      .changed td span {
        white-space: nowrap;
      }
      .changed .before {
        margin-right: 1ch;
      }
      .changed .after {
        font-weight: 700;
      }
      dl {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 1px var(--space-3);
        margin: 0;
      }
      dt {
        font-size: var(--text-s);
        color: var(--ink-2);
      }
      dd {
        margin: 0;
      }
      .capture dd {
        color: var(--ink-2);
      }
      summary {
        cursor: pointer;
        font-size: var(--text-s);
        color: var(--ink-2);
        margin-top: var(--space-1);
      }
      pre {
        margin: var(--space-1) 0 0;
        white-space: pre-wrap;
      }
      .none {
        margin: auto;
        text-align: center;
        color: var(--ink-2);
        padding: var(--space-5);
      }
      .unseen {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
        white-space: nowrap;
      }
      @container panel (min-width: 600px) {
        .panel {
          grid-template:
            "head fields" auto
            "told fields" minmax(0, 1fr)
            / minmax(0, 1.1fr) minmax(0, 1fr);
        }
        .head {
          grid-area: head;
          border-bottom: none;
          min-height: 0;
          padding-bottom: 0;
        }
        .sentence {
          font-size: var(--text-m);
        }
        .body {
          display: contents;
        }
        .told {
          grid-area: told;
          overflow: auto;
          padding: 0 var(--space-4) var(--space-3);
        }
        .fields {
          grid-area: fields;
          overflow: auto;
          padding: 0 var(--space-4) var(--space-3);
          border-left: 1px solid var(--line);
        }
      }
      @container panel (max-width: 420px) {
        .sentence {
          font-size: var(--text-m);
        }
      }
    `,
  ];
}

/** What scapy says of a layer, in one line. */
function layerText(layer: Capture["layers"][number]): string {
  return Object.entries(layer.fields)
    .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
    .map(
      ([name, value]) =>
        `${name} ${name === "chksum" && typeof value === "number" ? `0x${value.toString(16).padStart(4, "0")}` : shown(value)}`,
    )
    .join(", ");
}

/** Sixteen bytes a line, two letters each. */
function hexText(capture: Capture): string {
  const bytes = capture.bytes.match(/../g) ?? [];
  const lines: string[] = [];
  for (let first = 0; first < bytes.length; first += 16) lines.push(bytes.slice(first, first + 16).join(" "));
  return lines.join("\n");
}

customElements.define("packet-panel", PacketPanel);
declare global {
  interface HTMLElementTagNameMap {
    "packet-panel": PacketPanel;
  }
}
