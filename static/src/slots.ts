// Rule: whoever has a slot keeps it; newcomers take free ones. So nothing on the map jumps when objects come and go.
import { NODE, NODE_WIDTH, POD, podX, SERVICE } from "./measures";
import type { ClusterView, ServiceView } from "./wire";

/** Who has which place. Kept from one layout to the next. */
export interface Slots {
  readonly columns: number; // nodes in a row
  readonly nodes: ReadonlyMap<string, number>;
  readonly pods: ReadonlyMap<string, { readonly node: string; readonly slot: number }>;
  readonly services: ReadonlyMap<string, number>;
  readonly hosts: ReadonlyMap<string, number>;
  readonly podRows: readonly number[]; // of each row of nodes
  readonly nodeRows: number;
  readonly serviceRows: number;
}

export const NO_SLOTS: Slots = {
  columns: 0,
  nodes: new Map(),
  pods: new Map(),
  services: new Map(),
  hosts: new Map(),
  podRows: [],
  nodeRows: 0,
  serviceRows: 0,
};

/** The slots of a cluster that had `previous`. */
export function assign(cluster: ClusterView, hosts: readonly string[], previous: Slots): Slots {
  const columns = Math.max(previous.columns, columnsFor(cluster.nodes.length));
  const nodes = fill(
    previous.columns === columns ? previous.nodes : new Map(),
    cluster.nodes.map((node) => node.name),
  );
  const nodeRows = Math.max(1, ...[...nodes.values()].map((slot) => Math.floor(slot / columns) + 1), previous.nodeRows);
  const pods = new Map<string, { node: string; slot: number }>();
  for (const node of cluster.nodes) {
    const own = cluster.pods.filter((pod) => pod.node === node.name).map((pod) => pod.place);
    const had = [...previous.pods]
      .filter(([, at]) => at.node === node.name)
      .map(([place, at]) => [place, at.slot] as const);
    for (const [place, slot] of fill(new Map(had), own)) pods.set(place, { node: node.name, slot });
  }
  const podRows = Array.from({ length: nodeRows }, (_, row) => {
    const tallest = cluster.nodes
      .filter((node) => Math.floor(nodes.get(node.name)! / columns) === row)
      .map((node) => rowsOf(node.name, pods));
    return Math.max(1, previous.podRows[row] ?? 1, ...tallest);
  });
  const services = serviceSlots(cluster, previous.services, nodes, pods, columns);
  return {
    columns,
    nodes,
    pods,
    services,
    hosts: fill(previous.hosts, hosts),
    podRows,
    nodeRows,
    serviceRows: previous.serviceRows,
  };
}

/** Whoever has a slot keeps it; each newcomer takes the first that is free. */
function fill(had: ReadonlyMap<string, number>, wanted: readonly string[]): Map<string, number> {
  const kept = new Map(wanted.filter((id) => had.has(id)).map((id) => [id, had.get(id)!]));
  const taken = new Set(kept.values());
  let next = 0;
  for (const id of wanted) {
    if (kept.has(id)) continue;
    while (taken.has(next)) next++;
    taken.add(next);
    kept.set(id, next);
  }
  return new Map(wanted.map((id) => [id, kept.get(id)!]));
}

function columnsFor(nodes: number): number {
  if (nodes <= 2) return Math.max(1, nodes);
  if (nodes <= 6) return 3;
  return nodes <= 24 ? 6 : 10;
}

function rowsOf(node: string, pods: ReadonlyMap<string, { node: string; slot: number }>): number {
  const slots = [...pods.values()].filter((at) => at.node === node).map((at) => at.slot);
  return Math.min(NODE.mostRows, Math.floor(Math.max(0, ...slots) / NODE.columns) + 1);
}

/** A Service takes the free slot that is nearest above its endpoints. */
function serviceSlots(
  cluster: ClusterView,
  had: ReadonlyMap<string, number>,
  nodes: ReadonlyMap<string, number>,
  pods: ReadonlyMap<string, { node: string; slot: number }>,
  columns: number,
): ReadonlyMap<string, number> {
  const across = serviceColumns(columns * (NODE_WIDTH + NODE.gap) - NODE.gap);
  const kept = new Map(cluster.services.filter(({ key }) => had.has(key)).map(({ key }) => [key, had.get(key)!]));
  const taken = new Set(kept.values());
  let fullRows = 0;
  for (const service of cluster.services) {
    if (kept.has(service.key)) continue;
    const wanted = barycentre(service, nodes, pods, columns) / (SERVICE.width + SERVICE.gap);
    for (; ; fullRows++) {
      const free = Array.from({ length: across }, (_, column) => fullRows * across + column).filter(
        (slot) => !taken.has(slot),
      );
      if (free.length === 0) continue;
      const nearest = free.reduce((best, slot) => (distance(slot) < distance(best) ? slot : best));
      taken.add(nearest);
      kept.set(service.key, nearest);
      break;
    }
    function distance(slot: number): number {
      return Math.abs((slot % across) + 0.5 - wanted);
    }
  }
  return kept;
}

function barycentre(
  service: ServiceView,
  nodes: ReadonlyMap<string, number>,
  pods: ReadonlyMap<string, { node: string; slot: number }>,
  columns: number,
): number {
  const xs = service.endpoints.flatMap(({ place }) => {
    const at = pods.get(place);
    const node = at === undefined ? undefined : nodes.get(at.node);
    if (at === undefined || node === undefined) return [];
    return [(node % columns) * (NODE_WIDTH + NODE.gap) + podX(at.slot) + POD.width / 2];
  });
  return xs.length === 0 ? 0 : xs.reduce((sum, x) => sum + x, 0) / xs.length;
}

export function serviceColumns(width: number): number {
  return Math.max(1, Math.floor((width + SERVICE.gap) / (SERVICE.width + SERVICE.gap)));
}
