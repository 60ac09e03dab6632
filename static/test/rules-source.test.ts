// Rule: a node's rules are fetched when they may have changed; a node that the walk comes back to is not fetched again.
import { expect, test } from "vitest";
import type { Api } from "../src/api";
import { RulesSource } from "../src/lab/rules-source";
import { begin, happen } from "../src/state";
import { shop } from "./samples";

test("a node is fetched once, and once more after a change", async () => {
  const asked: string[] = [];
  const api = {
    rules: (node: string) => (asked.push(node), Promise.resolve({ seq: 1, node, mode: "iptables", parts: [] })),
    kernel: (node: string) => Promise.resolve({ node, conntrack: [], servers: [], connections: [] }),
  } as unknown as Api;
  const state = begin({
    seq: 1, title: "shop", role: "editor", mode: "iptables", documents: [], cluster: shop(), traces: [], notices: [],
    can_undo: false, can_redo: false, expires: "",
  });
  const source = new RulesSource(() => undefined);
  const want = async (node: string, now = state): Promise<void> => {
    source.want(api, node, now);
    await new Promise((done) => setTimeout(done));
    expect(source.view?.node).toBe(node);
  };
  for (const node of ["node1", "node2", "node1", "node2"]) await want(node);
  expect(asked).toEqual(["node1", "node2"]);
  const changed = happen(state, { type: "happened", seq: 2, at: "", event: {
    type: "changed", by: "apply", summary: "", mode: "iptables", documents: [], nodes: [], pods: [], services: [], removed: [], stages: [],
    notices: [], can_undo: true, can_redo: false,
  } });
  await want("node1", changed);
  expect(asked).toEqual(["node1", "node2", "node1"]);
  source.stop();
});
