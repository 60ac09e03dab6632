// Rule: <first-hints> says three things in the first minute, one after another, beside the picture; once gone, gone.
import { css, html, LitElement, nothing } from "lit";
import { Localized, t, type Key } from "../i18n";
import { ICONS } from "./icons";
import { sheet } from "./sheet.css";

const HINTS: readonly Key[] = ["hint.walk", "hint.rules", "hint.mode"];
const STORED = "packetwalk.hints";

export class FirstHints extends LitElement {
  static override properties = { at: { state: true } };
  declare private at: number;

  constructor() {
    super();
    this.at = seen() ? HINTS.length : 0;
    new Localized(this);
  }

  protected override render() {
    const hint = HINTS[this.at];
    if (hint === undefined) return nothing;
    const last = this.at === HINTS.length - 1;
    return html`<aside aria-label=${t("hint.label")}><span class="count">${this.at + 1}/${HINTS.length}</span><p>${t(hint)}</p>
      <button class="framed" type="button" @click=${() => this.go(this.at + 1)}>${last ? t("hint.done") : t("hint.next")}</button>
      ${last ? nothing : html`<button class="icon" type="button" aria-label=${t("hint.dismiss")} title=${t("hint.dismiss")} @click=${() => this.go(HINTS.length)}>${ICONS.close}</button>`}</aside>`;
  }

  private go(to: number): void {
    this.at = to;
    if (to < HINTS.length) return;
    try {
      localStorage.setItem(STORED, "seen");
    } catch {
      // a page without storage tells them again
    }
  }

  static override styles = [
    sheet,
    css`
      aside {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding: 5px var(--space-3);
        background: var(--blue-wash);
        border-bottom: 1px solid var(--line);
        font-size: 13px;
        line-height: 1.35;
      }
      p {
        flex: 1;
        text-wrap: pretty;
      }
      .count {
        font-size: 11px;
        color: var(--blue-ink);
        font-variant-numeric: tabular-nums;
      }
      button {
        flex: none;
      }
    `,
  ];
}

function seen(): boolean {
  try {
    return localStorage.getItem(STORED) === "seen";
  } catch {
    return false;
  }
}

customElements.define("first-hints", FirstHints);
