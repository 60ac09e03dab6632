"""What a person sees when they send packets one after another, wait, and change the cluster."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction

import pytest

from packetsim import MODES, Disposition, flow_from, outcomes
from packetsim.cluster import replace_service
from packetsim.hooks import Hook
from packetsim.trace import Crossed, ProxyDialled, Routed, RuleTried, Scheduled, Tracked, Translated
from tests.packetsim.scenes import cluster_with, send, service, simulation

KERNEL_MODES = ("iptables", "ipvs", "nftables")


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_walks_the_same(mode: str) -> None:
    cluster = cluster_with(service())
    first, second = (send(simulation(cluster, mode, 5), "shop/client", "shop/web") for _ in range(2))
    assert first == second
    assert first.disposition is Disposition.DELIVERED and first.answered


@pytest.mark.parametrize("mode", MODES)
def test_affinity_sticks_to_one_endpoint(mode: str) -> None:
    sim = simulation(cluster_with(service(extra=", sessionAffinity: ClientIP")), mode)
    chosen = {send(sim, "shop/client", "shop/web").endpoint for _ in range(12)}
    assert len(chosen) == 1


@pytest.mark.parametrize("mode", KERNEL_MODES)  # userspace: see balancer tests, the timeout given is not read there
def test_affinity_ends_after_its_timeout(mode: str) -> None:
    affinity = ", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 100}}"
    sim = simulation(cluster_with(service(extra=affinity)), mode)
    seen = set()
    for _ in range(40):
        seen.add(send(sim, "shop/client", "shop/web").endpoint)
        sim.wait(3600)
    assert len(seen) == 2


@pytest.mark.parametrize("mode", MODES)
def test_without_affinity_both_endpoints_serve(mode: str) -> None:
    sim = simulation(cluster_with(service()), mode)
    assert len({send(sim, "shop/client", "shop/web").endpoint for _ in range(30)}) == 2


@pytest.mark.parametrize("mode", ["userspace", "ipvs"])
def test_round_robin_takes_turns(mode: str) -> None:
    sim = simulation(cluster_with(service()), mode)
    turns = [send(sim, "shop/client", "shop/web").endpoint for _ in range(6)]
    assert turns[0] != turns[1]
    assert turns == turns[:2] * 3


@pytest.mark.parametrize("mode", MODES)
def test_sampled_frequencies_agree_with_exact_probabilities(mode: str) -> None:
    cluster = cluster_with(service())
    flow = flow_from(cluster, "shop/client", "shop/web")
    exact = outcomes(simulation(cluster, mode), flow)
    assert sum(one.probability for one in exact) == 1
    assert sum(one.kernel_probability for one in exact) == 1
    seen = Counter(simulation(cluster, mode, seed).send(flow, record=False).endpoint for seed in range(400))
    for one in exact:
        assert abs(seen[one.endpoint] / 400 - one.probability) < 0.1


def test_three_endpoints_are_equally_likely_by_unequal_rules() -> None:
    third = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web-c, namespace: shop, labels: {app: web}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.244.2.8}\n"
    )
    cluster = cluster_with(service(), third)
    flow = flow_from(cluster, "shop/client", "shop/web")
    found = {mode: outcomes(simulation(cluster, mode), flow) for mode in MODES}
    assert all([one.probability for one in ways] == [Fraction(1, 3)] * 3 for ways in found.values())
    assert {one.kernel_probability for one in found["iptables"]} == {
        Fraction(715827883, 2**31),
        Fraction(2**31 - 715827883, 2**32),
    }


@pytest.mark.parametrize("mode", MODES)
def test_outcomes_leave_no_trace_behind(mode: str) -> None:
    cluster = cluster_with(service(extra=", sessionAffinity: ClientIP"))
    sim = simulation(cluster, mode)
    flow = flow_from(cluster, "shop/client", "shop/web")
    assert outcomes(sim, flow) == outcomes(sim, flow)
    assert len(outcomes(sim, flow)) == 2
    sim.send(flow)
    assert len(outcomes(sim, flow)) == 1  # now the client is remembered


@pytest.mark.parametrize("mode", MODES)
def test_a_copy_remembers_its_own_clients(mode: str) -> None:
    sim = simulation(cluster_with(service(extra=", sessionAffinity: ClientIP")), mode)
    sim.config("node1")  # its kernel exists before the copy is made
    flow = flow_from(sim.cluster, "shop/client", "shop/web")
    before = outcomes(sim, flow)
    sim.copy(sim.dice).send(flow)
    assert len(before) == 2 and outcomes(sim, flow) == before


@pytest.mark.parametrize("mode", MODES)
def test_a_change_reaches_the_rules_and_the_clusterip_stays(mode: str) -> None:
    cluster = cluster_with(service(selector="{only: a}"))
    sim = simulation(cluster, mode)
    assert send(sim, "shop/client", "shop/web").endpoint == "10.244.1.5:8080"
    sim.apply(cluster_with(service(selector="{only: b}")))
    assert send(sim, "shop/client", "shop/web").endpoint == "10.244.2.7:8080"


@pytest.mark.parametrize("mode", MODES)
def test_a_port_change_moves_the_service(mode: str) -> None:
    cluster = cluster_with(service())
    sim = simulation(cluster, mode)
    send(sim, "shop/client", "shop/web")
    one = cluster.services["shop", "web"]
    sim.apply(replace_service(cluster, replace(one, ports=(replace(one.ports[0], port=81),))))
    assert send(sim, "shop/client", "10.96.100.10:81").disposition is Disposition.DELIVERED
    assert send(sim, "shop/client", "10.96.100.10:80").disposition is not Disposition.DELIVERED


def test_only_the_first_packet_runs_nat() -> None:
    trace = send(simulation(cluster_with(service()), "iptables"), "shop/client", "shop/web")
    by_leg = {
        leg.title: {step.detail.table for step in leg.steps if isinstance(step.detail, RuleTried)} for leg in trace.legs
    }
    assert by_leg == {"request": {"nat", "filter"}, "reply": {"filter"}, "next packet": {"filter"}}
    states = [step.detail.state for step in trace.steps if isinstance(step.detail, Tracked)]
    assert states[0] == "NEW" and set(states[-1:]) == {"ESTABLISHED"}


def test_a_packet_to_the_other_node_crosses_both() -> None:
    sim = simulation(cluster_with(service(selector="{only: b}")), "iptables")
    request = send(sim, "shop/client", "shop/web").legs[0]
    assert [hop.place for hop in request.hops] == ["shop/client", "node1", "node2", "shop/web-b"]
    assert [step.detail.kind for step in request.steps if isinstance(step.detail, Crossed)] == ["veth", "wire", "veth"]
    ttls = [capture.packet.ttl for capture in request.captures]
    assert (ttls[0], ttls[-1]) == (64, 62)
    assert request.captures[0].packet.destination_mac != request.captures[-1].packet.destination_mac


def test_on_the_same_bridge_the_ttl_stays() -> None:
    """Seen on Linux 6.18: with bridge-nf-call-iptables a packet translated to its own bridge stays a bridged frame."""
    sim = simulation(cluster_with(service(selector="{only: a}")), "iptables")
    request = send(sim, "shop/client", "shop/web").legs[0]
    assert {capture.packet.ttl for capture in request.captures} == {64}
    assert "bridge" in [step.detail.verdict for step in request.steps if isinstance(step.detail, Routed)]
    first, last = request.captures[0].packet, request.captures[-1].packet
    assert first.source_mac == last.source_mac and first.destination_mac != last.destination_mac


def test_ipvs_takes_the_packet_at_input_and_sends_it_through_output() -> None:
    request = send(simulation(cluster_with(service()), "ipvs"), "shop/client", "shop/web").legs[0]
    hooks = list(dict.fromkeys(step.hook for step in request.hops[1].steps if step.hook))
    assert hooks == [Hook.PREROUTING, Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING]
    assert any(isinstance(step.detail, Scheduled) for step in request.steps)


def test_the_node_port_masquerades_and_the_answer_finds_back() -> None:
    trace = send(
        simulation(
            cluster_with(
                service(
                    selector="{only: b}", extra=", type: NodePort", port="{port: 80, targetPort: 8080, nodePort: 30080}"
                )
            ),
            "iptables",
        ),
        "198.51.100.7",
        "node1:30080",
    )
    assert trace.answered and trace.masqueraded
    kinds = [(step.detail.kind, step.detail.by) for step in trace.legs[0].steps if isinstance(step.detail, Translated)]
    assert kinds == [("destination", "rule"), ("source", "rule")]
    back = trace.legs[1].captures[-1].packet
    assert back.from_text == "192.168.10.11:30080"


def test_userspace_holds_two_connections() -> None:
    trace = send(simulation(cluster_with(service()), "userspace"), "shop/client", "shop/web")
    titles = [leg.title for leg in trace.legs]
    assert titles.count("proxy's own connection") == 1
    assert trace.source_seen in ("192.168.10.11", "10.244.1.1")


def test_userspace_always_hides_the_sender_even_behind_its_own_address() -> None:
    local = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: http, port: 6443}]
endpoints: [{addresses: [192.168.10.11], nodeName: node1}]
"""
    sim = simulation(cluster_with(service(), local), "userspace")
    (found,) = outcomes(sim, flow_from(sim.cluster, "node1", "shop/web"))
    assert (found.source_seen, found.masqueraded) == ("192.168.10.11", True)
    assert send(sim, "node1", "shop/web").masqueraded


