"""Rule: a command does what it says, tells what it did, and leaves everything alone when it is refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.visualizer.labs import CLIENT, SHOP, WEB, burst, change, dice, event_of, large, shop, walk
from visualizer.lab_state import packed, unpacked
from visualizer.refusals import RefusedError
from visualizer.schemas import (
    Apply,
    Burst,
    Changed,
    Command,
    Compare,
    Delete,
    Patch,
    Redo,
    Rename,
    Renamed,
    Resolve,
    Send,
    SetMode,
    Undo,
    Wait,
    Waited,
)
from visualizer.sessions import Session, new_state
from visualizer.walks import MODES

SCALE = Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 4}})
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: shop}\n"


def actors(event: Changed) -> list[str]:
    return [stage.actor for stage in event.stages]


# ---- walks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_a_packet_is_sent_in_the_mode_in_force(mode: str) -> None:
    session = shop(mode)
    (trace,) = walk(session, Send(source=CLIENT, target=WEB)).traces
    assert (trace.number, trace.seq, trace.mode, trace.disposition) == (1, 1, mode, "delivered")
    assert trace.path[0] == CLIENT
    assert trace.path[-1].startswith("shop/web-")
    assert trace.rules_tried > 0


def test_the_trace_document_is_packetsims_own() -> None:
    import json
    import zlib

    handled = shop().handle(Send(source=CLIENT, target=WEB))
    document = json.loads(zlib.decompress(handled.traces[0].document))
    assert document["flow"]["place"] == CLIENT
    assert zlib.decompress(handled.traces[0].capture).startswith(b"\x0a\x0d\x0d\x0a")
    rules = [one for leg in document["legs"] for hop in leg["hops"] for one in hop["steps"]]
    missed = [one["detail"]["rules"] for one in rules if one["detail"]["kind"] == "rules_missed"]
    assert all(rule["why"] for run in missed for rule in run)


def test_all_four_modes_are_compared() -> None:
    session = shop()
    traces = walk(session, Compare(source=CLIENT, target=WEB)).traces
    assert [one.mode for one in traces] == list(MODES)
    assert {one.label for one in traces} == {"compare"}
    assert {one.seq for one in traces} == {1}
    assert [one.number for one in traces] == [1, 2, 3, 4]
    assert session.handle(Send(source=CLIENT, target=WEB)).traces[0].number == 5


def test_a_name_is_looked_up_and_its_address_connected_to() -> None:
    dns, connection = walk(shop(), Resolve(source=CLIENT, service=WEB)).traces
    assert (dns.label, dns.target, dns.protocol) == ("dns", "kube-system/kube-dns:53", "udp")
    assert dns.path[-1].startswith("kube-system/coredns-")
    assert (connection.label, connection.target, connection.disposition) == ("", WEB, "delivered")


def test_a_headless_services_name_leads_to_one_of_its_pods() -> None:
    session = shop()
    ports = "spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80, targetPort: http}]}\n"
    event_of(session, Apply(manifests=SERVICE + ports))
    targets = {walk(session, Resolve(source=CLIENT, service="shop/api:80")).traces[1].target for _ in range(20)}
    assert targets == {"10.244.1.2:8080", "10.244.2.2:8080", "10.244.2.3:8080"}


def test_where_dns_does_not_answer_nobody_connects() -> None:
    session = shop()
    event_of(session, Delete(kind="Deployment", namespace="kube-system", name="coredns"))
    (dns,) = walk(session, Resolve(source=CLIENT, service=WEB)).traces
    assert dns.disposition == "rejected"


@pytest.mark.parametrize("mode", MODES)
def test_a_burst_is_counted_beside_its_exact_odds(mode: str) -> None:
    session = shop(mode)
    event = burst(session, Burst(source=CLIENT, target=WEB, count=300))
    assert sum(one.count for one in event.results) == event.count == 300
    assert all(one.outcome == "delivered" for one in event.results)
    assert len(event.results) == 3
    assert {one.probability for one in event.results} == {"1/3"}
    assert all(60 < one.count < 140 and one.expected == 100 for one in event.results)


def test_a_burst_leaves_the_kernels_alone() -> None:
    session = shop("ipvs")
    event_of(session, Send(source=CLIENT, target=WEB))
    before = session.simulation.network.machine("node1").netfilter.conntrack.listed(0)
    event_of(session, Burst(source=CLIENT, target=WEB, count=50))
    assert session.simulation.network.machine("node1").netfilter.conntrack.listed(0) == before


def test_time_passes_by_waiting_alone() -> None:
    session = shop()
    event_of(session, Send(source=CLIENT, target=WEB))
    table = session.simulation.network.machine("node1").netfilter.conntrack
    assert event_of(session, Wait(seconds=432_001)) == Waited(seconds=432_001, now=432_001.0)
    assert table.listed(session.simulation.now) == ()


# ---- changes ----------------------------------------------------------------------------------------------------


def test_scaling_is_told_down_the_line() -> None:
    event = change(shop(), SCALE)
    assert actors(event) == [
        "api-server",
        "etcd",
        "controller",
        "scheduler",
        "endpointslice-controller",
        "kube-proxy",
        "kube-proxy",
    ]
    assert [one.key for one in event.documents] == ["Deployment shop/web"]
    (pod,) = event.pods
    assert pod.owner == "Deployment shop/web"
    assert [one.name for one in event.services] == ["web"]
    assert len(event.services[0].endpoints) == 4
    proxy = event.stages[-1]
    assert (proxy.place, proxy.added, proxy.removed) == ("node2", 5, 1)
    assert any("--to-destination" in line.text and line.sign == "+" for line in proxy.lines)


def test_no_pod_moves_when_another_comes() -> None:
    session = shop()
    before = {one.place: (one.node, one.addresses) for one in session.view("owner", "").cluster.pods}
    change(session, SCALE)
    after = {one.place: (one.node, one.addresses) for one in session.view("owner", "").cluster.pods}
    assert {place: after[place] for place in before} == before
    assert len(after) == len(before) + 1


def test_a_pod_that_is_not_ready_is_no_endpoint() -> None:
    session = shop()
    labels: dict[str, Any] = {"spec": {"template": {"metadata": {"annotations": {"packetwalk.dev/ready": "false"}}}}}
    event = change(session, Patch(kind="Deployment", namespace="shop", name="web", patch=labels))
    stage = next(one for one in event.stages if one.actor == "endpointslice-controller")
    assert (stage.added, stage.removed) == (3, 3)
    assert all("not ready" in line.text for line in stage.lines if line.sign == "+")
    assert walk(session, Send(source=CLIENT, target=WEB)).traces[0].disposition == "rejected"


def test_a_deleted_object_takes_with_it_what_it_made() -> None:
    event = change(shop(), Delete(kind="Deployment", namespace="shop", name="web"))
    assert event.removed[0] == "Deployment shop/web"
    assert sum(one.startswith("pod shop/web-") for one in event.removed) == 3


def test_all_documents_of_an_apply_or_none() -> None:
    session = shop()
    before = session.state
    broken = (
        SERVICE
        + "spec: {ports: [{port: 80}]}\n---\n"
        + SERVICE.replace("name: api", "name: ap2")
        + "spec: {ports: [{port: 0}]}\n"
    )
    with pytest.raises(RefusedError) as refused:
        session.handle(Apply(manifests=broken))
    assert "Service shop/ap2, line 9, spec.ports[0].port" in refused.value.problems[0]
    assert session.state == before
    assert session.seq == 0


def test_to_apply_what_is_there_already_changes_nothing() -> None:
    session = shop()
    event = change(session, Apply(manifests=SHOP))
    assert (event.documents, event.pods, event.stages, event.removed) == ([], [], [], [])
    assert not event.can_undo


def test_a_rename_is_told() -> None:
    session = shop()
    assert event_of(session, Rename(title="Mine")) == Renamed(title="Mine")
    assert session.view("viewer", "").title == "Mine"


# ---- mode -------------------------------------------------------------------------------------------------------


def test_the_mode_and_the_configuration_say_the_same() -> None:
    session = shop()
    event = change(session, SetMode(mode="ipvs"))
    assert (event.mode, [one.key for one in event.documents]) == ("ipvs", ["KubeProxyConfiguration"])
    assert "mode: ipvs\n" in event.documents[0].yaml
    config = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: nftables\n"
    assert change(session, Apply(manifests=config)).mode == "nftables"
    patch = Patch(kind="KubeProxyConfiguration", name="KubeProxyConfiguration", patch={"mode": "userspace"})
    assert change(session, patch).mode == "userspace"
    assert change(session, Undo()).mode == "nftables"


def test_a_lab_without_configuration_has_a_mode_all_the_same() -> None:
    session = Session(new_state(large(1, 1), "L"), 0, dice)
    assert change(session, SetMode(mode="nftables")).documents == []
    assert session.simulation.mode == "nftables"


def test_kernels_begin_anew_with_another_mode() -> None:
    session = shop()
    event_of(session, Send(source=CLIENT, target=WEB))
    handled = session.handle(SetMode(mode="ipvs"))
    assert handled.fresh
    assert session.simulation.network.machine("node1").netfilter.conntrack.listed(0) == ()


# ---- undo -------------------------------------------------------------------------------------------------------


def test_changes_are_undone_and_done_again() -> None:
    session = shop()
    first = session.state.documents
    change(session, SCALE)
    change(session, Delete(kind="Service", namespace="shop", name="web"))
    last = session.state.documents
    event = change(session, Undo())
    assert [one.key for one in event.services] == ["Service shop/web"]
    event = change(session, Undo())
    assert session.state.documents == first
    assert (event.can_undo, event.can_redo) == (False, True)
    change(session, Redo())
    event = change(session, Redo())
    assert session.state.documents == last
    assert (event.can_undo, event.can_redo) == (True, False)


def test_a_new_change_leaves_nothing_to_do_again() -> None:
    session = shop()
    change(session, SCALE)
    change(session, Undo())
    change(session, SetMode(mode="ipvs"))
    with pytest.raises(RefusedError, match="nothing to redo"):
        session.handle(Redo())


def test_undo_keeps_only_so_much() -> None:
    session = shop()
    pod = (
        "# {}\napiVersion: v1\nkind: Pod\nmetadata: {{name: x, namespace: shop}}\nspec: {{containers: [{{name: c}}]}}\n"
    )
    for letter in "abcdefghijkl":
        change(session, Apply(manifests=pod.format(letter * 1_000_000)))
    assert 6 < len(session.state.undo) < 10
    assert len(packed(session.state)) < 200_000
    for _ in range(len(session.state.undo)):
        change(session, Undo())
    assert len(session.state.redo) > 6


# ---- refusals ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (Send(source="shop/nobody", target=WEB), "there is no Pod"),
        (Send(source=CLIENT, target="nowhere"), "there is no node"),
        (Send(source=CLIENT, target=WEB, via="node9"), "there is no node"),
        (Resolve(source=CLIENT, service="shop/nothing"), "DNS knows no Service"),
        (Resolve(source=CLIENT, service="shop/web:ssh"), "has no port"),
        (Undo(), "nothing to undo"),
        (Redo(), "nothing to redo"),
        (Delete(kind="Pod", namespace="shop", name="nobody"), "There is no Pod shop/nobody. There is Pod shop/client"),
        (Delete(kind="Widget", name="x"), "There is no Widget at all"),
        (Patch(kind="Service", namespace="shop", name="web", patch={"spec": {"type": "Odd"}}), "Odd"),
        (Apply(manifests="# nothing\n"), "no object"),
        (
            Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 99_999}}),
            "at most 10,000 Pods",
        ),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_changes(command: Command, told: str) -> None:
    session = shop()
    before = session.state
    with pytest.raises(RefusedError) as refused:
        session.handle(command)
    assert told in "\n".join(refused.value.problems)
    assert (session.state, session.seq) == (before, 0)
    assert walk(session, Send(source=CLIENT, target=WEB)).traces[0].number == 1


# ---- again ------------------------------------------------------------------------------------------------------

STORY: list[Command] = [
    Send(source=CLIENT, target=WEB),
    SCALE,
    Send(source=CLIENT, target=WEB),
    Resolve(source=CLIENT, service=WEB),
    Burst(source=CLIENT, target=WEB, count=20),
    Patch(kind="Service", namespace="shop", name="web", patch={"spec": {"sessionAffinity": "ClientIP"}}),
    Send(source=CLIENT, target=WEB),
    Send(source="192.168.10.50", target="node2:30080", via="node2"),
    Wait(seconds=30),
    Compare(source=CLIENT, target=WEB),
    Patch(kind="Deployment", namespace="shop", name="web", patch={"spec": {"replicas": 2}}),
    Undo(),
    Send(source=CLIENT, target=WEB),
]


@pytest.mark.parametrize("mode", MODES)
def test_the_same_commands_again_bring_back_the_same_lab(mode: str) -> None:
    told, again, documents = shop(mode), shop(mode), shop(mode)
    for command in STORY:
        handled = told.handle(command)
        for one in (again, documents):
            one.repeat(command, kernels=one is again)
            one.remember(handled.events[0])
    assert again.state == told.state == documents.state
    assert again.seq == told.seq == documents.seq == len(STORY)
    for _ in range(5):
        next_one = Send(source=CLIENT, target=WEB)
        assert again.handle(next_one) == told.handle(next_one)


def test_a_state_is_packed_and_unpacked_whole() -> None:
    session = shop()
    for command in STORY:
        session.handle(command)
    assert unpacked(packed(session.state)) == session.state


def test_a_view_and_the_events_after_it_say_what_a_later_view_says() -> None:
    session = shop()
    view = session.view("owner", "")
    pods = {one.place: one for one in view.cluster.pods}
    services = {one.key: one for one in view.cluster.services}
    documents = {one.key: one for one in view.documents}
    for command in (*STORY, Delete(kind="Service", namespace="shop", name="web"), SetMode(mode="nftables")):
        event = session.handle(command).events[0]
        if not isinstance(event, Changed):
            continue
        for name in event.removed:
            kind, _, rest = name.partition(" ")
            if kind == "pod":
                del pods[rest]
            elif kind == "service":
                del services[rest]
            else:
                del documents[name]
        pods |= {one.place: one for one in event.pods}
        services |= {one.key: one for one in event.services}
        documents |= {one.key: one for one in event.documents}
    later = session.view("owner", "")
    assert pods == {one.place: one for one in later.cluster.pods}
    assert services == {one.key: one for one in later.cluster.services}
    assert documents == {one.key: one for one in later.documents}


@pytest.mark.parametrize("seed", range(8))
def test_a_change_after_others_is_what_a_lab_read_anew_would_be(seed: int) -> None:
    """Each change takes up what the last one found; nothing comes out differently for it, nor is refused otherwise."""
    random = Random(seed)
    session, refused = Session(new_state(large(8, 3), "L"), 0, dice), 0

    def drawn() -> Command:
        name = f"s{random.randrange(10)}"  # two of which there are not
        patches: list[tuple[str, dict[str, Any]]] = [
            ("Deployment", {"replicas": random.choice([0, 1, 3, 7, -1, "two"])}),
            ("Deployment", {"template": {"spec": {"nodeName": random.choice(["node1", "nowhere", None])}}}),
            ("Service", {"type": random.choice(["NodePort", "LoadBalancer", "Other", None])}),
            ("Service", {"selector": {"app": f"s{random.randrange(8)}"}}),
            ("Service", {"clusterIP": random.choice(["10.96.0.9", "10.244.0.5", "None", None])}),
        ]
        kind, spec = random.choice(patches)
        patched: Command = Patch(kind=kind, namespace="shop", name=name, patch={"spec": spec})
        rarely: list[Command] = [Delete(kind=kind, namespace="shop", name=name), Undo(), Redo()]
        return patched if random.random() < 0.6 else random.choice(rarely)

    for _ in range(40):
        state, command = session.state, drawn()
        anew = Session(state, session.seq, dice)
        try:
            told = session.handle(command)
        except RefusedError as error:
            refused += 1
            with pytest.raises(RefusedError) as again:
                anew.handle(command)
            assert again.value.problems == error.problems
        else:
            assert anew.handle(command) == told
        assert session.manifests == anew.manifests
        assert list(session.manifests.cluster.pods) == list(anew.manifests.cluster.pods)
    assert 3 < refused < 37
