"""What is not modelled is refused, with its place and the cure."""

from __future__ import annotations

import pytest

from packetsim.errors import RuleTextError
from packetsim.kernel.iptables.line import parse_rule

REFUSED = [
    ("-m foo", 'match "foo" is not modelled; modelled are comment'),
    ("-m limit --limit 3/min", 'match "limit" is not modelled'),
    ("-j LOG", 'target "LOG" is not modelled'),
    ("-j NOTRACK", 'target "NOTRACK" is not modelled'),
    ("-g ACCEPT", 'target "ACCEPT" is not modelled with -g'),
    ("-f", '"-f" is not modelled here'),
    ("! -j ACCEPT", "-j takes no '!'"),
    ("-j ACCEPT -j DROP", '"-j" is not modelled here'),
    ("stray", '"stray" is not modelled here'),
    ("-s", "the line ends where the argument of -s is expected"),
    ("-m", "the line ends where a match's name is expected"),
    ("-j", "the line ends where a target is expected"),
    ("!", "the line ends where what '!' negates is expected"),
    ('-m comment --comment "open', "every quote must be closed"),
    ("-s 1.2.3.4 -s 1.2.3.5", "-s stands twice"),
    ("-s 1.2.3.4,1.2.3.5", "not an IPv4 address"),
    ("-s node-a", "not an IPv4 address"),
    ("-s fd00::1", "not an IPv4 address"),
    ("-s 1.2.3.4/0.0.0.255", "not an IPv4 address"),
    ("-s 1.2.3.4/255.0.255.0", "not an IPv4 address"),
    ("-p gopher", "protocol 'gopher' is not modelled"),
    ("-p 256", "protocol '256' is not a whole number from 0 to 255"),
    ("! -p all", "can never match"),
    ("! -i +", "can never match"),
    ("-i a-name-of-sixteen", "longer than 15"),
    ("--dport 80", 'option "--dport" of the rule is not modelled'),
    ("-m tcp --dport 80", 'match "tcp" needs -p tcp'),
    ("! -p tcp -m tcp --dport 80", 'match "tcp" needs -p tcp'),
    ("-p udp -m tcp --dport 80", 'match "tcp" needs -p tcp'),
    ("-p tcp -m tcp --tcp-flags SYN,ACK SYN", 'option "--tcp-flags" of match "tcp" is not modelled'),
    ("-p tcp -m tcp --dport http", "port 'http' is not a whole number"),
    ("-p tcp -m tcp --dport 65536", "from 0 to 65535"),
    ("-p tcp -m tcp --dport 90:80", "runs backwards"),
    ("-p tcp -m tcp ! --dport 0:65535", "can never match"),
    ("-p tcp -m tcp --dport 1 --dport 2", "--dport stands twice"),
    ("-m multiport --dports 80", "needs -p tcp, udp or sctp"),
    ("-p tcp -m multiport", "takes one of --sports"),
    ("-m icmp --icmp-type 8", "needs -p icmp"),
    ("-p icmp -m icmp --icmp-type echo-request", "ICMP type 'echo-request'"),
    ("-m conntrack --ctorigdst 1.2.3.4", 'option "--ctorigdst" of match "conntrack"'),
    ("-m conntrack", "--ctstate is missing"),
    ("-m conntrack --ctstate NONE", "state NONE is not modelled"),
    ("-m state --state DNAT", "state DNAT is not modelled"),
    ("-m mark", "--mark is missing"),
    ("-m mark --mark twelve", "not a number of 32 bits"),
    ("-m mark --mark 0x100000000", "not a number of 32 bits"),
    ("-m addrtype", "needs --src-type or --dst-type"),
    ("-m addrtype --dst-type BLACKHOLE", "address type BLACKHOLE is not modelled"),
    ("-m addrtype --dst-type LOCAL --limit-iface-in", 'option "--limit-iface-in"'),
    ("-m statistic --mode nth --every 3", 'option "--every" of match "statistic"'),
    ("-m statistic --mode nth", "statistic mode nth is not modelled"),
    ("-m statistic --mode random --probability 1.5", "not a number from 0 to 1"),
    ("-m statistic --mode random --probability half", "not a number from 0 to 1"),
    ("-m statistic --mode random", "not a number from 0 to 1"),
    ("-m statistic ! --mode random --probability 0.5", "--mode takes no '!'"),
    ("-m recent --name X", "needs either --set or --rcheck"),
    ("-m recent --update --name X", 'option "--update" of match "recent"'),
    ("-m recent --set --seconds 3", "--set takes neither"),
    ("-m recent --rcheck --reap", "--reap needs --seconds"),
    ("-m recent --set --mask 255.255.255.0", "less than the whole address"),
    ('-m recent --set --name "a b"', "list name 'a b' is not modelled"),
    ("-m set --match-set S both", "needs a set's name"),
    ("-m set --match-set S dst,dst,dst,dst,dst,dst,dst", "up to six"),
    ("-m set", "needs a set's name"),
    ("-m ipvs", "needs one of --vproto"),
    ("-m ipvs --ipvs", 'option "--ipvs" of match "ipvs"'),
    ("-m comment", "--comment is missing"),
    (f"-m comment --comment {'a' * 256}", "longer than 255 bytes"),
    ("-j MARK", "MARK takes one of"),
    ("-j MARK --or-mark 0x1 --xor-mark 0x1", "MARK takes one of"),
    ("-j DNAT", "--to-destination is missing"),
    ("-j DNAT --to-destination 1.2.3.4-1.2.3.9", "is not modelled; name one IPv4 address"),
    ("-j DNAT --to-destination fd00::1", "is not modelled; name one IPv4 address"),
    ("-j DNAT --to-destination 1.2.3", "'1.2.3' is not an IPv4 address"),
    ("-j DNAT --to-destination 1.2.3.4:80", "a port needs -p tcp"),
    ("-p tcp -j DNAT --to-destination 1.2.3.4:80-90", "is not modelled; name one IPv4 address"),
    ("-p tcp -j DNAT --to-destination 1.2.3.4:0", "port 0 is not valid"),
    ("-p tcp -j DNAT --to-destination 1.2.3.4 --random", 'option "--random" of target "DNAT"'),
    ("-p tcp -j REDIRECT --to-ports 80-90", "port '80-90' is not a whole number"),
    ("-j REDIRECT --to-ports 80", "a port needs -p tcp"),
    ("-p tcp -j MASQUERADE --to-ports 1024", 'option "--to-ports" of target "MASQUERADE"'),
    (f"-j {'A' * 29}", "longer than 28"),
    ("-j REJECT", "only valid in the filter table"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_rule_that_is_not_modelled_is_refused_at_its_place(text: str, says: str) -> None:
    with pytest.raises(RuleTextError) as caught:
        parse_rule(f"-A KUBE-SERVICES {text}", 4, "nat", "KUBE-SERVICES", 3)
    assert says in str(caught.value)
    assert caught.value.place == "nat/KUBE-SERVICES rule 3"


@pytest.mark.parametrize(
    ("family", "text", "says"),
    [
        (4, "-j DNAT --to-destination 1.2.3.4", "only valid in the nat table"),
        (4, "-j REJECT --reject-with tcp-reset", "needs -p tcp"),
        (4, "-j REJECT --reject-with icmp6-no-route", "is not modelled; known are icmp-port-unreachable"),
        (6, "-j REJECT --reject-with icmp-port-unreachable", "is not modelled; known are icmp6-port-unreachable"),
        (6, "-p icmpv6 -m icmp6 --icmpv6-type any", "ICMP type 'any'"),
        (6, "-s 10.0.0.1", "not an IPv6 address"),
    ],
)
def test_family_and_table_matter(family: int, text: str, says: str) -> None:
    with pytest.raises(RuleTextError) as caught:
        parse_rule(f"-A A {text}", family, "filter", "A", 1)
    assert says in str(caught.value)


def test_a_line_of_another_chain_is_refused() -> None:
    with pytest.raises(RuleTextError, match="does not begin with -A B"):
        parse_rule("-A A -j ACCEPT", 4, "nat", "B", 1)
