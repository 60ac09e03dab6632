"""Rule: a stage does what a scene says, and what is asked of it has one answer or none."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from pydantic import TypeAdapter

from visualizer.exercises.faults import ContentError
from visualizer.exercises.loader import CONTENT
from visualizer.exercises.questions import Value, evaluated
from visualizer.exercises.schema import Action, Expression
from visualizer.exercises.stage import Stage, staged

SHOP = (CONTENT / "010-why-a-service" / "cluster.yaml").read_text(encoding="utf-8")
SEND = {"send": {"from": "shop/client", "to": "shop/web:80"}}
DNS = """
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  nodeName: node2
  containers: [{name: dns, image: coredns, ports: [{containerPort: 53, protocol: UDP}]}]
---
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec: {clusterIP: 10.96.0.10, selector: {k8s-app: kube-dns}, ports: [{port: 53, protocol: UDP}]}
"""
_ACTIONS = TypeAdapter(tuple[Action, ...])
_EXPRESSION: TypeAdapter[Expression] = TypeAdapter(Expression)


def after(*actions: dict[str, Any], seed: int = 1) -> Stage:
    return staged(SHOP, seed).perform(_ACTIONS.validate_python(list(actions)))


def asked(stage: Stage, expression: Any) -> Value:
    return evaluated(_EXPRESSION.validate_python(expression), stage)


@pytest.mark.parametrize(
    ("how", "outcome"),
    [("silent", "unanswered"), ("refusing", "refused"), ("gone", "unanswered"), ("not-ready", "delivered")],
)
def test_a_pod_fails_in_four_ways(how: str, outcome: str) -> None:
    stage = after(
        {"fail": {"pod": "shop/web-1", "how": how}}, {"send": {"from": "shop/client", "to": "10.244.1.21:8080"}}
    )
    assert asked(stage, {"what": "outcome"}) == outcome
    assert asked(stage, {"what": "endpoints", "of": "shop/web"}) == (2 if how in ("gone", "not-ready") else 3)


def test_a_name_is_looked_up_and_then_called() -> None:
    stage = after({"apply": DNS}, {"resolve": {"from": "shop/client", "service": "shop/web"}})
    assert [one.flow.protocol for one in stage.latest] == ["udp", "tcp"]
    assert asked(stage, {"what": "outcome"}) == "delivered"


def test_what_was_shown_leaves_one_answer() -> None:
    """Before the Pod is drawn there are three answers; after it was shown, one."""
    stage = after(SEND)
    with pytest.raises(ContentError, match="no single answer: shop/web-1 or shop/web-2 or shop/web-3"):
        asked(stage, {"what": "pod"})
    found = {
        asked(after(SEND, {"step": {"to": "rewrite", "end": "destination"}}, seed=seed), {"what": "pod"})
        for seed in range(12)
    }
    assert found == {"shop/web-1", "shop/web-2", "shop/web-3"}


def test_turns_are_counted_whatever_the_dice() -> None:
    ipvs = after({"mode": "ipvs"}, SEND, SEND, SEND, SEND)
    assert asked(ipvs, {"what": "distinct_pods"}) == 3
    with pytest.raises(ContentError, match="no single answer: 1 or 2"):
        asked(after(SEND, SEND), {"what": "distinct_pods"})
    with pytest.raises(ContentError, match="since the last change"):
        asked(after(SEND, {"wait": 5}), {"what": "distinct_pods"})


def test_a_copy_leaves_the_first_as_it_was() -> None:
    stage = after(SEND)
    stage.copy().perform(_ACTIONS.validate_python([{"fail": {"pod": "shop/web-1", "how": "gone"}}, SEND]))
    assert asked(stage, {"what": "endpoints", "of": "shop/web"}) == 3
    assert len(stage.sent) == 1


def test_the_same_seed_walks_the_same_way() -> None:
    many = [after(SEND, seed=seed).walk().trace.endpoint for seed in range(12)]
    assert many == [after(SEND, seed=seed).walk().trace.endpoint for seed in range(12)]
    assert len(set(many)) == 3


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"what": "port", "of": "shop/web"}, Fraction(80)),
        ({"what": "target_port", "of": "shop/web"}, Fraction(8080)),
        ({"what": "address", "of": "node2"}, "192.168.10.12"),
        ({"what": "lines", "place": "node2", "chain": "KUBE-SEP-*"}, Fraction(6)),
        ({"what": "probability", "outcome": "delivered"}, Fraction(1)),
        ({"what": "probability", "source_seen": "shop/client"}, Fraction(1)),
        ({"what": "pods"}, ("shop/web-1", "shop/web-2", "shop/web-3")),
        ({"calc": "add", "of": [1, {"calc": "multiply", "of": [2, 3]}]}, Fraction(7)),
    ],
)
def test_what_is_asked_is_worked_out(expression: Any, value: Value) -> None:
    assert asked(after(SEND), expression) == value


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ({"what": "cluster_ip", "of": "shop/none"}, "no Service"),
        ({"what": "address", "of": "shop/none"}, "no Pod or node"),
        ({"what": "lines", "place": "node9"}, "no node"),
        ({"what": "option", "option": "--probability", "chain": "KUBE-SVC-*"}, "4 fit"),
        ({"what": "option", "option": "--nothing", "chain": "KUBE-MARK-MASQ"}, "no number"),
        ({"calc": "divide", "of": [1, 0]}, "by zero"),
        ({"calc": "add", "of": [1, "two"]}, "two numbers"),
        ({"what": "outcome", "mode": "ipvs"}, "nothing was sent"),
    ],
)
def test_what_cannot_be_asked_is_told(expression: Any, says: str) -> None:
    with pytest.raises(ContentError, match=says):
        asked(after(SEND), expression)


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        ([{"step": {"to": "verdict"}}], "nothing was sent"),
        ([{"send": {"from": "shop/none", "to": "shop/web:80"}}], "send: there is no Pod"),
        ([{"change": {"kind": "Pod", "namespace": "shop", "name": "x", "patch": {}}}], "There is no Pod"),
        ([{"apply": "kind: ["}], "apply: "),
    ],
)
def test_what_cannot_be_done_is_told(actions: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ContentError, match=says):
        after(*actions)


@pytest.mark.parametrize(
    "action", [{}, {"send": None}, {"wait": 1, "mode": "ipvs"}, {"wait": 0}, {"mode": "fast"}, {"run": "x"}]
)
def test_an_action_is_one_thing(action: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        _ACTIONS.validate_python([action])
