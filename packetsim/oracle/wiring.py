"""Rule: a cluster becomes a Plan here: a network namespace for each node, Pod and outside host, and two for a router.

The wiring is that of `packetsim.network`: on each node a bridge `cni0` with a veth to each Pod, and `eth0` on one
wire, which is a bridge in the router's namespace. Hosts beyond the router hang there as well; that they are beyond it
is a matter of routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packetsim.addresses import family_of, network
from packetsim.cluster.model import Cluster, Node
from packetsim.kubeproxy.node_addresses import gateway
from packetsim.network import BRIDGE, DEFAULT_ROUTE, ROUTER, WIRE, mac_of
from packetsim.oracle import ip_lines
from packetsim.oracle.ip_lines import neighbour, route
from packetsim.oracle.listening import listeners
from packetsim.oracle.loads import loads
from packetsim.oracle.places import Place, Places, veth
from packetsim.oracle.plan import Namespace, Plan
from packetsim.oracle.probes import probe
from packetsim.oracle.wire import GATE_MAC, ROUTER_MAC, Wire
from packetsim.sockets import Port

GATE, GATE_OUT = "gate", "gateout"

__all__ = ["loads", "plan", "probe"]


def plan(cluster: Cluster, name: str, outside: Iterable[str], asked: Iterable[Port] = ()) -> Plan:
    """`name`: short, unique in the guest. `outside`: addresses of hosts that send or are sent to. `asked`: the
    (protocol, port) of every flow to come, so that who answers on every port has a socket there."""
    places = Places(cluster, name, outside)
    wire = Wire(places)
    return Plan(
        cluster=name,
        places={place.name: place.code for place in places.all},
        namespaces=(
            _router(places, wire),
            _gate(places, wire),
            *(_node(places, wire, place) for place in places.nodes),
            *(_outside(wire, place) for place in places.outside),
            *(_pod(places, place) for place in places.pods),
        ),
        links=tuple(_links(places)),
        listeners=tuple(listeners(cluster, places, asked)),
    )


def _links(places: Places) -> Iterator[str]:
    for place in places.on_the_wire:
        port = _port_of_router(_wire_port(places, place))
        yield ip_lines.veth((place.code, WIRE, place.eth0.mac), (places.router, *port))
    yield ip_lines.veth((places.gate, GATE, GATE_MAC), (places.router, *_port_of_router(GATE)))
    yield ip_lines.veth((places.gate, WIRE, ROUTER_MAC), (places.router, *_port_of_router(GATE_OUT)))
    for node in places.nodes:
        for pod in places.pods_on(node.name):
            end = node.machine.interfaces[veth(pod)]
            yield ip_lines.veth((pod.code, WIRE, pod.eth0.mac), (node.code, end.name, end.mac))


def _wire_port(places: Places, place: Place) -> str:
    """The router's interface towards this one: what of its code tells it from others of the cluster."""
    return place.code.removeprefix(places.name)


def _port_of_router(name: str) -> tuple[str, str]:
    return name, mac_of(ROUTER, name)


# ---- the four kinds of namespaces ---------------------------------------------------------------


def _router(places: Places, wire: Wire) -> Namespace:
    """The wire itself, and the router for what nodes send."""
    ports = {_wire_port(places, place): place.eth0.mac for place in places.on_the_wire} | {GATE: GATE_MAC}
    commands = [
        ip_lines.up("lo"),
        *ip_lines.bridge(WIRE, ROUTER_MAC),
        *ip_lines.unasking(WIRE, (4, 6)),
        *(line for port in ports for line in ip_lines.port(port, WIRE)),
        *ip_lines.port(GATE_OUT, WIRE, "learning off"),  # what comes in there has the bridge's own MAC
        *wire.routers(),
    ]
    sysctls = {**ip_lines.SYSCTLS, **ip_lines.forwarding(True), **ip_lines.bridges_call_netfilter(False)}
    behind = tuple(ip_lines.behind(mac, port) for port, mac in ports.items())
    return Namespace(places.router, "router", tuple(commands), sysctls, behind)


def _gate(places: Places, wire: Wire) -> Namespace:
    commands = [
        *(ip_lines.up(one) for one in ("lo", GATE, WIRE)),
        *ip_lines.unasking(WIRE, (4, 6)),
        *wire.routers(),
        *(line for place in places.outside for line in wire.rules(place)),
    ]
    return Namespace(places.gate, "router", tuple(commands), {**ip_lines.SYSCTLS, **ip_lines.forwarding(True)})


