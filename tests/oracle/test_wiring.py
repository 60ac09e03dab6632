"""A Plan wires a kernel as our walk takes the network to be: who is reached how, who is silent, who listens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

import pytest

from packetsim.cluster.model import Cluster
from packetsim.errors import OracleError
from packetsim.network import ROUTER, WIRE, mac_of, veth_of
from packetsim.oracle import talk
from packetsim.oracle.judge import own_kernel
from packetsim.oracle.plan import Listener, Namespace, Plan, Probe
from packetsim.oracle.trial import Judged, Trial, Wiring
from packetsim.oracle.wiring import loads, plan, probe
from packetsim.parts import render
from packetsim.trace import Flow
from tests.oracle.guest import scene
from tests.oracle.odd_cluster import HOSTS, odd_cluster
from tests.packetsim.scenes import cluster_with, service, simulation

ASKED = (("tcp", 80), ("udp", 53))


def wired(cluster: Cluster) -> Plan:
    return plan(cluster, "c1", HOSTS, ASKED)


@pytest.fixture(scope="module")
def odd() -> Plan:
    return wired(odd_cluster())


def namespace(of: Plan, place: str) -> Namespace:
    return next(one for one in of.namespaces if one.code == of.places[place])


def routers(of: Plan) -> list[Namespace]:
    return [one for one in of.namespaces if one.kind == "router"]


# ---- who is there -------------------------------------------------------------------------------


def test_each_place_has_a_namespace_and_no_two_share_one(odd: Plan) -> None:
    assert len(set(odd.places.values())) == len(odd.places)
    kinds = {place: namespace(odd, place).kind for place in odd.places}
    assert kinds["node1"] == "node" and kinds["shop/stray"] == "pod"
    assert kinds["10.244.3.77"] == "pod", "an endpoint without a Pod object lives where its podCIDR is"
    assert kinds["203.0.113.50"] == "outside", "or outside, where no podCIDR has it"
    assert "shop/host" not in kinds, "a Pod on the host network is its node"
    assert len(routers(odd)) == 2 and all(one.code not in odd.places.values() for one in routers(odd))


def test_hosts_that_are_no_hosts_outside_are_not_made_twice() -> None:
    cluster = odd_cluster()
    assert plan(cluster, "c1", ("192.168.10.11", "10.244.1.5", "203.0.113.50")).places == plan(cluster, "c1", ()).places


def test_interfaces_go_by_the_names_and_macs_of_our_walk(odd: Plan) -> None:
    pod, node = namespace(odd, "shop/web"), namespace(odd, "node1")
    veth = veth_of(("shop", "web"))
    ours = f"link add name eth0 netns {pod.code} address {mac_of('shop/web', WIRE)} type veth"
    assert f"{ours} peer name {veth} address {mac_of('node1', veth)} netns {node.code}" in odd.links
    assert f"link set dev {veth} type bridge_slave hairpin on" in node.commands
    assert f"fdb replace {mac_of('shop/web', WIRE)} dev {veth} master static" in node.forwarding
    for line in (*odd.links, *chain.from_iterable(one.commands for one in odd.namespaces)):
        words = line.split()
        names = [word for before, word in pairwise(words) if before in ("name", "dev")]
        assert all(len(name) < 16 for name in names), "IFNAMSIZ"


# ---- how they reach each other --------------------------------------------------------------------

ROUTES = [
    ("shop/web", "10.244.1.0/24 dev eth0 src 10.244.1.5"),
    ("shop/web", "0.0.0.0/0 via 10.244.1.1 dev eth0 onlink src 10.244.1.5"),
    ("shop/web", "::/0 via fd00:1::1 dev eth0 onlink src fd00:1::5"),
    ("shop/stray", "0.0.0.0/0 via 10.244.2.1 dev eth0 onlink src 10.244.1.200"),
    ("node1", "192.168.10.0/24 dev eth0 src 192.168.10.11"),
    ("node1", "10.244.1.0/24 dev cni0 src 10.244.1.1"),
    ("node1", "10.244.2.0/24 via 192.168.10.12 dev eth0 onlink src 192.168.10.11"),
    ("node1", "10.244.1.200/32 via 192.168.10.12 dev eth0 onlink src 192.168.10.11"),
    ("node1", "172.16.5.5/32 dev eth0 src 192.168.10.11"),  # node2 is near by its first address
    ("node2", "10.244.1.200 dev cni0 src 10.244.2.1"),
    ("node2", "10.244.3.0/24 via 169.254.1.1 dev eth0 onlink src 192.168.10.12"),
    ("node2", "::/0 via fe80::1 dev eth0 onlink src fd00:b::12"),
    ("192.168.10.77", "192.168.10.11/32 dev eth0 src 192.168.10.77"),
    ("192.168.10.77", "10.244.1.0/24 via 192.168.10.11 dev eth0 onlink src 192.168.10.77"),
    ("192.168.10.77", "192.168.30.13/32 via 169.254.1.1 dev eth0 onlink src 192.168.10.77"),
    ("198.51.100.7", "10.244.1.0/24 via 169.254.1.1 dev eth0 onlink src 198.51.100.7"),
    ("198.51.100.7", "0.0.0.0/0 via 169.254.1.1 dev eth0 onlink src 198.51.100.7"),
]


@pytest.mark.parametrize(("place", "route"), ROUTES)
def test_routes_lead_where_our_walk_goes(odd: Plan, place: str, route: str) -> None:
    assert f"route add {route}" in namespace(odd, place).commands


def test_no_destination_has_two_routes_in_one_table(odd: Plan) -> None:
    for one in odd.namespaces:
        destinations = [line.split(" via ")[0].split(" dev ")[0] for line in one.commands if line.startswith("route ")]
        assert len(set(destinations)) == len(destinations), one.code


def test_the_routers_know_everyone_and_lose_the_rest(odd: Plan) -> None:
    for one in routers(odd):
        assert "route add 10.244.1.200/32 via 192.168.10.12 dev eth0 onlink" in one.commands
        assert "route add 203.0.113.50/32 dev eth0" in one.commands
        assert {"route add blackhole 0.0.0.0/0", "route add blackhole ::/0"} <= set(one.commands)
        assert one.sysctls["net/ipv4/ip_forward"] == "1"


def test_hosts_outside_are_led_by_another_router_than_nodes_with_the_same_mac(odd: Plan) -> None:
    """Else what a node sends on for a host, to whom the router was told a way, would take that way again."""
    macs = {}
    for place in ("node1", "198.51.100.7"):
        (line,) = (one for one in namespace(odd, place).commands if one.startswith("neighbour add 169.254.1.1 "))
        macs[place] = line.split()[4]
    assert macs["node1"] == mac_of(ROUTER, WIRE) != macs["198.51.100.7"]
    assert sum(f"address {mac_of(ROUTER, WIRE)} " in line for line in odd.links) == 1, "what it sends, though, has it"


def test_who_answers_no_more_is_nobodys_neighbour_but_has_neighbours(odd: Plan) -> None:
    gone = mac_of("shop/gone", WIRE)
    for one in odd.namespaces:
        assert not any(line.startswith("neighbour") and gone in line for line in one.commands)
    assert any("neighbour add 10.244.1.1 " in line for line in namespace(odd, "shop/gone").commands)


@pytest.mark.parametrize("place", ["shop/web", "node1", "198.51.100.7"])
def test_neighbours_are_never_asked_for(odd: Plan, place: str) -> None:
    commands = namespace(odd, place).commands
    assert "ntable change name arp_cache dev eth0 mcast_probes 0" in commands
    assert any(line.startswith("neighbour add ") and line.endswith(" nud permanent") for line in commands)


def test_what_netfilter_and_the_stack_are_told(odd: Plan) -> None:
    node, pod = namespace(odd, "node1").sysctls, namespace(odd, "shop/web").sysctls
    assert (node["net/ipv4/ip_forward"], pod["net/ipv4/ip_forward"]) == ("1", "0")
    assert (node["net/ipv6/conf/all/forwarding"], pod["net/ipv6/conf/all/forwarding"]) == ("1", "0")
    assert node["net/bridge/bridge-nf-call-iptables"] == node["net/bridge/bridge-nf-call-ip6tables"] == "1"
    wire = next(one for one in routers(odd) if one.forwarding)
    assert wire.sysctls["net/bridge/bridge-nf-call-iptables"] == "0"
    for name in ("rp_filter", "send_redirects", "route_localnet"):
        assert node[f"net/ipv4/conf/all/{name}"] == node[f"net/ipv4/conf/default/{name}"] == "0"


def test_one_family_alone_is_wired_for_that_family() -> None:
    lines = namespace(plan(cluster_with(), "c1", ()), "node1").commands
    assert not any("::" in line or "ndisc" in line for line in lines)
    cluster = odd_cluster()
    nodes = {
        name: replace(node, addresses=(node.addresses[1],), pod_cidrs=node.pod_cidrs[1:])
        for name, node in cluster.nodes.items()
    }
    pods = {key: replace(pod, addresses=pod.addresses[1:]) for key, pod in cluster.pods.items()}
    lines = namespace(plan(replace(cluster, nodes=nodes, pods=pods), "c1", ()), "node1").commands
    assert not any("0.0.0.0" in line or "arp_cache" in line for line in lines)


def test_the_first_of_several_addresses_is_the_first_in_the_kernel() -> None:
    """IPv6's list of addresses begins with the newest, IPv4's with the oldest."""
    cluster = cluster_with()
    node = replace(cluster.nodes["node1"], addresses=("192.168.10.11", "192.168.10.50", "fd00::1", "fd00::2"))
    lines = namespace(plan(replace(cluster, nodes={**cluster.nodes, "node1": node}), "c1", ()), "node1").commands
    added = [line.split()[2] for line in lines if line.startswith("address add") and " dev eth0 " in line]
    assert added == ["192.168.10.11/24", "192.168.10.50/24", "fd00::2/64", "fd00::1/64"]


# ---- who listens --------------------------------------------------------------------------------


def listening(of: Sequence[Listener], code: str) -> set[tuple[str, str, int]]:
    return {(one.address, one.protocol, one.port) for one in of if one.code == code}


EVERY = {("0.0.0.0", "tcp", 80), ("0.0.0.0", "udp", 53)}
SOCKETS = [
    ("shop/web", {("0.0.0.0", "tcp", 80), ("::", "tcp", 80)}),
    ("shop/any", EVERY | {("::", "tcp", 80), ("::", "udp", 53)}),
    ("203.0.113.50", EVERY),
    ("192.168.10.77", EVERY),
]


@pytest.mark.parametrize(("place", "sockets"), SOCKETS)
def test_who_answers_on_every_port_does_on_those_asked(
    odd: Plan, place: str, sockets: set[tuple[str, str, int]]
) -> None:
    assert listening(odd.listeners, odd.places[place]) == sockets


def test_endpoints_nobody_knows_listen_on_the_ports_of_their_slices() -> None:
    bare = plan(odd_cluster(), "c1", ())
    assert listening(bare.listeners, bare.places["10.244.3.77"]) == {("0.0.0.0", "tcp", 80)}


# ---- what kube-proxy left -------------------------------------------------------------------------


def test_a_load_is_each_nodes_text_with_what_listens_there(odd: Plan) -> None:
    sim = simulation(odd_cluster(), "iptables")
    by_code = {one.code: one for one in loads(sim, odd)}
    load = by_code[odd.places["node3"]]
    assert load.texts == {part: render(sim.config("node3"), part) for part in ("iptables", "ip6tables")}
    assert load.sysctls["net/ipv4/conf/all/route_localnet"] == "1"
    assert listening(load.listeners, load.code) == {
        (wildcard, "tcp", port) for wildcard in ("0.0.0.0", "::") for port in (8080, 10256)
    }
    assert listening(by_code[odd.places["node1"]].listeners, odd.places["node1"]) == {
        (wildcard, "tcp", 10256) for wildcard in ("0.0.0.0", "::")
    }


def test_a_load_takes_back_what_another_mode_allowed(odd: Plan) -> None:
    for load in loads(simulation(odd_cluster(), "nftables"), odd):
        assert load.sysctls["net/ipv4/conf/all/route_localnet"] == "0"


STICKY = ", sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 60}}"
TIMEOUTS = [
    (service(), None),
    (service(extra=STICKY), 10800),  # endpoints come first, and then the default stays
    (service(selector="{app: none}", extra=STICKY), 60),
]


@pytest.mark.parametrize(("manifest", "timeout"), TIMEOUTS)
def test_a_proxy_of_userspace_mode_is_told_its_endpoints_and_its_affinity(manifest: str, timeout: int | None) -> None:
    sim = simulation(cluster_with(manifest), "userspace")
    load = loads(sim, plan(sim.cluster, "c1", ()))[0]
    (socket,) = sim.config("node1").proxy_sockets
    (proxy,) = load.proxies
    assert (proxy.address, proxy.port, proxy.protocol) == (socket.address, socket.port, "tcp")
    assert (proxy.service_port, proxy.affinity_timeout) == ("shop/web:http", timeout)
    assert proxy.endpoints == (() if timeout == 60 else ("10.244.1.5:8080", "10.244.2.7:8080"))
    assert (proxy.protocol, proxy.port) not in {(one.protocol, one.port) for one in load.listeners}


# ---- what is sent -------------------------------------------------------------------------------

NEAR, BEYOND = "192.168.10.77", "198.51.100.7"


def asked(odd: Plan, flow: Flow) -> Probe:
    return probe(odd, simulation(odd_cluster(), "iptables"), flow, 0.5)


def from_host(source: str, via: str | None, destination: str = "10.244.1.5") -> Flow:
    return Flow(source, source, destination, 80, "tcp", 40000, via)


SENDERS = [
    (Flow("shop/web", "10.244.1.5", "10.96.0.10", 80, "tcp", 40000), "shop/web", "10.244.1.5"),
    (Flow("node1", "192.168.10.11", "10.96.0.10", 80, "tcp", 40000), "node1", ""),
    (Flow("shop/host", "192.168.30.13", "10.96.0.10", 80, "tcp", 40000), "node3", ""),
    (from_host(BEYOND, None), BEYOND, BEYOND),
    (from_host("203.0.113.50", None), "203.0.113.50", "203.0.113.50"),
]


@pytest.mark.parametrize(("flow", "place", "source"), SENDERS)
def test_nodes_leave_their_source_to_the_kernel_others_do_not(odd: Plan, flow: Flow, place: str, source: str) -> None:
    sent = asked(odd, flow)
    assert (sent.code, sent.source, sent.source_port) == (odd.places[place], source, 40000)
    assert (sent.destination, sent.port, sent.protocol, sent.patience) == (flow.destination, 80, "tcp", 0.5)
    assert sent.nodes == tuple(odd.places[node] for node in ("node1", "node2", "node3"))


WAYS = [  # who sends, by which node; the way in the host's namespace, and in the router's
    (NEAR, None, "throw 0.0.0.0/0", "throw 0.0.0.0/0"),
    (NEAR, "node2", "0.0.0.0/0 via 192.168.10.12 dev eth0 onlink", "throw 0.0.0.0/0"),
    (NEAR, "node3", "0.0.0.0/0 via 169.254.1.1 dev eth0 onlink", "0.0.0.0/0 via 192.168.30.13 dev eth0 onlink"),
    (BEYOND, "node1", "0.0.0.0/0 via 169.254.1.1 dev eth0 onlink", "0.0.0.0/0 via 192.168.10.11 dev eth0 onlink"),
    (
        "fd00:a::77",
        "node1",
        "::/0 from fd00:a::77/128 via fd00:a::11 dev eth0 onlink",
        "throw ::/0 from fd00:a::77/128",
    ),
]


@pytest.mark.parametrize(("host", "via", "own", "routers"), WAYS)
def test_an_outside_host_enters_by_the_node_it_is_told(
    odd: Plan, host: str, via: str | None, own: str, routers: str
) -> None:
    sent = asked(odd, from_host(host, via, "fd00:1::5" if ":" in host else "10.244.1.5"))
    gate = next(one for one in odd.namespaces if one.kind == "router" and not one.forwarding)
    table = "local" if ":" in host else next(line.split()[3] for line in gate.commands if f"from {host} " in line)
    assert sent.routes == (
        (odd.places[host], f"route replace {own} table {table}"),
        (gate.code, f"route replace {routers} table {table}"),
    )
    if ":" not in host:
        rule = f"rule add pref {table} from {host} lookup {table}"
        assert rule in namespace(odd, host).commands and rule in gate.commands


def test_others_have_one_way_alone(odd: Plan) -> None:
    assert asked(odd, Flow("shop/web", "10.244.1.5", "10.244.2.5", 80, "tcp", 40000)).routes == ()


REFUSED = [
    (Flow("shop/web", "10.244.1.5", "10.244.2.5", 80, "tcp"), "source port"),
    (from_host("198.51.100.8", None), "not in the plan"),
    (from_host("2001:db8:9::7", "lonely", "fd00:1::5"), "has no address of the family"),
    (Flow("shop/web", "10.244.1.5", "10.244.1.6", 81, "tcp", 40000), "name it as asked"),
    (Flow("shop/web", "10.244.1.5", NEAR, 81, "tcp", 40000), "name it as asked"),
]


@pytest.mark.parametrize(("flow", "words"), REFUSED)
def test_what_a_kernel_would_not_do_as_our_walk_does_is_refused(flow: Flow, words: str) -> None:
    cluster = odd_cluster()
    lonely = replace(cluster.nodes["node1"], name="lonely", addresses=("192.168.10.40",), pod_cidrs=())
    cluster = replace(cluster, nodes={**cluster.nodes, "lonely": lonely})
    with pytest.raises(OracleError, match=words):
        probe(wired(cluster), simulation(cluster, "iptables"), flow, 0.5)


# ---- on this machine's own kernel -----------------------------------------------------------------


def odd_flows() -> Iterator[Flow]:
    """To Pods near and far, lost and unknown, from everyone; who wires or routes wrongly shows in TTLs and MACs."""
    senders = {
        "shop/web": ("10.244.1.5", "fd00:1::5"),
        "shop/onwire": ("192.168.10.200", "fd00:a::200"),
        "shop/gone": ("10.244.1.9", "fd00:1::9"),
        "node1": ("192.168.10.11", "fd00:a::11"),
        "node2": ("192.168.10.12", "fd00:b::12"),
        **{host: (host,) for host in HOSTS},
    }
    aims = {
        4: ("10.244.1.6", "10.244.1.200", "10.244.3.5", "172.16.5.5", "203.0.113.50", "10.96.0.10"),
        6: ("fd00:1::6", "fd00:77::1", "fd00:3::5", "fd00:a::13", "fd00:a::99", "fd00:a::222"),
    }
    port = 40000
    for place, sources in senders.items():
        for source in sources:
            for aim in aims[6 if ":" in source else 4]:
                port += 1
                yield Flow(place, source, aim, 80, "tcp", port)
    for via in ("node1", "node3"):
        for host, aim in (
            ("198.51.100.7", "198.18.0.9"),
            ("192.168.10.77", "10.96.0.10"),
            ("2001:db8:9::7", "fd00::9"),
        ):
            port += 1
            yield Flow(host, host, aim, 80, "udp", port, via)


@pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())
def test_a_kernel_so_wired_takes_every_packet_the_way_our_walk_does() -> None:
    with own_kernel() as judge:
        can = talk.hello(judge).can
        flows = tuple(odd_flows())
        with Wiring(judge, can, odd_cluster(), "odd", flows) as wiring:
            verdicts = list(Trial(wiring, "iptables", flows, 0.15).run())
    assert len(verdicts) == len(list(odd_flows()))
    assert [one for one in verdicts if not isinstance(one, Judged) or one.difference is not None] == []
