// Rule: who asks for less motion gets jump cuts: the same moments, the same captions, no movement between them.
const query = typeof matchMedia === "function" ? matchMedia("(prefers-reduced-motion: reduce)") : null;

export function isStill(): boolean {
  return query?.matches ?? false;
}
