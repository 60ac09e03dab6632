// Rule: a packet is drawn only where its trace puts it, and moves only along links that are drawn. Pure geometry.
import type { Layout, NodePlace, Point, Station } from "./layout";
import type { Moment, Timeline } from "./timeline";
import { seek, type Playhead } from "./timeline";

/** A spot where a packet can rest. */
export interface Anchor {
  readonly place: string;
  readonly at: "port" | "process" | "bridge" | "wire" | Station;
}

/** Where the packet is once a moment is done. */
export function anchorAfter(timeline: Timeline, index: number): Anchor {
  const moment = timeline.moments[index]!;
  const { detail, place } = moment;
  if (detail.kind === "crossed") return entered(timeline, moment);
  if (moment.placeKind !== "node") return { place, at: "port" };
  if (moment.hook !== null) return { place, at: moment.hook };
  if (detail.kind === "routed") return { place, at: "routing" };
  if (moment.meaning === "proxy" || atSocket(timeline, index)) return { place, at: "process" };
  return anchorBefore(timeline, index);
}

/** Where the packet is when a moment begins. */
export function anchorBefore(timeline: Timeline, index: number): Anchor {
  const moment = timeline.moments[index]!;
  const first = timeline.legs[moment.leg]?.first ?? 0;
  if (index > first) return anchorAfter(timeline, index - 1);
  return { place: moment.place, at: moment.placeKind === "node" ? "process" : "port" };
}

/** By which side a crossing leads into the next machine. */
function entered(timeline: Timeline, moment: Moment): Anchor {
  if (moment.detail.kind !== "crossed") return { place: moment.place, at: "port" };
  const { to, link } = moment.detail;
  const next = timeline.moments[moment.index + 1];
  const kind = next?.leg === moment.leg ? next.placeKind : "pod";
  if (kind !== "node") return { place: to, at: "port" };
  return { place: to, at: link === "wire" ? "wire" : link === "loopback" ? "postrouting" : "bridge" };
}

/** `handed to the socket layer of …`, and what a process does after it. */
function atSocket(timeline: Timeline, index: number): boolean {
  const moment = timeline.moments[index]!;
  if (moment.detail.kind === "noted") return moment.detail.text.startsWith("handed to the socket layer");
  return false;
}

// ---- along the links ------------------------------------------------------------------------------------

export type Way = readonly Point[];

/** The way that a packet takes during a moment. One point: it stays. */
export function wayOf(layout: Layout, timeline: Timeline, index: number): Way {
  const from = anchorBefore(timeline, index);
  const to = anchorAfter(timeline, index);
  const moment = timeline.moments[index]!;
  if (moment.detail.kind === "crossed") return crossing(layout, from, to, moment.detail.link);
  const start = pointOf(layout, from);
  const end = pointOf(layout, to);
  if (start === null || end === null) return [];
  const node = layout.nodes.get(moment.place);
  if (node === undefined || from.place !== to.place) return [end];
  return straightened(inside(node, from, to, start, end));
}

function crossing(layout: Layout, from: Anchor, to: Anchor, link: string): Way {
  const leaving = out(layout, from, to.place, link);
  const arriving = out(layout, to, from.place, link);
  if (leaving.length === 0 || arriving.length === 0) return [...leaving, ...arriving];
  const reversed = [...arriving].reverse();
  if (link !== "wire") return straightened([...leaving, ...reversed]);
  return straightened([...leaving, ...between(layout, leaving.at(-1)!, reversed[0]!), ...reversed]);
}

/** From an anchor to the link: the bridge for a veth pair, the wire otherwise. */
function out(layout: Layout, anchor: Anchor, other: string, link: string): Way {
  const node = layout.nodes.get(anchor.place);
  if (node !== undefined) return outOfNode(layout, node, anchor, other, link);
  const pod = layout.pods.get(anchor.place);
  if (pod !== undefined) return pod.veth;
  const host = layout.hosts.get(anchor.place);
  return host === undefined ? [] : [host.port, { x: host.port.x, y: layout.router.y }];
}

function outOfNode(layout: Layout, node: NodePlace, anchor: Anchor, other: string, link: string): Way {
  if (link === "wire") {
    const wire = { x: node.port.x, y: node.wireY };
    if (anchor.at === "wire") return [{ x: node.port.x, y: node.channelY }, node.port, wire];
    const at = node.stations[anchor.at === "process" ? "output" : isStation(anchor.at) ? anchor.at : "postrouting"];
    const side = node.stations.postrouting.x;
    return [
      at,
      { x: side, y: node.railY },
      { x: side, y: node.channelY },
      { x: node.port.x, y: node.channelY },
      node.port,
      wire,
    ];
  }
  const port = layout.pods.get(other)?.veth.at(-1);
  const x = port?.x ?? node.stations.forward.x;
  if (anchor.at === "bridge")
    return [
      { x: node.stations.prerouting.x, y: node.bridgeY },
      { x, y: node.bridgeY },
    ];
  const from = isStation(anchor.at) ? node.stations[anchor.at] : node.stations.postrouting;
  const side = node.stations.postrouting.x;
  return [from, { x: side, y: node.railY }, { x: side, y: node.bridgeY }, { x, y: node.bridgeY }];
}

/** Along the wire, by the router where the rows of nodes differ. */
function between(layout: Layout, from: Point, to: Point): Way {
  if (from.y === to.y) return [];
  return [
    { x: layout.router.x, y: from.y },
    { x: layout.router.x, y: to.y },
  ];
}

