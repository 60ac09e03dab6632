// Rule: the page's one model. It holds what the server told, what is being looked at, and the clock; elements ask it and listen.
// Events: "change" (anything), "hover" (what the pointer lights, often). Only here are commands asked.
import { Api } from "../api";
import type { Flight } from "../flights";
import { t } from "../i18n";
import { Playback } from "../playback";
import { clusterOf, receive, remember, unknownAfter, type LabState } from "../state";
import { LabSocket, Refusal, type Connection } from "../socket";
import type { Command, FromServer, Mode, TraceSummary } from "../wire";
import type { FieldAt } from "./blame";
import { comparedTogether, indexAt, laneOf, phaseAt, type Lane } from "./compare";
import { firstFlow, protocolOf } from "./complete";
import { Allowance, readLink, writeLink } from "./link";
import { nodeAt } from "./marks";
import { timelineOf } from "../timeline";

export type View = "map" | "kernel" | "steps" | "compare";
export interface Toast {
  readonly id: number;
  readonly tone: "said" | "wrong";
  readonly lines: readonly string[];
  readonly trace?: number; // a walk that can be looked at
}
export interface Ends {
  readonly source: string;
  readonly target: string;
  readonly protocol: "tcp" | "udp" | "sctp" | null; // null: as the target says
  readonly via: string;
}
export interface Hovered {
  readonly from: "rules" | "yaml";
  readonly fields: readonly FieldAt[];
}

const TRAFFIC_EVERY = 1200; // ms
const FLIGHT = 1600; // ms
const MOST_FLIGHTS = 120;
const MOST_RECALLED = 100; // events from before the page
const SAY_FOR = 6000; // ms

export class Lab extends EventTarget {
  readonly playback = new Playback();
  readonly api: Api;
  readonly socket: LabSocket;
  state: LabState | null = null;
  connection: Connection = { state: "connecting", attempt: 0 };

  view: View = "map";
  shown: number | null = null; // the walk's number
  private wanted: number | null = null; // being fetched
  node: string | null = null; // whose rules are shown
  nodePinned = false; // chosen by hand; else it goes with the packet
  selected: string | null = null; // a document's key
  ends: Ends = { source: "", target: "", protocol: null, via: "" };
  lanes: readonly Lane[] = [];
  lane: Mode | null = null;
  readonly drafts = new Map<string, { readonly base: string; readonly text: string }>(); // edits not applied yet, by document
  hovered: Hovered | null = null;
  toasts: readonly Toast[] = [];
  busy = 0; // commands under way
  traffic = false;
  flights: readonly Flight[] = [];
  burst: number | null = null; // the burst that is shown, by its event's number
  private recalls = false; // the log was looked at
  private recalling = false;
  private trafficTimer: ReturnType<typeof setTimeout> | undefined;
  private toastCount = 0;
  private sending = 0; // walks that this page asked for and has not heard of
  private linkTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly addresses = new Allowance(50, 200);

  constructor(
    readonly token: string,
    socketUrl: string,
  ) {
    super();
    this.api = new Api(token);
    this.socket = new LabSocket(socketUrl, {
      message: (message) => this.take(message),
      connection: (connection) => this.connect(connection),
      seen: () => this.state?.seq ?? null,
    });
    this.playback.addEventListener("moment", () => this.onMoment());
    this.playback.addEventListener("state", () => this.keepLink());
  }

  get canBuild(): boolean {
    return this.state !== null && this.state.role !== "viewer" && this.connection.state === "open";
  }

  get summary(): TraceSummary | null {
    return this.state?.traces.findLast((trace) => trace.number === this.shown) ?? null;
  }

  tell(type: "change" | "hover" = "change"): void {
    this.dispatchEvent(new Event(type));
  }

  // ---- what the server tells -----------------------------------------------------------------------------

  private take(message: FromServer): void {
    const first = this.state === null;
    this.state = receive(this.state, message);
    if (this.state === null) return;
    if (message.type === "welcome") {
      if (first) this.begin();
      else this.changed();
      if (this.recalls) void this.recall();
    }
    if (message.type === "happened") {
      if (message.event.type === "traced") this.traced(message.event.traces);
      if (message.event.type === "changed") this.changed();
    }
    this.tell();
  }

  /** Somebody looks at the log: what happened before this page came, or while it was away, is fetched. */
  async recall(): Promise<void> {
    this.recalls = true;
    const after = this.state === null || this.recalling ? null : unknownAfter(this.state, MOST_RECALLED);
    if (after === null) return;
    this.recalling = true;
    try {
      const events = await this.api.events(after, MOST_RECALLED);
      if (this.state !== null) this.state = remember(this.state, events);
      this.tell();
    } catch (error) {
      this.complain(error);
    } finally {
      this.recalling = false;
    }
  }

  private begin(): void {
    const state = this.state!;
    this.ends = { ...this.ends, ...firstFlow(state) };
    this.node ??= [...state.nodes.keys()][0] ?? null;
    void this.showFirst(state);
  }

