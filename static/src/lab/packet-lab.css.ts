// Rule: where the page's regions stand: beside one another where there is room, below one another where there is not.
import { css } from "lit";

export const labStyle = css`
  :host {
    display: block;
    height: 100vh;
    height: 100dvh;
    background: var(--paper);
    overflow: hidden;
  }
  .lab {
    height: 100%;
    display: grid;
    grid-template-columns: 224px minmax(0, 1fr) minmax(300px, 29%);
    grid-template-rows: auto auto auto minmax(0, 1fr) minmax(200px, 38%);
    grid-template-areas:
      "top top top"
      "lost lost lost"
      "send send send"
      "left main right"
      "bottom bottom right";
  }
  .lab.inspecting {
    grid-template-columns: minmax(430px, 36%) minmax(0, 1fr) minmax(300px, 29%);
  }
  .lab.folded:not(.inspecting) {
    grid-template-columns: 34px minmax(0, 1fr) minmax(300px, 29%);
  }
  .lab.compare:not(.inspecting) {
    grid-template-rows: auto auto auto minmax(0, 1fr) minmax(190px, 29%);
  }
  top-bar {
    grid-area: top;
    min-width: 0;
  }
  .lost {
    grid-area: lost;
    display: flex;
    gap: var(--space-3);
    align-items: center;
    padding: 5px var(--space-3);
    background: var(--orange-wash);
    color: var(--orange-ink);
    border-bottom: 1px solid var(--line);
  }
  send-bar {
    grid-area: send;
    min-width: 0;
  }
  .left {
    grid-area: left;
    display: flex;
    flex-direction: column;
    min-height: 0;
    min-width: 0;
    border-right: 1px solid var(--line);
    background: var(--sheet);
  }
  .left > :not(.tabs) {
    flex: 1;
    min-height: 0;
  }
  main {
    grid-area: main;
    display: flex;
    flex-direction: column;
    min-height: 0;
    min-width: 0;
    background: var(--paper);
  }
  main > cluster-map,
  main > kernel-view,
  main > steps-table,
  main > compare-lanes {
    flex: 1;
    min-height: 0;
  }
  .right {
    grid-area: right;
    display: flex;
    min-height: 0;
    min-width: 0;
    border-left: 1px solid var(--line);
  }
  .right rules-panel {
    flex: 1;
  }
  .bottom {
    grid-area: bottom;
    display: flex;
    flex-direction: column;
    min-height: 0;
    min-width: 0;
    border-top: 1px solid var(--line);
    background: var(--sheet);
  }
  packet-panel {
    flex: 1;
    min-height: 0;
    border-top: 1px solid var(--line);
  }
  time-line {
    flex: none;
  }
  .tabs,
  .views {
    display: flex;
    align-items: center;
    flex: none;
    gap: 2px;
    padding: 0 6px;
    border-bottom: 1px solid var(--line);
    min-height: 32px;
    background: var(--sheet);
  }
  [role="tablist"] {
    display: flex;
    gap: 2px;
  }
  .folded .tabs [role="tablist"] {
    flex-direction: column;
  }
  .tabs button,
  .views button {
    border-radius: 0;
    padding: 6px 8px 5px;
    border: 0;
    border-bottom: 2px solid transparent;
    color: var(--ink-2);
    font-size: 13px;
    white-space: nowrap;
  }
  [role="tab"][aria-selected="true"] {
    color: var(--ink);
    font-weight: 600;
    border-bottom-color: var(--blue);
  }
  .fold {
    margin-left: auto;
    color: var(--ink-3);
  }
  .tabs .fold {
    border: 0;
    padding: 2px;
  }
  .folded .fold {
    transform: rotate(180deg);
    margin: 0;
  }
  .folded .tabs {
    flex-direction: column;
    padding: 4px 0;
    border: 0;
  }
  .folded .tabs [role="tab"] {
    writing-mode: vertical-rl;
    padding: 10px 6px;
    border: 0;
  }
  .grow {
    flex: 1;
  }
  .flow {
    font-family: var(--mono);
    font-size: 11.5px;
    color: var(--ink-2);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    min-width: 0;
  }
  .badge {
    font-size: var(--text-s);
    padding: 1px 8px;
    border-radius: 999px;
    white-space: nowrap;
    background: var(--vermilion-wash);
    color: var(--vermilion-ink);
  }
  .badge.delivered {
    background: var(--green-wash);
    color: var(--green-ink);
  }
  .loading {
    display: grid;
    place-items: center;
    height: 70%;
    color: var(--ink-3);
  }
  .ended {
    max-width: 34rem;
    margin: 18vh auto 0;
    padding: 0 var(--space-4);
    line-height: 1.6;
    display: grid;
    gap: var(--space-3);
  }
  .ended h1 {
    font-size: 1.6rem;
    margin: 0;
  }
  .button {
    display: inline-block;
    background: var(--blue);
    color: light-dark(#fff, #10202b);
    font-weight: 600;
    text-decoration: none;
    padding: 0.25rem 0.9rem;
    border-radius: var(--round);
  }
  .drop {
    position: fixed;
    inset: 12px;
    z-index: 40;
    display: grid;
    place-items: center;
    border: 3px dashed var(--blue);
    border-radius: 12px;
    background: color-mix(in oklab, var(--blue-wash), transparent 12%);
    font-size: var(--text-xl);
    pointer-events: none;
  }
  .toasts {
    position: fixed;
    z-index: 60;
    left: 50%;
    bottom: var(--space-4);
    transform: translateX(-50%);
    display: grid;
    gap: var(--space-2);
    width: min(36rem, calc(100vw - 2rem));
    pointer-events: none;
  }
  .toast {
    pointer-events: auto;
    display: flex;
    gap: var(--space-2);
    justify-content: space-between;
    padding: var(--space-2) var(--space-2) var(--space-2) var(--space-3);
    background: var(--sheet);
    border: 1px solid var(--line-2);
    border-left: 4px solid var(--green);
    border-radius: var(--round);
    box-shadow: 0 8px 30px light-dark(rgb(40 36 24 / 0.2), rgb(0 0 0 / 0.55));
    line-height: 1.45;
    max-height: 40vh;
    overflow: auto;
    overflow-wrap: anywhere;
  }
  .toast.wrong {
    border-left-color: var(--vermilion);
  }
  /* Here the tracks alone give these their size, so that what changes inside one lays out nothing outside it. */
  @media (min-width: 901px) {
    main,
    .right,
    .bottom,
    packet-panel {
      contain: strict;
    }
  }
  @media (max-width: 900px) and (min-width: 701px) {
    .lab,
    .lab.folded:not(.inspecting) {
      grid-template-columns: auto minmax(0, 1fr) minmax(260px, 40%);
    }
    .lab:not(.folded):not(.inspecting) {
      grid-template-columns: 220px minmax(0, 1fr) minmax(240px, 34%);
    }
    .lab.inspecting {
      grid-template-columns: minmax(340px, 52%) minmax(0, 1fr);
      grid-template-areas:
        "top top"
        "lost lost"
        "send send"
        "left main"
        "left right"
        "bottom bottom";
      grid-template-rows: auto auto auto minmax(0, 1fr) minmax(0, 1fr) minmax(200px, 30%);
    }
    .lab.inspecting .right {
      border-top: 1px solid var(--line);
    }
  }
  @media (max-width: 700px) {
    :host {
      height: auto;
      min-height: 100dvh;
      overflow: visible;
    }
    .lab,
    .lab.inspecting,
    .lab.compare:not(.inspecting),
    .lab.folded:not(.inspecting) {
      height: auto;
      grid-template-columns: minmax(0, 1fr);
      grid-template-rows: none;
      grid-template-areas: "top" "lost" "main" "bottom" "send" "right" "left";
    }
    main {
      height: min(62vh, 420px);
    }
    .lab.compare main {
      height: auto;
    }
    .bottom {
      border-bottom: 1px solid var(--line);
    }
    .right {
      height: 70vh;
      border-left: 0;
    }
    .left {
      border-right: 0;
      border-top: 1px solid var(--line);
    }
    .lab.inspecting {
      grid-template-areas: "top" "lost" "left" "main" "bottom" "send" "right";
    }
    .folded .tabs,
    .folded .tabs [role="tablist"] {
      flex-direction: row;
    }
    .folded .tabs {
      padding: 0 6px;
    }
    .folded .tabs [role="tab"] {
      writing-mode: horizontal-tb;
      padding: 6px 8px;
    }
    .flow {
      display: none;
    }
  }
`;
