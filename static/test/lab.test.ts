// Rule: what the lab page makes of its state, without DOM: rules as rows, comparisons, ends of a flow, links, keys, menus.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CATALOGUES } from "../src/i18n";
import { fieldOfOrigin, covers, madeBy } from "../src/lab/blame";
import { homeOf, make } from "../src/lab/blueprints";
import { lastDifference, stationsOf } from "../src/lab/changes";
import { comparedTogether, indexAt, laneOf, MILESTONES, odometersAt, phaseAt } from "../src/lab/compare";
import { firstFlow, matching, protocolOf, serviceIn, sources, targets } from "../src/lab/complete";
import { readDraft } from "../src/lab/draft";
import { asNumber } from "../src/lab/forms";
import { wishOf } from "../src/lab/keys";
import { Allowance, readLink, writeLink } from "../src/lab/link";
import { latest, nodeAt, ruleInPlay, serverInPlay, trialsOf } from "../src/lab/marks";
import { rulesOfWalk } from "../src/lab/marked-rules";
import { documentMenu, menuOf } from "../src/lab/menus";
import { barsOfBurst, barsOfOdds, fraction, scaleOf } from "../src/lab/odds";
import { patchedRules, withKernel } from "../src/lab/patched-rules";
import { problemsIn } from "../src/lab/problems";
import { heightOf, isOf, partsOf, rowAt, rowOfRule, rowOfServer, rowsOf, type Wanted } from "../src/lab/rows";
import { brokenRows, piecesOf, rowCount } from "../src/lab/tokens";
import { treeOf } from "../src/lab/tree";
import { begin, type LabState } from "../src/state";
import type { Changed, DocumentView, RulesView, TraceSummary } from "../src/wire";
import { line, NAMES, service, shop } from "./samples";

const rules = (mode: string): RulesView =>
  JSON.parse(readFileSync(new URL(`rules/${mode}.json`, import.meta.url), "utf8")) as RulesView;
const MODES = ["iptables", "ipvs", "nftables"] as const;
const document = (kind: string, namespace: string, name: string): DocumentView => ({
  key: `${kind} ${namespace === "" ? "" : `${namespace}/`}${name}`,
  kind,
  namespace,
  name,
  yaml: `kind: ${kind}\n`,
});
const DOCUMENTS = [
  document("Node", "", "node1"),
  document("Node", "", "node2"),
  document("KubeProxyConfiguration", "", "KubeProxyConfiguration"),
  document("Pod", "shop", "client"),
  document("Deployment", "shop", "web"),
  document("Service", "shop", "web"),
  document("Service", "kube-system", "kube-dns"),
];
const lab = (): LabState =>
  begin({
    seq: 1,
    title: "shop",
    role: "editor",
    mode: "iptables",
    documents: DOCUMENTS,
    cluster: shop(),
    traces: [],
    notices: [],
    can_undo: false,
    can_redo: false,
    expires: "2030-01-01T00:00:00Z",
  });
const wanted = (more: Partial<Wanted> = {}): Wanted => ({
  search: "",
  service: null,
  columns: 60,
  folded: () => false,
  trials: new Map(),
  fresh: new Set(),
  gone: new Map(),
  ...more,
});

