"""Loads rules into this network namespace, connects once, and prints what the kernel said. Run under `unshare -n`.

Standard input: {"rules": [[tool and its words, text], …], "destination": [address, port]} as JSON.
Standard output: {"heard": errno or 0, "events": […], "rules": […], "connections": […]}, bytes in hex.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys

NFNETLINK, TRACE_GROUP = 12, 9
GET_RULES, GET_CONNECTIONS = 10 << 8 | 7, 1 << 8 | 1
ADD_MEMBERSHIP, SOL_NETLINK = 1, 270
TRACED = "\n".join(
    f"add chain inet judge {hook} {{ type filter hook {hook} priority -301; }}\n"
    f"add rule inet judge {hook} meta nftrace set 1"
    for hook in ("prerouting", "output")
)


def run(words: list[str], text: str = "") -> None:
    subprocess.run(words, input=text, text=True, check=True)


def dump(kind: int) -> list[str]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NFNETLINK) as asking:
        asking.send(struct.pack("<IHHII", 20, kind, 0x301, 1, 0) + bytes(4))
        found = []
        while True:
            found.append(asking.recv(1 << 18).hex())
            if bytes.fromhex(found[-1][-40:])[4:6] == b"\3\0" or bytes.fromhex(found[-1])[4:6] == b"\3\0":
                return found


def main() -> None:
    job = json.load(sys.stdin)
    for command in (
        *("link set lo up", "address add 10.0.0.1/32 dev lo", "address add fd00::1/128 dev lo"),
        *("link add eth0 type veth peer name far", "link set far up", "link set eth0 up"),
        *("route add 10.96.0.0/16 dev eth0", "-6 route add fd00:96::/64 dev eth0"),
    ):
        run(["ip", *command.split()])
    for words, text in job["rules"]:
        run(words, text)
    run(["nft", "-f", "-"], f"add table inet judge\n{TRACED}\n")
    rules = dump(GET_RULES)
    address, port = job["destination"]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NFNETLINK) as listening,
        socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True),
        socket.socket(family, socket.SOCK_STREAM) as client,
    ):
        listening.bind((0, 0))
        listening.setsockopt(SOL_NETLINK, ADD_MEMBERSHIP, TRACE_GROUP)
        client.bind(("fd00::1" if family == socket.AF_INET6 else "10.0.0.1", 40000))
        client.settimeout(0.5)
        try:
            heard = client.connect_ex((address, port))
        except TimeoutError:
            heard = -1
        listening.settimeout(0.3)
        events = []
        try:
            while True:
                events.append(listening.recv(1 << 16).hex())
        except TimeoutError:
            pass
        print(json.dumps({"heard": heard, "events": events, "rules": rules, "connections": dump(GET_CONNECTIONS)}))


if __name__ == "__main__":
    main()
