// Rule: <packet-panel> says what this step did to the packet: the sentence, the rule, the fields before and after, the entry.
//
// properties  playback: Playback | null
// events      panel-origin {kind, namespace, name, field}   somebody asked for what made the rule
import { html, LitElement, nothing } from "lit";
import { panelStyle } from "../render/panel.css";
import { Localized, t, tOr } from "../i18n";
import { entryParts } from "../kernel";
import { changedFields, layersOf, shown, type FieldRow } from "../packetfields";
import { Follow, type Playback } from "../playback";
import { legTitle, momentSentence } from "../sentences";
import { captureAt, entryAt, type Moment, type Timeline } from "../timeline";
import { packetKind, type Capture, type Origin, type RuleTried } from "../trace";
import { glyph, glyphStyle } from "../render/glyphs";

export class PacketPanel extends LitElement {
  static override styles = [glyphStyle, panelStyle];
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
