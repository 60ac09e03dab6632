// Rule: <packet-lab token> is the page. It lays the regions out, sends keys, menus and drops where they belong; one Lab behind all.
import { html, LitElement, nothing } from "lit";
import "../elements/cluster-map";
import "../elements/kernel-view";
import "../elements/packet-panel";
import "../elements/steps-table";
import "../elements/time-line";
import type { ClusterMap } from "../elements/cluster-map";
import { Localized, t } from "../i18n";
import type { Thing } from "../render/map";
import type { Origin } from "../trace";
import { fieldOfOrigin } from "./blame";
import { homeOf, make, type Blueprint } from "./blueprints";
import "./change-log";
import "./context-menu";
import { FollowLab } from "./follow";
import "./hints";
import { ICONS } from "./icons";
import { belongsTo, wishOf } from "./keys";
import { Lab, type View } from "./lab";
import { labStyle } from "./packet-lab.css";
import { readFiles } from "./files";
import type { Kind } from "./lab-dialog";
import { menuOf, type Action, type Menu } from "./menus";
import { DRAGGED } from "./objects-panel";
import { endedPage, toasts } from "./notes";
import "./rules-panel";
import "./said-aloud";
import "./send-bar";
import { sheet } from "./sheet.css";
import "./top-bar";

type Side = "objects" | "log" | "odds";
const VIEWS: readonly Exclude<View, "compare">[] = ["map", "kernel", "steps"];
const SIDES: readonly Side[] = ["objects", "log", "odds"];

export class PacketLab extends LitElement {
  static override styles = [sheet, labStyle];
  static override properties = {
    token: {},
    lab: { state: true },
    side: { state: true },
    folded: { state: true },
    dropping: { state: true },
    wait: { state: true },
  };
  declare token: string;
  declare private lab: Lab | null;
  declare private side: Side;
  declare private folded: boolean; // the left panel, where there is little room
  declare private dropping: boolean;
  declare private wait: number; // seconds to the next attempt
  private counting: ReturnType<typeof setInterval> | undefined;
  private asked = new Set<string>();

