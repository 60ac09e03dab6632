// Rule: the map keeps its places, overlaps nothing, and draws the packet only along links.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clusterOfTrace, hostsOf, withTrace } from "../src/derived";
import { flightPainter, MOST_DOTS } from "../src/flights";
import { layoutOf, type Box, type Layout, type Point } from "../src/layout";
import { anchorAfter, lengthOf, packetAt, packetAtTime, trailOf, wayOf, wayThrough } from "../src/road";
import { fitted, pictureOf, podName } from "../src/scene";
import { NO_SLOTS } from "../src/slots";
import { seek } from "../src/timeline";
import type { ClusterView } from "../src/wire";
import { line, NAMES, pod, sample, service, shop } from "./samples";

const boxes = (layout: Layout): readonly (readonly [string, Box])[] => [
  ...[...layout.pods].map(([id, box]) => [id, box] as const),
  ...[...layout.services].map(([id, box]) => [id, box] as const),
];
const overlap = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  other.x < one.x + one.width &&
  one.y < other.y + other.height &&
  other.y < one.y + one.height;
const inside = (inner: Box, outer: Box): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;
const place = ({ x, y }: Point): Point => ({ x, y });

function crowd(nodes: number, pods: number, services: number): ClusterView {
  const names = Array.from({ length: nodes }, (_, number) => `n${number}`);
  const all = names.flatMap((node) => Array.from({ length: pods }, (_, number) => pod(`shop/${node}-${number}`, node)));
  return {
    nodes: names.map((name) => ({ name, addresses: [], pod_cidrs: [], zone: "", ready: true })),
    pods: all,
    services: Array.from({ length: services }, (_, number) =>
      service(`s${number}`, [all[number % Math.max(1, all.length)]!]),
    ),
  };
}

describe.each([
  ["the shop", shop()],
  ["one node, nothing on it", crowd(1, 0, 0)],
  ["many Pods", crowd(2, 40, 3)],
  ["many nodes", crowd(30, 4, 3)],
  ["many Services", crowd(3, 5, 1000)],
])("the layout of %s", (_, cluster) => {
  const layout = layoutOf(cluster, ["198.51.100.7"]);

  test("overlaps nothing", () => {
    const all = boxes(layout);
    all.forEach(([id, one], index) => {
      for (const [other, box] of all.slice(index + 1)) expect(overlap(one, box), `${id} and ${other}`).toBe(false);
    });
    const nodes = [...layout.nodes.values()];
    nodes.forEach((one, index) => nodes.slice(index + 1).forEach((other) => expect(overlap(one, other)).toBe(false)));
    for (const node of nodes) expect(overlap(node, layout.outside)).toBe(false);
  });
  test("holds each Pod in its node, and everything in its bounds", () => {
    for (const one of layout.pods.values()) expect(inside(one, layout.nodes.get(one.pod.node)!)).toBe(true);
    for (const [, box] of boxes(layout)) expect(inside(box, layout.bounds)).toBe(true);
    expect(inside(layout.outside, layout.bounds)).toBe(true);
  });
  test("says how many are not shown", () => {
    const hidden = [...layout.nodes.values()].reduce((sum, node) => sum + node.hidden, 0);
    expect(layout.pods.size + hidden).toBe(cluster.pods.length);
    expect(layout.services.size + layout.hiddenServices).toBe(cluster.services.length);
  });
});

describe("nothing jumps", () => {
  const before = layoutOf(shop());

  test("when a Pod goes, the others stay; when one comes, it takes the free place", () => {
    const gone = { ...shop(), pods: shop().pods.filter((one) => one.place !== "shop/client") };
    const after = layoutOf(gone, [], before.slots);
    for (const [id, box] of after.pods) expect(place(box)).toEqual(place(before.pods.get(id)!));
    const came = { ...gone, pods: [...gone.pods, pod("shop/late", "node1")] };
    const last = layoutOf(came, [], after.slots);
    expect(place(last.pods.get("shop/late")!)).toEqual(place(before.pods.get("shop/client")!));
  });
  test("when rows of Pods are added, Pods and nodes stay and the node grows upward", () => {
    const more = {
      ...shop(),
      pods: [...shop().pods, ...Array.from({ length: 5 }, (_, number) => pod(`shop/x${number}`, "node2"))],
    };
    const after = layoutOf(more, [], before.slots);
    for (const [id, box] of before.pods) expect(place(after.pods.get(id)!)).toEqual(place(box));
    expect(after.nodes.get("node1")!.railY).toBe(before.nodes.get("node1")!.railY);
    expect(after.nodes.get("node2")!.height).toBeGreaterThan(before.nodes.get("node2")!.height);
    const shrunk = layoutOf(shop(), [], after.slots);
    expect(shrunk.nodes.get("node2")!.height).toBe(after.nodes.get("node2")!.height);
  });
  test("when Services come and go", () => {
    const after = layoutOf({ ...shop(), services: [service("first"), ...shop().services] }, [], before.slots);
    for (const [id, box] of before.services) expect(place(after.services.get(id)!)).toEqual(place(box));
  });
  test("when a third node comes, the first two stay", () => {
    const third = { ...shop().nodes[0]!, name: "node3" };
    const two = layoutOf(shop(), [], NO_SLOTS);
    const three = layoutOf({ ...shop(), nodes: [...shop().nodes, third] }, [], two.slots);
    for (const name of ["node1", "node2"]) expect(place(three.nodes.get(name)!)).toEqual(place(two.nodes.get(name)!));
  });
});

