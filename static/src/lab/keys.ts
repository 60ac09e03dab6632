// Rule: which key does what on the page, outside of fields. Pure: a key in, a wish out.
import type { Mode } from "../wire";

export type Wish =
  | { readonly do: "mode"; readonly mode: Mode }
  | { readonly do: "view"; readonly view: "map" | "kernel" | "steps" | "compare" }
  | { readonly do: "search" | "help" | "undo" | "redo" | "send" | "escape" | "play" };

export interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
}

const MODES: readonly Mode[] = ["userspace", "iptables", "ipvs", "nftables"];

/** `play`: the clock's own keys, which it knows itself. */
export function wishOf(pressed: Pressed): Wish | null {
  const { key } = pressed;
  if (pressed.altKey) return null;
  if (pressed.ctrlKey || pressed.metaKey) {
    if (key.toLowerCase() === "z") return { do: pressed.shiftKey ? "redo" : "undo" };
    return key.toLowerCase() === "y" ? { do: "redo" } : null;
  }
  const mode = /^[1-4]$/.test(key) ? MODES[Number(key) - 1] : undefined;
  if (mode !== undefined) return { do: "mode", mode };
  switch (key) {
    case "5":
      return { do: "view", view: "compare" };
    case "m":
      return { do: "view", view: "map" };
    case "k":
      return { do: "view", view: "kernel" };
    case "s":
      return { do: "view", view: "steps" };
    case "/":
      return { do: "search" };
    case "?":
      return { do: "help" };
    case "Enter":
      return { do: "send" };
    case "Escape":
      return { do: "escape" };
    case " ":
    case "ArrowLeft":
    case "ArrowRight":
    case "Home":
    case "End":
      return { do: "play" };
    default:
      return null;
  }
}

/** Is the key for the field or control that it was pressed in? */
export function belongsTo(target: Element | null, key: string): boolean {
  if (target === null) return false;
  if (target.closest("input, textarea, select, [contenteditable='true'], [role='menu'], [role='tree'], dialog") !== null) {
    const input = target as HTMLInputElement;
    return !(input.localName === "input" && ["checkbox", "range"].includes(input.type) && !/^(?: |Arrow|Home|End)/.test(key));
  }
  const acts = target.closest("button, a, summary, [role='button'], [role='option']") !== null;
  if (acts && (key === " " || key === "Enter")) return true;
  return target.closest("[role='region'], .scrolls") !== null && (key === "Home" || key === "End");
}
