// Rule: a step's sentence is made here, from its detail's kind and fields, in the page's language. It says what the trace says.
import { t, tOr, type Key } from "./i18n";
import { reason } from "./reasons";
import type { Moment, Timeline } from "./timeline";
import type { Detail, RuleTried, TraceDocument } from "./trace";

const MASQUERADE_MARK = "0x4000"; // kube-proxy's --iptables-masquerade-bit, 14

/** What a step did, in one sentence. `fallback`: the engine's own, for a kind of step not known here. */
export function sentenceOf(detail: Detail, fallback = ""): string {
  switch (detail.kind) {
    case "rule_tried":
      return detail.matched ? matched(detail) : missed(detail);
    case "rules_missed":
      return t("step.missRun", { chain: chainOf(detail), count: detail.count, first: detail.first, last: detail.last });
    case "chain_ended":
      return detail.caller
        ? t("step.chainEnded.back", { chain: chainOf(detail), caller: detail.caller })
        : t("step.chainEnded.policy", { chain: chainOf(detail), policy: detail.policy ?? "" });
    case "tracked":
      return tOr(`step.tracked.${detail.state}`, t("step.tracked.other", { state: detail.state }));
    case "translated": {
      const by = tOr(`by.${detail.by}`, t("by.other", { by: detail.by }));
      return t(`step.translated.${detail.end}`, { by, old: detail.old, new: detail.new });
    }
    case "routed": {
      const said = { destination: detail.destination, route: detail.route, verdict: detail.verdict };
      return tOr(`step.routed.${detail.verdict}`, t("step.routed.other", said), said);
    }
    case "crossed": {
      const said = { out: detail.out_interface, in: detail.in_interface, to: detail.to, link: detail.link };
      return tOr(`step.crossed.${detail.link}`, t("step.crossed.other", said), said);
    }
    case "scheduled": {
      const said = { virtual: detail.virtual_server, real: detail.real_server, how: how(detail.how) };
      return detail.why ? t("step.scheduled.why", { ...said, why: reason(detail.why) }) : t("step.scheduled", said);
    }
    case "proxy_accepted":
      return t("step.proxyAccepted", { socket: detail.socket, service: detail.service_port });
    case "proxy_dialled": {
      const said = {
        endpoint: detail.endpoint,
        attempt: detail.attempt,
        timeout: decimal(detail.timeout),
        result: detail.result,
      };
      return tOr(`step.proxyDialled.${detail.result}`, t("step.proxyDialled.other", said), said);
    }
    case "proxy_copied":
      return t("step.proxyCopied", { source: detail.source, destination: detail.destination });
    case "ended":
      return tOr(`step.ended.${detail.outcome}`, fallback, { why: reason(detail.why) });
    case "noted":
      return t("step.noted", { text: reason(detail.text) });
    default:
      return fallback;
  }
}

export function momentSentence(timeline: Timeline, moment: Moment): string {
  return sentenceOf(moment.detail, timeline.trace.legs[moment.leg]?.hops[moment.hop]?.steps[moment.step]?.sentence);
}

export function legTitle(title: string): string {
  return tOr(`leg.${title}`, title);
}

/** How the whole flow ended, and whom the endpoint believes it is talking to. */
export function verdictOf(trace: TraceDocument): string {
  if (trace.disposition !== "delivered")
    return tOr(`verdict.${trace.disposition}`, trace.why, { why: reason(trace.why) });
  const answer = t(trace.answered ? "verdict.answered" : "verdict.noAnswer");
  const said = { endpoint: trace.endpoint ?? "", source: trace.source_seen ?? "" };
  return `${t(deliveredKey(trace), said)} ${answer}`;
}

function deliveredKey(trace: TraceDocument): Key {
  if (!trace.source_seen) return "verdict.delivered";
  if (!trace.masqueraded) return "verdict.delivered.seen";
  return trace.source_seen === trace.flow.source ? "verdict.delivered.samePort" : "verdict.delivered.masked";
}

function matched(detail: RuleTried): string {
  const where = whereOf(detail);
  return detail.effect ? t("step.rule", { where, effect: effectOf(detail.effect) }) : t("step.rule.plain", { where });
}

function missed(detail: RuleTried): string {
  const where = whereOf(detail);
  return detail.why ? t("step.miss", { where, why: reason(detail.why) }) : t("step.miss.plain", { where });
}

function whereOf(detail: RuleTried): string {
  return t("rule.where", { chain: chainOf(detail), number: detail.number });
}

function chainOf(detail: { readonly table: string; readonly chain: string }): string {
  return t("rule.chain", { table: detail.table, chain: detail.chain });
}

const EFFECTS: readonly (readonly [RegExp, Key])[] = [
  [/^jump (?<to>\S+)$/, "effect.jump"],
  [/^goto (?<to>\S+)$/, "effect.goto"],
  [/^dnat to (?<to>\S+)$/i, "effect.dnat"],
  [/^masquerade\b.*$/i, "effect.masquerade"],
  [/^redirect to port (?<port>\d+)$/i, "effect.redirect"],
  [/^redirect$/i, "effect.redirect.plain"],
  [/^accept$/i, "effect.accept"],
  [/^return$/i, "effect.return"],
  [/^drop$/i, "effect.drop"],
  [/^reject with (?<with>.+)$/i, "effect.reject"],
  [/^reject$/i, "effect.reject.plain"],
  [/^mark flipped (?<mark>\S+)$/, "effect.markTaken"],
  [/^mark cleared (?<mark>\S+)$/, "effect.markCleared"],
  [/^(?:update|add) (?<set>@\S+) .*$/, "effect.remember"],
  [/^counted$/, "effect.counted"],
];

/** What a rule that matched led to, in words. */
export function effectOf(effect: string): string {
  const marked = /^(?:mark set|meta mark set meta mark \||meta mark set) (?<mark>0x[0-9a-f]+)(?:\/0x[0-9a-f]+)?$/.exec(
    effect,
  );
  if (marked?.groups !== undefined) {
    const mark = `0x${Number.parseInt(marked.groups["mark"] ?? "", 16).toString(16)}`;
    return t(mark === MASQUERADE_MARK ? "effect.markMasquerade" : "effect.markSet", { mark });
  }
  for (const [form, key] of EFFECTS) {
    const found = form.exec(effect);
    if (found !== null) return t(key, { ...found.groups });
  }
  return t("effect.other", { effect });
}

function how(given: string): string {
  const scheduled = /^scheduled (\S+)$/.exec(given);
  if (scheduled !== null) return t("how.scheduled", { name: scheduled[1] ?? "" });
  return tOr(`how.${given}`, t("how.other", { how: given }));
}

/** "1/4" is 0.25. */
function decimal(fraction: string): string {
  const [above, below] = fraction.split("/").map(Number);
  const value = (above ?? 0) / (below ?? 1);
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : fraction;
}
