// Rule: what a person can see or be told on the page, through every shadow root; what is data (rules, YAML) is left out.
(skipped) => {
  const said = [];
  const tell = (text) => {
    const words = (text ?? "").replace(/\s+/g, " ").trim();
    if (words !== "") said.push(words);
  };
  const look = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      const range = document.createRange();
      range.selectNodeContents(node);
      if (range.getClientRects().length > 0) tell(node.data);
      return;
    }
    if (node instanceof Element) {
      if (node.matches(skipped) || ["style", "script", "noscript"].includes(node.localName)) return;
      for (const name of ["aria-label", "title", "placeholder", "aria-valuetext", "alt"]) tell(node.getAttribute(name));
      if (node.shadowRoot !== null) look(node.shadowRoot);
    }
    for (const child of node.childNodes) look(child);
  };
  look(document.body);
  return said;
}
