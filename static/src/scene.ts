// Rule: a cluster and a moment in, a picture out, as plain values: what is drawn where, with which words, in which state.
import { t } from "./i18n";
import {
  STATIONS,
  type Box,
  type Layout,
  type NodePlace,
  type Point,
  type PodPlace,
  type ServicePlace,
  type Station,
} from "./layout";
import { anchorAfter } from "./road";
import type { Moment, Timeline } from "./timeline";
import { withPort, type Packet } from "./trace";
import type { EndpointView, PodView, ServiceView } from "./wire";

export type StationState = "" | "passed" | "here";
export interface StationShape extends Point {
  readonly id: Station;
  readonly label: string;
  readonly state: StationState;
}
export interface NodeShape extends Box {
  readonly id: string;
  readonly title: string;
  readonly address: string;
  readonly note: string; // zone, or what is wrong
  readonly wrong: boolean;
  readonly here: boolean;
  readonly chosen: boolean;
  readonly place: NodePlace;
  readonly stations: readonly StationShape[];
  readonly processState: "idle" | "live" | "here";
  readonly more: (Box & { readonly label: string }) | null;
  readonly label: string; // for who cannot see it
}
export interface PodShape extends Box {
  readonly id: string;
  readonly name: string;
  readonly suffix: string;
  readonly address: string;
  readonly flag: string; // what is unusual, in a word
  readonly pale: boolean; // gets no new connections
  readonly role: "" | "sender" | "endpoint";
  readonly here: boolean;
  readonly chosen: boolean;
  readonly port: Point;
  readonly veth: readonly Point[];
  readonly label: string;
}
export interface ServiceShape extends Box {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly kind: string;
  readonly state: "" | "inPlay" | "addressed"; // addressed: the packet bears its address now
  readonly chosen: boolean;
  readonly label: string;
}
export interface TieShape {
  readonly id: string;
  readonly path: string;
  readonly end: Point;
  readonly state: "faint" | "plain" | "inPlay" | "chosen";
  readonly ready: boolean;
}
export interface HostShape extends Box {
  readonly id: string;
  readonly port: Point;
  readonly here: boolean;
  readonly chosen: boolean;
  readonly label: string;
}
export interface Picture {
  readonly bounds: Box;
  readonly nodes: readonly NodeShape[];
  readonly pods: readonly PodShape[];
  readonly services: readonly ServiceShape[];
  readonly ties: readonly TieShape[];
  readonly hosts: readonly HostShape[];
  readonly outside: Box;
  readonly router: Point;
  readonly wires: Layout["wires"];
  readonly moreServices: (Box & { readonly label: string }) | null;
}

/** What is being looked at: a moment of a walk, a sender already chosen, a thing under the pointer. */
export interface Looking {
  readonly timeline: Timeline | null;
  readonly index: number;
  readonly source: string | null;
  readonly hover: string | null; // a Pod's place or a Service's key
}
export const NOT_LOOKING: Looking = { timeline: null, index: -1, source: null, hover: null };

const MANY_TIES = 24; // with more, only those that matter now are drawn

export function pictureOf(layout: Layout, looking: Looking = NOT_LOOKING): Picture {
  const moment = looking.timeline?.moments[looking.index] ?? null;
  const play = inPlay(layout, looking.timeline, moment);
  const here = moment === null || looking.timeline === null ? null : anchorAfter(looking.timeline, looking.index);
  return {
    bounds: layout.bounds,
    nodes: [...layout.nodes.values()].map((place) => nodeShape(place, looking, moment, here?.at ?? null)),
    pods: [...layout.pods.values()].map((place) => podShape(place, looking, moment, play.endpoint)),
    services: [...layout.services.values()].map((place) => serviceShape(place, looking, play)),
    ties: tiesOf(layout, looking, play),
    hosts: [...layout.hosts.values()].map((place) => ({
      id: place.address,
      x: place.x,
      y: place.y,
      width: place.width,
      height: place.height,
      port: place.port,
      here: moment?.place === place.address,
      chosen: looking.source === place.address,
      label: t("map.outsideAt", { address: place.address }),
    })),
    outside: layout.outside,
    router: layout.router,
    wires: layout.wires,
    moreServices:
      layout.moreServices === null
        ? null
        : { ...layout.moreServices, label: t("map.more", { count: layout.hiddenServices }) },
  };
}

// ---- what the packet has to do with Services --------------------------------------------------------------

interface Play {
  readonly service: string | null; // the one the flow was sent to
  readonly addressed: boolean; // the packet bears its address now
  readonly endpoint: EndpointView | null; // whose address it bears now
}
const NO_PLAY: Play = { service: null, addressed: false, endpoint: null };

