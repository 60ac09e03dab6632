"""Rule: the way back from a Kubernetes object to the rules it made; the way there stands on each line.

A line's `origins` name the fields that made it. Here the lines of a node are searched for an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from packetsim.kubeproxy.config import NodeConfig
from packetsim.ruletext import IptablesText, Line, Origin


class Blamed(NamedTuple):
    """A line made by the object asked for. `part` as in PARTS, `place`: its table and chain, set, map or server."""

    part: str
    place: str
    line: Line


def made_by(config: NodeConfig, kind: str, namespace: str, name: str, field: str = "") -> Iterator[Blamed]:
    """Every line of the node that the object made, or only those that one of its fields made.

    `field` is a path like `spec.ports[0].nodePort`; a shorter path (`spec.ports`) covers what is below it.
    """
    for one in lines_of(config):
        if any(_is(origin, kind, namespace, name, field) for origin in one.line.origins):
            yield one


def lines_of(config: NodeConfig) -> Iterator[Blamed]:
    """Every line that kube-proxy left on the node, with where it stands, in the order of PARTS."""
    yield from (Blamed("addresses", "kube-ipvs0", line) for line in config.dummy_addresses)
    for name, entries in config.ipsets.items():
        yield from (Blamed("ipset", name, line) for line in (entries.create, *entries.entries))
    for name, server in config.virtual_servers.items():
        yield from (Blamed("ipvs", name, line) for line in (server.server, *server.reals))
    yield from _chains("iptables", config.iptables)
    yield from _chains("ip6tables", config.ip6tables)
    for table in config.nft:
        place = f"{table.family} {table.name}"
        for name, elements in table.sets.items():
            yield from (Blamed("nft", f"{place} {name}", line) for line in elements.elements)
        for name, chain in table.chains.items():
            yield from (Blamed("nft", f"{place} {name}", line) for line in chain.lines)


def _chains(part: str, text: IptablesText) -> Iterator[Blamed]:
    for table, chains in text.items():
        for name, chain in chains.items():
            yield from (Blamed(part, f"{table} {name}", line) for line in chain.lines)


def _is(origin: Origin, kind: str, namespace: str, name: str, field: str) -> bool:
    if (origin.kind, origin.namespace, origin.name) != (kind, namespace, name):
        return False
    return (
        origin.field.startswith(field) and origin.field[len(field) : len(field) + 1] in ("", ".", "[")
        if field
        else True
    )
