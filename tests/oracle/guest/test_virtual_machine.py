"""What this machine's own kernel may lack: IPVS and SCTP, in the virtual machine's kernel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from packetsim.oracle import talk
from packetsim.oracle.ipvs_table import connections as balanced
from packetsim.oracle.judge import Judge
from packetsim.oracle.netlink import decode
from packetsim.oracle.observation import RuleNumbers, passages
from packetsim.oracle.plan import Listener, Load, Probe, Report
from tests.oracle.guest import scene
from tests.oracle.guest.scene import NODE1, SERVER, SERVICE, probe

pytestmark = pytest.mark.judge

ADDRESSES = f"link add kube-ipvs0 type dummy\naddress add {SERVICE}/32 dev kube-ipvs0\n"
VIRTUAL = f"""-A -t {SERVICE}:80 -s rr
-a -t {SERVICE}:80 -r {SERVER}:8080 -m -w 1
-a -t {SERVICE}:80 -r {SERVER}:8081 -m -w 1
-A -u {SERVICE}:53 -s rr -p 10800
-a -u {SERVICE}:53 -r {SERVER}:5353 -m -w 1
"""
MASQUERADE = f"""*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -d {SERVER}/32 -o eth0 -j MASQUERADE
COMMIT
"""
SETS = f"create CLUSTER-IP hash:ip,port family inet hashsize 1024 maxelem 65536\nadd CLUSTER-IP {SERVICE},tcp:80\n"
TEXTS = {"addresses": ADDRESSES, "ipset": SETS, "ipvs": VIRTUAL, "iptables": MASQUERADE}
SYSCTLS = {"net/ipv4/vs/conntrack": "1", "net/ipv4/vs/expire_nodest_conn": "0"}


@pytest.fixture(scope="module")
def built(machine: Judge) -> Iterator[Judge]:
    plan = scene.plan()
    more = (Listener("cserver", "tcp", "0.0.0.0", 8081), Listener("cserver", "sctp", "0.0.0.0", 8082))
    nodes = (Listener("cn1", "sctp", "0.0.0.0", 8083), Listener("cn1", "sctp", "::", 8083))
    assert {"ipvs", "sctp", "dummy", "ipset"} <= talk.hello(machine).can
    talk.build(machine, replace(plan, listeners=(*plan.listeners, *more, *nodes)))
    yield machine
    talk.drop(machine, plan.cluster)


def send(judge: Judge, *probes: Probe) -> list[Report]:
    return talk.send(judge, "c", probes)


def load(judge: Judge) -> dict[str, str]:
    said = judge.ask("load", cluster="c", loads=talk.encode([Load("cn1", TEXTS, SYSCTLS, (), ())]), trace=True)
    texts: dict[str, str] = said["texts"]["cn1"]
    return texts


def chosen(reports: list[Report]) -> list[int]:
    return [report.accepted[0].port for report in reports]


def test_ipvs_balances_and_begins_anew_after_reset_and_after_a_load(built: Judge) -> None:
    texts = load(built)
    assert texts["addresses"] == ADDRESSES
    assert sorted(texts["ipvs"].splitlines()) == sorted(VIRTUAL.splitlines())
    assert SETS.splitlines()[1] in texts["ipset"].splitlines()
    three = [probe(SERVICE, 80, patience=1)] * 3
    first = send(built, *three)
    assert chosen(first)[0] == chosen(first)[2] != chosen(first)[1]
    asked = send(built, probe(SERVICE, 53, "udp", patience=1))[0]
    assert len(balanced(asked.ipvs["cn1"])) == 5  # the last with its template
    assert balanced(asked.ipvs["cn2"]) == frozenset()
    talk.reset(built, "c")
    again = send(built, *three)
    assert chosen(again) == chosen(first)
    assert [len(balanced(report.ipvs["cn1"])) for report in again] == [1, 2, 3]
    load(built)
    assert chosen(send(built, *three)) == chosen(first)


def test_a_load_of_another_mode_leaves_nothing_of_ipvs(built: Judge) -> None:
    load(built)
    scene.load(built)
    (report,) = send(built, probe(SERVICE, 80, patience=1))
    assert report.heard == "answered" and balanced(report.ipvs["cn1"]) == frozenset()


@pytest.mark.parametrize(
    ("one", "heard", "chunks"),
    [
        (probe(SERVER, 8082, "sctp"), "answered", "INIT INIT_ACK COOKIE_ECHO COOKIE_ACK"),
        (probe(NODE1, 8083, "sctp"), "answered", "INIT INIT_ACK COOKIE_ECHO COOKIE_ACK"),
        (
            probe("fd00:244:1::1", 8083, "sctp", source=scene.CLIENT6),
            "answered",
            "INIT INIT_ACK COOKIE_ECHO COOKIE_ACK",
        ),
        (probe(SERVER, 9, "sctp"), "refused", "INIT ABORT"),
        (probe(scene.REJECTED, 9, "sctp"), "refused", "INIT "),
        (probe(scene.DROPPED, 9, "sctp"), "silence", "INIT"),
        (probe(SERVER, 8082, "sctp", source="", code="cn1"), "answered", ""),
        (probe(scene.REJECTED, 9, "sctp", source="", code="cn1"), "refused", ""),
    ],
    ids=str,
)
def test_sctp(built: Judge, one: Probe, heard: str, chunks: str) -> None:
    scene.load(built)
    (report,) = send(built, one)
    assert report.heard == heard
    assert bool(report.accepted) is (heard == "answered")
    if report.accepted:
        assert report.accepted[0].address == one.destination
    seen = passages("cclient", decode(report.events.get("cclient", ())), RuleNumbers({}))
    assert [passage.first.flags for passage in seen] == (chunks.split(" ") if chunks else [])
