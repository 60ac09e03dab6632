// Rule: the rules' looks. Row heights are those of rows.ts; change both.
import { css } from "lit";

export const rulesStyle = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    min-width: 0;
    background: var(--sheet);
  }
  header,
  .filters {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    padding: var(--space-1) var(--space-3);
  }
  header {
    min-height: 2.5rem;
    padding-bottom: 0;
  }
  .filters {
    padding-bottom: var(--space-2);
    border-bottom: 1px solid var(--line);
  }
  .grow {
    flex: 1;
  }
  .search {
    flex: 1 1 8rem;
  }
  .filters select {
    flex: 0 1 9.5rem;
  }
  select {
    text-overflow: ellipsis;
  }
  .node {
    font-family: var(--mono);
    font-size: var(--text-s);
    max-width: 9rem;
  }
  .delta {
    font-family: var(--mono);
    font-size: var(--text-s);
    white-space: nowrap;
  }
  .plus {
    color: var(--green-ink);
  }
  .minus {
    color: var(--vermilion-ink);
  }
  .banner {
    padding: var(--space-1) var(--space-3);
    font-size: var(--text-s);
    line-height: 1.4;
    background: var(--orange-wash);
    color: var(--orange-ink);
  }
  .banner button {
    text-decoration: underline;
    padding: 0 0.2rem;
  }
  .pane {
    position: relative;
    flex: 1;
    min-height: 6rem;
    font-family: var(--mono);
    font-size: 11px;
    line-height: 17px;
    overflow-x: hidden;
    contain: strict;
  }
  .ruler {
    position: absolute;
    visibility: hidden;
    white-space: pre;
  }
  .sheet {
    position: relative;
  }
  .row {
    position: absolute;
    left: 0;
    right: 0;
    top: 0;
    display: flex;
    overflow: hidden;
    text-align: left;
    border: 0;
    border-radius: 0;
    padding: 0;
    line-height: 17px;
    font-size: inherit;
  }
  .part {
    align-items: end;
    gap: var(--space-2);
    padding: 0 var(--space-3) 4px;
    font-family: var(--prose);
    font-size: var(--text-s);
    font-weight: 650;
    border-bottom: 1px solid var(--line);
  }
  .part .quiet,
  .fold .quiet {
    font-weight: 400;
    white-space: nowrap;
  }
  .fold {
    align-items: center;
    gap: 4px;
    padding: 0 var(--space-3) 0 6px;
    background: var(--sheet);
  }
  .fold .arrow {
    width: 14px;
    height: 14px;
    flex: none;
    color: var(--ink-3);
  }
  .fold .arrow svg {
    width: 11px;
    height: 11px;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
  }
  .fold[aria-expanded="true"] .arrow svg {
    transform: rotate(90deg);
  }
  .fold .name {
    font-family: var(--mono);
    font-weight: 600;
    flex: 0 1 auto;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .fold .quiet {
    font-family: var(--prose);
    font-size: 11px;
    margin-left: auto;
    flex: none;
  }
  .tried {
    color: var(--packet-ink);
  }
  .line {
    cursor: default;
    border-left: 3px solid transparent;
    padding-bottom: 3px;
  }
  .gutter {
    flex: none;
    width: 43px;
    padding-right: 6px;
    display: flex;
    gap: 2px;
    justify-content: space-between;
    color: var(--ink-3);
    user-select: none;
  }
  .mark {
    width: 15px;
    text-align: center;
  }
  .hits {
    font-size: 10px;
    color: var(--ink-3);
    font-variant-numeric: tabular-nums;
  }
  .words {
    display: block;
    flex: 1;
    min-width: 0;
  }
  .v,
  .why {
    display: block;
    white-space: pre;
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .why {
    height: 16px;
    line-height: 15px;
    font-family: var(--prose);
    font-size: 11px;
  }
  .why.yes {
    color: var(--match);
  }
  .why.no {
    color: var(--miss);
  }
  .frame .v {
    color: var(--ink-3);
  }
  .line.missed .v,
  .line.missed .v span {
    color: var(--ink-3);
  }
  .line.matched {
    border-left-color: var(--green);
  }
  .line.matched .mark {
    color: var(--green-ink);
    font-weight: 700;
  }
  .line.inPlay {
    background: var(--vermilion-wash);
    border-left-color: var(--packet);
  }
  .line.inPlay .mark {
    color: var(--packet-ink);
  }
  .line.inPlay,
  .line.lit,
  .line.fresh,
  .line.gone,
  .line:hover {
    --ink-3: var(--ink-2);
  }
  .line.inPlay.missed .v {
    color: var(--ink);
  }
  .line:hover {
    background: var(--wash);
  }
  .line.inPlay:hover {
    background: var(--vermilion-wash);
  }
  .line.lit {
    background: var(--blue-wash);
    border-left-color: var(--blue);
  }
  .line.fresh {
    background: var(--green-wash);
  }
  .line.fresh .mark {
    color: var(--green-ink);
    font-weight: 700;
  }
  .line.gone {
    background: var(--vermilion-wash);
    color: var(--ink-2);
    text-decoration: line-through;
    text-decoration-color: var(--vermilion);
  }
  .line.gone .gutter {
    justify-content: start;
    padding-left: 5px;
    color: var(--vermilion-ink);
    font-weight: 700;
  }
  .dim {
    color: var(--ink-3);
  }
  .option {
    color: var(--ink-3);
  }
  .pane .text,
  .comment {
    color: var(--ink-2);
    font-style: italic;
  }
  .address {
    color: var(--blue-ink);
  }
  .number {
    color: var(--orange-ink);
  }
  .chain {
    color: var(--purple-ink);
  }
  .set {
    color: var(--green-ink);
  }
  .verdict {
    color: var(--vermilion-ink);
    font-weight: 700;
  }
  footer {
    display: flex;
    flex-wrap: nowrap;
    overflow: hidden;
    gap: var(--space-2);
    align-items: center;
    min-height: 2rem;
    padding: 0 var(--space-3);
    border-top: 1px solid var(--line);
    font-size: var(--text-s);
    white-space: nowrap;
  }
  .itself {
    overflow: hidden;
    text-overflow: ellipsis;
  }
  .chip {
    padding: 0.1rem 0.4rem;
    border: 1px solid var(--line);
    border-radius: 999px;
    overflow: hidden;
    text-overflow: ellipsis;
    min-width: 0;
    flex: 0 1 auto;
  }
  button.chip {
    color: var(--blue-ink);
  }
`;
