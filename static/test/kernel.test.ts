// Rule: the kernel view shows the rooms that the trace tells, and says why it skips the others.
import { describe, expect, test } from "vitest";
import { entryParts, ROOMS, visitOf, type Visit } from "../src/kernel";
import type { Timeline } from "../src/timeline";
import { line } from "./samples";

const states = (visit: Visit) => Object.fromEntries(ROOMS.map((id) => [id, visit.rooms[id].state]));
const last = (timeline: Timeline, place: string, leg = 0): number =>
  timeline.legs[leg]!.hops.findLast((hop) => hop.place === place)!.last;

test("a forwarded packet passes FORWARD and skips INPUT and OUTPUT", () => {
  const timeline = line("clusterip-iptables");
  const visit = visitOf(timeline, last(timeline, "node1"))!;
  expect(states(visit)).toEqual({
    prerouting: "passed",
    routing: "passed",
    input: "skipped",
    forward: "passed",
    output: "skipped",
    postrouting: "passed",
  });
  expect(visit.rooms.input.why).toBe("skipped: not for this machine");
  expect(visit.rooms.prerouting.rows).toEqual([expect.objectContaining({ name: "nat", tried: 9, matched: 4 })]);
  expect(visit.rooms.prerouting.lines).toEqual(["DNAT to 10.244.2.2:8080"]);
});

test("the room where the packet is shows the chains that it is in", () => {
  const timeline = line("clusterip-iptables");
  const rewrite = timeline.moments.find((one) => one.meaning === "rewrite")!.index;
  const visit = visitOf(timeline, rewrite)!;
  expect(visit.here).toBe("prerouting");
  expect(visit.rooms.prerouting.lines.map((one) => one.trim())).toEqual([
    "KUBE-SERVICES",
    "KUBE-SVC-67NZLRHBNDSAWJRO",
    "KUBE-SEP-LYOGWTXD3FSSWSCA",
  ]);
  expect(states(visit)).toMatchObject({ routing: "ahead", forward: "ahead", postrouting: "ahead" });
});

test("IPVS takes the packet at INPUT, and FORWARD is skipped for that", () => {
  const timeline = line("clusterip-ipvs");
  const visit = visitOf(timeline, last(timeline, "node1"))!;
  expect(visit.ipvs).toMatchObject({ real: "10.244.2.2:8080" });
  expect(states(visit)).toMatchObject({ input: "passed", forward: "skipped", output: "passed", postrouting: "passed" });
  expect(visit.rooms.forward.why).toBe("skipped: IPVS sends it on itself");
});

test("in userspace mode the packet ends in kube-proxy", () => {
  const timeline = line("clusterip-userspace");
  const visit = visitOf(timeline, last(timeline, "node1"))!;
  expect(visit).toMatchObject({ here: "process", proxy: "here", userspace: true });
  expect(states(visit)).toMatchObject({ input: "passed", forward: "skipped", postrouting: "skipped" });
});

test("what a machine sends itself begins at OUTPUT", () => {
  const timeline = line("clusterip-userspace");
  const reply = timeline.legs.findIndex((leg) => leg.title === "reply");
  const visit = visitOf(timeline, last(timeline, "node1", reply))!;
  expect(states(visit)).toMatchObject({ prerouting: "skipped", output: "passed", postrouting: "passed" });
});

test("a known connection is not asked about nat again", () => {
  const timeline = line("clusterip-iptables");
  const next = timeline.legs.findIndex((leg) => leg.title === "next packet");
  const visit = visitOf(timeline, last(timeline, "node1", next))!;
  expect(visit.rooms.prerouting.rows[0]!.text).toBe("nat not asked: conntrack knows");
});

describe("another machine", () => {
  const timeline = line("clusterip-iptables");
  test("may be asked for", () => {
    const visit = visitOf(timeline, 5, "node2")!;
    expect(visit).toMatchObject({ place: "node2", current: false, here: null });
    expect(Object.values(states(visit))).not.toContain("passed");
  });
  test("that the packet never meets has no visit", () => {
    expect(visitOf(timeline, 5, "node9")).toBeNull();
  });
});

describe("a conntrack line", () => {
  test("is read as two ways", () => {
    const text = line("clusterip-iptables").trace.entries[0]!.entries[0]!;
    expect(entryParts(text)).toEqual({
      head: "tcp ESTABLISHED",
      seconds: "432000",
      original: "10.244.1.9:60438 → 10.96.100.10:80",
      reply: "10.244.2.2:8080 → 10.244.1.9:60438",
      flags: "ASSURED",
    });
  });
  test("of a protocol without states, too", () => {
    const text =
      "udp      17 30 src=fd00::9 dst=fd00::a sport=4 dport=53 [UNREPLIED] src=fd00::a dst=fd00::9 sport=53 dport=4 mark=0 use=1";
    expect(entryParts(text)).toMatchObject({ head: "udp", original: "[fd00::9]:4 → [fd00::a]:53", flags: "UNREPLIED" });
  });
  test("that says something else is left as it is", () => {
    expect(entryParts("nonsense")).toBeNull();
  });
});
