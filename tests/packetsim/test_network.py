"""How machines are wired, and what they do with packets that should not get through."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim import Disposition, PacketsimError, RolledDice, Simulation, flow_from, outcomes
from packetsim.cluster import replace_endpoints
from packetsim.dice import even_odds
from packetsim.kernel.iptables.text import split
from packetsim.kernel.journey import Journey
from packetsim.kernel.machine import Arrival, Discarded, Machine
from packetsim.network import Network, mac_of, veth_of
from packetsim.packet import Packet
from packetsim.trace import Ended
from tests.packetsim.scenes import cluster_with, send, service, simulation


def journey() -> Journey:
    return Journey(RolledDice(lambda below: 0), 0.0, watched=True)


def receive(sim: Simulation, packet: Packet, interface: str = "eth0") -> object:
    machine = sim.network.machine("node1")
    way = journey()
    way.enter("node1", "node")
    return machine.receive(packet, interface, way)


def test_the_graph_has_every_machine_and_link() -> None:
    sim = simulation(cluster_with(service()), "iptables")
    assert set(sim.network.graph["router"]) == {"node1", "node2"}
    sim.network.outside["198.51.100.7"] = ""
    graph = sim.network.graph
    assert graph.nodes["shop/client"]["kind"] == "pod"
    assert graph.edges["node1", "shop/client"]["interfaces"] == (veth_of(("shop", "client")), "eth0")
    assert set(graph["router"]) == {"node1", "node2", "198.51.100.7"}


def test_an_outside_host_is_a_router_away_and_may_enter_by_any_node() -> None:
    sim = simulation(cluster_with(), "iptables")
    near, far = (send(sim, source, "node2:22").legs[0] for source in ("192.168.10.50", "198.51.100.7"))
    assert [leg.captures[-1].packet.ttl for leg in (near, far)] == [64, 63]
    through = send(sim, "198.51.100.8", "node2:22", via="node1").legs[0]
    assert [hop.place for hop in through.hops] == ["198.51.100.8", "node1", "node2"]


def test_a_copy_meets_its_own_outside_hosts() -> None:
    sim = simulation(cluster_with(), "iptables")
    assert send(sim.copy(sim.dice), "198.51.100.7", "node1:22").legs
    assert "198.51.100.7" not in sim.network.outside


def test_macs_are_local_and_lasting() -> None:
    assert mac_of("node1", "eth0") == mac_of("node1", "eth0") != mac_of("node2", "eth0")
    assert int(mac_of("node1", "eth0")[:2], 16) & 3 == 2


@pytest.mark.parametrize(
    ("packet", "outcome", "why"),
    [
        (Packet("198.51.100.7", "10.244.1.9", "udp", 1, 2, ttl=1), Disposition.DROPPED, "TTL"),
        (Packet("192.168.10.11", "10.244.1.9", "udp", 1, 2), Disposition.DROPPED, "martian source"),
        (Packet("127.0.0.1", "10.244.1.9", "udp", 1, 2), Disposition.DROPPED, "martian"),
        (Packet("198.51.100.7", "10.244.1.200", "udp", 1, 2), Disposition.UNANSWERED, "nobody on the link"),
    ],
)
def test_packets_that_go_nowhere(packet: Packet, outcome: Disposition, why: str) -> None:
    fate = receive(simulation(cluster_with(), "iptables"), packet)
    assert isinstance(fate, Discarded)
    assert fate.outcome is outcome and why in fate.why


def test_a_packet_whose_ttl_runs_out_is_told_so() -> None:
    fate = receive(simulation(cluster_with(), "iptables"), Packet("198.51.100.7", "10.244.1.9", "udp", 1, 2, ttl=1))
    assert isinstance(fate, Discarded) and fate.answer is not None
    assert (fate.answer.icmp_type, fate.answer.destination) == (11, "198.51.100.7")


def test_a_mark_stays_on_the_machine_that_made_it() -> None:
    """veth and wire carry no mark (skb_scrub_packet), so the masquerade rule of the next machine has none to see."""
    fate = receive(simulation(cluster_with(), "iptables"), Packet("198.51.100.7", "192.168.10.11", "udp", 1, 2, mark=1))
    assert isinstance(fate, Arrival) and fate.packet.mark == 0


@pytest.mark.parametrize(("destination", "source"), [("192.168.10.11", "192.168.10.11"), ("10.244.1.9", "")])
def test_a_rejection_comes_from_the_address_that_was_asked_if_it_is_the_machines_own(
    destination: str, source: str
) -> None:
    """icmp_send: else routing chooses."""
    machine = simulation(cluster_with(), "iptables").network.machine("node1")
    rules = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -j REJECT\n-A FORWARD -j REJECT\nCOMMIT\n"
    machine.netfilter.load({4: split(rules)}, (), {}, None, {})
    fate = machine.receive(Packet("198.51.100.7", destination, "udp", 1, 2), "eth0", journey())
    assert isinstance(fate, Discarded) and fate.answer is not None
    assert fate.answer.source == source


def test_the_node_takes_what_is_its_own() -> None:
    fate = receive(simulation(cluster_with(), "iptables"), Packet("198.51.100.7", "192.168.10.11", "udp", 1, 2))
    assert isinstance(fate, Arrival)


def test_loopback_node_ports_need_route_localnet() -> None:
    text = service(extra=", type: NodePort", port="{port: 80, targetPort: 8080, nodePort: 30080}")
    off = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
        "iptables: {localhostNodePorts: false}\n"
    )
    trace = send(simulation(cluster_with(text, off), "iptables"), "node1", "127.0.0.1:30080")
    assert trace.disposition is Disposition.REFUSED
    assert send(simulation(cluster_with(text), "iptables"), "node1", "127.0.0.1:30080").answered


def test_an_endpoint_without_a_pod_answers_wherever_it_is() -> None:
    for address in ("10.244.1.77", "10.244.2.77", "192.168.10.12", "203.0.113.80"):
        text = (
            "apiVersion: v1\nkind: Service\nmetadata: {name: bare, namespace: shop}\n"
            "spec: {clusterIP: 10.96.100.90, ports: [{port: 80}]}\n---\n"
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
            "metadata: {name: bare-1, namespace: shop, labels: {kubernetes.io/service-name: bare}}\n"
            f"addressType: IPv4\nports: [{{port: 80}}]\nendpoints: [{{addresses: [{address}]}}]\n"
        )
        trace = send(simulation(cluster_with(text), "nftables"), "shop/client", "shop/bare")
        assert (trace.disposition, trace.endpoint) == (Disposition.DELIVERED, f"{address}:80")
        assert trace.answered


def test_a_pod_outside_its_nodes_network_is_reached_by_a_route_of_its_own() -> None:
    stray = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: stray, namespace: shop, labels: {app: stray}}\n"
        "spec: {nodeName: node2, containers: [{name: c}]}\nstatus: {podIP: 10.250.0.5}\n"
    )
    sim = simulation(cluster_with(stray, service(selector="{app: stray}")), "iptables")
    assert send(sim, "shop/client", "shop/web").answered
    assert send(sim, "shop/stray", "shop/web-a:8080").answered


def test_a_host_network_pod_is_its_node() -> None:
    host = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: host, namespace: shop, labels: {app: host}}\n"
        "spec: {nodeName: node2, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 9100}]}]}\n"
    )
    for mode in ("iptables", "ipvs", "nftables", "userspace"):
        sim = simulation(cluster_with(host, service(selector="{app: host}", port="{port: 80, targetPort: 9100}")), mode)
        assert send(sim, "shop/client", "shop/web").endpoint == "192.168.10.12:9100"
        assert send(sim, "shop/client2", "shop/web").endpoint == "192.168.10.12:9100"
        assert send(sim, "node2", "shop/web").endpoint == "192.168.10.12:9100"
        assert send(sim, "shop/host", "shop/web-a:8080").answered


@pytest.mark.parametrize("mode", ["iptables", "ipvs", "nftables"])
def test_what_a_node_masquerades_to_itself_never_comes_from_loopback(mode: str) -> None:
    """inet_select_addr skips 127.0.0.1 (scope host) and takes the address of the next interface."""
    host = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: host, namespace: shop, labels: {app: host}}\n"
        "spec: {nodeName: node1, hostNetwork: true, containers: [{name: c, ports: [{containerPort: 9100}]}]}\n"
    )
    text = service(selector="{app: host}", port="{port: 80, targetPort: 9100}")
    trace = send(simulation(cluster_with(host, text), mode), "node1", "shop/web")
    assert trace.answered and trace.source_seen == "192.168.10.11"


def node_of_two_subnets(*more: str) -> Machine:
    addresses = ("192.168.10.11", "172.16.0.11", *more)
    cluster = cluster_with()
    node = replace(cluster.nodes["node1"], addresses=addresses)
    return Network(replace(cluster, nodes={**cluster.nodes, "node1": node}), lambda machine: None).machine("node1")


@pytest.mark.parametrize(
    ("interface", "destination", "source"),
    [
        ("eth0", "203.0.113.1", "192.168.10.11"),
        ("eth0", "172.16.0.99", "172.16.0.11"),
        ("lo", "172.16.0.11", "192.168.10.11"),  # lo has no address to show
        ("cni0", "203.0.113.1", "10.244.1.1"),
        ("lo", "fd00::11", "fd00::11"),
        ("eth0", "fd00::99", "fd00::11"),
        ("none", "203.0.113.1", None),
    ],
)
def test_the_source_that_masquerade_takes(interface: str, destination: str, source: str | None) -> None:
    assert node_of_two_subnets("fd00::11").address_of(interface, destination) == source


def test_redirect_leads_to_the_first_address_of_the_interface() -> None:
    machine = node_of_two_subnets()
    seen = (machine.primary_of(name, 4) for name in ("eth0", "cni0", "lo", "none"))
    assert [*seen] == ["192.168.10.11", "10.244.1.1", "127.0.0.1", None]
    assert machine.primary_of("eth0", 6) is None


def test_redirect_on_the_way_out_leads_to_loopback() -> None:
    """nf_nat_redirect_ipv4: at OUTPUT 127.0.0.1, whatever the interface."""
    machine = node_of_two_subnets()
    rules = "*nat\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -j REDIRECT --to-ports 99\nCOMMIT\n"
    machine.netfilter.load({4: split(rules)}, (), {}, None, {})
    fate = machine.send(Packet("192.168.10.11", "203.0.113.1", "udp", 1, 2), journey())
    assert isinstance(fate, Arrival) and fate.packet.to_text == "127.0.0.1:99"


def test_what_is_for_the_machine_itself_leaves_by_lo() -> None:
    machine = node_of_two_subnets()
    rules = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -o lo -j DROP\nCOMMIT\n"
    machine.netfilter.load({4: split(rules)}, (), {}, None, {})
    for destination, dropped in (("192.168.10.11", True), ("192.168.10.12", False)):
        fate = machine.send(Packet("192.168.10.11", destination, "udp", 1, 2), journey())
        assert isinstance(fate, Discarded) is dropped


def test_a_pod_that_does_not_listen_refuses_itself_over_loopback() -> None:
    sim = simulation(cluster_with(), "iptables")
    assert send(sim, "shop/web-a", "127.0.0.1:8080").disposition is Disposition.DELIVERED
    assert send(sim, "shop/web-a", "127.0.0.1:9999").disposition is Disposition.REFUSED


def test_a_new_label_on_a_node_leaves_its_kernel_alone_and_a_new_address_does_not() -> None:
    cluster = cluster_with(service())
    sim = simulation(cluster, "iptables")
    send(sim, "shop/client", "shop/web")
    entries = sim.network.machine("node1").netfilter.conntrack.listed(0.0)
    for change, kept in (({"labels": {"zone": "c"}}, entries), ({"addresses": ("192.168.10.99",)}, ())):
        twin = sim.copy(sim.dice)
        twin.apply(replace(cluster, nodes={**cluster.nodes, "node1": replace(cluster.nodes["node1"], **change)}))
        assert twin.network.machine("node1").netfilter.conntrack.listed(0.0) == kept


def test_a_node_that_comes_back_has_a_new_kube_proxy() -> None:
    cluster = cluster_with(service())
    sim = simulation(cluster, "userspace")
    send(sim, "shop/client", "shop/web")
    lone = replace(cluster, nodes={"node2": cluster.nodes["node2"]}, pods={}, slices={})
    sim.apply(lone)
    assert "node1" not in sim.balancers
    sim.apply(cluster)
    assert send(sim, "shop/client", "shop/web").answered


def test_a_change_keeps_connections_and_a_copy_keeps_its_own() -> None:
    cluster = cluster_with(service(selector="{only: b}"))
    sim = simulation(cluster, "iptables")
    flow = replace(flow_from(cluster, "shop/client", "shop/web"), source_port=40000)
    sim.send(flow)
    twin = sim.copy(sim.dice)
    twin.apply(replace_endpoints(cluster, ("shop", "web"), ()))
    # The tuple is known, so the old connection goes on; a new one finds no endpoint.
    assert twin.send(flow).endpoint == "10.244.2.7:8080"
    assert twin.send(replace(flow, source_port=40001)).disposition is Disposition.REJECTED
    assert sim.send(replace(flow, source_port=40001)).disposition is Disposition.DELIVERED


def serving(name: str) -> str:
    """A slice that has web-b alone, web-a alone, or nobody."""
    address = {"b": "10.244.2.7", "a": "10.244.1.5"}.get(name)
    listed = f"[{{addresses: [{address}]}}]" if address else "[]"
    return (
        "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {type: NodePort,"
        " clusterIP: 10.96.100.53, ports: [{name: udp, port: 53, protocol: UDP, nodePort: 30053}, "
        "{name: tcp, port: 53, protocol: TCP, nodePort: 30053}]}\n---\n"
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        "metadata: {name: dns-1, namespace: shop, labels: {kubernetes.io/service-name: dns}}\naddressType: IPv4\n"
        "ports: [{name: udp, port: 5353, protocol: UDP}, {name: tcp, port: 8080, protocol: TCP}]\n"
        f"endpoints: {listed}\n"
    )


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.parametrize(
    ("target", "protocol", "then", "endpoint"),
    [
        ("10.96.100.53:53", "udp", "a", "10.244.1.5:5353"),
        ("node1:30053", "udp", "a", "10.244.1.5:5353"),
        ("10.96.100.53:53", "udp", "", "10.244.2.7:5353"),  # nobody serves: the entries stay
        ("10.96.100.53:53", "tcp", "a", "10.244.2.7:8080"),  # TCP ends by itself
    ],
)
def test_udp_flows_to_an_endpoint_that_is_gone_are_forgotten(
    mode: str, target: str, protocol: str, then: str, endpoint: str
) -> None:
    sim = simulation(cluster_with(serving("b")), mode)
    flow = replace(flow_from(sim.cluster, "shop/client", target, protocol), source_port=40000)
    assert (sim.send(flow).endpoint or "").startswith("10.244.2.7:")
    sim.apply(cluster_with(serving(then)))
    assert sim.send(flow).endpoint == endpoint


def test_ipvs_connections_end_and_take_their_conntrack_entry_along() -> None:
    cluster = cluster_with(service(port="{port: 53, protocol: UDP, targetPort: dns}"))
    sim = simulation(cluster, "ipvs")
    send(sim, "shop/client", "shop/web", "udp")
    machine = sim.network.machine("node1")
    assert machine.netfilter.conntrack.entries()
    sim.wait(301)
    send(sim, "shop/client2", "shop/web-a:5353", "udp")
    originals = [entry.original[3] for entry in machine.netfilter.conntrack.entries()]
    assert "10.96.100.10" not in originals


def test_too_many_ways_are_refused_with_a_cure() -> None:
    cluster = cluster_with(service())
    with pytest.raises(PacketsimError, match="send it and count"):
        outcomes(simulation(cluster, "iptables"), flow_from(cluster, "shop/client", "shop/web"), most_walks=1)


def test_an_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(PacketsimError, match="userspace, iptables, ipvs, nftables"):
        Simulation(cluster_with(), "ebpf", RolledDice(lambda below: 0))


def test_the_end_of_a_walk_is_a_step() -> None:
    trace = send(simulation(cluster_with(), "iptables"), "shop/client", "203.0.113.99:80")
    last = list(trace.legs[-1].steps)[-1].detail
    assert isinstance(last, Ended) and "203.0.113.99" in last.why


def test_even_odds_are_shared() -> None:
    assert even_odds(3) is even_odds(3)
