"""Rule: nothing in this folder knows what a Service is.

A `Visit` is one packet at one hook of one machine: everything a rule may look at, and the place
where steps are noted. Rule traversers take a Visit and give back a `Verdict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from packetsim.dice import Dice
from packetsim.hooks import Hook
from packetsim.packet import Packet
from packetsim.trace import Detail, Step


class Outcome(StrEnum):
    ACCEPT = "accept"
    DROP = "drop"
    REJECT = "reject"
    TRANSLATE = "translate"


@dataclass(frozen=True, slots=True)
class Translation:
    """What a NAT rule asks for; conntrack and the node carry it out.

    `kind`: dnat, snat, masquerade or redirect. `address`/`port` None: kept, or chosen by the kernel.
    `fully_random`: the source port is drawn anew (--random-fully / fully-random).
    """

    kind: str
    address: str | None = None
    port: int | None = None
    fully_random: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a base chain decided. `reject_with` as iptables names it: icmp-port-unreachable, tcp-reset …"""

    outcome: Outcome
    translation: Translation | None = None
    reject_with: str = ""
    why: str = ""  # where it was decided: "filter/KUBE-SERVICES rule 3"


ACCEPT = Verdict(Outcome.ACCEPT)


class PacketSet(Protocol):
    """An ipset, as `-m set` asks it."""

    def matches(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Do the packet's `directions` (("dst", "dst", "src")) form an entry of the set?"""
        ...

    def describe(self, packet: Packet, directions: tuple[str, ...]) -> str:
        """The element that was looked up: "10.96.0.1,tcp:80"."""
        ...


class RecentLists(Protocol):
    """`-m recent` (net/netfilter/xt_recent.c): named lists of addresses with the times they were seen."""

    def seen_within(self, name: str, address: str, seconds: int, now: float, reap: bool) -> bool: ...
    def set(self, name: str, address: str, now: float) -> None: ...


class IpvsConnectionView(Protocol):
    """What `-m ipvs` may ask of the packet's IPVS connection."""

    virtual_address: str
    virtual_port: int
    protocol: str


class Facts(Protocol):
    """What rules may ask the machine."""

    @property
    def sets(self) -> Mapping[str, PacketSet]: ...
    @property
    def recent(self) -> RecentLists: ...
    def address_type(self, address: str) -> str:
        """LOCAL, BROADCAST, MULTICAST or UNICAST: the type of route `address` has (fib, addrtype)."""
        ...

    def ipvs_connection(self, packet: Packet) -> IpvsConnectionView | None: ...


@dataclass(slots=True)
class Visit:
    """One packet at one hook. Mutable while the hook runs: rules may replace `packet` (marks).

    `state`: NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED. `dnat`, `snat`: the connection's
    status bits, as `--ctstate DNAT`. `reply`: the packet goes in the reply direction.
    `in_interface` is None at OUTPUT, `out_interface` at PREROUTING and INPUT. `physical_in` and
    `physical_out` are bridge ports, set while a bridge hands the packet to netfilter.
    `steps` None: nobody is watching; traversers then note nothing and may go faster.
    """

    facts: Facts
    hook: Hook
    packet: Packet
    in_interface: str | None
    out_interface: str | None
    state: str
    dice: Dice
    now: float
    steps: list[Step] | None
    dnat: bool = False
    snat: bool = False
    reply: bool = False
    physical_in: str | None = None
    physical_out: str | None = None

    def note(self, detail: Detail, before: Packet | None = None) -> None:
        """Append a step; `before` where this step changed the packet. Call only when `steps` is not None."""
        assert self.steps is not None
        self.steps.append(Step(self.hook, detail, before or self.packet, self.packet))
