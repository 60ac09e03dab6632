// Rule: draws a Picture as SVG, each thing under its own key. Decides nothing; text stays text.
import { nothing, svg, type SVGTemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { t } from "../i18n";
import type { Box, Point } from "../layout";
import { LEVEL } from "../measures";
import { fitted } from "../scene";
import type { HostShape, NodeShape, Picture, PodShape, ServiceShape, TieShape } from "../scene";

export type ThingKind = "pod" | "node" | "service" | "outside";
export interface Thing {
  readonly kind: ThingKind;
  readonly id: string;
}

/** What the map's things do. */
export interface Handles {
  readonly act: (thing: Thing) => void;
  readonly enter: (node: string) => void;
  readonly hover: (id: string | null) => void;
}

export function drawMap(picture: Picture, handles: Handles): SVGTemplateResult {
  return svg`
    <g class="wires">${picture.wires.map(wire)}${router(picture.router)}</g>
    <g class="nodes">${repeat(
      picture.nodes,
      (node) => node.id,
      (node) => drawNode(node, handles),
    )}</g>
    ${drawOutside(picture, handles)}
    <g class="veths">${repeat(
      picture.pods,
      (pod) => pod.id,
      (pod) => svg`<path class="link" d=${line(pod.veth)} />`,
    )}</g>
    <g class="ties">${repeat(picture.ties, (tie) => tie.id, drawTie)}</g>
    <g class="pods">${repeat(
      picture.pods,
      (pod) => pod.id,
      (pod) => drawPod(pod, handles),
    )}</g>
    <g class="services">${repeat(
      picture.services,
      (service) => service.id,
      (service) => drawService(service, handles),
    )}
      ${picture.moreServices === null ? nothing : more(picture.moreServices)}
    </g>`;
}

export function line(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${round(x)},${round(y)}`).join("");
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

interface Labelled extends Box {
  readonly id: string;
  readonly label: string;
}

/** A thing's frame, which is what is clicked and focused. Its texts stand beside it in the tree, and let the pointer through. */
function button(kind: ThingKind, shape: Labelled, round: number, handles: Handles): SVGTemplateResult {
  const { id } = shape;
  const act = (event: Event): void => {
    event.stopPropagation();
    handles.act({ kind, id });
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter" && event.shiftKey && kind === "node") handles.enter(id);
    else handles.act({ kind, id });
  };
  return svg`<g class="thing" data-kind=${kind} data-id=${id} role="button" tabindex="0" aria-label=${shape.label}
      @click=${act} @keydown=${key} @dblclick=${() => kind === "node" && handles.enter(id)}
      @pointerenter=${() => handles.hover(id)} @pointerleave=${() => handles.hover(null)}>
    <rect class="frame" x=${shape.x} y=${shape.y} width=${shape.width} height=${shape.height} rx=${round} />
  </g>`;
}

function drawNode(node: NodeShape, handles: Handles): SVGTemplateResult {
  const bottom = node.y + node.height;
  const { place } = node;
  const pre = place.stations.prerouting.x;
  const post = place.stations.postrouting.x;
  const left = node.x + 15;
  return svg`<g class=${classes("node", node.here && "here", node.chosen && "chosen", node.wrong && "wrong")}>
    ${button("node", node, 6, handles)}
    <g aria-hidden="true">
    <text class="title" x=${left} y=${bottom - 10}>${node.title}<tspan class="address" dx="8">${node.address}</tspan></text>
    ${node.note ? svg`<text class="note" x=${node.x + node.width - 15} y=${bottom - 10} text-anchor="end">${node.note}</text>` : nothing}
    <path class="bridge" d=${`M${left},${place.bridgeY}H${node.x + node.width - 15}`} />
    <text class="small" x=${pre + 8} y=${place.bridgeY + 14}>${t("map.bridge")} cni0</text>
    <g class="kernel">
      <rect class="strip" x=${left} y=${bottom - LEVEL.kernelTop} width=${node.width - 30}
        height=${LEVEL.kernelTop - LEVEL.kernelBottom} rx="4" />
      <text class="strip-title" x=${post - 10} y=${bottom - LEVEL.kernelTop + 14} text-anchor="end">${t("map.kernel")}</text>
    </g>
    <path class="link" d=${`M${pre},${place.bridgeY}V${place.channelY}H${post}V${place.bridgeY}`} />
    <path class="link" d=${`M${place.port.x},${place.channelY}V${place.wireY}`} />
    <path class="link" d=${`M${place.stations.input.x},${place.railY}V${place.process.y + 10}M${place.stations.output.x},${place.railY}V${place.process.y + 10}`} />
    <path class="rail" d=${`M${pre},${place.railY}H${post}`} />
    <rect class=${classes("process", node.processState)} x=${place.process.x} y=${place.process.y}
      width=${place.process.width} height=${place.process.height} rx="11" />
    <text class="small middle" x=${place.process.x + place.process.width / 2} y=${place.process.y + 14.5}>${t("map.proxy")}</text>
    ${node.stations.map((station) => {
      const side = station.id === "prerouting" ? -1 : station.id === "postrouting" ? 1 : 0;
      return svg`<circle class=${classes("station", station.state)} cx=${station.x} cy=${station.y} r=${station.state === "here" ? 5 : 3.5} />
        <text class=${classes("station-name", station.state, side < 0 ? "end" : side > 0 ? "start" : "middle")}
          x=${station.x + side * 7} y=${station.y + (side === 0 ? 16 : 3.5)}>${station.label}</text>`;
    })}
    <rect class="port" x=${place.port.x - 4} y=${place.port.y - 4} width="8" height="8" />
    <text class="small" x=${place.port.x + 9} y=${place.port.y + 17}>eth0</text>
    ${node.more === null ? nothing : more(node.more)}
    </g>
  </g>`;
}

function drawPod(pod: PodShape, handles: Handles): SVGTemplateResult {
  const middle = pod.x + pod.width / 2;
  const named = pod.suffix || pod.flag;
  return svg`<g class=${classes("pod", pod.here && "here", pod.chosen && "chosen", pod.pale && "pale", pod.role)}>
    ${button("pod", pod, 5, handles)}
    <g aria-hidden="true">
      <text class="name middle" x=${middle} y=${pod.y + (named ? 16 : 23)}>${pod.name}</text>
      <text class=${pod.flag ? "flag middle" : "suffix middle"} x=${middle} y=${pod.y + 29}>${pod.flag || pod.suffix}</text>
      <text class="address middle" x=${middle} y=${pod.y + (named ? 43 : 39)}>${pod.address}</text>
      <rect class="port" x=${pod.port.x - 3} y=${pod.port.y - 3} width="6" height="6" />
    </g>
  </g>`;
}

function drawService(service: ServiceShape, handles: Handles): SVGTemplateResult {
  const middle = service.x + service.width / 2;
  return svg`<g class=${classes("service", service.state, service.chosen && "chosen")}>
    ${button("service", service, 22, handles)}
    <g aria-hidden="true">
      <text class="name middle" x=${middle} y=${service.y + 18}>${service.name}</text>
      <text class="address middle" x=${middle} y=${service.y + 34}>${service.address}${
        service.kind ? svg`<tspan class="kind" dx=${service.address ? 7 : 0}>${service.kind}</tspan>` : nothing
      }</text>
    </g>
  </g>`;
}

function drawTie(tie: TieShape): SVGTemplateResult {
  return svg`<g class=${classes("tie", tie.state, !tie.ready && "unready")}>
    <path d=${tie.path} /><circle cx=${tie.end.x} cy=${tie.end.y} r="2.5" />
  </g>`;
}

function drawOutside(picture: Picture, handles: Handles): SVGTemplateResult {
  const box = picture.outside;
  return svg`<g class="outside">
    <rect class="frame" x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="6" />
    <text class="small" x=${box.x + 12} y=${box.y + 18}>${t("map.outside")}</text>
    ${picture.hosts.length === 0 ? svg`<path class="link" d=${`M${box.x + box.width / 2},${box.y + box.height}V${picture.router.y}`} />` : nothing}
    ${repeat(
      picture.hosts,
      (host) => host.id,
      (host) => drawHost(host, picture.router.y, handles),
    )}
  </g>`;
}

function drawHost(host: HostShape, wireY: number, handles: Handles): SVGTemplateResult {
  return svg`<path class="link" d=${`M${host.port.x},${host.port.y}V${wireY}`} />
    <g class=${classes("host", host.here && "here", host.chosen && "chosen")}>
      ${button("outside", host, 5, handles)}
      <g aria-hidden="true">
        <text class="address" x=${host.x + 7} y=${host.y + 21}>${fitted(host.id, 15)}</text>
        <rect class="port" x=${host.port.x - 3} y=${host.port.y - 3} width="6" height="6" />
      </g>
    </g>`;
}

function wire({ from, to }: { readonly from: Point; readonly to: Point }): SVGTemplateResult {
  return svg`<path class="wire" d=${line([from, to])} />`;
}

function router(at: Point): SVGTemplateResult {
  return svg`<g class="router">
    <circle cx=${at.x} cy=${at.y} r="8" />
    <path d=${`M${at.x - 4},${at.y}h8m-2.5,-2.5l2.5,2.5l-2.5,2.5`} />
    <text class="small middle" x=${at.x} y=${at.y + 21}>${t("map.router")}</text>
    <text class="small" x="20" y=${at.y + 15}>${t("map.wire")}</text>
  </g>`;
}

function more(box: Box & { readonly label: string }): SVGTemplateResult {
  return svg`<g class="more">
    <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="6" />
    <text class="small middle" x=${box.x + box.width / 2} y=${box.y + box.height / 2 + 4}>${box.label}</text>
  </g>`;
}

export function classes(...names: readonly (string | false)[]): string {
  return names.filter(Boolean).join(" ");
}
