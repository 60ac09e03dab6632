// Rule: draws one machine's visit as the netfilter path, room by room. Decides nothing.
import { nothing, svg, type SVGTemplateResult } from "lit";
import { t } from "../i18n";
import { entryParts, type Room, type RoomId, type Visit } from "../kernel";
import type { Box } from "../layout";
import { fitted } from "../scene";
import { classes } from "./map";

export const VIEW = { width: 990, height: 520 } as const;
const WIDTH = 208;
const HEIGHT = 132;
const UP = 130;
const DOWN = 350;
const BORDER = 92;
const REWRITES = /^(dnat|snat|masquerade|redirect|mark|meta mark)/i;

const PLACE: Readonly<Record<RoomId, Box>> = {
  prerouting: { x: 40, y: DOWN, width: WIDTH, height: HEIGHT },
  routing: { x: 272, y: DOWN + 22, width: 152, height: HEIGHT - 44 },
  input: { x: 244, y: UP, width: WIDTH, height: HEIGHT },
  forward: { x: 448, y: DOWN, width: WIDTH, height: HEIGHT },
  output: { x: 546, y: UP, width: WIDTH, height: HEIGHT },
  postrouting: { x: 742, y: DOWN, width: WIDTH, height: HEIGHT },
};
const IPVS: Box = { x: 463, y: UP + 34, width: 72, height: 62 };
const PROCESS: Box = { x: 400, y: 18, width: 198, height: 50 };
const WRITER: Box = { x: 742, y: 18, width: 226, height: 50 };
const CONNTRACK: Box = { x: 774, y: UP, width: 194, height: HEIGHT };

export function drawKernel(visit: Visit): SVGTemplateResult {
  const { rooms } = visit;
  const mid = DOWN + HEIGHT / 2;
  const half = UP + IPVS.height / 2 + 34;
  const up = PLACE.input.x + 100;
  const down = PLACE.output.x + 100;
  const join = 698;
  const top = PROCESS.y + PROCESS.height / 2;
  const processed = entered(rooms.input) && visit.ipvs === null && (visit.here !== "input" || visit.proxy !== "idle");
  return svg`
    <rect class="above" x="0" y="0" width=${VIEW.width} height=${BORDER} />
    <path class="border" d=${`M0,${BORDER}H${VIEW.width}`} />
    <text class="small" x="14" y=${BORDER - 10}>${t("kernel.userSpace")}</text>
    <text class="small" x="14" y=${BORDER + 19}>${t("kernel.kernelSpace")}</text>

    ${flow(`M12,${mid}H34`, visit.from !== "")}
    <text class="small" x="12" y=${mid - 10}>${t("kernel.in")}</text>
    ${flow(`M248,${mid}H266`, on(rooms.prerouting, rooms.routing))}
    ${flow(`M${up},${DOWN + 22}V${UP + HEIGHT + 6}`, on(rooms.routing, rooms.input))}
    ${flow(`M424,${mid}H442`, on(rooms.routing, rooms.forward))}
    ${flow(`M${up},${UP}V${top}H${PROCESS.x - 6}`, processed)}
    ${flow(`M${PROCESS.x + PROCESS.width},${top}H${down}V${UP - 6}`, entered(rooms.output) && visit.ipvs === null)}
    ${visit.ipvsMode ? [flow(`M452,${half}H458`, visit.ipvs !== null), flow(`M534,${half}H540`, visit.ipvs !== null)] : nothing}
    ${flow(`M656,${mid}H736`, on(rooms.forward, rooms.postrouting))}
    ${flow(`M${join},${UP + HEIGHT}V${mid - 8}H736`, on(rooms.output, rooms.postrouting))}
    ${flow(`M950,${mid}H978`, visit.to !== "" && entered(rooms.postrouting))}
    <text class="small end" x="980" y=${mid - 10}>${t("kernel.out")}</text>

    ${drawProcesses(visit)}
    ${(Object.keys(PLACE) as RoomId[]).map((id) => drawRoom(rooms[id], PLACE[id]))}
    ${drawIpvs(visit)}
    ${drawConntrack(visit)}`;
}

