// Rule: redraws an element when the lab changes. `new FollowLab(this, () => this.lab)` in its constructor.
import type { ReactiveControllerHost } from "lit";
import { FollowEvents } from "../playback";
import type { Lab } from "./lab";

export class FollowLab extends FollowEvents<Lab> {
  constructor(
    host: ReactiveControllerHost,
    given: () => Lab | null,
    events: readonly string[] = ["change"],
    tell: () => void = () => host.requestUpdate(),
  ) {
    super(host, given, events, tell);
  }
}
