"""Rule: topology hints are those the EndpointSlice controller writes; kube-proxy only reads them.

staging/src/k8s.io/endpointslice, trafficdist/trafficdist.go and topologycache/*.go (Kubernetes 1.35).
Where Go walks a map, and so leaves the order open, we go by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from packetsim.cluster.model import Endpoint
from packetsim.cluster.podcidrs import Host

OVERLOAD = Fraction(1, 5)  # no endpoint may get more than a fifth above its share
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def with_distribution_hints(endpoints: Iterable[Endpoint], zones: Mapping[str, str], same_node: bool) -> list[Endpoint]:
    """trafficDistribution: every ready endpoint asks for its own zone, with `same_node` for its own node, too."""
    return [
        replace(
            one,
            zone_hints=(zones[one.node],) if zones.get(one.node) else (),
            node_hints=(one.node,) if same_node and one.node else (),
        )
        if one.ready
        else one
        for one in endpoints
    ]


@dataclass(frozen=True, slots=True)
class Capacity:
    """CPU by zone; `shares` is empty where topology-mode cannot work."""

    shares: Mapping[str, Fraction]
    assumed: bool  # some node says nothing of its CPU: each such one counts as one


def capacity(hosts: Iterable[Host]) -> Capacity:
    """SetNodes: ready nodes off the control plane, each with a zone, in two zones at least."""
    cpu: Counter[str] = Counter()
    assumed = False
    for host in hosts:
        if not host.node.ready or any(label in host.node.labels for label in _CONTROL_PLANE):
            continue
        if not host.node.zone:
            return Capacity({}, assumed)
        assumed = assumed or not host.milli_cpu
        cpu[host.node.zone] += host.milli_cpu or 1000
    if len(cpu) < 2:
        return Capacity({}, assumed)
    total = sum(cpu.values())
    return Capacity({zone: Fraction(cpu[zone], total) for zone in sorted(cpu)}, assumed)


def with_mode_hints(endpoints: list[Endpoint], zones: Mapping[str, str], capacity: Capacity) -> list[Endpoint]:
    """topology-mode Auto: endpoints are allotted to zones by CPU; no hints where that would overload one."""
    ready = [one for one in endpoints if one.ready]
    wanted = _wanted(len(ready), capacity.shares)
    if not wanted or not all(zones.get(one.node) for one in ready):
        return endpoints
    have = Counter(zones[one.node] for one in ready)
    giving, receiving = _moves(wanted, have)
    out = []
    for one in endpoints:
        if one.ready:
            zone = zones[one.node]
            if giving[zone] and (taker := next((name for name in sorted(receiving) if receiving[name]), "")):
                giving[zone] -= 1
                receiving[taker] -= 1
                zone = taker
            one = replace(one, zone_hints=(zone,))
        out.append(one)
    return out


def _wanted(ready: int, shares: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """getAllocations: how many endpoints each zone should have; empty when there are too few for that."""
    if not shares or len(shares) > ready:
        return {}
    least = {zone: ceil(share * ready / (1 + OVERLOAD)) for zone, share in shares.items()}
    if sum(least.values()) > ready:
        return {}
    return {zone: max(share * ready, Fraction(least[zone])) for zone, share in shares.items()}


def _moves(wanted: Mapping[str, Fraction], have: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """getGivingAndReceivingZones: how many each zone gives away, and how many it gets."""
    spare = {zone: have[zone] - want for zone, want in wanted.items() if have[zone] > want}
    lack = {zone: want - have[zone] for zone, want in wanted.items() if have[zone] < want}
    giving: Counter[str] = Counter()
    receiving: Counter[str] = Counter()
    while spare and lack:
        giver, taker = max(spare, key=lambda zone: spare[zone]), max(lack, key=lambda zone: lack[zone])
        most, least = max(spare[giver], lack[taker]), min(spare[giver], lack[taker])
        if most < 1 or least < Fraction(1, 2):
            break
        giving[giver] += 1
        spare[giver] -= 1
        receiving[taker] += 1
        lack[taker] -= 1
    return giving, receiving
