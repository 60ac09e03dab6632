// Rule: the lab page's own words, in Simplified Chinese; the keys are those of en.lab.ts.
import type { enLab } from "./en.lab";

export const zhHansLab: Readonly<Record<keyof typeof enLab, string>> = {
  "lab.title": "Packetwalk",
};
