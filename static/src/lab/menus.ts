// Rule: what can be done with a thing, wherever it is shown: on the map, in the tree, in the inspector. Pure: actions as values.
import type { Thing } from "../render/map";
import type { LabState } from "../state";
import type { Command, PodView } from "../wire";
import type { Key, Params } from "../i18n";
import type { Blueprint } from "./blueprints";
import { OUTSIDE } from "./complete";

export type Action =
  | { readonly do: "ask"; readonly command: Command }
  | { readonly do: "make"; readonly blueprint: Blueprint; readonly node?: string; readonly app?: string }
  | { readonly do: "open"; readonly key: string }
  | { readonly do: "source"; readonly place: string }
  | { readonly do: "target"; readonly place: string }
  | { readonly do: "enter" | "rules"; readonly node: string }
  | { readonly do: "filter"; readonly service: string }
  | { readonly do: "paste" };

const MINUTE = 60;
const THREE_HOURS = 10_800; // Kubernetes' default for session affinity

export interface Item {
  readonly label: Key;
  readonly params?: Params;
  readonly action: Action;
  readonly builds: boolean; // needs a link that may change the lab
  readonly harm?: boolean;
}
export type Menu = readonly (Item | "line")[];

const item = (label: Key, action: Action, params?: Params): Item => ({
  label,
  action,
  builds: ["ask", "make", "paste"].includes(action.do),
  ...(params === undefined ? {} : { params }),
});

export function menuOf(thing: Thing | null, state: LabState): Menu {
  if (thing === null) return groundMenu();
  switch (thing.kind) {
    case "node":
      return nodeMenu(thing.id, state);
    case "pod": {
      const pod = state.pods.get(thing.id);
      return pod === undefined ? [] : podMenu(pod, state);
    }
    case "service":
      return serviceMenu(thing.id, state);
    case "outside":
      return [item("menu.source", { do: "source", place: thing.id })];
  }
}

/** The menu of a document in the tree. */
export function documentMenu(key: string, state: LabState): Menu {
  const document = state.documents.get(key);
  if (document === undefined) return [];
  if (document.kind === "Service") return serviceMenu(key, state);
  if (document.kind === "Node") return nodeMenu(document.name, state);
  const pod = document.kind === "Pod" ? state.pods.get(`${document.namespace}/${document.name}`) : undefined;
  if (pod !== undefined) return podMenu(pod, state);
  return [item("menu.open", { do: "open", key }), ...scaleItems(key, state), "line", remove(key, state)];
}

export function groundMenu(): Menu {
  return [
    item("menu.addDeployment", { do: "make", blueprint: "deployment" }),
    item("menu.addService", { do: "make", blueprint: "service" }),
    item("menu.addPod", { do: "make", blueprint: "pod" }),
    item("menu.addNode", { do: "make", blueprint: "node" }),
    "line",
    item("menu.paste", { do: "paste" }),
    item("menu.outsideSource", { do: "source", place: OUTSIDE }),
    "line",
    item("menu.wait.minute", { do: "ask", command: { type: "wait", seconds: MINUTE } }),
    item("menu.wait.hours", { do: "ask", command: { type: "wait", seconds: THREE_HOURS } }),
  ];
}

function nodeMenu(node: string, state: LabState): Menu {
  const key = `Node ${node}`;
  return [
    item("menu.enter", { do: "enter", node }),
    item("menu.rules", { do: "rules", node }),
    item("menu.source", { do: "source", place: node }),
    "line",
    item("menu.addPodHere", { do: "make", blueprint: "pod", node }),
    ...(state.documents.has(key) ? [item("menu.open", { do: "open", key }), remove(key, state)] : []),
  ];
}

