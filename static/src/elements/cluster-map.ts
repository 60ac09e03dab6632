// Rule: <cluster-map> shows a cluster, and where the packet is. It says what a person chose; it changes nothing itself.
//
// properties  cluster: ClusterView | null     playback: Playback | null     hosts: outside addresses to show, too
//             flights: Flight[]               choosing: may things be chosen (attribute; off for a player alone)
// events      map-select {kind, id}           a thing was clicked
//             map-send {source, target}       a sender, then where to: each {kind, id}
//             map-enter {node}                a node's kernel was asked for (double click, Shift+Enter)
//             map-menu {thing, x, y}          the context menu, thing null on the ground
//             map-hover {id}
// methods     fit()                           thingAt(x, y): what is at a point of the window, for drops
import { select } from "d3-selection";
import { zoom, zoomIdentity, type ZoomBehavior, type ZoomTransform } from "d3-zoom";
import { html, LitElement, nothing, type PropertyValues } from "lit";
import { hostsOf, withTrace } from "../derived";
import { flightPainter, type Flight } from "../flights";
import { Localized, t } from "../i18n";
import { layoutOf, type Layout, type Point } from "../layout";
import { isStill } from "../motion";
import { Follow, redraw, type Playback } from "../playback";
import { drawMap, line, type Handles, type Thing } from "../render/map";
import { mapStyle } from "../render/map.css";
import { packetAt, trailOf } from "../road";
import { pictureOf } from "../scene";
import { NO_SLOTS, type Slots } from "../slots";
import type { TraceDocument } from "../trace";
import type { ClusterView } from "../wire";

const LEAST = 0.55; // smaller, the map follows the packet instead of showing everything,
const READABLE = 0.72; // this large
const MOST = 1.2;
const FAR = 0.45; // smaller, small texts are left out

export class ClusterMap extends LitElement {
  static override styles = mapStyle;
  static override properties = {
    cluster: { attribute: false },
    playback: { attribute: false },
    hosts: { attribute: false },
    flights: { attribute: false },
    choosing: { type: Boolean },
    source: { state: true },
    hover: { state: true },
    each: { state: true },
  };
  declare cluster: ClusterView | null;
  declare playback: Playback | null;
  declare hosts: readonly string[];
  declare flights: readonly Flight[];
  declare choosing: boolean;
  declare private source: Thing | null;
  declare private hover: string | null;
  declare private each: number; // packets that a dot stands for

  private slots: Slots = NO_SLOTS;
  private layout: Layout | null = null;
  private laid: {
    readonly cluster: ClusterView | null;
    readonly trace: TraceDocument | null;
    readonly hosts: readonly string[];
  } | null = null;
  private painter: ReturnType<typeof flightPainter> | null = null;
  private zoom: ZoomBehavior<SVGSVGElement, unknown> | null = null;
  private zoomed: SVGSVGElement | null = null; // what it is attached to; an empty map has none
  private transform: ZoomTransform = zoomIdentity;
  private moved = false; // by hand: then it is left alone
  private resize: ResizeObserver | null = null;
  private size = { width: 0, height: 0 };
  private flying = 0;

  constructor() {
    super();
    this.cluster = null;
    this.playback = null;
    this.hosts = [];
    this.flights = [];
    this.choosing = false;
    this.source = null;
    this.hover = null;
    this.each = 1;
    new Localized(this);
    new Follow(
      this,
      () => this.playback,
      ["load", "moment", "frame"],
      (event) => {
        if (event.type === "frame") this.drawPacket();
        else redraw(this, event, this.playback);
      },
    );
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.resize = new ResizeObserver(([entry]) => {
      this.size = { width: entry!.contentRect.width, height: entry!.contentRect.height };
      this.settle();
    });
    this.resize.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.resize?.disconnect();
    cancelAnimationFrame(this.flying);
  }

  /** Shows everything, or follows the packet where everything would be too small. */
  fit(): void {
    this.moved = false;
    this.settle();
  }

  thingAt(x: number, y: number): Thing | null {
    return thingOf(this.renderRoot instanceof ShadowRoot ? this.renderRoot.elementFromPoint(x, y) : null);
  }

  protected override willUpdate(): void {
    const trace = this.playback?.timeline?.trace ?? null;
    if (
      this.laid !== null &&
      this.laid.cluster === this.cluster &&
      this.laid.trace === trace &&
      this.laid.hosts === this.hosts
    )
      return;
    this.laid = { cluster: this.cluster, trace, hosts: this.hosts };
    const cluster = withTrace(this.cluster, trace);
    const hosts = [...new Set([...this.hosts, ...hostsOf(trace)])];
    const focus = new Set(trace?.legs.flatMap((leg) => leg.hops.map((hop) => hop.place)));
    const addressed = cluster.services.find(({ cluster_ips }) => cluster_ips.includes(trace?.flow.destination ?? ""));
    if (addressed !== undefined) focus.add(addressed.key);
    this.layout = cluster.nodes.length === 0 ? null : layoutOf(cluster, hosts, this.slots, focus);
    this.slots = this.layout?.slots ?? this.slots;
    this.painter = null;
  }

