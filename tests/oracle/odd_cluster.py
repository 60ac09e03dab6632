"""A cluster with everything about its wiring that is out of the ordinary.

node1 and node2 share a subnet in IPv4, node1 and node3 in IPv6; two nodes have one more address. Pods: one that
answers no more, two with addresses outside their podCIDR (one of them on the wire), endpoints that nobody knows.
"""

from __future__ import annotations

from packetsim.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Node,
    Pod,
    ProxyConfiguration,
    Service,
    ServicePort,
)

NODES = (
    Node("node1", ("192.168.10.11", "fd00:a::11", "192.168.10.111"), ("10.244.1.0/24", "fd00:1::/64")),
    Node("node2", ("192.168.10.12", "fd00:b::12", "172.16.5.5"), ("10.244.2.0/24", "fd00:2::/64")),
    Node("node3", ("192.168.30.13", "fd00:a::13"), ("10.244.3.0/24", "fd00:3::/64")),
)
LISTENING = frozenset({("tcp", 80)})
PODS = (
    Pod("shop", "web", "node1", ("10.244.1.5", "fd00:1::5"), listening=LISTENING),
    Pod("shop", "any", "node1", ("10.244.1.6", "fd00:1::6")),
    Pod("shop", "gone", "node1", ("10.244.1.9", "fd00:1::9"), listening=LISTENING, answers=False),
    Pod("shop", "far", "node2", ("10.244.2.5", "fd00:2::5"), listening=LISTENING),
    Pod("shop", "stray", "node2", ("10.244.1.200", "fd00:77::1"), listening=LISTENING),
    Pod("shop", "onwire", "node2", ("192.168.10.200", "fd00:a::200"), listening=LISTENING),
    Pod("shop", "third", "node3", ("10.244.3.5", "fd00:3::5"), listening=LISTENING),
    Pod("shop", "host", "node3", NODES[2].addresses, host_network=True, listening=frozenset({("tcp", 8080)})),
)
ADDRESSES = {
    4: ("10.244.1.5", "10.244.1.9", "10.244.2.5", "10.244.1.200", "10.244.3.77", "192.168.10.99", "203.0.113.50"),
    6: ("fd00:1::5", "fd00:77::1", "fd00:3::77", "fd00:a::99", "2001:db8::50"),
}
HOSTS = ("192.168.10.77", "198.51.100.7", "fd00:a::77", "2001:db8:9::7")


def odd_cluster() -> Cluster:
    key = ("shop", "web")
    service = Service(
        *key, "NodePort", ("10.96.0.10", "fd00:96::10"), (ServicePort("", "tcp", 80, 80, 30080),), ip_families=(4, 6)
    )
    slices = tuple(
        EndpointSlice(*key, "web", family, (EndpointPort("", "tcp", 80),), tuple(map(Endpoint, addresses)))
        for family, addresses in ADDRESSES.items()
    )
    return Cluster(
        nodes={node.name: node for node in NODES},
        pods={pod.key: pod for pod in PODS},
        services={key: service},
        slices={key: slices},
        service_cidrs=("10.96.0.0/16", "fd00:96::/112"),
        proxy=ProxyConfiguration(cluster_cidrs=("10.244.0.0/16",)),
    )
