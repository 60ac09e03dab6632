// Rule: a walk is one row of moments; seeking and playing are plain functions of a time that is passed in.
import { describe, expect, test } from "vitest";
import {
  advance,
  captureAt,
  doneTime,
  entryAt,
  nextInteresting,
  odometer,
  positionOf,
  previousInteresting,
  seek,
  speedAt,
} from "../src/timeline";
import { readTrace } from "../src/trace";
import { line, NAMES, sample } from "./samples";

describe.each(NAMES)("the walk %s", (name) => {
  const timeline = line(name);

  test("has one moment for each step, in order", () => {
    const steps = sample(name).legs.flatMap((leg) => leg.hops.flatMap((hop) => hop.steps));
    expect(timeline.moments).toHaveLength(steps.length);
    timeline.moments.forEach((moment, index) => {
      expect(moment.index).toBe(index);
      expect(moment.detail).toEqual(steps[index]!.detail);
    });
  });
  test("has legs and hops that cover it without a gap", () => {
    const spans = timeline.legs.flatMap((leg) => leg.hops);
    expect(spans[0]!.first).toBe(0);
    expect(spans.at(-1)!.last).toBe(timeline.moments.length - 1);
    spans.slice(1).forEach((span, index) => expect(span.first).toBe(spans[index]!.last + 1));
  });
  test("is told without a break: what a step leaves is what the next one finds", () => {
    for (const moment of timeline.moments.slice(1)) {
      const last = timeline.moments[moment.index - 1]!;
      if (last.leg === moment.leg) expect(moment.before).toBe(last.after);
      for (const change of moment.changes) {
        expect(moment.before[change.field as keyof typeof moment.before]).toEqual(change.old);
        expect(moment.after[change.field as keyof typeof moment.after]).toEqual(change.new);
      }
    }
  });
  test("is found again at the time of each moment", () => {
    for (const { index, start, duration } of timeline.moments) {
      expect(seek(timeline, start + duration / 2)).toEqual({ index, fraction: expect.closeTo(0.5, 6) });
      expect(seek(timeline, doneTime(timeline, index)).index).toBe(index);
    }
  });
  test("ends where it ends, and begins where it begins", () => {
    expect(seek(timeline, -1)).toEqual({ index: 0, fraction: 0 });
    expect(seek(timeline, timeline.total + 9)).toEqual({ index: timeline.moments.length - 1, fraction: 1 });
  });
});

test("what is interesting: matches, rewrites, verdicts", () => {
  const timeline = line("clusterip-iptables");
  const first = nextInteresting(timeline, -1);
  expect(timeline.moments[first]!.meaning).toBe("match");
  const stops: string[] = [];
  for (let at = -1; at < timeline.legs[0]!.last;) {
    at = nextInteresting(timeline, at);
    stops.push(timeline.moments[at]!.meaning);
  }
  expect(stops).toContain("rewrite");
  expect(stops.at(-1)).toBe("verdict");
  expect(new Set(stops)).toEqual(new Set(["match", "rewrite", "verdict"]));
  expect(previousInteresting(timeline, first)).toBe(0);
  expect(nextInteresting(timeline, 10_000)).toBe(timeline.moments.length - 1);
});

test("playing goes on with the time that passes, times the speed, and stops at the end", () => {
  const timeline = line("unanswered");
  const start = { time: 0, speed: 2, playing: true };
  expect(advance(timeline, start, 0.5)).toEqual({ time: 1, speed: 2, playing: true });
  expect(advance(timeline, { ...start, playing: false }, 0.5).time).toBe(0);
  expect(advance(timeline, start, 1e6)).toEqual({ time: timeline.total, speed: 2, playing: false });
});

test("the speed's slider is logarithmic", () => {
  expect([-3, -1, 0, 1, 4].map(speedAt)).toEqual([0.125, 0.5, 1, 2, 16]);
  expect(positionOf(speedAt(1.5))).toBeCloseTo(1.5);
  expect(speedAt(99)).toBe(16);
});

test("a reply's last step is an arrival, a request's a verdict", () => {
  const timeline = line("clusterip-iptables");
  expect(timeline.legs.map((leg) => timeline.moments[leg.last]!.meaning)).toEqual(["verdict", "arrive", "arrive"]);
});

test("the capture of a crossing is that of the interface it leaves by", () => {
  const timeline = line("clusterip-iptables");
  const crossings = timeline.moments.filter((moment) => moment.leg === 0 && moment.meaning === "cross");
  const captures = crossings.map((moment) => captureAt(timeline, moment));
  expect(captures.map((capture) => capture?.place)).toEqual(["shop/client", "node1", "node2"]);
  expect(captures.every((capture) => capture?.direction === "out")).toBe(true);
  expect(captureAt(timeline, timeline.moments[0]!)).toBeNull();
});

test("the conntrack entry is the one told at this machine", () => {
  const timeline = line("clusterip-iptables");
  const rewrite = timeline.moments.find((moment) => moment.meaning === "rewrite")!;
  expect(entryAt(timeline, rewrite.index)?.state).toBe("NEW");
  expect(entryAt(timeline, 0)).toBeNull();
});

test("the odometer counts one leg", () => {
  const timeline = line("clusterip-iptables");
  const leg = timeline.legs[0]!;
  const counted = odometer(timeline, leg.last);
  const tried = timeline.moments.filter((moment) => moment.leg === 0 && ["match", "miss"].includes(moment.meaning));
  expect(counted).toMatchObject({ rules: tried.length, rewrites: 1, crossings: 3, userspace: 0 });
  expect(odometer(timeline, leg.last + 1).rules).toBe(0);
  expect(odometer(line("clusterip-userspace"), line("clusterip-userspace").legs[0]!.last).userspace).toBe(1);
});

describe("what is no trace document", () => {
  test.each([
    ["{", "not JSON"],
    ["[]", "trace is not an object"],
    ["{}", "flow is not an object"],
    ['{"flow":{"place":1}}', "flow.place is not text"],
    [JSON.stringify({ ...JSON.parse(JSON.stringify(sample("unanswered"))), legs: 3 }), "legs is not a list"],
    [
      JSON.stringify({
        ...JSON.parse(JSON.stringify(sample("unanswered"))),
        legs: [{ title: "x", captures: [], hops: [{ place: "n", steps: [{}] }] }],
      }),
      "legs[0].hops[0].steps[0].detail is not an object",
    ],
  ])("%.20s is refused: %s", (text, why) => {
    expect(() => readTrace(text)).toThrow(why);
  });
});
