// Rule: the lab's websocket. It says what it has seen, so that a lost connection loses no event and repeats none.
// It draws nothing and knows no clock, chance or WebSocket of its own: all are passed in, so tests can be them.
import type { Command, FromPage, FromServer } from "./wire";

export const PROTOCOL = 1;
export const PING_EVERY = 25_000; // ms
export const ANSWER_WITHIN = 20_000; // ms from a ping to any message
export const WELCOME_WITHIN = 90_000; // ms from opening: a large lab is read anew by its server
const FIRST_WAIT = 400; // ms
const LONGEST_WAIT = 15_000;
const MOST_OPEN_ASKS = 64;

export type Connection =
  | { readonly state: "connecting"; readonly attempt: number }
  | { readonly state: "open" }
  | { readonly state: "waiting"; readonly attempt: number; readonly wait: number } // ms until the next attempt
  | { readonly state: "ended"; readonly reason: string }; // the server said goodbye for good

/** The part of WebSocket that is used. */
export interface Line {
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: (() => void) | null;
  send(data: string): void;
  close(): void;
}

export interface Surroundings {
  open(url: string): Line;
  later(milliseconds: number, what: () => void): () => void; // returns how to call it off
  chance(): number; // 0 to 1
}

export interface SocketListener {
  message(message: FromServer): void;
  connection(connection: Connection): void;
  /** The last event's number that the page has; null for a page that begins. */
  seen(): number | null;
}

/** A command that was not done. `problems` are sentences for people; `lost`: nobody knows whether it was done. */
export class Refusal extends Error {
  constructor(
    readonly problems: readonly string[],
    readonly lost = false,
  ) {
    super(problems.join(" "));
  }
}

interface Waiting {
  readonly resolve: (seq: number) => void;
  readonly reject: (refusal: Refusal) => void;
}

export class LabSocket {
  private line: Line | null = null;
  private attempt = 0;
  private greeted = false; // welcomed on this line
  private stopped = true;
  private count = 0;
  private readonly waiting = new Map<string, Waiting>();
  private readonly off: Record<"retry" | "ping" | "answer", (() => void) | null> = { retry: null, ping: null, answer: null };
  private readonly tag: string;

  constructor(
    private readonly url: string,
    private readonly listener: SocketListener,
    private readonly around: Surroundings = browser,
  ) {
    this.tag = Math.floor(around.chance() * 2 ** 40).toString(36);
  }

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    this.drop();
    this.cancel("retry");
    this.giveUp();
  }

  /** Tries at once instead of waiting any longer: somebody asked, or the network is back. */
  retry(): void {
    if (this.stopped || this.line !== null) return;
    this.cancel("retry");
    this.connect();
  }

  /** Resolves to the number of the command's last event. Rejects with a Refusal. */
  ask(command: Command): Promise<number> {
    if (this.line === null || !this.greeted || this.waiting.size >= MOST_OPEN_ASKS) {
      return Promise.reject(new Refusal([], this.waiting.size < MOST_OPEN_ASKS));
    }
    const id = `${this.tag}-${++this.count}`;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.send({ type: "ask", id, command });
    });
  }

  private connect(): void {
    this.listener.connection({ state: "connecting", attempt: this.attempt });
    let line: Line;
    try {
      line = this.around.open(this.url);
    } catch {
      this.lost();
      return;
    }
    this.line = line;
    this.greeted = false;
    this.expectAnswer(WELCOME_WITHIN);
    line.onopen = () => {
      if (line === this.line) this.send({ type: "hello", protocol: PROTOCOL, seen: this.listener.seen() });
    };
    line.onmessage = (event) => {
      if (line === this.line) this.take(event.data);
    };
    line.onclose = () => {
      if (line === this.line) this.lost();
    };
    line.onerror = null; // a close always follows
  }

  private take(data: unknown): void {
    const message = read(data);
    if (message === null) return;
    this.cancel("answer");
    this.pingLater();
    switch (message.type) {
      case "welcome":
        this.greeted = true;
        this.attempt = 0;
        this.listener.message(message);
        this.listener.connection({ state: "open" });
        return;
      case "happened":
        this.happened(message);
        return;
      case "done":
        this.answer(message.id)?.resolve(message.seq);
        return;
      case "refused":
        this.answer(message.id)?.reject(new Refusal(message.problems));
        return;
      case "resync":
        this.send({ type: "hello", protocol: PROTOCOL, seen: this.listener.seen() });
        return;
      case "goodbye":
        this.ended(message.reason);
        return;
      case "pong":
        return;
      default:
        this.listener.message(message);
    }
  }

  /** Events come in order without gaps; where one is missing, all since the last are asked for again. */
  private happened(message: Extract<FromServer, { type: "happened" }>): void {
    const seen = this.listener.seen();
    if (seen !== null && message.seq > seen + 1) {
      this.send({ type: "hello", protocol: PROTOCOL, seen });
      return;
    }
    if (seen === null || message.seq > seen) this.listener.message(message);
  }

  private answer(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private lost(): void {
    this.drop();
    this.giveUp();
    if (this.stopped) return;
    this.attempt += 1;
    const longest = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.attempt - 1));
    const wait = Math.round(longest * (0.5 + this.around.chance() / 2)); // not all pages at the same moment
    this.listener.connection({ state: "waiting", attempt: this.attempt, wait });
    this.off.retry = this.around.later(wait, () => {
      this.off.retry = null;
      if (!this.stopped && this.line === null) this.connect();
    });
  }

  private ended(reason: string): void {
    this.stopped = true;
    this.drop();
    this.giveUp();
    this.listener.connection({ state: "ended", reason });
  }

  private drop(): void {
    const line = this.line;
    this.line = null;
    this.greeted = false;
    this.cancel("ping");
    this.cancel("answer");
    line?.close();
  }

  /** What was asked and not answered: it may or may not have been done; the events after the next hello tell. */
  private giveUp(): void {
    const all = [...this.waiting.values()];
    this.waiting.clear();
    for (const one of all) one.reject(new Refusal([], true));
  }

  private pingLater(): void {
    this.cancel("ping");
    this.off.ping = this.around.later(PING_EVERY, () => {
      this.send({ type: "ping" });
      this.expectAnswer();
    });
  }

  private expectAnswer(within = ANSWER_WITHIN): void {
    this.cancel("answer");
    this.off.answer = this.around.later(within, () => this.lost());
  }

  private cancel(what: "retry" | "ping" | "answer"): void {
    this.off[what]?.();
    this.off[what] = null;
  }

  private send(message: FromPage): void {
    try {
      this.line?.send(JSON.stringify(message));
    } catch {
      this.lost();
    }
  }
}

function read(data: unknown): FromServer | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    const known = typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
    return known ? (value as FromServer) : null;
  } catch {
    return null;
  }
}

const browser: Surroundings = {
  open: (url) => new WebSocket(url) as unknown as Line,
  later: (milliseconds, what) => {
    const timer = setTimeout(what, milliseconds);
    return () => clearTimeout(timer);
  },
  chance: Math.random,
};
