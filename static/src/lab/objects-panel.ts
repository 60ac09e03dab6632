// Rule: <objects-panel> is the palette and the tree of the lab's documents. It asks by events; lab-app acts.
//
// events  lab-menu {menu, x, y}    lab-action Action
import { css, html, LitElement, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Localized, t } from "../i18n";
import { BLUEPRINTS, type Blueprint } from "./blueprints";
import { FollowLab } from "./follow";
import { ICONS } from "./icons";
import type { Lab } from "./lab";
import { documentMenu, type Action, type Menu } from "./menus";
import { says } from "./served";
import { sheet } from "./sheet.css";
import { treeOf, type Leaf } from "./tree";

export const DRAGGED = "application/x-packetwalk"; // a blueprint on its way to the map
const MANY = 300; // leaves of one branch that are drawn

export class ObjectsPanel extends LitElement {
  static override properties = { lab: { attribute: false }, search: { state: true } };
  declare lab: Lab | null;
  declare private search: string;

  constructor() {
    super();
    this.lab = null;
    this.search = "";
    new Localized(this);
    new FollowLab(this, () => this.lab);
  }

  protected override render() {
    const lab = this.lab;
    const state = lab?.state ?? null;
    if (lab === null || state === null) return nothing;
    const branches = treeOf(state);
    const many = state.documents.size > 30;
    const words = this.search.toLowerCase();
    return html`
      <div class="palette" role="group" aria-label=${t("palette.label")}>
        ${BLUEPRINTS.map((one) => this.tool(one, lab.canBuild))}
      </div>
      <div class="manifests">
        <button class="framed" type="button" ?disabled=${!lab.canBuild} title=${t("objects.paste.hint")} @click=${() => this.act({ do: "paste" })}>${ICONS.paste}${t("objects.paste")}</button>
        <a href=${lab.api.manifestsAddress()} download title=${t("objects.take.hint")}>${ICONS.take}${t("objects.take")}</a>
      </div>
      ${many ? html`<input type="search" placeholder=${t("objects.search")} aria-label=${t("objects.search")} maxlength="100"
        @input=${(event: Event) => (this.search = (event.target as HTMLInputElement).value)} />` : nothing}
      ${state.notices.length === 0 ? nothing : html`<details class="notices"><summary>${t("objects.notices", { count: state.notices.length })}</summary>
        <ul>${state.notices.slice(0, 20).map((notice) => html`<li>${says(notice)}</li>`)}</ul></details>`}
      <nav class="tree scrolls" aria-label=${t("objects.label")} @keydown=${this.onKey}>
        ${state.documents.size === 0 ? html`<div class="empty"><p><strong>${t("objects.empty")}</strong></p><p>${t("objects.empty.hint")}</p></div>` : nothing}
        ${repeat(branches, (branch) => branch.name, (branch) => {
          const leaves = branch.leaves.filter((leaf) => words === "" || leaf.document.key.toLowerCase().includes(words));
          return leaves.length === 0 ? nothing : html`<h2>${branch.name || t("objects.cluster")}</h2><ul>
            ${repeat(leaves.slice(0, MANY), (leaf) => leaf.document.key, (leaf) => this.leaf(leaf, lab))}
            ${leaves.length > MANY ? html`<li class="quiet small more">${t("objects.more", { count: leaves.length - MANY })}</li>` : nothing}
          </ul>`;
        })}
      </nav>`;
  }

  private tool(blueprint: Blueprint, able: boolean) {
    const name = t(`palette.${blueprint}`);
    return html`<button class="tool" type="button" draggable=${able} ?disabled=${!able} title=${t("palette.hint", { name })}
      @dragstart=${(event: DragEvent) => { event.dataTransfer?.setData(DRAGGED, blueprint); event.dataTransfer!.effectAllowed = "copy"; }}
      @click=${() => this.act({ do: "make", blueprint })}><span class="sign ${blueprint}" aria-hidden="true"></span>${name}</button>`;
  }

