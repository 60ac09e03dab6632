"""A small cluster in network namespaces of this machine's own kernel, wired as packetsim.network wires it.

Nodes, Pods and one outside host each get a namespace; a bridge in one more is the wire.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from packetsim import Cluster, Simulation
from packetsim.kubeproxy.node_addresses import gateway
from packetsim.network import BRIDGE, veth_of
from packetsim.parts import render

OUTSIDE = "192.168.10.50"
TOOLS = ("ip", "iptables-legacy-restore", "nft", "unshare")

SERVER = """
import socket, sys, threading
def serve(port):
    listener = socket.create_server(("", port))
    print("ready", flush=True)
    while True:
        connection, peer = listener.accept()
        connection.sendall(f"{listener_name} {peer[0]} {connection.getsockname()[0]}:{port}".encode())
        connection.close()
listener_name = sys.argv[1]
serve(int(sys.argv[2]))
"""
CLIENT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1.5) as connection:
        print("delivered", connection.recv(200).decode())
except ConnectionRefusedError:
    print("refused")
except TimeoutError:
    print("silence")
except OSError as error:
    print("unreachable", error)
"""


def usable() -> bool:
    """Can this machine make namespaces with bridges that call netfilter?"""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in TOOLS):
        return False
    script = "ip link add br0 type bridge && test -e /proc/sys/net/bridge/bridge-nf-call-iptables"
    return subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True)
class Heard:
    """What the client saw: delivered, refused, silence or unreachable; and who answered, who it saw."""

    word: str
    server: str = ""
    source_seen: str = ""
    endpoint: str = ""


class Lab:
    """The cluster's namespaces, with a server on port 8080 of each Pod named web-…"""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._prefix = f"pw{os.getpid()}-"
        self._names: list[str] = []
        self._servers: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.kill()
            server.wait()
        for name in self._names:
            subprocess.run(["ip", "netns", "delete", name], check=False)

    def _build(self) -> None:
        self._namespace("wire")
        self._ip(
            "wire",
            "link add wire type bridge mcast_snooping 0",
            "link set wire up",
            "address add 192.168.10.1/24 dev wire",
        )
        for node in self.cluster.nodes.values():
            self._build_node(node.name)
        for pod in self.cluster.pods.values():
            place = pod.name
            self._namespace(place)
            self._veth(pod.node, veth_of(pod.key), place)
            self._ip(pod.node, f"link set {veth_of(pod.key)} master {BRIDGE}")
            self._in(pod.node, "sh", "-c", f"echo 1 >/sys/class/net/{veth_of(pod.key)}/brport/hairpin_mode")
            cidr = self.cluster.nodes[pod.node].pod_cidrs[0]
            self._ip(place, f"address add {pod.addresses[0]}/24 dev eth0", f"route add default via {gateway(cidr)}")
            if place.startswith("web-"):
                self._serve(place)
        self._on_wire("outside", OUTSIDE)

    def _build_node(self, name: str) -> None:
        node = self.cluster.nodes[name]
        self._on_wire(name, node.addresses[0])
        self._ip(
            name,
            f"link add {BRIDGE} type bridge mcast_snooping 0",
            f"link set {BRIDGE} multicast off up",
            f"address add {gateway(node.pod_cidrs[0])}/24 dev {BRIDGE}",
            "route add default via 192.168.10.1",
            *(
                f"route add {other.pod_cidrs[0]} via {other.addresses[0]}"
                for other in self.cluster.nodes.values()
                if other.name != name
            ),
        )
        for key in ("net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.ipv4.conf.all.route_localnet"):
            self._in(name, "sh", "-c", f"echo 1 >/proc/sys/{key.replace('.', '/')}")

    def _on_wire(self, name: str, address: str) -> None:
        self._namespace(name)
        self._veth("wire", f"to-{name}", name)
        self._ip("wire", f"link set to-{name} master wire")
        self._ip(name, f"address add {address}/24 dev eth0")

    def _namespace(self, name: str) -> None:
        subprocess.run(["ip", "netns", "add", self._prefix + name], check=True)
        self._names.append(self._prefix + name)
        self._ip(name, "link set lo up")

    def _veth(self, near: str, interface: str, far: str) -> None:
        self._ip(
            near, f"link add {interface} type veth peer name eth0 netns {self._prefix}{far}", f"link set {interface} up"
        )
        self._ip(far, "link set eth0 multicast off up")

    def _ip(self, name: str, *commands: str) -> None:
        for command in commands:
            subprocess.run(["ip", "-n", self._prefix + name, *command.split()], check=True)

    def _in(self, name: str, *command: str, text: str = "") -> str:
        words = ["ip", "netns", "exec", self._prefix + name, *command]
        return subprocess.run(words, check=True, input=text, capture_output=True, text=True).stdout

    def _serve(self, place: str) -> None:
        words = ["ip", "netns", "exec", self._prefix + place, "python3", "-c", SERVER, place, "8080"]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._servers.append(server)
        assert server.stdout is not None and server.stdout.readline() == "ready\n"

    # ---- what is asked of it ----------------------------------------------------------------------

    def load(self, simulation: Simulation) -> None:
        """Put the rules we render into each node's kernel, as its own tools load them."""
        for node in self.cluster.nodes:
            config = simulation.config(node)
            self._in(node, "iptables-legacy-restore", text=render(config, "iptables") or _EMPTY)
            self._in(node, "nft", "-f", "-", text="flush ruleset\n" + render(config, "nft"))

    def forget(self) -> None:
        """No connections, no counts."""
        for node in self.cluster.nodes:
            self._in(node, "conntrack", "-F")
            for table in ("nat", "filter", "mangle"):
                self._in(node, "iptables-legacy", "-t", table, "-Z")

    def connect(self, place: str, address: str, port: int) -> Heard:
        words = self._in(place, "python3", "-c", CLIENT, address, str(port)).split()
        return Heard(*words) if words[0] == "delivered" else Heard(words[0])

    def route_via(self, node: str, address: str) -> None:
        """The outside host sends what is for `address` to this node."""
        self._ip("outside", f"route replace {address} via {self.cluster.nodes[node].addresses[0]}")

    def counted(self, node: str) -> set[str]:
        """The rules that some packet matched since `forget`, as iptables-save prints them."""
        lines = self._in(node, "iptables-legacy-save", "-c").splitlines()
        return {line.partition("] ")[2] for line in lines if line.startswith("[") and not line.startswith("[0:0]")}


_EMPTY = "".join(f"*{table}\nCOMMIT\n" for table in ("mangle", "filter", "nat"))
