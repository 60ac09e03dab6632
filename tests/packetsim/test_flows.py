"""Rule: each form of source and destination names one end, and each wrong one is answered with its cure."""

from __future__ import annotations

import pytest

from packetsim.cluster import Source, load
from packetsim.cluster.model import Cluster
from packetsim.errors import FlowError
from packetsim.flows import flow_from
from packetsim.trace import Flow

MANIFESTS = """
apiVersion: v1
kind: Node
metadata: {name: node1}
spec: {podCIDRs: [10.244.1.0/24, "fd00:1::/64"]}
status:
  addresses: [{type: InternalIP, address: 192.168.10.11}, {type: InternalIP, address: "fd01::11"}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop}
spec:
  nodeName: node1
  containers:
  - name: c
    ports: [{name: web, containerPort: 8080}, {name: dns, containerPort: 53, protocol: UDP}]
status: {podIPs: [{ip: 10.244.1.9}, {ip: "fd00:1::9"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: shop, labels: {app: old}}
spec: {nodeName: node1, containers: [{name: c}]}
status: {podIPs: [{ip: 10.244.1.10}]}
---
apiVersion: v1
kind: Pod
metadata: {name: both, namespace: shop}
spec: {nodeName: node1, containers: [{name: c}]}
status: {podIPs: [{ip: 10.244.1.11}]}
---
apiVersion: v1
kind: Service
metadata: {name: both, namespace: shop}
spec: {clusterIP: 10.96.0.99, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
  clusterIPs: [10.96.0.20, "fd02::20"]
  ports: [{name: http, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: six, namespace: shop}
spec: {ipFamilies: [IPv6], clusterIPs: ["fd02::30"], ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: dns, namespace: shop}
spec:
  clusterIP: 10.96.0.10
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP}
  - {name: metrics, port: 9153, protocol: TCP}
  - {name: odd, port: 7, protocol: UDP}
  - {name: odder, port: 7, protocol: SCTP}
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: plain}
spec: {clusterIP: 10.96.0.40, ports: [{port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: shop}
spec: {clusterIP: None, selector: {app: old}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: shop}
spec: {type: ExternalName, externalName: db.example.org}
"""


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return load([Source("test.yaml", MANIFESTS)]).cluster


CLIENT = ("shop/client", "10.244.1.9")
CLIENT6 = ("shop/client", "fd00:1::9")


@pytest.mark.parametrize(
    ("source", "target", "protocol", "sender", "destination"),
    [
        ("shop/client", "shop/web", None, CLIENT, ("10.96.0.20", 80, "tcp")),
        ("shop/client", "shop/web:http", None, CLIENT, ("10.96.0.20", 80, "tcp")),
        ("shop/client", "shop/web:81", None, CLIENT, ("10.96.0.20", 81, "tcp")),
        ("shop/client", "shop/web", "TCP", CLIENT, ("10.96.0.20", 80, "tcp")),
        ("10.244.1.9", "shop/web", None, CLIENT, ("10.96.0.20", 80, "tcp")),
        ("fd00:1::9", "shop/web", None, CLIENT6, ("fd02::20", 80, "tcp")),
        ("FD00:1:0::9", "[FD02::20]:80", None, CLIENT6, ("fd02::20", 80, "tcp")),
        ("shop/client", "shop/six", None, CLIENT6, ("fd02::30", 80, "tcp")),
        ("shop/client", "shop/both:80", None, CLIENT, ("10.96.0.99", 80, "tcp")),  # a Pod has that name, too
        ("shop/client", "plain/old", None, CLIENT, ("10.96.0.40", 53, "udp")),
        ("shop/client", "plain/old:53", None, CLIENT, ("10.96.0.40", 53, "udp")),
        ("shop/client", "shop/dns:53", None, CLIENT, ("10.96.0.10", 53, "tcp")),
        ("shop/client", "shop/dns:dns", None, CLIENT, ("10.96.0.10", 53, "udp")),
        ("shop/client", "shop/dns:53", "udp", CLIENT, ("10.96.0.10", 53, "udp")),
        ("shop/old", "shop/client:web", None, ("shop/old", "10.244.1.10"), ("10.244.1.9", 8080, "tcp")),
        ("shop/old", "shop/client:dns", None, ("shop/old", "10.244.1.10"), ("10.244.1.9", 53, "udp")),
        ("shop/old", "shop/client:9999", None, ("shop/old", "10.244.1.10"), ("10.244.1.9", 9999, "tcp")),
        ("node1", "node1:30080", "sctp", ("node1", "192.168.10.11"), ("192.168.10.11", 30080, "sctp")),
        ("192.168.10.11", "127.0.0.1:30080", None, ("node1", "192.168.10.11"), ("127.0.0.1", 30080, "tcp")),
        ("fd01::11", "node1:1", None, ("node1", "fd01::11"), ("fd01::11", 1, "tcp")),
        (" 8.8.8.8 ", " 192.168.10.11:30080 ", None, ("8.8.8.8", "8.8.8.8"), ("192.168.10.11", 30080, "tcp")),
    ],
)
def test_ends_are_named(
    cluster: Cluster,
    source: str,
    target: str,
    protocol: str | None,
    sender: tuple[str, str],
    destination: tuple[str, int, str],
) -> None:
    address, port, spoken = destination
    assert flow_from(cluster, source, target, protocol) == Flow(*sender, address, port, spoken)


