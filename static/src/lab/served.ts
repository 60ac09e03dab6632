// Rule: words of the server as they stand on the page: in its language, or marked as what they are.
import { html, type TemplateResult } from "lit";
import { served } from "../server-words";

export function says(text: string): TemplateResult | string {
  const { words, tag } = served(text);
  return tag === null ? words : html`<span lang=${tag}>${words}</span>`;
}
