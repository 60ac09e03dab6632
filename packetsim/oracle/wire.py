"""Rule: who hands whom what on the wire that nodes, outside hosts and the router share.

Neighbours are whoever has an address in one's own subnet; to everyone else the router leads, which costs a TTL. As
in `network`, nodes and outside hosts send straight to a neighbour what is for the Pods behind it.

The router is two namespaces: one takes what nodes send, the other, the gate, what outside hosts send. For the gate may
be told to hand all of a host's packets to one node, and those that this node sends back may not come there again.
"""

from __future__ import annotations

from collections.abc import Iterator

from packetsim.addresses import family_of, full_length, network
from packetsim.network import DEFAULT_ROUTE, ROUTER, WIRE, mac_of
from packetsim.oracle.ip_lines import neighbour, route
from packetsim.oracle.places import Place, Places

# The router's address towards everyone. It has none of the wire's own, for those our walk says nobody has.
HOP = {4: "169.254.1.1", 6: "fe80::1"}
ROUTER_MAC = mac_of(ROUTER, WIRE)  # of whatever the router hands on, by either of its namespaces
GATE_MAC = mac_of(ROUTER, "gate")  # where outside hosts send what is for the router
FIRST_TABLE = 1000  # of routing tables, one for each outside host; IPv4 alone


def is_near(here: Place, there: Place) -> bool:
    """Do the two share a subnet of either family?"""
    return any(_is_in_subnet(here, address) for address, _ in there.eth0.addresses)


def way_of(host: Place, family: int, hop: str) -> str:
    """The command by which all that an outside host sends goes to this next hop; hop "": by the usual routes.

    The same in the host and in the gate. IPv4 has a rule for it (`Wire.rules`). A batch of `ip` can make no IPv6 rule;
    there the local table, which is asked first, may hold routes by source (CONFIG_IPV6_SUBTREES).
    """
    by, table = ("", f"{_table(host)}") if family == 4 else (f" from {_alone(host.of_family(6)[0])}", "local")
    if not hop:
        return f"route replace throw {DEFAULT_ROUTE[family]}{by} table {table}"
    return f"route replace {DEFAULT_ROUTE[family]}{by} via {hop} dev {WIRE} onlink table {table}"


def _table(host: Place) -> int:
    return FIRST_TABLE + host.number


class Wire:
    def __init__(self, places: Places) -> None:
        self._places = places

    # ---- one member's view --------------------------------------------------------------------------

    def routes(self, me: Place) -> Iterator[str]:
        for family in me.families:
            ways = self._ways(me, family)
            source = (me.of_family(family) or ("",))[0]
            if me.node is not None:
                yield from _subnets(me, family)
            for destination, via in ways.items():
                yield route(destination, WIRE, via, source)
            if source:
                yield route(DEFAULT_ROUTE[family], WIRE, HOP[family], source)

    def neighbours(self, me: Place) -> Iterator[str]:
        router = ROUTER_MAC if me.node is not None else GATE_MAC
        for family in me.families:
            yield neighbour(HOP[family], router, WIRE)
        for other in self._places.on_the_wire:
            if other is not me and is_near(me, other):
                yield from (line for family in me.families for line in _is_at(other, family))

    def rules(self, host: Place) -> Iterator[str]:
        """Both in an outside host and in the gate (`way_of`)."""
        for address in host.of_family(4):
            yield f"rule add pref {_table(host)} from {address} lookup {_table(host)}"

    # ---- the router's view --------------------------------------------------------------------------

    def routers(self) -> Iterator[str]:
        """Either half of the router knows everyone, and loses without a word what is for nobody."""
        for family in (4, 6):
            for destination, via in self._ways(None, family).items():
                yield route(destination, WIRE, via)
            yield f"route add blackhole {DEFAULT_ROUTE[family]}"
            for other in self._places.on_the_wire:
                yield from _is_at(other, family)

    # ---- both ---------------------------------------------------------------------------------------

    def _ways(self, me: Place | None, family: int) -> dict[str, str]:
        """Destination -> next hop, "" for a neighbour. A node has its subnets' routes and its default route besides."""
        found: dict[str, str] = {}
        for other in self._places.on_the_wire:
            addresses = other.of_family(family)
            if other is me or not addresses:
                continue
            near = me is None or is_near(me, other)
            for address in addresses:
                if me is None or me.node is None or (near and not _is_in_subnet(me, address)):
                    found.setdefault(_alone(address), "" if near else HOP[family])
            for behind in self._behind(other, family):
                found.setdefault(behind, addresses[0] if near else HOP[family])
        return found

    def _behind(self, other: Place, family: int) -> Iterator[str]:
        if other.node is not None:
            yield from (network(cidr).text for cidr in other.node.pod_cidrs if family_of(cidr) == family)
            yield from (_alone(one) for one in self._places.strays(other.node) if family_of(one) == family)


def _subnets(me: Place, family: int) -> Iterator[str]:
    """A node's own, each with its first address there as source."""
    found: dict[str, str] = {}
    for address, length in me.eth0.addresses:
        if family_of(address) == family:
            found.setdefault(network(f"{address}/{length}").text, address)
    for subnet, address in found.items():
        yield route(subnet, WIRE, source=address)


def _is_in_subnet(me: Place, address: str) -> bool:
    return any(address in network(f"{own}/{length}") for own, length in me.eth0.addresses)


def _alone(address: str) -> str:
    return f"{address}/{full_length(address)}"


def _is_at(other: Place, family: int) -> Iterator[str]:
    return (neighbour(address, other.eth0.mac, WIRE) for address in other.of_family(family))
