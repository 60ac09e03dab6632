// Rule: when a node's rules are fetched anew: at once after a change, now and then for the hit counters.
import { FetchError, type Api } from "../api";
import { t } from "../i18n";
import type { LabState } from "../state";
import type { RulesView } from "../wire";

const HITS_EVERY = 1500; // ms
const MANY = 4000; // lines; with more, hits alone are not worth fetching them

export class RulesSource {
  view: RulesView | null = null;
  failed: string | null = null;
  private wanted = "";
  private seq = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort: AbortController | null = null;
  private last = 0;

  constructor(private readonly tell: () => void) {}

  want(api: Api, node: string, state: LabState): void {
    const changed = state.history.findLast((told) => told.event.type === "changed")?.seq ?? 0;
    const wanted = `${node} ${state.mode} ${changed}`;
    if (wanted !== this.wanted) {
      if (this.view?.node !== node) this.view = null;
      this.wanted = wanted;
      this.fetch(api, node, state.seq);
    } else if (state.seq !== this.seq && this.timer === undefined && this.abort === null && !this.isLarge()) {
      const wait = Math.max(60, this.last + HITS_EVERY - performance.now());
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.fetch(api, node, state.seq);
      }, wait);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.abort?.abort();
    this.wanted = "";
  }

  private isLarge(): boolean {
    return (this.view?.parts.reduce((sum, part) => sum + part.lines.length, 0) ?? 0) > MANY;
  }

  private fetch(api: Api, node: string, seq: number): void {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    this.seq = seq;
    this.last = performance.now();
    api.rules(node, abort.signal).then(
      (view) => {
        if (abort !== this.abort) return;
        this.abort = null;
        this.view = view;
        this.seq = Math.max(seq, view.seq);
        this.failed = null;
        this.tell();
      },
      (error: unknown) => {
        if (abort !== this.abort || abort.signal.aborted) return;
        this.abort = null;
        this.failed = error instanceof FetchError && error.problems.length > 0 ? error.problems.join(" ") : t("lab.refused.lost");
        this.tell();
      },
    );
  }
}
