"""Rule: a FlowTest passes when every outcome is an expected one, and says what differs when not."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from packetsim.check import Actual, Check, actual_of, differences, report_json, with_second_connections
from packetsim.cluster import FlowExpectation, Source, load
from packetsim.dice import RolledDice
from packetsim.errors import FlowError
from packetsim.outcomes import FlowOutcome
from packetsim.trace import Disposition, Flow, Trace

A, B = "10.244.1.2:80", "10.244.1.3:80"


def outcome(disposition: str, endpoint: str | None = None, masqueraded: bool = False, of: int = 2) -> FlowOutcome:
    part = Fraction(1, of)
    return FlowOutcome(part, part, Disposition(disposition), endpoint, "10.0.0.1", masqueraded, True, "why")


def expected(
    outcome: str | None = None,
    endpoints: tuple[str, ...] | None = None,
    masqueraded: bool | None = None,
    sticky: bool | None = None,
) -> FlowExpectation:
    return FlowExpectation("f", "a", None, "b", "tcp", outcome, endpoints, masqueraded, "here", sticky)


BOTH = (outcome("delivered", B), outcome("delivered", A))


@pytest.mark.parametrize(
    ("found", "actual"),
    [
        (BOTH, ("delivered", (A, B), False)),
        ((outcome("delivered", A), outcome("delivered", B, True)), ("delivered", (A, B), None)),
        ((outcome("delivered", A, True), outcome("refused", B)), ("mixed", (A,), True)),
        ((outcome("refused", B, of=1),), ("refused", (), None)),
    ],
)
def test_outcomes_are_summed_up(
    found: tuple[FlowOutcome, ...], actual: tuple[str, tuple[str, ...], bool | None]
) -> None:
    assert actual_of(found) == Actual(*actual, found)


MIXED = (outcome("delivered", A), outcome("dropped"))


@pytest.mark.parametrize(
    ("wanted", "found", "words"),
    [
        (expected("delivered", (B, A), False), BOTH, []),
        (expected(endpoints=(A, B)), BOTH, []),
        (expected("dropped"), BOTH, ["outcome: expected dropped, found delivered"]),
        (expected("delivered"), MIXED, ["outcome: expected delivered, found delivered or dropped, by chance"]),
        (expected(endpoints=(A,)), MIXED, []),
        (expected(endpoints=(A,)), BOTH, [f"endpoints: {B} can be reached and was not expected"]),
        (expected(endpoints=(A, B)), MIXED, [f"endpoints: {B} can not be reached"]),
        (expected(masqueraded=True), BOTH, ["masqueraded: expected true, found false"]),
        (expected(masqueraded=False), (outcome("dropped"),), ["masqueraded: expected false, found nothing delivered"]),
        (
            expected(masqueraded=False),
            (outcome("delivered", A), outcome("delivered", B, True)),
            ["masqueraded: expected false, found true for some endpoints and false for others"],
        ),
    ],
)
def test_every_difference_is_told(wanted: FlowExpectation, found: tuple[FlowOutcome, ...], words: list[str]) -> None:
    assert list(differences(wanted, actual_of(found))) == words


def test_what_happens_to_second_connections_is_told() -> None:
    wanted = {sticky: replace(expected(sticky=sticky), again_after=5) for sticky in (True, False)}
    told: list[tuple[bool, list[tuple[str, str | None]], str]] = [
        (True, [], "nothing delivered, so there is no endpoint to come back to"),
        (False, [], "nothing delivered, so there is no endpoint to come back to"),
        (True, [(A, A), (B, A)], f"{B} for a first connection and then, 5 s later, {A}"),
        (True, [(A, None)], f"{A} for a first connection and then, 5 s later, dropped"),
        (False, [(A, A), (B, B)], "true: a second connection always reaches the endpoint of the first"),
        (True, [(A, A), (B, B)], ""),
        (False, [(A, B)], ""),
    ]
    for sticky, pairs, found in told:
        actual = with_second_connections(actual_of(BOTH), [(ended(first), ended(second)) for first, second in pairs])
        said = f"sticky: expected {str(sticky).lower()}, found {found}"
        assert list(differences(wanted[sticky], actual)) == ([said] if found else [])


def ended(endpoint: str | None) -> Trace:
    flow = Flow("a", "10.0.0.1", "10.96.0.1", 80, "tcp")
    disposition = Disposition.DROPPED if endpoint is None else Disposition.DELIVERED
    return Trace(flow, "iptables", (), disposition, "why", endpoint, None, False, True)


MANIFESTS = """
apiVersion: v1
kind: Node
metadata: {name: node1}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.10.11}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop}
spec: {nodeName: node1, containers: [{name: c}]}
status: {podIP: 10.244.1.9}
---
apiVersion: v1
kind: Pod
metadata: {name: good, namespace: shop, labels: {app: web}}
spec: {nodeName: node1, containers: [{name: c, ports: [{containerPort: 80}]}]}
status: {podIP: 10.244.1.2}
---
apiVersion: v1
kind: Pod
metadata:
  {name: deaf, namespace: shop, labels: {app: web}, annotations: {packetwalk.dev/listening: none}}
spec: {nodeName: node1, containers: [{name: c, ports: [{containerPort: 80}]}]}
status: {podIP: 10.244.1.3}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.20, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: packetwalk.dev/v1
kind: FlowTest
metadata: {name: t}
spec:
  MODES
  flows:
  - {name: half deaf, from: shop/client, via: node1, to: shop/web, expect: {outcome: delivered}}
  - {name: one good, from: FROM, to: shop/web, expect: {endpoints: ["10.244.1.2:80"], masqueraded: false}}
