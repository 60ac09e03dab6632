"""Rule: a rule that is not modelled is refused by its place, its own words and the cure; nothing is skipped."""

from __future__ import annotations

import pytest

from packetsim.errors import RuleTextError
from packetsim.kernel.nftables.text import chain_of, parse
from packetsim.ruletext import NftChainText

RULES = (
    ("queue", 'statement "queue" is not modelled; take the rule out'),
    ("ip daddr 10.0.0.1 limit rate 5/second accept", 'statement "limit rate 5/second accept" is not modelled'),
    ("notrack", 'statement "notrack" is not modelled'),
    ("tcp flags syn accept", 'statement "tcp flags syn accept" is not modelled'),
    ("ct mark set meta mark", 'statement "ct mark set meta mark" is not modelled'),
    ("fib saddr . iif type local accept", 'statement "fib saddr . iif type local accept" is not modelled'),
    ("log group 2", 'statement "group 2" is not modelled'),
    ("log prefix x", 'x needs double quotes in "log prefix x"'),
    ("ct state sleeping accept", '"sleeping" is no ct_state'),
    ("ct status assured accept", '"ct status assured" is not modelled; known are snat and dnat'),
    ("meta mark < 5 accept", 'operator "<" is not modelled; compare with ==, != or a set'),
    ("meta mark 5/32 accept", '"5/32" is no mark'),
    ("meta mark & 5 < 3 accept", 'operator "<" after a mask is not modelled; use == or !='),
    ("meta mark & x == 3 accept", '"x" is no number'),
    ("meta mark set meta mark", "a mark set to itself does nothing"),
    ("meta mark set meta mark | 1 & 2", "joins more than one mask and one | or ^"),
    ("meta mark set meta mark & 1 & 2", "joins more than one mask and one | or ^"),
    ("ip daddr 10.0.0.1,10.0.0.2 drop", 'the list after "ip daddr" is not modelled; put it in braces'),
    ("ip daddr 10.0.0.256 drop", '"10.0.0.256" is no ipv4_addr; write it as `nft list ruleset` does'),
    ("ip daddr fd00::1 drop", '"fd00::1" is no ipv4_addr'),
    ("ip6 daddr 10.0.0.1 drop", '"10.0.0.1" is no ipv6_addr'),
    ("tcp dport 70000 drop", '"70000" is no inet_service'),
    ("tcp dport http drop", '"http" is no inet_service'),
    ("meta l4proto !x drop", '"!x" is no inet_proto'),
    ("iifname eth0 drop", '"eth0" is no ifname'),
    ('iifname "a-name-of-16-ch" drop', ""),
    ('iifname "a-name-of-16-chr" drop', "is no ifname"),
    ("fib daddr type blackhole drop", '"blackhole" is no fib_addrtype'),
    ("ip daddr { 10.0.0.1", "ends too early"),
    ("ip daddr . tcp dport { 10.0.0.0/8 . 80 } drop", "interval 10.0.0.0/8 inside a joined key is not modelled"),
    ("ip daddr", "ends too early"),
    ("numgen inc mod 2 vmap { 0 : drop }", '"numgen inc" is not modelled; use numgen random'),
    ("numgen random mod 0 vmap { 0 : drop }", "numgen mod 0 has nothing to draw from"),
    ("numgen random mod 2 offset 1 vmap { 1 : drop }", '"numgen … offset" is not modelled'),
    ("numgen random mod 2 < 1 drop", '"<" stands where "vmap" belongs'),
    ("ip daddr vmap m", '"m" stands where @MAP or { … } belongs'),
    ("ip daddr vmap { 10.0.0.1 : queue }", 'verdict "queue" is not modelled; known are accept, drop'),
    ("update @s { ip saddr counter }", '"counter }" in "update @s" is not modelled; only a timeout is'),
    ("delete @s { ip saddr }", 'statement "delete @s { ip saddr }" is not modelled'),
    ("reject with icmpx port-unreachable", '"reject with icmpx port-unreachable" is not modelled; known are icmp net-'),
    ("reject with icmp whatever", '"reject with icmp whatever" is not modelled'),
    ("dnat to :80", "dnat to a port alone is not modelled; use redirect"),
    ("dnat to 10.0.0.1-10.0.0.9", '"10.0.0.1-10.0.0.9" is not one address'),
    ("dnat to 10.0.0.1:80-90", 'port range "80-90" is not modelled; name one port'),
    ("dnat to 10.0.0.1:x", '"x" is no inet_service'),
    ("dnat to 10.0.0.1 persistent", '"persistent" stands behind a verdict and would never run'),
    ("dnat to tcp dport map m", '"m" stands where @MAP or { … } belongs'),
    ("snat to numgen random mod 1 map { 0 : 10.0.0.1 }", '"numgen" is not one address'),
    ("masquerade to :1024-65535", 'port range "1024-65535" is not modelled'),
    ("masquerade to 10.0.0.1", "masquerade to an address is not modelled; name a port"),
    ("accept counter", '"counter" stands behind a verdict and would never run; leave it out'),
    ("ip daddr vmap @m drop", '"drop" stands behind a verdict'),
    ('accept comment "x" drop', '"drop" is not modelled at the end'),
    ('accept comment "x', "every quote must be closed"),
    ('comment "x"', "holds no statement; leave the line out"),
)


@pytest.mark.parametrize(("rule", "message"), RULES)
def test_a_rule_that_is_not_modelled(rule: str, message: str) -> None:
    text = f"table ip kube-proxy {{\n\tchain services {{\n\t\tcounter\n\t\t{rule}\n\t}}\n}}\n"
    if not message:
        parse(text)
        return
    with pytest.raises(RuleTextError) as refusal:
        parse(text)
    assert refusal.value.place == "ip kube-proxy/services rule 2"
    assert message in str(refusal.value)


HEADERS = (
    ("type route hook output priority 0; policy accept;", 'chain type "route" is not modelled'),
    ("type filter hook ingress priority 0; policy accept;", 'hook "ingress" is not modelled; known are prerouting'),
    ("type filter hook output priority dstnat; policy accept;", 'priority "dstnat" means nothing at hook output'),
    ("type filter hook output priority high; policy accept;", '"high" is no number'),
    ("type filter hook output priority 0; policy queue;", 'policy "queue" is neither accept nor drop'),
    ("type filter hook output device eth0 priority 0;", '"device" stands where "priority" belongs'),
    ("type filter hook output priority 0; policy accept; later", '"later" is not modelled at the end'),
)


@pytest.mark.parametrize(("header", "message"), HEADERS)
def test_a_chain_that_is_not_modelled(header: str, message: str) -> None:
    with pytest.raises(RuleTextError) as refusal:
        parse(f"table ip t {{\n\tchain c {{\n\t\t{header}\n\t}}\n}}\n")
    assert refusal.value.place == "ip t/c"
    assert message in str(refusal.value)


def test_a_header_of_a_chain_that_is_not_modelled() -> None:
    with pytest.raises(RuleTextError, match='ip t/c: "offload" is not modelled'):
        chain_of("ip t", "c", NftChainText(("offload",)))
