// Rule: <packet-player> for any page: this script, the element, and a trace document.
export {};
