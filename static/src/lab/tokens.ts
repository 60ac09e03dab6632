// Rule: a line of rules cut into coloured pieces. All pieces together are the line, letter for letter. Pure.

export type Tone = "plain" | "dim" | "option" | "text" | "address" | "verdict" | "chain" | "number" | "comment" | "set";
export interface Piece {
  readonly text: string;
  readonly tone: Tone;
}

const VERDICTS =
  "ACCEPT|DROP|REJECT|RETURN|DNAT|SNAT|MASQUERADE|REDIRECT|MARK|accept|drop|reject|return|dnat|snat|masquerade|redirect";
const FORMS: readonly (readonly [Tone, string])[] = [
  ["comment", String.raw`^#.*$`],
  ["text", String.raw`"[^"]*"`],
  ["set", String.raw`@[\w./-]+`],
  ["address", String.raw`\b\d{1,3}(?:\.\d{1,3}){3}(?:\/\d+)?(?::\d+)?|\[?\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}\]?(?:\/\d+)?(?::\d+)?`],
  ["chain", String.raw`\bKUBE-[A-Z0-9-]+|\b(?:service|external|endpoint|firewall)-[A-Z0-9]{8}-[\w./-]+`],
  ["verdict", String.raw`(?<![\w-])(?:${VERDICTS})(?![\w-])`],
  ["option", String.raw`(?<![\w-])--?[a-zA-Z][\w-]*`],
  ["dim", String.raw`\b(?:jump|goto|vmap|ip6?|daddr|saddr|meta|l4proto|th|dport|sport|tcp|udp|sctp|ct|state|counter|packets|bytes|chain|table|set|map|type|hook|priority|policy|elements|numgen|random|mod|mark|comment|create|add|family)\b`],
  ["number", String.raw`(?<![\w.-])(?:0x[0-9a-f]+|\d+(?:\.\d+)?)(?![\w.])`],
];
const ANY = new RegExp(FORMS.map(([, form]) => `(${form})`).join("|"), "g");
const KEPT = new Map<string, readonly Piece[]>();
const MOST_KEPT = 5000;

export function piecesOf(line: string): readonly Piece[] {
  const kept = KEPT.get(line);
  if (kept !== undefined) return kept;
  if (KEPT.size >= MOST_KEPT) KEPT.clear();
  const pieces = cut(line);
  KEPT.set(line, pieces);
  return pieces;
}

function cut(line: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const found of line.matchAll(ANY)) {
    if (found.index > at) pieces.push({ text: line.slice(at, found.index), tone: "plain" });
    const form = found.slice(1).findIndex((group) => group !== undefined);
    pieces.push({ text: found[0], tone: FORMS[form]?.[0] ?? "plain" });
    at = found.index + found[0].length;
  }
  if (at < line.length) pieces.push({ text: line.slice(at), tone: "plain" });
  return pieces;
}

const HANG = 2; // columns by which a line's continuation stands in
const TAB = 2;

/** A row of a line that was broken: its pieces, and the columns that it stands in. */
export interface BrokenRow {
  readonly indent: number;
  readonly pieces: readonly Piece[];
}

/** The line broken between words into rows of at most `columns` letters; tabs are two columns. */
export function brokenRows(line: string, columns: number): readonly BrokenRow[] {
  const text = untabbed(line);
  const pieces = piecesOf(text);
  return breaks(text, columns).map(({ from, to, indent }) => ({ indent, pieces: sliced(pieces, from, to) }));
}

/** How many rows that are. */
export function rowCount(line: string, columns: number): number {
  return line.length <= columns && !line.includes("\t") ? 1 : breaks(untabbed(line), columns).length;
}

function untabbed(line: string): string {
  return line.replaceAll("\t", " ".repeat(TAB));
}

function breaks(text: string, columns: number): { from: number; to: number; indent: number }[] {
  if (text.length <= columns || columns < 12) return [{ from: 0, to: text.length, indent: 0 }];
  const hang = Math.min((/^ */.exec(text)?.[0].length ?? 0) + HANG, columns >> 1);
  const rows: { from: number; to: number; indent: number }[] = [];
  let from = 0;
  while (from < text.length) {
    const indent = rows.length === 0 ? 0 : hang;
    const room = columns - indent;
    let to = text.length;
    if (to - from > room) {
      const space = text.lastIndexOf(" ", from + room);
      to = space > from + (rows.length === 0 ? hang : 0) ? space : from + room;
    }
    rows.push({ from, to, indent });
    from = to;
    while (text[from] === " ") from += 1;
  }
  return rows;
}

function sliced(pieces: readonly Piece[], from: number, to: number): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const { text, tone } of pieces) {
    const cut = text.slice(Math.max(0, from - at), Math.max(0, to - at));
    if (cut !== "") found.push({ text: cut, tone });
    at += text.length;
  }
  return found;
}