"""


def check_of(modes: str = "", source: str = "shop/client") -> Check:
    text = MANIFESTS.replace("MODES", modes).replace("FROM", source)
    return Check(load([Source("t.yaml", text)]), RolledDice(Random(0).randrange))


def test_a_flow_that_fails_by_chance_fails_always_and_its_walk_shows_it() -> None:
    check = check_of()
    half, good = check
    assert (len(check), half.passed, good.passed) == (2, False, True)
    assert half.differences == ("outcome: expected delivered, found delivered or refused, by chance",)
    for _ in range(5):
        assert check.walk(half).disposition is Disposition.REFUSED


def test_the_report_as_json() -> None:
    report = report_json(list(check_of()))
    assert (report["passed"], report["failed"]) == (1, 1)
    half, good = report["flows"]
    assert {key: half[key] for key in ("name", "mode", "passed", "expected")} == {
        "name": "half deaf",
        "mode": "iptables",
        "passed": False,
        "expected": {"outcome": "delivered"},
    }
    assert good["expected"] == {"endpoints": ["10.244.1.2:80"], "masqueraded": False}
    actual = half["actual"]
    assert (actual["outcome"], actual["endpoints"], actual["masqueraded"]) == ("mixed", ["10.244.1.2:80"], False)
    rows = [(one["probability"], one["outcome"], one["endpoint"], one["source_seen"]) for one in actual["outcomes"]]
    assert sorted(rows, key=lambda row: row[1]) == [
        ("1/2", "delivered", "10.244.1.2:80", "10.244.1.9"),
        ("1/2", "refused", "10.244.1.3:80", "10.244.1.9"),
    ]
    assert sum(Fraction(one["kernel_probability"]) for one in actual["outcomes"]) == 1


@pytest.mark.parametrize("mode", ["userspace", "iptables", "ipvs", "nftables"])
def test_a_flow_that_is_not_sticky_shows_a_second_connection_that_strays(mode: str) -> None:
    check = sticky_check(f"mode: {mode}", "annotations: {}")
    sticky, loose = check
    assert (sticky.passed, loose.passed) == (False, True)
    (told,) = sticky.differences
    first, second = re.findall(r"10\.244\.1\.[23]:80", told)
    assert first != second
    assert check.walk(sticky).endpoint in (first, second)
    json = [one["actual"]["sticky"] for one in report_json([sticky, loose])["flows"]]
    assert json == [False, False]
    assert "sticky" not in report_json(list(check_of()))["flows"][0]["actual"]


def test_a_second_connection_that_someone_refuses_strays_too() -> None:
    check = sticky_check("mode: iptables", "annotations: {packetwalk.dev/listening: none}")
    sticky, _ = check
    assert sticky.differences == (
        "sticky: expected true, found 10.244.1.2:80 for a first connection and then, 3 s later, refused",
    )
    assert check.walk(sticky).disposition is Disposition.REFUSED


def test_a_first_connection_that_is_refused_has_no_endpoint_to_come_back_to() -> None:
    sticky, _ = sticky_check("mode: iptables", "annotations: {packetwalk.dev/listening: none}", "ClientIP")
    assert (sticky.actual.outcome, sticky.actual.sticky) == ("mixed", True)


def sticky_check(modes: str, annotations: str, affinity: str = "None") -> Check:
    text = MANIFESTS[: MANIFESTS.index("  flows:")].replace("MODES", modes) + (
        "  flows:\n"
        "  - {name: sticky, from: shop/client, to: shop/web, again_after: 3, expect: {sticky: true}}\n"
        "  - {name: loose, from: shop/client, to: shop/web, expect: {sticky: false}}\n"
    )
    text = text.replace("annotations: {packetwalk.dev/listening: none}", annotations)
    text = text.replace("{clusterIP: 10.96.0.20,", f"{{sessionAffinity: {affinity}, clusterIP: 10.96.0.20,")
    return Check(load([Source("t.yaml", text)]), RolledDice(Random(0).randrange))


@pytest.mark.parametrize(
    ("modes", "run"),
    [
        ("", ["iptables"]),
        ("mode: nftables", ["nftables"]),
        ("modes: [ipvs, userspace]", ["ipvs", "userspace"]),
    ],
)
def test_modes_are_the_tests_own_else_the_clusters(modes: str, run: list[str]) -> None:
    assert list(dict.fromkeys(result.mode for result in check_of(modes))) == run


def test_every_flow_from_nowhere_is_told_in_one_go_and_once() -> None:
    text = MANIFESTS.replace("MODES", "modes: [ipvs, nftables]").replace("FROM", "shop/cl")
    manifests = load([Source("t.yaml", text.replace("from: shop/client", "from: nowhere"))])
    with pytest.raises(FlowError) as told:
        Check(manifests, RolledDice(Random(0).randrange))
    first, second = str(told.value).splitlines()
    assert "flow 'half deaf': there is no node 'nowhere'" in first
    assert "flow 'one good': there is no Pod 'shop/cl'" in second


def test_a_flow_from_nowhere_is_bad_input_with_its_place() -> None:
    with pytest.raises(FlowError, match=r"t\.yaml: document 6, line \d+: flow 'one good': there is no Pod 'shop/cl'"):
        check_of(source="shop/cl")
