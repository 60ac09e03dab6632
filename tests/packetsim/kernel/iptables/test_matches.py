"""Every match: when it holds, and what it says when it does not."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from packetsim.dice import Odds
from packetsim.hooks import Hook
from packetsim.kernel.iptables.line import parse_rule
from packetsim.kernel.iptables.memory import odds_of, steps_of
from packetsim.packet import Packet
from tests.packetsim.kernel.iptables.lab import POD, Connection, Elements, Falls, NodeFacts, a_visit

UDP = replace(POD, protocol="udp")
PING = Packet("10.244.1.9", "10.96.100.10", "icmp", icmp_type=8)
PING6 = Packet("fd00::9", "fd00::10", "icmpv6", icmp_type=1, icmp_code=4)
POD6 = Packet("fd00::9", "fd00::10", "tcp", 40000, 80)
LOCAL = replace(POD, destination="192.168.10.11")
MARKED = POD.with_mark(0x4001)

# (match, packet or fields of the visit, why it misses or "" when it holds)
ROWS: list[tuple[str, object, str]] = [
    ("-s 10.244.1.9/32", POD, ""),
    ("-s 10.244.1.5/32", POD, "source 10.244.1.9, not 10.244.1.5"),
    ("-s 10.245.0.0/16", POD, "source 10.244.1.9, not 10.245.0.0/16"),
    ("! -s 10.244.0.0/16", POD, "source 10.244.1.9 is in 10.244.0.0/16"),
    ("! -s 10.244.1.9/32", POD, "source is 10.244.1.9"),
    ("! -s 10.0.0.0/16", POD, ""),
    ("-d 10.96.0.0/12", POD, ""),
    ("-d 10.96.0.1/32", POD, "destination 10.96.100.10, not 10.96.0.1"),
    ("! -d 10.96.0.0/12", POD, "destination 10.96.100.10 is in 10.96.0.0/12"),
    ("-i cni0", POD, ""),
    ("-i cni+", POD, ""),
    ("-i eth+", POD, "in interface cni0, not eth+"),
    ("-i cni", POD, "in interface cni0, not cni"),
    ("! -i cni0", POD, "in interface is cni0"),
    ("-i eth0", {"in_interface": None}, "no in interface here"),
    ("! -i eth0", {"in_interface": None}, ""),
    ("-o eth0", {"out_interface": "eth0"}, ""),
    ("-o eth0", POD, "no out interface here"),
    ("! -o eth+", {"out_interface": "eth1"}, "out interface is eth1"),
    ("-p tcp", POD, ""),
    ("-p tcp", UDP, "protocol udp, not tcp"),
    ("-p 17", POD, "protocol tcp, not udp"),
    ("! -p tcp", POD, "protocol is tcp"),
    ("-p gre", POD, "protocol tcp, not gre"),
    ("-p tcp -m tcp --dport 80", POD, ""),
    ("-p tcp -m tcp --dport 443", POD, "dport 80, not 443"),
    ("-p tcp -m tcp --dport 70:79", POD, "dport 80, not 70:79"),
    ("-p tcp -m tcp --dport :80", POD, ""),
    ("-p tcp -m tcp ! --dport 80", POD, "dport is 80"),
    ("-p tcp -m tcp ! --dport 1:100", POD, "dport 80 is in 1:100"),
    ("-p tcp -m tcp --sport 1024: --dport 80", POD, ""),
    ("-p tcp -m tcp --sport 1:1023 --dport 443", POD, "sport 40000, not 1:1023"),
    ("-p udp -m udp --dport 80", UDP, ""),
    ("-p sctp -m sctp --dport 80", replace(POD, protocol="sctp"), ""),
    ("-p tcp -m multiport --dports 22,70:90", POD, ""),
    ("-p tcp -m multiport --dports 22,443", POD, "dport 80, not in 22,443"),
    ("-p tcp -m multiport ! --dports 80", POD, "dport 80 is in 80"),
    ("-p tcp -m multiport --sports 80", POD, "sport 40000, not in 80"),
    ("-p tcp -m multiport --ports 80", POD, ""),
    ("-p tcp -m multiport --ports 22", POD, "ports 40000 and 80, not in 22"),
    ("-p icmp -m icmp --icmp-type 8", PING, ""),
    ("-p icmp -m icmp --icmp-type any", PING, ""),
    ("-p icmp -m icmp --icmp-type 3", PING, "ICMP type 8, not 3"),
    ("-p icmp -m icmp --icmp-type 8/1", PING, "ICMP type 8/0, not 8/1"),
    ("-p icmp -m icmp ! --icmp-type 8", PING, "ICMP type is 8"),
    ("-p icmp -m icmp ! --icmp-type any", PING, "ICMP type is any"),
    ("-p ipv6-icmp -m icmp6 --icmpv6-type 1/4", PING6, ""),
    ("-p icmpv6 -m icmp6 --icmpv6-type 128", PING6, "ICMP type 1, not 128"),
    ('-m comment --comment "to be read"', POD, ""),
    ("-m nfacct --nfacct-name counted", POD, ""),
    ("-m conntrack --ctstate NEW", POD, ""),
    ("-m conntrack --ctstate RELATED,ESTABLISHED", POD, "state NEW, not RELATED,ESTABLISHED"),
    ("-m conntrack ! --ctstate NEW", POD, "state NEW is one of NEW"),
    ("-m conntrack --ctstate DNAT", {"dnat": True}, ""),
    ("-m conntrack --ctstate SNAT", {"dnat": True}, "state NEW, not SNAT"),
    ("-m conntrack ! --ctstate ESTABLISHED,DNAT", {"dnat": True}, "state NEW,DNAT is one of ESTABLISHED,DNAT"),
    ("-m conntrack ! --ctstate ESTABLISHED,SNAT", {"snat": True}, "state NEW,SNAT is one of ESTABLISHED,SNAT"),
    ("-m state --state INVALID", {"state": "INVALID"}, ""),
    ("-m state --state NEW", {"state": "ESTABLISHED"}, "state ESTABLISHED, not NEW"),
    ("-m mark --mark 0x4000/0x4000", MARKED, ""),
    ("-m mark --mark 0x4000/0x4000", POD, "mark 0x0 has no bit 0x4000"),
    ("-m mark ! --mark 0x4000/0x4000", MARKED, "mark 0x4001 has bit 0x4000"),
    ("-m mark --mark 0x4000", MARKED, "mark 0x4001, not 0x4000"),
    ("-m mark --mark 0x2/0xff", MARKED, "mark 0x4001, not 0x2/0xff"),
    ("-m mark ! --mark 0x1/0xff", MARKED, "mark 0x4001 is 0x1/0xff"),
    ("-m addrtype --dst-type LOCAL", LOCAL, ""),
    ("-m addrtype --dst-type LOCAL", POD, "destination 10.96.100.10 is UNICAST, not LOCAL"),
    ("-m addrtype ! --src-type LOCAL", POD, ""),
    ("-m addrtype --src-type LOCAL,BROADCAST", POD, "source 10.244.1.9 is UNICAST, not LOCAL,BROADCAST"),
    ("-m addrtype --src-type UNICAST ! --dst-type LOCAL", LOCAL, "destination 192.168.10.11 is LOCAL"),
    ("-m physdev --physdev-is-in", {"physical_in": "veth1"}, ""),
    ("-m physdev --physdev-is-in", POD, "did not come in by a bridge port"),
    ("-m physdev ! --physdev-is-in", POD, ""),
    ("-m physdev ! --physdev-is-in", {"physical_in": "veth1"}, "came in by a bridge port"),
    ("-m physdev --physdev-is-in --physdev-is-bridged", {"physical_in": "veth1"}, "is not being bridged"),
    ("-m physdev ! --physdev-is-bridged", {"physical_out": "veth1"}, "is being bridged"),
    ("-m physdev --physdev-is-out", POD, "does not leave by a bridge port"),
    ("-m physdev ! --physdev-is-out", {"physical_out": "veth1"}, "leaves by a bridge port"),
    ("-m statistic --mode random --probability 0.33333333349", {"dice": Falls(0)}, ""),
    ("-m statistic --mode random --probability 0.33333333349", {"dice": Falls(1)}, "rolled a miss (1 in 3)"),
    ("-m statistic --mode random ! --probability 0.33333333349", {"dice": Falls(0)}, "rolled a miss (2 in 3)"),
    ("-m statistic --mode random --probability 1.00000000000", {"dice": Falls(1)}, ""),
    ("-m statistic --mode random --probability 0.00000000000", {"dice": Falls(0)}, "rolled a miss (0 in 1)"),
    ("-m recent --set --name seen", POD, ""),
    ("-m recent ! --set --name seen", POD, "10.244.1.9 remembered in seen, and the match is negated"),
    ("-m recent --rcheck --seconds 60 --reap --name seen", POD, "10.244.1.9 not seen in seen within 60 s"),
    ("-m recent --rcheck --name seen --rdest", POD, "10.96.100.10 not seen in seen"),
    ("-m recent ! --rcheck --name seen", POD, ""),
]


def why(match: str, given: object) -> str:
    visit = a_visit(given) if isinstance(given, Packet) else a_visit(POD, **given)  # type: ignore[arg-type]
    rule = parse_rule(f"-A C {match}", visit.packet.family, "filter", "C", 1)
    return rule.missed(visit)


@pytest.mark.parametrize(("match", "given", "expected"), ROWS)
def test_a_match_holds_or_says_why_not(match: str, given: object, expected: str) -> None:
    assert why(match, given) == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("--match-set IPS dst,dst", ""),
        ("--match-set NONE dst,dst", "10.96.100.10,tcp:80 not in set NONE"),
        ("! --match-set IPS dst,dst", "10.96.100.10,tcp:80 is in set IPS"),
    ],
)
def test_a_set_is_asked(match: str, expected: str) -> None:
    sets = {"IPS": Elements(frozenset({"10.96.100.10,tcp:80"})), "NONE": Elements(frozenset())}
    assert why(f"-m set {match}", {"facts": NodeFacts(sets=sets)}) == expected


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("--vproto 6 --vaddr 203.0.113.50/32 --vport 80", ""),
        ("--vproto 17 --vport 80", "IPVS protocol tcp, not udp"),
        ("--vport 81 --vaddr 203.0.113.51/32", "IPVS port 80, not 81"),
        ("! --vport 80", "IPVS port is 80"),
        ("--vaddr 203.0.113.51/32", "IPVS address 203.0.113.50, not 203.0.113.51"),
        ("! --vproto 6", "IPVS protocol is tcp"),
    ],
)
def test_the_ipvs_connection_is_asked(match: str, expected: str) -> None:
    assert why(f"-m ipvs {match}", {"facts": NodeFacts(connection=Connection())}) == expected
    assert why(f"-m ipvs {match}", POD) == "not of an IPVS connection"


def test_the_first_match_that_fails_is_named() -> None:
    line = "! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m mark --mark 0x1 -m tcp --dport 443"
    assert why(line, POD) == "source 10.244.1.9 is in 10.244.0.0/16"
    assert why(line.replace("! -s", "-s"), POD) == "destination 10.96.100.10, not 10.96.0.1"
    assert why("-p tcp -m mark --mark 0x1 -m tcp --dport 443", POD) == "mark 0x0, not 0x1"


def test_addresses_are_remembered_and_found() -> None:
    facts = NodeFacts()
    assert why("-m recent --set --name seen", {"facts": facts}) == ""
    assert why("-m recent --rcheck --seconds 60 --reap --name seen", {"facts": facts, "now": 1060.0}) == ""
    assert why("-m recent --rcheck --seconds 60 --name seen", {"facts": facts, "now": 1061.0}) != ""
    assert why("-m recent ! --rcheck --name seen", {"facts": facts}) == "10.244.1.9 seen in seen"


def test_ipv6_is_matched_alike() -> None:
    visit = a_visit(POD6, Hook.FORWARD)
    rule = parse_rule("-A C ! -s fd00::/64 -d fd00::10 -p tcp --dport 80", 6, "filter", "C", 1)
    assert rule.missed(visit) == "source fd00::9 is in fd00::/64"


@pytest.mark.parametrize("ways", [*range(2, 200), 1000, 4999, 30011])
def test_the_fraction_meant_is_found_in_ten_decimals(ways: int) -> None:
    steps = steps_of(float(f"{1 / ways:.10f}"))
    assert odds_of(steps) == Odds((steps, 2**31 - steps), (Fraction(1, ways), 1 - Fraction(1, ways)))


def test_the_odds_are_the_kernel_s_own() -> None:
    assert odds_of(steps_of(0.3333333333)).weights == (715827883, 2**31 - 715827883)