  private leaf(leaf: Leaf, lab: Lab) {
    const { document } = leaf;
    const selected = lab.selected === document.key;
    return html`<li class="leaf ${selected ? "selected" : ""}" @contextmenu=${(event: MouseEvent) => this.menu(event, documentMenu(document.key, lab.state!))}>
      <button class="open" type="button" tabindex=${selected ? "0" : "-1"} aria-current=${selected} data-key=${document.key} @click=${() => lab.select(document.key)}><span class="kind" title=${document.kind}>${short(document.kind)}</span><span class="name">${document.name}${lab.drafts.has(document.key) ? html`<span class="draft" title=${t("inspector.dirty")}> •</span>` : nothing}</span>
      <span class="note ${leaf.wrong ? "wrong" : ""}">${leaf.wrong && document.kind === "Service" ? t("objects.noEndpoints") : leaf.note}</span></button>
      <button class="icon dots" type="button" tabindex="-1" aria-label=${t("objects.actions", { name: document.name })}
        @click=${(event: MouseEvent) => this.menu(event, documentMenu(document.key, lab.state!))}>⋯</button>
    </li>`;
  }

  private menu(event: MouseEvent, menu: Menu): void {
    event.preventDefault();
    event.stopPropagation();
    this.dispatchEvent(new CustomEvent("lab-menu", { detail: { menu, x: event.clientX, y: event.clientY }, bubbles: true, composed: true }));
  }

  private act(action: Action): void {
    this.dispatchEvent(new CustomEvent("lab-action", { detail: action, bubbles: true, composed: true }));
  }

