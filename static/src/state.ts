// Rule: what a lab is, as its server tells it. No DOM, no clock, no socket: a state and a message in, a state out.
import type {
  Bursted,
  Changed,
  ClusterView,
  DocumentView,
  FromServer,
  Happened,
  LabView,
  Mode,
  NodeView,
  PodView,
  Role,
  ServiceView,
  TraceSummary,
} from "./wire";

export const MOST_HISTORY = 200; // events kept to show; all of them are in the lab's log
export const MOST_TRACES = 200;
export const MOST_BURSTS = 20;

/** Something that happened, kept to be shown. `seq` is its place in the lab's log. */
export interface Told {
  readonly seq: number;
  readonly at: string;
  readonly event: Happened["event"];
}

export interface BurstResult extends Bursted {
  readonly seq: number;
}

export interface LabState {
  readonly seq: number;
  readonly title: string;
  readonly role: Role;
  readonly mode: Mode;
  readonly documents: ReadonlyMap<string, DocumentView>; // by key, in the order in which they came
  readonly nodes: ReadonlyMap<string, NodeView>; // by name
  readonly pods: ReadonlyMap<string, PodView>; // by place
  readonly services: ReadonlyMap<string, ServiceView>; // by key
  readonly traces: readonly TraceSummary[]; // oldest first
  readonly bursts: readonly BurstResult[]; // oldest first
  readonly notices: readonly string[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  readonly expires: string;
  readonly people: number;
  readonly now: number | null; // the lab's clock in seconds, once somebody let time pass
  readonly history: readonly Told[]; // oldest first
}

/** The state that a page begins with. */
export function begin(view: LabView, people = 1): LabState {
  return {
    seq: view.seq,
    title: view.title,
    role: view.role,
    mode: view.mode,
    documents: byId(view.documents, (document) => document.key),
    nodes: byId(view.cluster.nodes, (node) => node.name),
    pods: byId(view.cluster.pods, (pod) => pod.place),
    services: byId(view.cluster.services, (service) => service.key),
    traces: view.traces.slice(-MOST_TRACES),
    bursts: [],
    notices: view.notices,
    canUndo: view.can_undo,
    canRedo: view.can_redo,
    expires: view.expires,
    people,
    now: null,
    history: [],
  };
}

/** The state after an event. An event that was already seen changes nothing. */
export function happen(state: LabState, happened: Happened): LabState {
  if (happened.seq <= state.seq) return state;
  const told: Told = { seq: happened.seq, at: happened.at, event: happened.event };
  const next = { ...state, seq: happened.seq, history: [...state.history, told].slice(-MOST_HISTORY) };
  const { event } = happened;
  switch (event.type) {
    case "changed":
      return change(next, event);
    case "traced":
      return { ...next, traces: [...state.traces, ...event.traces].slice(-MOST_TRACES) };
    case "bursted":
      return { ...next, bursts: [...state.bursts, { ...event, seq: happened.seq }].slice(-MOST_BURSTS) };
    case "renamed":
      return { ...next, title: event.title };
    case "waited":
      return { ...next, now: event.now };
  }
}

/** The state after any message; null until the server has sent a whole view. */
export function receive(state: LabState | null, message: FromServer): LabState | null {
  switch (message.type) {
    case "welcome":
      if (message.view === null) return state;
      return { ...begin(message.view, state?.people), history: state?.history ?? [], bursts: state?.bursts ?? [] };
    case "happened":
      return state === null ? null : happen(state, message);
    case "people":
      return state === null ? null : { ...state, people: message.count };
    default:
      return state;
  }
}

/** After which event those are that the page was never told of, of the latest `most`; null: it knows them all. */
export function unknownAfter(state: LabState, most: number): number | null {
  const first = Math.max(0, state.seq - most);
  const known = state.history.reduce((count, told) => count + Number(told.seq > first), 0);
  return known < state.seq - first ? first : null;
}

/** The state with events in its history that came before the page did. What they changed, the view had already. */
export function remember(state: LabState, events: readonly Happened[]): LabState {
  const history = new Map<number, Told>();
  for (const { seq, at, event } of events) if (seq <= state.seq) history.set(seq, { seq, at, event });
  for (const told of state.history) history.set(told.seq, told);
  const inOrder = [...history.values()].sort((a, b) => a.seq - b.seq).slice(-MOST_HISTORY);
  const bursts = inOrder.flatMap(({ seq, event }) => (event.type === "bursted" ? [{ ...event, seq }] : []));
  return { ...state, history: inOrder, bursts: bursts.slice(-MOST_BURSTS) };
}

/** The cluster as one value, for the map. */
export function clusterOf(state: LabState): ClusterView {
  return { nodes: [...state.nodes.values()], pods: [...state.pods.values()], services: [...state.services.values()] };
}

function change(state: LabState, event: Changed): LabState {
  const removed = new Set(event.removed);
  return {
    ...state,
    mode: event.mode,
    documents: merged(
      state.documents,
      event.documents,
      (document) => document.key,
      (key) => removed.has(key),
    ),
    nodes: merged(
      state.nodes,
      event.nodes,
      (node) => node.name,
      (name) => removed.has(`node ${name}`),
    ),
    pods: merged(
      state.pods,
      event.pods,
      (pod) => pod.place,
      (place) => removed.has(`pod ${place}`),
    ),
    services: merged(
      state.services,
      event.services,
      (service) => service.key,
      (key) => removed.has(`service ${key}`),
    ),
    notices: event.notices,
    canUndo: event.can_undo,
    canRedo: event.can_redo,
  };
}

/** What was and stays keeps its place; what is new comes last. */
function merged<Item>(
  old: ReadonlyMap<string, Item>,
  changed: readonly Item[],
  id: (item: Item) => string,
  gone: (id: string) => boolean,
): ReadonlyMap<string, Item> {
  const next = new Map([...old].filter(([key]) => !gone(key)));
  for (const item of changed) next.set(id(item), item);
  return next;
}

function byId<Item>(items: readonly Item[], id: (item: Item) => string): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [id(item), item]));
}
