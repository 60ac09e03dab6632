"""Rule: a random cluster grows here before it is text; each kind of address has a range of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from packetsim.oracle.yaml_text import Document

# Nodes, Service addresses and addresses that nobody in the cluster has: kind -> IPv4, IPv6
RANGES = {
    "node": ("192.168.10.{}", "fd00:192:168:10::{}"),
    "cluster": ("10.96.100.{}", "fd00:10:96::{}"),
    "external": ("192.0.2.{}", "2001:db8:2::{}"),
    "balancer": ("203.0.113.{}", "2001:db8:113::{}"),
    "elsewhere": ("198.18.0.{}", "2001:db8:18::{}"),
}


@dataclass(slots=True)
class Draft:
    """What there is so far, as YAML documents."""

    chance: Random
    families: tuple[int, ...]
    nodes: list[Document] = field(default_factory=list)
    pods: list[Document] = field(default_factory=list)
    services: list[Document] = field(default_factory=list)
    slices: list[Document] = field(default_factory=list)
    _node_ports: int = 30100

    def node_port(self) -> int:
        """A node port that nobody has."""
        self._node_ports += self.chance.randint(1, 20)
        return self._node_ports


Feature = Callable[[Draft, Document], None]
Table = tuple[tuple[float, Feature], ...]  # how often, what


def apply(draft: Draft, table: Table, thing: Document) -> None:
    """Each feature of the table as often as it says."""
    for odds, feature in table:
        if draft.chance.random() < odds:
            feature(draft, thing)


def host(kind: str, family: int, number: int) -> str:
    return RANGES[kind][family == 6].format(number)


def pod_range(family: int, node: int) -> str:
    return f"fd00:10:244:{node}::/64" if family == 6 else f"10.244.{node}.0/24"


def pod_address(family: int, node: int, number: int) -> str:
    return f"fd00:10:244:{node}::{number}" if family == 6 else f"10.244.{node}.{number}"
