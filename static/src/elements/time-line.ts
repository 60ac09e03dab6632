// Rule: <time-line> is the row of all steps, by leg and machine, and the controls of the one clock. Its speed is on a log scale.
//
// properties  playback: Playback | null     compact (attribute): without the line of shapes and keys
import { html, LitElement, nothing, svg } from "lit";
import { guard } from "lit/directives/guard.js";
import { timeLineStyle } from "../render/time-line.css";
import { languageTag, Localized, t, tOr } from "../i18n";
import { Follow, redraw, type Playback } from "../playback";
import { GLYPHS, glyph, glyphsAt, glyphStyle } from "../render/glyphs";
import { fitted } from "../scene";
import { legTitle, momentSentence } from "../sentences";
import { clamp, doneTime, FASTEST, positionOf, SLOWEST, speedAt, type Meaning, type Timeline } from "../timeline";

const PAD = 14;
const LEG_GAP = 16;
const TRACK = 34;
const HEIGHT = 66;
const SHAPES: readonly Meaning[] = ["match", "miss", "rewrite", "route", "cross", "verdict"];
/** Drawn in this order: what matters lies on top. */
const ORDER: readonly Meaning[] = [
  "note",
  "miss",
  "return",
  "track",
  "route",
  "cross",
  "match",
  "schedule",
  "proxy",
  "arrive",
  "rewrite",
  "verdict",
];

const CROWDED = 5; // pixels a step: then only what matters has its shape
const MINOR: ReadonlySet<Meaning> = new Set<Meaning>(["note", "miss", "return", "track", "route"]);

export class TimeLine extends LitElement {
  static override styles = [glyphStyle, timeLineStyle];
  static override properties = {
    playback: { attribute: false },
    compact: { type: Boolean, reflect: true },
    width: { state: true },
  };
  declare playback: Playback | null;
  declare compact: boolean;
  declare private width: number;
  private resize: ResizeObserver | null = null;

  constructor() {
    super();
    this.playback = null;
    this.compact = false;
    this.width = 0;
    new Localized(this);
    new Follow(
      this,
      () => this.playback,
      ["load", "moment", "state", "frame"],
      (event) => {
        if (event.type === "frame") this.drawHead();
        else redraw(this, event, this.playback);
      },
    );
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.resize = new ResizeObserver(([entry]) => (this.width = Math.floor(entry!.contentRect.width)));
    this.resize.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resize?.disconnect();
  }

  protected override render() {
    const playback = this.playback;
    const timeline = playback?.timeline ?? null;
    const off = timeline === null || timeline.moments.length === 0;
    return html`
      <div class="controls" role="group" aria-label=${t("time.controls")}>
        ${this.button("time.backSkip", "M5,4V16M16,4L8,10L16,16Z", () => playback?.skip(-1), off)}
        ${this.button("time.back", "M14,4L6,10L14,16Z", () => playback?.step(-1), off)}
        ${
          playback?.playing
            ? this.button("time.pause", "M6,4H9V16H6ZM12,4H15V16H12Z", () => playback.pause(), off, "main")
            : this.button("time.play", "M6,3.5L16,10L6,16.5Z", () => playback?.play(), off, "main")
        }
        ${this.button("time.on", "M6,4L14,10L6,16Z", () => playback?.step(1), off)}
        ${this.button("time.skip", "M15,4V16M4,4L12,10L4,16Z", () => playback?.skip(1), off)}
        <span class="count">${t("time.count", { step: (playback?.index ?? -1) + 1, all: playback?.length ?? 0 })}</span>
        <label class="speed">${t("time.speed")}
          <input type="range" min=${SLOWEST} max=${FASTEST} step="0.25" .value=${String(positionOf(playback?.speed ?? 1))}
            aria-valuetext=${this.speedText()} @input=${this.onSpeed} @keydown=${keepKey} />
          <span class="times">${this.speedText()}</span>
        </label>
        <span class="legend" aria-hidden="true">${SHAPES.map((meaning) => html`<span>${glyph(meaning)}${tOr(`meaning.${meaning}`, "")}</span>`)}</span>
        <span class="keys">${t("time.keys")}</span>
      </div>
      ${timeline === null || this.width === 0 ? nothing : this.track(timeline)}`;
  }

  private track(timeline: Timeline) {
    const moment = this.playback?.moment ?? null;
    const said =
      moment === null
        ? ""
        : t("time.stepOf", {
            step: moment.index + 1,
            all: timeline.moments.length,
            sentence: momentSentence(timeline, moment),
          });
    return html`<div class="track" role="slider" tabindex="0" aria-label=${t("time.label")} aria-valuemin="1"
        aria-valuemax=${timeline.moments.length} aria-valuenow=${(moment?.index ?? 0) + 1} aria-valuetext=${said}
        @pointerdown=${this.onDown} @keydown=${this.onKey}>
      <svg width=${this.width} height=${HEIGHT} aria-hidden="true">
        ${guard([timeline, this.width, languageTag()], () => this.still(timeline))}
        <path class="gone" />
        <g class="head"><path d=${`M0,${TRACK - 15}V${TRACK + 10}`} /><circle cy=${TRACK - 15} r="4.5" /></g>
      </svg>
    </div>`;
  }

