"""Who takes a packet on a node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.kubeproxy.config import ProxySocket
from packetsim.sockets import NodeSockets
from tests.packetsim.scenes import cluster_with, simulation


@pytest.mark.parametrize(
    ("bound", "asked", "taken"),
    [
        ("0.0.0.0", "192.168.10.11", True),
        ("::", "fd00::11", True),
        ("192.168.10.11", "192.168.10.11", True),
        ("192.168.10.11", "127.0.0.1", False),
    ],
)
def test_a_proxy_socket_takes_what_is_for_the_address_it_is_bound_to(bound: str, asked: str, taken: bool) -> None:
    config = simulation(cluster_with(), "userspace").config("node1")
    socket = ProxySocket(bound, 40001, "tcp", "shop/web")
    sockets = NodeSockets(replace(config, proxy_sockets=(socket,)), frozenset())
    assert sockets.proxy("tcp", asked, 40001) == (socket if taken else None)
    assert sockets.proxy("udp", asked, 40001) is None
