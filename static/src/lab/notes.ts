// Rule: what the page says of itself: short notes at its foot, and the last page of a lab that is closed.
import { html, type TemplateResult } from "lit";
import { t } from "../i18n";
import { ICONS } from "./icons";
import type { Lab } from "./lab";
import { says } from "./served";

const MOST_LINES = 6;

export function toasts(lab: Lab): TemplateResult {
  return html`<div class="toasts" role="status" aria-live="polite">${lab.toasts.map((toast) => html`<div class="toast ${toast.tone}">
    <div>${toast.lines.slice(0, MOST_LINES).map((line) => html`<p>${says(line)}</p>`)}</div>
    <button class="icon" type="button" aria-label=${t("dialog.close")} @click=${() => lab.unsay(toast.id)}>${ICONS.close}</button></div>`)}</div>`;
}

export function endedPage(reason: string): TemplateResult {
  return html`<div class="ended" role="alert"><h1>${t("lab.ended")}</h1><p>${says(reason)}</p>
    <p><a class="button" href="/">${t("lab.new")}</a> <button class="framed" type="button" @click=${() => location.reload()}>${t("lab.reload")}</button></p></div>`;
}
