// Rule: <form-view> shows a document's fields as its form says, and tells which field is to become what.
//
// properties  kind, value (the document, read), readonly       events  field-write {path, value}
import { css, html, LitElement, nothing } from "lit";
import { Localized, t } from "../i18n";
import { asEntries, asList, asNumber, asText, at, formOf, written, type Field, type Path } from "./forms";
import { ICONS } from "./icons";
import { sheet } from "./sheet.css";

export class FormView extends LitElement {
  static override properties = { kind: {}, value: { attribute: false }, readonly: { type: Boolean } };
  declare kind: string;
  declare value: unknown;
  declare readonly: boolean;

  constructor() {
    super();
    this.kind = "";
    this.value = null;
    this.readonly = false;
    new Localized(this);
  }

  protected override render() {
    const form = formOf(this.kind);
    if (form === null) return html`<div class="empty">${t("form.none", { kind: this.kind })}</div>`;
    if (this.value === null) return html`<div class="empty">${t("form.unreadable")}</div>`;
    return html`<fieldset ?disabled=${this.readonly}>${form.map((section) => {
      const fields = section.fields.filter((field) => field.when?.(this.value) !== false);
      return fields.length === 0 ? nothing : html`<section><h3>${t(section.title)}</h3>${fields.map((field) => this.field(field, field.path))}</section>`;
    })}</fieldset>`;
  }

  private field(field: Field, path: Path, short = false): unknown {
    const value = at(this.value, path);
    const label = html`<span class="label">${t(field.label)}</span>`;
    const title = field.field;
    switch (field.kind) {
      case "text":
        return html`<label class="one" title=${title}>${label}<input type="text" autocomplete="off" spellcheck="false" maxlength="400"
          placeholder=${field.placeholder ?? ""} .value=${asText(value)}
          @change=${(event: Event) => this.write(path, written(field, (event.target as HTMLInputElement).value))} /></label>`;
      case "number": {
        const [shown, wrong] = asNumber(value);
        return html`<label class="one" title=${title}>${label}<input type="number" autocomplete="off" min=${field.least} max=${field.most}
          aria-invalid=${wrong === "" ? nothing : "true"} .value=${shown}
          @change=${(event: Event) => this.write(path, written(field, (event.target as HTMLInputElement).value))} />
          ${wrong === "" ? nothing : html`<span class="wrong">${t("form.noNumber", { text: wrong })}</span>`}</label>`;
      }
      case "choice": {
        const now = asText(value) || field.otherwise;
        const options = field.options.includes(now) ? field.options : [...field.options, now];
        return html`<label class="one" title=${title}>${label}<select @change=${(event: Event) => this.write(path, written(field, (event.target as HTMLSelectElement).value))}>
          ${options.map((option) => html`<option value=${option} ?selected=${option === now} .selected=${option === now}>${option || t("form.unset")}</option>`)}</select></label>`;
      }
      case "flag": {
        const now = value === undefined || value === null ? field.otherwise : value === true || value === "true";
        return html`<label class="flag" title=${title}><input type="checkbox" .checked=${now}
          @change=${(event: Event) => this.write(path, written(field, (event.target as HTMLInputElement).checked))} />${label}</label>`;
      }
      case "list":
        return html`<label class="one" title=${title}>${label}<input type="text" autocomplete="off" spellcheck="false" maxlength="2000" placeholder=${field.placeholder ?? ""}
          .value=${asList(value).map(asText).join(", ")} @change=${(event: Event) => this.write(path, written(field, (event.target as HTMLInputElement).value))} /></label>`;
      case "map":
        return short ? nothing : this.map(field, path, asEntries(value));
      case "items":
        return this.items(field, path, asList(value));
    }
  }

