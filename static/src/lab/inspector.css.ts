// Rule: the inspector's looks: form and YAML side by side, one above the other where there is no room.
import { css } from "lit";

export const inspectorStyle = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    min-width: 0;
    background: var(--sheet);
  }
  header,
  footer {
    display: flex;
    align-items: center;
    gap: var(--space-2);
    padding: 4px var(--space-2);
    min-height: 2.4rem;
    flex: none;
  }
  header {
    border-bottom: 1px solid var(--line);
  }
  footer {
    border-top: 1px solid var(--line);
    padding-inline: var(--space-3);
  }
  h2 {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .kind {
    font-weight: 400;
    color: var(--ink-3);
  }
  .grow {
    flex: 1;
  }
  .tabs {
    display: inline-flex;
    flex: none;
  }
  .tabs button {
    font-size: var(--text-s);
  }
  .banner {
    padding: 4px var(--space-3);
    background: var(--orange-wash);
    color: var(--orange-ink);
    font-size: var(--text-s);
  }
  .banner button {
    text-decoration: underline;
    padding: 0 0.2rem;
  }
  .sides {
    flex: 1;
    min-height: 0;
    display: grid;
    grid-template-columns: minmax(0, 5fr) minmax(0, 6fr);
    grid-template-rows: minmax(0, 1fr);
  }
  .sides.form,
  .sides.yaml {
    grid-template-columns: minmax(0, 1fr);
  }
  .sides.both form-view {
    border-right: 1px solid var(--line);
  }
  .problems {
    flex: none;
    max-height: 7rem;
    margin: 0;
    padding: 6px var(--space-3);
    list-style: none;
    font-size: var(--text-s);
    line-height: 1.4;
    background: var(--vermilion-wash);
    border-top: 1px solid var(--vermilion);
  }
  .problems li {
    margin-bottom: 3px;
    overflow-wrap: anywhere;
  }
  .problems button {
    padding: 0 0.3rem;
    text-decoration: underline;
    color: var(--vermilion-ink);
  }
  .harm {
    color: var(--vermilion-ink);
  }
  @media (max-width: 700px) {
    .sides {
      grid-template-columns: minmax(0, 1fr) !important;
      grid-template-rows: none;
    }
    .sides yaml-editor {
      height: 18rem;
    }
    .sides.both form-view {
      border-right: 0;
    }
  }
`;
