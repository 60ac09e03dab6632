// Rule: <yaml-editor> is CodeMirror with YAML, problems at their lines, and fields that light up. Loaded when first needed.
//
// properties  text, problems [{line, words}], readonly, lit (fields)
// events      yaml-change {text}   yaml-hover {field | null}   yaml-apply
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { css, html, LitElement, type PropertyValues } from "lit";
import { served } from "../server-words";
import { fieldAt, spanOf, spansOf, type Problem, type Span } from "./draft";

const MOST_SPANNED = 200_000; // letters; in longer texts fields are not looked for
const setLit = StateEffect.define<readonly { from: number; to: number }[]>();
const litLine = Decoration.line({ class: "cm-lit" });
const litField = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(decorations, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(setLit)) continue;
      const lines = new Set<number>();
      for (const { from, to } of effect.value) {
        const first = transaction.state.doc.lineAt(Math.min(from, transaction.state.doc.length)).number;
        const last = transaction.state.doc.lineAt(Math.min(to, transaction.state.doc.length)).number;
        for (let line = first; line <= Math.min(last, first + 60); line++) lines.add(transaction.state.doc.line(line).from);
      }
      return Decoration.set([...lines].sort((a, b) => a - b).map((at) => litLine.range(at)));
    }
    return decorations.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--blue-ink)" },
  { tag: [tags.string, tags.content], color: "var(--ink)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--orange-ink)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-3)" },
]);

