// Rule: a lost connection loses no event and repeats none; what was asked is answered once, or known to be lost.
import { beforeEach, describe, expect, test } from "vitest";
import { LabSocket, Refusal, type Connection, type Line } from "../src/socket";
import type { FromServer } from "../src/wire";

class Wire implements Line {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];
  closed = false;
  send(data: string): void {
    this.sent.push(JSON.parse(data) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  lose(): void {
    this.onclose?.({ code: 1006, reason: "" });
  }
}

let lines: Wire[];
let timers: { at: number; what: () => void }[];
let told: FromServer[];
let connections: Connection[];
let seen: number | null;
let socket: LabSocket;

const last = (): Wire => lines.at(-1)!;
const fire = (): void => {
  const [next] = timers.splice(timers.findIndex((one) => one.at === Math.min(...timers.map((other) => other.at))), 1);
  next?.what();
};
const event = (seq: number) => ({ type: "happened", seq, at: "", event: { type: "renamed", title: "" } });
const welcome = { type: "welcome", protocol: 1, view: null };
const begin = (): void => {
  socket.start();
  last().onopen?.();
  last().say(welcome);
};

beforeEach(() => {
  [lines, timers, told, connections, seen] = [[], [], [], [], null];
  socket = new LabSocket(
    "ws://here",
    {
      message: (message) => {
        told.push(message);
        if (message.type === "happened") seen = message.seq;
      },
      connection: (connection) => connections.push(connection),
      seen: () => seen,
    },
    {
      open: () => {
        lines.push(new Wire());
        return last();
      },
      later: (at, what) => {
        const timer = { at, what };
        timers.push(timer);
        return () => void (timers = timers.filter((one) => one !== timer));
      },
      chance: () => 0.5,
    },
  );
});

describe("a page", () => {
  test("says hello with what it has seen, and asks once it is welcome", async () => {
    socket.start();
    await expect(socket.ask({ type: "undo" })).rejects.toBeInstanceOf(Refusal);
    last().onopen?.();
    expect(last().sent).toEqual([{ type: "hello", protocol: 1, seen: null }]);
    last().say(welcome);
    const asked = socket.ask({ type: "undo" });
    last().say({ type: "done", id: last().sent[1]!["id"], seq: 5 });
    await expect(asked).resolves.toBe(5);
  });
  test("is refused with the server's own sentences", async () => {
    begin();
    const asked = socket.ask({ type: "undo" });
    last().say({ type: "refused", id: last().sent[1]!["id"], problems: ["There is nothing to undo."] });
    await expect(asked).rejects.toMatchObject({ problems: ["There is nothing to undo."], lost: false });
  });
  test("takes each event once, and asks for what is missing in between", () => {
    seen = 3;
    begin();
    for (const seq of [4, 4, 2, 5]) last().say(event(seq));
    expect(told.filter((one) => one.type === "happened").map((one) => (one as { seq: number }).seq)).toEqual([4, 5]);
    last().say(event(8));
    expect(seen).toBe(5);
    expect(last().sent.at(-1)).toEqual({ type: "hello", protocol: 1, seen: 5 });
  });
  test("says hello again where it was too slow", () => {
    seen = 9;
    begin();
    last().say({ type: "resync" });
    expect(last().sent.at(-1)).toEqual({ type: "hello", protocol: 1, seen: 9 });
  });
  test.each(["no json", "[]", "null", "3", '{"kind":1}'])("passes over %s", (data) => {
    begin();
    const before = told.length;
    last().onmessage?.({ data });
    expect(told).toHaveLength(before);
  });
});

describe("a lost connection", () => {
  test("is tried again, later and later, with what was seen", () => {
    begin();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      last().lose();
      const state = connections.at(-1)!;
      if (state.state === "waiting") waits.push(state.wait);
      fire();
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(Math.max(...waits)).toBeLessThanOrEqual(15_000);
    seen = 12;
    last().onopen?.();
    expect(last().sent[0]).toEqual({ type: "hello", protocol: 1, seen: 12 });
    last().say(welcome);
    expect(connections.at(-1)).toEqual({ state: "open" });
  });
  test("leaves no command unanswered", async () => {
    begin();
    const asked = socket.ask({ type: "undo" });
    last().lose();
    await expect(asked).rejects.toMatchObject({ lost: true });
  });
  test("is noticed when nothing answers a ping", () => {
    begin();
    fire(); // the ping
    expect(last().sent.at(-1)).toEqual({ type: "ping" });
    fire(); // no answer
    expect(last().closed).toBe(true);
    expect(connections.at(-1)?.state).toBe("waiting");
  });
  test("is not tried again after a goodbye", () => {
    begin();
    last().say({ type: "goodbye", reason: "It has expired." });
    expect(connections.at(-1)).toEqual({ state: "ended", reason: "It has expired." });
    expect(timers).toEqual([]);
  });
  test("is tried at once when somebody asks", () => {
    begin();
    last().lose();
    socket.retry();
    expect(lines).toHaveLength(2);
  });
});