  protected override render() {
    if (this.layout === null) {
      return html`<div class="empty"><p><strong>${t("map.empty")}</strong></p><p>${t("map.empty.hint")}</p></div>`;
    }
    const timeline = this.playback?.timeline ?? null;
    const picture = pictureOf(this.layout, {
      timeline,
      index: this.playback?.index ?? -1,
      source: this.source?.id ?? null,
      hover: this.hover,
    });
    return html`
      <svg class="map" role="group" aria-label=${t("map.label")} aria-describedby="about"
        @click=${() => this.cancel()} @keydown=${this.onKey} @contextmenu=${this.onMenu}>
        <g class="world">
          ${drawMap(picture, this.handles)}
          <g class="walk"><path class="trail" /><g class="dots"></g>
            <g class="packet" visibility="hidden"><circle class="body" r="7.5" /><path class="mark" /></g>
          </g>
        </g>
      </svg>
      <p class="unseen" id="about">${t("map.describe", {
        nodes: picture.nodes.length,
        pods: this.cluster?.pods.length ?? picture.pods.length,
        services: this.cluster?.services.length ?? picture.services.length,
      })}</p>
      <div class="tools">
        <button type="button" aria-label=${t("map.zoomIn")} title=${t("map.zoomIn")} @click=${() => this.scale(1.3)}>+</button>
        <button type="button" aria-label=${t("map.zoomOut")} title=${t("map.zoomOut")} @click=${() => this.scale(1 / 1.3)}>−</button>
        <button type="button" aria-label=${t("map.fit")} title=${t("map.fit")} @click=${() => this.fit()}>⤢</button>
      </div>
      <p class="legend" role="status">${this.legend()}</p>`;
  }

  private legend() {
    if (this.source !== null) return t("map.asSource");
    return this.each > 1 ? t("map.dots", { count: this.each }) : nothing;
  }

  protected override updated(changed: PropertyValues): void {
    this.startZoom();
    if (!this.moved) this.settle();
    this.drawPacket();
    if (changed.has("flights")) this.fly();
  }

  private readonly handles: Handles = {
    act: (thing) => this.act(thing),
    enter: (node) => this.tell("map-enter", { node }),
    hover: (id) => {
      this.hover = id;
      this.tell("map-hover", { id });
    },
  };

  private act(thing: Thing): void {
    this.tell("map-select", thing);
    if (!this.choosing) return;
    if (this.source === null) {
      if (thing.kind !== "service") this.source = thing;
    } else if (this.source.kind === thing.kind && this.source.id === thing.id) {
      this.source = null;
    } else {
      this.tell("map-send", { source: this.source, target: thing });
      this.source = null;
    }
  }

