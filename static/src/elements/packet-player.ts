// Rule: <packet-player> plays a walk from its trace document alone; a ClusterView, where given, adds what the walk did not meet.
//
// properties  trace: TraceDocument | null    src (attribute): address of a trace document    cluster: ClusterView | null
//             step (attribute): where to begin, from 1    view (attribute): map | kernel | table    autoplay (attribute)
//             playback: the clock, to be shared with other elements
//             A child <script type="application/json"> may hold the document instead.
// events      player-step {step}, from 1     player-view {view}     and those of its parts (map-select, panel-origin, …)
import { css, html, LitElement, type PropertyValues } from "lit";
import "./cluster-map";
import "./kernel-view";
import "./packet-panel";
import "./steps-table";
import "./time-line";
import { Localized, t, tOr } from "../i18n";
import { Follow, Playback } from "../playback";
import type { Thing } from "../render/map";
import { momentSentence, verdictOf } from "../sentences";
import { readTrace, TraceError, withPort, type TraceDocument } from "../trace";
import type { ClusterView } from "../wire";

export type PlayerView = "map" | "kernel" | "table";
const VIEWS: readonly PlayerView[] = ["map", "kernel", "table"];
const MOST_BYTES = 20_000_000;

export class PacketPlayer extends LitElement {
  static override properties = {
    trace: { attribute: false },
    cluster: { attribute: false },
    src: { type: String },
    step: { type: Number },
    view: { type: String, reflect: true },
    autoplay: { type: Boolean },
    playback: { attribute: false },
    broken: { state: true },
  };
  declare trace: TraceDocument | null;
  declare cluster: ClusterView | null;
  declare src: string;
  declare step: number;
  declare view: PlayerView;
  declare autoplay: boolean;
  declare playback: Playback;
  declare private broken: string;
  private spoken = "";

