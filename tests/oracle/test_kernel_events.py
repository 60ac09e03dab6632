"""What this machine's own kernel says of rules, where it may be asked: which visits there are, and which not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from errno import ECONNREFUSED
from pathlib import Path

import pytest

from packetsim.oracle.netlink import connections, decode, rule_numbers
from packetsim.oracle.observation import Connection, Passage, passages

TOOLS = ("unshare", "ip", "nft", "iptables-nft-restore", "ip6tables-nft-restore")


def _usable() -> bool:
    """May we make a network namespace and ask nf_tables in it?"""
    if os.geteuid() != 0 or not all(shutil.which(tool) for tool in TOOLS):
        return False
    words = ["unshare", "-n", "nft", "add table inet judge"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not _usable(), reason="needs root, network namespaces and nf_tables")

# One ruleset for both families: {s} the Service's addresses, {e} the endpoint.
IPTABLES = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-SEP - [0:0]
:KUBE-MARK-MASQ - [0:0]
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE
-A KUBE-SERVICES -d {s}1 -p tcp -m tcp --dport 81 -j RETURN
-A KUBE-SERVICES -d {s}1 -p tcp -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SERVICES -d {s}1 -p tcp -m tcp --dport 80 -j KUBE-SEP
-A KUBE-SERVICES -d {s}4 -j RETURN
-A KUBE-SEP -p tcp -m tcp -j DNAT --to-destination {e}
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FIREWALL - [0:0]
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FIREWALL -d {s}2 -p tcp -j REJECT --reject-with {unreachable}
-A KUBE-FIREWALL -d {s}3 -p tcp -j REJECT --reject-with tcp-reset
COMMIT
"""
RESTORE = {
    4: (
        ["iptables-nft-restore"],
        IPTABLES.format(s="10.96.0.", e="10.0.0.1:8080", unreachable="icmp-port-unreachable"),
    ),
    6: (
        ["ip6tables-nft-restore"],
        IPTABLES.format(s="fd00:96::", e="[fd00::1]:8080", unreachable="icmp6-port-unreachable"),
    ),
}
NFT = """table ip kube-proxy {
  map services {
    type ipv4_addr . inet_service : verdict
    elements = { 10.96.0.1 . 80 : goto one, 10.96.0.4 . 80 : jump nothing }
  }
  map none { type ipv4_addr : verdict; elements = { 10.96.0.2 : goto reject-chain } }
  chain services { ip daddr . tcp dport vmap @services; }
  chain nothing { counter; }
  chain mark-for-masquerade { meta mark set mark or 0x4000; }
  chain one {
    ip saddr != 10.244.0.0/16 jump mark-for-masquerade
    numgen random mod 2 vmap { 0 : goto endpoint, 1 : goto endpoint }
  }
  chain endpoint { meta l4proto tcp dnat to 10.0.0.1:8080; }
  chain reject-chain { reject; }
  chain nat-output { type nat hook output priority -100; jump services; }
  chain masquerading { mark and 0x4000 == 0 return; meta mark set mark xor 0x4000; masquerade fully-random; }
  chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
  chain filter-output {
    type filter hook output priority 0
    ct state new ip daddr vmap @none
    ip daddr 10.0.0.1 accept
  }
}
"""


class Said:
    def __init__(self, rules: tuple[list[str], str], address: str) -> None:
        job = json.dumps({"rules": [rules], "destination": [address, 80]})
        script = Path(__file__).with_name("kernel_events.py")
        words = ["unshare", "-n", sys.executable, str(script)]
        answer = json.loads(subprocess.run(words, input=job, text=True, check=True, capture_output=True).stdout)
        raw = {kind: [bytes.fromhex(one) for one in answer[kind]] for kind in ("events", "rules", "connections")}
        self.heard: int = answer["heard"]
        self.passages = passages("n1", decode(raw["events"]), rule_numbers(raw["rules"]))
        self.connections: tuple[Connection, ...] = connections(raw["connections"])


def visits(passage: Passage) -> list[str]:
    return [f"{one.chain} {one.number} {one.verdict} {one.mark:#x}" for one in passage.visits]


