"""Rule: inside packetsim an address is its canonical text ("10.96.0.10", "fd00::5"), a str.

Text is quick to hash and compare, and is what every rule prints. Numbers are needed only to ask
whether a network holds an address; those conversions are cached here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


def family_of(address: str) -> int:
    """4 or 6, from the text alone."""
    return 6 if ":" in address else 4


@lru_cache(maxsize=65536)
def number_of(address: str) -> int:
    """The address as an unsigned integer of 32 or 128 bits. Raises ValueError on nonsense."""
    return int(ip_address(address))


def canonical(address: str) -> str:
    """RFC 5952 / dotted quad text. Raises ValueError on nonsense."""
    return str(ip_address(address))


def with_port(address: str, port: int) -> str:
    """`IP:PORT`, or `[IP]:PORT` for IPv6: how Kubernetes and the kernel tools write an endpoint."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def full_length(address: str) -> int:
    """The prefix length of a single address: 32 or 128."""
    return 128 if ":" in address else 32


@dataclass(frozen=True, slots=True)
class Network:
    """An address range. `text` is canonical with prefix ("10.244.0.0/16"); host bits are masked off."""

    text: str
    family: int
    first: int = field(compare=False)
    last: int = field(compare=False)

    def __contains__(self, address: str) -> bool:
        if (":" in address) != (self.family == 6):
            return False
        return self.first <= number_of(address) <= self.last

    def host(self, number: int) -> str:
        """The address `number` places after the network's first."""
        return str(IPv6Address(self.first + number) if self.family == 6 else IPv4Address(self.first + number))

    @property
    def prefix_length(self) -> int:
        return int(self.text.rpartition("/")[2])

    @property
    def is_zero(self) -> bool:
        """0.0.0.0/0 or ::/0: holds every address of its family."""
        return self.text.endswith("/0")


@lru_cache(maxsize=65536)
def network(text: str) -> Network:
    """Parse `ADDRESS[/LENGTH]`. Raises ValueError on nonsense."""
    parsed = ip_network(text, strict=False)
    return Network(str(parsed), parsed.version, int(parsed.network_address), int(parsed.broadcast_address))