describe("a node's rules as rows", () => {
  test.each(MODES)("%s: every line is in one block, in order", (mode) => {
    const view = rules(mode);
    for (const [at, part] of partsOf(view).entries()) {
      expect(part.blocks.flatMap((block) => block.lines)).toEqual(view.parts[at]!.lines);
      expect(new Set(part.blocks.map((block) => block.id)).size).toBe(part.blocks.length);
    }
  });
  test.each(MODES)("%s: a chain's rules fold together under its name", (mode) => {
    for (const part of partsOf(rules(mode))) {
      for (const block of part.blocks.filter((one) => one.kind === "chain")) {
        const chains = new Set(block.lines.filter((one) => one.number > 0).map((one) => one.chain));
        expect([...chains].every((chain) => chain === block.title)).toBe(true);
      }
    }
  });
  test("each row's height is known, and a place leads to its row", () => {
    const made = rowsOf(partsOf(rules("iptables")), wanted());
    made.rows.forEach((row, at) => {
      expect(made.tops[at + 1]! - made.tops[at]!).toBe(heightOf(row));
      expect(rowAt(made.tops, made.tops[at]! + 1)).toBe(at);
    });
  });
  test("a folded chain hides its lines, a search shows them", () => {
    const parts = partsOf(rules("iptables"));
    const folded = rowsOf(parts, wanted({ folded: () => true }));
    expect(folded.rows.some((row) => row.kind === "line" && row.line.number > 0)).toBe(false);
    const found = rowsOf(parts, wanted({ folded: () => true, search: "dnat 8080" }));
    const lines = found.rows.flatMap((row) => (row.kind === "line" ? [row.line.text] : []));
    expect(lines.length).toBeGreaterThan(0);
    for (const text of lines) expect(text).toMatch(/DNAT.*8080/);
  });
  test.each(MODES)("%s: filtered by a Service, no line of another is left", (mode) => {
    const made = rowsOf(partsOf(rules(mode)), wanted({ service: "shop/web" }));
    const lines = made.rows.flatMap((row) => (row.kind === "line" ? [row.line] : []));
    expect(lines.length).toBeGreaterThan(0);
    for (const one of lines) expect(isOf(one, "shop/web")).toBe(true);
  });
  test("the rule in play is found in the node's own text", () => {
    const timeline = line("clusterip-iptables");
    const made = rowsOf(partsOf(rules("iptables")), wanted());
    const fixed = timeline.moments.find(
      (moment) =>
        moment.detail.kind === "rule_tried" && moment.place === "node1" && moment.detail.chain === "PREROUTING",
    )!;
    const row = made.rows[rowOfRule(made, ruleInPlay(timeline, fixed.index, "node1"))];
    expect(row?.kind === "line" && row.line.text).toBe(fixed.detail.kind === "rule_tried" && fixed.detail.text);
  });
  test("lines that a change took away are shown where they were", () => {
    const made = rowsOf(partsOf(rules("iptables")), wanted({ gone: new Map([["iptables", ["-A KUBE-OLD -j DROP"]]]) }));
    expect(made.rows.filter((row) => row.kind === "gone")).toHaveLength(1);
  });
  test("two thousand rules are laid out in a few milliseconds", () => {
    const lines = Array.from({ length: 2000 }, (_, number) => ({
      text: `-A KUBE-SERVICES -d 10.96.${number >> 8}.${number & 255}/32 -p tcp -m comment --comment "a/s${number}:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-${number}`,
      table: "nat",
      chain: "KUBE-SERVICES",
      number: number + 1,
      hits: 0,
      origins: [],
    }));
    const parts = partsOf({ seq: 1, node: "n", mode: "iptables", parts: [{ part: "iptables", heading: "", lines }] });
    rowsOf(parts, wanted());
    const began = performance.now();
    expect(rowsOf(parts, wanted()).rows).toHaveLength(2002);
    expect(performance.now() - began).toBeLessThan(60);
  });
});

describe("a line's pieces", () => {
  test.each(MODES)("%s: are the line, letter for letter, broken or not", (mode) => {
    for (const { text } of rules(mode).parts.flatMap((part) => part.lines)) {
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(""),
      ).toBe(text);
      const rows = brokenRows(text, 40);
      expect(rows).toHaveLength(rowCount(text, 40));
      for (const row of rows)
        expect(row.indent + row.pieces.reduce((sum, piece) => sum + piece.text.length, 0)).toBeLessThanOrEqual(40);
      const joined = rows.map((row) => row.pieces.map((piece) => piece.text).join("")).join("");
      expect(joined.replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
    }
  });
  test("hostile text stays text", () => {
    expect(
      piecesOf('<img src=x onerror="alert(1)">')
        .map((piece) => piece.text)
        .join(""),
    ).toBe('<img src=x onerror="alert(1)">');
  });
});

