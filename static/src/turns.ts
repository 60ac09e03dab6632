// Rule: while a walk plays, one element redraws in a frame: what a step changes is spread over the frames that follow it.
// Who is late draws the moment that then is, so nothing piles up at any speed.
const waiting = new Map<object, () => void>();
let asked = false;

/** `work` in a frame of its own; once, however often it was asked for meanwhile. */
export function inTurn(who: object, work: () => void): void {
  waiting.set(who, work);
  ask();
}

function ask(): void {
  if (asked || waiting.size === 0) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    const [first] = waiting;
    if (first === undefined) return;
    waiting.delete(first[0]);
    ask();
    first[1]();
  });
}