def test_only_an_outside_sender_enters_by_a_node(cluster: Cluster) -> None:
    assert flow_from(cluster, "8.8.8.8", "shop/web", via="node1").via == "node1"
    assert flow_from(cluster, "shop/client", "shop/web", via="node1").via is None


@pytest.mark.parametrize(
    ("source", "target", "protocol", "words"),
    [
        ("shop/cleint", "shop/web", None, ["no Pod 'shop/cleint'", "Did you mean shop/client"]),
        ("shop/web", "shop/web", None, ["Services send nothing"]),
        ("nod1", "shop/web", None, ["no node 'nod1'", "Did you mean node1"]),
        ("%%%", "shop/web", None, ["no node '%%%'", "Write NAMESPACE/POD"]),
        ("fe80::1%eth0", "shop/web", None, ["no node"]),
        ("10.96.0.20", "shop/web", None, ["ClusterIP of Service shop/web", "Send from"]),
        ("127.0.0.1", "shop/web", None, ["loopback", "names no sender"]),
        ("0.0.0.0", "shop/web", None, ["unspecified"]),
        ("224.0.0.1", "shop/web", None, ["multicast"]),
        ("shop/client", "255.255.255.255:1", None, ["broadcast"]),
        ("shop/client", "shop/wbe", None, ["no Service or Pod", "Did you mean shop/web"]),
        ("shop/client", "qqq:80", None, ["no node 'qqq'", "[IPv6]:PORT"]),
        ("shop/client", "shop/dns", None, ["which port", "53/udp, 53/tcp, 9153/tcp"]),
        ("shop/client", "shop/dns:7", None, ["sctp and udp", "Say which protocol"]),
        ("shop/client", "shop/dns:dsn", None, ["no port named 'dsn'", "Did you mean dns"]),
        ("shop/client", "shop/old:http", None, ["no port named 'http'", "Write its number"]),
        ("shop/client", "shop/dns:dns", "tcp", ["speaks udp, not tcp"]),
        ("shop/client", "shop/web", "udp", ["which port", "80/tcp"]),
        ("shop/client", "shop/web", "icmp", ["no protocol 'icmp'", "tcp, udp, sctp"]),
        ("shop/client", "shop/headless", None, ["headless", "10.244.1.10:8080"]),
        ("shop/client", "shop/alias:80", None, ["ExternalName", "db.example.org"]),
        ("shop/client", "10.96.0.20", None, ["which port", "Add :PORT"]),
        ("shop/client", "10.96.0.20:0", None, ["'0' is no port", "1 to 65535"]),
        ("shop/client", "10.96.0.20:70000", None, ["'70000' is no port"]),
        ("shop/client", "10.96.0.20:" + "9" * 5000, None, ["is no port"]),
        ("shop/client", "10.96.0.20:²", None, ["no port named"]),
        ("shop/client", "fd02::20", None, ["Write [fd02::20]:PORT"]),
        ("shop/client", "a:b:c", None, ["IPv6 address stands in brackets"]),
        ("shop/client", "[fd02::20", None, ["is no destination"]),
        ("shop/client", "[10.0.0.1]:80", None, ["is no destination"]),
        ("shop/client", "shop/client", None, ["which port", "8080/tcp, 53/udp"]),
        ("shop/old", "shop/six", None, ["IPv4 only", "IPv6 only"]),
        ("8.8.8.8", "127.0.0.1:80", None, ["sender's own"]),
    ],
)
def test_what_names_nothing_is_refused_with_the_cure(
    cluster: Cluster, source: str, target: str, protocol: str | None, words: list[str]
) -> None:
    with pytest.raises(FlowError) as refused:
        flow_from(cluster, source, target, protocol)
    for word in words:
        assert word in str(refused.value)
    assert len(str(refused.value)) < 400


def test_an_unknown_entry_node_is_refused(cluster: Cluster) -> None:
    with pytest.raises(FlowError, match=r"no node 'node2' to enter by\. Did you mean node1"):
        flow_from(cluster, "8.8.8.8", "shop/web", via="node2")


def test_an_empty_cluster_says_that_there_is_nothing() -> None:
    nothing = load([Source("n.yaml", MANIFESTS.split("---")[0])]).cluster
    with pytest.raises(FlowError, match=r"There are none\."):
        flow_from(nothing, "node1", "shop/web")