describe("what a packet did to the rules", () => {
  test("each rule is told as it was last tried", () => {
    const timeline = line("clusterip-iptables");
    const trials = trialsOf(timeline, 0, "node1");
    const tried = timeline.moments.filter(
      (moment) => moment.leg === 0 && moment.place === "node1" && moment.detail.kind === "rule_tried",
    );
    expect([...trials.values()].flat().length).toBeGreaterThanOrEqual(tried.length);
    for (const list of trials.values()) {
      expect(latest(list, list[0]!.index - 1)).toBeNull();
      expect(latest(list, list.at(-1)!.index)).toBe(list.at(-1));
    }
  });
  test("before the packet is at a node, the rules are those of the node that it comes to", () => {
    const timeline = line("clusterip-iptables");
    expect(nodeAt(timeline, 0, (place) => place.startsWith("node"))).toBe("node1");
  });
  test("a walk's own rules have the text that it met", () => {
    const timeline = line("clusterip-iptables");
    const texts = rulesOfWalk(timeline, "node1").parts.flatMap((part) => part.lines.map((one) => one.text));
    expect(texts).toContain('-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES');
  });
});

describe("a comparison", () => {
  const lanes = NAMES.slice(0, 3).map((name, at) =>
    laneOf((["iptables", "ipvs", "userspace"] as const)[at]!, at, line(name)),
  );
  test.each(lanes)("$mode: its milestones are moments, and the phase leads back to them", (lane) => {
    for (const [column, milestone] of MILESTONES.entries()) {
      const at = lane.at[milestone];
      if (at === null) continue;
      expect(at).toBeLessThanOrEqual(lane.last);
      expect(indexAt(lane, phaseAt(lane, at))).toBeLessThanOrEqual(at);
      expect(phaseAt(lane, at)).toBeGreaterThanOrEqual(column === 0 ? 0 : column - 3);
    }
    expect(lane.at.vip).not.toBeNull();
    expect(lane.at.translated).not.toBeNull();
  });
  test.each(lanes)("$mode: the phase never goes back", (lane) => {
    let before = -1;
    for (let index = 0; index <= lane.last; index++) {
      expect(phaseAt(lane, index)).toBeGreaterThanOrEqual(before);
      before = phaseAt(lane, index);
    }
  });
  test("only kube-proxy in user space crosses the line, and opens a connection of its own", () => {
    const [iptables, ipvs, userspace] = lanes.map((lane) => odometersAt(lane, lane.last));
    expect(iptables).toMatchObject({ crossings: 0, connections: 1 });
    expect(ipvs).toMatchObject({ crossings: 0, connections: 1 });
    expect(userspace!.crossings).toBeGreaterThan(1);
    expect(userspace!.connections).toBe(2);
    expect(iptables!.rules).toBeGreaterThan(userspace!.rules);
    expect(ipvs!.lookups).toBeGreaterThan(iptables!.lookups);
  });
  test("the traces of one command stand together, in the modes' order", () => {
    const trace = (number: number, seq: number, mode: TraceSummary["mode"], label = "compare"): TraceSummary => ({
      number,
      seq,
      mode,
      source: "a",
      target: "b",
      protocol: "tcp",
      disposition: "delivered",
      endpoint: null,
      path: [],
      steps: 1,
      rules_tried: 0,
      label,
    });
    const traces = [
      trace(1, 1, "ipvs"),
      trace(2, 2, "nftables"),
      trace(3, 2, "userspace"),
      trace(4, 3, "iptables", ""),
    ];
    expect(comparedTogether(traces, null).map((one) => one.number)).toEqual([3, 2]);
    expect(comparedTogether(traces, 1).map((one) => one.number)).toEqual([1]);
  });
});

describe("the ends of a flow", () => {
  test("a lab begins with a client that is no endpoint, and a Service that has some", () => {
    expect(firstFlow(lab())).toEqual({ source: "shop/client", target: "shop/web:80" });
  });
  test("what is typed finds its place, a beginning before a middle", () => {
    expect(matching(sources(lab()), "client")[0]?.value).toBe("shop/client");
    expect(matching(targets(lab()), "web 80")[0]?.value).toBe("shop/web:80");
    expect(matching(sources(lab()), "<img")).toEqual([]);
  });
  test("a Service's port says the protocol", () => {
    expect(protocolOf(lab(), "kube-system/kube-dns:53")).toBe("udp");
    expect(
      targets(lab())
        .filter((one) => one.value === "kube-system/kube-dns:53")
        .map((one) => one.protocol),
    ).toEqual(["udp", "tcp"]);
    expect(protocolOf(lab(), "10.0.0.1:80")).toBeNull();
    expect(serviceIn(lab(), "shop/web:80")).toBe("shop/web:80");
    expect(serviceIn(lab(), "10.0.0.1:80")).toBeNull();
  });
});

