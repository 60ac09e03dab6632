"""Blame goes both ways: a rule names the fields that made it, and an object finds its rules."""

from __future__ import annotations

import pytest

from packetsim.blame import lines_of, made_by
from tests.packetsim.scenes import BEHAVIOURS, cluster_with, service, simulation

NODE_PORT = service(extra=", type: NodePort", port="{name: http, port: 80, targetPort: 8080, nodePort: 30080}")


@pytest.mark.parametrize(
    ("mode", "places"),
    [
        ("userspace", {"nat KUBE-NODEPORT-CONTAINER", "nat KUBE-NODEPORT-HOST", "filter KUBE-NODEPORT-NON-LOCAL"}),
        ("iptables", {"nat KUBE-NODEPORTS"}),
        ("ipvs", {"KUBE-NODE-PORT-TCP", "tcp 192.168.10.11:30080", "tcp 10.244.1.1:30080"}),
        ("nftables", {"ip kube-proxy service-nodeports"}),
    ],
)
def test_a_node_port_finds_the_rules_it_made(mode: str, places: set[str]) -> None:
    config = simulation(cluster_with(NODE_PORT), mode).config("node1")
    found = list(made_by(config, "Service", "shop", "web", "spec.ports[0].nodePort"))
    assert {one.place for one in found} == places
    assert all("30080" in one.line.text or "--dport" in one.line.text for one in found)


def test_a_shorter_path_covers_what_is_below_it() -> None:
    config = simulation(cluster_with(NODE_PORT), "iptables").config("node1")
    ports = set(made_by(config, "Service", "shop", "web", "spec.ports"))
    assert set(made_by(config, "Service", "shop", "web", "spec.ports[0].nodePort")) < ports
    assert not list(made_by(config, "Service", "shop", "web", "spec.port"))
    assert not list(made_by(config, "Service", "other", "web"))


@pytest.mark.parametrize("mode", ["userspace", "iptables", "ipvs", "nftables"])
def test_every_line_says_what_made_it(mode: str) -> None:
    config = simulation(cluster_with(NODE_PORT), mode).config("node1")
    assert [one for one in lines_of(config) if not one.line.origins] == []


@pytest.mark.parametrize("mode", ["userspace", "iptables", "ipvs", "nftables"])
def test_services_without_a_cluster_ip_make_no_rule_anywhere(mode: str) -> None:
    text = (BEHAVIOURS / "headless_and_external.yaml").read_text()
    sim = simulation(cluster_with(text, NODE_PORT), mode)
    for node in ("node1", "node2"):
        config = sim.config(node)
        assert list(made_by(config, "Service", "shop", "web"))
        assert not [*made_by(config, "Service", "shop", "peers"), *made_by(config, "Service", "shop", "elsewhere")]
