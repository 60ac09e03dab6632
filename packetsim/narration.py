"""Rule: a trace read aloud. Every sentence says one thing that the trace says, and nothing else.

`sentence` gives one step in words; `narrate` the whole walk, at most WIDTH columns wide where the
words allow, rule texts indented below the sentence they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from packetsim.hooks import Hook
from packetsim.packet import Packet
from packetsim.protocols import TRANSPORTS
from packetsim.ruletext import Origin
from packetsim.trace import (
    ChainEnded,
    Crossed,
    Detail,
    Disposition,
    Ended,
    FieldDiff,
    Hop,
    Leg,
    Noted,
    Position,
    ProxyAccepted,
    ProxyCopied,
    ProxyDialled,
    Routed,
    RulesMissed,
    RuleTried,
    Scheduled,
    Step,
    Trace,
    Tracked,
    Translated,
)

WIDTH = 100
BOLD, DIM, PLAIN = "\033[1m", "\033[2m", "\033[0m"
_FLAG_NAMES = {"S": "SYN", "A": "ACK", "R": "RST", "F": "FIN", "P": "PSH"}
_ADDRESS_FIELDS = ("source", "source_port", "destination", "destination_port")
_OPTION = re.compile(r"((?<= )--?[a-z][a-z-]*) (?=[^ -])")  # a rule's option, which keeps its first word beside it
_ENDINGS = {
    Disposition.DELIVERED: "the packet arrives",
    Disposition.REJECTED: "the packet is rejected",
    Disposition.DROPPED: "the packet is dropped",
    Disposition.REFUSED: "the packet is refused",
    Disposition.UNANSWERED: "the packet is lost",
}


# ---- words --------------------------------------------------------------------------------------


def packet_words(packet: Packet) -> str:
    """`TCP SYN 10.244.1.9:41234 → 10.96.100.10:80`."""
    if packet.protocol not in TRANSPORTS:
        about = f", about {packet_words(packet.quoted)}" if packet.quoted is not None else ""
        kind = f"{packet.protocol.upper()} type {packet.icmp_type} code {packet.icmp_code}"
        return f"{kind} {packet.from_text} → {packet.to_text}{about}"
    flags = packet.flags
    if packet.protocol == "tcp":
        flags = "/".join(_FLAG_NAMES.get(letter, letter) for letter in flags)
    return " ".join(part for part in (packet.protocol.upper(), flags, packet.from_text, "→", packet.to_text) if part)


def sentence(detail: Detail) -> str:
    """What one step did, in words, without the rule's text."""
    match detail:
        case RuleTried(matched=True):
            effect = f": {detail.effect}" if detail.effect else ""
            return f"{detail.table} {detail.chain}: rule {detail.number} matches{effect}"
        case RuleTried():
            return f"{detail.table} {detail.chain}: rule {detail.number} does not match{_because(detail.why)}"
        case RulesMissed():
            return _missed(detail)
        case ChainEnded():
            onward = f"back to {detail.caller}" if detail.caller else f"the policy decides: {detail.policy}"
            return f"{detail.table} {detail.chain}: no rule is left; {onward}"
        case Tracked():
            return f"conntrack: {detail.state}"
        case Translated():
            return f"{detail.kind} translated by {_translator(detail.by)}: {detail.old} → {detail.new}"
        case Routed():
            return _routed(detail)
        case Crossed():
            return (
                f"leaves by {detail.out_interface}, {_over(detail.kind)}, reaches {detail.to} at {detail.in_interface}"
            )
        case Scheduled():
            chosen = f"IPVS {detail.virtual_server}: {detail.how}, to {detail.real_server}"
            return chosen + (f" ({detail.why})" if detail.why else "")
        case ProxyAccepted():
            return f"kube-proxy's socket {detail.socket} accepts the connection, for {detail.service_port}"
        case ProxyDialled():
            seconds = f"{float(detail.timeout):g} s"
            dialled = f"kube-proxy dials {detail.endpoint}, attempt {detail.attempt} (timeout {seconds})"
            return f"{dialled}: {detail.result}" + (f"; {detail.why}" if detail.why else "")
        case ProxyCopied():
            return f"kube-proxy copies the bytes from {detail.source} to {detail.destination}"
        case Ended():
            return f"{_ENDINGS[detail.outcome]}{_because(detail.why)}"
        case Noted():
            return detail.text


def _missed(detail: RulesMissed) -> str:
    first = detail.expand()[0].why
    if detail.count == 1:
        return f"{detail.table} {detail.chain}: rule {detail.first} does not match{_because(first)}"
    reason = f" (first: {first})" if first else ""
    return f"{detail.table} {detail.chain}: {detail.count:,} rules do not match{reason}"


def _routed(detail: Routed) -> str:
    if detail.verdict == "unreachable":
        return f"routing: no route to {detail.destination}"
    meaning = {"local": "it is for this machine", "forward": "it goes on", "out": "it goes out"}
    return f"routing: {detail.destination} is by `{detail.route}`; {meaning.get(detail.verdict, detail.verdict)}"


def _translator(by: str) -> str:
    return "the rule" if by == "rule" else by


def _over(kind: str) -> str:
    ways = {"veth": "crosses a veth pair", "loopback": "loops back"}
    return ways.get(kind, f"crosses the {kind}")


def _because(why: str) -> str:
    return f": {why}" if why else ""


