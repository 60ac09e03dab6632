"""The same flow on this machine's own kernel: who answers, whom it sees, and which rules matched.

A first taste of the kernel as judge; it needs root, and a kernel whose bridges call netfilter.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from packetsim import Disposition, Trace
from packetsim.trace import RuleTried
from tests.packetsim.real.namespaces import OUTSIDE, Heard, Lab, usable
from tests.packetsim.scenes import cluster_with, send, service, simulation

pytestmark = pytest.mark.skipif(not usable(), reason="needs root, iproute2, iptables, nft and bridges with netfilter")

NODE_PORT = ", type: NodePort"
CLUSTER = cluster_with(
    service(
        "near", "{only: a}", "10.96.100.10", NODE_PORT, "{name: http, port: 80, targetPort: 8080, nodePort: 30080}"
    ),
    service("far", "{only: b}", "10.96.100.11", NODE_PORT, "{name: http, port: 80, targetPort: 8080, nodePort: 30081}"),
    service(
        "empty", "{app: none}", "10.96.100.12", NODE_PORT, "{name: http, port: 80, targetPort: 8080, nodePort: 30082}"
    ),
    service(
        "kept",
        "{only: b}",
        "10.96.100.13",
        NODE_PORT + ", externalTrafficPolicy: Local",
        "{name: http, port: 80, targetPort: 8080, nodePort: 30083}",
    ),
)
WORDS = {
    Disposition.DELIVERED: "delivered",
    Disposition.REJECTED: "refused",
    Disposition.REFUSED: "refused",
    Disposition.DROPPED: "silence",
}
# (sender, its namespace, destination, port)
FLOWS = (
    ("shop/client", "client", "10.96.100.10", 80),
    ("shop/client", "client", "10.96.100.11", 80),
    ("shop/web-a", "web-a", "10.96.100.10", 80),
    ("shop/client", "client", "10.96.100.12", 80),
    ("shop/client", "client", "192.168.10.12", 30080),
    ("shop/client", "client", "192.168.10.11", 30083),
    ("node1", "node1", "10.96.100.10", 80),
    ("node1", "node1", "10.96.100.11", 80),
    ("node1", "node1", "192.168.10.11", 30081),
    ("node2", "node2", "192.168.10.12", 30083),
    (OUTSIDE, "outside", "192.168.10.11", 30080),
    (OUTSIDE, "outside", "192.168.10.11", 30081),
    (OUTSIDE, "outside", "192.168.10.11", 30082),
    (OUTSIDE, "outside", "192.168.10.11", 30083),
    (OUTSIDE, "outside", "192.168.10.12", 30083),
    ("shop/client2", "client2", "10.244.1.5", 8080),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(CLUSTER) as lab:
        yield lab


def said(trace: Trace) -> Heard:
    """The walk in the client's words."""
    if trace.disposition is Disposition.DELIVERED:
        server = trace.legs[0].hops[-1].place.rpartition("/")[2]
        return Heard("delivered", server, trace.source_seen or "", trace.endpoint or "")
    return Heard(WORDS[trace.disposition])


def matched(trace: Trace, node: str) -> set[str]:
    return {
        step.detail.text
        for leg in trace.legs
        for hop in leg.hops
        if hop.place == node
        for step in hop.steps
        if isinstance(step.detail, RuleTried) and step.detail.matched
    }


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow[1]}-{flow[2]}-{flow[3]}")
def test_iptables_walks_match_the_kernel_rule_by_rule(lab: Lab, flow: tuple[str, str, str, int]) -> None:
    source, place, address, port = flow
    sim = simulation(CLUSTER, "iptables")
    lab.load(sim)
    lab.forget()
    trace = send(sim, source, f"{address}:{port}")
    assert lab.connect(place, address, port) == said(trace)
    for node in CLUSTER.nodes:
        assert lab.counted(node) == matched(trace, node)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: f"{flow[1]}-{flow[2]}-{flow[3]}")
def test_nftables_walks_end_as_the_kernel_ends_them(lab: Lab, flow: tuple[str, str, str, int]) -> None:
    source, place, address, port = flow
    sim = simulation(CLUSTER, "nftables")
    lab.load(sim)
    lab.forget()
    assert lab.connect(place, address, port) == said(send(sim, source, f"{address}:{port}"))
