// Rule: the time line's looks, in the tokens' colours.
import { css } from "lit";

export const timeLineStyle = css`
  :host {
    display: block;
    container: time / inline-size;
    min-width: 0;
    font: var(--text-s) / 1.3 var(--prose);
    color: var(--ink);
    background: var(--sheet);
  }
  .controls {
    display: flex;
    align-items: center;
    gap: var(--space-1);
    padding: var(--space-2) var(--space-3) 0;
    white-space: nowrap;
  }
  .controls > * {
    flex: none;
  }
  button {
    width: 30px;
    height: 30px;
    padding: 5px;
    border: 1px solid transparent;
    border-radius: var(--round);
    background: none;
    color: var(--ink-2);
    cursor: pointer;
  }
  button:hover:not(:disabled) {
    border-color: var(--line-2);
    color: var(--ink);
  }
  button:disabled {
    opacity: 0.4;
    cursor: default;
  }
  button.main {
    background: var(--ink);
    color: var(--sheet);
    width: 36px;
  }
  button.main:hover:not(:disabled) {
    color: var(--sheet);
  }
  button svg {
    display: block;
    width: 100%;
    height: 100%;
    fill: currentColor;
    stroke: currentColor;
    stroke-width: 1.6;
    stroke-linejoin: round;
  }
  button:focus-visible,
  input:focus-visible,
  .track:focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  .count {
    min-width: 5.5em;
    margin: 0 var(--space-3);
    font-variant-numeric: tabular-nums;
    color: var(--ink-2);
  }
  .speed {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    color: var(--ink-2);
  }
  .speed input {
    width: 96px;
    accent-color: var(--ink-2);
  }
  .times {
    min-width: 3em;
    font-variant-numeric: tabular-nums;
  }
  .legend {
    display: flex;
    gap: var(--space-3);
    margin-left: auto;
    color: var(--ink-3);
  }
  .legend span {
    display: flex;
    align-items: center;
    gap: 3px;
  }
  .keys {
    margin-left: var(--space-4);
    color: var(--ink-3);
  }
  .track {
    touch-action: none;
    user-select: none;
    cursor: pointer;
    height: 66px;
    margin-top: var(--space-1);
    outline-offset: -2px;
  }
  .track svg {
    display: block;
  }
  .base {
    stroke: var(--line);
    stroke-width: 1;
  }
  .leg {
    fill: var(--ink-2);
    font-size: 11px;
    font-weight: 600;
  }
  .hop {
    fill: var(--wash);
  }
  .hop.odd {
    fill: var(--line);
    opacity: 0.75;
  }
  .place {
    fill: var(--ink-2);
    font-size: 10.5px;
  }
  .gone {
    stroke: var(--packet);
    stroke-width: 2;
    fill: none;
  }
  .head path {
    stroke: var(--packet);
    stroke-width: 1.5;
  }
  .head circle {
    fill: var(--packet);
    stroke: var(--sheet);
    stroke-width: 1.5;
  }
  @container time (max-width: 1260px) {
    .keys {
      display: none;
    }
  }
  :host([compact]) .legend,
  :host([compact]) .keys {
    display: none;
  }
  @container time (max-width: 960px) {
    .legend {
      display: none;
    }
  }
  @container time (max-width: 460px) {
    .speed input {
      width: 56px;
    }
    .count {
      min-width: 4.5em;
      margin: 0 var(--space-1);
    }
    .times {
      display: none;
    }
  }
`;
