// Rule: redraws an element when the lab changes. `new FollowLab(this, () => this.lab)` in its constructor.
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { Lab } from "./lab";

export class FollowLab implements ReactiveController {
  private lab: Lab | null = null;
  private connected = false;

  constructor(
    private readonly host: ReactiveControllerHost,
    private readonly given: () => Lab | null,
    private readonly events: readonly string[] = ["change"],
    private readonly tell: () => void = () => this.host.requestUpdate(),
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.connected = true;
    this.attach(this.given());
  }

  hostDisconnected(): void {
    this.connected = false;
    this.attach(null);
  }

  hostUpdate(): void {
    if (this.connected) this.attach(this.given());
  }

  private attach(next: Lab | null): void {
    if (next === this.lab) return;
    for (const event of this.events) {
      this.lab?.removeEventListener(event, this.tell);
      next?.addEventListener(event, this.tell);
    }
    this.lab = next;
  }
}