def test_userspace_tries_another_endpoint() -> None:
    slices = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: half, namespace: shop}\n"
        "spec: {clusterIP: 10.96.100.52, ports: [{port: 80}]}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata:\n  {name: gone, namespace: shop,"
        " annotations: {packetwalk.dev/answers: 'false'}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.244.2.21}\n---\n"
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        "metadata: {name: half-1, namespace: shop, labels: {kubernetes.io/service-name: half}}\n"
        "addressType: IPv4\nports: [{port: 80}]\nendpoints: [{addresses: [10.244.2.21]}, {addresses: [10.244.1.77]}]\n"
    )
    traces = [
        send(simulation(cluster_with(slices), "userspace", seed), "shop/client", "shop/half") for seed in range(8)
    ]
    assert {trace.endpoint for trace in traces} == {"10.244.1.77:80"}
    dials = [
        [(s.detail.attempt, s.detail.result) for s in t.steps if isinstance(s.detail, ProxyDialled)] for t in traces
    ]
    assert [(1, "timed out"), (2, "connected")] in dials
    assert [(1, "connected")] in dials


def test_userspace_asks_one_endpoint_for_a_datagram() -> None:
    """Dialling UDP cannot fail (proxysocket.go), so there is never a second attempt."""
    gone = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  {name: gone, namespace: shop, labels: {app: gone},"
        " annotations: {packetwalk.dev/answers: 'false'}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.244.2.21}\n"
    )
    text = service(selector="{app: gone}", port="{port: 53, protocol: UDP}")
    trace = send(simulation(cluster_with(gone, text), "userspace"), "shop/client", "shop/web", "udp")
    assert [s.detail.attempt for s in trace.steps if isinstance(s.detail, ProxyDialled)] == [1]