  /** The walk that the address names; where it names none that is there, the last. */
  private async showFirst(state: LabState): Promise<void> {
    const place = readLink(location.hash);
    if (place !== null && (await this.show(place.trace, { step: place.step, play: place.step === null }))) return;
    const last = state.traces.at(-1);
    if (last !== undefined) await this.show(last.number, { play: true });
  }

  /** Somebody's packets: their dots fly; who has seen the last walk to its end is shown the next. */
  private traced(traces: readonly TraceSummary[]): void {
    if (this.traffic || this.sending === 0) this.fly(traces);
    const { playback } = this;
    const over = playback.length === 0 || playback.index >= playback.length - 1;
    const last = traces.at(-1);
    if (this.sending > 0 || last === undefined || last.label === "compare" || this.view === "compare") return;
    if (over && !playback.playing) void this.show(last.number, { play: true });
  }

  private changed(): void {
    const { state } = this;
    if (this.selected !== null && state?.documents.has(this.selected) === false) this.selected = null;
    if (this.node !== null && state?.nodes.has(this.node) === false) this.node = [...state.nodes.keys()][0] ?? null;
  }

  private connect(connection: Connection): void {
    this.connection = connection;
    if (connection.state !== "open") this.stopTraffic();
    this.tell();
  }

  // ---- asking ----------------------------------------------------------------------------------------------

  /** True: done. What is refused is said in a toast, unless `quiet`; then the refusal is thrown. */
  async ask(command: Command, quiet = false): Promise<number | null> {
    const walks = ["send", "resolve", "compare"].includes(command.type) ? 1 : 0;
    this.busy += 1;
    this.sending += walks;
    this.tell();
    try {
      return await this.socket.ask(command);
    } catch (error) {
      if (quiet) throw error;
      this.complain(error);
      return null;
    } finally {
      this.busy -= 1;
      this.sending -= walks;
      this.tell();
    }
  }

  complain(error: unknown): void {
    if (error instanceof Refusal) {
      this.say(
        "wrong",
        error.problems.length > 0 ? error.problems : [t(error.lost ? "lab.refused.lost" : "lab.refused.busy")],
      );
    } else this.say("wrong", [error instanceof Error && error.message !== "" ? error.message : t("lab.refused.fault")]);
  }

  say(tone: Toast["tone"], lines: readonly string[], trace?: number): void {
    const toast: Toast = { id: ++this.toastCount, tone, lines, ...(trace === undefined ? {} : { trace }) };
    this.toasts = [...this.toasts, toast].slice(-4);
    setTimeout(() => this.unsay(toast.id), tone === "said" ? SAY_FOR : SAY_FOR * 3);
    this.tell();
  }

  unsay(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
    this.tell();
  }

  private flow(): { source: string; target: string; protocol: "tcp" | "udp" | "sctp" | null; via: string | null } {
    const { source, target, via, protocol } = this.ends;
    const known = this.state === null ? null : protocolOf(this.state, target.trim());
    return { source: source.trim(), target: target.trim(), protocol: protocol ?? known, via: via.trim() || null };
  }

  async send(): Promise<void> {
    if (this.view === "compare") return this.compare();
    const seq = await this.ask({ type: "send", ...this.flow() });
    this.playSeq(seq);
  }

  async resolve(): Promise<void> {
    const { source, target } = this.flow();
    this.playSeq(await this.ask({ type: "resolve", source, service: target }));
  }

  async sendBurst(count: number): Promise<void> {
    this.burst = (await this.ask({ type: "burst", ...this.flow(), count })) ?? this.burst;
    this.tell();
  }

  async compare(): Promise<void> {
    const seq = await this.ask({ type: "compare", ...this.flow() });
    if (seq !== null) await this.showComparison(seq, true);
  }

  private playSeq(seq: number | null): void {
    const trace = seq === null ? undefined : this.state?.traces.find((one) => one.seq === seq);
    if (trace !== undefined) void this.show(trace.number, { play: true });
  }

  async setMode(mode: Mode): Promise<void> {
    if (this.view === "compare") this.look("map");
    if (this.state?.mode === mode) return;
    if ((await this.ask({ type: "set_mode", mode })) === null) return;
    await this.send(); // the same flow again, so that what is seen is what the mode does
  }

  toggleTraffic(): void {
    if (this.traffic) this.stopTraffic();
    else {
      this.traffic = true;
      void this.nextOfTraffic();
    }
    this.tell();
  }

  private stopTraffic(): void {
    this.traffic = false;
    clearTimeout(this.trafficTimer);
  }

  private async nextOfTraffic(): Promise<void> {
    const seq = await this.ask({ type: "send", ...this.flow() });
    if (seq === null) this.stopTraffic();
    if (!this.traffic) return;
    this.trafficTimer = setTimeout(() => void this.nextOfTraffic(), TRAFFIC_EVERY);
  }

  private fly(traces: readonly TraceSummary[]): void {
    const now = performance.now();
    const more = traces.map((trace) => ({ id: String(trace.number), path: trace.path, start: now, duration: FLIGHT }));
    this.flights = [...this.flights.filter((one) => one.start + one.duration > now), ...more].slice(-MOST_FLIGHTS);
  }

