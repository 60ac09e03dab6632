"""Jobs are made of files and of chance; what differs is held again; what FlowTests promise is held to both sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from packetsim import Source, load
from packetsim.cluster import MODES, Manifests
from packetsim.kubeproxy import iptables_ports
from packetsim.oracle.comparison import Difference
from packetsim.oracle.verify import FLOWS, PATIENCE, PATIENT, Bench, Job, jobs_of, random_jobs
from tests.oracle.agreeing import Talkative, agree
from tests.oracle.jobs import aspects, case_jobs, told
from tests.oracle.three_endpoints import sequence, three_endpoints

Patch = pytest.MonkeyPatch
SHOP = Path(__file__).parents[2] / "shop.yaml"
OTHER = Difference("rules", "node1", "another rule", "this one", 3)


def shop(*more: str) -> Manifests:
    text = SHOP.read_text()
    documents = [text[: text.index("apiVersion: packetwalk.dev/v1")], *more] if more else [text]
    return load([Source("shop.yaml", "\n---\n".join(documents))])


def flow_test(flow: str, modes: str = "iptables") -> str:
    head = "apiVersion: packetwalk.dev/v1\nkind: FlowTest\nmetadata: {name: promises}\n"
    return f"{head}spec: {{modes: [{modes}], flows: [{flow}]}}"


# ---- jobs ---------------------------------------------------------------------------------------


def test_flow_tests_are_judged_in_the_modes_they_name() -> None:
    row = "{from: shop/client, to: 10.96.100.10:80, expect: {outcome: delivered}}"
    manifests = shop(flow_test(row, "iptables, ipvs, nftables"))
    jobs = jobs_of("it", manifests, ("iptables", "nftables", "userspace"), None, 0)
    assert [(job.name, job.mode, len(job.flows), len(job.rows)) for job in jobs] == [
        ("it", "iptables", 1, 1),
        ("it", "nftables", 1, 1),
    ]


def test_where_no_flow_is_tested_or_a_number_is_asked_for_varied_ones_are_sent() -> None:
    without = jobs_of("it", Manifests(three_endpoints(), (), ()), MODES, None, 0)
    assert [(job.mode, len(job.flows), job.rows) for job in without] == [(mode, FLOWS, ()) for mode in MODES]
    (asked,) = jobs_of("it", shop(), ("ipvs",), 7, 3)
    assert (len(asked.flows), asked.rows) == (7, ())
    assert (
        asked.flows
        == jobs_of("it", shop(), ("ipvs",), 7, 3)[0].flows
        != jobs_of("it", shop(), ("ipvs",), 7, 4)[0].flows
    )


def test_random_jobs_have_their_manifests() -> None:
    jobs = list(random_jobs(2, 5, ("iptables", "ipvs"), 3))
    assert [(job.name, job.mode, len(job.flows)) for job in jobs] == [
        (f"random 5/{number}", mode, 3) for number in (0, 1) for mode in ("iptables", "ipvs")
    ]
    assert all(load([Source("again", job.text)]).cluster.services.keys() == job.cluster.services.keys() for job in jobs)


# ---- judging ------------------------------------------------------------------------------------


def test_all_jobs_come_back_judged(monkeypatch: Patch) -> None:
    agree(monkeypatch)
    jobs = [Job(str(number), three_endpoints(), "iptables", sequence(2)) for number in range(11)]
    verdicts = list(Bench(Talkative()).judge_all(iter(jobs), workers=3))
    assert sorted(int(one.job.name) for one in verdicts) == list(range(11))
    assert all(one.agrees and len(one.flows) == 2 for one in verdicts)


def test_what_differs_is_held_once_more_with_more_patience(monkeypatch: Patch) -> None:
    objections = iter([OTHER, None])
    held, _ = agree(monkeypatch, lambda cluster, trace: next(objections))
    job = Job("slow", three_endpoints(), "iptables", sequence(1))
    assert Bench(Talkative()).judge(job).agrees
    assert held == [PATIENCE, PATIENT]
    held, wired = agree(monkeypatch, lambda cluster, trace: OTHER)
    assert told(Bench(Talkative()).judge(job)) == [f"{job.flows[0]}: {OTHER}"]
    assert held == [PATIENCE, PATIENT]
    assert [flows for _, flows in wired] == [1, 1]


@pytest.mark.parametrize(("together", "wirings"), [(True, [6]), (False, [2, 2, 2])])
def test_a_cluster_is_wired_once_for_all_modes_where_that_is_asked_for(
    together: bool, wirings: list[int], monkeypatch: Patch
) -> None:
    held, wired = agree(monkeypatch)
    cluster = three_endpoints()
    jobs = [Job("it", cluster, mode, sequence(2)) for mode in MODES]
    verdicts = list(Bench(Talkative()).judge_all(jobs, together=together))
    assert {one.job.mode for one in verdicts} == set(MODES)
    assert len(held) == 3  # this kernel has no IPVS
    assert sorted(flows for _, flows in wired) == wirings
    assert len({name for name, _ in wired}) == len(wired)


def test_a_text_that_differs_is_enough(monkeypatch: Patch) -> None:
    agree(monkeypatch, lambda cluster, trace: replace(OTHER, aspect="text"))
    verdict = Bench(Talkative()).judge(Job("text", three_endpoints(), "iptables", sequence(1)))
    assert not verdict.agrees and not verdict.flows[0].difference
    assert [one.aspect for one in verdict.texts] == ["text"]


def test_a_kernel_without_ipvs_is_not_asked_for_it(monkeypatch: Patch) -> None:
    held, _ = agree(monkeypatch)
    job = Job("it", three_endpoints(), "ipvs", sequence(2))
    verdict = Bench(Talkative("sctp")).judge(job)
    assert verdict.agrees and not held
    assert [one.skipped for one in verdict.flows] == ["the judging kernel (6.1.0-test) has no IPVS"] * 2
    assert not any(one.skipped for one in Bench(Talkative("ipvs")).judge(job).flows)


# ---- promises -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), case_jobs())
def test_every_case_keeps_its_promises_with_a_kernel_that_agrees(name: str, mode: str, monkeypatch: Patch) -> None:
    agree(monkeypatch)
    assert not told(Bench(Talkative("ipvs", "sctp")).hold(case_jobs()[name, mode]))


@pytest.mark.parametrize(
    ("flow", "problem"),
    [
        (
            "{from: shop/client, to: 10.96.100.10:80, expect: {outcome: dropped}}",
            "outcome: expected dropped, found delivered",
        ),
        (
            "{from: shop/client, to: 10.96.100.10:80, expect: {endpoints: ['10.244.1.2:8080']}}",
            "can be reached and was not expected",
        ),
        (
            "{from: shop/client, to: 10.96.100.10:80, expect: {masqueraded: true}}",
            "masqueraded: expected true, found false",
        ),
        (
            "{from: shop/client, to: 10.96.100.10:80, expect: {sticky: true}}",
            "sticky: expected true",
        ),
    ],
)
def test_what_is_promised_is_held_against_what_both_sides_did(flow: str, problem: str, monkeypatch: Patch) -> None:
    agree(monkeypatch)
    (job,) = jobs_of("it", shop(flow_test(flow)), ("iptables",), None, 0)
    verdict = Bench(Talkative()).hold(job)
    assert aspects(verdict) == {"promise"}
    assert problem in "\n".join(told(verdict))


def test_the_second_connection_is_held_to_the_first_ones_endpoint(monkeypatch: Patch) -> None:
    """Without affinity the walk goes elsewhere sooner or later."""
    agree(monkeypatch)
    row = "{from: shop/client, to: 10.96.100.10:80, expect: {sticky: true}}"
    (job,) = jobs_of("it", shop(flow_test(", ".join([row] * 8))), ("iptables",), None, 0)
    assert len(job.flows) == 16
    assert ", as for the connection before, found" in "\n".join(told(Bench(Talkative()).hold(job)))


def test_uneven_shares_break_a_promise_and_where_a_walk_differs_that_alone_is_told(monkeypatch: Patch) -> None:
    monkeypatch.setattr(iptables_ports, "probability", lambda ways: "0.50000000000")
    row = "{from: shop/client, to: 10.96.100.10:80, expect: {outcome: delivered}}"
    (job,) = jobs_of("it", shop(flow_test(row)), ("iptables",), None, 0)
    agree(monkeypatch)
    assert "expected even shares, found 10.244.1.2:8080 1/2" in "\n".join(told(Bench(Talkative()).hold(job)))
    agree(monkeypatch, lambda cluster, trace: OTHER)
    assert aspects(Bench(Talkative()).hold(job)) == {"rules"}
