// Rule: the state is what the server told, in order, each event once.
import { describe, expect, test } from "vitest";
import { begin, clusterOf, happen, receive, remember, unknownAfter, type LabState } from "../src/state";
import type { Bursted, Changed, Happened, LabView } from "../src/wire";
import { pod, service, shop } from "./samples";

const view = (): LabView => ({
  seq: 4,
  title: "shop",
  role: "editor",
  mode: "iptables",
  documents: [{ key: "Pod shop/client", kind: "Pod", namespace: "shop", name: "client", yaml: "kind: Pod" }],
  cluster: shop(),
  traces: [],
  notices: [],
  can_undo: false,
  can_redo: false,
  expires: "2030-01-01T00:00:00Z",
});
const changed = (given: Partial<Changed> = {}): Changed => ({
  type: "changed",
  by: "apply",
  summary: "",
  mode: "iptables",
  documents: [],
  nodes: [],
  pods: [],
  services: [],
  removed: [],
  stages: [],
  notices: [],
  can_undo: true,
  can_redo: false,
  ...given,
});
const told = (seq: number, event: Happened["event"]): Happened => ({
  type: "happened",
  seq,
  at: "2030-01-01T00:00:00Z",
  event,
});
const started = (): LabState => begin(view());

test("a lab begins with its view", () => {
  expect(clusterOf(started())).toEqual(shop());
});

describe("a change", () => {
  test("adds what is new at the end and replaces what differs in its place", () => {
    const fresh = pod("shop/new", "node2", "10.244.2.99");
    const client = { ...shop().pods[0]!, ready: false };
    const state = happen(started(), told(5, changed({ pods: [fresh, client], mode: "nftables" })));
    const places = [...state.pods.keys()];
    expect(places[0]).toBe(client.place);
    expect(places.at(-1)).toBe("shop/new");
    expect(state.pods.get(client.place)!.ready).toBe(false);
    expect(state).toMatchObject({ seq: 5, mode: "nftables", canUndo: true });
  });
  test("removes by id", () => {
    const removed = ["pod shop/client", "service Service shop/web", "node node2", "Pod shop/client"];
    const state = happen(started(), told(5, changed({ removed })));
    expect(state.pods.has("shop/client")).toBe(false);
    expect(state.services.has("Service shop/web")).toBe(false);
    expect(state.nodes.has("node2")).toBe(false);
    expect(state.documents.size).toBe(0);
  });
  test("of something removed and made anew in one go keeps the new", () => {
    const again = service("web");
    const state = happen(started(), told(5, changed({ removed: ["service Service shop/web"], services: [again] })));
    expect(state.services.get("Service shop/web")).toEqual(again);
  });
});

test("an event that was seen changes nothing, though it comes again", () => {
  const once = happen(started(), told(6, { type: "renamed", title: "mine" }));
  expect(happen(once, told(6, { type: "renamed", title: "theirs" }))).toBe(once);
  expect(happen(once, told(5, { type: "renamed", title: "older" }))).toBe(once);
});

test("each kind of event has its effect", () => {
  let state = happen(started(), told(5, { type: "renamed", title: "mine" }));
  state = happen(state, told(6, { type: "waited", seconds: 60, now: 160 }));
  state = happen(state, told(7, { type: "bursted", source: "a", target: "b", mode: "ipvs", count: 2, results: [] }));
  state = happen(state, told(8, { type: "traced", traces: [] }));
  expect(state).toMatchObject({ title: "mine", now: 160, seq: 8 });
  expect(state.bursts).toEqual([expect.objectContaining({ seq: 7, count: 2 })]);
  expect(state.history.map((one) => one.seq)).toEqual([5, 6, 7, 8]);
});

test("messages before the first view say nothing", () => {
  expect(receive(null, { type: "people", count: 3 })).toBeNull();
  expect(receive(null, told(1, { type: "renamed", title: "x" }))).toBeNull();
});

test("a welcome with a view begins again and keeps what was shown; one without goes on", () => {
  const state = happen(started(), told(5, { type: "renamed", title: "mine" }));
  const anew = receive(state, { type: "welcome", protocol: 1, view: { ...view(), seq: 9 } })!;
  expect(anew).toMatchObject({ seq: 9, title: "shop" });
  expect(anew.history).toHaveLength(1);
  expect(receive(state, { type: "welcome", protocol: 1, view: null })).toBe(state);
  expect(receive(state, { type: "people", count: 3 })!.people).toBe(3);
});

describe("what happened before the page came", () => {
  const waited = (seq: number) => told(seq, { type: "waited", seconds: 1, now: seq });
  test("is unknown until it is fetched, and then stands once in its place", () => {
    const state = happen(started(), told(5, changed()));
    expect(unknownAfter(state, 100)).toBe(0);
    expect(unknownAfter(state, 1)).toBeNull();
    const bursted: Bursted = { type: "bursted", source: "a", target: "b", mode: "iptables", count: 2, results: [] };
    const next = remember(state, [waited(1), waited(2), told(3, changed()), told(4, bursted), told(5, changed()), waited(6)]);
    expect(next.history.map((one) => one.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(next.bursts.map((one) => one.seq)).toEqual([4]);
    expect(unknownAfter(next, 100)).toBeNull();
    expect({ ...next, history: [], bursts: [] }).toEqual({ ...state, history: [], bursts: [] });
  });
});