  /** What stays while the playhead moves. */
  private still(timeline: Timeline) {
    const step = this.stepWidth(timeline);
    const scale = clamp(step / 8, 0.62, 1);
    const by = new Map<Meaning, number[]>();
    for (const { meaning, index, leg } of timeline.moments) {
      const xs = by.get(meaning) ?? [];
      xs.push(this.xOf(timeline, index, leg) + step / 2);
      by.set(meaning, xs);
    }
    return svg`
      ${timeline.legs.map((leg, number) => {
        const from = this.xOf(timeline, leg.first, number);
        const to = this.xOf(timeline, leg.last, number) + step;
        return svg`<text class="leg" x=${from} y="12">${fitted(legTitle(leg.title), Math.max(2, Math.floor((to - from) / 6.4)))}</text>
          <path class="base" d=${`M${from},${TRACK}H${to}`} />
          ${leg.hops.map((hop, index) => {
            const left = this.xOf(timeline, hop.first, number);
            const right = this.xOf(timeline, hop.last, number) + step;
            const room = Math.floor((right - left - 8) / 6.2);
            const name = shortPlace(hop.place);
            return svg`<rect class=${index % 2 ? "hop odd" : "hop"} x=${left + 0.5} y=${TRACK + 13} width=${Math.max(0, right - left - 1)} height="16" rx="2" />
              ${room >= Math.min(name.length, 7) ? svg`<text class="place" x=${left + 5} y=${TRACK + 25}>${fitted(name, room)}</text>` : nothing}`;
          })}`;
      })}
      ${ORDER.map((meaning) => {
        const xs = by.get(meaning);
        if (xs === undefined || (step < CROWDED && MINOR.has(meaning))) return nothing;
        const size =
          meaning === "rewrite" || meaning === "verdict" || meaning === "arrive" ? Math.max(scale, 0.85) : scale;
        return svg`<path class=${`glyph-path ${meaning} ${GLYPHS[meaning].hollow ? "hollow" : "full"}`} d=${glyphsAt(meaning, xs, TRACK, size)} />`;
      })}`;
  }

  protected override updated(): void {
    this.drawHead();
  }

  private drawHead(): void {
    const timeline = this.playback?.timeline;
    const head = this.renderRoot.querySelector(".head");
    const gone = this.renderRoot.querySelector(".gone");
    const moment = this.playback?.moment;
    if (!timeline || !moment || head === null || gone === null) return;
    const step = this.stepWidth(timeline);
    const left = this.xOf(timeline, moment.index, moment.leg);
    const x = Math.max(
      this.xOf(timeline, timeline.legs[moment.leg]!.first, moment.leg),
      left + step * (this.playback!.playhead.fraction - 0.5),
    );
    head.setAttribute("transform", `translate(${x.toFixed(1)},0)`);
    gone.setAttribute(
      "d",
      timeline.legs
        .slice(0, moment.leg + 1)
        .map((leg, number) => {
          const to = number === moment.leg ? x : this.xOf(timeline, leg.last, number) + step;
          return `M${this.xOf(timeline, leg.first, number).toFixed(1)},${TRACK + 10.5}H${to.toFixed(1)}`;
        })
        .join(""),
    );
  }

  private stepWidth(timeline: Timeline): number {
    const room = this.width - 2 * PAD - (timeline.legs.length - 1) * LEG_GAP;
    return room / Math.max(1, timeline.moments.length);
  }

  private xOf(timeline: Timeline, index: number, leg: number): number {
    return PAD + index * this.stepWidth(timeline) + leg * LEG_GAP;
  }

  private indexAt(timeline: Timeline, x: number): number {
    const step = this.stepWidth(timeline);
    const found = timeline.moments.findLast(
      (moment) => this.xOf(timeline, moment.index, moment.leg) <= x + step * 0.001,
    );
    return found?.index ?? 0;
  }

  private button(
    key: "time.backSkip" | "time.back" | "time.play" | "time.pause" | "time.on" | "time.skip",
    path: string,
    act: () => void,
    off: boolean,
    kind = "",
  ) {
    return html`<button type="button" class=${kind} aria-label=${t(key)} title=${t(key)} ?disabled=${off} @click=${act}>
      <svg viewBox="0 0 20 20" aria-hidden="true"><path d=${path} /></svg>
    </button>`;
  }

  private speedText(): string {
    const speed = this.playback?.speed ?? 1;
    return t("time.times", { speed: String(Number(speed.toPrecision(2))) });
  }

  private readonly onSpeed = (event: Event): void => {
    if (this.playback !== null) this.playback.speed = speedAt(Number((event.target as HTMLInputElement).value));
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (this.playback?.key(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  };

  private readonly onDown = (event: PointerEvent): void => {
    const track = event.currentTarget as HTMLElement;
    if (event.button !== 0) return;
    track.setPointerCapture(event.pointerId);
    const left = track.getBoundingClientRect().left;
    const go = (at: PointerEvent): void => {
      const timeline = this.playback?.timeline;
      if (!timeline) return;
      this.playback!.pause();
      this.playback!.scrub(doneTime(timeline, this.indexAt(timeline, at.clientX - left)));
    };
    const stop = (): void => {
      track.removeEventListener("pointermove", go);
      track.removeEventListener("pointerup", stop);
      track.removeEventListener("pointercancel", stop);
    };
    track.addEventListener("pointermove", go);
    track.addEventListener("pointerup", stop);
    track.addEventListener("pointercancel", stop);
    go(event);
  };
}

function shortPlace(place: string): string {
  const name = place.slice(place.indexOf("/") + 1);
  return /^(.+)-[a-z0-9]{8,10}-[a-z0-9]{5}$/.exec(name)?.[1] ?? name;
}

/** Arrows on the speed slider are the slider's, not the walk's. */
function keepKey(event: KeyboardEvent): void {
  event.stopPropagation();
}

customElements.define("time-line", TimeLine);
declare global {
  interface HTMLElementTagNameMap {
    "time-line": TimeLine;
  }
}
