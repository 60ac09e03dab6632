// Rule: a burst's counts beside the exact odds of its flow, outcome by outcome. Nothing is estimated. Pure.
import type { Counted, OutcomeView } from "../wire";

export interface Bar {
  readonly outcome: string;
  readonly endpoint: string | null;
  readonly probability: string; // "1/3"
  readonly share: number; // the same as a number
  readonly count: number | null; // null: nothing was counted
  readonly counted: number; // of all, 0 to 1
}

/** Before a burst: the odds alone. */
export function barsOfOdds(odds: readonly OutcomeView[]): readonly Bar[] {
  const bars = new Map<string, { outcome: string; endpoint: string | null; parts: string[]; share: number }>();
  for (const one of odds) {
    const id = `${one.outcome} ${one.endpoint ?? ""}`;
    const bar = bars.get(id) ?? { outcome: one.outcome, endpoint: one.endpoint, parts: [], share: 0 };
    bar.parts.push(one.probability);
    bar.share += fraction(one.probability);
    bars.set(id, bar);
  }
  return [...bars.values()].map((bar) => ({
    outcome: bar.outcome,
    endpoint: bar.endpoint,
    probability: bar.parts.length === 1 ? bar.parts[0]! : percent(bar.share),
    share: bar.share,
    count: null,
    counted: 0,
  }));
}

export function barsOfBurst(results: readonly Counted[], count: number): readonly Bar[] {
  return results.map((one) => ({
    outcome: one.outcome,
    endpoint: one.endpoint,
    probability: one.probability,
    share: fraction(one.probability),
    count: one.count,
    counted: count === 0 ? 0 : one.count / count,
  }));
}

/** "1/3" is 0.333… */
export function fraction(text: string): number {
  const [above, below] = text.split("/").map(Number);
  const value = (above ?? 0) / (below ?? 1);
  return Number.isFinite(value) ? value : 0;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(share === 0 || share >= 0.0995 ? 1 : 2)} %`;
}

/** The end of the scale: a round share above the longest bar. */
export function scaleOf(bars: readonly Bar[]): number {
  const most = Math.max(0.01, ...bars.map((bar) => Math.max(bar.share, bar.counted)));
  return Math.min(1, [0.05, 0.1, 0.2, 0.25, 0.4, 0.5, 0.6, 0.8, 1].find((end) => end >= most) ?? 1);
}
