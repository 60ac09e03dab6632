// Rule: what may stand at the two ends of a flow, from what the cluster has; completion offers, the engine decides. Pure.
import type { LabState } from "../state";

export interface Choice {
  readonly value: string;
  readonly kind: "pod" | "node" | "service" | "address" | "outside";
  readonly note: string;
  readonly protocol?: "tcp" | "udp" | "sctp"; // where the same text may mean several
}

export const OUTSIDE = "203.0.113.9"; // RFC 5737: nobody's address, for examples

export function sources(state: LabState): readonly Choice[] {
  return [
    ...[...state.pods.values()].map((pod): Choice => ({ value: pod.place, kind: "pod", note: pod.addresses[0] ?? "" })),
    ...[...state.nodes.values()].map((node): Choice => ({ value: node.name, kind: "node", note: node.addresses[0] ?? "" })),
    { value: OUTSIDE, kind: "outside", note: "" },
  ];
}

export function targets(state: LabState): readonly Choice[] {
  const found: Choice[] = [];
  for (const service of state.services.values()) {
    for (const port of service.ports) {
      const note = [port.protocol, service.type].filter(Boolean).join(" · ");
      const protocol = transport(port.protocol);
      const value = `${service.namespace}/${service.name}:${port.port}`;
      found.push({ value, kind: "service", note, ...(protocol === null ? {} : { protocol }) });
    }
  }
  for (const service of state.services.values()) {
    for (const port of service.ports) {
      for (const address of [...service.external_ips, ...service.ingress]) {
        found.push({ value: joined(address, port.port), kind: "address", note: `${service.name} · ${port.protocol}` });
      }
      if (port.node_port === 0) continue;
      for (const node of state.nodes.values()) {
        const address = node.addresses[0];
        if (address !== undefined) {
          found.push({ value: joined(address, port.node_port), kind: "address", note: `${service.name} · NodePort · ${node.name}` });
        }
      }
    }
  }
  for (const pod of state.pods.values()) {
    const address = pod.addresses[0];
    const port = pod.listening?.[0]?.split("/")[1] ?? endpointPort(state, pod.place);
    if (address !== undefined && port !== undefined) found.push({ value: joined(address, Number(port)), kind: "pod", note: pod.place });
  }
  return found;
}

function endpointPort(state: LabState, place: string): string | undefined {
  for (const service of state.services.values()) {
    const endpoint = service.endpoints.find((one) => one.place === place);
    if (endpoint !== undefined) return String(endpoint.port);
  }
  return undefined;
}

function joined(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

const MOST = 40;

/** Those that have every word that was typed, where it begins something before where it is inside. */
export function matching(choices: readonly Choice[], typed: string): readonly Choice[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const scored = choices.flatMap((choice) => {
    const text = `${choice.value} ${choice.note}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return [];
    const begins = words.every((word) => text.startsWith(word) || text.includes(`/${word}`) || text.includes(` ${word}`));
    return [{ choice, score: begins ? 0 : 1 }];
  });
  return scored.sort((a, b) => a.score - b.score).slice(0, MOST).map((one) => one.choice);
}

/** The protocol of a Service's port, where the target names one. */
export function protocolOf(state: LabState, target: string): "tcp" | "udp" | "sctp" | null {
  const found = /^(?<namespace>[^/]+)\/(?<name>[^/:]+)(?::(?<port>\d+))?$/.exec(target)?.groups;
  if (found === undefined) return null;
  const service = state.services.get(`Service ${found["namespace"] ?? ""}/${found["name"] ?? ""}`);
  const ports = service?.ports.filter((port) => found["port"] === undefined || port.port === Number(found["port"])) ?? [];
  return transport(ports[0]?.protocol ?? "");
}

function transport(text: string): "tcp" | "udp" | "sctp" | null {
  const protocol = text.toLowerCase();
  return protocol === "tcp" || protocol === "udp" || protocol === "sctp" ? protocol : null;
}

/** `shop/web:80`, if it is a Service that the lab has: then its name can be looked up first. */
export function serviceIn(state: LabState, target: string): string | null {
  const name = target.replace(/:\d+$/, "");
  return state.services.has(`Service ${name}`) ? target : null;
}

/** The flow that a lab begins with in the send bar: its last walk's, else a client to a Service. */
export function firstFlow(state: LabState): { readonly source: string; readonly target: string } {
  const last = state.traces.at(-1);
  if (last !== undefined) return { source: last.source, target: last.target };
  const service = [...state.services.values()].find((one) => one.endpoints.length > 0) ?? [...state.services.values()][0];
  const behind = new Set(service?.endpoints.map((endpoint) => endpoint.place));
  const pod = [...state.pods.values()].find((one) => !behind.has(one.place)) ?? [...state.pods.values()][0];
  const port = service?.ports[0];
  return {
    source: pod?.place ?? "",
    target: service === undefined ? "" : `${service.namespace}/${service.name}${port === undefined ? "" : `:${port.port}`}`,
  };
}
