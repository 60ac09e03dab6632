// Rule: <choice-box> is a text field that offers what may stand in it. Whatever is typed is taken; the engine judges it.
//
// properties  label, value, choices (read when opened: () => Choice[])     events  choice {value, protocol: of what was picked}
import { css, html, LitElement, nothing } from "lit";
import { Localized, t } from "../i18n";
import { matching, type Choice } from "./complete";
import { sheet } from "./sheet.css";

export class ChoiceBox extends LitElement {
  static override properties = {
    label: {},
    value: {},
    choices: { attribute: false },
    open: { state: true },
    at: { state: true },
    typed: { state: true },
  };
  declare label: string;
  declare value: string;
  declare choices: () => readonly Choice[];
  declare private open: boolean;
  declare private at: number;
  declare private typed: string | null; // null: nothing typed since it was opened: all are offered
  private offered: readonly Choice[] = [];
  private told: string | null = null;

  constructor() {
    super();
    this.label = "";
    this.value = "";
    this.choices = () => [];
    this.open = false;
    this.at = -1;
    this.typed = null;
    new Localized(this);
  }

  override focus(): void {
    this.input?.focus();
  }

  protected override render() {
    if (this.open) this.offered = matching(this.choices(), this.typed ?? "");
    const shown = this.open && this.offered.length > 0;
    return html`
      <input type="text" role="combobox" autocomplete="off" spellcheck="false" maxlength="520" aria-label=${this.label}
        aria-expanded=${shown} aria-controls="list" aria-activedescendant=${shown && this.at >= 0 ? `o${this.at}` : nothing}
        .value=${this.value} @focus=${() => this.show()} @click=${() => this.show()} @blur=${() => this.leave()}
        @input=${(event: Event) => this.type(event)} @keydown=${this.onKey} />
      <ul id="list" role="listbox" class="scrolls" aria-label=${this.label} ?hidden=${!shown}>
        ${this.offered.map((choice, at) => html`
          <li id="o${at}" role="option" aria-selected=${at === this.at} @pointerdown=${(event: Event) => this.pick(event, choice)}>
            <span class="kind ${choice.kind}">${t(`choice.${choice.kind}`)}</span>
            <span class="value">${choice.value}</span><span class="note">${choice.note}</span>
          </li>`)}
      </ul>`;
  }

  private show(): void {
    if (this.open) return;
    this.open = true;
    this.typed = null;
    this.at = -1;
    this.input?.select();
  }

  private leave(): void {
    this.open = false;
    this.commit(this.input?.value ?? this.value);
  }

  private type(event: Event): void {
    this.typed = (event.target as HTMLInputElement).value;
    this.value = this.typed;
    this.open = true;
    this.at = this.typed === "" ? -1 : 0;
  }

  private pick(event: Event, choice: Choice): void {
    event.preventDefault();
    this.take(choice);
  }

  private take(choice: Choice): void {
    this.commit(choice.value, choice.protocol);
    this.open = false;
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp": {
        event.preventDefault();
        if (!this.open) this.show();
        const last = this.offered.length - 1;
        const next = this.at + (event.key === "ArrowDown" ? 1 : -1);
        this.at = next < 0 ? last : next > last ? 0 : next;
        void this.updateComplete.then(() => this.renderRoot.querySelector(`#o${this.at}`)?.scrollIntoView({ block: "nearest" }));
        return;
      }
      case "Enter": {
        const choice = this.offered[this.at];
        if (this.open && choice !== undefined && this.typed !== choice.value) {
          event.preventDefault();
          this.take(choice);
        } else {
          this.commit(this.input?.value ?? "");
          this.open = false;
          this.dispatchEvent(new CustomEvent("enter"));
        }
        return;
      }
      case "Escape":
        if (!this.open) return;
        event.stopPropagation();
        this.open = false;
    }
  };

  private commit(value: string, protocol?: Choice["protocol"]): void {
    if (value === this.value && protocol === undefined && value === this.told) return;
    this.value = this.told = value;
    this.dispatchEvent(new CustomEvent("choice", { detail: { value, protocol } }));
  }

  private get input(): HTMLInputElement | null {
    return this.renderRoot.querySelector("input");
  }

  static override styles = [
    sheet,
    css`
      :host {
        position: relative;
        display: block;
        min-width: 0;
      }
      input {
        width: 100%;
        font-family: var(--mono);
        font-size: 12px;
        height: 1.9rem;
      }
      ul {
        position: absolute;
        z-index: 20;
        top: calc(100% + 2px);
        left: 0;
        min-width: 100%;
        width: max-content;
        max-width: min(30rem, 90vw);
        max-height: 18rem;
        margin: 0;
        padding: 3px;
        list-style: none;
        background: var(--sheet);
        border: 1px solid var(--line-2);
        border-radius: var(--round);
        box-shadow: 0 6px 24px light-dark(rgb(40 36 24 / 0.16), rgb(0 0 0 / 0.5));
      }
      li {
        display: flex;
        gap: var(--space-2);
        align-items: baseline;
        padding: 0.22rem 0.4rem;
        border-radius: 3px;
        cursor: pointer;
        white-space: nowrap;
      }
      li:hover,
      li[aria-selected="true"] {
        background: var(--blue-wash);
      }
      .kind {
        flex: none;
        width: 4.2rem;
        font-size: 11px;
        color: var(--ink-3);
      }
      .kind.service {
        color: var(--service-ink);
      }
      .value {
        font-family: var(--mono);
        font-size: 12px;
      }
      .note {
        margin-left: auto;
        padding-left: 1rem;
        font-size: 11px;
        color: var(--ink-3);
        overflow: hidden;
        text-overflow: ellipsis;
      }
    `,
  ];
}

customElements.define("choice-box", ChoiceBox);
declare global {
  interface HTMLElementTagNameMap {
    "choice-box": ChoiceBox;
  }
}
