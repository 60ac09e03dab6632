"""Rule: a change moves nobody: a Pod that runs already keeps its node and its addresses as long as both are there.

Without this, one Pod more would shift the addresses of all that come after it in the manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from packetsim.cluster.model import Cluster, Key
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.pods import Draft
from packetsim.cluster.scheduling import fits


class Running(NamedTuple):
    """Where a Pod runs, and by which addresses."""

    node: str
    addresses: tuple[str, ...]


def running_in(cluster: Cluster) -> dict[Key, Running]:
    """What the cluster's Pods would keep."""
    return {key: Running(pod.node, pod.addresses) for key, pod in cluster.pods.items()}


def still_running(drafts: Iterable[Draft], hosts: Iterable[Host], running: Mapping[Key, Running]) -> list[Draft]:
    """The drafts, those without a node back on the node they are on, if it still allows them."""
    by_name = {host.node.name: host for host in hosts}
    return [_kept(draft, by_name, running) for draft in drafts]


def _kept(draft: Draft, hosts: Mapping[str, Host], running: Mapping[Key, Running]) -> Draft:
    before = running.get(draft.pod.key)
    if draft.pod.node or before is None:
        return draft
    host = hosts.get(before.node)
    if host is None or not fits(draft.spec, host):
        return draft
    return replace(draft, pod=replace(draft.pod, node=before.node))