def change_words(step: Step) -> Iterator[str]:
    """`destination 10.96.100.10:80 → 10.244.1.5:8080`, `mark 0x0 → 0x4000`, one for each thing changed."""
    changes = {change.field: change for change in step.changes}
    for end, old, new in (
        ("source", step.before.from_text, step.after.from_text),
        ("destination", step.before.to_text, step.after.to_text),
    ):
        told = isinstance(step.detail, Translated) and step.detail.kind == end
        if old != new and not told:
            yield f"{end} {old} → {new}"
    yield from (_change(change) for name, change in changes.items() if name not in _ADDRESS_FIELDS)


def _change(change: FieldDiff) -> str:
    name = change.field.replace("_mac", " MAC").replace("_", " ")
    if change.field == "mark":
        return f"mark {change.old:#x} → {change.new:#x}"
    return f"{'TTL' if name == 'ttl' else name} {change.old} → {change.new}"


def verdict_words(trace: Trace) -> str:
    """How the flow ended, who answered, and whom the endpoint believes it is talking to; a line or two."""
    name = trace.disposition.value
    if trace.disposition is not Disposition.DELIVERED:
        where = f" at {trace.endpoint}" if trace.endpoint else ""
        return f"{name.capitalize()}{where}{_because(trace.why)}."
    seen = f", which saw the source {trace.source_seen}" if trace.source_seen else ""
    masked = " (the sender's own)"
    if trace.masqueraded:
        same = trace.source_seen == trace.flow.source  # a node that masquerades what it sends itself
        masked = (
            " (masqueraded: the sender's own, with another port)" if same else " (masqueraded: not the sender's own)"
        )
    answer = "The answer came back." if trace.answered else "No answer came back."
    return f"Delivered to {trace.endpoint}{seen}{masked if seen else ''}.\n{answer}"


# ---- the whole walk -----------------------------------------------------------------------------


def narrate(trace: Trace, styled: bool = False, marks: Mapping[Position, str] | None = None) -> str:
    """The walk as text. `styled`: with a terminal's bold and dim. `marks`: what to put at the end of a step's line."""
    flow = trace.flow
    sender = flow.place if flow.place == flow.source else f"{flow.place} ({flow.source})"
    to = Packet(flow.source, flow.destination, flow.protocol, 0, flow.port).to_text
    entering = f", entering by {flow.via}" if flow.via else ""
    lines = [(BOLD, f"{sender} → {to}, {flow.protocol.upper()}{entering}, in {trace.mode} mode")]
    for number, leg in enumerate(trace.legs):
        lines.append(("", ""))
        lines.extend(_leg(leg, {place[1:]: mark for place, mark in (marks or {}).items() if place[0] == number}))
    lines.append(("", ""))
    lines.extend((BOLD, line) for said in verdict_words(trace).splitlines() for line in _wrapped(said, ""))
    for node, entries in trace.entries:
        if entries:
            lines.append(("", f"conntrack entries of {node}:"))
            lines.extend(("", line) for entry in entries for line in _wrapped(entry, "  "))
    return "\n".join(f"{style}{text}{PLAIN}" if styled and style else text for style, text in lines) + "\n"


Styled = tuple[str, str]


def _leg(leg: Leg, marks: Mapping[tuple[int, int], str]) -> Iterator[Styled]:
    first = next(leg.steps, None)
    sent = f": {packet_words(first.before)}" if first is not None else ""
    for line in _wrapped(f"{leg.title.upper()}{sent}", ""):
        yield BOLD, line
    for turn, hop in enumerate(leg.hops):
        yield from _hop(hop, [marks.get((turn, count), "") for count in range(len(hop.steps))])


def _hop(hop: Hop, marks: Iterable[str]) -> Iterator[Styled]:
    yield BOLD, f"  {hop.place}" if hop.place == hop.kind else f"  {hop.kind} {hop.place}"
    hook: Hook | None = None
    for step, mark in zip(hop.steps, marks, strict=True):
        if step.hook is not None and step.hook is not hook:
            yield "", f"    {step.hook.chain}"
        hook = step.hook
        yield from _step(step, "      " if hook is not None else "    ", mark)


def _step(step: Step, indent: str, mark: str) -> Iterator[Styled]:
    detail = step.detail
    missed = isinstance(detail, RulesMissed) or (isinstance(detail, RuleTried) and not detail.matched)
    marked = f"{sentence(detail)}\N{NO-BREAK SPACE}{mark}" if mark else sentence(detail)
    for line in _wrapped(marked, indent):
        yield DIM if missed else "", line
    for text in _below(step):
        for line in _wrapped(text, indent + "    "):
            yield "", line


def _below(step: Step) -> Iterable[str]:
    """What stands under the sentence: the rule's text and who made it, the entry, the changes."""
    detail = step.detail
    if isinstance(detail, RuleTried) and detail.matched:
        yield _OPTION.sub("\\1\N{NO-BREAK SPACE}", detail.text)
        if detail.origins:
            yield f"made by {_maker(detail.origins[0])}"
    if isinstance(detail, Tracked) and detail.entry:
        yield detail.entry
    yield from change_words(step)


def _maker(origin: Origin) -> str:
    """A field of an object, or kube-proxy's own fixed rules and what they are for."""
    return f"kube-proxy itself: {origin.field}" if origin.kind == "kube-proxy" else " ".join(str(origin).split())


def _wrapped(text: str, indent: str) -> list[str]:
    """Lines of WIDTH at most where words allow; a no-break space holds words together."""
    lines = wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
