// Rule: where things stand on the map. What grows, grows upward; who has which place is decided in slots.ts.
// The wire of the first row of nodes is y = 0; its nodes stand above it, the Services float above them.
import { HOST, LEVEL, NODE, NODE_WIDTH, POD, podX, PROCESS, SERVICE } from "./measures";
import { assign, NO_SLOTS, serviceColumns, type Slots } from "./slots";
import type { ClusterView, NodeView, PodView, ServiceView } from "./wire";

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Box extends Point {
  readonly width: number;
  readonly height: number;
}

/** The order of the kernel's stations on a node's rail. */
export const STATIONS = ["prerouting", "routing", "input", "forward", "output", "postrouting"] as const;
export type Station = (typeof STATIONS)[number];

export interface NodePlace extends Box {
  readonly node: NodeView;
  readonly port: Point; // eth0
  readonly wireY: number;
  readonly channelY: number;
  readonly railY: number;
  readonly bridgeY: number;
  readonly process: Box;
  readonly stations: Readonly<Record<Station, Point>>;
  readonly hidden: number; // Pods that have no place
  readonly more: Box | null;
}
export interface PodPlace extends Box {
  readonly pod: PodView;
  readonly port: Point;
  readonly veth: readonly Point[]; // from the port down to the bridge
  readonly lowest: boolean; // next to the bridge
  readonly top: boolean; // nothing above it
}
export interface ServicePlace extends Box {
  readonly service: ServiceView;
}
export interface HostPlace extends Box {
  readonly address: string;
  readonly port: Point;
}
export interface Layout {
  readonly slots: Slots;
  readonly bounds: Box;
  readonly nodes: ReadonlyMap<string, NodePlace>;
  readonly pods: ReadonlyMap<string, PodPlace>;
  readonly services: ReadonlyMap<string, ServicePlace>;
  readonly hosts: ReadonlyMap<string, HostPlace>;
  readonly hiddenServices: number;
  readonly moreServices: Box | null;
  readonly outside: Box;
  readonly router: Point;
  readonly wires: readonly { readonly from: Point; readonly to: Point }[];
}

/** Lays a cluster out. `focus`: places and Service keys that must be seen, even where there is no room for all. */
export function layoutOf(
  cluster: ClusterView,
  hosts: readonly string[] = [],
  previous: Slots = NO_SLOTS,
  focus: ReadonlySet<string> = new Set(),
): Layout {
  const slots = assign(cluster, hosts, previous);
  const frames = nodeRows(slots);
  const right = slots.columns * (NODE_WIDTH + NODE.gap) - NODE.gap;
  const nodes = new Map<string, NodePlace>();
  const pods = new Map<string, PodPlace>();
  for (const node of cluster.nodes) {
    const slot = slots.nodes.get(node.name)!;
    const frame = frames[Math.floor(slot / slots.columns)]!;
    const x = (slot % slots.columns) * (NODE_WIDTH + NODE.gap);
    const own = cluster.pods.filter((pod) => pod.node === node.name);
    const shown = shownPods(own, slots, focus);
    const place = nodePlace(node, x, frame, own.length - shown.size);
    nodes.set(node.name, place);
    for (const [cell, pod] of shown)
      pods.set(
        pod.place,
        podPlace(
          pod,
          cell,
          place,
          ![...shown.keys()].some((other) => other > cell && (other - cell) % NODE.columns === 0),
        ),
      );
  }
  const first = frames[0] ?? { wireY: 0, rows: 1 };
  const top = first.wireY - LEVEL.wire - LEVEL.pods - first.rows * (POD.height + POD.gap) - 6;
  const floating = floatServices(cluster, slots, top - SERVICE.above, Math.max(right, NODE_WIDTH), focus);
  const lastWire = frames.at(-1)?.wireY ?? 0;
  const outside = outsideBox(right, first.wireY, slots.hosts.size);
  const router = { x: outside.x - 24, y: first.wireY };
  const hostPlaces = new Map(hosts.map((address) => [address, hostPlace(address, slots.hosts.get(address)!, outside)]));
  const wires = [
    ...frames.map(({ wireY }) => ({ from: { x: 20, y: wireY }, to: { x: router.x, y: wireY } })),
    { from: router, to: { x: outside.x + outside.width - 20, y: first.wireY } },
    ...(lastWire > first.wireY ? [{ from: router, to: { x: router.x, y: lastWire } }] : []),
  ];
  const upper = Math.min(
    top,
    ...[...floating.places.values(), ...(floating.more ? [floating.more] : [])].map((box) => box.y),
  );
  const bounds = {
    x: -8,
    y: upper - 10,
    width: outside.x + outside.width + 16,
    height: lastWire - upper + 40,
  };
  return {
    slots,
    bounds,
    nodes,
    pods,
    services: floating.places,
    hosts: hostPlaces,
    hiddenServices: floating.hidden,
    moreServices: floating.more,
    outside,
    router,
    wires,
  };
}

/** Which Pod stands in which cell: those in focus come before those whose slot is too high. */
function shownPods(own: readonly PodView[], slots: Slots, focus: ReadonlySet<string>): ReadonlyMap<number, PodView> {
  const room = NODE.columns * NODE.mostRows;
  const inRoom = own.every((pod) => slots.pods.get(pod.place)!.slot < room);
  const cells = inRoom ? room : room - 1; // the last cell says how many more there are
  const shown = new Map<number, PodView>();
  for (const pod of own) {
    const { slot } = slots.pods.get(pod.place)!;
    if (slot < cells) shown.set(slot, pod);
  }
  let cell = cells - 1;
  for (const pod of own) {
    if (!focus.has(pod.place) || slots.pods.get(pod.place)!.slot < cells) continue;
    while (cell >= 0 && focus.has(shown.get(cell)?.place ?? "")) cell--;
    if (cell >= 0) shown.set(cell--, pod);
  }
  return shown;
}

