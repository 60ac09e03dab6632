// Rule: <send-bar> says from where to where, and asks for one packet, a look-up first, a burst, or traffic without end.
import { css, html, LitElement, nothing } from "lit";
import { Localized, t } from "../i18n";
import "./choice-box";
import type { ChoiceBox } from "./choice-box";
import { protocolOf, serviceIn, sources, targets } from "./complete";
import { FollowLab } from "./follow";
import type { Ends, Lab } from "./lab";
import { sheet } from "./sheet.css";

const MOST_BURST = 10_000;

export class SendBar extends LitElement {
  static override properties = { lab: { attribute: false }, count: { state: true } };
  declare lab: Lab | null;
  declare private count: number;

  constructor() {
    super();
    this.lab = null;
    this.count = 1000;
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  protected override render() {
    const lab = this.lab;
    const state = lab?.state ?? null;
    if (lab === null || state === null) return nothing;
    const { ends } = lab;
    const off = !lab.canBuild || ends.source.trim() === "" || ends.target.trim() === "";
    const outside = ends.source.trim() !== "" && !state.pods.has(ends.source) && !state.nodes.has(ends.source);
    return html`
      <form aria-label=${t("send.label")} @submit=${(event: Event) => { event.preventDefault(); void lab.send(); }}>
        <span class="word">${t("send.from")}</span>
        <choice-box class="source" .label=${t("send.source")} .value=${ends.source} .choices=${() => sources(state)}
          @choice=${(event: CustomEvent<{ value: string }>) => this.set({ source: event.detail.value })} @enter=${() => this.target?.focus()}></choice-box>
        <button class="icon" type="button" title=${t("send.swap")} aria-label=${t("send.swap")} @click=${() => this.swap()}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M2 5.5h11M10.5 3 13 5.5 10.5 8M14 10.5H3M5.5 8 3 10.5 5.5 13" /></svg></button>
        <span class="word">${t("send.to")}</span>
        <choice-box class="target" .label=${t("send.target")} .value=${ends.target} .choices=${() => targets(state)}
          @choice=${(event: CustomEvent<{ value: string; protocol?: Ends["protocol"] }>) => this.aim(event.detail.value, event.detail.protocol)} @enter=${() => void lab.send()}></choice-box>
        <select class="protocol" aria-label=${t("send.protocol")} title=${t("send.protocol")} @change=${(event: Event) => this.set({ protocol: ((event.target as HTMLSelectElement).value || null) as Ends["protocol"] })}>
          ${["", "tcp", "udp", "sctp"].map((one) => html`<option value=${one} ?selected=${one === (ends.protocol ?? "")}>${one === "" ? t("send.protocol.auto") : one.toUpperCase()}</option>`)}
        </select>
        ${outside ? html`<select class="via" aria-label=${t("send.via")} title=${t("send.via")} @change=${(event: Event) => this.set({ via: (event.target as HTMLSelectElement).value })}>
          <option value="">${t("send.via.any")}</option>
          ${[...state.nodes.keys()].map((node) => html`<option value=${node} ?selected=${node === ends.via}>${t("send.via.node", { node })}</option>`)}
        </select>` : nothing}
        <button class="main" type="submit" ?disabled=${off}>${lab.view === "compare" ? t("send.compare") : t("send.send")}</button>
        <button class="framed dns" type="button" ?disabled=${off || serviceIn(state, ends.target.trim()) === null} title=${t("send.dns.hint")}
          @click=${() => void lab.resolve()}>${t("send.dns")}</button>
        <span class="burst">
          <button class="framed" type="button" ?disabled=${off} title=${t("send.burst.hint")} @click=${() => this.burst()}>${t("send.burst")}</button>
          <input type="number" min="2" max=${MOST_BURST} step="1" .value=${String(this.count)} aria-label=${t("send.burst.count")}
            @change=${(event: Event) => this.setCount((event.target as HTMLInputElement).value)} />
        </span>
        <button class="framed traffic" type="button" aria-pressed=${lab.traffic} ?disabled=${off && !lab.traffic} title=${t("send.traffic.hint")}
          @click=${() => lab.toggleTraffic()}><span class="lamp"></span>${t("send.traffic")}</button>
      </form>`;
  }

  private get target(): ChoiceBox | null {
    return this.renderRoot.querySelector<ChoiceBox>(".target");
  }

  private set(ends: Partial<Ends>): void {
    this.lab?.setEnds(ends);
  }

  /** What was picked says its protocol; the first of a port's is what is meant anyway. */
  private aim(target: string, picked: Ends["protocol"] | undefined): void {
    const protocol = picked === undefined || picked === protocolOf(this.lab!.state!, target) ? null : picked;
    this.set(picked === undefined && target === this.lab!.ends.target ? { target } : { target, protocol });
  }

  private swap(): void {
    const { source, target } = this.lab!.ends;
    this.set({ source: target.replace(/:\d+$/, ""), target: source });
  }

  private setCount(text: string): void {
    const value = Math.round(Number(text));
    this.count = Number.isFinite(value) ? Math.min(MOST_BURST, Math.max(2, value)) : 1000;
    this.requestUpdate();
  }

  private burst(): void {
    this.dispatchEvent(new CustomEvent("burst-sent", { bubbles: true, composed: true }));
    void this.lab!.sendBurst(this.count);
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: block;
      }
      form {
        display: flex;
        align-items: center;
        gap: 6px;
        padding: 5px var(--space-3);
        border-bottom: 1px solid var(--line);
        background: var(--paper);
      }
      .word {
        color: var(--ink-3);
        font-size: var(--text-s);
        flex: none;
      }
      choice-box {
        flex: 1 1 10rem;
        max-width: 19rem;
      }
      button,
      select,
      input {
        height: 1.9rem;
        white-space: nowrap;
        flex: none;
      }
      button.main {
        padding-inline: 1rem;
      }
      .burst {
        display: inline-flex;
        flex: none;
      }
      .burst button {
        border-top-right-radius: 0;
        border-bottom-right-radius: 0;
      }
      .burst input {
        width: 4.6rem;
        border-left: 0;
        border-top-left-radius: 0;
        border-bottom-left-radius: 0;
        font-variant-numeric: tabular-nums;
      }
      .traffic {
        display: inline-flex;
        align-items: center;
        gap: 6px;
      }
      .lamp {
        width: 8px;
        height: 8px;
        border-radius: 50%;
        border: 1.5px solid currentColor;
      }
      [aria-pressed="true"] .lamp {
        background: currentColor;
      }
      @media (max-width: 1180px) {
        form {
          flex-wrap: wrap;
        }
      }
      @media (max-width: 700px) {
        form {
          display: grid;
          grid-template-columns: 2.2rem 1fr 1fr 1.9rem;
        }
        choice-box {
          max-width: none;
        }
        .source {
          grid-column: 2 / 4;
        }
        .target,
        .via,
        .protocol {
          grid-column: 2 / 5;
        }
        button.main,
        .burst {
          grid-column: 1 / 5;
        }
        .burst {
          order: 1;
        }
        .dns {
          grid-column: 1 / 3;
        }
        .traffic {
          grid-column: 3 / 5;
        }
        .burst button,
        .burst input {
          flex: 1;
          width: auto;
        }
        button.framed {
          justify-content: center;
        }
      }
    `,
  ];
}

customElements.define("send-bar", SendBar);
