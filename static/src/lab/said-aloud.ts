// Rule: <said-aloud> tells screen readers the step's sentence: each step while paused, what matters while playing.
import { css, html, LitElement } from "lit";
import { Localized } from "../i18n";
import { Follow, type Playback } from "../playback";
import { momentSentence } from "../sentences";

export class SaidAloud extends LitElement {
  static override properties = { playback: { attribute: false } };
  declare playback: Playback | null;
  private said = "";

  constructor() {
    super();
    this.playback = null;
    new Localized(this);
    new Follow(this, () => this.playback, ["load", "moment", "state"]);
  }

  protected override render() {
    const timeline = this.playback?.timeline ?? null;
    const moment = this.playback?.moment ?? null;
    if (timeline === null || moment === null) this.said = "";
    else if (this.playback?.playing !== true || moment.interesting) this.said = momentSentence(timeline, moment);
    return html`<p aria-live="polite">${this.said}</p>`;
  }

  static override styles = css`
    p {
      position: absolute;
      bottom: 0; /* within the page: below it, it would make the page scroll */
      width: 1px;
      height: 1px;
      margin: 0;
      overflow: hidden;
      clip-path: inset(50%);
      white-space: nowrap;
    }
  `;
}

customElements.define("said-aloud", SaidAloud);
