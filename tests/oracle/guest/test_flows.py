"""The guest on this machine's own kernel: what a flow's sender hears, who took it, and what the kernel tells of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from packetsim.oracle import talk
from packetsim.oracle.judge import Judge, own_kernel
from packetsim.oracle.netlink import connections, decode, rule_numbers
from packetsim.oracle.observation import Passage, RuleNumbers, passages
from packetsim.oracle.plan import Accepted, Probe, Report
from tests.oracle.guest import scene
from tests.oracle.guest.scene import CLIENT, CLIENT6, NODE1, SERVER, SERVER6, SERVICE, SERVICE6, probe

pytestmark = pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())

Rules = dict[str, RuleNumbers]


@pytest.fixture(scope="module")
def built() -> Iterator[Judge]:
    with own_kernel() as judge:
        talk.build(judge, scene.plan())
        yield judge


@pytest.fixture
def loaded(built: Judge) -> tuple[Judge, Rules]:
    _, dumps = scene.load(built)
    return built, {code: rule_numbers(dump) for code, dump in dumps.items()}


def send(judge: Judge, *probes: Probe) -> list[Report]:
    return talk.send(judge, "c", probes)


def told(report: Report, code: str, rules: Rules) -> tuple[Passage, ...]:
    return passages(code, decode(report.events.get(code, ())), rules.get(code, RuleNumbers({})))


def test_a_tcp_flow_through_dnat_is_answered_and_traced_everywhere(loaded: tuple[Judge, Rules]) -> None:
    judge, rules = loaded
    (report,) = send(judge, probe(SERVICE, 80, source_port=40001))
    assert (report.heard, report.error) == ("answered", "")
    (accepted,) = report.accepted
    assert (accepted.code, accepted.peer, accepted.address, accepted.port) == ("cserver", NODE1, SERVER, 8080)
    for code, sent in {"cclient": "S SA A", "cn1": "S SA A", "cn2": "S SA A", "cserver": "S SA A"}.items():
        flags = [passage.first.flags for passage in told(report, code, rules)]
        assert flags == sent.split(), code
    opening = told(report, "cn1", rules)[0]
    visited = [(visit.table, visit.chain, visit.number) for visit in opening.visits]
    assert visited[:3] == [("nat", "PREROUTING", 1), ("nat", "SERVICES", 1), ("filter", "FORWARD", 0)]
    assert visited[3:] == [("nat", "POSTROUTING", 1)]
    (entry,) = [one for one in connections(report.conntrack["cn1"]) if one.original[2] == 40001]
    assert entry.original == ("tcp", CLIENT, 40001, SERVICE, 80)
    assert entry.reply[:3] == ("tcp", SERVER, 8080) and entry.reply[3] == NODE1


@pytest.mark.parametrize(
    ("one", "heard", "error"),
    [
        (probe(SERVER, 8080), "answered", ""),
        (probe(SERVER, 9), "refused", "ECONNREFUSED"),
        (probe(SERVER, 9, "udp"), "refused", "ECONNREFUSED"),
        (probe(scene.REJECTED, 80), "refused", "ECONNREFUSED"),
        (probe(scene.REJECTED, 53, "udp"), "refused", "ECONNREFUSED"),
        (probe(scene.DROPPED, 80), "silence", ""),
        (probe(scene.DROPPED, 53, "udp"), "silence", ""),
        (probe(SERVICE, 53, "udp"), "answered", ""),
        (probe(SERVER6, 8080, source=CLIENT6), "answered", ""),
        (probe(SERVICE6, 80, source=CLIENT6), "answered", ""),
        (probe(SERVICE6, 81, source=CLIENT6), "refused", "ECONNREFUSED"),
        (probe(SERVER6, 5353, "udp", source=CLIENT6), "answered", ""),
        (probe(SERVER6, 9, "udp", source=CLIENT6), "refused", "ECONNREFUSED"),
        # Each of a node's addresses answers for itself, though another one is nearer.
        (probe(NODE1, 5354, "udp"), "answered", ""),
        (probe("fd00:10::11", 5354, "udp", source=CLIENT6), "answered", ""),
        # A node's own flows: what its OUTPUT rejects it hears of at once, though its socket was busy sending.
        (probe(SERVICE, 80, source="", code="cn1"), "answered", ""),
        (probe(scene.REJECTED, 80, source="", code="cn1"), "refused", "ECONNREFUSED"),
        (probe(scene.REJECTED, 53, "udp", source="", code="cn1"), "refused", "ECONNREFUSED"),
        (probe(scene.DROPPED, 53, "udp", source="", code="cn1"), "silence", "EPERM"),
        (probe(scene.NODE1, 10256, source="", code="cn1"), "answered", ""),
        # Nothing goes out at all.
        (probe(SERVER, 80, source="1.2.3.4"), "silence", "EADDRNOTAVAIL"),
        (probe(SERVER6, 80, source="", code="coutside"), "silence", "ENETUNREACH"),
        # An ICMP error that is no refusal.
        (
            probe("10.9.9.9", 80, routes=(("cn1", "route replace unreachable 10.9.9.9"),)),
            "unreachable",
            "EHOSTUNREACH",
        ),
    ],
    ids=str,
)
def test_what_the_sender_hears(loaded: tuple[Judge, Rules], one: Probe, heard: str, error: str) -> None:
    (report,) = send(loaded[0], one)
    assert (report.heard, report.error) == (heard, error)
    assert bool(report.accepted) is (heard == "answered")


def test_a_server_answers_a_datagram_from_the_address_it_was_asked_at(loaded: tuple[Judge, Rules]) -> None:
    judge, rules = loaded
    routes = (("coutside", f"route replace {SERVER} via {NODE1}"),)
    (report,) = send(judge, probe(SERVER, 5353, "udp", scene.OUTSIDE, "coutside", 40002, routes))
    assert report.accepted == (Accepted("cserver", NODE1, 40002, SERVER, 5353),)
    sizes = {passage.first.size for passage in told(report, "cserver", rules)}
    assert len(sizes) == 2  # the answer differs in length from the question


def test_an_outside_host_enters_where_its_route_leads(loaded: tuple[Judge, Rules]) -> None:
    judge, rules = loaded
    for via, code, other in ((scene.NODE1, "cn1", "cn2"), (scene.NODE2, "cn2", "cn1"), (scene.NODE1, "cn1", "cn2")):
        routes = (("coutside", f"route replace {SERVICE} via {via}"),)
        (report,) = send(judge, probe(SERVICE, 80, code="coutside", source=scene.OUTSIDE, routes=routes))
        assert report.heard == "answered"
        assert told(report, code, rules)[0].first.source == scene.OUTSIDE
        assert all(passage.first.source != scene.OUTSIDE for passage in told(report, other, rules))


def test_the_proxy_dials_in_turn_and_passes_over_who_refuses(loaded: tuple[Judge, Rules]) -> None:
    judge, rules = loaded
    first, second = send(judge, probe(SERVICE, 81), probe(SERVICE, 81))
    for report in (first, second):
        assert report.heard == "answered"
        assert [(one.peer, one.port) for one in report.accepted] == [(NODE1, 8080)]
    for report, ports in ((first, [9, 8080]), (second, [9, 8080])):
        opened = [one.first for one in told(report, "cserver", rules) if one.first.flags == "S"]
        assert [header.destination_port for header in opened] == ports


def test_the_proxy_goes_on_from_who_is_silent_and_ties_the_client_to_who_answers(loaded: tuple[Judge, Rules]) -> None:
    """Patience is for the sender's answer, which the proxy gives at once; its dials are waited for all the same."""
    judge, rules = loaded
    first, second = send(judge, *[probe(SERVICE, 83, patience=0.1)] * 2)
    for report in (first, second):
        assert report.heard == "answered" and [one.port for one in report.accepted] == [8080]
    sent = [passage.first.destination for passage in told(first, "cn1", rules) if passage.first.flags == "S"]
    assert scene.DROPPED in sent
    sent = [passage.first.destination for passage in told(second, "cn1", rules) if passage.first.flags == "S"]
    assert scene.DROPPED not in sent


