"""Rule: `ipvsadm -Sn` text is read whole or refused with the cure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packetsim.errors import RuleTextError
from packetsim.kernel.ipvs.model import SCHEDULERS, RealServer, Sysctls, VirtualServer, read_sysctls
from packetsim.kernel.ipvs.text import parse, parse_server, render
from packetsim.ruletext import Line, ServerText

LISTING = """\
-A -t 10.96.100.10:80 -s rr -p 10800
-a -t 10.96.100.10:80 -r 10.244.1.5:8080 -m -w 1
-a -t 10.96.100.10:80 -r 10.244.2.7:8080 -m -w 0
-A -u [fd00:10:96::a]:53 -s wlc
-a -u [fd00:10:96::a]:53 -r [fd00:10:244::5]:53 -m -w 1
-A --sctp-service 10.96.0.1:9 -s mh -p 60 -M 255.255.255.0 -b mh-fallback,mh-port
-A -t [fd00::1]:80 -s sh -p 60 -M 64 -b sh-port
"""


def test_a_listing_is_understood_and_printed_again() -> None:
    servers = parse(LISTING)
    assert servers[0] == VirtualServer(
        "tcp",
        "10.96.100.10",
        80,
        "rr",
        persistence=10800,
        reals=(RealServer("10.244.1.5", 8080), RealServer("10.244.2.7", 8080, 0)),
    )
    assert servers[1].reals == (RealServer("fd00:10:244::5", 53),)
    assert (servers[2].flags, servers[2].netmask) == (("mh-fallback", "mh-port"), 24)
    assert (servers[3].protocol, servers[3].netmask) == ("tcp", 64)
    assert render(servers) == LISTING


def test_a_full_mask_and_blank_lines_say_nothing() -> None:
    assert parse("\n-A -t 10.0.0.1:80 -s rr -p 9 -M 255.255.255.255\n")[0].netmask is None
    assert parse("-A -t [fd00::1]:80 -s rr -p 9 -M 128")[0].netmask is None


REFUSED = [
    ("-A -t 10.0.0.1:80 -s lblc", "supported are rr, wrr, lc, wlc, sh, dh, mh, sed, nq"),
    ("-A -t 10.0.0.1:80 -s lblcr", "'lblcr' is not modelled"),
    ("-A -t 10.0.0.1:80 -s fo", "'fo' is not modelled"),
    ("-A -t 10.0.0.1:80 -s ovf", "'ovf' is not modelled"),
    ("-A -t 10.0.0.1:80 -s twos", "'twos' is not modelled"),
    ("-A -f 1 -s rr", "service type '-f'"),
    ("-A -t 10.0.0.1:0 -s rr", "from 1 to 65535"),
    ("-A -t 10.0.0.1:70000 -s rr", "from 1 to 65535"),
    ("-A -t web:80 -s rr", "not ADDRESS:PORT"),
    ("-A -t fd00::1:80 -s rr", "brackets"),
    ("-A -t [10.0.0.1]:80 -s rr", "brackets"),
    ("-A -t", "reads -A -t"),
    ("-A -t 10.0.0.1:80 -s rr -o", "option '-o'"),
    ("-A -t 10.0.0.1:80 -s rr -s lc", "twice"),
    ("-A -t 10.0.0.1:80 -s rr -p", "without its value"),
    ("-A -t 10.0.0.1:80 -s rr -p 0", "from 1"),
    ("-A -t 10.0.0.1:80 -s rr -M 255.255.255.0", "add -p"),
    ("-A -t 10.0.0.1:80 -s rr -p 9 -M 255.0.255.0", "leading one bits"),
    ("-A -t 10.0.0.1:80 -s rr -p 9 -M 24", "leading one bits"),
    ("-A -t [fd00::1]:80 -s rr -p 9 -M 129", "leading one bits"),
    ("-A -t 10.0.0.1:80 -s rr -b mh-port", "it has none"),
    ("-A -t 10.0.0.1:80 -s mh -b sh-port", "supported are mh-fallback, mh-port"),
    ("-D -t 10.0.0.1:80", "'-D' is not modelled"),
    ("-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s lc", "twice"),
    ("-A -t [fd00::1]:80 -s rr\n-A -t [fd00:0::1]:80 -s lc", "same protocol"),
    ("-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1", "no -A line before"),
]
REAL_REFUSED = [
    ("-r 10.0.0.2:80 -g -w 1", "direct routing"),
    ("-r 10.0.0.2:80 -i -w 1", "tunnelling"),
    ("-r 10.0.0.2:80 -w 1", "needs -m"),
    ("-r 10.0.0.2:80 -m -w 65536", "from 0 to 65535"),
    ("-r 10.0.0.2:80 -m -x 5", "option '-x'"),
    ("-r [fd00::2]:80 -m -w 1", "family"),
    ("-r 10.0.0.2:80 -m -w 1\n-a -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 1", "twice"),
    ("-m -w 1", "reads -a -t"),
]


@pytest.mark.parametrize(
    ("text", "cure"),
    REFUSED + [(f"-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 {text}", cure) for text, cure in REAL_REFUSED],
)
def test_what_is_not_modelled_is_refused_by_name(text: str, cure: str) -> None:
    with pytest.raises(RuleTextError, match=cure.replace("(", r"\(")):
        parse(text)


def test_a_real_server_must_belong_to_its_virtual_server() -> None:
    stray = Line("-a -t 10.0.0.9:80 -r 10.0.0.2:80 -m -w 1")
    with pytest.raises(RuleTextError, match="another virtual server"):
        parse_server(ServerText(Line("-A -t 10.0.0.1:80 -s rr"), (stray,)))


def test_spelling_does_not_matter_where_ipvsadm_would_not_mind() -> None:
    line = Line("-a -t [fd00:0::1]:80 -r [fd00:0::2]:80 -m")
    assert parse_server(ServerText(Line("-A -t [fd00::1]:80"), (line,))) == VirtualServer(
        "tcp", "fd00::1", 80, "wlc", reals=(RealServer("fd00::2", 80),)
    )


ports = st.integers(1, 65535)


@st.composite
def virtual_servers(draw: st.DrawFn) -> VirtualServer:
    version = draw(st.sampled_from((4, 6)))
    addresses = (st.ip_addresses(v=4) if version == 4 else st.ip_addresses(v=6)).map(str)
    reals = draw(st.lists(st.tuples(addresses, ports), unique=True, max_size=4))
    name = draw(st.sampled_from(sorted(SCHEDULERS)))
    persistence = draw(st.none() | st.integers(1, 2**32 - 1))
    return VirtualServer(
        draw(st.sampled_from(("tcp", "udp", "sctp"))),
        draw(addresses),
        draw(ports),
        name,
        tuple(flag for flag in SCHEDULERS[name] if draw(st.booleans())),
        persistence,
        draw(st.none() | st.integers(1, 31 if version == 4 else 127)) if persistence else None,
        tuple(RealServer(*real, draw(st.integers(0, 65535))) for real in reals),
    )


@given(st.lists(virtual_servers(), max_size=4, unique_by=lambda one: one.key))
def test_parse_undoes_render(servers: list[VirtualServer]) -> None:
    assert parse(render(servers)) == tuple(servers)


def test_sysctls_are_read_in_either_spelling_and_others_are_left() -> None:
    settings = {"net.ipv4.vs.conntrack": "1", "net/ipv4/vs/expire_nodest_conn": "1", "net.ipv4.ip_forward": "1"}
    assert read_sysctls(settings) == Sysctls(conntrack=1, expire_nodest_conn=1)


@pytest.mark.parametrize("setting", [("net.ipv4.vs.drop_entry", "1"), ("net.ipv4.vs.conntrack", "yes")])
def test_other_ipvs_sysctls_are_refused(setting: tuple[str, str]) -> None:
    with pytest.raises(RuleTextError, match="not modelled"):
        read_sysctls(dict([setting]))
