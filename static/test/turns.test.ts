// Rule: a step that plays costs one element's redraw a frame; nobody is forgotten, and nobody draws twice for one turn.
import { afterEach, expect, test, vi } from "vitest";
import { inTurn } from "../src/turns";

afterEach(() => vi.unstubAllGlobals());

test("one a frame, in the order in which they asked, each once", () => {
  const frames: (() => void)[] = [];
  vi.stubGlobal("requestAnimationFrame", (frame: () => void) => frames.push(frame));
  const drawn: string[] = [];
  const [map, panel] = [{}, {}];
  inTurn(map, () => drawn.push("map of the first step"));
  inTurn(panel, () => drawn.push("panel"));
  inTurn(map, () => drawn.push("map"));
  const after = [];
  while (frames.length > 0) {
    expect(frames).toHaveLength(1);
    frames.shift()!();
    after.push(drawn.length);
  }
  expect(drawn).toEqual(["map", "panel"]);
  expect(after).toEqual([1, 2]);
});
