// Rule: the clock tells what changed, and its keys lead where they say. Time is given by hand.
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Playback } from "../src/playback";
import { sample } from "./samples";

let frames: ((now: number) => void)[] = [];
let now = 0;
const pass = (seconds: number): void => {
  for (let left = seconds; left > 1e-9; left -= 0.05) {
    now += Math.min(0.05, left) * 1000;
    const due = frames;
    frames = [];
    for (const frame of due) frame(now);
  }
};

beforeEach(() => {
  frames = [];
  now = 0;
  vi.stubGlobal("requestAnimationFrame", (frame: (now: number) => void) => frames.push(frame));
  vi.stubGlobal("cancelAnimationFrame", () => (frames = []));
  vi.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function loaded(step?: number): Playback {
  const playback = new Playback();
  playback.load(sample("unanswered"), step);
  return playback;
}
const key = (name: string, shiftKey = false): KeyboardEvent =>
  ({ key: name, shiftKey, ctrlKey: false, metaKey: false, altKey: false }) as KeyboardEvent;

test("begins where a link says", () => {
  expect(loaded().index).toBe(0);
  expect(loaded(7).index).toBe(7);
  expect(loaded(9999).index).toBe(24);
});

test("plays to the end, tells each moment once, and stops", () => {
  const playback = loaded();
  const seen: number[] = [];
  playback.addEventListener("moment", () => seen.push(playback.index));
  playback.play();
  pass(60);
  expect(seen).toEqual(Array.from({ length: 24 }, (_, index) => index + 1));
  expect(playback).toMatchObject({ playing: false, index: 24 });
});

test("plays as fast as it is told", () => {
  const slow = loaded();
  slow.play();
  pass(1);
  const fast = loaded();
  fast.speed = 4;
  fast.play();
  pass(0.25);
  expect(fast.index).toBe(slow.index);
});

test("pausing keeps the place; playing from the end begins again", () => {
  const playback = loaded();
  playback.play();
  pass(1);
  playback.pause();
  const { playhead } = playback;
  pass(5);
  expect(playback.playhead).toEqual(playhead);
  playback.seek(24);
  playback.play();
  pass(0.05);
  expect(playback.index).toBe(0);
});

describe("the keys", () => {
  test("step, skip and go to both ends", () => {
    const playback = loaded();
    expect(playback.key(key("ArrowRight"))).toBe(true);
    expect(playback.index).toBe(1);
    playback.key(key("ArrowLeft"));
    playback.key(key("ArrowLeft"));
    expect(playback.index).toBe(0);
    playback.key(key("ArrowRight", true));
    expect(playback.moment!.meaning).toBe("match");
    playback.key(key("End"));
    expect(playback.index).toBe(24);
    playback.key(key("Home"));
    expect(playback.index).toBe(0);
  });
  test("stop the playing when they step", () => {
    const playback = loaded();
    playback.key(key(" "));
    expect(playback.playing).toBe(true);
    playback.key(key("ArrowRight"));
    expect(playback.playing).toBe(false);
  });
  test("leave alone what is not theirs", () => {
    expect(loaded().key(key("a"))).toBe(false);
    expect(loaded().key({ ...key("ArrowRight"), ctrlKey: true } as KeyboardEvent)).toBe(false);
    expect(new Playback().key(key(" "))).toBe(false);
  });
});

test("without a walk nothing happens", () => {
  const playback = loaded();
  playback.load(null);
  playback.play();
  playback.seek(3);
  playback.skip(1);
  expect(playback).toMatchObject({ index: -1, length: 0, playing: false, moment: null });
});
