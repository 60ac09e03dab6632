// Rule: <lab-dialog> holds the page's few dialogs: sharing, pasting manifests, help. One at a time; Escape closes it.
import { css, html, LitElement, nothing } from "lit";
import { Localized, language, languageTag, t, type Key } from "../i18n";
import { Refusal } from "../socket";
import type { LabLinks } from "../wire";
import { FollowLab } from "./follow";
import { ICONS } from "./icons";
import { MOST_LETTERS, readFiles } from "./files";
import type { Lab } from "./lab";
import { writeLink } from "./link";
import { says } from "./served";
import { sheet } from "./sheet.css";

export type Kind = "share" | "paste" | "help";
const ROLES = ["viewer", "editor", "owner"] as const;

const KEYS: readonly (readonly [string, Key])[] = [
  ["Space", "help.space"],
  ["← →", "help.arrows"],
  ["Shift ← →", "help.skip"],
  ["Home End", "help.ends"],
  ["1 2 3 4", "help.modes"],
  ["5", "help.compare"],
  ["m k s", "help.views"],
  ["Enter", "help.send"],
  ["/", "help.search"],
  ["Ctrl Z", "help.undo"],
  ["?", "help.help"],
  ["Esc", "help.escape"],
];

export class LabDialog extends LitElement {
  static override properties = {
    lab: { attribute: false },
    kind: { state: true },
    links: { state: true },
    atStep: { state: true },
    copied: { state: true },
    text: { state: true },
    problems: { state: true },
    working: { state: true },
  };
  declare lab: Lab | null;
  declare private kind: Kind | null;
  declare private links: LabLinks | null;
  declare private atStep: boolean;
  declare private copied: string;
  declare private text: string;
  declare private problems: readonly string[];
  declare private working: boolean;

  constructor() {
    super();
    this.lab = null;
    this.kind = null;
    this.links = null;
    this.atStep = false;
    this.copied = "";
    this.text = "";
    this.problems = [];
    this.working = false;
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  async show(kind: Kind, text = ""): Promise<void> {
    this.kind = kind;
    if (kind === "paste") {
      this.text = text;
      this.problems = [];
    }
    await this.updateComplete;
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog?.open === false) dialog.showModal();
    if (kind === "share" && this.lab?.state?.role === "owner" && this.links === null) {
      this.links = await this.lab.api.links().catch(() => null);
    }
  }

  private close(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }

  protected override render() {
    return html`<dialog @close=${() => (this.kind = null)} @click=${(event: Event) => { if ((event.target as Element).localName === "dialog") this.close(); }} aria-labelledby="title">
      ${this.kind === null ? nothing : html`<div class="inside"><div class="head"><h2 id="title">${t(`${this.kind}.title`)}</h2>
        <button class="icon" type="button" aria-label=${t("dialog.close")} @click=${() => this.close()}>${ICONS.close}</button></div>
        ${this.kind === "share" ? this.share() : this.kind === "paste" ? this.paste() : this.help()}</div>`}
    </dialog>`;
  }

  // ---- sharing -------------------------------------------------------------------------------------------

  private share() {
    const lab = this.lab;
    if (lab?.state == null) return nothing;
    const expires = new Date(lab.state.expires);
    const own = location.pathname;
    return html`
      <p>${t("share.text")}</p>
      ${ROLES.map((role) => {
        const link = this.links?.[role] ?? (lab.state!.role === role ? own : null);
        return link === null ? nothing : this.link(role, link);
      })}
      <label class="check"><input type="checkbox" .checked=${this.atStep} ?disabled=${lab.shown === null} @change=${(event: Event) => (this.atStep = (event.target as HTMLInputElement).checked)} />${t("share.atStep")}</label>
      ${Number.isNaN(expires.getTime()) ? nothing : html`<p class="quiet small">${t("share.expires", { date: expires.toLocaleDateString(languageTag(), { dateStyle: "long" }) })}</p>`}
      <p class="more"><a href=${lab.api.labAddress()} download>${t("share.export")}</a>
        <a href=${lab.api.mapAddress(lab.shown, language())} download>${t("share.map")}</a>
        ${lab.shown === null ? nothing : html`<a href=${lab.api.captureAddress(lab.shown)} download>${t("share.capture")}</a>`}
        <a href="/api/v1/docs" target="_blank" rel="noopener">${t("share.api")}</a></p>`;
  }

  private link(role: (typeof ROLES)[number], link: string) {
    const url = new URL(link, location.origin);
    if (this.atStep && this.lab!.shown !== null) url.hash = writeLink({ trace: this.lab!.shown, step: this.lab!.playback.index + 1 });
    return html`<div class="link"><span class="role"><strong>${t(`role.${role}`)}</strong> <span class="quiet small">${t(`role.${role}.can`)}</span></span>
      <input readonly aria-label=${t(`role.${role}`)} .value=${url.href} @focus=${(event: Event) => (event.target as HTMLInputElement).select()} />
      <button class="framed" type="button" @click=${() => void this.copy(role, url.href)}>${this.copied === role ? t("share.copied") : t("share.copy")}</button></div>`;
  }

