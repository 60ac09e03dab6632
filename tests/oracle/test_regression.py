"""A difference is kept as a case. It differs while the fault is in, agrees without, and promises what a kernel did."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from packetsim import Flow, PacketsimError, Source, Trace, load
from packetsim.cluster.model import Cluster
from packetsim.oracle import regression
from packetsim.oracle.cases import read_case
from packetsim.oracle.comparison import Difference
from packetsim.oracle.judge import own_kernel
from packetsim.oracle.observation import Header, Passage
from packetsim.oracle.regression import outcome_of, save_difference
from packetsim.oracle.story import kernels
from packetsim.oracle.verify import Bench, Job, jobs_of, random_jobs
from packetsim.packet import Packet
from tests.oracle.agreeing import SHOP, Talkative, Walk, agree
from tests.oracle.guest import scene
from tests.oracle.jobs import told
from tests.oracle.three_endpoints import ENDPOINTS, manifests, sequence

Patch = pytest.MonkeyPatch
WRONG = Difference("rules", "node1", "another rule", "this one", 3)
CLIENT = Flow("shop/client", "10.244.1.9", "10.96.100.10", 80, "tcp", 40000)
NODE_PORT = Flow("192.168.10.50", "192.168.10.50", "192.168.10.12", 30080, "tcp", 40001, "node2")
CLOSED = Flow("shop/client", "10.244.1.9", "10.244.2.2", 9999, "tcp", 40002)


def to_node_ports(cluster: Cluster, trace: Trace) -> Difference | None:
    return WRONG if trace.flow.port == 30080 and ("shop", "web") in cluster.services else None


def saved(bench: Bench, flows: tuple[Flow, ...], folder: Path, text: str = "") -> Path:
    text = text or SHOP.read_text()
    job = Job("random 1/2", load([Source("it", text)]).cluster, "iptables", flows, text=text)
    verdict = bench.judge(job)
    assert not verdict.agrees
    return save_difference(bench, verdict, text, folder)


# ---- saved --------------------------------------------------------------------------------------


def test_a_case_holds_what_is_needed_to_differ_and_no_more(monkeypatch: Patch, tmp_path: Path) -> None:
    agree(monkeypatch, to_node_ports)
    path = saved(Bench(Talkative()), (CLIENT, CLOSED, NODE_PORT, CLIENT), tmp_path)
    assert path.parent == tmp_path and path.name.startswith("iptables-")
    text = path.read_text()
    assert text.startswith("# Found by random 1/2 in iptables mode: rules at node1: the kernel has another rule;")
    case = read_case(path)
    assert list(case.cluster.services) == [("shop", "web")]
    (test,) = case.flow_tests
    (only,) = test.flows
    assert test.modes == ("iptables",)
    assert (only.source, only.target, only.via) == (NODE_PORT.place, "192.168.10.12:30080", "node2")


def test_a_case_differs_with_the_fault_and_agrees_without(monkeypatch: Patch, tmp_path: Path) -> None:
    agree(monkeypatch, to_node_ports)
    bench = Bench(Talkative())
    (job,) = jobs_of("saved", read_case(saved(bench, (NODE_PORT,), tmp_path)), ("iptables",), None, 0)
    assert len(told(bench.judge(job))) == 1
    agree(monkeypatch)
    assert not told(bench.judge(job))


def test_where_chance_decides_a_case_promises_only_who_can_be_reached(monkeypatch: Patch, tmp_path: Path) -> None:
    text = manifests().replace("name: web-8,", "name: web-8, annotations: {packetwalk.dev/listening: none},")
    monkeypatch.setattr(regression, "TRIES", 0)  # else the two that chance might choose would be left out
    agree(monkeypatch, lambda cluster, trace: WRONG if trace.disposition == "refused" else None)
    flows = tuple(replace(sequence(1)[0], source_port=40000 + position) for position in range(20))
    path = saved(Bench(Talkative()), flows, tmp_path, text)
    (test,) = read_case(path).flow_tests
    assert {(one.outcome, one.endpoints) for one in test.flows} == {(None, ENDPOINTS[:2])}
    agree(monkeypatch)
    (job,) = jobs_of("saved", read_case(path), ("iptables",), None, 0)
    assert not told(Bench(Talkative()).judge(job))


def test_a_text_that_differs_is_saved_with_a_flow(monkeypatch: Patch, tmp_path: Path) -> None:
    agree(monkeypatch, lambda cluster, trace: replace(WRONG, aspect="text"))
    case = read_case(saved(Bench(Talkative()), (CLIENT, CLOSED), tmp_path))
    assert len(case.flow_tests[0].flows) == 1


def test_a_folder_that_cannot_be_written_is_told(monkeypatch: Patch, tmp_path: Path) -> None:
    agree(monkeypatch, to_node_ports)
    with pytest.raises(
        PacketsimError, match=r"No such file or directory\. Name a folder that can be written with --save"
    ):
        saved(Bench(Talkative()), (NODE_PORT,), tmp_path / "none")


# ---- what the kernel made of it -----------------------------------------------------------------

ERROR = Header("icmp", "192.168.10.11", 0, "10.244.1.9", 0, 64, "", 88, icmp_type=3, icmp_code=3)
BY_ICMP = {"shop/client": kernels([Passage("c1p0", (), (ERROR,), False)])}


@pytest.mark.parametrize(
    ("flow", "told_by_kernel", "outcome"),
    [
        (CLIENT, {}, "delivered"),
        (CLIENT, {"accepted": (), "answer": "silence"}, "dropped"),
        (CLIENT, {"accepted": (), "answer": "refused"}, "refused"),
        (CLIENT, {"accepted": (), "answer": "refused", "stories": BY_ICMP}, "rejected"),
        (CLIENT, {"accepted": (), "answer": "unreachable", "stories": BY_ICMP}, "rejected"),
        (CLIENT, {"accepted": (), "answer": "answered"}, "delivered"),
        (CLOSED, {}, "refused"),
        (CLOSED, {"answer": "silence"}, "dropped"),
        (CLOSED, {"answer": "unreachable", "stories": {}}, "refused"),
        (replace(CLOSED, protocol="udp"), {}, "refused"),
        (
            replace(CLIENT, destination="10.96.0.10", port=53, protocol="udp"),
            {"accepted": (), "answer": "refused", "stories": BY_ICMP},
            "rejected",
        ),
        (replace(CLIENT, port=81), {}, "unanswered"),
    ],
)
def test_an_outcome_is_read_off_what_the_sender_heard(flow: Flow, told_by_kernel: Any, outcome: str) -> None:
    walk = Walk(flow)
    assert outcome_of(walk.trace, replace(walk.heard, **told_by_kernel)) == outcome


# ---- a real kernel ------------------------------------------------------------------------------


@pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())
def test_a_fault_found_in_a_random_cluster_is_saved_and_mended(monkeypatch: Patch, tmp_path: Path) -> None:
    monkeypatch.setattr(regression, "TRIES", 12)
    (job,) = random_jobs(1, 11, ("nftables",), 3)
    with own_kernel() as judge:
        bench = Bench(judge)
        with monkeypatch.context() as planted:
            planted.setattr(Packet, "hopped", lambda packet: packet)  # no router counts the TTL down
            verdict = bench.judge(job)
            path = save_difference(bench, verdict, job.text, tmp_path)
            (again,) = jobs_of("saved", read_case(path), ("nftables",), None, 0)
            assert not bench.judge(again).agrees
        assert not told(bench.judge(again))
