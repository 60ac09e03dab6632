// Rule: <context-menu> offers a menu at a point; keyboard and pointer alike; what is chosen goes out as an event.
//
// methods  show(menu, x, y)      events  lab-action Action
import { css, html, LitElement, nothing } from "lit";
import { Localized, t } from "../i18n";
import type { Item, Menu } from "./menus";
import { sheet } from "./sheet.css";

export class ContextMenu extends LitElement {
  static override properties = { menu: { state: true }, able: { type: Boolean } };
  declare private menu: Menu | null;
  declare able: boolean; // may things be changed?
  private at = { x: 0, y: 0 };
  private returnTo: HTMLElement | null = null;

  constructor() {
    super();
    this.menu = null;
    this.able = false;
    new Localized(this);
  }

  show(menu: Menu, x: number, y: number): void {
    if (menu.length === 0) return;
    this.returnTo = deepFocus();
    this.at = { x, y };
    this.menu = menu;
    addEventListener("pointerdown", this.onOutside, true);
    void this.updateComplete.then(() => this.settle());
  }

  hide(): void {
    if (this.menu === null) return;
    this.menu = null;
    removeEventListener("pointerdown", this.onOutside, true);
    this.returnTo?.focus();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("pointerdown", this.onOutside, true);
  }

  protected override render() {
    if (this.menu === null) return nothing;
    return html`<div class="menu" role="menu" @keydown=${this.onKey}>
      ${this.menu.map((item) => item === "line" ? html`<hr role="separator" />` : html`<button role="menuitem" type="button" class=${item.harm === true ? "harm" : ""}
        ?disabled=${item.builds && !this.able} @click=${() => this.choose(item)}>${t(item.label, item.params ?? {})}</button>`)}
    </div>`;
  }

  private settle(): void {
    const box = this.renderRoot.querySelector<HTMLElement>(".menu");
    if (box === null) return;
    const { width, height } = box.getBoundingClientRect();
    box.style.left = `${Math.max(4, Math.min(this.at.x, innerWidth - width - 4))}px`;
    box.style.top = `${Math.max(4, Math.min(this.at.y, innerHeight - height - 4))}px`;
    this.items()[0]?.focus();
  }

  private items(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>("button:not(:disabled)")];
  }

  private choose(item: Item): void {
    this.hide();
    this.dispatchEvent(new CustomEvent("lab-action", { detail: item.action, bubbles: true, composed: true }));
  }

  private readonly onOutside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.hide();
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    const items = this.items();
    const at = items.indexOf((this.renderRoot as ShadowRoot).activeElement as HTMLElement);
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      this.hide();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      items[(at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length]?.focus();
    }
  };

  static override styles = [
    sheet,
    css`
      .menu {
        position: fixed;
        z-index: 50;
        min-width: 12rem;
        max-width: 22rem;
        padding: 4px;
        background: var(--sheet);
        border: 1px solid var(--line-2);
        border-radius: 6px;
        box-shadow: 0 8px 30px light-dark(rgb(40 36 24 / 0.2), rgb(0 0 0 / 0.55));
        display: grid;
      }
      button {
        text-align: left;
        padding: 0.3rem 0.6rem;
      }
      button:focus-visible,
      button:focus {
        background: var(--blue-wash);
        outline: none;
      }
      .harm {
        color: var(--vermilion-ink);
      }
      hr {
        border: 0;
        border-top: 1px solid var(--line);
        width: 100%;
        margin: 4px 0;
      }
    `,
  ];
}

export function deepFocus(): HTMLElement | null {
  let found = document.activeElement as HTMLElement | null;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement as HTMLElement;
  return found;
}

customElements.define("context-menu", ContextMenu);
declare global {
  interface HTMLElementTagNameMap {
    "context-menu": ContextMenu;
  }
}