function inPlay(layout: Layout, timeline: Timeline | null, moment: Moment | null): Play {
  if (timeline === null || moment === null) return NO_PLAY;
  const { flow } = timeline.trace;
  const nodes = [...layout.nodes.values()].map(({ node }) => node.addresses);
  const found = [...layout.services.values()].find(({ service }) =>
    answersAt(service, flow.destination, flow.port, nodes),
  );
  if (found === undefined) return NO_PLAY;
  const packet = moment.after;
  const ends = [
    { address: packet.destination, port: packet.destination_port },
    { address: packet.source, port: packet.source_port },
  ];
  const addressed = ends.some(({ address, port }) => address === flow.destination && port === flow.port);
  const endpoint = addressed ? undefined : found.service.endpoints.find((one) => ends.some((end) => sameEnd(one, end)));
  return { service: found.service.key, addressed, endpoint: endpoint ?? null };
}

function sameEnd(one: EndpointView, end: { readonly address: string; readonly port: number }): boolean {
  return one.address === end.address && one.port === end.port;
}

/** Is this an address of the Service's, at one of its ports? For showing which Service is meant, not for deciding anything. */
function answersAt(
  service: ServiceView,
  address: string,
  port: number,
  nodes: readonly (readonly string[])[],
): boolean {
  const virtual = [...service.cluster_ips, ...service.external_ips, ...service.ingress].includes(address);
  if (virtual && service.ports.some((one) => one.port === port)) return true;
  return (
    nodes.some((own) => own.includes(address)) &&
    service.ports.some((one) => one.node_port !== 0 && one.node_port === port)
  );
}

// ---- shapes -----------------------------------------------------------------------------------------------

function nodeShape(place: NodePlace, looking: Looking, moment: Moment | null, at: string | null): NodeShape {
  const { node } = place;
  const here = moment?.place === node.name && moment.detail.kind !== "crossed";
  const passed = passedStations(looking.timeline, moment, node.name);
  const proxied = moment !== null && legHasProxy(looking.timeline, moment, node.name);
  return {
    id: node.name,
    x: place.x,
    y: place.y,
    width: place.width,
    height: place.height,
    title: fitted(node.name, 15),
    address: fitted(node.addresses[0] ?? "", 15),
    note: fitted(node.ready ? zoneOf(node.zone) : t("map.notReady"), 10),
    wrong: !node.ready,
    here,
    chosen: looking.source === node.name,
    place,
    stations: STATIONS.map((station) => ({
      id: station,
      label: t(`map.station.${station}`),
      ...place.stations[station],
      state: here && at === station ? "here" : passed.has(station) ? "passed" : "",
    })),
    processState: here && at === "process" ? "here" : proxied ? "live" : "idle",
    more: place.more === null ? null : { ...place.more, label: t("map.more", { count: place.hidden }) },
    label: t("map.node", { name: node.name, address: node.addresses[0] ?? t("map.noAddress") }),
  };
}

/** `zone a`; a long name stands alone. */
function zoneOf(zone: string): string {
  const told = zone === "" ? "" : t("map.zone", { zone });
  return told.length > 10 ? zone : told;
}

/** The stations that the packet of this leg has been at, on one node. */
function passedStations(timeline: Timeline | null, moment: Moment | null, node: string): ReadonlySet<string> {
  const passed = new Set<string>();
  if (timeline === null || moment === null) return passed;
  for (let index = timeline.legs[moment.leg]!.first; index <= moment.index; index++) {
    if (timeline.moments[index]!.place === node) passed.add(anchorAfter(timeline, index).at);
  }
  return passed;
}

function legHasProxy(timeline: Timeline | null, moment: Moment, node: string): boolean {
  const leg = timeline?.legs[moment.leg];
  if (timeline === null || leg === undefined) return false;
  return timeline.moments.slice(leg.first, leg.last + 1).some((one) => one.place === node && one.meaning === "proxy");
}

function podShape(place: PodPlace, looking: Looking, moment: Moment | null, endpoint: EndpointView | null): PodShape {
  const { pod } = place;
  const [name, suffix] = podName(pod);
  const address = pod.addresses[0] ?? "";
  return {
    id: pod.place,
    x: place.x,
    y: place.y,
    width: place.width,
    height: place.height,
    name,
    suffix,
    address: fitted(address, 15),
    flag: podFlag(pod),
    pale: !pod.ready || pod.terminating || !pod.answers,
    role: podRole(pod, looking, endpoint),
    here: moment?.place === pod.place,
    chosen: looking.source === pod.place,
    port: place.port,
    veth: place.veth,
    label: t("map.pod", { place: pod.place, address: address || t("map.noAddress"), node: pod.node }),
  };
}

function podRole(pod: PodView, looking: Looking, endpoint: EndpointView | null): PodShape["role"] {
  if (looking.timeline?.trace.flow.place === pod.place) return "sender";
  return endpoint !== null && endpoint.place === pod.place ? "endpoint" : "";
}