  private map(field: Field, path: Path, entries: readonly (readonly [string, string])[]) {
    const put = (index: number, entry: readonly [string, string] | null): void => {
      const next = entries.flatMap((one, number) => (number === index ? (entry === null ? [] : [entry]) : [one]));
      if (index === entries.length && entry !== null) next.push(entry);
      this.write(path, next.length === 0 ? undefined : Object.fromEntries(next));
    };
    return html`<div class="group" title=${field.field} role="group" aria-label=${t(field.label)}><span class="label">${t(field.label)}</span>
      ${[...entries, ["", ""] as const].map(([key, value], index) => html`<span class="pair">
        <input aria-label=${t("form.key")} placeholder=${t("form.key")} autocomplete="off" spellcheck="false" maxlength="317" .value=${key}
          @change=${(event: Event) => { const name = (event.target as HTMLInputElement).value.trim(); put(index, name === "" ? null : [name, value]); }} />
        <input aria-label=${t("form.value")} placeholder=${t("form.value")} autocomplete="off" spellcheck="false" maxlength="200" .value=${value} ?disabled=${key === "" && index === entries.length}
          @change=${(event: Event) => put(index, [key, (event.target as HTMLInputElement).value])} />
        ${index < entries.length ? html`<button class="icon" type="button" aria-label=${t("form.remove", { name: key })} @click=${() => put(index, null)}>${ICONS.close}</button>` : html`<span class="icon"></span>`}
      </span>`)}</div>`;
  }

  private items(field: Extract<Field, { kind: "items" }>, path: Path, items: readonly unknown[]) {
    return html`<div class="group" title=${field.field} role="group" aria-label=${t(field.label)}><span class="label">${t(field.label)}</span>
      ${items.map((_, index) => html`<div class="item">
        ${field.fields.map((inner) => this.field(inner, [...path, index, ...inner.path], true))}
        <button class="icon" type="button" aria-label=${t("form.remove", { name: String(index + 1) })} @click=${() =>
          this.write(path, items.length === 1 ? undefined : items.filter((_one, number) => number !== index))}>${ICONS.close}</button>
      </div>`)}
      <button class="framed add" type="button" @click=${() => this.write([...path, items.length], { ...field.empty })}>+ ${t("form.add")}</button></div>`;
  }

  private write(path: Path, value: unknown): void {
    this.dispatchEvent(new CustomEvent("field-write", { detail: { path, value }, bubbles: true, composed: true }));
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: block;
      }
      fieldset {
        border: 0;
        margin: 0;
        padding: 0;
        min-width: 0;
      }
      section {
        padding: var(--space-2) var(--space-3) var(--space-3);
        border-bottom: 1px solid var(--line);
      }
      h3 {
        font-size: 11px;
        color: var(--ink-3);
        font-weight: 600;
        margin-bottom: 6px;
      }
      .one {
        display: grid;
        grid-template-columns: minmax(5.2rem, 2fr) minmax(0, 3fr);
        gap: 6px;
        align-items: center;
        margin-bottom: 5px;
      }
      .label {
        font-size: 12px;
        line-height: 1.25;
        color: var(--ink-2);
      }
      .wrong {
        grid-column: 2;
        font-size: 11px;
        line-height: 1.3;
        color: var(--vermilion-ink);
        overflow-wrap: anywhere;
      }
      input[aria-invalid] {
        border-color: var(--vermilion);
      }
      .flag {
        display: flex;
        gap: 8px;
        align-items: center;
        margin: 6px 0;
        cursor: pointer;
      }
      input,
      select {
        width: 100%;
        font-size: 12px;
        height: 1.65rem;
      }
      input:not([type="checkbox"]) {
        font-family: var(--mono);
      }
      input[type="checkbox"] {
        width: 1rem;
        height: 1rem;
        flex: none;
      }
      .group {
        margin: 6px 0;
      }
      .pair {
        display: grid;
        grid-template-columns: 1fr 1fr 1.5rem;
        gap: 4px;
        margin-top: 4px;
      }
      .icon {
        width: 1.5rem;
        height: 1.65rem;
        color: var(--ink-3);
      }
      .item {
        position: relative;
        margin-top: 4px;
        padding: 6px 8px 2px;
        border: 1px solid var(--line);
        border-radius: var(--round);
        background: var(--paper);
      }
      .item > .icon {
        position: absolute;
        top: 2px;
        right: 2px;
        background: var(--paper);
        height: 1.4rem;
      }
      .item .one:first-child {
        padding-right: 1.5rem;
      }
      .add {
        margin-top: 6px;
        font-size: 12px;
      }
    `,
  ];
}

customElements.define("form-view", FormView);
