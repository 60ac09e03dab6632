// Rule: draws one machine's visit as the netfilter path, room by room. Decides nothing.
import { nothing, svg, type SVGTemplateResult } from "lit";
import { t } from "../i18n";
import { entryParts, type Room, type RoomId, type Visit } from "../kernel";
import type { Box } from "../layout";
import { fitted } from "../scene";
import { classes } from "./map";

export const VIEW = { width: 980, height: 430 } as const;
const WIDTH = 196;
const HEIGHT = 104;
const UP = 118;
const DOWN = 290;
const BORDER = 84;

const PLACE: Readonly<Record<RoomId, Box>> = {
  prerouting: { x: 44, y: DOWN, width: WIDTH, height: HEIGHT },
  routing: { x: 268, y: DOWN + 14, width: 150, height: HEIGHT - 28 },
  input: { x: 245, y: UP, width: WIDTH, height: HEIGHT },
  forward: { x: 450, y: DOWN, width: WIDTH, height: HEIGHT },
  output: { x: 540, y: UP, width: WIDTH, height: HEIGHT },
  postrouting: { x: 740, y: DOWN, width: WIDTH, height: HEIGHT },
};
const IPVS: Box = { x: 455, y: UP + 18, width: 72, height: 62 };
const PROXY: Box = { x: 400, y: 14, width: 176, height: 48 };
const CONNTRACK: Box = { x: 758, y: UP, width: 204, height: HEIGHT };

export function drawKernel(visit: Visit): SVGTemplateResult {
  const { rooms } = visit;
  const mid = DOWN + HEIGHT / 2;
  const join = 693;
  return svg`
    <path class="border" d=${`M0,${BORDER}H${VIEW.width}`} />
    <text class="small" x="14" y=${BORDER - 9}>${t("kernel.userSpace")}</text>
    <text class="small" x="14" y=${BORDER + 18}>${t("kernel.kernelSpace")}</text>

    ${flow(`M14,${mid}H38`, visit.from !== "", true)}
    <text class="small" x="14" y=${mid - 10}>${t("kernel.in")}</text>
    ${flow(`M240,${mid}H262`, on(rooms.prerouting, rooms.routing))}
    ${flow(`M343,${DOWN + 14}V${UP + HEIGHT + 6}`, on(rooms.routing, rooms.input))}
    ${flow(`M418,${mid}H444`, on(rooms.routing, rooms.forward))}
    ${flow(`M343,${UP}V38H394`, visit.here === "process" || visit.proxy !== "idle" || (entered(rooms.input) && visit.ipvs === null))}
    ${flow(`M576,38H638V${UP - 6}`, entered(rooms.output) && visit.ipvs === null)}
    ${flow(`M441,${UP + 49}H449`, visit.ipvs !== null)}
    ${flow(`M527,${UP + 49}H534`, visit.ipvs !== null)}
    ${flow(`M646,${mid}H734`, on(rooms.forward, rooms.postrouting))}
    ${flow(`M${join},${UP + HEIGHT}V${mid}H734`, on(rooms.output, rooms.postrouting))}
    ${flow(`M936,${mid}H964`, visit.to !== "" && entered(rooms.postrouting), true)}
    <text class="small end" x="968" y=${mid - 10}>${t("kernel.out")}</text>

    <g class=${classes("room proxy", visit.proxy === "idle" ? "quiet" : visit.proxy === "here" ? "here" : "passed")}>
      <rect x=${PROXY.x} y=${PROXY.y} width=${PROXY.width} height=${PROXY.height} rx="24" />
      <text class="title middle" x=${PROXY.x + PROXY.width / 2} y=${PROXY.y + 20}>${t("kernel.proxy")}</text>
      <text class="small middle" x=${PROXY.x + PROXY.width / 2} y=${PROXY.y + 36}>${t(visit.proxy === "idle" ? "kernel.proxy.idle" : "kernel.proxy.accepts")}</text>
    </g>
    ${(Object.keys(PLACE) as RoomId[]).map((id) => drawRoom(rooms[id], PLACE[id]))}
    ${drawIpvs(visit)}
    ${drawConntrack(visit)}`;
}

