// Rule: which fields of a document the form shows, where each stands in the YAML, and what may be in it. What the form does
// not show is in the YAML beside it. Pure: nothing here reads or writes YAML.
import type { Key } from "../i18n";

export type Path = readonly (string | number)[];

interface Common {
  readonly path: Path;
  readonly label: Key;
  readonly field: string; // as Kubernetes calls it
  readonly when?: (value: unknown) => boolean;
}
export type Field =
  | (Common & { readonly kind: "text"; readonly placeholder?: string })
  | (Common & { readonly kind: "number"; readonly least: number; readonly most: number })
  | (Common & { readonly kind: "choice"; readonly options: readonly string[]; readonly otherwise: string })
  | (Common & { readonly kind: "flag"; readonly otherwise: boolean; readonly text?: boolean }) // text: "true" in quotes
  | (Common & { readonly kind: "list"; readonly placeholder?: string })
  | (Common & { readonly kind: "map" })
  | (Common & { readonly kind: "items"; readonly fields: readonly Field[]; readonly empty: Readonly<Record<string, unknown>> });

export interface Section {
  readonly title: Key;
  readonly fields: readonly Field[];
}

const OURS = "packetwalk.dev/";
const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const type = (value: unknown): string => asText(at(value, ["spec", "type"])) || "ClusterIP";
const opensPorts = (value: unknown): boolean => ["NodePort", "LoadBalancer"].includes(type(value));
const isBalanced = (value: unknown): boolean => type(value) === "LoadBalancer";
const isReached = (value: unknown): boolean => type(value) !== "ExternalName";
const comesFromOutside = (value: unknown): boolean => opensPorts(value) || at(value, ["spec", "externalIPs"]) !== undefined;

const text = (path: Path, label: Key, more: Partial<Extract<Field, { kind: "text" }>> = {}): Field => ({
  kind: "text", path, label, field: fieldOf(path), ...more,
});
const number = (path: Path, label: Key, least: number, most: number, when?: Common["when"]): Field => ({
  kind: "number", path, label, field: fieldOf(path), least, most, ...(when === undefined ? {} : { when }),
});
const choice = (path: Path, label: Key, options: readonly string[], otherwise: string, when?: Common["when"]): Field => ({
  kind: "choice", path, label, field: fieldOf(path), options, otherwise, ...(when === undefined ? {} : { when }),
});
const flag = (path: Path, label: Key, otherwise: boolean, when?: Common["when"]): Field => ({
  kind: "flag", path, label, field: fieldOf(path), otherwise, ...(when === undefined ? {} : { when }),
});
const list = (path: Path, label: Key, placeholder: string, when?: Common["when"]): Field => ({
  kind: "list", path, label, field: fieldOf(path), placeholder, ...(when === undefined ? {} : { when }),
});
const map = (path: Path, label: Key): Field => ({ kind: "map", path, label, field: fieldOf(path) });
const note = (path: Path, name: string, label: Key): Field => ({
  kind: "flag", path: [...path, OURS + name], label, field: OURS + name, otherwise: true, text: true,
});

