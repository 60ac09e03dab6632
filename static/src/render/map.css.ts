// Rule: the map's looks, in the tokens' colours.
import { css } from "lit";

export const mapStyle = css`
  :host {
    display: block;
    position: relative;
    container-type: inline-size;
    min-height: 0;
    min-width: 0;
    font-family: var(--prose);
    color: var(--ink);
    background: var(--paper);
    overflow: hidden;
  }
  svg.map {
    display: block;
    width: 100%;
    height: 100%;
    cursor: grab;
    touch-action: none;
    user-select: none;
  }
  svg.map:active {
    cursor: grabbing;
  }
  text {
    fill: var(--ink);
    font-size: 12px;
    pointer-events: none;
  }
  [aria-hidden] {
    pointer-events: none;
  }
  .middle {
    text-anchor: middle;
  }
  .end {
    text-anchor: end;
  }
  .start {
    text-anchor: start;
  }
  .address {
    font-family: var(--mono);
    font-size: 10.5px;
    fill: var(--ink-2);
    font-weight: 400;
  }
  .small {
    font-size: 11px;
    fill: var(--ink-3);
  }

  .thing {
    outline: none;
  }
  .thing {
    cursor: pointer;
  }
  .frame {
    fill: var(--sheet);
    stroke: var(--line-2);
    stroke-width: 1;
  }
  .thing:hover > .frame {
    stroke: var(--ink-2);
  }

  .node .frame {
    stroke: var(--line-2);
  }

  .node .title {
    font-weight: 600;
    font-size: 13.5px;
  }
  .node .note {
    font-size: 11px;
    fill: var(--ink-3);
  }
  .node.wrong .note {
    fill: var(--vermilion-ink);
    font-weight: 600;
  }
  .node.wrong > .thing > .frame {
    stroke-dasharray: 6 4;
  }
  .strip {
    fill: var(--wash);
    stroke: none;
  }
  .strip-title {
    font-size: 11px;
    fill: var(--ink-3);
  }
  .link,
  .wire {
    fill: none;
    stroke: var(--line-2);
    stroke-width: 1.2;
  }
  .wire {
    stroke-width: 2.5;
    stroke-linecap: round;
  }
  .bridge {
    fill: none;
    stroke: var(--line-2);
    stroke-width: 2.5;
    stroke-linecap: round;
  }
  .rail {
    stroke: var(--line-2);
    stroke-width: 1.5;
  }
  .station {
    fill: var(--sheet);
    stroke: var(--ink-3);
    stroke-width: 1.2;
  }
  .station.passed {
    fill: var(--packet);
    stroke: var(--packet);
  }
  .station.here {
    fill: var(--packet);
    stroke: var(--packet);
  }
  .station-name {
    font-size: 10.5px;
    fill: var(--ink-3);
  }
  .station-name.passed {
    fill: var(--ink-2);
  }
  .station-name.here {
    fill: var(--ink);
    font-weight: 700;
  }
  .process {
    fill: var(--sheet);
    stroke: var(--line-2);
    stroke-dasharray: 2 3;
  }
  .process.live,
  .process.here {
    stroke: var(--ink-2);
    stroke-dasharray: none;
  }
  .process.here {
    stroke: var(--packet);
    stroke-width: 1.6;
  }
  .port {
    fill: var(--sheet);
    stroke: var(--ink-3);
  }

  .pod .frame {
    fill: var(--sheet);
  }
  .pod .name {
    font-weight: 600;
    font-size: 12.5px;
  }
  .pod .suffix {
    font-size: 10.5px;
    fill: var(--ink-3);
    font-family: var(--mono);
  }
  .pod .flag {
    font-size: 10.5px;
    fill: var(--vermilion-ink);
  }
  .pod.pale .frame {
    stroke-dasharray: 4 3;
    fill: transparent;
  }
  .pod.pale .name {
    fill: var(--ink-3);
  }
  .pod.sender .frame {
    stroke: var(--ink);
    stroke-width: 1.6;
  }
  .pod.endpoint .frame {
    stroke: var(--service);
    stroke-width: 2;
    fill: var(--service-wash);
  }
  .here > .thing > .frame {
    stroke: var(--packet);
    stroke-width: 2;
  }
  .node.here > .thing > .frame {
    stroke: var(--ink-2);
    stroke-width: 1.2;
  }
  .chosen > .thing > .frame {
    stroke: var(--packet);
    stroke-width: 2.5;
    stroke-dasharray: 3 2;
  }
  .thing:focus-visible > .frame.frame {
    stroke: var(--focus);
    stroke-width: 3;
  }

  .service .frame {
    fill: var(--service-wash);
    stroke: var(--service);
  }
  .service .name {
    font-weight: 600;
    fill: var(--service-ink);
    font-size: 13px;
  }
  .service .kind {
    font-family: var(--prose);
    fill: var(--service-ink);
  }
  .service.inPlay .frame {
    stroke-width: 2;
  }
  .service.addressed .frame {
    stroke-width: 3;
  }
  .tie path {
    fill: none;
    stroke: var(--service);
    stroke-width: 1.1;
    stroke-dasharray: 4 4;
    opacity: 0.7;
  }
  .tie circle {
    fill: var(--service);
    opacity: 0.8;
  }
  .tie.faint {
    opacity: 0.35;
  }
  .tie.inPlay path {
    opacity: 0.9;
  }
  .tie.chosen path {
    stroke-width: 2.4;
    opacity: 1;
  }
  .tie.unready path {
    stroke-dasharray: 1 5;
    stroke-linecap: round;
  }
  .tie.unready circle {
    fill: var(--paper);
    stroke: var(--service);
  }

  .outside > .frame {
    fill: none;
    stroke-dasharray: 5 4;
  }
  .router circle {
    fill: var(--sheet);
    stroke: var(--line-2);
    stroke-width: 1.5;
  }
  .router path {
    fill: none;
    stroke: var(--ink-3);
    stroke-width: 1.2;
  }
  .more rect {
    fill: none;
    stroke: var(--line-2);
    stroke-dasharray: 2 3;
  }

  .trail {
    fill: none;
    stroke: var(--packet);
    stroke-width: 3;
    stroke-linejoin: round;
    stroke-linecap: round;
    opacity: 0.5;
  }
  .packet .body {
    fill: var(--packet);
    stroke: var(--sheet);
    stroke-width: 2;
  }
  .packet.back .body {
    fill: var(--sheet);
    stroke: var(--packet);
    stroke-width: 3.5;
  }
  .packet .mark {
    fill: none;
    stroke: var(--sheet);
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .packet.back .mark {
    stroke: var(--packet);
  }
  .dot {
    fill: var(--packet);
    stroke: var(--sheet);
    stroke-width: 1;
  }

  .tools {
    position: absolute;
    right: var(--space-2);
    top: var(--space-2);
    display: flex;
    flex-direction: column;
    gap: 2px;
  }
  .tools button {
    width: 28px;
    height: 28px;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: var(--round);
    background: var(--sheet);
    color: var(--ink-2);
    font: 14px/1 var(--prose);
    cursor: pointer;
  }
  .tools button:hover {
    color: var(--ink);
    border-color: var(--line-2);
  }
  .tools button:focus-visible {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  @container (max-width: 520px) {
    .tools {
      display: none;
    }
  }
  .legend {
    position: absolute;
    left: var(--space-3);
    bottom: var(--space-2);
    font-size: var(--text-s);
    color: var(--ink-2);
    margin: 0;
  }
  .far :is(.small, .station-name, .strip-title, .suffix, .note),
  .far .address {
    display: none;
  }
  .far .node .title {
    font-size: 24px;
  }
  .far :is(.pod, .service) .name {
    font-size: 13.5px;
  }
  .empty {
    display: grid;
    place-content: center;
    height: 100%;
    text-align: center;
    color: var(--ink-2);
    padding: var(--space-4);
  }
  .empty p {
    margin: 0 0 var(--space-2);
    max-width: 36ch;
  }
  .empty strong {
    color: var(--ink);
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: no-preference) {
    g.world.gliding {
      transition: transform 220ms ease-out;
    }
  }
`;
