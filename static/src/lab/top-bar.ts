// Rule: <top-bar> names the lab and switches what holds for the whole page: the mode, undo, sharing, language, light and dark.
//
// events  lab-dialog Kind
import { css, html, LitElement, nothing } from "lit";
import { language, LANGUAGES, Localized, setLanguage, t, type Language } from "../i18n";
import { FollowLab } from "./follow";
import { ICONS } from "./icons";
import { MODE_KEYS, type Lab } from "./lab";
import type { Kind } from "./lab-dialog";
import { sheet } from "./sheet.css";
import { nextTheme } from "./theme";

export class TopBar extends LitElement {
  static override properties = { lab: { attribute: false } };
  declare lab: Lab | null;

  constructor() {
    super();
    this.lab = null;
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  protected override render() {
    const lab = this.lab;
    const state = lab?.state ?? null;
    return html`<header>
      <a class="brand" href="/" title=${t("top.home")}><svg viewBox="0 0 24 24" aria-hidden="true"><path class="way" d="M2 17h6l4-9h10" /><circle class="dot" cx="8" cy="17" r="2.6" /><circle class="end" cx="19" cy="8" r="2" /></svg><span>Packetwalk</span></a><h1 class="unseen">${state?.title ?? "Packetwalk"}</h1>
      ${lab === null || state === null ? nothing : html`
        <input class="title" aria-label=${t("top.rename")} title=${t("top.rename")} maxlength="120" .value=${state.title} ?readonly=${!lab.canBuild}
          @change=${(event: Event) => this.rename(event.target as HTMLInputElement)} @keydown=${(event: KeyboardEvent) => { if (event.key === "Enter") (event.target as HTMLElement).blur(); }} />
        <div class="modes" role="group" aria-label=${t("top.modes")}>
          ${MODE_KEYS.map((mode, at) => html`<button type="button" aria-pressed=${lab.view !== "compare" && state.mode === mode} ?disabled=${!lab.canBuild && state.mode !== mode}
            title=${t(`top.mode.${mode}`, { key: at + 1 })} @click=${() => void lab.setMode(mode)}>${t(`mode.${mode}`)}</button>`)}
          <button class="compare" type="button" aria-pressed=${lab.view === "compare"} title=${t("top.compare.hint")} @click=${() => lab.look(lab.view === "compare" ? "map" : "compare")}>${t("top.compare")}</button>
        </div>
        <span class="grow"></span>
        <span class="busy" role="status">${lab.busy > 0 ? t("lab.busy") : ""}</span>
        ${state.role === "viewer" ? html`<span class="watching">${t("lab.watching")}</span>` : html`
        <button class="icon" type="button" ?disabled=${!state.canUndo || !lab.canBuild} title=${t("top.undo")} aria-label=${t("top.undo")} @click=${() => void lab.ask({ type: "undo" })}>${ICONS.undo}</button>
        <button class="icon" type="button" ?disabled=${!state.canRedo || !lab.canBuild} title=${t("top.redo")} aria-label=${t("top.redo")} @click=${() => void lab.ask({ type: "redo" })}>${ICONS.redo}</button>`}
        <span class="people" title=${t("top.people", { count: state.people })} aria-label=${t("top.people", { count: state.people })} role="img">${ICONS.people}${state.people}</span>
        <button class="framed share" type="button" @click=${() => this.open("share")}>${ICONS.share}${t("top.share")}</button>`}
      <select class="language" aria-label=${t("player.language")} @change=${(event: Event) => setLanguage((event.target as HTMLSelectElement).value as Language)}>
        ${LANGUAGES.map((one) => html`<option value=${one.id} lang=${one.tag} ?selected=${one.id === language()}>${one.name}</option>`)}</select>
      <button class="icon" type="button" title=${t("top.theme")} aria-label=${t("top.theme")} @click=${nextTheme}>${ICONS.theme}</button>
      <button class="icon" type="button" title=${t("top.help")} aria-label=${t("top.help")} @click=${() => this.open("help")}>${ICONS.help}</button>
    </header>`;
  }

  private rename(input: HTMLInputElement): void {
    const title = input.value.trim();
    const lab = this.lab!;
    if (title === "" || title === lab.state?.title) input.value = lab.state?.title ?? "";
    else void lab.ask({ type: "rename", title });
  }

  private open(kind: Kind): void {
    this.dispatchEvent(new CustomEvent("lab-dialog", { detail: kind, bubbles: true, composed: true }));
  }

  static override styles = [
    sheet,
    css`
      header {
        display: flex;
        align-items: center;
        gap: var(--space-2);
        padding: 5px var(--space-3);
        min-height: 44px;
        background: var(--sheet);
        border-bottom: 1px solid var(--line);
      }
      .brand {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        color: inherit;
        text-decoration: none;
        font-weight: 700;
        letter-spacing: -0.01em;
        flex: none;
      }
      .brand svg {
        width: 24px;
        height: 24px;
      }
      .way {
        fill: none;
        stroke: var(--ink-2);
        stroke-width: 2;
        stroke-linejoin: round;
        stroke-linecap: round;
      }
      .dot {
        fill: var(--packet);
      }
      .end {
        fill: var(--sheet);
        stroke: var(--ink-2);
        stroke-width: 2;
      }
      .title {
        flex: 0 1 9rem;
        border-color: transparent;
        background: none;
        color: var(--ink-2);
        text-overflow: ellipsis;
      }
      .title:hover:not([readonly]),
      .title:focus {
        border-color: var(--line-2);
        background: var(--sheet);
      }
      .modes {
        display: inline-flex;
        flex: none;
        padding: 2px;
        gap: 1px;
        background: var(--wash);
        border: 1px solid var(--line);
        border-radius: 7px;
      }
      .modes button {
        padding: 0.22rem 0.7rem;
        border-radius: 5px;
      }
      .modes button:hover:not(:disabled) {
        background: var(--sheet);
      }
      .modes button[aria-pressed="true"] {
        background: var(--sheet);
        color: var(--ink);
        font-weight: 650;
        box-shadow: 0 0 0 1px var(--line-2);
      }
      .compare {
        margin-left: 6px;
        position: relative;
      }
      .compare::before {
        content: "";
        position: absolute;
        left: -4px;
        top: 4px;
        bottom: 4px;
        width: 1px;
        background: var(--line-2);
      }
      .grow {
        flex: 1;
      }
      .people {
        display: inline-flex;
        align-items: center;
        gap: 4px;
        font-size: 13px;
        color: var(--ink-2);
        font-variant-numeric: tabular-nums;
        padding: 0 4px;
      }
      .people svg,
      .share svg {
        width: 15px;
        height: 15px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.5;
        stroke-linecap: round;
        stroke-linejoin: round;
      }
      .share {
        display: inline-flex;
        align-items: center;
        gap: 5px;
      }
      .busy:not(:empty) {
        font-size: var(--text-s);
        color: var(--ink-3);
        white-space: nowrap;
        animation: late 0.6s step-end;
      }
      @keyframes late {
        from {
          visibility: hidden;
        }
      }
      .watching {
        font-size: var(--text-s);
        color: var(--blue-ink);
        background: var(--blue-wash);
        padding: 2px 8px;
        border-radius: 999px;
        white-space: nowrap;
      }
      .language {
        border-color: transparent;
        background: none;
        font-size: 13px;
      }
      @media (max-width: 900px) {
        header {
          flex-wrap: wrap;
        }
        .modes {
          order: 10;
          flex: 1 1 100%;
          overflow-x: auto;
          scrollbar-width: none;
        }
        .modes button {
          flex: 1 0 auto;
        }
      }
      @media (max-width: 460px) {
        .brand span,
        .share {
          font-size: 0;
          gap: 0;
        }
        .title {
          flex: 1 1 4rem;
        }
        .grow,
        .people {
          display: none;
        }
        header {
          gap: 4px;
          padding-inline: var(--space-2);
        }
        .language {
          width: 5.4rem;
        }
        .modes button {
          padding: 0.22rem 0.36rem;
          font-size: 13px;
        }
      }
    `,
  ];
}

customElements.define("top-bar", TopBar);