const looks = EditorView.theme({
  "&": { height: "100%", fontSize: "12px", backgroundColor: "var(--sheet)", color: "var(--ink)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", overflow: "auto", scrollbarWidth: "thin" },
  ".cm-gutters": { backgroundColor: "var(--sheet)", color: "var(--ink-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 4px 0 6px", minWidth: "26px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklab, var(--wash), transparent 40%)" },
  ".cm-lit": { backgroundColor: "var(--blue-wash)", boxShadow: "inset 3px 0 0 var(--blue)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused": { outline: "none" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "color-mix(in oklab, var(--blue), transparent 75%) !important" },
  ".cm-panels": { backgroundColor: "var(--wash)", color: "var(--ink)" },
  ".cm-tooltip": { backgroundColor: "var(--sheet)", border: "1px solid var(--line-2)", color: "var(--ink)", maxWidth: "24rem" },
  ".cm-diagnostic": { fontFamily: "var(--prose)", whiteSpace: "pre-wrap" },
});

export class YamlEditor extends LitElement {
  static override properties = {
    text: {},
    problems: { attribute: false },
    readonly: { type: Boolean },
    lit: { attribute: false },
    label: {},
  };
  declare text: string;
  declare problems: readonly Problem[];
  declare readonly: boolean;
  declare lit: readonly string[];
  declare label: string;
  private view: EditorView | null = null;
  private readonly editable = new Compartment();
  private spans: readonly Span[] | null = null;
  private over: string | null = null;

  constructor() {
    super();
    this.text = "";
    this.problems = [];
    this.readonly = false;
    this.lit = [];
    this.label = "YAML";
  }

  override focus(): void {
    this.view?.focus();
  }

  goTo(line: number): void {
    const { view } = this;
    if (view === null || line < 1) return;
    const at = view.state.doc.line(Math.min(line, view.state.doc.lines)).from;
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  }

  protected override render() {
    return html`<div class="here" @mousemove=${this.onMove} @mouseleave=${() => this.onHover(null)}></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (this.view === null) this.begin();
    const view = this.view!;
    if (changed.has("text") && view.state.doc.toString() !== this.text) {
      this.spans = null;
      view.dispatch({ changes: smallest(view.state.doc.toString(), this.text) });
    }
    if (changed.has("readonly")) view.dispatch({ effects: this.editable.reconfigure(this.able()) });
    if (changed.has("problems") || changed.has("text")) view.dispatch(setDiagnostics(view.state, this.diagnostics()));
    if (changed.has("lit")) this.light();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.view?.destroy();
    this.view = null;
  }

  private begin(): void {
    this.view = new EditorView({
      parent: this.renderRoot.querySelector<HTMLElement>(".here")!,
      root: this.renderRoot as ShadowRoot,
      state: EditorState.create({
        doc: this.text,
        extensions: [
          lineNumbers(), lintGutter(), history(), drawSelection(), indentOnInput(), bracketMatching(), highlightActiveLine(),
          highlightSelectionMatches(), search({ top: true }), indentUnit.of("  "), EditorState.tabSize.of(2), yaml(),
          syntaxHighlighting(colours), looks, litField, this.editable.of(this.able()),
          EditorView.contentAttributes.of({ "aria-label": this.label, tabindex: "0" }),
          keymap.of([
            { key: "Mod-Enter", run: () => this.tell("yaml-apply", null) },
            { key: "Escape", run: (view) => { view.contentDOM.blur(); return false; } },
            ...defaultKeymap, ...historyKeymap, ...searchKeymap, // Tab leaves: who has no pointer must get out; Ctrl ] indents
          ]),
          EditorView.updateListener.of((update) => {
            if (!update.docChanged) return;
            this.spans = null;
            const text = update.state.doc.toString();
            if (text !== this.text) {
              this.text = text;
              this.tell("yaml-change", { text });
            }
          }),
        ],
      }),
    });
  }

  private able() {
    return [EditorView.editable.of(!this.readonly), EditorState.readOnly.of(this.readonly)];
  }

  private diagnostics(): Diagnostic[] {
    const doc = this.view!.state.doc;
    return this.problems.map((problem) => {
      const line = doc.line(Math.min(doc.lines, Math.max(1, problem.line)));
      const indent = /^\s*/.exec(line.text)?.[0].length ?? 0;
      const { words, tag } = served(problem.words);
      return { from: line.from + indent, to: line.to, severity: "error", message: words, renderMessage: () => marked(words, tag) };
    });
  }

  private light(): void {
    const spans = this.fields();
    const found = this.lit.flatMap((field) => spanOf(spans, field) ?? []);
    this.view!.dispatch({ effects: setLit.of(found) });
    const first = found[0];
    if (first !== undefined && !this.sees(first.from)) this.view!.dispatch({ effects: EditorView.scrollIntoView(first.from, { y: "center" }) });
  }

  private sees(at: number): boolean {
    const box = this.view!.coordsAtPos(at);
    const frame = this.view!.scrollDOM.getBoundingClientRect();
    return box !== null && box.top >= frame.top && box.bottom <= frame.bottom;
  }

  private fields(): readonly Span[] {
    const text = this.view?.state.doc.toString() ?? "";
    this.spans ??= text.length > MOST_SPANNED ? [] : spansOf(text);
    return this.spans;
  }

  private readonly onMove = (event: MouseEvent): void => {
    const at = this.view?.posAtCoords({ x: event.clientX, y: event.clientY }) ?? null;
    if (at === null) return this.onHover(null);
    const line = this.view!.state.doc.lineAt(at);
    const from = line.from + (/^[\s-]*/.exec(line.text)?.[0].length ?? 0);
    this.onHover(line.text.trim() === "" ? null : fieldAt(this.fields(), Math.max(at, from)));
  };

  private onHover(field: string | null): void {
    if (field === this.over) return;
    this.over = field;
    this.tell("yaml-hover", { field });
  }

  private tell(type: string, detail: unknown): true {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
    return true;
  }

  static override styles = css`
    :host {
      display: block;
      min-height: 0;
      min-width: 0;
      overflow: hidden;
    }
    .here {
      height: 100%;
    }
  `;
}

/** Only what differs between the two is replaced, so the cursor and the marks stay. */
function smallest(old: string, next: string): { from: number; to: number; insert: string } {
  let from = 0;
  while (from < old.length && from < next.length && old[from] === next[from]) from += 1;
  let to = old.length;
  let end = next.length;
  while (to > from && end > from && old[to - 1] === next[end - 1]) {
    to -= 1;
    end -= 1;
  }
  return { from, to, insert: next.slice(from, end) };
}


function marked(words: string, tag: string | null): HTMLElement {
  const span = document.createElement("span");
  span.textContent = words;
  if (tag !== null) span.lang = tag;
  return span;
}

customElements.define("yaml-editor", YamlEditor);
declare global {
  interface HTMLElementTagNameMap {
    "yaml-editor": YamlEditor;
  }
}
