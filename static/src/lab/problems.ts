// Rule: a refusal's sentences with the lines that they name, so that each can stand where it belongs. Pure.
import type { Problem } from "./draft";

/** `Service shop/web, line 7, spec.ports[0].port: 0 is not a port. Write …`: the line, and the words after the name. */
export function problemsIn(sentences: readonly string[]): readonly Problem[] {
  return sentences.map((sentence) => {
    const found = /^(?<where>[^:]*?), line (?<line>\d{1,7})(?<field>, [^:]+)?: (?<words>.*)$/s.exec(sentence)?.groups;
    if (found === undefined) return { line: 0, words: sentence };
    const field = found["field"]?.replace(/^, /, "");
    return { line: Number(found["line"]), words: field === undefined ? (found["words"] ?? "") : `${field}: ${found["words"] ?? ""}` };
  });
}