// ---- where each place is --------------------------------------------------------------------------------

interface Frame {
  readonly wireY: number;
  readonly rows: number;
}

function nodeRows(slots: Slots): readonly Frame[] {
  const frames: Frame[] = [];
  let wireY = 0;
  slots.podRows.forEach((rows, row) => {
    if (row > 0) wireY += LEVEL.wire + LEVEL.pods + rows * (POD.height + POD.gap) + 6 + NODE.gap;
    frames.push({ wireY, rows });
  });
  return frames;
}

function nodePlace(node: NodeView, x: number, frame: Frame, hidden: number): NodePlace {
  const bottom = frame.wireY - LEVEL.wire;
  const height = LEVEL.pods + frame.rows * (POD.height + POD.gap) + 6;
  const railY = bottom - LEVEL.rail;
  const inner = NODE_WIDTH - 2 * NODE.pad - 24;
  const stations = Object.fromEntries(
    STATIONS.map((station, number) => [
      station,
      { x: x + NODE.pad + 12 + (inner * (number + 0.5)) / STATIONS.length, y: railY },
    ]),
  ) as unknown as Record<Station, Point>;
  const last = NODE.columns * NODE.mostRows - 1;
  const centre = (stations.input.x + stations.output.x) / 2;
  return {
    node,
    x,
    y: bottom - height,
    width: NODE_WIDTH,
    height,
    port: { x: stations.postrouting.x - 34, y: bottom },
    wireY: frame.wireY,
    channelY: bottom - LEVEL.channel,
    railY,
    bridgeY: bottom - LEVEL.bridge,
    process: {
      x: centre - PROCESS.width / 2,
      y: bottom - LEVEL.process - PROCESS.height,
      width: PROCESS.width,
      height: PROCESS.height,
    },
    stations,
    hidden,
    more: hidden > 0 ? podBox(last, x, bottom) : null,
  };
}

function podBox(cell: number, nodeX: number, bottom: number): Box {
  const row = Math.floor(cell / NODE.columns);
  return {
    x: nodeX + podX(cell),
    y: bottom - LEVEL.pods - (row + 1) * (POD.height + POD.gap) + POD.gap,
    width: POD.width,
    height: POD.height,
  };
}

function podPlace(pod: PodView, cell: number, node: NodePlace, top: boolean): PodPlace {
  const box = podBox(cell, node.x, node.y + node.height);
  const port = { x: box.x + box.width / 2, y: box.y + box.height };
  const lowest = cell < NODE.columns;
  const gutter = box.x + box.width + POD.gap / 2;
  const veth = lowest
    ? [port, { x: port.x, y: node.bridgeY }]
    : [
        port,
        { x: port.x, y: port.y + POD.gap / 2 },
        { x: gutter, y: port.y + POD.gap / 2 },
        { x: gutter, y: node.bridgeY },
      ];
  return { pod, ...box, port, veth, lowest, top };
}

function floatServices(cluster: ClusterView, slots: Slots, bottom: number, width: number, focus: ReadonlySet<string>) {
  const across = serviceColumns(width);
  const room = across * SERVICE.mostRows;
  const inRoom = cluster.services.every(({ key }) => slots.services.get(key)! < room);
  const cells = inRoom ? room : room - 1;
  const spread = (width - across * SERVICE.width) / Math.max(1, across);
  const at = (slot: number): Box => ({
    x: spread / 2 + (slot % across) * (SERVICE.width + spread),
    y: bottom - SERVICE.height - Math.floor(slot / across) * (SERVICE.height + SERVICE.gap),
    width: SERVICE.width,
    height: SERVICE.height,
  });
  const bySlot = new Map<number, ServiceView>();
  for (const service of cluster.services) {
    const slot = slots.services.get(service.key)!;
    if (slot < cells) bySlot.set(slot, service);
  }
  let cell = cells - 1;
  for (const service of cluster.services) {
    if (!focus.has(service.key) || slots.services.get(service.key)! < cells) continue;
    while (cell >= 0 && focus.has(bySlot.get(cell)?.key ?? "")) cell--;
    if (cell >= 0) bySlot.set(cell--, service);
  }
  const places = new Map<string, ServicePlace>();
  for (const [slot, service] of bySlot) places.set(service.key, { service, ...at(slot) });
  const hidden = cluster.services.length - places.size;
  return { places, hidden, more: hidden > 0 ? at(room - 1) : null };
}

function outsideBox(right: number, wireY: number, hosts: number): Box {
  const rows = Math.max(1, Math.min(4, hosts));
  const height = 28 + rows * (HOST.height + HOST.gap) + 4;
  return { x: Math.max(right, 0) + 48, y: wireY - LEVEL.wire - height, width: HOST.width + 20, height };
}

function hostPlace(address: string, slot: number, outside: Box): HostPlace {
  const row = slot % 4;
  const x = outside.x + 10;
  const y = outside.y + outside.height - 10 - (row + 1) * (HOST.height + HOST.gap) + HOST.gap;
  return {
    address,
    x,
    y,
    width: HOST.width,
    height: HOST.height,
    port: { x: x + HOST.width - 12, y: y + HOST.height },
  };
}