  private cancel(): void {
    this.source = null;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key === "Escape") this.cancel();
  };

  private readonly onMenu = (event: MouseEvent): void => {
    const thing = thingOf(event.composedPath()[0]);
    const answered = this.tell("map-menu", { thing, x: event.clientX, y: event.clientY });
    if (!answered) event.preventDefault();
  };

  /** False: somebody takes care of it (preventDefault). */
  private tell(type: string, detail: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true, cancelable: true }));
  }

  // ---- the packet ----

  private drawPacket(): void {
    const timeline = this.playback?.timeline ?? null;
    const trail = this.renderRoot.querySelector(".trail");
    const token = this.renderRoot.querySelector<SVGGElement>(".packet");
    if (trail === null || token === null || this.layout === null) return;
    const moment = this.playback?.moment ?? null;
    const at =
      timeline === null || moment === null ? null : packetAt(this.layout, timeline, this.playback!.playhead, isStill());
    token.setAttribute("visibility", at === null ? "hidden" : "visible");
    trail.setAttribute(
      "d",
      timeline === null || at === null ? "" : line(trailOf(this.layout, timeline, this.playback!.playhead, isStill())),
    );
    if (at === null || moment === null) return;
    token.setAttribute("transform", `translate(${at.x.toFixed(1)},${at.y.toFixed(1)})`);
    const title = timeline!.legs[moment.leg]?.title ?? "";
    token.setAttribute("class", ["reply", "refusal", "ICMP error"].includes(title) ? "packet back" : "packet");
    token
      .querySelector(".mark")!
      .setAttribute(
        "d",
        markOf(moment.detail.kind === "ended" ? moment.detail.outcome : "", moment.meaning === "arrive"),
      );
    this.follow(at);
  }

  private fly(): void {
    cancelAnimationFrame(this.flying);
    const frame = (now: number): void => {
      const ground = this.renderRoot.querySelector(".dots");
      if (ground === null || this.layout === null) return;
      this.painter ??= flightPainter(this.layout);
      const { dots, each } = this.painter(this.flights, now);
      drawDots(ground, dots);
      this.each = each;
      if (this.flights.some(({ start, duration }) => now < start + duration))
        this.flying = requestAnimationFrame(frame);
    };
    if (isStill()) return; // the counts are told elsewhere
    this.flying = requestAnimationFrame(frame);
  }

  // ---- zoom ----

  private startZoom(): void {
    const svg = this.renderRoot.querySelector<SVGSVGElement>("svg.map");
    if (svg === null || svg === this.zoomed) return;
    this.zoomed = svg;
    this.transform = zoomIdentity;
    this.zoom = zoom<SVGSVGElement, unknown>()
      .scaleExtent([0.1, 4])
      .filter((event: Event) => event.type !== "dblclick" && (!(event instanceof MouseEvent) || event.button === 0))
      .on("zoom", ({ transform, sourceEvent }: { transform: ZoomTransform; sourceEvent: unknown }) => {
        if (sourceEvent !== null && sourceEvent !== undefined) this.moved = true;
        this.transform = transform;
        const world = this.renderRoot.querySelector<SVGGElement>("g.world");
        world?.classList.toggle("gliding", !sourceEvent);
        svg.classList.toggle("far", transform.k < FAR);
        world?.style.setProperty("transform", `translate(${transform.x}px,${transform.y}px) scale(${transform.k})`);
      });
    select(svg).call(this.zoom);
  }

  private scale(by: number): void {
    const svg = this.renderRoot.querySelector<SVGSVGElement>("svg.map");
    if (svg === null || this.zoom === null) return;
    this.moved = true;
    this.zoom.scaleBy(select(svg), by);
  }

  private settle(): void {
    const svg = this.renderRoot.querySelector<SVGSVGElement>("svg.map");
    const { width, height } = this.size;
    if (svg === null || this.zoom === null || this.layout === null || this.moved || width === 0 || height === 0) return;
    const { bounds } = this.layout;
    const whole = Math.min(width / bounds.width, height / bounds.height, MOST);
    const k = whole >= LEAST ? whole : Math.max(whole, Math.min(READABLE, height / bounds.height));
    const x = (width - bounds.width * k) / 2 - bounds.x * k;
    const y = (height - bounds.height * k) / 2 - bounds.y * k;
    const next = zoomIdentity.translate(k > whole ? this.panned(k) : x, y).scale(k);
    if (next.x === this.transform.x && next.y === this.transform.y && next.k === this.transform.k) return;
    this.zoom.transform(select(svg), next);
  }

  /** Where the map is too wide: keeps the node or host where the packet is in the middle. */
  private panned(k: number): number {
    const { bounds } = this.layout!;
    const place = this.playback?.moment?.place ?? "";
    const pod = this.layout!.pods.get(place);
    const box =
      this.layout!.nodes.get(pod?.pod.node ?? place) ??
      this.layout!.hosts.get(place) ??
      [...this.layout!.nodes.values()][0]!;
    const wanted = this.size.width / 2 - (box.x + box.width / 2) * k;
    const least = this.size.width - (bounds.x + bounds.width) * k;
    return Math.min(-bounds.x * k, Math.max(least, wanted));
  }

  /** On a small screen the map goes along when the packet would leave it. */
  private follow(at: Point): void {
    if (this.moved || this.size.width === 0) return;
    const x = at.x * this.transform.k + this.transform.x;
    if (x < 20 || x > this.size.width - 20) {
      const svg = this.renderRoot.querySelector<SVGSVGElement>("svg.map")!;
      const shift = (this.size.width / 2 - x) / this.transform.k;
      this.zoom?.translateBy(select(svg), shift, 0);
    }
  }
}

function thingOf(target: EventTarget | null | undefined): Thing | null {
  const element = target instanceof Element ? target.closest<SVGElement>(".thing") : null;
  const { kind, id } = element?.dataset ?? {};
  return kind === undefined || id === undefined ? null : { kind: kind as Thing["kind"], id };
}

/** A tick for what arrived, a cross for what did not: shape says it, not hue alone. */
function markOf(outcome: string, arrived: boolean): string {
  if (outcome === "delivered" || arrived) return "M-3,0.2L-0.8,2.6L3.2,-2.4";
  return outcome === "" ? "" : "M-2.6,-2.6L2.6,2.6M2.6,-2.6L-2.6,2.6";
}

function drawDots(
  ground: Element,
  dots: readonly { readonly x: number; readonly y: number; readonly count: number }[],
): void {
  while (ground.childElementCount > dots.length) ground.lastElementChild!.remove();
  while (ground.childElementCount < dots.length) {
    const circle = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    circle.setAttribute("class", "dot");
    ground.append(circle);
  }
  dots.forEach((dot, index) => {
    const circle = ground.children[index]!;
    circle.setAttribute("transform", `translate(${dot.x.toFixed(1)},${dot.y.toFixed(1)})`);
    circle.setAttribute("r", dot.count > 1 ? "5" : "3.5");
  });
}

customElements.define("cluster-map", ClusterMap);
declare global {
  interface HTMLElementTagNameMap {
    "cluster-map": ClusterMap;
  }
}
