// Rule: <object-inspector> edits one document, as a form and as YAML, each writing the other; problems stand at their lines.
import { html, LitElement, nothing } from "lit";
import { FetchError } from "../api";
import { Localized, t } from "../i18n";
import { Refusal } from "../socket";
import { readDraft, writeField, type Draft, type Problem } from "./draft";
import { FollowLab } from "./follow";
import "./form-view";
import type { Path } from "./forms";
import { ICONS } from "./icons";
import { inspectorStyle } from "./inspector.css";
import type { Lab } from "./lab";
import { says } from "./served";
import { sheet } from "./sheet.css";
import "./yaml-editor";
import type { YamlEditor } from "./yaml-editor";
import { problemsIn } from "./problems";

const LONGEST_READ = 300_000; // letters; a longer text is edited as YAML alone

export class ObjectInspector extends LitElement {
  static override styles = [sheet, inspectorStyle];
  static override properties = {
    lab: { attribute: false },
    draft: { state: true },
    refused: { state: true },
    tab: { state: true },
  };
  declare lab: Lab | null;
  declare private draft: Draft | null;
  declare private refused: readonly Problem[];
  declare private tab: "both" | "form" | "yaml";
  private key: string | null = null;
  private base = ""; // the document's text when editing began

  constructor() {
    super();
    this.lab = null;
    this.draft = null;
    this.refused = [];
    this.tab = "both";
    new Localized(this);
    new FollowLab(this, () => this.lab, ["change", "hover"]);
  }

