// Rule: what the server says in English words of fixed forms is told in the page's language. English is the server's own;
// server.zh-hans.json has each form's words in Chinese, in order: the first that fits tells it. Tests in tests/visualizer
// find every sentence that the server can say and hold it to that file. What has no form there, such as the engine's
// problems with manifests, stays as it was written and is marked as English.
// In a form, what `cure…` holds must have a form, too; what `names…` holds is told where it has one.
import { language } from "./i18n";
import forms from "./i18n/server.zh-hans.json";

const FORMS = forms.map(([form, words]) => ({ form: new RegExp(`^(?:${form})$`, "s"), words: words ?? "" }));
const LONGEST = 4000;
const DEEPEST = 6;

/** `tag`: the language that the words are in where it is not the page's. */
export interface Served {
  readonly words: string;
  readonly tag: string | null;
}

/** A single word is a name. */
export function served(text: string): Served {
  if (language() === "en" || !text.includes(" ")) return { words: text, tag: null };
  const words = inChinese(text);
  if (words !== null) return { words, tag: null };
  return { words: text, tag: /\p{Script=Han}/u.test(text) ? null : "en" }; // the page's own words go through here, too
}

/** Null: no form fits. */
export function inChinese(text: string, depth = 0): string | null {
  if (text.length > LONGEST || depth > DEEPEST) return null;
  for (const { form, words } of FORMS) {
    const found = form.exec(text);
    const groups = found === null ? null : told(found.groups ?? {}, depth + 1);
    if (groups !== null) return words.replace(/\{(\w+)\}/g, (_, name: string) => groups[name] ?? "");
  }
  return null;
}

function told(groups: Readonly<Record<string, string | undefined>>, depth: number): Record<string, string> | null {
  const found: Record<string, string> = {};
  for (const [name, text = ""] of Object.entries(groups)) {
    const words = /^(?:cure|names)/.test(name) ? inChinese(text, depth) : text;
    if (words === null && name.startsWith("cure")) return null;
    found[name] = words ?? text;
  }
  return found;
}