  constructor() {
    super();
    this.token = "";
    this.lab = null;
    this.side = "objects";
    this.folded = matchMedia("(max-width: 900px)").matches;
    this.dropping = false;
    this.wait = 0;
    new Localized(this);
    new FollowLab(this, () => this.lab, ["change"], () => this.onChange());
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const url = new URL(`/ws/lab/${encodeURIComponent(this.token)}`, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    this.lab = new Lab(this.token, url.href);
    this.lab.socket.start();
    addEventListener("keydown", this.onKey);
    addEventListener("hashchange", this.onHash);
    addEventListener("online", this.onOnline);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.lab?.socket.stop();
    clearInterval(this.counting);
    removeEventListener("keydown", this.onKey);
    removeEventListener("hashchange", this.onHash);
    removeEventListener("online", this.onOnline);
  }

  private onChange(): void {
    const { lab } = this;
    if (lab?.state != null) document.title = `${lab.state.title} · Packetwalk`;
    if (lab?.selected != null) this.need("inspector");
    this.countDown();
    this.requestUpdate();
  }

  // ---- drawing -------------------------------------------------------------------------------------------

  protected override render() {
    const { lab } = this;
    if (lab === null) return nothing;
    if (lab.connection.state === "ended") return endedPage(lab.connection.reason);
    if (lab.state === null) return html`<top-bar .lab=${lab} @lab-dialog=${this.onDialog}></top-bar><div class="loading" role="status">${this.connecting(lab) ?? t("lab.loading")}</div>${this.dialog(lab)}`;
    const inspecting = lab.selected !== null;
    return html`
      <div class="lab ${inspecting ? "inspecting" : ""} ${this.folded ? "folded" : ""} ${lab.view}" @lab-action=${this.onAction} @lab-menu=${this.onMenu}
        @lab-dialog=${this.onDialog} @burst-sent=${() => this.showSide("odds")} @applied=${() => this.showSide("log")}
        @dragover=${this.onDragOver} @dragleave=${this.onDragLeave} @drop=${this.onDrop}>
        <top-bar .lab=${lab}></top-bar>
        ${this.connecting(lab) === null ? nothing : html`<p class="lost" role="status">${this.connecting(lab)} <button class="framed" type="button" @click=${() => lab.socket.retry()}>${t("lab.retry")}</button></p>`}
        <send-bar .lab=${lab}></send-bar>
        <section class="left" aria-label=${t("lab.left")}>${this.left(lab)}</section>
        <main aria-label=${t("lab.picture")}>${this.centre(lab)}</main>
        <section class="right" aria-label=${t("rules.title")}><rules-panel .lab=${lab}></rules-panel></section>
        <section class="bottom" aria-label=${t("panel.label")}>
          <time-line .playback=${lab.playback}></time-line>
          <packet-panel compact .playback=${lab.playback} @panel-origin=${(event: CustomEvent<Origin>) => this.openOrigin(event.detail)}></packet-panel>
        </section>
        ${this.dropping ? html`<div class="drop" aria-hidden="true">${t("lab.drop")}</div>` : nothing}
        <context-menu ?able=${lab.canBuild}></context-menu>
      </div>
      ${toasts(lab)}<said-aloud .playback=${lab.playback}></said-aloud>${this.dialog(lab)}`;
  }

  private left(lab: Lab) {
    if (lab.selected !== null && this.asked.has("inspector")) return html`<object-inspector .lab=${lab}></object-inspector>`;
    return html`
      <div class="tabs"><div role="tablist" aria-label=${t("lab.left")}>
        ${SIDES.map((side) => html`<button role="tab" type="button" aria-selected=${!this.folded && side === this.side} @click=${() => this.showSide(side)}>${t(`side.${side}`)}</button>`)}</div>
        <button class="icon fold" type="button" aria-expanded=${!this.folded} title=${t("lab.fold")} aria-label=${t("lab.fold")} @click=${() => (this.folded = !this.folded)}>${ICONS.back}</button>
      </div>
      ${this.folded ? nothing : this.side === "objects" ? html`<objects-panel .lab=${lab}></objects-panel>` :
        this.side === "log" ? html`<change-log .lab=${lab}></change-log>` : this.asked.has("odds") ? html`<odds-panel .lab=${lab}></odds-panel>` : nothing}`;
  }

  private centre(lab: Lab) {
    if (lab.view === "compare") {
      this.need("compare");
      return html`<compare-lanes .lab=${lab}></compare-lanes>`;
    }
    return html`
      ${lab.state!.traces.length === 0 ? nothing : html`<first-hints></first-hints>`}
      <div class="views"><div role="tablist" aria-label=${t("player.views")}>
        ${VIEWS.map((view) => html`<button role="tab" type="button" aria-selected=${lab.view === view} title=${t(`lab.view.${view}.hint`)} @click=${() => lab.look(view)}>${t(view === "steps" ? "player.view.table" : `player.view.${view}`)}</button>`)}</div>
        <span class="grow"></span>${this.verdict(lab)}
      </div>
      ${lab.view === "map" ? html`<cluster-map choosing .cluster=${this.clusterOf(lab)} .playback=${lab.playback} .hosts=${NO_HOSTS} .flights=${lab.flights}
          @map-select=${(event: CustomEvent<Thing>) => this.onThing(event.detail)} @map-send=${(event: CustomEvent<{ source: Thing; target: Thing }>) => this.onSend(event.detail)}
          @map-enter=${(event: CustomEvent<{ node: string }>) => lab.enter(event.detail.node)} @map-menu=${this.onMapMenu}></cluster-map>` :
        lab.view === "kernel" ? html`<kernel-view .playback=${lab.playback} .place=${this.kernelPlace(lab)}></kernel-view>` :
        html`<steps-table .playback=${lab.playback}></steps-table>`}`;
  }

  private known: { state: unknown; cluster: ReturnType<Lab["cluster"]> } = { state: null, cluster: null };

  /** The same value for as long as nothing in it has changed, so that the map is not drawn anew. */
  private clusterOf(lab: Lab): ReturnType<Lab["cluster"]> {
    const { nodes, pods, services } = lab.state!;
    const was = this.known.state as { nodes: unknown; pods: unknown; services: unknown } | null;
    if (was?.nodes !== nodes || was.pods !== pods || was.services !== services) this.known = { state: { nodes, pods, services }, cluster: lab.cluster() };
    return this.known.cluster;
  }

  private kernelPlace(lab: Lab): string {
    return lab.nodePinned ? (lab.node ?? "") : "";
  }

  private verdict(lab: Lab) {
    const shown = lab.summary;
    if (shown === null) return nothing;
    return html`<span class="flow" title="${shown.source} → ${shown.target}">${shown.source} → ${shown.target}</span>
      <span class="badge ${shown.disposition}">${shown.disposition === "delivered" ? "✓" : "✗"} ${t(`outcome.${shown.disposition as "delivered"}`)}</span>`;
  }

  private dialog(lab: Lab) {
    return this.asked.has("dialog") ? html`<lab-dialog .lab=${lab} @applied=${() => this.showSide("log")}></lab-dialog>` : nothing;
  }

  // ---- connection ----------------------------------------------------------------------------------------

  private connecting(lab: Lab): string | null {
    const { connection } = lab;
    if (connection.state === "waiting") return t("lab.lost", { seconds: Math.max(1, this.wait) });
    return connection.state === "connecting" && connection.attempt > 0 ? t("lab.reconnecting") : null;
  }

  private countDown(): void {
    const { connection } = this.lab!;
    clearInterval(this.counting);
    if (connection.state !== "waiting") return;
    const until = performance.now() + connection.wait;
    this.wait = Math.ceil(connection.wait / 1000);
    this.counting = setInterval(() => (this.wait = Math.max(0, Math.ceil((until - performance.now()) / 1000))), 500);
  }

  private readonly onOnline = (): void => this.lab?.socket.retry();

  // ---- parts that are loaded when first needed -----------------------------------------------------------

  private need(what: "inspector" | "odds" | "compare" | "dialog"): Promise<unknown> {
    if (this.asked.has(what)) return Promise.resolve();
    const loaded = { inspector: () => import("./inspector"), odds: () => import("./odds-panel"), compare: () => import("./compare-lanes"), dialog: () => import("./lab-dialog") }[what]();
    return loaded.then(
      () => {
        this.asked.add(what);
        this.requestUpdate();
      },
      (error: unknown) => this.lab?.complain(error),
    );
  }

  private showSide(side: Side): void {
    if (side === "odds") void this.need("odds");
    this.side = side;
    this.folded = false;
    if (this.lab?.selected != null) this.lab.select(null);
  }

  private readonly onDialog = (event: CustomEvent<Kind>): void => void this.openDialog(event.detail);

  private async openDialog(kind: Kind, text = ""): Promise<void> {
    await this.need("dialog");
    await this.updateComplete;
    await this.renderRoot.querySelector("lab-dialog")?.show(kind, text);
  }

  // ---- what is done --------------------------------------------------------------------------------------

  private readonly onAction = (event: CustomEvent<Action>): void => this.act(event.detail);

  private act(action: Action): void {
    const lab = this.lab!;
    switch (action.do) {
      case "ask":
        void lab.ask(action.command);
        return;
      case "make":
        void this.make(action.blueprint, action.node, action.app);
        return;
      case "open":
        lab.select(action.key);
        return;
      case "source":
        lab.setEnds({ source: action.place });
        return;
      case "target":
        lab.setEnds({ target: action.place, protocol: null });
        void lab.send();
        return;
      case "enter":
        lab.enter(action.node);
        return;
      case "rules":
        lab.showRulesOf(action.node, true);
        return;
      case "filter":
        this.renderRoot.querySelector("rules-panel")?.filterBy(action.service);
        return;
      case "paste":
        void this.openDialog("paste");
    }
  }

  private async make(blueprint: Blueprint, node?: string, app?: string): Promise<void> {
    const lab = this.lab!;
    const made = make(blueprint, lab.state!, { namespace: homeOf(lab.state!), ...(node === undefined ? {} : { node }), ...(app === undefined ? {} : { app }) });
    if ((await lab.ask({ type: "apply", manifests: made.manifest })) !== null) lab.select(made.key);
  }

  private onThing(thing: Thing): void {
    const lab = this.lab!;
    const { documents, pods } = lab.state!;
    if (thing.kind === "node") lab.showRulesOf(thing.id, true);
    // A click chooses the ends of a flow first; a Service alone opens, and what is open follows.
    if (lab.selected === null && thing.kind !== "service") return;
    const key = thing.kind === "service" ? thing.id : thing.kind === "node" ? `Node ${thing.id}` : (pods.get(thing.id)?.owner ?? "");
    if (!documents.has(key)) return;
    this.opening = key;
    queueMicrotask(() => {
      if (this.opening !== null) lab.select(this.opening);
      this.opening = null;
    });
  }
  private opening: string | null = null;

  private onSend({ source, target }: { source: Thing; target: Thing }): void {
    const lab = this.lab!;
    this.opening = null; // it was the second of two ends
    const menu = menuOf(target, lab.state!).find((item) => item !== "line" && item.action.do === "target");
    const to = menu !== undefined && menu !== "line" && menu.action.do === "target" ? menu.action.place : this.addressOf(target);
    lab.setEnds({ source: source.id, target: to, protocol: null });
    void lab.send();
  }

  private addressOf(thing: Thing): string {
    const port = [...this.lab!.state!.services.values()].flatMap((service) => service.ports).find((one) => one.node_port > 0)?.node_port;
    const address = thing.kind === "node" ? (this.lab!.state!.nodes.get(thing.id)?.addresses[0] ?? thing.id) : thing.id;
    return port === undefined || thing.kind !== "node" ? address : `${address}:${port}`;
  }

  private openOrigin(origin: Origin): void {
    const lab = this.lab!;
    const field = fieldOfOrigin(origin, lab.state!);
    if (field === null) return;
    lab.select(field.document);
    lab.hover({ from: "rules", fields: [field] });
  }

  private readonly onMenu = (event: CustomEvent<{ menu: Menu; x: number; y: number }>): void => {
    this.renderRoot.querySelector("context-menu")?.show(event.detail.menu, event.detail.x, event.detail.y);
  };

  private readonly onMapMenu = (event: CustomEvent<{ thing: Thing | null; x: number; y: number }>): void => {
    event.preventDefault();
    const { thing, x, y } = event.detail;
    this.renderRoot.querySelector("context-menu")?.show(menuOf(thing, this.lab!.state!), x, y);
  };

  // ---- drag and drop -------------------------------------------------------------------------------------

  private readonly onDragOver = (event: DragEvent): void => {
    const types = event.dataTransfer?.types ?? [];
    const files = types.includes("Files");
    if ((!files && !types.includes(DRAGGED)) || !this.lab!.canBuild) return;
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = "copy";
    this.dropping = files;
  };

  private readonly onDragLeave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.dropping = false;
  };

