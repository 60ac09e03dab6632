"""Rule: for each match and statement, a packet that meets it and one that does not, with the why a learner reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.nftables.fields import numgen_odds
from packetsim.kernel.visit import Outcome, Translation, Verdict
from packetsim.packet import Packet
from packetsim.trace import RuleTried
from tests.packetsim.kernel.nftables.worked import loaded, packet, visit

CHAIN = """\
table {family} t {{
	set addresses {{
		type {family}v4_addr
		flags interval
		elements = {{ 10.96.0.1, 10.0.0.0/30, 10.0.1.4-10.0.1.6 }}
	}}

	set hairpin {{
		type ipv4_addr . ipv4_addr . inet_proto . inet_service
		elements = {{ 10.0.0.1 . 10.0.0.1 . tcp . 80 }}
	}}

	set full {{
		type ipv4_addr
		size 1
		flags dynamic,timeout
		elements = {{ 9.9.9.9 expires 1h }}
	}}

	map ports {{
		type inet_service : verdict
		elements = {{ 80 : goto other }}
	}}

	map targets {{
		type inet_service : ipv4_addr . inet_service
		elements = {{ 80 : 10.1.1.1 . 8080 }}
	}}

	chain other {{
	}}

	chain c {{
		type filter hook prerouting priority filter; policy accept;
		{rule}
	}}
}}
"""
SIX = "\n".join(
    [
        "table ip6 t {",
        "\tchain c {",
        "\t\ttype filter hook prerouting priority filter; policy accept;",
        "\t\t{rule}",
        "\t}",
        "}",
    ]
)
A, B = "10.244.1.9", "10.96.0.1"
PLAIN = packet(A, B)


def _rule(rule: str, one: Packet, **asked: Any) -> RuleTried:
    """What became of the packet at this one rule."""
    text = CHAIN.format(family="ip", rule=rule) if one.family == 4 else SIX.replace("{rule}", rule)
    it = visit(one, **asked)
    [base] = loaded(text).base_chains(Hook.PREROUTING, one.family)
    base.run(it)
    tried = [step.detail for step in it.steps or () if isinstance(step.detail, RuleTried)]
    assert tried[0].text == rule
    return tried[0]


@dataclass(frozen=True)
class Case:
    """`hit` meets the rule; `miss` does not, because of `why`."""

    rule: str
    hit: Packet | None
    miss: Packet | None
    why: str = ""


ICMP = Packet(A, B, "icmp", icmp_type=8)
UDP = packet(A, B, 80, "udp")
CASES = (
    Case("ip daddr 10.96.0.1", PLAIN, packet(A, "10.96.0.2"), "destination 10.96.0.2, not 10.96.0.1"),
    Case("ip daddr != 10.96.0.1", packet(A, "10.96.0.2"), PLAIN, "destination 10.96.0.1, and must not be"),
    Case("ip saddr 10.244.0.0/16", PLAIN, packet("10.245.0.1", B), "source 10.245.0.1 is not in 10.244.0.0/16"),
    Case("ip saddr != 10.244.0.0/16", packet("10.245.0.1", B), PLAIN, "source 10.244.1.9 is in 10.244.0.0/16"),
    Case(
        "ip saddr 10.244.1.0-10.244.1.9",
        PLAIN,
        packet("10.244.1.10", B),
        "source 10.244.1.10 is not in 10.244.1.0-10.244.1.9",
    ),
    Case("ip daddr @addresses", PLAIN, packet(A, "10.96.0.2"), "destination 10.96.0.2 is not in @addresses"),
    Case(
        "ip daddr @addresses", packet(A, "10.0.0.3"), packet(A, "10.0.0.4"), "destination 10.0.0.4 is not in @addresses"
    ),
    Case(
        "ip daddr @addresses", packet(A, "10.0.1.6"), packet(A, "10.0.1.7"), "destination 10.0.1.7 is not in @addresses"
    ),
    Case(
        "ip daddr @addresses",
        packet(A, "10.0.1.4"),
        packet(A, "9.255.255.255"),
        "destination 9.255.255.255 is not in @addresses",
    ),
    Case("ip daddr != @addresses", packet(A, "10.96.0.2"), PLAIN, "destination 10.96.0.1 is in @addresses"),
    Case(
        "ip daddr { 10.96.0.1, 10.96.0.9 }",
        PLAIN,
        packet(A, "10.96.0.2"),
        "destination 10.96.0.2 is not in { 10.96.0.1, 10.96.0.9 }",
    ),
    Case(
        "ip saddr != { 10.0.0.0/8, 10.1.0.0/16 }",
        packet("9.9.9.9", B),
        packet("10.200.0.1", B),
        "source 10.200.0.1 is in { 10.0.0.0/8, 10.1.0.0/16 }",
    ),
    Case("ip saddr { 10.244.0.0-10.244.1.5, 10.244.1.0-10.244.1.20, 10.244.1.7 }", PLAIN, None),
    Case("tcp dport { 1, 2, 3, 4, 80 }", PLAIN, packet(A, B, 81), "destination port 81 is not in the 5 of the rule"),
    Case("tcp dport 80", PLAIN, packet(A, B, 81), "destination port 81, not 80"),
    Case("tcp dport 80", None, UDP, "protocol udp, not tcp"),
    Case("tcp dport != 80", packet(A, B, 81), UDP, "protocol udp, not tcp"),
    Case("udp sport 40000-50000", UDP, PLAIN, "protocol tcp, not udp"),
    Case("sctp dport 80", packet(A, B, 80, "sctp"), PLAIN, "protocol tcp, not sctp"),
    Case("th dport 80", UDP, packet(A, B, 81), "destination port 81, not 80"),
    # of ICMP the same two bytes are the checksum, of an echo request without data 0xf7ff
    Case("th dport 63487", ICMP, UDP, "destination port 80, not 63487"),
    Case("th sport 2048", ICMP, UDP, "source port 40000, not 2048"),
    Case("meta l4proto tcp", PLAIN, UDP, "protocol udp, not tcp"),
    Case("meta l4proto { tcp, udp }", UDP, ICMP, "protocol icmp is not in { tcp, udp }"),
    Case("ip protocol udp", UDP, PLAIN, "protocol tcp, not udp"),
    Case("meta l4proto gre", None, PLAIN, "protocol tcp, not gre"),
    Case(
        "ip daddr . meta l4proto . th dport { 10.96.0.1 . tcp . 80 }",
        PLAIN,
        UDP,
        "10.96.0.1 . udp . 80 is not in { 10.96.0.1 . tcp . 80 }",
    ),
    Case("ip daddr . tcp dport { 10.96.0.1 . 80 }", PLAIN, UDP, "protocol udp, not tcp"),
    Case(
        "ip saddr . ip daddr . meta l4proto . th dport @hairpin",
        packet("10.0.0.1", "10.0.0.1"),
        PLAIN,
        f"{A} . {B} . tcp . 80 is not in @hairpin",
    ),
    Case("ip daddr . tcp dport @hairpin", None, UDP, "protocol udp, not tcp"),
    Case("meta mark 0x00004000", packet(A, B, mark=0x4000), PLAIN, "mark 0x0, not 0x00004000"),
    Case(
        "meta mark & 0x00004000 == 0x00000000",
        PLAIN,
        packet(A, B, mark=0x4001),
        "mark 0x4001 & 0x4000 is 0x4000, not 0x0",
    ),
    Case("meta mark & 0x00004000 != 0x00000000", packet(A, B, mark=0x4001), PLAIN, "mark 0x0 & 0x4000 is 0x0"),
    Case(
        "meta mark 0x00000000/1",
        packet(A, B, mark=0x7FFFFFFF),
        packet(A, B, mark=0x80000000),
        "mark 0x80000000 is not in 0x00000000/1",
    ),
    Case("meta mark 0x01000000/8", packet(A, B, mark=0x01000000), PLAIN, "mark 0x0 is not in 0x01000000/8"),
    Case("fib daddr type local", packet(A, "192.168.10.11"), PLAIN, "destination 10.96.0.1 is not local"),
    Case("fib saddr type != local", PLAIN, packet("192.168.10.11", B), "source 192.168.10.11 is local"),
    Case("ct state new", PLAIN, None),
    Case('iifname "eth0"', PLAIN, None),
    Case('iifname "eth*"', PLAIN, None),
    Case('iifname != "cni*"', PLAIN, None),
    Case('iif "eth0"', PLAIN, None),
    Case("tcp dport vmap @ports", PLAIN, packet(A, B, 81), "destination port 81 is not in @ports"),
    Case("tcp dport vmap @ports", None, UDP, "protocol udp, not tcp"),
    Case(
        "ip daddr vmap { 10.96.0.0/12 : goto other, 9.9.9.9 : drop }",
        PLAIN,
        packet(A, "9.9.9.8"),
        "destination 9.9.9.8 is not in the rule's map",
    ),
    Case("reject with tcp reset", PLAIN, UDP, "protocol udp, not tcp"),
    Case("update @full { ip saddr }", packet("9.9.9.9", B), PLAIN, "@full is full"),
    Case("update @full { ip saddr . tcp dport }", None, UDP, "protocol udp, not tcp"),
    Case(
        "meta l4proto tcp dnat ip to tcp dport map @targets",
        PLAIN,
        packet(A, B, 81),
        "destination port 81 is not in @targets",
    ),
    Case("dnat ip to tcp dport map @targets", PLAIN, UDP, "protocol udp, not tcp"),
    Case(
        "ip6 daddr fd00::1",
        packet("fd00::9", "fd00::1"),
        packet("fd00::9", "fd00::2"),
        "destination fd00::2, not fd00::1",
    ),
    Case(
        "ip6 saddr fd00::/64",
        packet("fd00::9", "fd00::1"),
        packet("fd01::9", "fd00::1"),
        "source fd01::9 is not in fd00::/64",
    ),
    Case("th dport 80", packet("fd00::9", "fd00::1"), None),
    Case("th sport 260", Packet("fd00::9", "fd00::1", "icmpv6", icmp_type=1, icmp_code=4), None),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_matches_what_it_says_and_tells_why_not(case: Case) -> None:
    if case.hit is not None:
        assert _rule(case.rule, case.hit).matched
    if case.miss is not None:
        tried = _rule(case.rule, case.miss)
        assert (tried.matched, tried.why) == (False, case.why)


WITH_STATE: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("ct state new", {"state": "ESTABLISHED"}, "state established, not new"),
    ("ct state established,related", {"state": "NEW"}, "state new, not established or related"),
    ("ct state { established, related }", {"state": "NEW"}, "state new, not established or related"),
    ("ct state != new", {"state": "NEW"}, "state new, and must not be"),
    ("ct status dnat", {"snat": True}, "the connection has no status dnat"),
    ("ct status snat,dnat", {}, "the connection has no status snat or dnat"),
    ('iifname "eth0"', {"in_interface": "cni0"}, 'in interface cni0, not "eth0"'),
    ('iifname "eth*"', {"in_interface": "cni0"}, 'in interface cni0 is not in "eth*"'),
    ('oifname "eth0"', {}, 'no out interface, not "eth0"'),
    ('oif "eth0"', {"out_interface": "eth1"}, 'out interface eth1, not "eth0"'),
    ("ct state vmap { invalid : drop }", {}, "state new is not in the rule's map"),
    (
        "numgen random mod 3 vmap { 0 : goto other, 1 : goto other }",
        {"ways": (2,)},
        "the number drawn is not in the rule's map",
    ),
)


@pytest.mark.parametrize(("rule", "asked", "why"), WITH_STATE)
def test_what_the_connection_and_the_interfaces_say(rule: str, asked: dict[str, Any], why: str) -> None:
    tried = _rule(rule, PLAIN, **asked)
    assert (tried.matched, tried.why) == (False, why)


def test_a_connection_that_was_translated_has_that_status() -> None:
    assert _rule("ct status dnat", PLAIN, dnat=True).matched
    assert _rule("ct status snat,dnat", PLAIN, snat=True).matched


def _verdict(rule: str, one: Packet = PLAIN, **asked: Any) -> Verdict:
    text = CHAIN.format(family="ip", rule=rule) if one.family == 4 else SIX.replace("{rule}", rule)
    [base] = loaded(text).base_chains(Hook.PREROUTING, one.family)
    return base.run(visit(one, recorded=False, **asked))


TRANSLATIONS = (
    ("dnat to 10.1.1.1", Translation("dnat", "10.1.1.1")),
    ("meta l4proto tcp dnat to 10.1.1.1:80", Translation("dnat", "10.1.1.1", 80)),
    ("snat to 10.1.1.1:80 fully-random", Translation("snat", "10.1.1.1", 80, fully_random=True)),
    ("masquerade", Translation("masquerade")),
    ("masquerade random", Translation("masquerade", fully_random=True)),
    ("masquerade fully-random", Translation("masquerade", fully_random=True)),
    ("redirect", Translation("redirect")),
    ("redirect to :8080", Translation("redirect", port=8080)),
    ("dnat ip to tcp dport map @targets", Translation("dnat", "10.1.1.1", 8080)),
    ("dnat to numgen random mod 2 map { 0 : 10.1.1.1, 1 : 10.1.1.2 }", Translation("dnat", "10.1.1.2")),
    ("dnat ip to numgen random mod 2 map { 0 : 10.1.1.1 . 8, 1 : 10.1.1.2 . 9 }", Translation("dnat", "10.1.1.2", 9)),
)


@pytest.mark.parametrize(("rule", "translation"), TRANSLATIONS)
def test_translations(rule: str, translation: Translation) -> None:
    assert _verdict(rule, ways=(1,)) == Verdict(Outcome.TRANSLATE, translation, why="ip t/c rule 1")


def test_translations_of_ipv6() -> None:
    six = packet("fd00::9", "fd00::1")
    assert _verdict("meta l4proto tcp dnat to [fd00::2]:80", six).translation == Translation("dnat", "fd00::2", 80)
    by_map = "meta l4proto tcp dnat ip6 to numgen random mod 1 map { 0 : fd00::2 . 80 }"
    assert _verdict(by_map, six).translation == Translation("dnat", "fd00::2", 80)
    assert _verdict("dnat to numgen random mod 1 map { 0 : fd00::2 }", six).translation == Translation(
        "dnat", "fd00::2"
    )


REJECTIONS = (
    ("reject", PLAIN, "icmp-port-unreachable"),
    ("reject", packet("fd00::9", "fd00::1"), "icmp6-port-unreachable"),
    ("reject with icmp host-unreachable", PLAIN, "icmp-host-unreachable"),
    ("reject with icmpv6 admin-prohibited", packet("fd00::9", "fd00::1"), "icmp6-adm-prohibited"),
    ("reject with tcp reset", PLAIN, "tcp-reset"),
)


@pytest.mark.parametrize(("rule", "one", "answer"), REJECTIONS)
def test_rejections(rule: str, one: Packet, answer: str) -> None:
    place = "ip t/c rule 1" if one.family == 4 else "ip6 t/c rule 1"
    assert _verdict(rule, one) == Verdict(Outcome.REJECT, reject_with=answer, why=place)


MARKS = (
    ("meta mark set 0x00000010", 0x10),
    ("meta mark set meta mark | 0x00004001", 0x4003),
    ("meta mark set meta mark & 0x00000002", 0x2),
    ("meta mark set meta mark ^ 0x00000001", 0x2),
    ("meta mark set meta mark & 0x00000001 | 0x00004000", 0x4001),
    ("meta mark set meta mark & 0x00000001 ^ 0x00004001", 0x4000),
)


@pytest.mark.parametrize(("rule", "mark"), MARKS)
def test_marks(rule: str, mark: int) -> None:
    one = visit(packet(A, B, mark=0x3))
    [base] = loaded(CHAIN.format(family="ip", rule=rule)).base_chains(Hook.PREROUTING, 4)
    base.run(one)
    assert one.packet.mark == mark
    step = (one.steps or [])[0]
    assert (step.before.mark, step.after.mark) == (0x3, mark)


@pytest.mark.parametrize("modulus", [1, 2, 3, 7, 10, 1000])
def test_numgen_has_the_odds_of_32_random_bits(modulus: int) -> None:
    odds = numgen_odds(modulus)
    assert sum(odds.weights) == 2**32
    assert odds.meant == (Fraction(1, modulus),) * modulus
    drawn = [x * modulus >> 32 for x in range(0, 2**32, 2**32 // 4096)]
    borders = [sum(odds.weights[:way]) for way in range(modulus)]
    assert [border * modulus >> 32 for border in borders] == list(range(modulus))
    assert [(border - 1) * modulus >> 32 for border in borders[1:]] == list(range(modulus - 1))
    assert max(drawn) < modulus


def test_three_ways_are_not_quite_even() -> None:
    assert numgen_odds(3).weights == (1431655766, 1431655765, 1431655765)


WRONG_MAPS = (
    ("tcp dport vmap @targets", "@targets is no verdict map"),
    ("dnat to tcp dport map @targets", "@targets does not hold what dnat to tcp dport map @targets needs"),
    ("dnat ip6 to tcp dport map @targets", "@targets does not hold what"),
    ("dnat ip to tcp dport map @ports", "@ports does not hold what"),
    ("ip daddr @nowhere accept", "@nowhere does not exist in table ip t; add the set before the rule"),
    ("jump nowhere", "chain nowhere does not exist in table ip t; add it before the rule"),
)


@pytest.mark.parametrize(("rule", "message"), WRONG_MAPS)
def test_a_rule_that_asks_what_is_not_there_is_refused(rule: str, message: str) -> None:
    with pytest.raises(RuleTextError) as refusal:
        _verdict(rule)
    assert refusal.value.place == "ip t/c rule 1"
    assert message in str(refusal.value)
