"""Rule: what a cluster's objects and a node's rules say is read from them as they are now."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from fractions import Fraction

from packetsim import parts
from packetsim.cluster.model import Cluster, Service
from packetsim.simulation import Simulation
from visualizer.exercises.faults import ContentError
from visualizer.exercises.schema import Ask

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,12})?")


def answer(ask: Ask, simulation: Simulation) -> str | Fraction:
    cluster = simulation.cluster
    match ask.what:
        case "address":
            return _address(cluster, ask.of)
        case "cluster_ip":
            return _service(cluster, ask.of).cluster_ips[0]
        case "port":
            return Fraction(_service(cluster, ask.of).ports[0].port)
        case "target_port":
            return _plain(str(_service(cluster, ask.of).ports[0].target_port))
        case "node_port":
            return Fraction(_service(cluster, ask.of).ports[0].node_port)
        case "endpoints":
            slices = cluster.slices.get(_service(cluster, ask.of).key, ())
            return Fraction(sum(endpoint.ready for one in slices for endpoint in one.endpoints))
        case "lines":
            return Fraction(len(lines(ask, simulation)))
        case "option":
            return _option(ask, simulation)
    raise ContentError([f"`{ask.what}` cannot be asked here"])


def lines(ask: Ask, simulation: Simulation) -> list[str]:
    """Rules and entries (no headings) of a node's text that fit what is asked."""
    node = ask.place or next(iter(simulation.cluster.nodes))
    if node not in simulation.cluster.nodes:
        raise ContentError([f"there is no node {node!r}"])
    found, table = [], ""
    for line in parts.render(simulation.config(node), ask.part).splitlines():
        text = line.strip()
        if text.startswith("*"):
            table = text[1:]
        elif _is_rule(ask, table, text):
            found.append(text)
    return found


def _is_rule(ask: Ask, table: str, text: str) -> bool:
    if ask.part == "iptables":
        words = text.split(" ", 2)
        if words[0] != "-A" or (ask.table and table != ask.table):
            return False
        return (not ask.chain or fnmatchcase(words[1], ask.chain)) and ask.has in text
    return bool(text) and ask.has in text


def _option(ask: Ask, simulation: Simulation) -> Fraction:
    """The number after an option in the one rule that fits."""
    found = lines(ask, simulation)
    if len(found) != 1:
        raise ContentError([f"`option` needs one rule, and {len(found)} fit"])
    number = _NUMBER.match(found[0].partition(f"{ask.option} ")[2])
    if not ask.option or number is None:
        raise ContentError([f"no number stands after {ask.option!r} in {found[0]}"])
    return Fraction(number[0])


def _plain(text: str) -> str | Fraction:
    return Fraction(text) if text.isdigit() else text


def _service(cluster: Cluster, name: str) -> Service:
    namespace, _, service = name.partition("/")
    found = cluster.services.get((namespace, service))
    if found is None:
        raise ContentError([f"there is no Service {name!r}"])
    return found


def _address(cluster: Cluster, place: str) -> str:
    namespace, _, name = place.partition("/")
    pod, node = cluster.pods.get((namespace, name)), cluster.nodes.get(place)
    if pod is None and node is None:
        raise ContentError([f"there is no Pod or node {place!r}"])
    owner = pod or node
    assert owner is not None
    return owner.addresses[0]
