// Rule: many packets at once. Up to MOST_DOTS are drawn singly; beyond, a dot stands for several of one way, and that is said.
import { along, wayThrough, type Way } from "./road";
import type { Layout, Point } from "./layout";

export const MOST_DOTS = 100;

/** A packet on its way, told by a trace's summary: the places of its request, and how it ended. */
export interface Flight {
  readonly id: string;
  readonly path: readonly string[];
  readonly start: number; // milliseconds, of the same clock as `now`
  readonly duration: number;
}
export interface Dot extends Point {
  readonly id: string;
  readonly count: number;
}
export interface Dots {
  readonly dots: readonly Dot[];
  readonly each: number; // packets that a dot stands for, at most
}

/** Draws flights at a time. Ways are remembered for as long as the layout stays. */
export function flightPainter(layout: Layout): (flights: readonly Flight[], now: number) => Dots {
  const ways = new Map<string, Way>();
  const wayOf = (path: readonly string[]): Way => {
    const key = path.join("\n");
    let way = ways.get(key);
    if (way === undefined) ways.set(key, (way = wayThrough(layout, path)));
    return way;
  };
  return (flights, now) => {
    const aloft = flights.filter(({ start, duration }) => now >= start && now < start + duration);
    const each = Math.ceil(aloft.length / MOST_DOTS);
    const dots: Dot[] = [];
    for (const [way, group] of grouped(aloft, wayOf)) {
      for (let first = 0; first < group.length; first += each) {
        const together = group.slice(first, first + each);
        const share = together.reduce((sum, one) => sum + (now - one.start) / one.duration, 0) / together.length;
        const point = along(way, share);
        if (point !== null) dots.push({ id: together[0]!.id, x: point.x, y: point.y, count: together.length });
      }
    }
    return { dots, each: Math.max(1, each) };
  };
}

function grouped(flights: readonly Flight[], wayOf: (path: readonly string[]) => Way): Map<Way, Flight[]> {
  const groups = new Map<Way, Flight[]>();
  for (const flight of [...flights].sort((one, other) => one.start - other.start)) {
    const way = wayOf(flight.path);
    const group = groups.get(way);
    if (group === undefined) groups.set(way, [flight]);
    else group.push(flight);
  }
  return groups;
}