@pytest.mark.parametrize(("family", "service", "node"), [(4, "10.96.0.1", "10.0.0.1"), (6, "fd00:96::1", "fd00::1")])
def test_iptables_each_matched_rule_each_policy_and_no_end_of_a_chain(family: int, service: str, node: str) -> None:
    said = Said(RESTORE[family], service)
    assert said.heard == 0
    assert [one.first.flags for one in said.passages[:3]] == ["S", "SA", "A"]
    assert visits(said.passages[0]) == [
        "OUTPUT 1 jump KUBE-SERVICES 0x0",
        "KUBE-SERVICES 2 jump KUBE-MARK-MASQ 0x0",
        "KUBE-MARK-MASQ 1 continue 0x4000",
        "KUBE-SERVICES 3 jump KUBE-SEP 0x4000",
        "KUBE-SEP 1 accept 0x4000",
        "OUTPUT 1 jump KUBE-FIREWALL 0x4000",
        "OUTPUT 0 accept 0x4000",
        "POSTROUTING 1 accept 0x4000",
        "INPUT 0 accept 0x4000",
    ]
    assert said.passages[0].visits[0].family == {4: "ip", 6: "ip6"}[family]
    assert said.connections[0].original == ("tcp", node, 40000, service, 80)
    assert said.connections[0].reply == ("tcp", node, 8080, node, said.connections[0].reply[4])


@pytest.mark.parametrize(
    ("family", "service", "answer"),
    [
        (4, "10.96.0.2", ("icmp", 3, 3, "")),
        (4, "10.96.0.3", ("tcp", 0, 0, "RA")),
        (6, "fd00:96::2", ("icmpv6", 1, 4, "")),
        (6, "fd00:96::3", ("tcp", 0, 0, "RA")),
    ],
)
def test_iptables_reject_is_a_drop_and_its_answer_a_packet(
    family: int, service: str, answer: tuple[str, int, int, str]
) -> None:
    said = Said(RESTORE[family], service)
    # An ICMP error that comes while connect() still holds the socket is only noted (tcp_v6_err, sk_err_soft).
    assert said.heard == ECONNREFUSED or answer[0] == "icmpv6"
    rejected, answered = said.passages[:2]
    number = 1 if service.endswith("2") else 2
    assert visits(rejected)[-2:] == ["OUTPUT 1 jump KUBE-FIREWALL 0x0", f"KUBE-FIREWALL {number} drop 0x0"]
    first = answered.first
    assert (first.protocol, first.icmp_type, first.icmp_code, first.flags) == answer
    assert answered.local


def test_iptables_return_is_a_visit_and_then_the_policy() -> None:
    assert visits(Said(RESTORE[4], "10.96.0.4").passages[0])[:3] == [
        "OUTPUT 1 jump KUBE-SERVICES 0x0",
        "KUBE-SERVICES 4 return 0x0",
        "OUTPUT 0 accept 0x0",
    ]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "10.96.0.1",
            [
                "nat-output 1 jump services 0x0",
                "services 1 goto one 0x0",  # what the verdict map says
                "one 1 jump mark-for-masquerade 0x0",
                "mark-for-masquerade 1 continue 0x4000",
                "one 2 goto endpoint 0x4000",
                "endpoint 1 accept 0x4000",
                "filter-output 2 accept 0x4000",  # and no policy
                "nat-postrouting 1 jump masquerading 0x4000",
                "masquerading 2 continue 0x0",
                "masquerading 3 accept 0x0",
            ],
        ),
        (
            "10.96.0.2",
            [
                "nat-output 1 jump services 0x0",
                "nat-output 0 accept 0x0",
                "filter-output 1 goto reject-chain 0x0",
                "reject-chain 1 drop 0x0",
            ],
        ),
        (
            "10.96.0.4",
            [
                "nat-output 1 jump services 0x0",
                "services 1 jump nothing 0x0",
                "nothing 1 continue 0x0",
                "nat-output 0 accept 0x0",
                "filter-output 0 accept 0x0",
                "nat-postrouting 1 jump masquerading 0x0",
                "masquerading 1 return 0x0",
                "nat-postrouting 0 accept 0x0",
            ],
        ),
    ],
)
def test_nftables(address: str, expected: list[str]) -> None:
    said = Said((["nft", "-f", "-"], NFT), address)
    assert visits(said.passages[0]) == expected