  private readonly onDrop = (event: DragEvent): void => {
    this.dropping = false;
    const { dataTransfer } = event;
    if (dataTransfer === null || !this.lab!.canBuild) return;
    const blueprint = dataTransfer.getData(DRAGGED) as Blueprint | "";
    if (blueprint !== "") {
      event.preventDefault();
      const map = this.renderRoot.querySelector<ClusterMap>("cluster-map");
      const thing = map?.thingAt(event.clientX, event.clientY) ?? null;
      if (map !== null && event.composedPath().includes(map)) void this.make(blueprint, thing?.kind === "node" ? thing.id : undefined);
    } else if (dataTransfer.files.length > 0) {
      event.preventDefault();
      void readFiles([...dataTransfer.files]).then((text) => this.openDialog("paste", text));
    }
  };

  // ---- keys ----------------------------------------------------------------------------------------------

  private readonly onKey = (event: KeyboardEvent): void => {
    const { lab } = this;
    const target = event.composedPath()[0];
    if (lab?.state == null || event.defaultPrevented || event.isComposing) return;
    const element = target instanceof Element ? target : null;
    if (belongsTo(element, event.key) || element?.getRootNode() instanceof ShadowRoot && inEditor(event)) return;
    const wish = wishOf(event);
    if (wish === null) return;
    if (this.grant(wish, event)) event.preventDefault();
  };

  private grant(wish: NonNullable<ReturnType<typeof wishOf>>, event: KeyboardEvent): boolean {
    const lab = this.lab!;
    switch (wish.do) {
      case "play":
        return lab.playback.key(event);
      case "mode":
        if (lab.canBuild) void lab.setMode(wish.mode);
        return true;
      case "view":
        lab.look(wish.view);
        return true;
      case "search":
        this.renderRoot.querySelector("rules-panel")?.focusSearch();
        return true;
      case "help":
        void this.openDialog("help");
        return true;
      case "undo":
      case "redo":
        if (lab.canBuild) void lab.ask({ type: wish.do });
        return true;
      case "send":
        if (lab.canBuild) void lab.send();
        return true;
      case "escape":
        if (lab.selected !== null) lab.select(null);
        return lab.selected !== null;
    }
  }

  private readonly onHash = (): void => {
    this.lab?.followLink();
  };
}

const NO_HOSTS: readonly string[] = [];

function inEditor(event: Event): boolean {
  return event.composedPath().some((one) => one instanceof Element && one.localName === "yaml-editor");
}

customElements.define("packet-lab", PacketLab);