/** Where the token stands for where the packet is: on the upper left corner of its room. */
export function tokenAt(visit: Visit): { readonly x: number; readonly y: number } | null {
  if (!visit.current || visit.here === null) return visit.current ? { x: 964, y: DOWN + HEIGHT / 2 } : null;
  const box = visit.here === "process" ? PROXY : visit.here === "ipvs" ? IPVS : PLACE[visit.here];
  return { x: box.x, y: box.y + (visit.here === "process" ? box.height / 2 : 18) };
}

function drawRoom(room: Room, box: Box): SVGTemplateResult {
  const left = box.x + 14;
  const rows = room.id === "routing" ? room.rows.slice(-2) : room.rows.slice(0, 3);
  return svg`<g class=${classes("room", room.state, room.id === "routing" && "routing")}>
    <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx=${room.id === "routing" ? 20 : 5} />
    ${
      room.id === "routing"
        ? svg`<text class="title middle" x=${box.x + box.width / 2} y=${box.y + 22}>${room.title}</text>`
        : svg`<text class="title" x=${left} y=${box.y + 22}>${room.title}</text>`
    }
    ${
      room.state === "skipped"
        ? svg`<text class=${classes("why", room.id === "routing" && "middle")} x=${room.id === "routing" ? box.x + box.width / 2 : left} y=${box.y + 40}>${room.why}</text>`
        : nothing
    }
    ${
      room.id === "routing"
        ? rows.map((row, index) => svg`<text class="mono middle" x=${box.x + box.width / 2} y=${box.y + 40 + index * 15}>${fitted(row.name, 15)} → ${row.text}</text>`)
        : rows.map(
            (row, index) => svg`<text class=${classes("row", row.current && "current")} x=${left} y=${box.y + (room.state === "skipped" ? 58 : 42) + index * 16}>
              <tspan class="table">${row.name}</tspan><tspan class="count" dx="7">${row.name.length > 8 && row.tried ? `${row.matched}/${row.tried}` : row.text}</tspan>
            </text>`,
          )
    }
    ${room.chain ? svg`<text class="mono chain" x=${left} y=${box.y + box.height - 10}>${room.chain}</text>` : nothing}
  </g>`;
}

function drawIpvs(visit: Visit): SVGTemplateResult | typeof nothing {
  if (!visit.ipvsMode) return nothing;
  const state = visit.ipvs === null ? "quiet" : visit.ipvs.here ? "here" : "passed";
  const middle = IPVS.x + IPVS.width / 2;
  return svg`<g class=${classes("room ipvs", state)}>
    <rect x=${IPVS.x} y=${IPVS.y} width=${IPVS.width} height=${IPVS.height} rx="5" />
    <text class="title middle" x=${middle} y=${IPVS.y + 26}>${t("kernel.ipvs")}</text>
    <text class="small middle" x=${middle} y=${IPVS.y + 43}>${t("kernel.ipvs.at")}</text>
  </g>
  ${visit.ipvs === null ? nothing : svg`<text class="mono middle" x=${middle} y=${IPVS.y + 84}>→ ${visit.ipvs.real}</text>`}`;
}

function drawConntrack(visit: Visit): SVGTemplateResult {
  const parts = visit.entry === null ? null : entryParts(visit.entry.entry);
  const left = CONNTRACK.x + 14;
  return svg`<g class=${classes("room conntrack", visit.entry?.here ? "here" : visit.entry === null ? "quiet" : "passed")}>
    <rect x=${CONNTRACK.x} y=${CONNTRACK.y} width=${CONNTRACK.width} height=${CONNTRACK.height} rx="5" />
    <text class="title" x=${left} y=${CONNTRACK.y + 22}>${t("kernel.conntrack")}<tspan class="state" dx="8">${visit.entry?.state ?? ""}</tspan></text>
    ${
      parts === null
        ? nothing
        : svg`<text class="mono" x=${left} y=${CONNTRACK.y + 42}>${parts.original.split(" → ")[0]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 56}>→ ${parts.original.split(" → ")[1]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 76}>${parts.reply.split(" → ")[0]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 90}>→ ${parts.reply.split(" → ")[1]}</text>`
    }
  </g>`;
}

function entered(room: Room): boolean {
  return room.state === "here" || room.state === "passed";
}

function on(from: Room, to: Room): boolean {
  return entered(from) && entered(to);
}

function flow(path: string, taken: boolean, end = false): SVGTemplateResult {
  return svg`<path class=${classes("flow", taken && "taken", end && "end")} d=${path} marker-end=${taken ? "url(#arrow-taken)" : "url(#arrow)"} />`;
}