/** Within a node: the rail joins the stations; the sides join it to the bridge, the channel and the processes. */
function inside(node: NodePlace, from: Anchor, to: Anchor, start: Point, end: Point): Way {
  const onto = ontoRail(node, from, start, "output");
  const off = [...ontoRail(node, to, end, "input")].reverse();
  return [...onto, ...off];
}

function ontoRail(node: NodePlace, anchor: Anchor, at: Point, door: "input" | "output"): Way {
  if (anchor.at === "bridge") return [at, node.stations.prerouting];
  if (anchor.at === "wire") return [at, { x: node.stations.prerouting.x, y: node.channelY }, node.stations.prerouting];
  if (anchor.at === "process") return [at, { x: node.stations[door].x, y: at.y }, node.stations[door]];
  return [at];
}

/** Where an anchor is drawn; null where its place is not on the map. */
export function pointOf(layout: Layout, anchor: Anchor): Point | null {
  const node = layout.nodes.get(anchor.place);
  if (node === undefined) return layout.pods.get(anchor.place)?.port ?? layout.hosts.get(anchor.place)?.port ?? null;
  if (anchor.at === "bridge") return { x: node.stations.prerouting.x, y: node.bridgeY };
  if (anchor.at === "wire") return { x: node.port.x, y: node.channelY };
  if (anchor.at === "process" || anchor.at === "port") {
    return { x: node.process.x + node.process.width / 2, y: node.process.y + node.process.height };
  }
  return node.stations[anchor.at];
}

function isStation(at: Anchor["at"]): at is Station {
  return at !== "port" && at !== "process" && at !== "bridge" && at !== "wire";
}

// ---- where at a time ------------------------------------------------------------------------------------

const MOVING = 0.5; // of a moment that is not a crossing: then it rests, to be read

/** Where the packet is. `still`: without movement, as it is once the moment is done. */
export function packetAt(layout: Layout, timeline: Timeline, playhead: Playhead, still = false): Point | null {
  const moment = timeline.moments[playhead.index];
  if (moment === undefined) return null;
  const way = wayOf(layout, timeline, playhead.index);
  if (still) return way.at(-1) ?? null;
  const share = moment.meaning === "cross" ? 1 : MOVING;
  return along(way, eased(Math.min(1, playhead.fraction / share)));
}

export function packetAtTime(layout: Layout, timeline: Timeline, time: number): Point | null {
  return packetAt(layout, timeline, seek(timeline, time));
}

/** The way that the packet has come in this leg, up to where it is. */
export function trailOf(layout: Layout, timeline: Timeline, playhead: Playhead, still = false): Way {
  const moment = timeline.moments[playhead.index];
  if (moment === undefined) return [];
  const points: Point[] = [];
  for (let index = timeline.legs[moment.leg]!.first; index < playhead.index; index++) {
    points.push(...wayOf(layout, timeline, index));
  }
  const way = wayOf(layout, timeline, playhead.index);
  const share = moment.meaning === "cross" ? 1 : MOVING;
  points.push(...(still ? way : part(way, eased(Math.min(1, playhead.fraction / share)))));
  return straightened(points);
}

/** The way between the places of a summary, for packets told only by their path. */
export function wayThrough(layout: Layout, places: readonly string[]): Way {
  const points: Point[] = [];
  places.forEach((place, number) => {
    const next = places[number + 1];
    if (next === undefined) return;
    const link = isOnNode(layout, place, next) || isOnNode(layout, next, place) ? "veth" : "wire";
    const from: Anchor = { place, at: layout.nodes.has(place) ? "postrouting" : "port" };
    const to: Anchor = { place: next, at: !layout.nodes.has(next) ? "port" : link === "wire" ? "wire" : "bridge" };
    points.push(...crossing(layout, from, to, link));
    const node = layout.nodes.get(next);
    const end = pointOf(layout, to);
    if (node !== undefined && end !== null && places[number + 2] !== undefined) {
      points.push(...inside(node, to, { place: next, at: "postrouting" }, end, node.stations.postrouting));
    }
  });
  return straightened(points);
}

function isOnNode(layout: Layout, pod: string, node: string): boolean {
  return layout.pods.get(pod)?.pod.node === node;
}

// ---- geometry -------------------------------------------------------------------------------------------

export function lengthOf(way: Way): number {
  return way.slice(1).reduce((sum, point, number) => sum + far(way[number]!, point), 0);
}

/** The point at a share, 0 to 1, of a way. */
export function along(way: Way, share: number): Point | null {
  return part(way, share).at(-1) ?? null;
}

/** The first share of a way. */
export function part(way: Way, share: number): Way {
  if (way.length < 2 || share >= 1) return way;
  let left = lengthOf(way) * Math.max(0, share);
  const points: Point[] = [way[0]!];
  for (let index = 1; index < way.length; index++) {
    const from = way[index - 1]!;
    const to = way[index]!;
    const step = far(from, to);
    if (step >= left) {
      const of = step === 0 ? 0 : left / step;
      points.push({ x: from.x + (to.x - from.x) * of, y: from.y + (to.y - from.y) * of });
      return points;
    }
    points.push(to);
    left -= step;
  }
  return points;
}

/** Without points that repeat the one before. */
function straightened(way: Way): Way {
  return way.filter((point, index) => index === 0 || far(way[index - 1]!, point) > 0.01);
}

function far(from: Point, to: Point): number {
  return Math.hypot(to.x - from.x, to.y - from.y);
}

/** Slow to start and to stop. */
function eased(share: number): number {
  return share < 0.5 ? 2 * share * share : 1 - (2 - 2 * share) ** 2 / 2;
}
