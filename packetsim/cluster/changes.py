"""Rule: a change makes a new cluster that shares all but one mapping, so the cost does not grow with what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packetsim.cluster.model import Cluster, EndpointSlice, Key, Service


def replace_endpoints(cluster: Cluster, key: Key, slices: Iterable[EndpointSlice]) -> Cluster:
    """The cluster with these slices, and no others, for the Service `key`."""
    return replace(cluster, slices={**cluster.slices, key: tuple(slices)})


def replace_service(cluster: Cluster, service: Service) -> Cluster:
    """The cluster with this Service in place of the one of its name, or beside the others."""
    return replace(cluster, services={**cluster.services, service.key: service})
