// Rule: what the lab's elements look alike in: buttons, fields, headings, scrollbars. Colours and sizes are tokens'.
import { css } from "lit";

export const sheet = css`
  :host {
    box-sizing: border-box;
    font-family: var(--prose);
    font-size: var(--text-m);
    color: var(--ink);
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  [hidden] {
    display: none !important;
  }
  button,
  input,
  select,
  textarea {
    font: inherit;
    color: inherit;
  }
  button {
    cursor: pointer;
    background: none;
    border: 1px solid transparent;
    border-radius: var(--round);
    padding: 0.2rem 0.45rem;
    line-height: 1.3;
  }
  button:hover:not(:disabled) {
    background: var(--wash);
  }
  button:disabled {
    opacity: 0.45;
    cursor: default;
  }
  button.framed {
    border-color: var(--line-2);
    background: var(--sheet);
  }
  button.framed:hover:not(:disabled) {
    background: var(--wash);
  }
  button.main {
    background: var(--blue);
    border-color: var(--blue);
    color: light-dark(#fff, #10202b);
    font-weight: 600;
  }
  button.main:hover:not(:disabled) {
    background: color-mix(in oklab, var(--blue), black 12%);
  }
  button.icon {
    padding: 0.2rem;
    width: 1.75rem;
    height: 1.75rem;
    display: inline-grid;
    place-items: center;
    flex: none;
  }
  button.icon svg {
    width: 1rem;
    height: 1rem;
    stroke: currentColor;
    fill: none;
    stroke-width: 1.6;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  button[aria-pressed="true"],
  button[aria-expanded="true"].toggle {
    background: var(--blue-wash);
    color: var(--blue-ink);
  }
  input,
  select,
  textarea {
    background: var(--sheet);
    border: 1px solid var(--line-2);
    border-radius: var(--round);
    padding: 0.2rem 0.4rem;
    min-width: 0;
  }
  input::placeholder {
    color: var(--ink-3);
    opacity: 1;
  }
  input[type="checkbox"] {
    accent-color: var(--blue);
    width: 1rem;
    height: 1rem;
    margin: 0;
  }
  :focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  h2,
  h3 {
    margin: 0;
    font-size: var(--text-m);
    font-weight: 650;
  }
  p {
    margin: 0;
  }
  code,
  .mono {
    font-family: var(--mono);
    font-size: 0.92em;
  }
  .quiet {
    color: var(--ink-3);
  }
  .small {
    font-size: var(--text-s);
  }
  .scrolls {
    overflow: auto;
    scrollbar-width: thin;
    scrollbar-color: var(--line-2) transparent;
    overscroll-behavior: contain;
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .empty {
    padding: var(--space-4);
    color: var(--ink-2);
    line-height: 1.5;
  }
  .empty strong {
    color: var(--ink);
  }
`;
