// Rule: the lab page's own words, in English. zh-hans.lab.ts has the same keys.
export const enLab = {
  "lab.title": "Packetwalk",
} as const;