describe("an address", () => {
  test("an address is written at once, but not more often than browsers bear", () => {
    const allowance = new Allowance(3, 200);
    const at = (now: number) => allowance.take(now);
    expect([at(0), at(1), at(2), at(3)]).toEqual([true, true, true, false]);
    expect([at(210), at(211)]).toEqual([true, false]);
  });

  test("names a walk and a step, and comes back the same", () => {
    expect(readLink("#trace=3&step=17")).toEqual({ trace: 3, step: 17 });
    expect(readLink(writeLink({ trace: 9, step: null }))).toEqual({ trace: 9, step: null });
  });
  test.each(["", "#trace=", "#trace=0", "#trace=-1", "#trace=1e9", "#trace=99999999999", "#step=3", "#trace=<b>"])(
    "%s names nothing",
    (hash) => {
      expect(readLink(hash)).toBeNull();
    },
  );
});

describe("keys", () => {
  const press = (key: string, more: object = {}) =>
    wishOf({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  test("choose modes, views, and the search", () => {
    expect(press("2")).toEqual({ do: "mode", mode: "iptables" });
    expect(press("/")).toEqual({ do: "search" });
    expect(press("z", { ctrlKey: true })).toEqual({ do: "undo" });
    expect(press("Z", { metaKey: true, shiftKey: true })).toEqual({ do: "redo" });
    expect(press("2", { altKey: true })).toBeNull();
    expect(press("r", { ctrlKey: true })).toBeNull();
  });
});

describe("blame", () => {
  test("a rule's origins lead to the documents that can be read", () => {
    const state = lab();
    expect(fieldOfOrigin({ kind: "Service", namespace: "shop", name: "web", field: "spec.clusterIP" }, state)).toEqual({
      document: "Service shop/web",
      field: "spec.clusterIP",
    });
    expect(
      fieldOfOrigin({ kind: "EndpointSlice", namespace: "shop", name: "web-abcde", field: "endpoints[0]" }, state),
    ).toEqual({ document: "Service shop/web", field: "spec.selector" });
    expect(fieldOfOrigin({ kind: "kube-proxy", namespace: "", name: "", field: "forwarding" }, state)).toBeNull();
  });
  test("a field lights the rules that it, or a field in it, made", () => {
    expect(covers("spec.ports[0]", "spec.ports[0].port")).toBe(true);
    expect(covers("spec.ports[1]", "spec.ports[10].port")).toBe(false);
    const lines = rules("iptables").parts.flatMap((part) => part.lines);
    expect(
      lines.filter((one) => madeBy(one, { document: "Service shop/web", field: "spec.clusterIP" }, lab())).length,
    ).toBeGreaterThan(0);
    expect(lines.filter((one) => madeBy(one, { document: "Service shop/nope", field: "spec" }, lab()))).toEqual([]);
  });
});

describe("a change", () => {
  const stage = (actor: Changed["stages"][number]["actor"], place: string, more: object = {}) => ({
    actor,
    place,
    text: "",
    added: 0,
    removed: 0,
    lines: [],
    ...more,
  });
  const event = (by: string): Changed => ({
    type: "changed",
    by,
    summary: "",
    mode: "iptables",
    documents: [],
    nodes: [],
    pods: [],
    services: [],
    removed: [],
    notices: [],
    can_undo: true,
    can_redo: false,
    stages: [
      stage("api-server", "control plane"),
      stage("kube-proxy", "node1", {
        added: 1,
        removed: 1,
        lines: [
          { sign: "+", part: "iptables", text: " -A NEW ", place: "", origins: [] },
          { sign: "-", part: "iptables", text: "-A OLD", place: "", origins: [] },
        ],
      }),
      stage("kube-proxy", "node2", { added: 2 }),
    ],
  });
  const after = (by: string) => [{ seq: 7, at: "", event: event(by) }];
  test("marks the node's new lines and keeps those that are gone", () => {
    const found = lastDifference(after("patch"), "node1");
    expect([...found.fresh]).toEqual(["-A NEW"]);
    expect(found.gone.get("iptables")).toEqual(["-A OLD"]);
    expect(lastDifference(after("patch"), "node9").added).toBe(0);
  });
  test("of the mode replaces everything, so nothing is marked", () => {
    expect(lastDifference(after("set_mode"), "node1").fresh.size).toBe(0);
  });
  test("is told actor by actor", () => {
    expect(stationsOf(event("patch")).map((one) => [one.actor, one.stages.length, one.added])).toEqual([
      ["api-server", 1, 0],
      ["kube-proxy", 2, 3],
    ]);
  });
});

describe("building", () => {
  test("what the palette makes has a name of its own", () => {
    const state = lab();
    expect(homeOf(state)).toBe("shop");
    expect(make("deployment", state, { namespace: "shop", app: "web" }).key).toBe("Deployment shop/web-2");
    expect(make("node", state, { namespace: "" }).manifest).toMatch(/name: node3[^]*10\.244\.3\.0/);
    expect(make("pod", state, { namespace: "shop", node: "node2" }).manifest).toContain("nodeName: node2");
  });
  test("a node is added to those that were made up: they get documents as they are", () => {
    const base = lab();
    const six = { ...base.nodes.get("node2")!, name: "7", addresses: ["fd00::7"], pod_cidrs: ["fd01::/64"] };
    const bare = {
      ...base,
      documents: new Map(),
      nodes: new Map([
        ["node1", base.nodes.get("node1")!],
        ["7", six],
      ]),
    };
    const made = make("node", bare, { namespace: "" });
    const values = made.manifest.split("---\n").map((text) => readDraft(text).value);
    expect(made.key).toBe("Node node2");
    expect(values).toMatchObject([
      {
        metadata: { name: "node1" },
        spec: { podCIDR: "10.244.1.0/24" },
        status: { addresses: [{ address: "192.168.10.11" }] },
      },
      { metadata: { name: "7" }, spec: { podCIDR: "fd01::/64" }, status: { addresses: [{ address: "fd00::7" }] } },
      { metadata: { name: "node2" } },
    ]);
    expect(make("node", base, { namespace: "" }).manifest).not.toContain("---");
  });
  test("menus offer what the thing can do, and label it", () => {
    const state = lab();
    const things = [
      null,
      { kind: "node", id: "node1" },
      { kind: "service", id: "Service shop/web" },
      ...[...state.pods.keys()].map((id) => ({ kind: "pod", id })),
    ] as const;
    for (const thing of things) {
      for (const item of menuOf(thing as Parameters<typeof menuOf>[0], state))
        if (item !== "line") expect(CATALOGUES.en[item.label]).toBeTruthy();
    }
    const scale = documentMenu("Deployment shop/web", state).filter(
      (item) => item !== "line" && item.label === "menu.scale",
    );
    expect(scale).toHaveLength(2);
    expect(menuOf({ kind: "pod", id: "gone" }, state)).toEqual([]);
  });
  test("the tree has every document once, and marks a Service nobody is behind", () => {
    const base = lab();
    const lonely = { ...base, services: new Map([...base.services, ["Service shop/web", service("web")]]) };
    const leaves = treeOf(lonely).flatMap((branch) => branch.leaves);
    expect(leaves).toHaveLength(DOCUMENTS.length);
    expect(leaves.find((leaf) => leaf.document.key === "Service shop/web")?.wrong).toBe(true);
  });
});

test("an input for numbers is given numbers alone, and what else is written is told", () => {
  expect([80, "80", "-1", undefined, "eighty", true].map(asNumber)).toEqual([
    ["80", ""],
    ["80", ""],
    ["-1", ""],
    ["", ""],
    ["", "eighty"],
    ["", "true"],
  ]);
});

describe("odds", () => {
  test("of one end are added up, and shown as they are written", () => {
    const odd = (probability: string, endpoint: string) => ({
      probability,
      kernel_probability: probability,
      outcome: "delivered",
      endpoint,
      source_seen: null,
      masqueraded: false,
    });
    expect(barsOfOdds([odd("1/3", "a"), odd("1/3", "b"), odd("1/3", "b")]).map((bar) => bar.share)).toEqual([
      1 / 3,
      2 / 3,
    ]);
    expect(fraction("x")).toBe(0);
    const bars = barsOfBurst(
      [{ outcome: "delivered", endpoint: "a", count: 40, probability: "1/3", expected: 33.3 }],
      100,
    );
    expect(bars[0]).toMatchObject({ counted: 0.4, probability: "1/3" });
    expect(scaleOf(bars)).toBe(0.4);
  });
});

test("a refusal's sentence stands at the line that it names", () => {
  expect(
    problemsIn(["Service shop/web, line 7, spec.ports[0].port: 0 is not a port. Write one.", "Too much."]),
  ).toEqual([
    { line: 7, words: "spec.ports[0].port: 0 is not a port. Write one." },
    { line: 0, words: "Too much." },
  ]);
});

describe("rules after a change, before the whole text has come", () => {
  const view = rules("iptables");
  const chain = view.parts[0]!.lines.find((one) => one.chain === "KUBE-SERVICES" && one.number === 1)!;
  const origin = { kind: "Service", namespace: "shop", name: "new", field: "spec.ports[0].port" };
  const change = (sign: "+" | "-", text: string, place: string) => ({
    sign,
    part: view.parts[0]!.part,
    text,
    place,
    origins: [origin],
  });
  const after = patchedRules(
    view,
    {
      actor: "kube-proxy",
      place: "node1",
      text: "",
      added: 2,
      removed: 1,
      lines: [
        change("-", chain.text, "nat KUBE-SERVICES"),
        change("+", "-A KUBE-SERVICES -j NEW", "nat KUBE-SERVICES"),
        change("+", ":KUBE-NEW - [0:0]", "nat KUBE-NEW"),
      ],
    },
    9,
  );
  const texts = after.parts[0]!.lines.map((one) => one.text);
  test("lose and gain the lines that it tells, in their place", () => {
    expect(after.seq).toBe(9);
    expect(texts).not.toContain(chain.text);
    const at = texts.indexOf("-A KUBE-SERVICES -j NEW");
    expect(texts[at - 1]).toMatch(/^-A KUBE-SERVICES /);
    expect(texts.indexOf(":KUBE-NEW - [0:0]")).toBeGreaterThan(texts.indexOf("*nat"));
    expect(texts).toHaveLength(view.parts[0]!.lines.length + 1);
  });
  test("are found by the Service that made them", () => {
    const found = rowsOf(partsOf(after), wanted({ service: "shop/new" })).rows.flatMap((row) =>
      row.kind === "line" ? [row.line.text] : [],
    );
    expect(found.sort()).toEqual(["-A KUBE-SERVICES -j NEW", ":KUBE-NEW - [0:0]"]);
  });
  test("have what the kernel holds below them", () => {
    const whole = withKernel(view, { node: "node1", conntrack: ["tcp 6 …"], servers: [], connections: [] });
    expect(whole.parts.map((part) => part.part)).toEqual([...view.parts.map((part) => part.part), "conntrack"]);
    expect(withKernel(view, null)).toBe(view);
  });
});

test("where IPVS chooses, its line is the one in play", () => {
  const timeline = line("clusterip-ipvs");
  const scheduled = timeline.moments.find((moment) => moment.detail.kind === "scheduled")!;
  const text = serverInPlay(timeline, scheduled.index)!;
  expect(text).toMatch(/^-a -t 10\.96\.\d+\.\d+:\d+ -r 10\.244\./);
  const made = rowsOf(partsOf(rules("ipvs")), wanted());
  expect(rowOfServer(made, text.replace(/ -r .*/, " -r 10.244.1.2:8080"))).toBeGreaterThan(0);
  expect(serverInPlay(timeline, 0)).toBeNull();
});
