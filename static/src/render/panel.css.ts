// Rule: the packet's panel's looks, in the tokens' colours.
import { css } from "lit";

export const panelStyle = css`
  :host {
    display: grid;
    grid-template: minmax(0, 1fr) / minmax(0, 1fr);
    container: panel / inline-size;
    min-width: 0;
    min-height: 0;
    overflow: hidden;
    font: var(--text-m) / 1.45 var(--prose);
    color: var(--ink);
    background: var(--sheet);
  }
  .panel {
    display: grid;
    grid-template: auto minmax(0, 1fr) / minmax(0, 1fr);
    min-height: 0;
  }
  .head {
    padding: var(--space-3) var(--space-4);
    border-bottom: 1px solid var(--line);
    min-height: 6.4em;
  }
  :host([compact]) .head {
    padding: 5px var(--space-4) 3px;
    min-height: 4.3em;
  }
  :host([compact]) .sentence {
    margin-top: 0;
    font-size: 0.9375rem;
    line-height: 1.35;
  }
  :host([compact]) h3 {
    margin-top: var(--space-2);
  }
  p {
    margin: 0;
  }
  .where {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    font-size: var(--text-s);
    font-weight: 600;
    white-space: nowrap;
    overflow: hidden;
  }
  .where .dim {
    font-weight: 400;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .sentence {
    margin-top: var(--space-1);
    font-size: var(--text-l);
    line-height: 1.4;
    overflow-wrap: anywhere;
  }
  .dim {
    color: var(--ink-3);
  }
  .body {
    min-height: 0;
    overflow: auto;
    padding: 0 var(--space-4) var(--space-4);
    display: flex;
    flex-direction: column;
  }
  .fields {
    order: -1;
  }
  h3 {
    margin: var(--space-3) 0 var(--space-1);
    font-size: var(--text-s);
    font-weight: 600;
    color: var(--ink-2);
  }
  .state {
    font-weight: 400;
    margin-left: var(--space-2);
    color: var(--ink-3);
  }
  .rule,
  pre,
  code,
  dd,
  td {
    font-family: var(--mono);
    font-size: var(--text-s);
    overflow-wrap: anywhere;
  }
  .rule {
    padding: var(--space-1) var(--space-2);
    background: var(--wash);
    border-left: 3px solid var(--line-2);
    line-height: 1.5;
  }
  .rule.matched {
    border-left-color: var(--green);
  }
  .rule + .dim {
    font-size: var(--text-s);
    margin-top: var(--space-1);
  }
  .link {
    all: unset;
    color: var(--blue-ink);
    text-decoration: underline;
    text-underline-offset: 2px;
    cursor: pointer;
  }
  .link:focus-visible,
  section:focus-visible,
  summary:focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
    table-layout: fixed;
    line-height: 1.35;
  }
  thead th {
    height: 0;
    padding-block: 0;
    line-height: 0;
    font-size: 0;
  }
  thead th:nth-child(n + 3) {
    width: auto;
  }
  tbody {
    border-top: 1px solid var(--line);
  }
  th,
  td {
    padding: 1px var(--space-1);
    vertical-align: baseline;
  }
  th {
    width: 5.7rem;
    box-sizing: border-box;
    text-align: left;
    font-weight: 400;
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  th.layer,
  thead th:first-child {
    width: 3.8rem;
    color: var(--ink-3);
    padding-left: 0;
    vertical-align: top;
  }
  .changed td,
  .changed th:not(.layer) {
    background: var(--rewrite-wash);
  }
  .changed th:not(.layer) {
    color: var(--ink);
    font-weight: 600;
    box-shadow: inset 3px 0 var(--orange);
    padding-left: var(--space-2);
  }
  .changed .before {
    color: var(--ink-2);
  }
  .changed td span {
    white-space: nowrap;
  }
  .changed .before {
    margin-right: 1ch;
  }
  .changed .after {
    font-weight: 700;
  }
  dl {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 1px var(--space-3);
    margin: 0;
  }
  dt {
    font-size: var(--text-s);
    color: var(--ink-2);
  }
  dd {
    margin: 0;
  }
  .capture dd {
    color: var(--ink-2);
  }
  summary {
    cursor: pointer;
    font-size: var(--text-s);
    color: var(--ink-2);
    margin-top: var(--space-1);
  }
  pre {
    margin: var(--space-1) 0 0;
    white-space: pre-wrap;
  }
  .none {
    margin: auto;
    text-align: center;
    color: var(--ink-2);
    padding: var(--space-5);
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @container panel (min-width: 600px) {
    .panel {
      grid-template:
        "head fields" auto
        "told fields" minmax(0, 1fr)
        / minmax(0, 1.1fr) minmax(0, 1fr);
    }
    .head {
      grid-area: head;
      border-bottom: none;
      min-height: 0;
      padding-bottom: 0;
    }
    .sentence {
      font-size: var(--text-m);
    }
    .body {
      display: contents;
    }
    .told {
      grid-area: told;
      overflow: auto;
      padding: 0 var(--space-4) var(--space-3);
    }
    .fields {
      grid-area: fields;
      overflow: auto;
      padding: 0 var(--space-4) var(--space-3);
      border-left: 1px solid var(--line);
    }
  }
  @container panel (max-width: 420px) {
    .sentence {
      font-size: var(--text-m);
    }
  }
`;