def test_the_proxy_takes_a_connection_that_no_endpoint_serves(loaded: tuple[Judge, Rules]) -> None:
    judge, rules = loaded
    deaf, none = send(judge, probe(SERVICE, 84, patience=5), probe(SERVICE, 85, patience=5))
    assert (deaf.heard, deaf.accepted, none.heard, none.accepted) == ("answered", (), "answered", ())
    dialled = [one.first.destination_port for one in told(deaf, "cserver", rules) if one.first.flags == "S"]
    assert dialled == [9, 10, 9, 10]  # EndpointDialTimeouts has four
    assert told(none, "cserver", rules) == ()


def test_the_proxy_copies_datagrams_both_ways(loaded: tuple[Judge, Rules]) -> None:
    (report,) = send(loaded[0], probe(SERVICE, 82, "udp"))
    assert report.heard == "answered"
    assert [(one.peer, one.port) for one in report.accepted] == [(NODE1, 5353)]


def test_a_datagrams_client_keeps_its_endpoint_until_idle_or_refused(loaded: tuple[Judge, Rules]) -> None:
    judge, _ = loaded
    one = probe(SERVICE, 86, "udp", source_port=40010)
    refused, answered = send(judge, one, replace(one, source_port=40011))
    assert (refused.heard, answered.heard) == ("silence", "answered")
    time.sleep(0.3)  # UDP_IDLE
    assert [report.heard for report in send(judge, replace(one, source_port=40011))] == ["silence"]


