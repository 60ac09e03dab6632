// Rule: the engine tells reasons in English words of a few fixed forms. Here each form has its key, so that both
// languages tell them. A form that is not known here is shown as the engine wrote it.
import { isKey, t, type Key, type Params } from "./i18n";

interface Form {
  readonly form: RegExp;
  readonly key: Key;
  readonly params?: (groups: Readonly<Record<string, string>>) => Params;
}

const MINE = (groups: Readonly<Record<string, string>>): Params => ({ ...groups, mine: subject(groups["mine"] ?? "") });
const WHY = (groups: Readonly<Record<string, string>>): Params => ({ ...groups, why: reason(groups["why"] ?? "") });

/** In order: the first that fits tells it. */
const FORMS: readonly Form[] = [
  // netfilter: why a rule missed
  { form: /^mark (?<mark>\S+) has no bit (?<bit>\S+)$/, key: "why.hasNoBit" },
  { form: /^mark (?<mark>\S+) has bit (?<bit>\S+)$/, key: "why.hasBit" },
  { form: /^mark (?<mark>\S+) & (?<mask>\S+) is (?<value>[^\s,]+)$/, key: "why.masked" },
  { form: /^rolled a miss \((?<chance>\d+) in (?<of>\d+)\)$/, key: "why.rolled" },
  { form: /^(?<address>\S+) not seen in (?<set>\S+) within (?<seconds>\d+) s$/, key: "why.notSeenWithin" },
  { form: /^(?<address>\S+) not seen in (?<set>\S+)$/, key: "why.notSeen" },
  { form: /^(?<address>\S+) seen in (?<set>\S+) within (?<seconds>\d+) s$/, key: "why.seenWithin" },
  { form: /^(?<address>\S+) seen in (?<set>\S+)$/, key: "why.seen" },
  { form: /^(?<address>\S+) remembered in (?<set>\S+), and the match is negated$/, key: "why.remembered" },
  { form: /^came in by a bridge port$/, key: "why.bridgePort" },
  { form: /^did not come in by a bridge port$/, key: "why.notBridgePort" },
  { form: /^leaves by a bridge port$/, key: "why.bridgePortOut" },
  { form: /^does not leave by a bridge port$/, key: "why.notBridgePortOut" },
  { form: /^is being bridged$/, key: "why.bridged" },
  { form: /^is not being bridged$/, key: "why.notBridged" },
  {
    form: /^no (?<which>in|out|input|output) interface here$/,
    key: "why.noInterface",
    params: ({ which }) => ({ which: term(which ?? "") }),
  },
  { form: /^the connection has no status (?<bits>.+)$/, key: "why.noStatus" },
  { form: /^not of an IPVS connection$/, key: "why.notIpvs" },
  { form: /^(?<set>@\S+) is full$/, key: "why.full" },

  // ends
  { form: /^(?<socket>\S+) accepts kube-proxy's connection$/, key: "end.acceptsProxy" },
  { form: /^(?<socket>\S+) on (?<place>\S+) accepts it$/, key: "end.accepts" },
  { form: /^nobody on the link answers for (?<address>\S+)$/, key: "end.noNeighbour" },
  { form: /^nobody on (?<place>\S+) listens on (?<protocol>\S+) port (?<port>\S+)$/, key: "end.nobodyListens" },
  { form: /^it reached (?<place>\S+)$/, key: "end.reached" },
  { form: /^the network beyond (?<place>\S+) has no one with the address (?<address>\S+)$/, key: "end.noAddress" },
  {
    form: /^(?<place>\S+) never sent anything to (?<socket>\S+): it does not take this for an answer$/,
    key: "end.neverSent",
  },
  { form: /^kube-proxy knows no endpoint of (?<service>\S+) and closes what it has accepted$/, key: "end.noEndpoint" },
  { form: /^the source (?<address>\S+) is this machine's own address: martian source$/, key: "end.martian" },
  {
    form: /^a loopback source may not leave by another interface \(route_localnet is 0\)$/,
    key: "end.routeLocalnet",
  },
  { form: /^IPVS, connection of (?<client>\S+): (?<why>.+)$/, key: "end.ipvsConnection", params: WHY },
  { form: /^IPVS: (?<why>.+)$/, key: "end.ipvs", params: WHY },
  { form: /^(?<chain>.+\/.+) rule (?<number>\d+)$/, key: "end.rule" },
  { form: /^(?<chain>.+\/.+) policy (?<policy>\w+)$/, key: "end.policyDrop" },

  // remarks
  { form: /^handed to the socket layer of (?<place>\S+)$/, key: "note.socket" },
  { form: /^forwarded: one hop further$/, key: "note.forwarded" },
  { form: /^the router on the wire sends it on to (?<place>\S+)$/, key: "note.router" },
  { form: /^no nat chain hangs here$/, key: "note.noNat" },
  { form: /^IPVS leaves the packet to the local machine: (?<why>.+)$/, key: "note.ipvsLeaves", params: WHY },
  { form: /^IPVS drops the packet: (?<why>.+)$/, key: "note.ipvsDrops", params: WHY },
  { form: /^IPVS ends the old connection: (?<why>.+)$/, key: "note.ipvsEnds", params: WHY },
  { form: /^IPVS has no real server for (?<server>\S+ \S+): (?<why>.+)$/, key: "note.ipvsNone", params: WHY },

  // IPVS: how a real server was chosen, and what became of a connection
  { form: /^(?<why>.+); remembered for (?<client>\S+) for (?<seconds>\d+) s$/, key: "sched.remembered", params: WHY },
  { form: /^(?<name>\w+): first in the list$/, key: "sched.first" },
  { form: /^(?<name>\w+): first in the list with weight at least (?<weight>\d+)$/, key: "sched.firstWeight" },
  { form: /^(?<name>\w+): next in the list$/, key: "sched.inList" },
  { form: /^(?<name>\w+): next in the list with weight at least (?<weight>\d+)$/, key: "sched.inListWeight" },
  { form: /^(?<name>\w+): next after (?<server>\S+)$/, key: "sched.next" },
  { form: /^(?<name>\w+): next after (?<server>\S+) with weight at least (?<weight>\d+)$/, key: "sched.nextWeight" },
  {
    form: /^(?<name>\w+): fewest connections, (?<formula>.+) = (?<load>\S+), first in the list of (?<tied>\d+) alike$/,
    key: "sched.fewestAlike",
    params: formula,
  },
  { form: /^(?<name>\w+): fewest connections, (?<formula>.+) = (?<load>\S+)$/, key: "sched.fewest", params: formula },
  { form: /^nq: first in the list of (?<count>\d+) without active connections$/, key: "sched.idle" },
  { form: /^nq: none is idle; (?<why>.+)$/, key: "sched.noneIdle", params: WHY },
  { form: /^(?<name>\w+): (?<client>\S+) hashes to bucket (?<bucket>\d+) of (?<of>\d+)$/, key: "sched.bucket" },
  { form: /^(?<name>\w+): (?<client>\S+) hashes to entry (?<bucket>\d+) of (?<of>\d+)$/, key: "sched.entry" },
  { form: /^(?<name>\w+): no real server with a weight above 0$/, key: "sched.noServer" },
  {
    form: /^(?<name>\w+): bucket (?<bucket>\d+) of (?<of>\d+) belongs to (?<server>\S+), whose weight is 0$/,
    key: "sched.weightless",
  },
  { form: /^persistence template for (?<client>\S+) \((?<seconds>\d+) s\)$/, key: "sched.template" },
  { form: /^its connection is in (?<state>\S+)$/, key: "sched.connection" },
  { form: /^a new connection, and the one before is in (?<state>\S+)$/, key: "ipvs.newBefore" },
  { form: /^a new connection, and real server (?<server>\S+) has weight 0$/, key: "ipvs.newWeightless" },
  { form: /^real server (?<server>\S+) was deleted$/, key: "ipvs.deleted" },
  { form: /^it belongs to no connection and is not (?<first>.+)$/, key: "ipvs.noConnection" },
  { form: /^its source port 20 is FTP data$/, key: "ipvs.ftpData" },

  // netfilter's general forms last: they would fit too much
  { form: /^(?<mine>.+), and must not be$/, key: "why.mustNot", params: MINE },
  { form: /^(?<mine>.+) not in set (?<set>\S+)$/, key: "why.notSet", params: MINE },
  { form: /^(?<mine>.+) is in set (?<set>\S+)$/, key: "why.inSet", params: MINE },
  {
    form: /^(?<mine>.+) is not in the rule's map$/,
    key: "why.isNotIn",
    params: (groups) => ({ ...MINE(groups), set: t("term.ruleMap") }),
  },
  { form: /^(?<mine>.+) is not in (?<set>.+)$/, key: "why.isNotIn", params: setOf },
  { form: /^(?<mine>.+), not in (?<set>.+)$/, key: "why.notIn", params: MINE },
  { form: /^(?<mine>.+) is in (?<set>.+)$/, key: "why.isIn", params: setOf },
  { form: /^(?<mine>.+) is one of (?<wanted>\S+)$/, key: "why.isOneOf", params: MINE },
  { form: /^(?<mine>.+), not (?<wanted>.+)$/, key: "why.not", params: MINE },
  { form: /^(?<mine>.+) is not (?<wanted>.+)$/, key: "why.isNot", params: MINE },
  { form: /^(?<mine>.+) is (?<wanted>.+)$/, key: "why.is", params: MINE },
];

/** A reason in the page's language; as the engine wrote it where its form is not known. */
export function reason(text: string): string {
  return told(text) ?? text;
}

/** The same, or null for a form that has no key. */
export function told(text: string): string | null {
  for (const { form, key, params } of FORMS) {
    const found = form.exec(text);
    if (found !== null) {
      const groups: Readonly<Record<string, string>> = { ...found.groups };
      return t(key, params === undefined ? groups : params(groups));
    }
  }
  return null;
}

const TYPED = /^(?<what>.+) is (?<type>\S+)$/;
const INTERFACE = /^(?<which>in|out|input|output) interface(?: (?<name>\S+))?$/;
const PORTS = /^ports (?<first>\d+) and (?<second>\d+)$/;
const NO_PORT = /^\((?<protocol>\S+) has no port here\)$/;
const NO_INTERFACE = /^no (?<which>in|out) interface$/;
const WORD =
  /^(?<term>source port|destination port|source|destination|state|protocol|sport|dport|mark)(?: (?<value>\S+))?$/;

/** What a reason speaks of: `source 10.244.1.9`, `destination 10.0.0.1 is UNICAST`, `10.0.0.1,tcp:80`. */
function subject(text: string): string {
  const typed = TYPED.exec(text)?.groups;
  if (typed !== undefined) return t("term.typed", { what: subject(typed["what"] ?? ""), type: typed["type"] ?? "" });
  if (text.startsWith("IPVS ")) return t("term.ipvs", { what: subject(text.slice(5)) });
  const through = INTERFACE.exec(text)?.groups;
  if (through !== undefined)
    return t("term.interface", { which: term(through["which"] ?? ""), name: through["name"] ?? "" }).trim();
  const without = NO_INTERFACE.exec(text)?.groups;
  if (without !== undefined) return t("term.noInterface", { which: term(without["which"] ?? "") });
  if (text === "the number drawn") return t("term.drawn");
  const ports = PORTS.exec(text)?.groups;
  if (ports !== undefined) return t("term.ports", ports as Record<string, string>);
  const none = NO_PORT.exec(text)?.groups;
  if (none !== undefined) return t("term.noPort", none as Record<string, string>);
  if (text.startsWith("ICMP type ")) return t("term.icmp", { type: text.slice(10) });
  const word = WORD.exec(text)?.groups;
  if (word === undefined) return text;
  const name = term(word["term"] ?? "");
  return word["value"] === undefined ? name : t("term.word", { term: name, value: word["value"] });
}

function setOf(groups: Readonly<Record<string, string>>): Params {
  const many = /^the (\d+) of the rule$/.exec(groups["set"] ?? "");
  return { ...MINE(groups), ...(many === null ? {} : { set: t("term.ofRule", { count: many[1] ?? "" }) }) };
}

function term(word: string): string {
  const key = `term.${word}`;
  return isKey(key) ? t(key) : word;
}

/** `(256 × active + inactive) / weight` in the page's words. */
function formula(groups: Readonly<Record<string, string>>): Params {
  const told = (groups["formula"] ?? "").replace(/\b(active|inactive|weight)\b/g, (word) => t(`sched.${word}` as Key));
  return { ...groups, formula: told };
}
