// Rule: <packet-player> for any page: this script, the element, and a trace document.
import tokens from "../css/tokens.css?inline";
import { PacketPlayer } from "./elements/packet-player";

/** A page that has not named the colours gets them. */
function nameColours(): void {
  if (getComputedStyle(document.documentElement).getPropertyValue("--paper") !== "") return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(tokens);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

nameColours();

export { PacketPlayer };
export { setLanguage, startLanguage } from "./i18n";
export { readTrace } from "./trace";
