// Rule: each meaning of a step has one shape, the same on the time line, in the table and beside the sentence. Hue only repeats it.
import { css, svg, html, type TemplateResult } from "lit";
import type { Meaning } from "../timeline";

/** A shape about the origin, at most 5 units to each side. `hollow`: drawn as a line. */
interface Glyph {
  readonly path: string;
  readonly hollow: boolean;
}

const circle = (r: number): string => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`;

export const GLYPHS: Readonly<Record<Meaning, Glyph>> = {
  match: { path: circle(3), hollow: false },
  miss: { path: "M0,-2.5V2.5", hollow: true },
  return: { path: "M-2,-1.5L0,1.5L2,-1.5", hollow: true },
  track: { path: circle(2.8), hollow: true },
  rewrite: { path: "M0,-5L5,0L0,5L-5,0Z", hollow: false },
  route: { path: "M-2.8,3L0,-3L2.8,3Z", hollow: true },
  schedule: { path: "M0,-5L5,0L0,5L-5,0Z", hollow: true },
  cross: { path: "M-3.5,0H3M0.2,-2.8L3,0L0.2,2.8", hollow: true },
  proxy: { path: "M-3.8,-3.8H3.8V3.8H-3.8Z", hollow: true },
  arrive: { path: "M-4,0.2L-1.2,3.4L4,-3", hollow: true },
  verdict: { path: "M-4.2,-4.2H4.2V4.2H-4.2Z", hollow: false },
  note: { path: circle(1), hollow: false },
};

export function glyph(meaning: Meaning): TemplateResult {
  const { path, hollow } = GLYPHS[meaning];
  return html`<svg class="glyph" viewBox="-6 -6 12 12" aria-hidden="true">${svg`<path class="glyph-path ${meaning} ${hollow ? "hollow" : "full"}" d=${path} />`}</svg>`;
}

/** All glyphs of one meaning as one path, moved to their places. */
export function glyphsAt(meaning: Meaning, xs: readonly number[], y: number, scale: number): string {
  const { path } = GLYPHS[meaning];
  return xs.map((x) => moved(path, x, y, scale)).join("");
}

/** Paths here use M, L, H, V absolutely, and a relatively. */
function moved(path: string, x: number, y: number, scale: number): string {
  return path.replace(/([MLHVaZ])([^MLHVaZ]*)/g, (_, command: string, rest: string) => {
    const numbers = rest.trim() === "" ? [] : rest.trim().split(/[ ,]+/).map(Number);
    switch (command) {
      case "M":
      case "L":
        return `${command}${fixed(numbers[0]! * scale + x)},${fixed(numbers[1]! * scale + y)}`;
      case "H":
        return `H${fixed(numbers[0]! * scale + x)}`;
      case "V":
        return `V${fixed(numbers[0]! * scale + y)}`;
      case "a":
        return `a${fixed(numbers[0]! * scale)},${fixed(numbers[1]! * scale)} 0 1,0 ${fixed(numbers[5]! * scale)},0`;
      default:
        return "Z";
    }
  });
}

function fixed(value: number): number {
  return Math.round(value * 100) / 100;
}

export const glyphStyle = css`
  .glyph {
    width: 14px;
    height: 14px;
    flex: none;
  }
  .glyph-path {
    fill: none;
    stroke: var(--ink-3);
    stroke-width: 1.3;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .glyph-path.full {
    fill: var(--ink-3);
    stroke: none;
  }
  .glyph-path.match {
    fill: var(--green);
  }
  .glyph-path.rewrite {
    fill: var(--orange);
  }
  .glyph-path.schedule {
    stroke: var(--blue-ink);
    stroke-width: 1.6;
  }
  .glyph-path.proxy {
    stroke: var(--purple-ink);
    stroke-width: 1.6;
  }
  .glyph-path.verdict {
    fill: var(--ink);
  }
  .glyph-path.arrive {
    stroke: var(--ink);
    stroke-width: 1.8;
  }
  .glyph-path.cross {
    stroke: var(--ink-2);
  }
  .glyph-path.track,
  .glyph-path.route {
    stroke: var(--ink-2);
  }
`;
