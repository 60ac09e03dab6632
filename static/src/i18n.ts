// Rule: every word a person reads is in the catalogues of i18n/, English and Simplified Chinese, under one key.
// A text may hold {name} for a parameter and {count|rule|rules} for a word that follows a number.
import type { ReactiveController, ReactiveControllerHost } from "lit";
import { en } from "./i18n/en";
import { enLab } from "./i18n/en.lab";
import { zhHans } from "./i18n/zh-hans";
import { zhHansLab } from "./i18n/zh-hans.lab";

export type Language = "en" | "zh-hans";
export type Key = keyof typeof en | keyof typeof enLab;
export type Params = Readonly<Record<string, string | number>>;
export type Catalogue = Readonly<Record<Key, string>>;

export const CATALOGUES: Readonly<Record<Language, Catalogue>> = {
  en: { ...en, ...enLab },
  "zh-hans": { ...zhHans, ...zhHansLab },
};
export const LANGUAGES: readonly { readonly id: Language; readonly name: string; readonly tag: string }[] = [
  { id: "en", name: "English", tag: "en" },
  { id: "zh-hans", name: "简体中文", tag: "zh-Hans" },
];
const STORED = "packetwalk.language";

let current: Language = "en";
const listeners = new Set<() => void>();

export function language(): Language {
  return current;
}

export function languageTag(): string {
  return current === "en" ? "en" : "zh-Hans";
}

/** Changes the language of everything on the page, in place. */
export function setLanguage(next: Language, remember = true): void {
  if (remember) {
    try {
      localStorage.setItem(STORED, next);
    } catch {
      // a page without storage forgets
    }
  }
  if (next === current) return;
  current = next;
  for (const listener of [...listeners]) listener();
}

/** What was chosen before, else what the browser asks for first. */
export function preferredLanguage(stored: string | null, wanted: readonly string[]): Language {
  if (stored === "en" || stored === "zh-hans") return stored;
  for (const tag of wanted) {
    if (/^zh\b/i.test(tag)) return "zh-hans";
    if (/^en\b/i.test(tag)) return "en";
  }
  return "en";
}

/** For a page's way in: takes the preferred language and sets `<html lang>`, now and at each change. */
export function startLanguage(): void {
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(STORED);
  } catch {
    // no storage
  }
  setLanguage(preferredLanguage(stored, navigator.languages), false);
  const mark = (): void => {
    document.documentElement.lang = languageTag();
  };
  mark();
  onLanguage(mark);
}

export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The text of `key` in the page's language, parameters filled in. */
export function t(key: Key, params: Params = {}): string {
  return fill(CATALOGUES[current][key], params);
}

export function isKey(key: string): key is Key {
  return Object.hasOwn(CATALOGUES.en, key);
}

/** `t` for a key put together from data, such as `mode.${mode}`; the data's own word where there is none. */
export function tOr(key: string, otherwise: string, params: Params = {}): string {
  return isKey(key) ? t(key, params) : otherwise;
}

export function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    if (one !== undefined && many !== undefined) return value === 1 ? one : many;
    return typeof value === "number" ? value.toLocaleString(languageTag()) : value;
  });
}

/** Redraws an element when the language changes: `new Localized(this)` in its constructor. */
export class Localized implements ReactiveController {
  private stop: (() => void) | undefined;

  constructor(private readonly host: ReactiveControllerHost) {
    host.addController(this);
  }

  hostConnected(): void {
    this.stop = onLanguage(() => this.host.requestUpdate());
  }

  hostDisconnected(): void {
    this.stop?.();
  }
}
