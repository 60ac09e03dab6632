"""Rule: an ipset holds what `ipset save` says, and finds it as `-m set` does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetsim.addresses import network
from packetsim.errors import RuleTextError
from packetsim.kernel.ipset import IpSet, load, parse, render
from packetsim.packet import Packet
from packetsim.ruletext import Line, SetText

# As ipset 7.17 printed it on Linux 6.18.
SAVED = """\
create A hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0xc5533882
add A 10.96.100.10,udp:53
add A 10.96.100.10,tcp:80
add A 10.96.100.10,sctp:9
create A6 hash:ip,port family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xd3d25a1a
add A6 fd00::5,tcp:80
create B hash:ip,port,ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x08f37bf7
add B 10.244.1.5,tcp:8080,10.244.1.5
create N hash:ip,port,net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x9255229a
add N 203.0.113.10,tcp:80,198.51.100.0/24
add N 203.0.113.10,tcp:80,128.0.0.0/1
add N 203.0.113.10,tcp:81,198.51.101.7
create P bitmap:port range 30000-32767
add P 30080
create I hash:ip family inet6 hashsize 1024 maxelem 65536 bucketsize 12 initval 0xe3ea3def
add I fd00::7
create M hash:net family inet hashsize 64 maxelem 65536 comment bucketsize 12 initval 0x3606370d
add M 10.0.0.0/8 comment "a b"
create C hash:ip family inet hashsize 64 maxelem 10 counters bucketsize 12 initval 0xdbe6cf74
add C 10.0.0.1 packets 0 bytes 0
create M6 hash:net family inet6 hashsize 1024 maxelem 65536
add M6 fd00:10::/32
"""


def packet(source: str, destination: str, protocol: str = "tcp", port: int = 80) -> Packet:
    return Packet(source, destination, protocol, 40000, port)


@pytest.mark.parametrize(
    ("name", "what", "directions", "element", "expected"),
    [
        ("A", packet("10.0.0.1", "10.96.100.10"), "dst,dst", "10.96.100.10,tcp:80", True),
        ("A", packet("10.0.0.1", "10.96.100.10", port=53), "dst,dst", "10.96.100.10,tcp:53", False),
        ("A", packet("10.0.0.1", "10.96.100.10", "udp", 53), "dst,dst", "10.96.100.10,udp:53", True),
        ("A", packet("10.0.0.1", "10.96.100.10", "sctp", 9), "dst,dst", "10.96.100.10,sctp:9", True),
        ("A", packet("10.96.100.10", "10.0.0.1"), "src,dst", "10.96.100.10,tcp:80", True),
        ("A", packet("10.96.100.10", "10.0.0.1"), "src,src", "10.96.100.10,tcp:40000", False),
        ("A", packet("10.0.0.1", "10.96.100.10", "icmp"), "dst,dst", "10.96.100.10,icmp:0/0", False),
        ("A", packet("10.0.0.1", "10.96.100.10"), "dst", "(hash:ip,port needs 2 directions)", False),
        ("A", packet("fd00::1", "fd00::5"), "dst,dst", "(not inet)", False),
        ("A6", packet("fd00::1", "fd00::5"), "dst,dst", "fd00::5,tcp:80", True),
        ("A6", packet("10.0.0.1", "10.0.0.5"), "dst,dst", "(not inet6)", False),
        ("B", packet("10.244.1.5", "10.244.1.5", port=8080), "dst,dst,src", "10.244.1.5,tcp:8080,10.244.1.5", True),
        ("B", packet("10.244.1.6", "10.244.1.5", port=8080), "dst,dst,src", "10.244.1.5,tcp:8080,10.244.1.6", False),
        ("N", packet("198.51.100.77", "203.0.113.10"), "dst,dst,src", "203.0.113.10,tcp:80,198.51.100.77", True),
        ("N", packet("198.52.0.1", "203.0.113.10"), "dst,dst,src", "203.0.113.10,tcp:80,198.52.0.1", True),
        ("N", packet("127.0.0.1", "203.0.113.10"), "dst,dst,src", "203.0.113.10,tcp:80,127.0.0.1", False),
        ("N", packet("198.51.101.7", "203.0.113.10", port=81), "dst,dst,src", "203.0.113.10,tcp:81,198.51.101.7", True),
        (
            "N",
            packet("198.51.101.8", "203.0.113.10", port=81),
            "dst,dst,src",
            "203.0.113.10,tcp:81,198.51.101.8",
            False,
        ),
        ("P", packet("10.0.0.1", "10.0.0.2", port=30080), "dst", "30080", True),
        ("P", packet("fd00::1", "fd00::2", "udp", 30080), "dst", "30080", True),
        ("P", packet("10.0.0.1", "10.0.0.2", port=30080), "src", "40000", False),
        ("P", packet("10.0.0.1", "10.0.0.2", "sctp", 30080), "dst", "(sctp has no port here)", False),
        ("P", packet("10.0.0.1", "10.0.0.2", "icmp"), "dst", "(icmp has no port here)", False),
        ("I", packet("fd00::1", "fd00::7"), "dst", "fd00::7", True),
        ("I", packet("fd00::7", "fd00::1"), "dst", "fd00::1", False),
        ("M", packet("10.9.9.9", "1.1.1.1"), "src", "10.9.9.9", True),
        ("M", packet("11.0.0.0", "1.1.1.1"), "src", "11.0.0.0", False),
        ("M6", packet("fd00:10:ffff::1", "fd00::1"), "src", "fd00:10:ffff::1", True),
        ("M6", packet("fd00:11::1", "fd00::1"), "src", "fd00:11::1", False),
    ],
)
def test_a_packet_is_looked_up_by_its_directions(
    name: str, what: Packet, directions: str, element: str, expected: bool
) -> None:
    one = parse(SAVED)[name]
    way = tuple(directions.split(","))
    assert (one.describe(what, way), one.matches(what, way)) == (element, expected)


def test_what_decides_nothing_is_dropped_when_a_listing_is_printed_again() -> None:
    sets = parse(SAVED)
    text = render(sets)
    assert text.startswith("create A hash:ip,port family inet hashsize 1024 maxelem 65536\nadd A 10.96.100.10,udp:53\n")
    assert "create P bitmap:port range 30000-32767\nadd P 30080\n" in text
    assert not any(word in text for word in ("bucketsize", "initval", "comment", "counters", "packets"))
    assert parse(text) == sets


def test_elements_are_written_as_ipset_writes_them() -> None:
    text = """\
