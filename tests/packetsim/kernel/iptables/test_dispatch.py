"""A long chain tells the same whether every rule is asked or only those that could match."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packetsim.kernel.iptables.dispatch import ReadyChain
from packetsim.kernel.iptables.text import parse_chain, split
from packetsim.kernel.visit import Verdict
from packetsim.packet import Packet
from packetsim.trace import Detail, RulesMissed
from tests.packetsim.kernel.iptables.lab import POD, Elements, Falls, NodeFacts, a_visit, nat, rules, told, walk

ADDRESSES = ["10.96.0.1", "10.96.0.2", "192.168.10.11"]
PORTS = [80, 443]
pick = st.sampled_from
sign = pick(["", "", "! "])
header = st.builds("{}-d {}/{}".format, sign, pick(ADDRESSES), pick([32, 32, 24])) | st.just("")
source = st.builds("{}-s {}/32 ".format, sign, pick(["10.244.1.9", "1.1.1.1"])) | st.just("")
between = pick(
    [
        "",
        '-m comment --comment "a service"',
        "-m addrtype --dst-type LOCAL",
        "-m addrtype ! --src-type LOCAL",
        "-m mark --mark 0x1/0x1",
        "-m statistic --mode random --probability 0.50000000000",
        "-m recent --set --name SEEN",
        "-m recent --rcheck --name SEEN",
        "-m set --match-set S dst,dst",
        "-m conntrack --ctstate NEW",
    ]
)
transport = st.builds("-p {0} %s -m {0} {1}--dport {2}".format, pick(["tcp", "udp"]), sign, pick(PORTS))
target = pick(["", "", "", "-j RETURN", "-j A", "-j B", "-g B", "-j ACCEPT", "-j MARK --set-xmark 0x1/0x1"])
body = st.builds(
    lambda source, header, transport, between, target: f"{source}{header} {transport % between} {target}",
    source,
    header,
    transport | st.just("%s"),
    between,
    target,
)


@st.composite
def tables(draw: st.DrawFn) -> str:
    lines = [f"-A PREROUTING {one}" for one in draw(st.lists(body, min_size=8, max_size=30))]
    lines += [f"-A A {one}" for one in draw(st.lists(body, max_size=12)) if not one.endswith("-j A")]
    lines += [f"-A B {one}" for one in draw(st.lists(body, max_size=12)) if not one.endswith((" A", " B"))]
    return nat(*lines, "-A A", "-A B")


packets = st.builds(
    Packet, pick(["10.244.1.9", "192.168.10.11"]), pick(ADDRESSES), pick(["tcp", "udp"]), st.just(40000), pick(PORTS)
) | st.just(Packet("10.244.1.9", "10.96.0.1", "icmp"))


@settings(max_examples=300)
@given(tables(), packets, st.lists(st.integers(0, 1), max_size=40))
def test_the_index_changes_nothing(text: str, packet: Packet, ways: list[int]) -> None:
    def one(indexed: bool, steps: list[object] | None) -> tuple[Verdict, list[Detail], list[Detail], int, int]:
        dice = Falls(*ways)
        facts = NodeFacts(sets={"S": Elements(frozenset({"10.96.0.1,tcp:80"}))})
        visit = a_visit(packet, dice=dice, facts=facts, steps=steps)
        verdict = rules(text, indexed=indexed).run("nat", visit)
        visit.state = "ESTABLISHED"  # what happens later must not change what was said
        facts.local.clear()
        details = [step.detail for step in visit.steps or []]
        expanded = [one for detail in details if isinstance(detail, RulesMissed) for one in detail.expand()]
        return verdict, details, [*expanded], visit.packet.mark, len(dice.asked)

    plain = one(indexed=False, steps=[])
    assert one(indexed=True, steps=[]) == plain
    verdict, _, _, mark, rolls = one(indexed=True, steps=None)
    assert (verdict, mark, rolls) == (plain[0], plain[3], plain[4])


def services(count: int, *before: str) -> str:
    lines = [
        f'-A SERVICES -d 10.96.{number // 200}.{number % 200 + 1}/32 -p tcp -m comment --comment "s/{number}"'
        f" -m tcp --dport 80 -j FOUND"
        for number in range(count)
    ]
    return nat("-A PREROUTING -j SERVICES", *before, *lines, "-A FOUND -j ACCEPT")


def test_a_long_run_of_misses_is_one_step_that_opens() -> None:
    visit = a_visit(replace(POD, destination="10.96.0.31"))
    _, steps = walk(rules(services(100)), "nat", visit)
    assert steps == [
        "PREROUTING 1 + jump SERVICES",
        "SERVICES 1..30 missed",
        "SERVICES 31 + jump FOUND",
        "FOUND 1 + ACCEPT",
    ]
    run = next(step.detail for step in visit.steps or [] if isinstance(step.detail, RulesMissed))
    opened = run.expand()
    assert (run.count, len(opened)) == (30, 30)
    assert told([opened[0], opened[29]]) == [
        "SERVICES 1 - destination 10.96.0.31, not 10.96.0.1",
        "SERVICES 30 - destination 10.96.0.31, not 10.96.0.30",
    ]


@pytest.mark.parametrize(("destination", "told_as"), [(7, 7), (8, 7), (9, 1)])
def test_a_short_run_is_told_rule_by_rule(destination: int, told_as: int) -> None:
    visit = a_visit(replace(POD, destination=f"10.96.0.{destination}"))
    walk(rules(services(20)), "nat", visit)
    misses = [step for step in visit.steps or [] if getattr(step.detail, "matched", False) is False]
    assert len(misses) == (1 if destination == 9 else destination - 1)
    assert told_as >= len(misses)


def test_a_rule_that_rolls_first_is_always_rolled() -> None:
    rolled = "-A SERVICES -p tcp -m statistic --mode random --probability 0.5 -m tcp --dport 443 -j FOUND"
    dice = Falls(0)
    rules(services(20, rolled)).run("nat", a_visit(dice=dice))
    assert len(dice.asked) == 1


def test_few_of_many_rules_are_asked() -> None:
    text = split(services(5000))["nat"]
    chain = ReadyChain("nat", "SERVICES", text["SERVICES"], parse_chain(text["SERVICES"], 4, "nat", "SERVICES", text))
    assert list(chain.candidates(replace(POD, destination="10.96.3.1"))) == [600]
    assert list(chain.candidates(replace(POD, protocol="udp"))) == []


def test_an_explanation_tells_of_the_node_as_it_was() -> None:
    line = "-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport {} -j ACCEPT"
    facts = NodeFacts()
    visit = a_visit(facts=facts)
    rules(nat(*[line.format(number) for number in range(443, 460)])).run("nat", visit)
    facts.local.add(POD.destination)
    run = (visit.steps or [])[0].detail
    assert isinstance(run, RulesMissed)
    assert run.expand()[0].why == "destination 10.96.100.10 is UNICAST, not LOCAL"


@pytest.mark.parametrize(
    "match",
    [
        "! -d 10.96.0.1/32 -p tcp -m tcp --dport 80",
        "-d 10.96.0.0/16 -p tcp -m tcp --dport 80",
        "! -s 10.96.0.1/32 -p tcp -m tcp --dport 80",
        "-p tcp -m tcp ! --dport 443",
        "-p tcp -m tcp --dport 79:81",
        "-p tcp -m tcp --dport 80",
        "-p tcp -m tcp --sport 40000",
        "-p tcp",
        "-p tcp -m multiport --dports 80,443",
    ],
)
def test_no_rule_is_passed_over_that_could_match(match: str) -> None:
    ruleset = rules(services(20, f"-A SERVICES {match} -j FOUND"))
    _, steps = walk(ruleset, "nat", a_visit())
    assert steps[1] == "SERVICES 1 + jump FOUND"


def test_the_next_packet_is_told_its_own_reasons() -> None:
    ruleset = rules(services(3))
    walk(ruleset, "nat", a_visit())
    _, steps = walk(ruleset, "nat", a_visit(replace(POD, destination="10.96.9.9")))
    assert steps[1] == "SERVICES 1 - destination 10.96.9.9, not 10.96.0.1"
