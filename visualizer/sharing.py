"""Rule: what a change leaves as it was stays the same object, keys and all; the compilers look at nothing else.

A lab's cluster is read anew from its documents at every change; here it is joined with the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from packetsim.cluster.model import Cluster

Name = TypeVar("Name")
Value = TypeVar("Value")


def joined_with(old: Cluster, new: Cluster) -> Cluster:
    """`new`, made of the objects of `old` wherever they are equal."""
    return replace(
        new,
        nodes=_shared(old.nodes, new.nodes),
        pods=_shared(old.pods, new.pods),
        services=_shared(old.services, new.services),
        slices=_shared(old.slices, new.slices),
        proxy=old.proxy if old.proxy == new.proxy else new.proxy,
    )


def _shared(old: Mapping[Name, Value], new: Mapping[Name, Value]) -> Mapping[Name, Value]:
    known = {key: (key, value) for key, value in old.items()}
    found: dict[Name, Value] = {}
    for key, value in new.items():
        same_key, before = known.get(key, (key, value))
        found[same_key] = before if before is value or before == value else value
    return found
