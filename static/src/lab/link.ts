// Rule: a page's address says which walk and which step of it are shown: `#trace=3&step=17`, counted from 1. Pure.

export interface Place {
  readonly trace: number;
  readonly step: number | null; // as people count: from 1
}

export function readLink(hash: string): Place | null {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const trace = whole(said.get("trace"));
  return trace === null ? null : { trace, step: whole(said.get("step")) };
}

export function writeLink(place: Place | null): string {
  if (place === null) return "";
  return place.step === null ? `#trace=${place.trace}` : `#trace=${place.trace}&step=${place.step}`;
}

function whole(text: string | null): number | null {
  if (text === null || !/^\d{1,9}$/.test(text)) return null;
  const value = Number(text);
  return value >= 1 ? value : null;
}

/** Browsers refuse an address that is written too often: `take` says whether one more may be, now (in milliseconds). */
export class Allowance {
  private left: number;
  private at = 0;

  constructor(
    private readonly most: number,
    private readonly every: number, // milliseconds until one more may be written
  ) {
    this.left = most;
  }

  take(now: number): boolean {
    this.left = Math.min(this.most, this.left + (now - this.at) / this.every);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