def _node(places: Places, wire: Wire, place: Place) -> Namespace:
    assert place.node is not None
    pods = places.pods_on(place.name)
    bridge = place.machine.interfaces[BRIDGE]
    commands = [
        ip_lines.up("lo"),
        *ip_lines.bridge(BRIDGE, bridge.mac),
        *(line for pod in pods for line in ip_lines.port(veth(pod), BRIDGE, "hairpin on")),
        ip_lines.up(WIRE),
        *(line for one in (WIRE, BRIDGE) for line in ip_lines.unasking(one, place.families)),
        *ip_lines.addressed(place.eth0),
        *ip_lines.addressed(bridge),
        *_bridge_routes(places, place, place.node),
        *wire.routes(place),
        *wire.neighbours(place),
        *(neighbour(address, mac, BRIDGE) for address, mac in _answering(places, pods, place.families)),
    ]
    sysctls = {**ip_lines.SYSCTLS, **ip_lines.forwarding(True), **ip_lines.bridges_call_netfilter(True)}
    behind = tuple(ip_lines.behind(pod.eth0.mac, veth(pod)) for pod in pods)
    return Namespace(place.code, "node", tuple(commands), sysctls, behind)


def _bridge_routes(places: Places, place: Place, node: Node) -> Iterator[str]:
    """To the node's podCIDRs, and to each of its Pods that has an address outside them."""
    for cidr in node.pod_cidrs:
        yield route(network(cidr).text, BRIDGE, source=gateway(cidr))
    for address in places.strays(node):
        family = family_of(address)
        if family in place.families:
            cidr_of_family = node.pod_cidr(family)
            source = gateway(cidr_of_family) if cidr_of_family else node.address(family) or ""
            yield route(address, BRIDGE, source=source)


def _answering(places: Places, pods: Iterable[Place], families: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """(address, MAC) of those on one bridge that answer."""
    for pod in pods:
        yield from ((address, pod.eth0.mac) for address in places.reachable(pod, families))


def _pod(places: Places, place: Place) -> Namespace:
    assert place.pod is not None
    node = next(one for one in places.nodes if place.pod and one.name == place.pod.node)
    families = place.families
    commands = [
        ip_lines.up("lo"),
        ip_lines.up(WIRE),
        *ip_lines.unasking(WIRE, families),
        *ip_lines.addressed(place.eth0),
        *_pod_routes(place, node),
        *(neighbour(address, mac, WIRE) for address, mac in _beside(places, place, node).items()),
    ]
    return Namespace(place.code, "pod", tuple(commands), {**ip_lines.SYSCTLS, **ip_lines.forwarding(False)})


def _pod_routes(place: Place, on: Place) -> Iterator[str]:
    """To the podCIDR, if the Pod's address lies there, and by its node to everywhere else."""
    node = on.node
    assert node is not None
    for family in place.families:
        address = place.of_family(family)[0]
        cidr = node.pod_cidr(family)
        if cidr is not None and address in network(cidr):
            yield route(network(cidr).text, WIRE, source=address)
        via = gateway(cidr) if cidr is not None else node.address(family) or ""
        yield route(DEFAULT_ROUTE[family], WIRE, via, address)


def _beside(places: Places, place: Place, on: Place) -> dict[str, str]:
    """Whom a Pod finds on the bridge: address -> MAC."""
    assert on.node is not None
    families = place.families
    own = [*(gateway(cidr) for cidr in on.node.pod_cidrs), *on.node.addresses]
    found = {address: on.machine.interfaces[BRIDGE].mac for address in own if family_of(address) in families}
    others = [one for one in places.pods_on(on.name) if one is not place]
    return dict(_answering(places, others, families)) | found


def _outside(wire: Wire, place: Place) -> Namespace:
    commands = [
        ip_lines.up("lo"),
        ip_lines.up(WIRE),
        *ip_lines.unasking(WIRE, place.families),
        *ip_lines.addressed(place.eth0),
        *wire.routes(place),
        *wire.neighbours(place),
        *wire.rules(place),
    ]
    return Namespace(place.code, "outside", tuple(commands), {**ip_lines.SYSCTLS, **ip_lines.forwarding(False)})
