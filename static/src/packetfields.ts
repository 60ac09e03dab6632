// Rule: a packet's fields by layer, before and after a step. The mark is the kernel's own and is shown apart: no wire carries it.
import type { Moment } from "./timeline";
import type { Packet } from "./trace";

export interface FieldRow {
  readonly field: string;
  readonly before: string;
  readonly after: string;
  readonly changed: boolean;
}
export interface LayerRows {
  readonly id: string;
  readonly rows: readonly FieldRow[];
}

type Field = keyof Packet;
const ETHERNET: readonly Field[] = ["source_mac", "destination_mac"];
const IP: readonly Field[] = ["source", "destination", "ttl"];
const PORTS: readonly Field[] = ["source_port", "destination_port"];
const TCP: readonly Field[] = [...PORTS, "flags", "sequence", "acknowledgement"];
const ICMP: readonly Field[] = ["icmp_type", "icmp_code"];
const NO_MAC = "00:00:00:00:00:00";

export function changedFields(moment: Moment): ReadonlySet<string> {
  return new Set(moment.changes.map((change) => change.field));
}

/** From the network's end up: what carries the packet last. */
export function layersOf(moment: Moment): readonly LayerRows[] {
  const { protocol } = moment.after;
  const transport = protocol === "tcp" ? TCP : protocol === "udp" || protocol === "sctp" ? PORTS : ICMP;
  const id = ["tcp", "udp", "sctp"].includes(protocol) ? protocol : "icmp";
  const layers: LayerRows[] = [
    { id: "ip", rows: rowsOf(IP, moment) },
    { id, rows: rowsOf(transport, moment) },
    { id: "kernel", rows: rowsOf(["mark"], moment) },
    { id: "ethernet", rows: rowsOf(ETHERNET, moment) },
  ];
  const quoted = moment.after.quoted;
  return quoted === null ? layers : [...layers, { id: "quoted", rows: quotedRows(quoted) }];
}

function rowsOf(fields: readonly Field[], moment: Moment): readonly FieldRow[] {
  const changed = changedFields(moment);
  return fields.map((field) => ({
    field,
    before: valueOf(field, moment.before[field]),
    after: valueOf(field, moment.after[field]),
    changed: changed.has(field),
  }));
}

function quotedRows(quoted: Packet): readonly FieldRow[] {
  return (["source", "source_port", "destination", "destination_port"] as const).map((field) => {
    const value = valueOf(field, quoted[field]);
    return { field, before: value, after: value, changed: false };
  });
}

function valueOf(field: Field, value: unknown): string {
  if (field === "mark" && typeof value === "number") return `0x${value.toString(16)}`;
  if (value === NO_MAC || value === "") return "—";
  return shown(value);
}

/** Any value of a trace as short text. */
export function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : JSON.stringify(value);
}
