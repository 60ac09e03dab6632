// Rule: real walks of shop.yaml, as `python -m packetsim trace … --json` printed them, captures of later legs left out.
import { readFileSync } from "node:fs";
import { timelineOf, type Timeline } from "../src/timeline";
import { readTrace, type TraceDocument } from "../src/trace";
import type { ClusterView, PodView, ServiceView } from "../src/wire";

export type Name = "clusterip-iptables" | "clusterip-ipvs" | "clusterip-userspace" | "nodeport-iptables" | "unanswered";
export const NAMES: readonly Name[] = [
  "clusterip-iptables",
  "clusterip-ipvs",
  "clusterip-userspace",
  "nodeport-iptables",
  "unanswered",
];

const read = (name: string): string => readFileSync(new URL(`traces/${name}.json`, import.meta.url), "utf8");

export function sample(name: Name): TraceDocument {
  return readTrace(read(name));
}

export function line(name: Name): Timeline {
  return timelineOf(sample(name));
}

export function shop(): ClusterView {
  return JSON.parse(read("shop-cluster")) as ClusterView;
}

export function pod(place: string, node: string, address = ""): PodView {
  return {
    place,
    node,
    addresses: address ? [address] : [],
    labels: {},
    ready: true,
    terminating: false,
    answers: true,
    host_network: false,
    listening: null,
    owner: `Pod ${place}`,
  };
}

export function service(name: string, places: readonly PodView[] = []): ServiceView {
  return {
    key: `Service shop/${name}`,
    namespace: "shop",
    name,
    type: "ClusterIP",
    cluster_ips: ["10.96.9.9"],
    external_ips: [],
    ingress: [],
    selector: {},
    ports: [{ name: "", protocol: "TCP", port: 80, target_port: "8080", node_port: 0 }],
    endpoints: places.map((one) => ({
      address: one.addresses[0] ?? "",
      port: 8080,
      port_name: "",
      place: one.place,
      node: one.node,
      ready: true,
      serving: true,
      terminating: false,
    })),
  };
}