function podFlag(pod: PodView): string {
  if (pod.terminating) return t("map.terminating");
  if (!pod.answers) return t("map.silent");
  if (!pod.ready) return t("map.notReady");
  if (pod.listening !== null && pod.listening.length === 0) return t("map.deaf");
  return pod.host_network ? t("map.hostNetwork") : "";
}

/** `web-599db76d95-9q9d9` in two lines: who it is of, and which one. */
export function podName(pod: PodView): readonly [string, string] {
  const name = pod.place.slice(pod.place.indexOf("/") + 1);
  const made = /^(.+)-([a-f0-9]{8,10}|[bcdfghjklmnpqrstvwxz2456789]{8,10})-([a-z0-9]{5})$/.exec(name);
  if (made !== null) return [fitted(made[1]!, 12), `…${made[3]}`];
  return [fitted(name, 12), ""];
}

function serviceShape(place: ServicePlace, looking: Looking, play: Play): ServiceShape {
  const { service } = place;
  const address = service.cluster_ips[0] ?? "";
  const [port] = service.ports;
  const bare = address === "" || address === "None";
  const shown = bare ? (service.type === "ClusterIP" ? t("map.headless") : "") : withPortShown(address, service);
  const mine = play.service === service.key;
  return {
    id: service.key,
    x: place.x,
    y: place.y,
    width: place.width,
    height: place.height,
    name: fitted(`${service.namespace}/${service.name}`, 23),
    address: fitted(shown, 22),
    kind:
      service.type === "ClusterIP" || service.type === ""
        ? ""
        : port?.node_port
          ? `NodePort ${port.node_port}`
          : service.type,
    state: mine ? (play.addressed ? "addressed" : "inPlay") : "",
    chosen: looking.source === service.key,
    label: t("map.service", {
      name: `${service.namespace}/${service.name}`,
      address: shown,
      count: addressesOf(service),
    }),
  };
}

/** A Pod stands behind a Service once, however many ports it has. */
function addressesOf(service: ServiceView): number {
  return new Set(service.endpoints.map((one) => one.address)).size;
}

function withPortShown(address: string, service: ServiceView): string {
  const [port] = service.ports;
  if (port === undefined) return address;
  const distinct = new Set(service.ports.map((one) => one.port)).size;
  return withPort(address, port.port) + (distinct > 1 ? ` +${distinct - 1}` : "");
}

function tiesOf(layout: Layout, looking: Looking, play: Play): readonly TieShape[] {
  const count = [...layout.services.values()].reduce((sum, { service }) => sum + addressesOf(service), 0);
  const ties: TieShape[] = [];
  for (const place of layout.services.values()) {
    const { service } = place;
    const mine = play.service === service.key;
    const seen = new Set<string>();
    for (const endpoint of service.endpoints) {
      const pod = layout.pods.get(endpoint.place);
      if (pod === undefined || seen.has(endpoint.place)) continue;
      seen.add(endpoint.place);
      const near = looking.hover === service.key || looking.hover === endpoint.place || looking.source === service.key;
      if (count > MANY_TIES && !mine && !near) continue;
      const chosen = mine && play.endpoint?.place === endpoint.place;
      ties.push({
        id: `${service.key} ${endpoint.place}`,
        ...tie(place, pod, layout),
        state: chosen ? "chosen" : near || mine ? "inPlay" : play.service === null ? "plain" : "faint",
        ready: endpoint.ready,
      });
    }
  }
  return ties;
}

/** From under the Service to the Pod: onto its top, or down the gap beside it where other Pods stand above it. */
function tie(service: ServicePlace, pod: PodPlace, layout: Layout): { readonly path: string; readonly end: Point } {
  const from = { x: service.x + service.width / 2, y: service.y + service.height };
  const node = layout.nodes.get(pod.pod.node);
  const end = pod.top ? { x: pod.x + pod.width / 2, y: pod.y } : { x: pod.x, y: pod.y + 14 };
  if (pod.top || node === undefined) {
    const middle = (from.y + end.y) / 2;
    return { path: `M${from.x},${from.y}C${from.x},${middle} ${end.x},${middle} ${end.x},${end.y}`, end };
  }
  const gutter = { x: pod.x - 6, y: node.y + 6 };
  const middle = (from.y + gutter.y) / 2;
  return {
    path: `M${from.x},${from.y}C${from.x},${middle} ${gutter.x},${middle} ${gutter.x},${gutter.y}V${end.y}H${end.x}`,
    end,
  };
}

// ---- words ------------------------------------------------------------------------------------------------

/** A text of at most `most` letters, its middle left out. */
export function fitted(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = Math.ceil((most - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (most - 1 - head))}`;
}

/** What stands beside a packet: its kind and its two ends. */
export function packetEnds(packet: Packet): readonly [string, string] {
  return [
    withPort(packet.source, packet.source_port, packet.protocol),
    withPort(packet.destination, packet.destination_port, packet.protocol),
  ];
}
