"""Rule: what the guest is asked and what it answers, as plain values that go over the wire as JSON.

The guest knows nothing of Kubernetes: a Plan speaks of network namespaces, `ip` commands, sockets
and texts to load. A namespace goes by a short code, unique in the guest (`c3n0`); `Plan.places` tells
which place of ours (`node1`, `shop/client`, an outside address) it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Namespace:
    """`sysctls`: path under /proc/sys -> value, written while `lo` is the only interface, so that those made later
    have them. `commands`: `ip -batch` lines to run inside, once all links of the Plan exist. `forwarding`:
    `bridge -batch` lines to run inside after the commands of all namespaces, which say who is behind which bridge port.
    """

    code: str
    kind: str  # node, pod, outside, router
    commands: tuple[str, ...]
    sysctls: Mapping[str, str]
    forwarding: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listener:
    """A server socket. `address` is a wildcard: "0.0.0.0" or "::" (the latter for IPv6 alone)."""

    code: str
    protocol: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A cluster's wiring. `links`: `ip -batch` lines outside all namespaces, that make veth pairs across them."""

    cluster: str
    places: Mapping[str, str]  # our place -> code
    namespaces: tuple[Namespace, ...]
    links: tuple[str, ...]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """A socket of the little userspace proxy: it dials `endpoints` in turn, as kube-proxy 1.25's did.

    `affinity_timeout` in seconds, None without affinity. `service_port` names its turn-taking.
    """

    address: str
    port: int
    protocol: str
    service_port: str
    endpoints: tuple[str, ...]
    affinity_timeout: int | None


@dataclass(frozen=True, slots=True)
class Load:
    """What one node's kube-proxy leaves there. `texts`: part (of kubeproxy.config.PARTS) -> text."""

    code: str
    texts: Mapping[str, str]
    sysctls: Mapping[str, str]
    proxies: tuple[Proxy, ...]
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one namespace holds after a load. `texts`: part -> the text its own tool reads back.

    `rules`: the raw datagrams, in order, that answer a dump of NFT_MSG_GETRULE (nfgen_family NFPROTO_UNSPEC,
    flags NLM_F_REQUEST | NLM_F_DUMP) made right after the load, in the node's namespace: trace events name a
    rule by its handle, and the order of handles in this dump tells its number. A dump that the kernel marks
    as interrupted (NLM_F_DUMP_INTR) is made again. On the wire, a load's reply is
    {"texts": {code: {part: text}}, "rules": {code: [base64 of a datagram, …]}}.
    """

    code: str
    texts: Mapping[str, str]
    rules: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """One flow to send. `routes`: (code, `ip` command) done before it. `patience`: seconds until silence is believed.

    `source` "": the sender's kernel chooses. `nodes`: whose conntrack and IPVS tables are to be read afterwards.
    """

    code: str
    protocol: str
    source: str
    source_port: int
    destination: str
    port: int
    routes: tuple[tuple[str, str], ...]
    nodes: tuple[str, ...]
    patience: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """A server socket took the request: which namespace, whom it saw, and under which address of its own."""

    code: str
    peer: str
    peer_port: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a Probe.

    `heard`: the sender's own view: "answered", "refused" (ECONNREFUSED, by RST or ICMP), "unreachable"
    (any other ICMP error) or "silence"; `error` its errno name. `events`: code -> raw nfnetlink messages of
    NFNLGRP_NFTRACE in the order in which they came. `conntrack`: code -> raw messages of a ctnetlink
    dump. `ipvs`: code -> the text of /proc/net/ip_vs_conn. `began`: when it was sent, in seconds of the
    guest's own clock.
    """

    began: float
    heard: str
    error: str
    accepted: tuple[Accepted, ...]
    events: Mapping[str, tuple[bytes, ...]]
    conntrack: Mapping[str, tuple[bytes, ...]]
    ipvs: Mapping[str, str]