def test_an_answer_that_does_not_come_from_where_it_was_sent_is_not_taken() -> None:
    """IPVS falls back to remote endpoints without masquerading: the Pod answers the client itself."""
    node_port = "{port: 80, targetPort: 8080, nodePort: 30080}"
    text = service(selector="{only: b}", extra=", type: NodePort, externalTrafficPolicy: Local", port=node_port)
    trace = send(simulation(cluster_with(text), "ipvs"), "198.51.100.7", "node1:30080")
    assert trace.disposition is Disposition.DELIVERED
    assert not trace.answered
    assert "never sent anything to 10.244.2.7:8080" in trace.legs[1].why
    assert [(leg.title, leg.hops[0].place) for leg in trace.legs[2:]] == [("refusal", "198.51.100.7")]
    assert trace.legs[2].hops[0].steps[0].before.flags == "R"


def test_a_reset_from_a_stranger_is_not_answered_with_another() -> None:
    deaf = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  {name: deaf, namespace: shop, labels: {app: deaf},"
        " annotations: {packetwalk.dev/listening: none}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.244.2.20}\n"
    )
    node_port = "{port: 80, targetPort: 8080, nodePort: 30080}"
    text = service(selector="{app: deaf}", extra=", type: NodePort, externalTrafficPolicy: Local", port=node_port)
    trace = send(simulation(cluster_with(deaf, text), "ipvs"), "198.51.100.7", "node1:30080")
    assert "never sent anything to 10.244.2.20:8080" in trace.legs[-1].why
    assert trace.legs[-1].hops[0].place == "shop/deaf"