  protected override willUpdate(): void {
    const key = this.lab?.selected ?? null;
    const yaml = key === null ? null : (this.lab?.state?.documents.get(key)?.yaml ?? null);
    if (key !== this.key) this.keep();
    if (key !== this.key || (yaml !== null && yaml !== this.base && !this.isDirty)) {
      const kept = key === null || key === this.key ? undefined : this.lab?.drafts.get(key);
      this.key = key;
      this.base = kept?.base ?? yaml ?? "";
      this.draft = yaml === null ? null : read(kept?.text ?? yaml);
      this.refused = [];
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.keep();
    this.key = null;
  }

  /** What was not applied is there again when the document is opened again. */
  private keep(): void {
    if (this.lab === null || this.key === null || this.draft === null) return;
    if (this.isDirty) this.lab.drafts.set(this.key, { base: this.base, text: this.draft.text });
    else this.lab.drafts.delete(this.key);
  }

  private get isDirty(): boolean {
    return this.draft !== null && this.draft.text !== this.base;
  }

  protected override render() {
    const { lab, draft } = this;
    const document = lab?.selected == null ? undefined : lab.state?.documents.get(lab.selected);
    if (lab === null || document === undefined || draft === null) return nothing;
    const readonly = !lab.canBuild;
    const theirs = document.yaml !== this.base;
    const problems = [...draft.problems, ...this.refused];
    return html`
      <header>
        <button class="icon" type="button" title=${t("inspector.close")} aria-label=${t("inspector.close")} @click=${() => lab.select(null)}>${ICONS.back}</button>
        <h2><span class="kind">${document.kind}</span> ${document.namespace === "" ? "" : html`<span class="quiet">${document.namespace}/</span>`}${document.name}</h2>
        <span class="grow"></span>
        <span class="tabs" role="group" aria-label=${t("inspector.views")}>
          <button type="button" aria-pressed=${this.tab !== "yaml"} @click=${() => (this.tab = this.tab === "form" ? "both" : "form")}>${t("inspector.form")}</button>
          <button type="button" aria-pressed=${this.tab !== "form"} @click=${() => (this.tab = this.tab === "yaml" ? "both" : "yaml")}>${t("inspector.yaml")}</button>
        </span>
      </header>
      ${theirs ? html`<p class="banner">${t("inspector.theirs")} <button type="button" @click=${() => this.takeTheirs(document.yaml)}>${t("inspector.theirs.take")}</button></p>` : nothing}
      <div class="sides ${this.tab}">
        ${this.tab === "yaml" ? nothing : html`<form-view class="scrolls" .kind=${document.kind} .value=${draft.value} ?readonly=${readonly}
          @field-write=${(event: CustomEvent<{ path: Path; value: unknown }>) => this.writeField(event.detail)}></form-view>`}
        ${this.tab === "form" ? nothing : html`<yaml-editor .text=${draft.text} .problems=${problems} ?readonly=${readonly} .label=${t("inspector.yaml")}
          .lit=${this.lit()} @yaml-change=${(event: CustomEvent<{ text: string }>) => this.edit(event.detail.text)}
          @yaml-hover=${(event: CustomEvent<{ field: string | null }>) => this.hover(event.detail.field)} @yaml-apply=${() => void this.apply()}></yaml-editor>`}
      </div>
      ${problems.length === 0 ? nothing : html`<ul class="problems scrolls" role="alert">${problems.slice(0, 20).map((problem) => html`<li>
        ${problem.line > 0 ? html`<button type="button" @click=${() => this.editor?.goTo(problem.line)}>${t("inspector.line", { line: problem.line })}</button>` : nothing}
        ${says(problem.words)}</li>`)}</ul>`}
      <footer>
        <button class="main" type="button" ?disabled=${readonly || !this.isDirty || draft.problems.length > 0} title="Ctrl+Enter" @click=${() => void this.apply()}>${t("inspector.apply")}</button>
        <button class="framed" type="button" ?disabled=${!this.isDirty} @click=${() => this.edit(this.base)}>${t("inspector.revert")}</button>
        <span class="quiet small">${readonly ? t("lab.watching") : this.isDirty ? t("inspector.dirty") : ""}</span>
        <span class="grow"></span>
        <button class="framed harm" type="button" ?disabled=${readonly} @click=${() => void this.erase()}>${t("inspector.delete")}</button>
      </footer>`;
  }

  private get editor(): YamlEditor | null {
    return this.renderRoot.querySelector("yaml-editor");
  }

  private lit(): readonly string[] {
    const { hovered, selected } = this.lab!;
    if (hovered === null || hovered.from !== "rules") return NONE;
    const fields = hovered.fields.filter((field) => field.document === selected).map((field) => field.field);
    return same(fields, this.litBefore) ? this.litBefore : (this.litBefore = fields);
  }
  private litBefore: readonly string[] = NONE;

  private hover(field: string | null): void {
    const document = this.lab!.selected;
    this.lab!.hover(field === null || document === null ? null : { from: "yaml", fields: [{ document, field }] });
  }

  private edit(text: string): void {
    this.draft = read(text);
    this.refused = [];
  }

  private writeField({ path, value }: { path: Path; value: unknown }): void {
    if (this.draft === null) return;
    this.edit(writeField(this.draft.text, path, value));
  }

  private takeTheirs(yaml: string): void {
    this.base = yaml;
    this.draft = read(yaml);
    this.refused = [];
  }

  private async apply(): Promise<void> {
    const { draft, lab } = this;
    if (draft === null || lab === null || !this.isDirty || draft.problems.length > 0) return;
    try {
      await lab.ask({ type: "apply", manifests: draft.text }, true);
      this.base = lab.state?.documents.get(lab.selected ?? "")?.yaml ?? draft.text;
      if (this.draft === draft) this.draft = read(this.base);
      this.refused = [];
    } catch (error) {
      if (error instanceof Refusal && error.problems.length > 0) this.refused = problemsIn(error.problems);
      else if (error instanceof FetchError) this.refused = [{ line: 0, words: error.message }];
      else lab.complain(error);
    }
  }

  private async erase(): Promise<void> {
    const { lab } = this;
    const document = lab?.state?.documents.get(lab.selected ?? "");
    if (lab === null || document === undefined) return;
    const { kind, namespace, name } = document;
    if ((await lab.ask({ type: "delete", kind, namespace, name })) !== null) {
      lab.say("said", [t("lab.deleted", { name: document.key })]);
      lab.select(null);
    }
  }
}

const NONE: readonly string[] = [];

function read(text: string): Draft {
  return text.length > LONGEST_READ ? { text, value: null, problems: [] } : readDraft(text);
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, at) => one === b[at]);
}

customElements.define("object-inspector", ObjectInspector);
