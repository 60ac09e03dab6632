// Rule: the one clock of a page. It holds a timeline and a playhead; elements ask it and listen, and keep no time of their own.
//
//   const playback = new Playback();
//   playback.load(trace);                                    // a trace document, already read
//   playback.addEventListener("load", …)                     // another trace, or none
//   playback.addEventListener("moment", …)                   // the step changed: playback.moment
//   playback.addEventListener("frame", …)                    // time went on: playback.playhead
//   playback.addEventListener("state", …)                    // playing, speed
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { TraceDocument } from "./trace";
import {
  advance,
  clamp,
  doneTime,
  nextInteresting,
  previousInteresting,
  seek,
  timelineOf,
  type Moment,
  type Playback as State,
  type Playhead,
  type Timeline,
} from "./timeline";
import { inTurn } from "./turns";

export class Playback extends EventTarget {
  timeline: Timeline | null = null;
  playhead: Playhead = { index: -1, fraction: 0 };
  private state: State = { time: 0, speed: 1, playing: false };
  private frame = 0;
  private last = 0;

  get moment(): Moment | null {
    return this.timeline?.moments[this.playhead.index] ?? null;
  }
  get index(): number {
    return this.playhead.index;
  }
  get length(): number {
    return this.timeline?.moments.length ?? 0;
  }
  get playing(): boolean {
    return this.state.playing;
  }
  get speed(): number {
    return this.state.speed;
  }
  set speed(speed: number) {
    this.state = { ...this.state, speed };
    this.tell("state");
  }

  /** Shows a trace from `step`, or from its beginning; null shows none. */
  load(trace: TraceDocument | null, step?: number): void {
    this.stop();
    this.timeline = trace === null ? null : timelineOf(trace);
    const time = step === undefined || this.timeline === null ? 0 : doneTime(this.timeline, step);
    this.state = { ...this.state, time, playing: false };
    this.playhead = this.timeline === null ? { index: -1, fraction: 0 } : seek(this.timeline, time);
    this.tell("load");
    this.tell("moment");
    this.tell("frame");
    this.tell("state");
  }

  play(): void {
    if (this.timeline === null || this.length === 0 || this.playing) return;
    const over = this.state.time >= doneTime(this.timeline, this.length - 1);
    this.state = { ...this.state, playing: true, time: over ? 0 : this.state.time };
    this.last = performance.now();
    this.frame = requestAnimationFrame(this.onFrame);
    this.tell("state");
  }

  pause(): void {
    if (!this.playing) return;
    this.stop();
    this.state = { ...this.state, playing: false };
    this.tell("state");
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  /** Goes to a step, as it is once done. */
  seek(index: number): void {
    if (this.timeline === null) return;
    this.pause();
    this.moveTo(doneTime(this.timeline, clamp(index, 0, this.length - 1)));
  }

  /** Goes to a time without pausing, for dragging. */
  scrub(time: number): void {
    if (this.timeline !== null) this.moveTo(clamp(time, 0, this.timeline.total));
  }

  step(by: number): void {
    this.seek(this.index + by);
  }

  skip(direction: 1 | -1): void {
    if (this.timeline === null) return;
    this.seek((direction > 0 ? nextInteresting : previousInteresting)(this.timeline, this.index));
  }

  /** Space, arrows, Shift and arrows, Home, End. True: the key was taken. */
  key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey || this.timeline === null) return false;
    switch (event.key) {
      case " ":
        this.toggle();
        return true;
      case "ArrowRight":
        if (event.shiftKey) this.skip(1);
        else this.step(1);
        return true;
      case "ArrowLeft":
        if (event.shiftKey) this.skip(-1);
        else this.step(-1);
        return true;
      case "Home":
        this.seek(0);
        return true;
      case "End":
        this.seek(this.length - 1);
        return true;
      default:
        return false;
    }
  }

  private readonly onFrame = (now: number): void => {
    if (this.timeline === null) return;
    const elapsed = Math.min(0.25, (now - this.last) / 1000); // a page that was hidden goes on where it was
    this.last = now;
    this.state = advance(this.timeline, this.state, elapsed);
    this.moveTo(this.state.time);
    if (this.playing) this.frame = requestAnimationFrame(this.onFrame);
    else this.tell("state");
  };

  private moveTo(time: number): void {
    if (this.timeline === null) return;
    this.state = { ...this.state, time };
    const was = this.playhead.index;
    this.playhead = seek(this.timeline, time);
    if (this.playhead.index !== was) this.tell("moment");
    this.tell("frame");
  }

  private stop(): void {
    cancelAnimationFrame(this.frame);
  }

  private tell(type: "load" | "moment" | "frame" | "state"): void {
    this.dispatchEvent(new Event(type));
  }
}

/** Redraws an element after an event: at once, but for a step of a walk that plays, which it may draw in its turn. */
export function redraw(host: ReactiveControllerHost, event: Event, playback: Playback | null): void {
  if (event.type === "moment" && playback?.playing === true) inTurn(host, () => host.requestUpdate());
  else host.requestUpdate();
}

/** Tells a Lit element, while it is on the page, of `events` of what it was given. */
export class FollowEvents<Target extends EventTarget> implements ReactiveController {
  private target: Target | null = null;
  private connected = false;

  constructor(
    host: ReactiveControllerHost,
    private readonly given: () => Target | null,
    private readonly events: readonly string[],
    private readonly tell: (event: Event) => void,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.connected = true;
    this.attach(this.given());
  }

  hostDisconnected(): void {
    this.connected = false;
    this.attach(null);
  }

  hostUpdate(): void {
    if (this.connected) this.attach(this.given());
  }

  private attach(next: Target | null): void {
    if (next === this.target) return;
    for (const event of this.events) {
      this.target?.removeEventListener(event, this.tell);
      next?.addEventListener(event, this.tell);
    }
    this.target = next;
  }
}

/** Redraws a Lit element when the playback it was given says one of `events`. */
export class Follow extends FollowEvents<Playback> {
  constructor(
    host: ReactiveControllerHost,
    given: () => Playback | null,
    events: readonly string[] = ["load", "moment", "state"],
    tell: (event: Event) => void = (event) => redraw(host, event, given()),
  ) {
    super(host, given, events, tell);
  }
}