def test_after_reset_the_kernel_remembers_nothing(loaded: tuple[Judge, Rules]) -> None:
    judge, _ = loaded
    one = probe(SERVICE, 80, source_port=40003)
    again = probe(scene.DROPPED, 80)
    assert send(judge, one)[0].heard == "answered"
    talk.reset(judge, "c")
    (report,) = send(judge, again)
    assert connections(report.conntrack["cn1"]) == connections(report.conntrack["cn2"]) == ()
    assert send(judge, one)[0].heard == "answered"  # the same port is free again


def rules_of(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith("-A"))


def test_each_part_is_read_back_and_a_second_load_begins_from_nothing(built: Judge) -> None:
    texts, _ = scene.load(built)
    for part, text in (("iptables", scene.IPTABLES), ("ip6tables", scene.IP6TABLES)):
        assert rules_of(texts["cn1"][part]) == rules_of(text)
    texts, dumps = scene.load(built, nft=scene.NFT)
    assert texts == {"cn1": {"nft": scene.NFT}, "cn2": {"nft": scene.NFT}}
    tables = {table for _, table, _ in rule_numbers(dumps["cn1"]).numbers}
    assert tables == {"sticky", "judge"}
    assert [one.heard for one in send(built, probe(SERVICE, 80), probe(scene.REJECTED, 80))] == ["answered", "silence"]


def test_what_a_set_remembers_of_clients_goes_at_reset(built: Judge) -> None:
    """Read back by a load that changes nothing else: the element's line would be there."""
    _, dumps = scene.load(built, nft=scene.NFT)
    handles = rule_numbers(dumps["cn1"])
    (first,) = send(built, probe(SERVICE, 80))
    talk.reset(built, "c")
    (second,) = send(built, probe(SERVICE, 80))
    for report in (first, second):  # the rules keep their handles
        visits = told(report, "cn1", {"cn1": handles})[0].visits
        assert [(visit.chain, visit.number) for visit in visits] == [("prerouting", 1)]


def test_whoever_is_not_root_can_judge_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with own_kernel() as judge:
        talk.build(judge, scene.plan())
        _, dumps = scene.load(judge)
        (report,) = send(judge, probe(SERVICE, 80))
        assert report.heard == "answered"
        rules = {code: rule_numbers(dump) for code, dump in dumps.items()}
        assert [passage.first.flags for passage in told(report, "cn2", rules)] == ["S", "SA", "A"]
