"""Rule: a small walk built by hand, with one detail of every kind, for what reads or writes traces."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from packetsim.hooks import Hook
from packetsim.packet import Packet
from packetsim.ruletext import Origin
from packetsim.trace import (
    Capture,
    ChainEnded,
    Crossed,
    Disposition,
    Ended,
    Flow,
    Hop,
    Leg,
    Noted,
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

SENT = Packet("10.244.1.9", "10.96.100.10", "tcp", 41234, 80, flags="S", sequence=7)
MARKED = SENT.with_mark(0x4000)
CHOSEN = MARKED.with_destination("10.244.2.2", 8080)
FORWARDED = CHOSEN.hopped().framed("02:00:00:00:00:01", "02:00:00:00:00:02")
RULE = "-A KUBE-SERVICES -d 10.96.100.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-ABC"
MADE_BY = Origin("Service", "shop", "web", "spec.ports[0]")


def missed(count: int) -> RulesMissed:
    def expand() -> tuple[RuleTried, ...]:
        return tuple(
            RuleTried("nat", "KUBE-SERVICES", number, f"rule {number}", False, "destination is 10.96.0.1")
            for number in range(1, count + 1)
        )

    return RulesMissed("nat", "KUBE-SERVICES", 1, count, expand)


def steps() -> tuple[Step, ...]:
    pre = Hook.PREROUTING
    return (
        Step(pre, Tracked("NEW", "tcp 6 src=10.244.1.9 [UNREPLIED]"), SENT, SENT),
        Step(pre, missed(2431), SENT, SENT),
        Step(pre, RuleTried("nat", "KUBE-SERVICES", 2432, "…", False, "destination port is 443"), SENT, SENT),
        Step(pre, RuleTried("nat", "KUBE-SERVICES", 2433, RULE, True, "", "jump", (MADE_BY,)), SENT, MARKED),
        Step(pre, Translated("destination", "10.96.100.10:80", "10.244.2.2:8080", "rule"), MARKED, CHOSEN),
        Step(pre, ChainEnded("nat", "KUBE-SVC-ABC", "KUBE-SERVICES", None), CHOSEN, CHOSEN),
        Step(pre, ChainEnded("nat", "PREROUTING", None, "ACCEPT"), CHOSEN, CHOSEN),
        Step(Hook.INPUT, Scheduled("10.96.100.10:80", "10.244.2.2:8080", "scheduled rr", "its turn"), CHOSEN, CHOSEN),
        Step(None, Routed("10.244.2.2", "10.244.2.0/24 via 192.168.10.12 dev eth0", "forward"), CHOSEN, FORWARDED),
        Step(None, ProxyAccepted("0.0.0.0:36000", "shop/web:http"), FORWARDED, FORWARDED),
        Step(None, ProxyDialled("10.244.2.2:8080", 1, Fraction(1, 4), "timed out", "silence"), FORWARDED, FORWARDED),
        Step(None, ProxyCopied("10.244.1.9:41234", "10.244.2.2:8080"), FORWARDED, FORWARDED),
        Step(None, Noted("nothing is registered here"), FORWARDED, FORWARDED),
        Step(None, Crossed("wire", "eth0", "eth0", "node2"), FORWARDED, FORWARDED),
    )


def captures() -> tuple[Capture, ...]:
    return (
        Capture("shop/client", "eth0", "out", SENT, ()),
        Capture("node1", "eth0", "out", FORWARDED, (f"nat KUBE-SERVICES rule 2433: {RULE}", "second comment")),
        Capture("node2", "eth0", "in", FORWARDED, ()),
        Capture("node1", "eth0", "in", replace(SENT, flags="SA"), ()),
    )


def trace() -> Trace:
    arrived = Step(None, Ended(Disposition.DELIVERED, "it listens"), FORWARDED, FORWARDED)
    hops = (Hop("node1", "node", steps()), Hop("node2", "node", (arrived,)))
    return Trace(
        flow=Flow("shop/client", "10.244.1.9", "10.96.100.10", 80, "tcp"),
        mode="iptables",
        legs=(Leg("request", hops, captures(), Disposition.DELIVERED, "it listens"),),
        disposition=Disposition.DELIVERED,
        why="it listens",
        endpoint="10.244.2.2:8080",
        source_seen="10.244.1.9",
        masqueraded=False,
        answered=True,
        entries=(("node1", ("tcp 6 ESTABLISHED src=10.244.1.9",)), ("node2", ())),
    )
