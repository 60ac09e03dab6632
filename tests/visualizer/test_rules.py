"""Rule: the lines shown, joined, are the very text of the node's tools; hits and origins stand on the right ones."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from packetsim.parts import render
from tests.visualizer.labs import CLIENT, WEB, change, dice, event_of, large, shop
from visualizer.asking import outcome_views
from visualizer.refusals import RefusedError
from visualizer.rules import kernel_view, rules_text, rules_view, seen_node
from visualizer.schemas import MOST_ORIGINS, Apply, Patch, Send
from visualizer.sessions import Session, new_state
from visualizer.walks import MODES


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("node", ["node1", "node2"])
def test_the_lines_are_the_nodes_own_text(mode: str, node: str) -> None:
    for session in (shop(mode), Session(new_state(large(12, 3), "L", mode), 0, dice)):
        view = rules_view(seen_node(session.simulation, node), 7)
        assert (view.seq, view.node, view.mode) == (7, node, mode)
        for part in view.parts:
            assert "\n".join(line.text for line in part.lines) + "\n" == render(
                session.simulation.config(node), part.part
            )
        for part in view.parts:
            assert rules_text(seen_node(session.simulation, node), part.part) == render(
                session.simulation.config(node), part.part
            )


@pytest.mark.parametrize("mode", ["iptables", "nftables", "ipvs"])
def test_hits_are_those_of_the_rules_that_the_trace_says_matched(mode: str) -> None:
    session = shop(mode)
    document: dict[str, Any] = json.loads(
        zlib.decompress(session.handle(Send(source=CLIENT, target=WEB)).traces[0].document)
    )
    matched: dict[tuple[str, str, int], int] = {}
    for leg in document["legs"]:
        for hop in leg["hops"]:
            for step in hop["steps"] if hop["place"] == "node1" else ():
                detail = step["detail"]
                if detail["kind"] == "rule_tried" and detail["matched"]:
                    key = (detail["table"], detail["chain"], detail["number"])
                    matched[key] = matched.get(key, 0) + 1
                    assert any(
                        line.text.strip() == detail["text"]
                        for part in rules_view(seen_node(session.simulation, "node1"), 1).parts
                        for line in part.lines
                        if (line.table, line.chain, line.number) == key
                    )
    lines = [line for part in rules_view(seen_node(session.simulation, "node1"), 1).parts for line in part.lines]
    assert {(one.table, one.chain, one.number): one.hits for one in lines if one.hits} == matched


def test_a_line_names_what_made_it() -> None:
    lines = [line for part in rules_view(seen_node(shop().simulation, "node1"), 1).parts for line in part.lines]
    (dnat,) = [one for one in lines if "--to-destination 10.244.2.2:8080" in one.text]
    assert any((one.kind, one.name) == ("Service", "web") for one in dnat.origins)


def test_the_kernels_tables_are_listed() -> None:
    session = shop("ipvs")
    event_of(session, Send(source=CLIENT, target=WEB))
    view = kernel_view(session.simulation, "node1")()
    assert len(view.conntrack) == 1
    assert view.servers[0].startswith("IP Virtual Server")
    assert view.connections[0] == "IPVS connection entries"
    assert any("10.244.1.9" in line for line in view.connections)


@pytest.mark.parametrize("mode", MODES)
def test_what_was_looked_at_stays_as_it_was(mode: str) -> None:
    """Words are made of it later, in another thread, while the lab goes on."""

    def looks(session: Session) -> list[Callable[[], object]]:
        simulation, seen = session.simulation, session.seen()
        nodes = [seen_node(simulation, node) for node in simulation.cluster.nodes]
        return [
            *(partial(rules_view, node, 1) for node in nodes),
            *(partial(rules_text, node, "") for node in nodes),
            *(kernel_view(simulation, node) for node in simulation.cluster.nodes),
            session.odds(outcome_views, CLIENT, WEB, None, None),
            lambda: seen.view("owner", ""),
        ]

    session, twin = shop(mode), shop(mode)
    send = Send(source=CLIENT, target=WEB)
    for one in (session, twin):
        one.handle(send)
    found = looks(session)
    session.handle(send)
    change(session, Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 5}}))
    session.handle(send)
    assert [look() for look in found] == [look() for look in looks(twin)]


@pytest.mark.parametrize("mode", ["ipvs", "userspace"])
def test_to_look_changes_nothing(mode: str) -> None:
    looked, unseen = shop(mode), shop(mode)
    rules_view(seen_node(looked.simulation, "node2"), 0)
    kernel_view(looked.simulation, "node1")()
    for session in (looked, unseen):
        change(session, Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 5}}))
    for _ in range(6):
        command = Send(source="192.168.10.50", target="node2:30080", via="node2")
        assert looked.handle(command) == unseen.handle(command)


def test_an_unknown_node_or_part_is_refused() -> None:
    simulation = shop().simulation
    for ask in (lambda: seen_node(simulation, "x"), lambda: rules_text(seen_node(simulation, "node1"), "x")):
        with pytest.raises(RefusedError, match="There is no"):
            ask()


@pytest.mark.parametrize("mode", MODES)
def test_rules_added_and_removed_are_the_difference_of_the_texts(mode: str) -> None:
    session = shop(mode)
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\n"
    spec = "spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http}]}\n"
    before = rules_text(seen_node(session.simulation, "node1"), "").splitlines()
    event = change(session, Apply(manifests=service + spec))
    after = rules_text(seen_node(session.simulation, "node1"), "").splitlines()
    stage = next(one for one in event.stages if one.place == "node1")
    assert stage.added > 0
    for line in stage.lines:
        there, gone = (after, before) if line.sign == "+" else (before, after)
        assert any(line.text in text for text in there)
        assert sum(line.text in text for text in gone) < sum(line.text in text for text in there)


@pytest.mark.parametrize("mode", MODES)
def test_a_line_that_is_told_of_a_change_has_the_origins_of_the_text(mode: str) -> None:
    session = shop(mode)
    event = change(session, Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 4}}))
    shown = {
        line.text.strip(): line.origins
        for part in rules_view(seen_node(session.simulation, "node1"), 1).parts
        for line in part.lines
    }
    come = [line for stage in event.stages if stage.place == "node1" for line in stage.lines if line.sign == "+"]
    assert any(line.origins for line in come) or mode == "userspace"  # kube-proxy itself chooses there
    assert all(line.origins == shown[line.text][:MOST_ORIGINS] for line in come if line.text in shown)
