"""What no row can say: a flow is one moment, and here an endpoint goes between two connections of one client."""

from __future__ import annotations

import pytest

from packetsim import MODES, Cluster
from tests.packetsim.scenes import cluster_with, send, service, simulation


def tied(selector: str) -> Cluster:
    return cluster_with(service(selector=selector, extra=", sessionAffinity: ClientIP"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_affinity_ends_with_its_endpoint(mode: str, seed: int) -> None:
    sim = simulation(tied("{app: web}"), mode, seed)
    first = send(sim, "shop/client", "shop/web").endpoint
    sim.apply(tied("{only: b}" if first == "10.244.1.5:8080" else "{only: a}"))
    second = send(sim, "shop/client", "shop/web").endpoint
    assert {first, second} == {"10.244.1.5:8080", "10.244.2.7:8080"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_affinity_holds_when_an_endpoint_comes(mode: str, seed: int) -> None:
    sim = simulation(tied("{only: b}"), mode, seed)
    send(sim, "shop/client", "shop/web")
    sim.apply(tied("{app: web}"))
    assert {send(sim, "shop/client", "shop/web").endpoint for _ in range(4)} == {"10.244.2.7:8080"}