/** Who is above the line: in userspace mode kube-proxy is on the packet's way; in the others it only wrote the rules. */
function drawProcesses(visit: Visit): SVGTemplateResult {
  const middle = PROCESS.x + PROCESS.width / 2;
  const state = visit.here === "process" ? "here" : visit.proxy === "live" ? "passed" : "quiet";
  return svg`<g class=${classes("room", state)}>
      <rect x=${PROCESS.x} y=${PROCESS.y} width=${PROCESS.width} height=${PROCESS.height} rx="25" />
      ${
        visit.userspace
          ? svg`<text class="title middle" x=${middle} y=${PROCESS.y + 21}>${t("kernel.proxy")}</text>
              <text class="small middle" x=${middle} y=${PROCESS.y + 37}>${t("kernel.proxy.accepts")}</text>`
          : svg`<text class="title middle" x=${middle} y=${PROCESS.y + 29}>${t("kernel.process")}</text>`
      }
    </g>
    ${
      visit.userspace
        ? nothing
        : svg`<g class="writer">
            <text class="title" x=${WRITER.x + 32} y=${WRITER.y + 21}>${t("kernel.proxy")}</text>
            <text class="small" x=${WRITER.x + 32} y=${WRITER.y + 37}>${t("kernel.proxy.idle")}</text>
          </g>`
    }`;
}

/** Where the token stands for where the packet is: on the upper left corner of its room. */
export function tokenAt(visit: Visit): { readonly x: number; readonly y: number } | null {
  if (!visit.current || visit.here === null) return visit.current ? { x: 964, y: DOWN + HEIGHT / 2 + 16 } : null;
  const box = visit.here === "process" ? PROCESS : visit.here === "ipvs" ? IPVS : PLACE[visit.here];
  return { x: box.x, y: box.y + (visit.here === "process" ? box.height / 2 : 18) };
}

function drawRoom(room: Room, box: Box): SVGTemplateResult {
  const left = box.x + 14;
  const rows = room.id === "routing" ? room.rows.slice(-2) : room.rows.slice(0, 4);
  return svg`<g class=${classes("room", room.state, room.id === "routing" && "routing")}>
    <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx=${room.id === "routing" ? 20 : 5} />
    ${
      room.id === "routing"
        ? svg`<text class="title middle" x=${box.x + box.width / 2} y=${box.y + 22}>${room.title}</text>`
        : svg`<text class="title" x=${left} y=${box.y + 22}>${room.title}</text>`
    }
    ${
      room.state === "skipped"
        ? svg`<text class=${classes("why", room.id === "routing" && "middle")} x=${room.id === "routing" ? box.x + box.width / 2 : left} y=${box.y + 42}>${room.why}</text>`
        : nothing
    }
    ${
      room.id === "routing"
        ? rows.map(
            (row, index) =>
              svg`<text class="mono middle" x=${box.x + box.width / 2} y=${box.y + 44 + index * 16}>${fitted(row.name, 15)} → ${row.text}</text>`,
          )
        : rows.map(
            (
              row,
              index,
            ) => svg`<text class=${classes("row", row.current && "current")} x=${left} y=${box.y + (room.state === "skipped" ? 62 : 45) + index * 18}>
              <tspan class="table">${fitted(row.name, 25)}</tspan>${
                row.name.length > 8 && row.tried > 0
                  ? svg`<tspan class="count end" x=${box.x + box.width - 10}>${row.matched}/${row.tried}</tspan>`
                  : svg`<tspan class="count" dx="7">${row.name.length > 8 ? "" : row.text}</tspan>`
              }
            </text>`,
          )
    }
    ${room.lines.map(
      (
        text,
        index,
      ) => svg`<text class=${classes("mono", room.state === "here" ? "chain" : REWRITES.test(text) && "effect")} x=${left}
        y=${box.y + box.height - 11 - (room.lines.length - 1 - index) * 15}>${text}</text>`,
    )}
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
  ${
    visit.ipvs === null
      ? nothing
      : svg`<text class="mono middle" x=${middle} y=${UP + HEIGHT + 22}>${visit.ipvs.virtual}</text>
    <text class="mono middle" x=${middle} y=${UP + HEIGHT + 38}>→ ${visit.ipvs.real}</text>`
  }`;
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
        : svg`<text class="mono" x=${left} y=${CONNTRACK.y + 46}>${parts.original.split(" → ")[0]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 61}>→ ${parts.original.split(" → ")[1]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 86}>${parts.reply.split(" → ")[0]}</text>
            <text class="mono" x=${left} y=${CONNTRACK.y + 101}>→ ${parts.reply.split(" → ")[1]}</text>`
    }
  </g>`;
}

function entered(room: Room): boolean {
  return room.state === "here" || room.state === "passed";
}

function on(from: Room, to: Room): boolean {
  return entered(from) && entered(to);
}

function flow(path: string, taken: boolean): SVGTemplateResult {
  return svg`<path class=${classes("flow", taken && "taken")} d=${path} marker-end=${taken ? "url(#arrow-taken)" : "url(#arrow)"} />`;
}