test("what is in focus is shown, though there is no room for all", () => {
  const cluster = crowd(2, 40, 1000);
  const layout = layoutOf(cluster, [], NO_SLOTS, new Set(["shop/n1-37", "Service shop/s900"]));
  expect(layout.pods.has("shop/n1-37")).toBe(true);
  expect(layout.services.has("Service shop/s900")).toBe(true);
});

describe.each(NAMES)("the packet of %s", (name) => {
  const timeline = line(name);
  const layout = layoutOf(withTrace(shop(), timeline.trace), hostsOf(timeline.trace));

  test("moves without a jump within a leg", () => {
    for (const leg of timeline.legs) {
      for (let index = leg.first + 1; index <= leg.last; index++) {
        const last = wayOf(layout, timeline, index - 1).at(-1)!;
        const next = wayOf(layout, timeline, index)[0]!;
        expect(Math.hypot(last.x - next.x, last.y - next.y), `step ${index}`).toBeLessThan(0.5);
      }
    }
  });
  test("moves only straight up, down and along: on links", () => {
    for (const { index } of timeline.moments) {
      const way = wayOf(layout, timeline, index);
      expect(way.length).toBeGreaterThan(0);
      way.slice(1).forEach((point, number) => {
        const from = way[number]!;
        expect(Math.min(Math.abs(point.x - from.x), Math.abs(point.y - from.y))).toBeLessThan(0.01);
      });
    }
  });
  test("is somewhere at any time, within the map", () => {
    for (let time = 0; time <= timeline.total; time += 0.1) {
      const at = packetAtTime(layout, timeline, time)!;
      expect(inside({ ...at, width: 0, height: 0 }, layout.bounds)).toBe(true);
    }
  });
  test("with less motion is where the moment leaves it, at once", () => {
    for (const { index, start } of timeline.moments) {
      const still = packetAt(layout, timeline, seek(timeline, start + 0.001), true);
      const done = packetAt(layout, timeline, { index, fraction: 1 });
      expect(still).toEqual(done);
    }
  });
  test("has a trail that ends where it is", () => {
    const playhead = seek(timeline, timeline.total * 0.4);
    const trail = trailOf(layout, timeline, playhead);
    expect(trail.at(-1)).toEqual(packetAt(layout, timeline, playhead));
  });
  test("is drawn from the trace alone, too", () => {
    const alone = layoutOf(clusterOfTrace(timeline.trace), hostsOf(timeline.trace));
    for (const { index } of timeline.moments) expect(packetAt(alone, timeline, { index, fraction: 1 })).not.toBeNull();
  });
});

test("a request's packet rests at the stations that its steps name", () => {
  const timeline = line("clusterip-ipvs");
  const at = timeline.moments
    .filter((one) => one.leg === 0 && one.place === "node1")
    .map((one) => anchorAfter(timeline, one.index).at);
  const stations = at.filter((one, index) => one !== at[index - 1]);
  expect(stations).toEqual(["prerouting", "routing", "input", "routing", "output", "postrouting", "wire"]);
});

describe("the picture", () => {
  const timeline = line("clusterip-iptables");
  const layout = layoutOf(shop());
  const at = (index: number) => pictureOf(layout, { timeline, index, source: null, hover: null });
  const rewrite = timeline.moments.find((one) => one.meaning === "rewrite")!.index;

  test("marks the Service that the packet is addressed to, until its destination is rewritten", () => {
    expect(at(0).services.find((one) => one.id === "Service shop/web")!.state).toBe("addressed");
    expect(at(rewrite).services.find((one) => one.id === "Service shop/web")!.state).toBe("inPlay");
    expect(at(rewrite).services.find((one) => one.id !== "Service shop/web")!.state).toBe("");
  });
  test("marks the endpoint once the packet bears its address", () => {
    const roles = (index: number) =>
      at(index)
        .pods.filter((one) => one.role === "endpoint")
        .map((one) => one.address);
    expect(roles(rewrite - 1)).toEqual([]);
    expect(roles(rewrite)).toEqual(["10.244.2.2"]);
    expect(at(rewrite).ties.filter((tie) => tie.state === "chosen")).toHaveLength(1);
  });
  test("lights stations as they are passed", () => {
    const stations = at(rewrite).nodes.find((one) => one.id === "node1")!.stations;
    expect(stations.map((one) => one.state)).toEqual(["here", "", "", "", "", ""]);
  });
  test("says what is unusual about a Pod", () => {
    const cluster = shop();
    const odd = {
      ...cluster,
      pods: cluster.pods.map((one, index) => ({ ...one, ready: index !== 0, terminating: index === 1 })),
    };
    const flags = new Map(pictureOf(layoutOf(odd)).pods.map((one) => [one.id, one.flag]));
    expect(flags.get(odd.pods[0]!.place)).toBe("not ready");
    expect(flags.get(odd.pods[1]!.place)).toBe("terminating");
  });
  test("keeps hostile names as text of bounded length", () => {
    const cluster = crowd(1, 0, 0);
    const name = `shop/<img onerror=alert(1)>${"x".repeat(300)}`;
    const shape = pictureOf(layoutOf({ ...cluster, pods: [pod(name, "n0")] })).pods[0]!;
    expect(shape.name.length).toBeLessThanOrEqual(12);
    expect(shape.label).toContain("<img onerror=alert(1)>");
  });
});

