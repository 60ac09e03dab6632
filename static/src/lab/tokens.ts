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

/** The line broken between words into rows of at most `columns` letters; tabs are two columns. */
export function wrapped(line: string, columns: number): readonly string[] {
  const text = line.replaceAll("\t", " ".repeat(TAB));
  if (text.length <= columns || columns < 12) return [text];
  const indent = " ".repeat(Math.min((/^ */.exec(text)?.[0].length ?? 0) + HANG, columns >> 1));
  const rows: string[] = [];
  let rest = text;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(" ", columns);
    const at = space > indent.length ? space : columns;
    rows.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  if (rest.trim() !== "") rows.push(rest);
  return rows;
}
