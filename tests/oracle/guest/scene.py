"""Two nodes, a client and a server Pod on each side, one outside host, on a router's bridge; rules written by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
from base64 import b64decode
from functools import cache

from packetsim.oracle.judge import Judge
from packetsim.oracle.plan import Listener, Load, Namespace, Plan, Probe, Proxy
from packetsim.oracle.talk import encode

SERVER, SERVER6 = "10.244.2.5", "fd00:244:2::5"
CLIENT, CLIENT6 = "10.244.1.9", "fd00:244:1::9"
NODE1, NODE2, OUTSIDE = "192.168.10.11", "192.168.10.12", "192.168.10.50"
SERVICE, REJECTED, DROPPED, SERVICE6 = "10.96.0.10", "10.96.0.11", "10.96.0.12", "fd00:96::10"

IPTABLES = f"""*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:SERVICES - [0:0]
-A PREROUTING -j SERVICES
-A OUTPUT -j SERVICES
-A POSTROUTING -d {SERVER}/32 -o eth0 -m comment --comment "seen as the node" -j MASQUERADE
-A SERVICES -d {SERVICE}/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination {SERVER}:8080
-A SERVICES -d {SERVICE}/32 -p udp -m udp --dport 53 -j DNAT --to-destination {SERVER}:5353
-A SERVICES -d {SERVICE}/32 -p tcp -m tcp --dport 81 -j REDIRECT --to-ports 30081
-A SERVICES -d {SERVICE}/32 -p udp -m udp --dport 82 -j REDIRECT --to-ports 30082
-A SERVICES -d {SERVICE}/32 -p tcp -m tcp --dport 83 -j REDIRECT --to-ports 30083
-A SERVICES -d {SERVICE}/32 -p tcp -m tcp --dport 84 -j REDIRECT --to-ports 30084
-A SERVICES -d {SERVICE}/32 -p tcp -m tcp --dport 85 -j REDIRECT --to-ports 30085
-A SERVICES -d {SERVICE}/32 -p udp -m udp --dport 86 -j REDIRECT --to-ports 30086
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -d {REJECTED}/32 -j REJECT --reject-with icmp-port-unreachable
-A FORWARD -d {DROPPED}/32 -j DROP
-A OUTPUT -d {REJECTED}/32 -j REJECT --reject-with icmp-port-unreachable
-A OUTPUT -d {DROPPED}/32 -j DROP
COMMIT
"""
IP6TABLES = f"""*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d {SERVICE6}/128 -p tcp -m tcp --dport 80 -j DNAT --to-destination [{SERVER6}]:8080
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A FORWARD -d {SERVICE6}/128 -p tcp -m tcp --dport 81 -j REJECT --reject-with icmp6-port-unreachable
COMMIT
"""
NFT = f"""table ip sticky {{
	set affinity {{
		type ipv4_addr
		size 65535
		flags dynamic,timeout
		timeout 3h
	}}

	chain prerouting {{
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr {SERVICE} tcp dport 80 update @affinity {{ ip saddr }} dnat to {SERVER}:8080
	}}
}}
"""
PROXIES = (
    Proxy("0.0.0.0", 30081, "tcp", "shop/web:http", (f"{SERVER}:9", f"{SERVER}:8080"), None),
    Proxy("0.0.0.0", 30082, "udp", "shop/web:dns", (f"{SERVER}:5353",), None),
    Proxy("0.0.0.0", 30083, "tcp", "shop/slow:http", (f"{DROPPED}:80", f"{SERVER}:8080"), 10800),
    Proxy("0.0.0.0", 30084, "tcp", "shop/deaf:http", (f"{SERVER}:9", f"{SERVER}:10"), None),
    Proxy("0.0.0.0", 30085, "tcp", "shop/none:http", (), None),
    Proxy("0.0.0.0", 30086, "udp", "shop/deaf:dns", (f"{SERVER}:9", f"{SERVER}:5353"), None),
)


# Tried without the guest, so that a guest that fails is not taken for a kernel that cannot.
_TRIAL = """
ip link add br0 type bridge && test -e /proc/sys/net/bridge/bridge-nf-call-iptables -a -e /proc/net/if_inet6 &&
printf '*nat\n-A OUTPUT -m comment --comment x -j RETURN\nCOMMIT\n' | iptables-nft-restore &&
nft add table inet x && nft 'add chain inet x y { type filter hook output priority 0; }' &&
nft add rule inet x y meta nftrace set 1 ct state new
"""


@cache
def lacking() -> str:
    """Why the guest cannot be tried on this machine; "" if it can."""
    if not all(map(shutil.which, ("unshare", "ip", "bridge", "iptables-nft-restore", "nft"))):
        return "needs iproute2, iptables, nft and unshare"
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    tried = subprocess.run(["unshare", "--net", *user, "sh", "-c", _TRIAL], capture_output=True, check=False)
    return "this kernel lacks bridges with netfilter, nf_tables or namespaces" if tried.returncode else ""


# ---- the plan -----------------------------------------------------------------------------------


def plan(name: str = "c") -> Plan:
    router, node1, node2, client, server, outside = codes(name)
    return Plan(
        cluster=name,
        places={},
        namespaces=(
            Namespace(router, "router", _router(), {}),
            Namespace(node1, "node", _node(1, 2, "pod"), _FORWARDS),
            Namespace(node2, "node", _node(2, 1, "pod"), _FORWARDS),
            Namespace(client, "pod", _end("10.244.1.9/24", "fd00:244:1::9/64", "10.244.1.1", "fd00:244:1::1"), {}),
            Namespace(server, "pod", _end("10.244.2.5/24", "fd00:244:2::5/64", "10.244.2.1", "fd00:244:2::1"), {}),
            Namespace(outside, "outside", _end("192.168.10.50/24", "fd00:10::50/64", "192.168.10.1", ""), {}),
        ),
        links=(
            f"link add name n1 netns {router} type veth peer name eth0 netns {node1}",
            f"link add name n2 netns {router} type veth peer name eth0 netns {node2}",
            f"link add name o netns {router} type veth peer name eth0 netns {outside}",
            f"link add name pod netns {node1} type veth peer name eth0 netns {client}",
            f"link add name pod netns {node2} type veth peer name eth0 netns {server}",
        ),
        listeners=(
            Listener(server, "tcp", "0.0.0.0", 8080),
            Listener(server, "tcp", "::", 8080),
            Listener(server, "udp", "0.0.0.0", 5353),
            Listener(server, "udp", "::", 5353),
            Listener(node1, "udp", "0.0.0.0", 5354),
            Listener(node1, "udp", "::", 5354),
        ),
    )


def codes(name: str = "c") -> tuple[str, str, str, str, str, str]:
    """Router, both nodes, client, server, outside."""
    return f"{name}r", f"{name}n1", f"{name}n2", f"{name}client", f"{name}server", f"{name}outside"


_FORWARDS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/bridge/bridge-nf-call-iptables": "1",
}


def _bridge(name: str, *ports: str) -> tuple[str, ...]:
    return (
        "link set lo up",
        f"link add {name} type bridge mcast_snooping 0",
        f"link set {name} multicast off up",
        *(line for port in ports for line in (f"link set {port} up", f"link set {port} master {name}")),
    )


def _router() -> tuple[str, ...]:
    return (*_bridge("wire", "n1", "n2", "o"), "address add 192.168.10.1/24 dev wire")


def _node(own: int, other: int, pod: str) -> tuple[str, ...]:
    return (
        *_bridge("cni0", pod),
        "link set eth0 multicast off up",
        f"address add 192.168.10.1{own}/24 dev eth0",
        f"address add fd00:10::1{own}/64 dev eth0",
        f"address add 10.244.{own}.1/24 dev cni0",
        f"address add fd00:244:{own}::1/64 dev cni0",
        f"route add 10.244.{other}.0/24 via 192.168.10.1{other}",
        f"route add fd00:244:{other}::/64 via fd00:10::1{other}",
        "route add default via 192.168.10.1",
        f"route add default via fd00:10::1{other}",
    )


def _end(address: str, address6: str, gateway: str, gateway6: str) -> tuple[str, ...]:
    return (
        "link set lo up",
        "link set eth0 multicast off up",
        f"address add {address} dev eth0",
        f"address add {address6} dev eth0",
        f"route add default via {gateway}",
        *([f"route add default via {gateway6}"] if gateway6 else []),
    )


# ---- what is asked ------------------------------------------------------------------------------


def loads(name: str = "c", **texts: str) -> list[Load]:
    """The same rules on both nodes."""
    _, node1, node2, *_ = codes(name)
    health = [Listener(node, "tcp", "0.0.0.0", 10256) for node in (node1, node2)]
    given = texts or {"iptables": IPTABLES, "ip6tables": IP6TABLES}
    proxies = PROXIES if "iptables" in given else ()
    sysctls = {"net.ipv4.conf.all.route_localnet": "1"}
    return [
        Load(node, given, sysctls, proxies, (listener,)) for node, listener in zip((node1, node2), health, strict=True)
    ]


def load(judge: Judge, name: str = "c", **texts: str) -> tuple[dict[str, dict[str, str]], dict[str, list[bytes]]]:
    """The texts as read back, and the dumps of the rules."""
    said = judge.ask("load", cluster=name, loads=encode(loads(name, **texts)), trace=True)
    return said["texts"], {code: [b64decode(each) for each in dump] for code, dump in said["rules"].items()}


def probe(
    to: str,
    port: int,
    protocol: str = "tcp",
    source: str = CLIENT,
    code: str = "cclient",
    source_port: int = 0,
    routes: tuple[tuple[str, str], ...] = (),
    patience: float = 0.3,
) -> Probe:
    name = code.removesuffix("client").removesuffix("outside").removesuffix("n1").removesuffix("server")
    _, node1, node2, *_ = codes(name)
    return Probe(code, protocol, source, source_port, to, port, routes, (node1, node2), patience)