  // ---- looking ---------------------------------------------------------------------------------------------

  look(view: View): void {
    if (this.view === view) return;
    this.view = view;
    if (view === "compare") {
      const known = this.state === null ? [] : comparedTogether(this.state.traces, null);
      const same = known[0]?.source === this.ends.source && known[0].target === this.ends.target;
      if (known.length > 0 && (same || !this.canBuild)) void this.showComparison(known[0]!.seq, false);
      else if (this.canBuild) void this.compare();
    }
    this.tell();
  }

  /** Shows a walk, from a step or from its beginning. */
  async show(number: number, how: { play?: boolean; step?: number | null } = {}): Promise<boolean> {
    this.wanted = number;
    try {
      const trace = await this.api.trace(number);
      if (this.wanted !== number) return true; // another was asked for meanwhile
      this.shown = number;
      this.nodePinned = false;
      this.playback.load(trace, how.step === null || how.step === undefined ? undefined : how.step - 1);
      if (how.play === true) this.playback.play();
      this.onMoment();
      this.tell();
      return true;
    } catch (error) {
      this.complain(error);
      return false;
    }
  }

  async showComparison(seq: number, play: boolean): Promise<void> {
    const traces = this.state === null ? [] : comparedTogether(this.state.traces, seq);
    if (traces.length === 0) return;
    const documents = await Promise.all(traces.map((trace) => this.api.trace(trace.number))).catch((error: unknown) => {
      this.complain(error);
      return null;
    });
    if (documents === null) return;
    this.view = "compare";
    this.lanes = traces.map((trace, at) => laneOf(trace.mode, trace.number, timelineOf(documents[at]!)));
    const slowest = [...this.lanes].sort((a, b) => b.last - a.last)[0];
    this.lane = this.lanes.find((lane) => lane.mode === this.state?.mode)?.mode ?? slowest?.mode ?? null;
    const lane = this.lanes.find((one) => one.mode === this.lane);
    if (lane !== undefined) await this.show(lane.number, { play });
    this.tell();
  }

  /** Another lane, at the moment that means the same. */
  async chooseLane(mode: Mode, index?: number): Promise<void> {
    const from = this.lanes.find((lane) => lane.mode === this.lane);
    const to = this.lanes.find((lane) => lane.mode === mode);
    if (to === undefined) return;
    const same = index ?? (from === undefined ? 0 : indexAt(to, phaseAt(from, this.playback.index)));
    this.lane = mode;
    if (this.shown === to.number) this.playback.seek(same);
    else await this.show(to.number, { step: same + 1 });
    this.tell();
  }

  select(key: string | null): void {
    this.selected = key;
    this.tell();
  }

  enter(node: string): void {
    this.view = "kernel";
    this.node = node;
    this.tell();
  }

  showRulesOf(node: string, pinned: boolean): void {
    this.node = node;
    this.nodePinned = pinned;
    this.tell();
  }

  hover(hovered: Hovered | null): void {
    if (hovered === null && this.hovered === null) return;
    this.hovered = hovered;
    this.tell("hover");
  }

  setEnds(ends: Partial<Ends>): void {
    this.ends = { ...this.ends, ...ends };
    this.tell();
  }

  isNode(place: string): boolean {
    const kind = this.playback.timeline?.moments.find((moment) => moment.place === place)?.placeKind;
    return kind === undefined ? this.state?.nodes.has(place) === true : kind === "node";
  }

  cluster() {
    return this.state === null ? null : clusterOf(this.state);
  }

  private onMoment(): void {
    const { timeline, index } = this.playback;
    if (timeline !== null && index >= 0 && !this.nodePinned) {
      const node = nodeAt(timeline, index, (place) => this.isNode(place));
      if (node !== null) this.node = node; // who shows its rules follows the walk, too
    }
    this.keepLink();
  }

  // ---- the address -----------------------------------------------------------------------------------------

  /** True: the address names a walk, and it is shown. */
  followLink(): boolean {
    const place = readLink(location.hash);
    if (place === null) return false;
    if (place.trace === this.shown && place.step !== null) {
      if (place.step - 1 !== this.playback.index) this.playback.seek(place.step - 1);
    } else void this.show(place.trace, { step: place.step, play: place.step === null });
    return true;
  }

  /** At once for a step that somebody takes, so that a reload right after it loses nothing; soon while a walk plays. */
  private keepLink(): void {
    if (!this.playback.playing && this.addresses.take(performance.now())) this.writeLink();
    else this.linkTimer ??= setTimeout(() => this.writeLink(), 300);
  }

  private writeLink(): void {
    clearTimeout(this.linkTimer);
    this.linkTimer = undefined;
    const index = this.playback.index;
    if (this.shown === null || index < 0) return;
    const hash = writeLink({ trace: this.shown, step: index + 1 });
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }
}

export const MODE_KEYS: readonly Mode[] = ["userspace", "iptables", "ipvs", "nftables"];
