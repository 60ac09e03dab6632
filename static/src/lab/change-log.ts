// Rule: <change-log> tells what happened, the newest first; a change with every stage that it went through down the line.
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Localized, languageTag, t, tOr } from "../i18n";
import type { Bursted, Changed, Stage, TraceSummary } from "../wire";
import { logOf, stationsOf, type LogEntry } from "./changes";
import { FollowLab } from "./follow";
import type { Lab } from "./lab";
import { says } from "./served";
import { sheet } from "./sheet.css";

const MOST_LINES = 40;

export class ChangeLog extends LitElement {
  static override properties = { lab: { attribute: false }, open: { state: true } };
  declare lab: Lab | null;
  declare private open: number | null; // the change whose stages are shown; null: the latest
  private closed = new Set<number>();

  constructor() {
    super();
    this.lab = null;
    this.open = null;
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  protected override firstUpdated(): void {
    void this.lab?.recall();
  }

  protected override render() {
    const lab = this.lab;
    if (lab?.state == null) return nothing;
    const entries = logOf(lab.state.history);
    const earlier = lab.state.traces.filter((trace) => !entries.some((entry) => entry.seq === trace.seq)).reverse();
    if (entries.length === 0 && earlier.length === 0) {
      return html`<div class="empty"><p><strong>${t("log.empty")}</strong></p><p>${t("log.empty.hint")}</p></div>`;
    }
    const newest = entries.find((entry) => entry.kind === "changed")?.seq;
    return html`<ol class="scrolls" tabindex="0" aria-label=${t("log.label")}>
      ${entries.some((entry) => entry.kind === "changed") ? nothing : html`<li class="empty teach"><p>${t("log.noChange.hint")}</p></li>`}
      ${repeat(entries, (entry) => entry.seq, (entry) => this.entry(entry, entry.seq === newest))}
      ${repeat(earlier.slice(0, 60), (trace) => `t${trace.number}`, (trace) => html`<li>${this.walk(trace)}</li>`)}
    </ol>`;
  }

  private entry(entry: LogEntry, newest: boolean) {
    const { event } = entry.told;
    switch (event.type) {
      case "changed":
        return this.change(entry, event, newest);
      case "traced":
        return html`<li>${event.traces.length > 1 && event.traces[0]?.label === "compare" ? this.comparison(entry.seq, event.traces) : event.traces.map((trace) => this.walk(trace))}</li>`;
      case "bursted":
        return html`<li>${this.burst(entry.seq, event)}</li>`;
      case "renamed":
        return html`<li class="plain">${t("log.renamed", { title: event.title })}</li>`;
      case "waited":
        return html`<li class="plain">${t("log.waited", { seconds: event.seconds })}</li>`;
    }
  }

  private change(entry: LogEntry, event: Changed, newest: boolean) {
    const open = this.open === entry.seq || (newest && !this.closed.has(entry.seq));
    const { added, removed } = event.stages.filter((stage) => stage.actor === "kube-proxy").reduce(
      (sum, stage) => ({ added: sum.added + stage.added, removed: sum.removed + stage.removed }), { added: 0, removed: 0 });
    return html`<li class="change">
      <button class="head" type="button" aria-expanded=${open} @click=${() => this.toggle(entry.seq, open)}>
        <span class="by">${tOr(`log.by.${event.by}`, event.by)}</span><span class="summary">${says(event.summary)}</span>
        <span class="delta">${added > 0 ? html`<span class="plus">+${added}</span>` : nothing}${removed > 0 ? html`<span class="minus">−${removed}</span>` : nothing}</span>
      </button>
      ${open ? html`<ol class="stations">${stationsOf(event).map((station) => html`<li class="station ${station.actor}">
        <span class="actor">${tOr(`actor.${station.actor}`, station.actor)}</span>
        ${station.stages.map((stage) => this.stage(stage))}</li>`)}</ol>
        <p class="foot"><time>${timeOf(entry.at)}</time>
        <button type="button" title=${t("log.fork.hint")} @click=${() => void this.fork(entry.seq)}>${t("log.fork")}</button></p>` : nothing}
    </li>`;
  }

  private stage(stage: Stage) {
    const counts = stage.added > 0 || stage.removed > 0;
    const told = stage.text.startsWith(stage.place) || stage.place === "control plane"; // the text says where already
    const words = html`${told ? nothing : html`<span class="place">${says(stage.place)}</span> `}<span>${says(stage.text)}</span>`;
    if (stage.lines.length === 0) return html`<p class="stage">${words}</p>`;
    return html`<details class="stage" ?open=${stage.lines.length <= 4}><summary>${words}
      ${counts ? html`<span class="delta">${stage.added > 0 ? html`<span class="plus">+${stage.added}</span>` : nothing}${stage.removed > 0 ? html`<span class="minus">−${stage.removed}</span>` : nothing}</span>` : nothing}</summary>
      <div class="lines">${stage.lines.slice(0, MOST_LINES).map((line) => html`<div class=${line.sign === "+" ? "plus" : "minus"}><b>${line.sign === "+" ? "+" : "−"}</b> ${stage.actor === "kube-proxy" || stage.actor === "etcd" ? line.text.trim() : says(line.text)}</div>`)}
      ${stage.lines.length > MOST_LINES ? html`<div class="quiet">${t("log.moreLines", { count: stage.added + stage.removed - MOST_LINES })}</div>` : nothing}</div>
      ${stage.actor === "kube-proxy" && this.lab!.state!.nodes.has(stage.place) ? html`<button class="to" type="button" @click=${() => this.lab!.showRulesOf(stage.place, true)}>${t("log.toRules", { node: stage.place })}</button>` : nothing}
    </details>`;
  }

  private walk(trace: TraceSummary) {
    const lab = this.lab!;
    return html`<button class="walk ${trace.disposition}" type="button" aria-current=${lab.shown === trace.number} title=${t("log.watch", { number: trace.number })}
      @click=${() => { if (lab.view === "compare") lab.look("map"); void lab.show(trace.number, { play: true }); }}>
      <span class="mark" aria-hidden="true">${trace.disposition === "delivered" ? "✓" : "✗"}</span>
      <span class="flow">${trace.source} → ${trace.target}</span>
      <span class="end">${trace.label === "dns" ? "DNS · " : ""}${t(`mode.${trace.mode}`)} · ${trace.endpoint === null || trace.disposition !== "delivered" ? tOr(`outcome.${trace.disposition}`, trace.disposition) : trace.endpoint}</span>
    </button>`;
  }

  private comparison(seq: number, traces: readonly TraceSummary[]) {
    const [first] = traces;
    return html`<button class="walk" type="button" @click=${() => void this.lab!.showComparison(seq, true)}>
      <span class="mark" aria-hidden="true">≡</span><span class="flow">${first?.source} → ${first?.target}</span><span class="end">${t("log.compared", { count: traces.length })}</span></button>`;
  }

  private burst(seq: number, event: Bursted) {
    return html`<button class="walk" type="button" @click=${() => { this.lab!.burst = seq; this.lab!.tell(); this.dispatchEvent(new CustomEvent("burst-sent", { bubbles: true, composed: true })); }}>
      <span class="mark" aria-hidden="true">∷</span><span class="flow">${event.source} → ${event.target}</span><span class="end">${t("log.burst", { count: event.count })}</span></button>`;
  }

  private toggle(seq: number, open: boolean): void {
    if (open) this.closed.add(seq);
    else this.closed.delete(seq);
    this.open = open ? null : seq;
    this.requestUpdate();
  }

  private async fork(seq: number): Promise<void> {
    const lab = this.lab!;
    try {
      const links = await lab.api.fork(seq);
      window.open(new URL(links.owner, location.href), "_blank", "noopener");
      lab.say("said", [t("log.forked")]);
    } catch (error) {
      lab.complain(error);
    }
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      :host > ol {
        flex: 1;
        min-height: 0;
        padding-bottom: var(--space-3);
      }
      .teach {
        padding: var(--space-2) var(--space-3);
        font-size: var(--text-s);
      }
      .plain {
        padding: 4px var(--space-3);
        font-size: var(--text-s);
        color: var(--ink-2);
      }
      .change {
        border-bottom: 1px solid var(--line);
      }
      .head {
        width: 100%;
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0 6px;
        text-align: left;
        border-radius: 0;
        padding: 6px var(--space-3);
      }
      .by {
        font-size: 11px;
        color: var(--ink-3);
      }
      .summary {
        grid-column: 1 / 3;
        grid-row: 2;
        overflow-wrap: anywhere;
        line-height: 1.35;
        font-size: 13px;
      }
      .delta {
        font-family: var(--mono);
        font-size: 11px;
        display: inline-flex;
        gap: 5px;
      }
      .plus {
        color: var(--green-ink);
      }
      .minus {
        color: var(--vermilion-ink);
      }
      .stations {
        padding: 2px var(--space-3) 0 calc(var(--space-3) + 5px);
      }
      .station {
        position: relative;
        padding: 0 0 8px 14px;
        border-left: 1.5px solid var(--line-2);
      }
      .station:last-child {
        border-left-color: transparent;
        padding-bottom: 2px;
      }
      .station::before {
        content: "";
        position: absolute;
        left: -5px;
        top: 4px;
        width: 8px;
        height: 8px;
        border-radius: 50%;
        background: var(--sheet);
        border: 1.5px solid var(--ink-3);
      }
      .station.kube-proxy::before {
        border-color: var(--kernel);
        border-radius: 2px;
      }
      .actor {
        font-weight: 600;
        font-size: 12px;
      }
      .stage {
        font-size: 12px;
        line-height: 1.4;
        color: var(--ink-2);
        overflow-wrap: anywhere;
      }
      summary {
        cursor: pointer;
      }
      .place {
        font-family: var(--mono);
        font-size: 11px;
        color: var(--ink);
      }
      .lines {
        margin: 3px 0 4px;
        padding: 4px 6px;
        background: var(--paper);
        border: 1px solid var(--line);
        border-radius: 3px;
        font-family: var(--mono);
        font-size: 10.5px;
        line-height: 1.45;
        max-height: 11rem;
        overflow: auto;
        scrollbar-width: thin;
      }
      .lines div {
        padding-left: 1.1em;
        text-indent: -1.1em;
      }
      .to,
      .foot button {
        font-size: 11px;
        padding: 0 2px;
        color: var(--blue-ink);
        text-decoration: underline;
      }
      .foot {
        display: flex;
        justify-content: space-between;
        padding: 0 var(--space-3) 6px;
        font-size: 11px;
        color: var(--ink-3);
      }
      .walk {
        width: 100%;
        display: grid;
        grid-template-columns: 1rem minmax(0, 1fr);
        gap: 0 4px;
        text-align: left;
        border-radius: 0;
        padding: 4px var(--space-3);
        line-height: 1.35;
      }
      .walk[aria-current="true"] {
        background: var(--blue-wash);
        box-shadow: inset 3px 0 0 var(--blue);
      }
      .mark {
        color: var(--green-ink);
        grid-row: 1 / 3;
      }
      .walk:not(.delivered) .mark {
        color: var(--vermilion-ink);
      }
      .flow {
        font-family: var(--mono);
        font-size: 11px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .end {
        font-size: 11px;
        color: var(--ink-3);
        grid-column: 2;
      }
    `,
  ];
}

function timeOf(at: string): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : date.toLocaleTimeString(languageTag());
}

customElements.define("change-log", ChangeLog);
