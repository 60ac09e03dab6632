// Rule: a manifest being edited is its text. The form reads it and writes single fields into it; comments and order stay.
// Loaded only when something is edited.
import { isMap, isScalar, isSeq, parseDocument, type Document, type Node, type Pair } from "yaml";
import { fieldOf, type Path } from "./forms";

export interface Problem {
  readonly line: number; // from 1; 0: of the whole text
  readonly words: string;
}

export interface Draft {
  readonly text: string;
  readonly value: unknown;
  readonly problems: readonly Problem[];
}

const READING = { version: "1.1", uniqueKeys: true, prettyErrors: true, maxAliasCount: 50 } as const;

export function readDraft(text: string): Draft {
  const document = parseDocument(text, READING);
  const problems = document.errors.map((error) => ({ line: error.linePos?.[0].line ?? 0, words: firstLine(error.message) }));
  let value: unknown = null;
  try {
    value = problems.length === 0 ? document.toJS() : null;
  } catch (error) {
    problems.push({ line: 0, words: firstLine(String(error)) });
  }
  return { text, value, problems };
}

/** The text with one field written; undefined takes the field away, and whatever is empty without it. */
export function writeField(text: string, path: Path, value: unknown): string {
  const document = parseDocument(text, READING);
  if (document.errors.length > 0) return text;
  if (value === undefined) remove(document, path);
  else {
    const node = document.createNode(value) as Node;
    if (isSeq(node) || isMap(node)) node.flow = isFlat(value);
    setDeep(document, path, node);
  }
  return document.toString({ lineWidth: 0, indentSeq: /\n( *)[\w-]+:\n\1 +- /.test(text), flowCollectionPadding: false });
}

function setDeep(document: Document, path: Path, node: Node): void {
  for (let depth = 1; depth < path.length; depth++) {
    const upTo = path.slice(0, depth);
    const there = document.getIn(upTo, true);
    if (isMap(there) || isSeq(there)) continue;
    document.setIn(upTo, document.createNode(typeof path[depth] === "number" ? [] : {}));
  }
  const old = document.getIn(path, true);
  if (isScalar(old) && isScalar(node)) old.value = node.value;
  else document.setIn(path, node);
}

function remove(document: Document, path: Path): void {
  if (document.getIn(path, true) === undefined) return;
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 1; depth--) {
    const there = document.getIn(path.slice(0, depth), true);
    if (!((isMap(there) || isSeq(there)) && there.items.length === 0)) return;
    document.deleteIn(path.slice(0, depth));
  }
}

/** Short and without depth: written on one line, as people do. */
function isFlat(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const inside = Object.values(value);
  return inside.length > 0 && inside.length <= 4 && !Array.isArray(value) && inside.every((one) => typeof one !== "object");
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? text;
}

// ---- fields and where they stand ---------------------------------------------------------------------------

export interface Span {
  readonly field: string; // `spec.ports[0].port`
  readonly from: number; // letters in the text
  readonly to: number;
}

/** Every field of the text with the letters from its key to the end of its value, outer fields before inner ones. */
export function spansOf(text: string): readonly Span[] {
  const document = parseDocument(text, READING);
  const spans: Span[] = [];
  walk(document.contents, [], spans, 0);
  return spans;
}

function walk(node: unknown, path: Path, spans: Span[], depth: number): void {
  if (depth > 40) return;
  if (isMap(node)) {
    for (const pair of node.items as Pair[]) {
      const key = isScalar(pair.key) ? String(pair.key.value) : null;
      if (key === null) continue;
      const from = (pair.key as Node).range?.[0];
      const value = pair.value as Node | null;
      const to = value?.range?.[1] ?? (pair.key as Node).range?.[1];
      const here = [...path, key];
      if (from !== undefined && to !== undefined) spans.push({ field: fieldOf(here), from, to });
      walk(value, here, spans, depth + 1);
    }
  }
  if (isSeq(node)) {
    node.items.forEach((item, index) => {
      const range = (item as Node).range;
      if (range) spans.push({ field: fieldOf([...path, index]), from: range[0], to: range[1] });
      walk(item, [...path, index], spans, depth + 1);
    });
  }
}

/** The innermost field that stands at a letter. */
export function fieldAt(spans: readonly Span[], letter: number): string | null {
  let found: Span | null = null;
  for (const span of spans) {
    if (span.from <= letter && letter <= span.to && (found === null || span.to - span.from <= found.to - found.from)) found = span;
  }
  return found?.field ?? null;
}

/** Where a field stands; if the text does not have it, where what it belongs to stands. */
export function spanOf(spans: readonly Span[], field: string): Span | null {
  for (let wanted = field; wanted !== ""; wanted = wanted.replace(/(?:\.[^.[\]]+|\[\d+\]|^[^.[\]]+)$/, "")) {
    const found = spans.find((span) => span.field === wanted);
    if (found !== undefined) return found;
  }
  return null;
}