  private async copy(role: string, text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.copied = role;
      setTimeout(() => (this.copied = ""), 1500);
    } catch {
      this.lab?.say("wrong", [t("lab.noClipboard")]);
    }
  }

  // ---- pasting -------------------------------------------------------------------------------------------

  private paste() {
    return html`<p>${t("paste.text")}</p>
      <textarea class="mono" spellcheck="false" autofocus aria-label=${t("paste.title")} maxlength=${MOST_LETTERS} placeholder=${"apiVersion: v1\nkind: Service\n…\n---\n…"}
        .value=${this.text} @input=${(event: Event) => (this.text = (event.target as HTMLTextAreaElement).value)}></textarea>
      ${this.problems.length === 0 ? nothing : html`<ul class="problems" role="alert">${this.problems.map((problem) => html`<li>${says(problem)}</li>`)}</ul>`}
      <p class="row"><button class="main" type="button" ?disabled=${this.text.trim() === "" || this.working} @click=${() => void this.apply()}>${t("paste.apply")}</button>
        <label class="framed file">${t("paste.file")}<input type="file" multiple accept=".yaml,.yml,.json,text/*" @change=${(event: Event) => void this.files((event.target as HTMLInputElement).files)} /></label>
        <span class="quiet small">${t("paste.hint")}</span></p>`;
  }

  private async files(files: FileList | null): Promise<void> {
    this.text = await readFiles(files);
  }

  private async apply(): Promise<void> {
    const { lab } = this;
    if (lab === null) return;
    this.working = true;
    try {
      await lab.ask({ type: "apply", manifests: this.text }, true);
      this.close();
      this.dispatchEvent(new CustomEvent("applied", { bubbles: true, composed: true }));
    } catch (error) {
      if (error instanceof Refusal && error.problems.length > 0) this.problems = error.problems;
      else lab.complain(error);
    } finally {
      this.working = false;
    }
  }

  // ---- help ----------------------------------------------------------------------------------------------

  private help() {
    return html`<p>${t("help.text")}</p>
      <table><tbody>${KEYS.map(([keys, what]) => html`<tr><th scope="row">${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</th><td>${t(what)}</td></tr>`)}</tbody></table>
      <h3>${t("help.marks")}</h3>
      <ul class="marks"><li><span class="m play">▶</span>${t("help.mark.play")}</li><li><span class="m yes">✓</span>${t("help.mark.yes")}</li>
        <li><span class="m">·</span>${t("help.mark.no")}</li><li><span class="m yes">+</span>${t("help.mark.fresh")}</li></ul>`;
  }

  static override styles = [
    sheet,
    css`
      dialog {
        width: min(40rem, calc(100vw - 1.5rem));
        max-height: calc(100vh - 3rem);
        padding: 0;
        border: 1px solid var(--line-2);
        border-radius: 8px;
        background: var(--sheet);
        color: var(--ink);
        box-shadow: 0 16px 60px rgb(0 0 0 / 0.3);
      }
      dialog::backdrop {
        background: light-dark(rgb(30 28 22 / 0.35), rgb(0 0 0 / 0.6));
      }
      .inside {
        padding: var(--space-3) var(--space-4) var(--space-4);
        display: grid;
        gap: var(--space-3);
        line-height: 1.5;
      }
      .head {
        display: flex;
        justify-content: space-between;
        align-items: center;
      }
      h2 {
        font-size: var(--text-xl);
      }
      .link {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 3px var(--space-2);
      }
      .role {
        grid-column: 1 / 3;
      }
      .link input {
        font-family: var(--mono);
        font-size: 12px;
      }
      .check,
      .row,
      .more {
        display: flex;
        gap: var(--space-2);
        align-items: center;
        flex-wrap: wrap;
      }
      .more {
        gap: var(--space-4);
      }
      a {
        color: var(--blue-ink);
      }
      textarea {
        width: 100%;
        height: min(22rem, 45vh);
        font-size: 12px;
        line-height: 1.5;
        resize: vertical;
        tab-size: 2;
        white-space: pre;
      }
      .problems {
        margin: 0;
        padding: var(--space-2) var(--space-2) var(--space-2) 1.6rem;
        max-height: 9rem;
        overflow: auto;
        background: var(--vermilion-wash);
        border-radius: var(--round);
        font-size: 13px;
        overflow-wrap: anywhere;
      }
      .file {
        border: 1px solid var(--line-2);
        border-radius: var(--round);
        padding: 0.2rem 0.45rem;
        cursor: pointer;
      }
      .file:focus-within {
        outline: 2px solid var(--focus);
      }
      .file input {
        position: absolute;
        width: 1px;
        height: 1px;
        opacity: 0;
      }
      th {
        text-align: left;
        font-weight: 400;
        padding: 2px var(--space-4) 2px 0;
        white-space: nowrap;
      }
      kbd {
        font-family: var(--mono);
        font-size: 12px;
        padding: 0.05rem 0.4rem;
        border: 1px solid var(--line-2);
        border-bottom-width: 2px;
        border-radius: 4px;
        background: var(--wash);
      }
      .marks {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .m {
        display: inline-block;
        width: 1.6rem;
        text-align: center;
        color: var(--ink-3);
      }
      .m.play {
        color: var(--packet-ink);
      }
      .m.yes {
        color: var(--green-ink);
      }
    `,
  ];
}

customElements.define("lab-dialog", LabDialog);
declare global {
  interface HTMLElementTagNameMap {
    "lab-dialog": LabDialog;
  }
}