create N hash:ip,port,net family inet hashsize 1024 maxelem 65536
add N 10.0.0.1,tcp:80,198.51.100.99/24
add N 10.0.0.1,tcp:80,198.51.101.7/32
create I hash:ip family inet6 hashsize 1024 maxelem 65536
add I FD00:0:0::7
"""
    sets = parse(text)
    assert sets["N"].entries == ("10.0.0.1,tcp:80,198.51.100.0/24", "10.0.0.1,tcp:80,198.51.101.7")
    assert sets["I"].entries == ("fd00::7",)


SIZES = "hashsize 1024 maxelem 65536"


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("create S list:set size 8", "supported are bitmap:port, hash:ip, hash:net"),
        ("create S hash:mac hashsize 64", "set type 'hash:mac'"),
        ("create S hash:ip family inet9", "neither inet nor inet6"),
        ("create S hash:ip timeout 30", "option 'timeout'"),
        ("create S hash:ip hashsize", "option 'hashsize'"),
        ("create S hash:ip hashsize 0", "from 1"),
        ("create S bitmap:port", "range FIRST-LAST"),
        ("create S bitmap:port range 0-70000", "from 0 to 65535"),
        ("create S", "lines read"),
        ("flush S", "lines read"),
        ("create S hash:ip\ncreate S hash:ip", "twice"),
        ("add S 10.0.0.1", "no create line"),
        ("create S hash:ip\nadd S 10.0.0.1\nadd S 10.0.0.1", "twice"),
        (f"create S hash:net family inet {SIZES}\nadd S 10.0.0.0/8\nadd S 10.1.0.0/8", "twice"),
        ("create S hash:ip maxelem 1\nadd S 10.0.0.1\nadd S 10.0.0.2", "maxelem 1"),
        ("create S hash:ip\nadd S fd00::1", "other family"),
        ("create S hash:ip family inet6\nadd S 10.0.0.1", "other family"),
        ("create S hash:ip\nadd S web", "no element of hash:ip"),
        ("create S hash:ip\nadd S 10.0.0.1 timeout 9", "after the element"),
        ("create S hash:ip\nadd S 10.0.0.1 nomatch", "after the element"),
        ("create S hash:ip,port\nadd S 10.0.0.1", "needs 2 parts"),
        ("create S hash:ip,port\nadd S 10.0.0.1,80", "tcp:80"),
        ("create S hash:ip,port\nadd S 10.0.0.1,icmp:8/0", "protocols are tcp, udp, sctp"),
        ("create S hash:ip,port\nadd S 10.0.0.1,tcp:70000", "no port"),
        ("create S hash:net\nadd S 0.0.0.0/0", "length 0"),
        ("create S bitmap:port range 5-9\nadd S 10", "outside"),
    ],
)
def test_what_is_not_modelled_is_refused_by_name(text: str, cure: str) -> None:
    with pytest.raises(RuleTextError, match=cure):
        parse(text)


# ---- loading ------------------------------------------------------------------------------------


def ports(name: str, *entries: str) -> SetText:
    create = Line(f"create {name} hash:ip,port family inet {SIZES}")
    return SetText(create, tuple(Line(f"add {name} {entry}") for entry in entries))


def test_sets_whose_text_did_not_change_are_shared() -> None:
    texts = {"A": ports("A", "10.0.0.1,tcp:80"), "B": ports("B")}
    first = load(texts)
    second = load({"A": texts["A"], "B": ports("B", "10.0.0.2,tcp:80")}, first)
    assert second.sets["A"] is first.sets["A"]
    assert second.sets["B"].entries == ("10.0.0.2,tcp:80",)
    assert set(load({"B": texts["B"]}, second).sets) == {"B"}


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        (ports("B"), "the create line is for set B"),
        (SetText(Line("create A hash:ip"), (Line("add B 10.0.0.1"),)), "does not add to this set"),
        (SetText(Line("create A"), ()), "begins with"),
    ],
)
def test_a_text_must_be_about_its_set(text: SetText, cure: str) -> None:
    with pytest.raises(RuleTextError, match=cure):
        load({"A": text})


# ---- random sets --------------------------------------------------------------------------------

numbers = st.integers(0, 65535)


@st.composite
def elements(draw: st.DrawFn, kind: str, family: str) -> str:
    if kind == "bitmap:port":
        return str(draw(numbers))
    addresses = (st.ip_addresses(v=4) if family == "inet" else st.ip_addresses(v=6)).map(str)
    parts = []
    for part in kind.partition(":")[2].split(","):
        match part:
            case "port":
                parts.append(f"{draw(st.sampled_from(('tcp', 'udp', 'sctp')))}:{draw(numbers)}")
            case "net":
                parts.append(f"{draw(addresses)}/{draw(st.integers(1, 32 if family == 'inet' else 128))}")
            case _:
                parts.append(draw(addresses))
    return ",".join(parts)


@st.composite
def sets(draw: st.DrawFn) -> dict[str, IpSet]:
    kind = draw(
        st.sampled_from(["bitmap:port", "hash:ip", "hash:net", "hash:ip,port", "hash:ip,port,ip", "hash:ip,port,net"])
    )
    family = draw(st.sampled_from(["inet", "inet6"]))
    options = "range 0-65535" if kind == "bitmap:port" else f"family {family} {SIZES}"
    adds = dict.fromkeys(draw(st.lists(elements(kind, family), max_size=5)))
    kept: list[str] = []
    for element in adds:
        try:
            parse("\n".join([f"create S {kind} {options}", *kept, f"add S {element}"]))
        except RuleTextError:
            continue  # a network that is there already under another spelling
        kept.append(f"add S {element}")
    return parse("\n".join([f"create S {kind} {options}", *kept]))


@given(sets())
def test_parse_undoes_render(some: dict[str, IpSet]) -> None:
    assert parse(render(some)) == some


@given(sets(), st.ip_addresses().map(str), st.sampled_from(["tcp", "udp", "sctp"]), numbers)
def test_a_network_holds_what_its_arithmetic_says(some: dict[str, IpSet], other: str, protocol: str, port: int) -> None:
    """Every entry's own first address is found; the walk by prefix agrees with asking each entry."""
    for entry in some["S"].entries:
        if some["S"].type != "hash:net":
            continue
        inside = str(network(entry).text.partition("/")[0])
        assert some["S"].matches(Packet(inside, inside, protocol, port, port), ("src",))
        expected = any(other in network(one) for one in some["S"].entries)
        assert some["S"].matches(Packet(other, other, protocol, port, port), ("src",)) == expected
