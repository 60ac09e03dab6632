"""Rule: a walk read aloud says what the trace says, in lines that fit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.narration import WIDTH, narrate, packet_words, sentence, verdict_words
from packetsim.packet import Packet
from packetsim.ruletext import Origin
from packetsim.trace import Crossed, Detail, Disposition, Ended, Routed, RuleTried
from tests.packetsim import walks

TEXT = narrate(walks.trace())


@pytest.mark.parametrize(
    "line",
    [
        "shop/client (10.244.1.9) → 10.96.100.10:80, TCP, in iptables mode",
        "REQUEST: TCP SYN 10.244.1.9:41234 → 10.96.100.10:80",
        "  node node1",
        "    PREROUTING",
        "      conntrack: NEW",
        "          tcp 6 src=10.244.1.9 [UNREPLIED]",
        "      nat KUBE-SERVICES: 2,431 rules do not match (first: destination is 10.96.0.1)",
        "      nat KUBE-SERVICES: rule 2432 does not match: destination port is 443",
        "      nat KUBE-SERVICES: rule 2433 matches: jump",
        f"          {walks.RULE}",
        "          made by Service shop/web spec.ports[0]",
        "          mark 0x0 → 0x4000",
        "      destination translated by the rule: 10.96.100.10:80 → 10.244.2.2:8080",
        "      nat KUBE-SVC-ABC: no rule is left; back to KUBE-SERVICES",
        "      nat PREROUTING: no rule is left; the policy decides: ACCEPT",
        "    INPUT",
        "      IPVS 10.96.100.10:80: scheduled rr, to 10.244.2.2:8080 (its turn)",
        "    routing: 10.244.2.2 is by `10.244.2.0/24 via 192.168.10.12 dev eth0`; it goes on",
        "        TTL 64 → 63",
        "        source MAC 00:00:00:00:00:00 → 02:00:00:00:00:01",
        "    kube-proxy's socket 0.0.0.0:36000 accepts the connection, for shop/web:http",
        "    kube-proxy dials 10.244.2.2:8080, attempt 1 (timeout 0.25 s): timed out; silence",
        "    kube-proxy copies the bytes from 10.244.1.9:41234 to 10.244.2.2:8080",
        "    nothing is registered here",
        "    leaves by eth0, crosses the wire, reaches node2 at eth0",
        "    the packet arrives: it listens",
        "Delivered to 10.244.2.2:8080, which saw the source 10.244.1.9 (the sender's own).",
        "The answer came back.",
        "conntrack entries of node1:",
        "  tcp 6 ESTABLISHED src=10.244.1.9",
    ],
)
def test_every_kind_of_step_is_a_line(line: str) -> None:
    assert line in TEXT.splitlines()


def test_a_mark_stands_at_the_end_of_its_steps_sentence_and_never_alone() -> None:
    every = {(0, 0, count): "✓" for count in range(len(walks.steps()))}
    lines = narrate(walks.trace(), marks=every).splitlines()
    assert "      nat KUBE-SERVICES: rule 2433 matches: jump ✓" in lines
    assert [line.removesuffix(" ✓") for line in lines] == TEXT.splitlines()
    assert sum(line.endswith("✓") for line in lines) == len(every)
    assert "✓" not in TEXT


def test_lines_fit_and_carry_no_colours() -> None:
    assert max(map(len, TEXT.splitlines())) <= WIDTH
    assert "\033" not in TEXT
    assert "conntrack entries of node2" not in TEXT


def test_a_terminal_gets_the_same_words() -> None:
    styled = narrate(walks.trace(), styled=True)
    assert "\033[2m      nat KUBE-SERVICES: 2,431" in styled
    for code in ("\033[0m", "\033[1m", "\033[2m"):
        styled = styled.replace(code, "")
    assert styled == TEXT


def test_a_translation_is_told_once() -> None:
    assert TEXT.count("10.96.100.10:80 → 10.244.2.2:8080") == 1


def test_a_change_of_address_without_translation_is_told() -> None:
    trace = walks.trace()
    step = replace(walks.steps()[4], detail=walks.steps()[7].detail)
    hop = replace(trace.legs[0].hops[0], steps=(step,))
    text = narrate(replace(trace, legs=(replace(trace.legs[0], hops=(hop,)),)))
    assert "destination 10.96.100.10:80 → 10.244.2.2:8080" in text


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (walks.missed(1), "nat KUBE-SERVICES: rule 1 does not match: destination is 10.96.0.1"),
        (RuleTried("nat", "C", 1, "", False), "nat C: rule 1 does not match"),
        (RuleTried("nat", "C", 1, "", True), "nat C: rule 1 matches"),
        (Routed("10.9.9.9", "", "unreachable"), "routing: no route to 10.9.9.9"),
        (Crossed("veth", "eth0", "veth1", "node1"), "leaves by eth0, crosses a veth pair, reaches node1 at veth1"),
        (Ended(Disposition.DROPPED, ""), "the packet is dropped"),
    ],
)
def test_sentences(detail: Detail, words: str) -> None:
    assert sentence(detail) == words


def read_aloud(detail: Detail) -> list[str]:
    trace = walks.trace()
    hop = replace(trace.legs[0].hops[0], steps=(replace(walks.steps()[0], detail=detail),))
    return narrate(replace(trace, legs=(replace(trace.legs[0], hops=(hop,)),))).splitlines()


def test_a_rule_breaks_between_its_options() -> None:
    start = '-A KUBE-SVC-67NZLRHBNDSAWJRO -m comment --comment "shop/web:http -> 10.244.2.2:8080"'
    lines = read_aloud(RuleTried("nat", "C", 1, f"{start} -m statistic --mode random", True))
    assert lines[lines.index(f"          {start}") + 1] == "            -m statistic --mode random"


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (Origin("kube-proxy", "", "", "masquerade"), "made by kube-proxy itself: masquerade"),
        (Origin("KubeProxyConfiguration", "", "", "clusterCIDR"), "made by KubeProxyConfiguration clusterCIDR"),
        (Origin("Service", "shop", "web", "spec.clusterIP"), "made by Service shop/web spec.clusterIP"),
    ],
)
def test_who_made_a_rule_is_told(origin: Origin, words: str) -> None:
    assert f"          {words}" in read_aloud(RuleTried("nat", "C", 1, "-A C", True, origins=(origin,)))


def test_verdicts() -> None:
    trace = walks.trace()
    masked = replace(trace, masqueraded=True, source_seen="192.168.10.11", answered=False)
    assert verdict_words(masked) == (
        "Delivered to 10.244.2.2:8080, which saw the source 192.168.10.11 (masqueraded: not the sender's own).\n"
        "No answer came back."
    )
    same = replace(trace, masqueraded=True, source_seen=trace.flow.source)
    assert f"{trace.flow.source} (masqueraded: the sender's own, with another port)" in verdict_words(same)
    refused = replace(trace, disposition=Disposition.REFUSED, why="nobody listens")
    assert verdict_words(refused) == "Refused at 10.244.2.2:8080: nobody listens."
    assert verdict_words(replace(refused, endpoint=None, disposition=Disposition.DROPPED)) == "Dropped: nobody listens."


def test_an_error_tells_what_it_is_about() -> None:
    error = Packet("10.244.1.1", "10.244.1.9", "icmp", icmp_type=3, icmp_code=3, quoted=walks.SENT)
    assert packet_words(error) == (
        "ICMP type 3 code 3 10.244.1.1 → 10.244.1.9, about TCP SYN 10.244.1.9:41234 → 10.96.100.10:80"
    )
    assert packet_words(Packet("fd00::1", "fd00::2", "udp", 5, 53)) == "UDP [fd00::1]:5 → [fd00::2]:53"
