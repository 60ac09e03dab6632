"""Rule: what a rule does to a packet, and where the kernel lets it be done.

Behaviour after net/netfilter/xt_{MARK,nat,MASQUERADE,REDIRECT}.c and net/ipv4/netfilter/ipt_REJECT.c
(Linux 6.1); where a target may stand is in those files' xt_target structs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from packetsim.addresses import with_port
from packetsim.hooks import Hook
from packetsim.kernel.iptables.model import Altering, Final, Target
from packetsim.kernel.visit import Outcome, Translation, Verdict, Visit

EVERY_BIT = 0xFFFFFFFF
INCOMING = frozenset({Hook.PREROUTING, Hook.OUTPUT})
OUTGOING = frozenset({Hook.INPUT, Hook.POSTROUTING})

REJECT_WITH: dict[int, tuple[str, ...]] = {
    4: (
        "icmp-port-unreachable",  # the first is what a bare REJECT means
        "icmp-net-unreachable",
        "icmp-host-unreachable",
        "icmp-proto-unreachable",
        "icmp-net-prohibited",
        "icmp-host-prohibited",
        "icmp-admin-prohibited",
        "tcp-reset",
    ),
    6: (
        "icmp6-port-unreachable",
        "icmp6-no-route",
        "icmp6-adm-prohibited",
        "icmp6-addr-unreachable",
        "icmp6-policy-fail",
        "icmp6-reject-route",
        "tcp-reset",
    ),
}


@dataclass(frozen=True, slots=True)
class Standard(Final):
    """ACCEPT or DROP."""

    outcome: Outcome

    @property
    def effect(self) -> str:
        return self.outcome.name

    def verdict(self, place: str) -> Verdict:
        return Verdict(self.outcome, why=place)

    def render(self) -> str:
        return f"-j {self.outcome.name}"


@dataclass(frozen=True, slots=True)
class Reject(Final):
    reject_with: str
    tables: ClassVar[tuple[str, ...]] = ("filter",)

    @property
    def effect(self) -> str:
        return f"REJECT with {self.reject_with}"

    def verdict(self, place: str) -> Verdict:
        return Verdict(Outcome.REJECT, reject_with=self.reject_with, why=place)

    def render(self) -> str:
        return f"-j REJECT --reject-with {self.reject_with}"


def _end(address: str | None, port: int | None) -> str:
    if address is None:
        return f":{port}"
    return address if port is None else with_port(address, port)


def _translate(place: str, translation: Translation) -> Verdict:
    return Verdict(Outcome.TRANSLATE, translation, why=place)


@dataclass(frozen=True, slots=True)
class Dnat(Final):
    address: str | None
    port: int | None = None
    tables: ClassVar[tuple[str, ...]] = ("nat",)
    hooks: ClassVar[frozenset[Hook]] = INCOMING

    @property
    def effect(self) -> str:
        return f"DNAT to {_end(self.address, self.port)}"

    def verdict(self, place: str) -> Verdict:
        return _translate(place, Translation("dnat", self.address, self.port))

    def render(self) -> str:
        return f"-j DNAT --to-destination {_end(self.address, self.port)}"


def _random_options(random: bool, random_fully: bool) -> str:
    return (" --random" if random else "") + (" --random-fully" if random_fully else "")


@dataclass(frozen=True, slots=True)
class Snat(Final):
    """Both random options have the port drawn anew: NF_NAT_RANGE_PROTO_RANDOM_ALL in net/netfilter/nf_nat_core.c."""

    address: str | None
    port: int | None = None
    random: bool = False
    random_fully: bool = False
    tables: ClassVar[tuple[str, ...]] = ("nat",)
    hooks: ClassVar[frozenset[Hook]] = OUTGOING

    @property
    def effect(self) -> str:
        return f"SNAT to {_end(self.address, self.port)}"

    def verdict(self, place: str) -> Verdict:
        drawn = self.random or self.random_fully
        return _translate(place, Translation("snat", self.address, self.port, drawn))

    def render(self) -> str:
        return f"-j SNAT --to-source {_end(self.address, self.port)}{_random_options(self.random, self.random_fully)}"


@dataclass(frozen=True, slots=True)
class Masquerade(Final):
    random: bool = False
    random_fully: bool = False
    tables: ClassVar[tuple[str, ...]] = ("nat",)
    hooks: ClassVar[frozenset[Hook]] = frozenset({Hook.POSTROUTING})

    @property
    def effect(self) -> str:
        return "MASQUERADE"

    def verdict(self, place: str) -> Verdict:
        return _translate(place, Translation("masquerade", fully_random=self.random or self.random_fully))

    def render(self) -> str:
        return f"-j MASQUERADE{_random_options(self.random, self.random_fully)}"


@dataclass(frozen=True, slots=True)
class Redirect(Final):
    """To the address of the interface the packet came in by; at OUTPUT, to loopback."""

    port: int | None = None
    tables: ClassVar[tuple[str, ...]] = ("nat",)
    hooks: ClassVar[frozenset[Hook]] = INCOMING

    @property
    def effect(self) -> str:
        return "REDIRECT" if self.port is None else f"REDIRECT to port {self.port}"

    def verdict(self, place: str) -> Verdict:
        return _translate(place, Translation("redirect", None, self.port))

    def render(self) -> str:
        return "-j REDIRECT" if self.port is None else f"-j REDIRECT --to-ports {self.port}"


@dataclass(frozen=True, slots=True)
class Mark(Altering):
    """mark_tg: clear the bits of `mask`, then flip those of `value`."""

    value: int
    mask: int = EVERY_BIT

    @property
    def effect(self) -> str:
        if self.mask == EVERY_BIT:
            return f"mark set to {self.value:#x}"
        if self.value == self.mask:
            return f"mark set {self.value:#x}"
        if self.mask == 0:
            return f"mark flipped {self.value:#x}"
        return f"mark cleared {self.mask:#x}" if self.value == 0 else f"mark set {self.value:#x}/{self.mask:#x}"

    def alter(self, visit: Visit) -> None:
        packet = visit.packet
        mark = (packet.mark & ~self.mask) ^ self.value
        if mark != packet.mark:
            visit.packet = packet.with_mark(mark)

    def render(self) -> str:
        return f"-j MARK --set-xmark {self.value:#x}/{self.mask:#x}"


def misplaced(target: Target | None, table: str) -> str:
    """Why the kernel would not have this target in this table, or nothing."""
    if target is None or not target.tables or table in target.tables:
        return ""
    return f"{target.render()[3:]} is only valid in the {' and '.join(target.tables)} table; move the rule there"