const SERVICE: readonly Section[] = [
  {
    title: "form.section.what",
    fields: [
      choice(["spec", "type"], "form.type", ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], "ClusterIP"),
      text(["spec", "externalName"], "form.externalName", { when: (value) => !isReached(value), placeholder: "example.org" }),
      { ...map(["spec", "selector"], "form.selector"), when: isReached },
      {
        kind: "items", path: ["spec", "ports"], label: "form.ports", field: "spec.ports", when: isReached,
        empty: { port: 80, targetPort: 8080 },
        fields: [
          text(["name"], "form.port.name", { placeholder: "http" }),
          choice(["protocol"], "form.port.protocol", PROTOCOLS, "TCP"),
          number(["port"], "form.port.port", 1, 65535),
          text(["targetPort"], "form.port.target", { placeholder: "8080" }),
          number(["nodePort"], "form.port.node", 1, 65535),
        ],
      },
    ],
  },
  {
    title: "form.section.policy",
    fields: [
      choice(["spec", "sessionAffinity"], "form.affinity", ["None", "ClientIP"], "None", isReached),
      number(["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], "form.affinity.timeout", 1, 86400,
        (value) => at(value, ["spec", "sessionAffinity"]) === "ClientIP"),
      choice(["spec", "externalTrafficPolicy"], "form.external", ["Cluster", "Local"], "Cluster", comesFromOutside),
      choice(["spec", "internalTrafficPolicy"], "form.internal", ["Cluster", "Local"], "Cluster", isReached),
      choice(["spec", "trafficDistribution"], "form.distribution", ["", "PreferSameZone", "PreferSameNode"], "", isReached),
      flag(["spec", "publishNotReadyAddresses"], "form.notReady", false, isReached),
    ],
  },
  {
    title: "form.section.addresses",
    fields: [
      text(["spec", "clusterIP"], "form.clusterIP", { when: isReached, placeholder: "None" }),
      list(["spec", "externalIPs"], "form.externalIPs", "198.51.100.7", isReached),
      list(["spec", "loadBalancerSourceRanges"], "form.ranges", "203.0.113.0/24", isBalanced),
      flag(["spec", "allocateLoadBalancerNodePorts"], "form.allocate", true, isBalanced),
      {
        kind: "items", path: ["status", "loadBalancer", "ingress"], label: "form.ingress", field: "status.loadBalancer.ingress",
        when: isBalanced, empty: { ip: "198.51.100.10" },
        fields: [text(["ip"], "form.ingress.ip"), choice(["ipMode"], "form.ingress.mode", ["VIP", "Proxy"], "VIP")],
      },
      choice(["spec", "ipFamilyPolicy"], "form.families", ["SingleStack", "PreferDualStack", "RequireDualStack"], "SingleStack", isReached),
      number(["spec", "healthCheckNodePort"], "form.health", 1, 65535,
        (value) => isBalanced(value) && at(value, ["spec", "externalTrafficPolicy"]) === "Local"),
    ],
  },
];

const containerPorts = (spec: Path): Field => ({
  kind: "items", path: [...spec, "containers", 0, "ports"], label: "form.containerPorts", field: "containers[0].ports",
  empty: { containerPort: 8080 },
  fields: [
    text(["name"], "form.port.name", { placeholder: "http" }),
    number(["containerPort"], "form.port.container", 1, 65535),
    choice(["protocol"], "form.port.protocol", PROTOCOLS, "TCP"),
  ],
});

/** What no field of Kubernetes' API can say; our own annotations. */
const behaviour = (metadata: Path): Section => ({
  title: "form.section.behaviour",
  fields: [
    note([...metadata, "annotations"], "ready", "form.ready"),
    note([...metadata, "annotations"], "answers", "form.answers"),
    text([...metadata, "annotations", `${OURS}listening`], "form.listening", { placeholder: "8080, 53/udp, none", field: `${OURS}listening` }),
  ],
});

const POD: readonly Section[] = [
  {
    title: "form.section.what",
    fields: [
      map(["metadata", "labels"], "form.labels"),
      text(["spec", "nodeName"], "form.node"),
      text(["status", "podIP"], "form.podIP"),
      flag(["spec", "hostNetwork"], "form.hostNetwork", false),
      containerPorts(["spec"]),
    ],
  },
  behaviour(["metadata"]),
  {
    title: "form.section.ending",
    fields: [text(["metadata", "deletionTimestamp"], "form.deleted", { placeholder: "2026-01-01T00:00:00Z" })],
  },
];

const WORKLOAD: readonly Section[] = [
  {
    title: "form.section.what",
    fields: [
      number(["spec", "replicas"], "form.replicas", 0, 5000),
      map(["spec", "template", "metadata", "labels"], "form.labels"),
      map(["spec", "selector", "matchLabels"], "form.matchLabels"),
      containerPorts(["spec", "template", "spec"]),
    ],
  },
  behaviour(["spec", "template", "metadata"]),
];