def test_a_refused_udp_packet_brings_an_error_back_through_nat() -> None:
    deaf = (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  {name: deaf, namespace: shop, labels: {app: deaf},"
        " annotations: {packetwalk.dev/listening: none}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.244.2.20}\n"
    )
    for mode in KERNEL_MODES:
        text = service(selector="{app: deaf}", port="{port: 53, protocol: UDP}")
        trace = send(simulation(cluster_with(deaf, text), mode), "shop/client", "shop/web", "udp")
        assert trace.disposition is Disposition.REFUSED
        assert trace.answered, mode
        error = trace.legs[-1].captures[-1].packet
        assert error.quoted is not None and error.quoted.to_text == "10.96.100.10:53"


def test_a_rejection_reaches_the_sender_as_an_icmp_error() -> None:
    trace = send(simulation(cluster_with(service(selector="{app: none}")), "iptables"), "shop/client", "shop/web")
    assert trace.disposition is Disposition.REJECTED
    error = trace.legs[-1].captures[-1].packet
    assert (error.protocol, error.icmp_type, error.icmp_code, error.source) == ("icmp", 3, 3, "10.244.1.1")


@pytest.mark.parametrize("mode", MODES)
def test_without_steps_the_story_is_the_same(mode: str) -> None:
    cluster = cluster_with(service())
    flow = flow_from(cluster, "shop/client", "shop/web")
    told, untold = simulation(cluster, mode, 3).send(flow), simulation(cluster, mode, 3).send(flow, record=False)
    assert replace(untold, legs=(), entries=()) == replace(told, legs=(), entries=())
    assert not list(untold.steps)


def test_without_steps_the_kernels_end_in_the_same_state() -> None:
    """The packet after the proxy's own handshake starts at the proxy, told or not."""
    cluster = cluster_with(service(selector="{only: b}"))
    flow = flow_from(cluster, "198.51.100.7", "node1:22")
    flow = replace(flow, destination="10.96.100.10", port=80, via="node1")
    listed = []
    for record in (True, False):
        sim = simulation(cluster, "userspace", 3)
        assert sim.send(flow, record).disposition is Disposition.DELIVERED
        listed.append({place: machine.netfilter.conntrack.listed(0.0) for place, machine in sim.network.met.items()})
    assert listed[0] == listed[1]


def test_a_hash_of_the_port_reaches_every_endpoint_in_proportion_to_its_ports() -> None:
    mh = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nipvs: {scheduler: mh}\n"
    cluster = cluster_with(service(), mh)
    flow = flow_from(cluster, "shop/client", "shop/web")
    ways = outcomes(simulation(cluster, "ipvs"), flow)
    assert {one.endpoint for one in ways} == {"10.244.1.5:8080", "10.244.2.7:8080"}
    assert sum(one.probability for one in ways) == 1
    assert all(abs(one.probability - Fraction(1, 2)) < Fraction(1, 50) for one in ways)
    (only,) = outcomes(simulation(cluster, "ipvs"), replace(flow, source_port=40000))
    assert simulation(cluster, "ipvs", 9).send(replace(flow, source_port=40000)).endpoint == only.endpoint
