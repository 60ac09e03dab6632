"""Rule: rules match here as often as Linux matched them.

`listings/counted.txt` is what nft 1.0.6 listed (Linux 6.18) after four packets over the loopback
interface: a ping, its answer, a UDP packet to a closed port and the ICMP error about it.
"""

from __future__ import annotations

import re

import pytest

from packetsim.hooks import Hook
from packetsim.kernel.nftables.text import parse
from packetsim.kernel.nftables.traverse import BaseChain
from packetsim.kernel.visit import Outcome, Visit
from packetsim.packet import Packet
from tests.packetsim.kernel.nftables.worked import LISTINGS, loaded, packet, visit

COUNTED = (LISTINGS / "counted.txt").read_text()
LOOPBACK = "127.0.0.1"
PACKETS = (
    (Packet(LOOPBACK, LOOPBACK, "icmp", icmp_type=8), "NEW"),
    (Packet(LOOPBACK, LOOPBACK, "icmp"), "ESTABLISHED"),
    (packet(LOOPBACK, LOOPBACK, 99, "udp"), "NEW"),
    (Packet(LOOPBACK, LOOPBACK, "icmp", icmp_type=3, icmp_code=3), "RELATED"),
)


def counted() -> list[tuple[str, int, int]]:
    """(chain, rule, packets the kernel counted), for every rule with a counter."""
    [table] = parse(COUNTED).tables
    return [
        (name, number, int(found[1]))
        for name, chain in table.chains.items()
        for number, rule in enumerate(chain.rules, 1)
        if (found := re.search(r"counter packets (\d+)", rule.text))
    ]


@pytest.fixture(scope="module")
def hits() -> dict[tuple[str, str, int], int]:
    nftables = loaded(COUNTED)
    for one, state in PACKETS:
        _through(nftables.base_chains(Hook.OUTPUT, 4), visit(one, Hook.OUTPUT, state=state, out_interface="lo"))
    return nftables.hits


def _through(bases: list[BaseChain], one: Visit) -> None:
    one.in_interface = None
    for base in bases:
        assert base.run(one).outcome is Outcome.ACCEPT


@pytest.mark.parametrize(("chain", "rule", "packets"), counted())
def test_a_rule_matches_as_often_as_in_linux(
    chain: str, rule: int, packets: int, hits: dict[tuple[str, str, int], int]
) -> None:
    assert hits.get(("ip t", chain, rule), 0) == packets
