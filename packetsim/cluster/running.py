"""Rule: a change moves nobody: a Pod that runs already keeps its node and its addresses as long as both are there.

Without this, one Pod more would shift the addresses of all that come after it in the manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from packetsim.cluster.model import Cluster, Key
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.pods import Draft, PlaceNotes
from packetsim.cluster.scheduling import fits


class Running(NamedTuple):
    """Where a Pod runs, and by which addresses."""

    node: str
    addresses: tuple[str, ...]


def running_in(cluster: Cluster) -> dict[Key, Running]:
    """What the cluster's Pods would keep."""
    return {key: Running(pod.node, pod.addresses) for key, pod in cluster.pods.items()}


def still_running(
    drafts: list[Draft], hosts: Iterable[Host], running: Mapping[Key, Running], notes: PlaceNotes
) -> list[Draft]:
    """The drafts, those without a node back on the node they are on, if it still allows them."""
    by_name = {host.node.name: host for host in hosts}
    known: dict[tuple[int, str], bool] = {}  # by the spec's identity, and the node

    def allows(node: str, draft: Draft) -> bool:
        question = id(draft.spec), node
        if question not in known:
            known[question] = node in by_name and fits(draft.spec, by_name[node])
        return known[question]

    kept = []
    for draft in drafts:
        before = None if draft.pod.node else running.get(draft.pod.key)
        stays = before is not None and allows(before.node, draft)
        kept.append(draft.on(before.node, notes) if before and stays else draft)
    return kept
