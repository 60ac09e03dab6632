// Rule: the lab's documents as a tree: by namespace, then by kind, in the order in which one builds. Pure.
import type { LabState } from "../state";
import type { DocumentView } from "../wire";

export interface Leaf {
  readonly document: DocumentView;
  readonly note: string; // replicas, addresses: what one wants to see at a glance
  readonly wrong: boolean; // nobody can be reached through it
}
export interface Branch {
  readonly name: string; // a namespace; "" for what belongs to the whole cluster
  readonly leaves: readonly Leaf[];
}

const ORDER = ["Node", "KubeProxyConfiguration", "Namespace", "Service", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "EndpointSlice", "Endpoints", "ConfigMap", "ServiceCIDR", "FlowTest"];

export function treeOf(state: LabState): readonly Branch[] {
  const branches = new Map<string, Leaf[]>();
  for (const document of state.documents.values()) {
    const name = document.kind === "FlowTest" ? "" : document.namespace;
    const leaves = branches.get(name);
    const leaf = leafOf(document, state);
    if (leaves === undefined) branches.set(name, [leaf]);
    else leaves.push(leaf);
  }
  return [...branches]
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b))
    .map(([name, leaves]) => ({ name, leaves: leaves.sort((a, b) => place(a) - place(b)) }));
}

function rank(namespace: string): number {
  return namespace === "" ? 2 : namespace === "kube-system" ? 1 : 0;
}

function place(leaf: Leaf): number {
  const at = ORDER.indexOf(leaf.document.kind);
  return at < 0 ? ORDER.length : at;
}

function leafOf(document: DocumentView, state: LabState): Leaf {
  switch (document.kind) {
    case "Service": {
      const service = state.services.get(document.key);
      const reached = service?.endpoints.filter((endpoint) => endpoint.ready).length ?? 0;
      const address = service?.cluster_ips[0] ?? "";
      return { document, note: address === "" ? (service?.type ?? "") : address, wrong: service !== undefined && service.type !== "ExternalName" && reached === 0 };
    }
    case "Node":
      return { document, note: state.nodes.get(document.name)?.addresses[0] ?? "", wrong: false };
    case "Pod":
      return { document, note: state.pods.get(`${document.namespace}/${document.name}`)?.addresses[0] ?? "", wrong: false };
    case "KubeProxyConfiguration":
      return { document, note: state.mode, wrong: false };
    case "Deployment":
    case "ReplicaSet":
    case "StatefulSet":
    case "DaemonSet": {
      const pods = [...state.pods.values()].filter((pod) => pod.owner === document.key);
      const ready = pods.filter((pod) => pod.ready).length;
      return { document, note: ready === pods.length ? `× ${pods.length}` : `${ready}/${pods.length}`, wrong: ready < pods.length };
    }
    default:
      return { document, note: "", wrong: false };
  }
}