  private readonly onKey = (event: KeyboardEvent): void => {
    const leaves = [...this.renderRoot.querySelectorAll<HTMLElement>(".open")];
    const at = leaves.indexOf(event.target as HTMLElement);
    const to = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? at - 1 : event.key === "Home" ? 0 : event.key === "End" ? leaves.length - 1 : null;
    if (to !== null) {
      event.preventDefault();
      event.stopPropagation();
      leaves[Math.min(leaves.length - 1, Math.max(0, to))]?.focus();
    } else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) {
      const box = leaves[at]?.getBoundingClientRect();
      if (box === undefined) return;
      event.preventDefault();
      const menu = documentMenu(leaves[at]!.dataset["key"] ?? "", this.lab!.state!);
      this.dispatchEvent(new CustomEvent("lab-menu", { detail: { menu, x: box.left + 20, y: box.bottom }, bubbles: true, composed: true }));
    }
  };

  protected override updated(): void {
    const leaves = [...this.renderRoot.querySelectorAll<HTMLElement>(".open")];
    if (leaves.length > 0 && !leaves.some((leaf) => leaf.tabIndex === 0)) leaves[0]!.tabIndex = 0;
  }

  static override styles = [
    sheet,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .palette {
        display: grid;
        grid-template-columns: minmax(0, 6fr) minmax(0, 7fr);
        gap: 4px;
        padding: var(--space-2) var(--space-3) 4px;
      }
      .tool {
        display: flex;
        align-items: center;
        gap: 6px;
        border: 1px dashed var(--line-2);
        background: var(--sheet);
        cursor: grab;
        font-size: 12.5px;
        gap: 5px;
        padding-inline: 5px;
        white-space: nowrap;
      }
      .tool:disabled {
        cursor: default;
      }
      .sign {
        width: 14px;
        height: 11px;
        border: 1.5px solid var(--ink-2);
        border-radius: 2px;
        flex: none;
      }
      .sign.service {
        border-color: var(--service);
        border-radius: 6px;
      }
      .sign.deployment {
        box-shadow: 2px -2px 0 -0.5px var(--sheet), 2px -2px 0 0.8px var(--ink-2);
        width: 12px;
        margin-right: 2px;
      }
      .sign.node {
        height: 13px;
        border-bottom-width: 4px;
      }
      .manifests {
        display: grid;
        grid-template-columns: minmax(0, 6fr) minmax(0, 7fr);
        gap: 4px;
        padding: 0 var(--space-3) var(--space-2);
        border-bottom: 1px solid var(--line);
      }
      .manifests > * {
        display: inline-flex;
        align-items: center;
        gap: 6px;
        font-size: 13px;
        white-space: nowrap;
      }
      .manifests svg {
        width: 14px;
        height: 14px;
        fill: none;
        stroke: currentColor;
        stroke-width: 1.6;
        stroke-linecap: round;
        stroke-linejoin: round;
        flex: none;
      }
      .manifests a {
        color: inherit;
        text-decoration: none;
        border: 1px solid var(--line-2);
        border-radius: var(--round);
        background: var(--sheet);
        padding: 0.2rem 0.45rem;
      }
      .manifests a:hover {
        background: var(--wash);
      }
      input[type="search"] {
        margin: var(--space-2) var(--space-3) 0;
      }
      .notices {
        margin: var(--space-2) var(--space-3) 0;
        padding: 2px var(--space-2);
        background: var(--orange-wash);
        color: var(--orange-ink);
        border-radius: var(--round);
        font-size: var(--text-s);
        max-height: 9rem;
        overflow: auto;
      }
      .notices ul {
        margin: 4px 0;
        padding-left: 1.1rem;
      }
      .tree {
        flex: 1;
        min-height: 5rem;
        padding: 4px 0 var(--space-2);
      }
      h2 {
        padding: 6px var(--space-3) 2px;
        font-size: 11px;
        font-weight: 600;
        color: var(--ink-3);
      }
      ul {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .notices ul {
        list-style: disc;
      }
      .leaf {
        position: relative;
      }
      .open {
        display: grid;
        grid-template-columns: 2.6rem minmax(0, 1fr) auto;
        align-items: center;
        gap: 6px;
        width: 100%;
        padding: 0 4px 0 var(--space-3);
        height: 26px;
        text-align: left;
        border: 0;
        border-radius: 0;
      }
      .leaf:hover,
      .leaf:focus-within {
        background: var(--wash);
      }
      .leaf.selected .open {
        background: var(--blue-wash);
        box-shadow: inset 3px 0 0 var(--blue);
      }
      .open:focus-visible {
        outline-offset: -2px;
      }
      .kind {
        font-size: 10.5px;
        color: var(--ink-3);
        overflow: hidden;
        text-overflow: ellipsis;
      }
      .name {
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .draft {
        color: var(--orange-ink);
      }
      .note {
        font-family: var(--mono);
        font-size: 10.5px;
        color: var(--ink-3);
        padding-right: var(--space-2);
        white-space: nowrap;
      }
      .note.wrong {
        color: var(--vermilion-ink);
      }
      .dots {
        position: absolute;
        right: 4px;
        top: 1px;
        width: 24px;
        height: 24px;
        background: var(--sheet);
        border-color: var(--line);
        opacity: 0;
      }
      .leaf:hover .dots,
      .leaf:focus-within .dots {
        opacity: 1;
      }
      @media (hover: none) {
        .dots {
          opacity: 1;
        }
        .note {
          padding-right: 28px;
        }
      }
      .more {
        padding: 2px var(--space-3);
      }
    `,
  ];
}

const SHORT: Readonly<Record<string, string>> = {
  Deployment: "deploy",
  Service: "svc",
  Namespace: "ns",
  KubeProxyConfiguration: "proxy",
  StatefulSet: "sts",
  DaemonSet: "ds",
  ReplicaSet: "rs",
  EndpointSlice: "slice",
  Endpoints: "ep",
  ConfigMap: "cm",
  FlowTest: "test",
  ServiceCIDR: "cidr",
};

/** As kubectl abbreviates it. */
function short(kind: string): string {
  return SHORT[kind] ?? kind.toLowerCase();
}

customElements.define("objects-panel", ObjectsPanel);
