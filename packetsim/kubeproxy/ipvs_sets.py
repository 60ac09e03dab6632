"""Rule: the ipsets of IPVS mode stand in SETS; their lines read as `ipset save` prints them.

ipsetInfo and writeIptablesRules in pkg/proxy/ipvs/proxier.go, ipset.go (Kubernetes 1.33 to 1.35).
Newer tools print `bucketsize` and a random `initval` after `maxelem`; they say nothing and are
left out. The kernel lists entries in hash order; here they are sorted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from packetsim.addresses import full_length, number_of
from packetsim.kubeproxy.fragments import Place
from packetsim.ruletext import Line, Origin, SetText

LOOP_BACK = "KUBE-LOOP-BACK"
CLUSTER_IP = "KUBE-CLUSTER-IP"
EXTERNAL_IP = "KUBE-EXTERNAL-IP"
EXTERNAL_IP_LOCAL = "KUBE-EXTERNAL-IP-LOCAL"
LOAD_BALANCER = "KUBE-LOAD-BALANCER"
LOAD_BALANCER_FW = "KUBE-LOAD-BALANCER-FW"
LOAD_BALANCER_LOCAL = "KUBE-LOAD-BALANCER-LOCAL"
SOURCE_IP = "KUBE-LOAD-BALANCER-SOURCE-IP"
SOURCE_CIDR = "KUBE-LOAD-BALANCER-SOURCE-CIDR"
HEALTH_CHECK = "KUBE-HEALTH-CHECK-NODE-PORT"
IPVS_IPS = "KUBE-IPVS-IPS"
NODE_PORT = {
    "tcp": "KUBE-NODE-PORT-TCP",
    "udp": "KUBE-NODE-PORT-UDP",
    "sctp": "KUBE-NODE-PORT-SCTP-HASH",
}
NODE_PORT_LOCAL = {
    "tcp": "KUBE-NODE-PORT-LOCAL-TCP",
    "udp": "KUBE-NODE-PORT-LOCAL-UDP",
    "sctp": "KUBE-NODE-PORT-LOCAL-SCTP-HASH",
}
# ipset.MaxNameLen: an IPv6 name is cut to this.
LONGEST = 31


class Kind(NamedTuple):
    """A set's type, and the comment that rules which match it carry."""

    type: str
    comment: str


# In the order of ipsetInfo; kube-proxy itself creates them in that of a Go map.
SETS: dict[str, Kind] = {
    LOOP_BACK: Kind("hash:ip,port,ip", "Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose"),
    CLUSTER_IP: Kind("hash:ip,port", "Kubernetes service cluster ip + port for masquerade purpose"),
    EXTERNAL_IP: Kind("hash:ip,port", "Kubernetes service external ip + port for masquerade and filter purpose"),
    EXTERNAL_IP_LOCAL: Kind("hash:ip,port", "Kubernetes service external ip + port with externalTrafficPolicy=local"),
    LOAD_BALANCER: Kind("hash:ip,port", "Kubernetes service lb portal"),
    LOAD_BALANCER_FW: Kind(
        "hash:ip,port", "Kubernetes service load balancer ip + port for load balancer with sourceRange"
    ),
    LOAD_BALANCER_LOCAL: Kind(
        "hash:ip,port", "Kubernetes service load balancer ip + port with externalTrafficPolicy=local"
    ),
    SOURCE_IP: Kind(
        "hash:ip,port,ip", "Kubernetes service load balancer ip + port + source IP for packet filter purpose"
    ),
    SOURCE_CIDR: Kind(
        "hash:ip,port,net", "Kubernetes service load balancer ip + port + source cidr for packet filter purpose"
    ),
    NODE_PORT["tcp"]: Kind("bitmap:port", "Kubernetes nodeport TCP port for masquerade purpose"),
    NODE_PORT_LOCAL["tcp"]: Kind("bitmap:port", "Kubernetes nodeport TCP port with externalTrafficPolicy=local"),
    NODE_PORT["udp"]: Kind("bitmap:port", "Kubernetes nodeport UDP port for masquerade purpose"),
    NODE_PORT_LOCAL["udp"]: Kind("bitmap:port", "Kubernetes nodeport UDP port with externalTrafficPolicy=local"),
    NODE_PORT["sctp"]: Kind(
        "hash:ip,port", "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'"
    ),
    NODE_PORT_LOCAL["sctp"]: Kind(
        "hash:ip,port", "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'"
    ),
    HEALTH_CHECK: Kind("bitmap:port", "Kubernetes health check node port"),
    IPVS_IPS: Kind("hash:ip", ""),
}


def name_of(name: str, family: int) -> str:
    """The set's name in one family: `KUBE-6-…` for IPv6."""
    return name.replace("KUBE-", "KUBE-6-", 1)[:LONGEST] if family == 6 else name


def set_text(name: str, family: int, entries: Iterable[Line]) -> SetText:
    """The set with its `add …` lines."""
    kind = SETS[name].type
    shape = "range 0-65535" if kind == "bitmap:port" else f"family {_INET[family]} hashsize 1024 maxelem 65536"
    text = f"create {name_of(name, family)} {kind} {shape}"
    return SetText(Line(text, (Origin("kube-proxy", "", "", f"set {name}"),)), tuple(entries))


_INET = {4: "inet", 6: "inet6"}


class Entry(NamedTuple):
    """`place`: where it stands among the others of its set. `text`: as behind the set's name."""

    place: Place
    text: str
    origins: tuple[Origin, ...]

    def added_to(self, name: str, family: int) -> Line:
        return Line(f"add {name_of(name, family)} {self.text}", self.origins)


def by_port(address: str, protocol: str, port: int, *origins: Origin, source: str = "") -> Entry:
    """An entry of hash:ip,port, or with a `source` of hash:ip,port,ip."""
    place: Place = (number_of(address), protocol, port)
    text = f"{address},{protocol}:{port}"
    return Entry((*place, number_of(source)), f"{text},{source}", origins) if source else Entry(place, text, origins)


def by_net(address: str, protocol: str, port: int, cidr: str, *origins: Origin) -> Entry:
    """An entry of hash:ip,port,net; a single address is printed without its length."""
    net, _, length = cidr.partition("/")
    shown = net if int(length) == full_length(net) else cidr
    place: Place = (number_of(address), protocol, port, number_of(net), int(length))
    return Entry(place, f"{address},{protocol}:{port},{shown}", origins)
