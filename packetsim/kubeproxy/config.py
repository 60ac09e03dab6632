"""Rule: a NodeConfig is everything kube-proxy leaves on one node, as text with origins.

Made by a mode's `compile`; loaded into a node's kernel by `simulation`; printed by the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from packetsim.cluster.model import Cluster
from packetsim.ruletext import (
    IptablesText,
    Line,
    NftTableText,
    ServerText,
    SetText,
)

PARTS = ("addresses", "ipset", "ipvs", "iptables", "ip6tables", "nft")


@dataclass(frozen=True, slots=True)
class ProxySocket:
    """A socket that userspace kube-proxy listens on: it serves one service port of one family."""

    address: str  # "0.0.0.0" or "::", or the bind address
    port: int
    protocol: str
    service_port: str  # display name, "shop/web:http"


@dataclass(frozen=True, slots=True)
class Balancer:
    """userspace mode: who a proxy socket chooses among. `affinity_timeout` seconds, None without affinity."""

    service_port: str
    endpoints: tuple[str, ...]  # IP:PORT, sorted; the proxy shuffles them
    affinity_timeout: int | None


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What one node's kube-proxy wrote.

    `dummy_addresses`: addresses on kube-ipvs0, each line `ADDRESS/LENGTH`.
    `listeners`: (protocol, port) that kube-proxy itself answers on, e.g. health check node ports.
    `memory`: the mode's own notes for compiling the next change quickly; nobody else reads them.
    """

    mode: str
    node: str
    iptables: IptablesText = field(default_factory=dict)
    ip6tables: IptablesText = field(default_factory=dict)
    ipsets: Mapping[str, SetText] = field(default_factory=dict)
    virtual_servers: Mapping[str, ServerText] = field(default_factory=dict)
    dummy_addresses: tuple[Line, ...] = ()
    nft: tuple[NftTableText, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    proxy_sockets: tuple[ProxySocket, ...] = ()
    claimed_ports: tuple[ProxySocket, ...] = ()
    balancers: Mapping[str, Balancer] = field(default_factory=dict)
    listeners: tuple[tuple[str, int, Line], ...] = ()
    memory: object = field(default=None, compare=False, repr=False)


Compile = Callable[[Cluster, str, NodeConfig | None], NodeConfig]
# compile(cluster, node name, what the same mode made for this node before the last change or None)
