// Rule: what the palette makes: a manifest that works as it stands, with a name and addresses that nothing else has. Pure.
import type { LabState } from "../state";

export type Blueprint = "pod" | "deployment" | "service" | "node";
export const BLUEPRINTS: readonly Blueprint[] = ["pod", "deployment", "service", "node"];

export interface Made {
  readonly key: string; // "Service shop/web-2"
  readonly manifest: string;
}

/** `where`: a node to put a Pod on. `app`: the label that a Service is to select, or a Pod to have. */
export interface Wish {
  readonly namespace: string;
  readonly node?: string;
  readonly app?: string;
}

export function make(blueprint: Blueprint, state: LabState, wish: Wish): Made {
  const { namespace } = wish;
  switch (blueprint) {
    case "pod": {
      const name = free(state, "Pod", namespace, wish.app ?? "pod");
      const node = wish.node === undefined ? "" : `\n  nodeName: ${wish.node}`;
      return {
        key: `Pod ${namespace}/${name}`,
        manifest: `apiVersion: v1
kind: Pod
metadata:
  name: ${name}
  namespace: ${namespace}
  labels: {app: ${wish.app ?? name}}
spec:${node}
  containers:
  - name: main
    image: nginx
    ports:
    - {name: http, containerPort: 8080}
`,
      };
    }
    case "deployment": {
      const name = free(state, "Deployment", namespace, wish.app ?? "app");
      return {
        key: `Deployment ${namespace}/${name}`,
        manifest: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  replicas: 2
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
      - name: main
        image: nginx
        ports:
        - {name: http, containerPort: 8080}
`,
      };
    }
    case "service": {
      const app = wish.app ?? lonelyApp(state, namespace) ?? "app";
      const name = free(state, "Service", namespace, app);
      return {
        key: `Service ${namespace}/${name}`,
        manifest: `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  type: ClusterIP
  selector: {app: ${app}}
  ports:
  - name: http
    port: 80
    targetPort: http
`,
      };
    }
    case "node": {
      const name = free(state, "Node", "", "node", 1);
      const number = lowestFree(state);
      return {
        key: `Node ${name}`,
        manifest: [...madeUp(state), manifestOfNode(name, [`192.168.10.${number + 10}`], [`10.244.${number}.0/24`])].join("---\n"),
      };
    }
  }
}

/** A cluster without Node documents has nodes that were made up for it; one document would be all its nodes, so they get theirs. */
function madeUp(state: LabState): readonly string[] {
  const nodes = [...state.nodes.values()];
  if (nodes.some((node) => state.documents.has(`Node ${node.name}`))) return [];
  return nodes.map((node) => manifestOfNode(node.name, node.addresses, node.pod_cidrs));
}

function manifestOfNode(name: string, addresses: readonly string[], cidrs: readonly string[]): string {
  const networks = cidrs.map(scalar);
  return [
    `apiVersion: v1\nkind: Node\nmetadata:\n  name: ${scalar(name)}\nspec:`,
    networks.length === 1 ? `  podCIDR: ${networks[0]}` : `  podCIDRs: [${networks.join(", ")}]`,
    `status:\n  addresses:`,
    ...addresses.map((address) => `  - {type: InternalIP, address: ${scalar(address)}}`),
    "",
  ].join("\n");
}

/** In quotes where YAML would not read it as text. */
function scalar(text: string): string {
  return /^(?:[a-z-]+\d+|\d+\.\d+\.\d+\.\d+(?:\/\d+)?)$/.test(text) ? text : JSON.stringify(text);
}

/** `web`, else `web-2`, `web-3` …; from `first` on, `node1`, `node2` … */
function free(state: LabState, kind: string, namespace: string, name: string, first?: number): string {
  const taken = (given: string): boolean =>
    state.documents.has(`${kind} ${namespace === "" ? "" : `${namespace}/`}${given}`) || (kind === "Node" && state.nodes.has(given));
  if (first === undefined && !taken(name)) return name;
  for (let number = first ?? 2; ; number++) {
    const wanted = first === undefined ? `${name}-${number}` : `${name}${number}`;
    if (!taken(wanted)) return wanted;
  }
}

/** A number that stands in no node's address and no node's Pod network. */
function lowestFree(state: LabState): number {
  const taken = new Set<string>();
  for (const node of state.nodes.values()) for (const text of [...node.addresses, ...node.pod_cidrs]) taken.add(text);
  for (let number = 1; number < 240; number++) {
    if (!taken.has(`10.244.${number}.0/24`) && !taken.has(`192.168.10.${number + 10}`)) return number;
  }
  return 240;
}

/** The `app` label of Pods in the namespace that no Service selects yet. */
function lonelyApp(state: LabState, namespace: string): string | null {
  const selected = new Set([...state.services.values()].map((service) => service.selector["app"]));
  for (const pod of state.pods.values()) {
    const app = pod.labels["app"];
    if (app !== undefined && pod.place.startsWith(`${namespace}/`) && !selected.has(app)) return app;
  }
  return null;
}

/** Where new objects go: the namespace that most objects are in, the system's own left out. */
export function homeOf(state: LabState): string {
  const counts = new Map<string, number>();
  for (const document of state.documents.values()) {
    if (document.namespace !== "" && document.namespace !== "kube-system") {
      counts.set(document.namespace, (counts.get(document.namespace) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "default";
}
