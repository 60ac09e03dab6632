"""Rule: where a packet goes next is asked of a table, in the kernel's order: local first, then the longest prefix.

net/ipv4/fib_frontend.c (`ip rule`: local, then main) and net/ipv6/route.c.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packetsim.addresses import Network, full_length, network


@dataclass(frozen=True, slots=True)
class Route:
    """`via` None: the destination is a neighbour. `kind`: unicast or local."""

    destination: Network
    device: str
    via: str | None = None
    source: str | None = None
    kind: str = "unicast"

    def __str__(self) -> str:
        """As `ip route` prints it."""
        where = "default" if self.destination.is_zero else _short(self.destination.text)
        words = ["local" if self.kind == "local" else "", where]
        words += ["via", self.via] if self.via else []
        words += ["dev", self.device]
        words += ["src", self.source] if self.source else []
        return " ".join(word for word in words if word)


def _short(text: str) -> str:
    address, _, length = text.partition("/")
    return address if int(length) == full_length(address) else text


class RoutingTable:
    """One machine's routes of both families. `local` maps each own address to the device that holds it."""

    def __init__(self, routes: Iterable[Route], local: dict[str, str]) -> None:
        self._routes = sorted(routes, key=lambda route: -route.destination.prefix_length)
        self.local = local
        self._loopback = network("127.0.0.0/8")

    def is_local(self, address: str) -> bool:
        return address in self.local or address in self._loopback

    def look_up(self, address: str) -> Route | None:
        if self.is_local(address):
            return Route(network(address), self.local.get(address, "lo"), source=address, kind="local")
        return next((route for route in self._routes if address in route.destination), None)

    def address_type(self, address: str) -> str:
        """The route type that `-m addrtype` and `fib … type` ask for."""
        if self.is_local(address):
            return "LOCAL"
        if address in _MULTICAST[6 if ":" in address else 4]:
            return "MULTICAST"
        if address == "255.255.255.255":
            return "BROADCAST"
        return "UNICAST"


_MULTICAST = {4: network("224.0.0.0/4"), 6: network("ff00::/8")}
