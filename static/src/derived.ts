// Rule: what a trace alone says of the cluster it went through: the machines it met and who hangs where. Nothing is guessed.
import type { ClusterView, EndpointView, NodeView, PodView, ServiceView } from "./wire";
import type { Origin, TraceDocument } from "./trace";

/** The machines and the Service that a trace names, as the map shows them. */
export function clusterOfTrace(trace: TraceDocument): ClusterView {
  const nodes = new Map<string, NodeView>();
  const pods = new Map<string, PodView>();
  for (const leg of trace.legs) {
    leg.hops.forEach((hop, number) => {
      if (hop.kind === "node" && !nodes.has(hop.place)) nodes.set(hop.place, nodeView(hop.place));
      if (hop.kind === "pod" && !pods.has(hop.place)) {
        const node = neighbour(leg.hops, number);
        pods.set(hop.place, podView(hop.place, node, addressesOf(trace, hop.place)));
      }
    });
  }
  return { nodes: [...nodes.values()], pods: [...pods.values()], services: servicesOf(trace, pods) };
}

/** A cluster with whatever a trace met besides: Pods since deleted stay on the map while their walk is shown. */
export function withTrace(cluster: ClusterView | null, trace: TraceDocument | null): ClusterView {
  const met = trace === null ? { nodes: [], pods: [], services: [] } : clusterOfTrace(trace);
  if (cluster === null) return met;
  const nodes = new Set(cluster.nodes.map((node) => node.name));
  const pods = new Set(cluster.pods.map((pod) => pod.place));
  return {
    nodes: [...cluster.nodes, ...met.nodes.filter((node) => !nodes.has(node.name))],
    pods: [...cluster.pods, ...met.pods.filter((pod) => !pods.has(pod.place))],
    services: cluster.services,
  };
}

/** The outside addresses that a trace met, in order. */
export function hostsOf(trace: TraceDocument | null): readonly string[] {
  const met = trace?.legs.flatMap((leg) => leg.hops.filter((hop) => hop.kind === "outside").map((hop) => hop.place));
  return [...new Set(met ?? [])];
}

function neighbour(hops: TraceDocument["legs"][number]["hops"], number: number): string {
  const near = [hops[number + 1], hops[number - 1]].find((hop) => hop?.kind === "node");
  return near?.place ?? "";
}

/** A machine's own addresses: what it sends from, and what is sent to it. */
function addressesOf(trace: TraceDocument, place: string): string[] {
  if (trace.flow.place === place) return [trace.flow.source];
  for (const leg of trace.legs) {
    const last = leg.hops.at(-1);
    const arrived = last?.steps.at(-1)?.packet;
    if (last?.place === place && arrived !== undefined) return [arrived.destination];
  }
  return [];
}

function nodeView(name: string): NodeView {
  return { name, addresses: [], pod_cidrs: [], zone: "", ready: true };
}

function podView(place: string, node: string, addresses: string[]): PodView {
  return {
    place,
    node,
    addresses,
    labels: {},
    ready: true,
    terminating: false,
    answers: true,
    host_network: false,
    listening: null,
    owner: `Pod ${place}`,
  };
}

/** The Service whose rule rewrote the request, with the one endpoint that the trace saw. */
function servicesOf(trace: TraceDocument, pods: ReadonlyMap<string, PodView>): ServiceView[] {
  const origin = serviceOrigin(trace);
  const moved = trace.endpoint !== null && !trace.endpoint.startsWith(trace.flow.destination);
  if (origin === null || !moved) return [];
  const nodePort = origin.field.endsWith(".nodePort");
  const key = `Service ${origin.namespace}/${origin.name}`;
  const endpoint = endpointOf(trace, pods);
  return [
    {
      key,
      namespace: origin.namespace,
      name: origin.name,
      type: nodePort ? "NodePort" : "",
      cluster_ips: nodePort ? [] : [trace.flow.destination],
      external_ips: nodePort ? [trace.flow.destination] : [],
      ingress: [],
      selector: {},
      ports: [
        {
          name: "",
          protocol: trace.flow.protocol.toUpperCase(),
          port: trace.flow.port,
          target_port: "",
          node_port: nodePort ? trace.flow.port : 0,
        },
      ],
      endpoints: endpoint === null ? [] : [endpoint],
    },
  ];
}

function serviceOrigin(trace: TraceDocument): Origin | null {
  for (const leg of trace.legs) {
    for (const { steps } of leg.hops) {
      for (const { detail } of steps) {
        if (detail.kind !== "rule_tried" || !detail.matched) continue;
        const origin = detail.origins.find((one) => one.kind === "Service");
        if (origin !== undefined) return origin;
      }
    }
  }
  return null;
}

function endpointOf(trace: TraceDocument, pods: ReadonlyMap<string, PodView>): EndpointView | null {
  const found = /^\[?(?<address>[^\]]+?)\]?:(?<port>\d+)$/.exec(trace.endpoint ?? "")?.groups;
  if (found === undefined) return null;
  const address = found["address"] ?? "";
  const pod = [...pods.values()].find((one) => one.addresses.includes(address));
  return {
    address,
    port: Number(found["port"]),
    port_name: "",
    place: pod?.place ?? "",
    node: pod?.node ?? "",
    ready: true,
    serving: true,
    terminating: false,
  };
}
