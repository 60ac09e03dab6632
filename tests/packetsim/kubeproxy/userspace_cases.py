"""Rule: one row a golden; each row is the worked example with one thing changed.

`proxyPortRange` begins at the port that the kernel gave in the worked example.
"""

from __future__ import annotations

from dataclasses import replace

from packetsim.cluster.model import Ingress
from tests.packetsim.kubeproxy.clusters import (
    DUAL_A,
    DUAL_B,
    HERE,
    HERE_6,
    PROXY,
    THERE,
    THERE_6,
    VIP,
    cluster,
    endpoints,
    port,
    served,
    service,
)
from tests.packetsim.kubeproxy.iptables_cases import MIXED, MIXED_SLICE, ONLY_6, ONLY_A, TWO_IPS, Case

RANGE = replace(PROXY, proxy_port_range="41235")
WIDE = replace(PROXY, proxy_port_range="41235+9")
BOTH = endpoints(HERE, THERE)
SIX = endpoints(HERE_6, THERE_6, family=6)
EVERYWHERE = service(
    kind="LoadBalancer",
    external_ips=("203.0.113.7", "192.168.10.11"),
    ingress=(Ingress(VIP), Ingress("203.0.113.51", "Proxy"), Ingress("")),
)
CASES = (
    Case("worked-example", cluster(proxy=RANGE)),
    Case("kernel-chosen-ports", cluster()),
    Case("every-front", cluster(served(EVERYWHERE, BOTH), proxy=RANGE)),
    Case("bind-address", cluster(served(EVERYWHERE, BOTH), proxy=replace(RANGE, bind_address="192.168.10.11"))),
    Case("no-endpoints", cluster(served(service()), proxy=RANGE)),
    Case("client-ip-affinity", cluster(served(service(affinity_timeout=60), BOTH), proxy=RANGE)),
    Case("tcp-udp-sctp", cluster(served(service(ports=MIXED), MIXED_SLICE), proxy=WIDE)),
    Case(
        "several-services",
        cluster(
            served(service("web", cluster_ips=("10.96.100.11",), ports=(port(), port("", 443))), BOTH),
            served(service("api", cluster_ips=("10.96.100.12",), ports=(port("dns", 53, "udp"),))),
            served(service("db", cluster_ips=("None",))),
            proxy=WIDE,
        ),
    ),
    Case(
        "node-port-conflict",
        cluster(
            served(service("a", cluster_ips=("10.96.100.11",))),
            served(service("b", cluster_ips=("10.96.100.12",))),
            proxy=WIDE,
        ),
    ),
    Case("ports-run-out", cluster(served(service("a"), endpoints()), served(service("b"), endpoints()), proxy=RANGE)),
    Case(
        "dual-stack-ipv4", cluster(served(service(cluster_ips=TWO_IPS), BOTH, SIX), nodes=(DUAL_A, DUAL_B), proxy=RANGE)
    ),
    Case(
        "external-ip-of-the-other-family",
        cluster(served(service(external_ips=("203.0.113.7", "2001:db8::9", "203.0.113.8")), BOTH), proxy=RANGE),
    ),
    Case("ipv6", cluster(served(ONLY_6, SIX), nodes=(ONLY_A,), proxy=RANGE), family=6),
    Case(
        "ipv6-bind-address",
        cluster(served(ONLY_6, SIX), nodes=(DUAL_A,), proxy=replace(RANGE, bind_address="fd00:192:168:10::11")),
        family=6,
    ),
)