  constructor() {
    super();
    this.trace = null;
    this.cluster = null;
    this.src = "";
    this.step = 0;
    this.view = "map";
    this.autoplay = false;
    this.playback = new Playback();
    this.broken = "";
    new Localized(this);
    new Follow(
      this,
      () => this.playback,
      ["load", "moment", "state"],
      (event) => {
        if (event.type === "moment")
          this.dispatchEvent(new CustomEvent("player-step", { detail: { step: this.playback.index + 1 } }));
        this.requestUpdate();
      },
    );
    this.addEventListener("keydown", this.onKey);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const script = this.querySelector('script[type="application/json"]');
    if (this.trace === null && script !== null) this.read(script.textContent);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.playback.pause();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("src") && this.src !== "") void this.fetch(this.src);
    if (changed.has("trace") && (this.trace !== null || changed.get("trace") !== undefined)) {
      this.playback.load(this.trace, this.step > 0 ? this.step - 1 : undefined);
      if (this.autoplay && this.step === 0) this.playback.play();
    } else if (changed.has("step") && this.step > 0) {
      this.playback.seek(this.step - 1);
    }
  }

  private async fetch(src: string): Promise<void> {
    try {
      const answer = await fetch(src);
      if (!answer.ok) throw new TraceError(`${answer.status} ${answer.statusText}`);
      const text = await answer.text();
      if (text.length > MOST_BYTES) throw new TraceError(`more than ${MOST_BYTES} bytes`);
      if (src === this.src) this.read(text);
    } catch (error) {
      this.broken = error instanceof Error ? error.message : String(error);
    }
  }

  private read(text: string): void {
    try {
      this.trace = readTrace(text);
      this.broken = "";
    } catch (error) {
      this.broken = error instanceof TraceError ? error.message : String(error);
    }
  }

  protected override render() {
    if (this.broken !== "") return html`<p class="broken" role="alert">${t("player.broken", { why: this.broken })}</p>`;
    const { playback } = this;
    return html`
      ${this.heading()}
      <div class="picture">${this.picture()}</div>
      <packet-panel .playback=${playback}></packet-panel>
      <time-line .playback=${playback}></time-line>
      <p class="unseen" aria-live="polite">${this.said()}</p>`;
  }

  private heading() {
    const trace = this.playback.timeline?.trace;
    const views = html`<div class="views" role="group" aria-label=${t("player.views")}>
      ${VIEWS.map(
        (view) =>
          html`<button type="button" aria-pressed=${this.view === view} @click=${() => this.show(view)}>${t(`player.view.${view}`)}</button>`,
      )}
    </div>`;
    if (trace === undefined) return html`<div class="head"><span class="flow"></span>${views}</div>`;
    const { flow } = trace;
    return html`<div class="head">
      <p class="flow">
        <strong>${flow.place}</strong> <span aria-hidden="true">→</span>
        <span class="mono">${withPort(flow.destination, flow.port, flow.protocol)}</span>
        <span class="mode">${flow.protocol.toUpperCase()}, ${tOr(`mode.${trace.mode}`, trace.mode)}</span>
        <span class=${`outcome ${trace.disposition}`} title=${verdictOf(trace)}>${tOr(`outcome.${trace.disposition}`, trace.disposition)}</span>
      </p>
      ${views}
    </div>`;
  }

  private picture() {
    if (this.view === "kernel") return html`<kernel-view .playback=${this.playback}></kernel-view>`;
    if (this.view === "table") return html`<steps-table .playback=${this.playback}></steps-table>`;
    return html`<cluster-map .cluster=${this.cluster} .playback=${this.playback}
      @map-select=${this.onSelect} @map-enter=${() => this.show("kernel")}></cluster-map>`;
  }

  private show(view: PlayerView): void {
    this.view = view;
    this.dispatchEvent(new CustomEvent("player-view", { detail: { view } }));
  }

  /** A place that was clicked: on to the packet's next moment there. */
  private readonly onSelect = (event: CustomEvent<Thing>): void => {
    const { moments } = this.playback.timeline ?? { moments: [] };
    const there = moments.filter((moment) => moment.place === event.detail.id);
    const next = there.find((moment) => moment.index > this.playback.index && moment.enters) ?? there[0];
    if (next !== undefined) this.playback.seek(next.index);
  };

  /** What the live region speaks: each step that was stepped to, and while playing only what matters. */
  private said(): string {
    const { timeline, moment, playing } = this.playback;
    if (timeline === null || moment === null) return "";
    if (!playing || moment.interesting) this.spoken = momentSentence(timeline, moment);
    return this.spoken;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const target = event.composedPath()[0];
    const own =
      target instanceof Element && target.closest("input, textarea, select, summary, [contenteditable]") !== null;
    const pressed = event.key === " " && target instanceof Element && target.closest("button, [role=button]") !== null;
    if (event.defaultPrevented || own || pressed) return;
    if (this.playback.key(event)) event.preventDefault();
  };

  static override styles = css`
    :host {
      display: grid;
      grid-template: auto minmax(0, 1fr) auto / minmax(0, 1fr) minmax(300px, 30%);
      grid-template-areas: "head head" "picture panel" "time time";
      height: 640px;
      container: player / inline-size;
      border: 1px solid var(--line);
      border-radius: var(--round);
      background: var(--sheet);
      color: var(--ink);
      font: var(--text-m) / 1.4 var(--prose);
      overflow: hidden;
    }
    .head {
      grid-area: head;
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      justify-content: space-between;
      gap: var(--space-2) var(--space-4);
      padding: var(--space-2) var(--space-4);
      border-bottom: 1px solid var(--line);
      min-height: 32px;
    }
    .picture {
      grid-area: picture;
      display: grid;
      min-width: 0;
      min-height: 0;
    }
    packet-panel {
      grid-area: panel;
      border-left: 1px solid var(--line);
    }
    time-line {
      grid-area: time;
      border-top: 1px solid var(--line);
    }
    p {
      margin: 0;
    }
    .flow {
      display: flex;
      flex-wrap: wrap;
      align-items: baseline;
      gap: 0 var(--space-2);
      min-width: 0;
    }
    .mono {
      font-family: var(--mono);
    }
    .mode {
      color: var(--ink-2);
      margin-left: var(--space-2);
    }
    .outcome {
      font-weight: 600;
      margin-left: var(--space-2);
    }
    .outcome::before {
      content: "✕ ";
    }
    .outcome.delivered::before {
      content: "✓ ";
    }
    .outcome.delivered {
      color: var(--green-ink);
    }
    .outcome:not(.delivered) {
      color: var(--vermilion-ink);
    }
    .views {
      display: flex;
      border: 1px solid var(--line-2);
      border-radius: var(--round);
      overflow: hidden;
    }
    .views button {
      all: unset;
      padding: 3px var(--space-3);
      cursor: pointer;
      color: var(--ink-2);
      font-size: var(--text-s);
    }
    .views button + button {
      border-left: 1px solid var(--line-2);
    }
    .views button:hover {
      background: var(--wash);
    }
    .views button[aria-pressed="true"] {
      background: var(--ink);
      color: var(--sheet);
    }
    .views button:focus-visible {
      outline: 2px solid var(--focus);
      outline-offset: -3px;
    }
    .broken {
      grid-area: picture;
      margin: auto;
      padding: var(--space-5);
      color: var(--vermilion-ink);
    }
    .unseen {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
      white-space: nowrap;
    }
    @media (max-width: 760px) {
      :host {
        height: auto;
        grid-template: auto 300px auto auto / minmax(0, 1fr);
        grid-template-areas: "head" "picture" "time" "panel";
        overflow: visible;
      }
      packet-panel {
        border-left: none;
        border-top: 1px solid var(--line);
      }
      time-line {
        position: sticky;
        bottom: 0;
        z-index: 1;
      }
    }
  `;
}

customElements.define("packet-player", PacketPlayer);
declare global {
  interface HTMLElementTagNameMap {
    "packet-player": PacketPlayer;
  }
}