test("a Deployment's Pod is named by its owner and its own letters", () => {
  expect(podName(pod("shop/web-599db76d95-9q9d9", "n"))).toEqual(["web", "…9q9d9"]);
  expect(podName(pod("shop/db-0", "n"))).toEqual(["db-0", ""]);
  expect(fitted("abcdefghij", 5)).toBe("ab…ij");
});

describe("many packets at once", () => {
  const layout = layoutOf(shop(), ["198.51.100.7"]);
  const paths = [
    ["shop/client", "node1", "node2", "shop/web-599db76d95-9q9d9"],
    ["198.51.100.7", "node2", "shop/web-599db76d95-867r7"],
  ];
  const flights = (count: number) =>
    Array.from({ length: count }, (_, number) => ({
      id: `${number}`,
      path: paths[number % 2]!,
      start: number,
      duration: 2000,
    }));

  test("go along links", () => {
    for (const path of paths) {
      const way = wayThrough(layout, path);
      expect(lengthOf(way)).toBeGreaterThan(100);
      way.slice(1).forEach((point, index) => {
        const from = way[index]!;
        expect(Math.min(Math.abs(point.x - from.x), Math.abs(point.y - from.y))).toBeLessThan(0.01);
      });
    }
  });
  test("up to a hundred are drawn singly", () => {
    const { dots, each } = flightPainter(layout)(flights(MOST_DOTS), 1000);
    expect(each).toBe(1);
    expect(dots).toHaveLength(MOST_DOTS);
  });
  test("beyond, a dot stands for several, and none is lost", () => {
    const { dots, each } = flightPainter(layout)(flights(950), 1000);
    expect(each).toBe(10);
    expect(dots.length).toBeLessThanOrEqual(MOST_DOTS + 2);
    expect(dots.reduce((sum, dot) => sum + dot.count, 0)).toBe(950);
  });
  test("are gone once they have arrived", () => {
    expect(flightPainter(layout)(flights(10), 1e6).dots).toHaveLength(0);
  });
});

test("a Pod since deleted stays on the map while its walk is shown", () => {
  const bare = { ...shop(), pods: [] };
  expect(withTrace(bare, sample("clusterip-iptables")).pods.map((one) => one.place)).toContain("shop/client");
});

describe("the map as a file, which the server draws,", () => {
  const drawn = JSON.parse(readFileSync(new URL("map.json", import.meta.url), "utf8")) as Record<string, unknown>;
  const two = (value: number): number => Math.round(value * 100) / 100;
  const told = ({ x, y, width, height }: Box): readonly number[] => [x, y, width, height].map(two);
  function placesOf(layout: Layout): Record<string, readonly number[]> {
    const every: (readonly [string, Box])[] = [
      ["bounds", layout.bounds],
      ["outside", layout.outside],
      ...[...layout.nodes].map(([name, box]) => [`node ${name}`, box] as const),
      ...[...layout.pods].map(([name, box]) => [`pod ${name}`, box] as const),
      ...[...layout.services].map(([key, box]) => [`service ${key}`, box] as const),
      ...[...layout.nodes].flatMap(([name, { more }]) => (more === null ? [] : [[`more ${name}`, more] as const])),
    ];
    if (layout.moreServices !== null) every.push(["more", layout.moreServices]);
    return Object.fromEntries(every.map(([name, box]) => [name, told(box)]));
  }

  test("puts everything where the page does", () => {
    expect(placesOf(layoutOf(shop()))).toEqual(drawn["shop"]);
    expect(placesOf(layoutOf(crowd(7, 14, 50)))).toEqual(drawn["crowd"]);
  });
  test.each(["clusterip-iptables", "clusterip-ipvs", "nodeport-iptables", "unanswered"] as const)(
    "leads %s along the same way",
    (name) => {
      const timeline = line(name);
      const focus = new Set(sample(name).legs[0]?.hops.map((hop) => hop.place));
      const layout = layoutOf(shop(), hostsOf(sample(name)), NO_SLOTS, focus);
      const way = trailOf(layout, timeline, { index: timeline.legs[0]!.last, fraction: 1 }, true);
      expect(way.map(({ x, y }) => [two(x), two(y)])).toEqual(drawn[name]);
    },
  );
});