function podMenu(pod: PodView, state: LabState): Menu {
  const { owner } = pod;
  const own = owner === `Pod ${pod.place}`;
  const known = state.documents.has(owner);
  return [
    item("menu.source", { do: "source", place: pod.place }),
    item("menu.target", { do: "target", place: addressOf(pod, state) }),
    "line",
    ...(known ? [
      item(own ? "menu.open" : "menu.openOwner", { do: "open", key: owner }, { owner }),
      ...behaviourItems(pod, state, own),
      ...scaleItems(owner, state),
    ] : []),
    ...(own && known ? ["line" as const, remove(owner, state)] : []),
  ];
}

function serviceMenu(key: string, state: LabState): Menu {
  const service = state.services.get(key);
  const port = service?.ports[0]?.port;
  const app = service?.selector["app"];
  const target = key.replace(/^Service /, "") + (port === undefined ? "" : `:${port}`);
  return [
    item("menu.target", { do: "target", place: target }),
    item("menu.filter", { do: "filter", service: key.replace(/^Service /, "") }),
    "line",
    item("menu.open", { do: "open", key }),
    ...(service === undefined ? [] : (["ClusterIP", "NodePort", "LoadBalancer"] as const)
      .filter((type) => type !== service.type && service.type !== "ExternalName")
      .map((type) => item("menu.makeType", patch(key, state, { spec: { type } }), { type }))),
    ...(app === undefined || service?.endpoints.length !== 0 ? [] : [item("menu.addBehind", { do: "make", blueprint: "pod", app }, { app })]),
    "line",
    remove(key, state),
  ];
}

function addressOf(pod: PodView, state: LabState): string {
  const address = pod.addresses[0] ?? "";
  const listening = pod.listening?.[0]?.split("/")[1];
  const endpoint = [...state.services.values()].flatMap((service) => service.endpoints).find((one) => one.place === pod.place);
  const port = listening ?? (endpoint === undefined ? "80" : String(endpoint.port));
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** What no field says: our annotations, on the Pod or on its maker's template. */
function behaviourItems(pod: PodView, state: LabState, own: boolean): Item[] {
  const set = (name: string, value: string | null): Action => {
    const metadata = { annotations: { [`packetwalk.dev/${name}`]: value } };
    return patch(pod.owner, state, own ? { metadata } : { spec: { template: { metadata } } });
  };
  const all = { owner: own ? "" : pod.owner };
  const deaf = pod.listening?.length === 0;
  return [
    item(pod.ready ? (own ? "menu.unready" : "menu.unready.all") : own ? "menu.ready" : "menu.ready.all", set("ready", pod.ready ? "false" : null), all),
    item(deaf ? (own ? "menu.listen" : "menu.listen.all") : own ? "menu.deaf" : "menu.deaf.all", set("listening", deaf ? null : "none"), all),
    item(pod.answers ? (own ? "menu.silent" : "menu.silent.all") : own ? "menu.answers" : "menu.answers.all", set("answers", pod.answers ? "false" : null), all),
  ];
}

function scaleItems(key: string, state: LabState): Item[] {
  const document = state.documents.get(key);
  if (document === undefined || !["Deployment", "ReplicaSet", "StatefulSet"].includes(document.kind)) return [];
  const now = [...state.pods.values()].filter((pod) => pod.owner === key).length;
  const name = document.name;
  return [
    item("menu.scale", patch(key, state, { spec: { replicas: now + 1 } }), { name, count: now + 1 }),
    ...(now > 0 ? [item("menu.scale", patch(key, state, { spec: { replicas: now - 1 } }), { name, count: now - 1 })] : []),
  ];
}

function patch(key: string, state: LabState, change: Record<string, unknown>): Action {
  return { do: "ask", command: { type: "patch", ...nameOf(key, state), patch: change } };
}

function remove(key: string, state: LabState): Item {
  return { ...item("menu.delete", { do: "ask", command: { type: "delete", ...nameOf(key, state) } }), harm: true };
}

function nameOf(key: string, state: LabState): { kind: string; namespace: string; name: string } {
  const { kind, namespace, name } = state.documents.get(key) ?? { kind: "", namespace: "", name: "" };
  return { kind, namespace, name };
}
