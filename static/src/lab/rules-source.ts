// Rule: when a node's rules are fetched anew: at once after a change, now and then for the hit counters and conntrack.
import { FetchError, type Api } from "../api";
import { t } from "../i18n";
import type { LabState, Told } from "../state";
import type { KernelView, RulesView } from "../wire";
import { patchedRules, withKernel } from "./patched-rules";

const HITS_EVERY = 1500; // ms
const MANY = 4000; // lines; with more, hits alone are not worth fetching them

const MOST_KEPT = 3; // nodes

interface Kept {
  readonly wanted: string;
  readonly seq: number;
  readonly rules: RulesView;
  readonly kernel: KernelView;
}

export class RulesSource {
  view: RulesView | null = null; // rules, and below them what the kernel holds
  failed: string | null = null;
  private rules: RulesView | null = null;
  private kernel: KernelView | null = null;
  private readonly kept = new Map<string, Kept>(); // by node, the latest last
  private wanted = "";
  private seq = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private abort: AbortController | null = null;
  private last = 0;

  constructor(private readonly tell: () => void) {}

  want(api: Api, node: string, state: LabState): void {
    const changed = state.history.findLast((told) => told.event.type === "changed");
    const wanted = `${node} ${state.mode} ${changed?.seq ?? 0}`;
    if (wanted !== this.wanted) {
      this.wanted = wanted;
      clearTimeout(this.timer); // it would fetch what was wanted before
      this.timer = undefined;
      if (this.takeKept(node)) return;
      this.take(node, state, changed);
      this.fetch(api, node, state.seq);
    } else if (state.seq !== this.seq && this.timer === undefined && this.abort === null) {
      const wait = Math.max(60, this.last + HITS_EVERY - performance.now());
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.fetch(api, node, state.seq, this.isLarge());
      }, wait);
    }
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.abort?.abort();
    this.wanted = "";
  }

  /** A node that the walk comes back to, with nothing changed since, stands there at once. */
  private takeKept(node: string): boolean {
    const kept = this.kept.get(node);
    if (kept === undefined || kept.wanted !== this.wanted) return false;
    this.abort?.abort();
    this.abort = null;
    this.failed = null;
    this.seq = kept.seq;
    this.put(kept.rules, kept.kernel);
    return true;
  }

  private keep(kept: Kept): void {
    this.kept.delete(kept.rules.node);
    this.kept.set(kept.rules.node, kept);
    if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value!);
  }

  /** What a change told of this node stands on the screen before its whole text has come. */
  private take(node: string, state: LabState, changed: Told | undefined): void {
    const { rules } = this;
    if (rules === null || rules.node !== node || rules.mode !== state.mode) {
      this.rules = this.kernel = this.view = null;
      return;
    }
    if (changed === undefined || changed.event.type !== "changed" || changed.seq <= rules.seq) return;
    const stage = changed.event.stages.find((one) => one.actor === "kube-proxy" && one.place === node);
    if (stage !== undefined) this.put(patchedRules(rules, stage, changed.seq), this.kernel);
  }

  private put(rules: RulesView, kernel: KernelView | null): void {
    this.rules = rules;
    this.kernel = kernel;
    this.view = withKernel(rules, kernel);
  }

  private isLarge(): boolean {
    return (this.rules?.parts.reduce((sum, part) => sum + part.lines.length, 0) ?? 0) > MANY;
  }

  private fetch(api: Api, node: string, seq: number, kernelAlone = false): void {
    this.abort?.abort();
    const abort = (this.abort = new AbortController());
    const { wanted } = this;
    this.seq = seq;
    this.last = performance.now();
    const rules = kernelAlone && this.rules !== null ? Promise.resolve(this.rules) : api.rules(node, abort.signal);
    Promise.all([rules, api.kernel(node, abort.signal)]).then(
      ([view, kernel]) => {
        if (abort !== this.abort) return;
        this.abort = null;
        this.put(view, kernel);
        this.seq = Math.max(seq, view.seq);
        this.keep({ wanted, seq: this.seq, rules: view, kernel });
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
