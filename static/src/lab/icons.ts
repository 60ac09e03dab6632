// Rule: the lab's few pictures on buttons, drawn by strokes; a button that has one has words for it, too.
import { svg, type SVGTemplateResult } from "lit";

const icon = (path: string): SVGTemplateResult =>
  svg`<svg viewBox="0 0 16 16" aria-hidden="true"><path d=${path} /></svg>`;

export const ICONS = {
  undo: icon("M5.5 3 2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6"),
  redo: icon("M10.5 3l3 3-3 3M13.5 6h-7a4 4 0 0 0 0 8H10"),
  share: icon("M6.5 9.5a3 3 0 0 0 4.3 0l2.3-2.3a3 3 0 0 0-4.3-4.3L8 3.7M9.5 6.5a3 3 0 0 0-4.3 0L2.9 8.8a3 3 0 0 0 4.3 4.3l.8-.8"),
  help: icon("M6 6a2 2 0 1 1 3 1.7c-.7.4-1 .8-1 1.6M8 11.6v.1M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z"),
  theme: icon("M8 1.5a6.5 6.5 0 1 0 0 13ZM8 1.5a6.5 6.5 0 0 1 0 13"),
  copy: icon("M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z"),
  close: icon("M3.5 3.5l9 9M12.5 3.5l-9 9"),
  plus: icon("M8 3v10M3 8h10"),
  search: icon("M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2"),
  take: icon("M8 2v8M4.8 7 8 10.2 11.2 7M3 13.5h10"),
  paste: icon("M8 10.2V2M4.8 5.2 8 2l3.2 3.2M3 13.5h10"),
  trash: icon("M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9"),
  people: icon("M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM1.5 13.5c0-2.8 2-4.5 4.5-4.5s4.5 1.7 4.5 4.5M11 3a2.3 2.3 0 0 1 0 4.4M12 9.3c1.5.6 2.5 2 2.5 4.2"),
  pin: icon("M5 2.5h6M6 2.5v4L4 9h8l-2-2.5v-4M8 9v5"),
  chevron: icon("M6 3.5 10.5 8 6 12.5"),
  back: icon("M10 3.5 5.5 8l4.5 4.5"),
} as const;