const NODE: readonly Section[] = [
  {
    title: "form.section.what",
    fields: [
      text(["spec", "podCIDR"], "form.podCIDR", { placeholder: "10.244.3.0/24" }),
      {
        kind: "items", path: ["status", "addresses"], label: "form.addresses", field: "status.addresses",
        empty: { type: "InternalIP", address: "192.168.10.13" },
        fields: [
          choice(["type"], "form.address.type", ["InternalIP", "ExternalIP", "Hostname"], "InternalIP"),
          text(["address"], "form.address"),
        ],
      },
      map(["metadata", "labels"], "form.labels"),
      flag(["spec", "unschedulable"], "form.unschedulable", false),
    ],
  },
];

const PROXY: readonly Section[] = [
  {
    title: "form.section.what",
    fields: [
      choice(["mode"], "form.mode", ["userspace", "iptables", "ipvs", "nftables"], "iptables"),
      text(["clusterCIDR"], "form.clusterCIDR", { placeholder: "10.244.0.0/16" }),
      choice(["detectLocalMode"], "form.detectLocal", ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"], "ClusterCIDR"),
      text(["detectLocal", "bridgeInterface"], "form.bridge", { when: (value) => at(value, ["detectLocalMode"]) === "BridgeInterface", placeholder: "cni0" }),
      text(["detectLocal", "interfaceNamePrefix"], "form.prefix", { when: (value) => at(value, ["detectLocalMode"]) === "InterfaceNamePrefix", placeholder: "veth" }),
      list(["nodePortAddresses"], "form.nodePortAddresses", "192.168.10.0/24"),
    ],
  },
  {
    title: "form.section.iptables",
    fields: [
      flag(["iptables", "masqueradeAll"], "form.masqueradeAll", false),
      number(["iptables", "masqueradeBit"], "form.masqueradeBit", 0, 31),
      flag(["iptables", "localhostNodePorts"], "form.localhost", true),
    ],
  },
  {
    title: "form.section.ipvs",
    fields: [
      choice(["ipvs", "scheduler"], "form.scheduler", ["rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq"], "rr"),
      flag(["ipvs", "strictARP"], "form.strictARP", false),
      list(["ipvs", "excludeCIDRs"], "form.exclude", "10.96.0.0/24"),
    ],
  },
  {
    title: "form.section.nftables",
    fields: [
      flag(["nftables", "masqueradeAll"], "form.masqueradeAll", false),
      number(["nftables", "masqueradeBit"], "form.masqueradeBit", 0, 31),
    ],
  },
];

const FORMS: Readonly<Record<string, readonly Section[]>> = {
  Service: SERVICE,
  Pod: POD,
  Deployment: WORKLOAD,
  ReplicaSet: WORKLOAD,
  StatefulSet: WORKLOAD,
  DaemonSet: WORKLOAD,
  Node: NODE,
  KubeProxyConfiguration: PROXY,
};

/** The form of a kind; null for a kind that is edited as YAML alone. */
export function formOf(kind: string): readonly Section[] | null {
  return Object.hasOwn(FORMS, kind) ? (FORMS[kind] ?? null) : null;
}

export function at(value: unknown, path: Path): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<string | number, unknown>)[step];
  }
  return found;
}

export function asText(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** What an input for numbers can show, and the text that is written where it is no number. */
export function asNumber(value: unknown): readonly [string, string] {
  const text = asText(value);
  return /^-?\d+(?:\.\d+)?$/.test(text) ? [text, ""] : ["", text];
}

export function asEntries(value: unknown): readonly (readonly [string, string])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.entries(value).map(([key, one]) => [key, asText(one)] as const)
    : [];
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** `spec.ports[0].port` */
export function fieldOf(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  );
}

/** What a field of the form was changed to, as it is to stand in the YAML; undefined takes the field away. */
export function written(field: Field, given: string | boolean): unknown {
  switch (field.kind) {
    case "number":
      return typeof given === "string" && /^\s*-?\d{1,15}\s*$/.test(given) ? Number(given) : given === "" ? undefined : given;
    case "flag":
      if (given === field.otherwise) return undefined;
      return field.text === true ? String(given) : given;
    case "choice":
      return given === "" ? undefined : given;
    case "list": {
      const items = String(given).split(/[\s,]+/).filter(Boolean);
      return items.length === 0 ? undefined : items;
    }
    default:
      if (given === "") return undefined;
      return field.path.at(-1) === "targetPort" && /^\d{1,5}$/.test(String(given)) ? Number(given) : given;
  }
}
