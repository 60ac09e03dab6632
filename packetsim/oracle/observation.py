"""Rule: what a kernel said it did, in our words; nothing here knows what we expected.

The kernel's trace events of one namespace become packets, each with the rules it visited in order.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """A packet as the kernel showed it on entry to a base chain. `flags`: "S", "SA", …; SCTP: "INIT", ….

    `size`: bytes from the IP header on. `quoted` is (protocol, source, source port, destination, destination port)
    of the packet that an ICMP error is about.
    """

    protocol: str
    source: str
    source_port: int
    destination: str
    destination_port: int
    ttl: int
    flags: str
    size: int
    icmp_type: int = 0
    icmp_code: int = 0
    quoted: tuple[str, str, int, str, int] | None = None
    source_mac: str = ""
    destination_mac: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """A rule that matched, or the policy that ended a base chain. `number` from 1; 0 for the policy.

    `header`: on entry to the base chain of this visit. `mark`: the packet's mark just after the rule.
    """

    family: str  # ip, ip6, inet
    table: str
    chain: str
    number: int
    verdict: str  # accept, drop, jump CHAIN, goto CHAIN, return, continue
    hook_header: Header
    mark: int


@dataclass(frozen=True, slots=True)
class Passage:
    """One packet's way through one namespace: the headers it showed and the rules it visited, in order."""

    code: str
    visits: tuple[Visit, ...]

    @property
    def first(self) -> Header:
        return self.visits[0].hook_header


@dataclass(frozen=True, slots=True)
class Connection:
    """A conntrack entry: each tuple is (protocol, source, source port, destination, destination port)."""

    original: tuple[str, str, int, str, int]
    reply: tuple[str, str, int, str, int]
    status: int  # IPS_… bits
    mark: int
