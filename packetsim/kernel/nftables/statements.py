"""Rule: a statement does one thing to the packet, to a set or to the walk, and prints as nft 1.0.6 does.

After net/netfilter/nft_{meta,dynset,nat,masq,redir}.c and net/ipv4/netfilter/nft_reject_ipv4.c (Linux 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from packetsim.addresses import with_port
from packetsim.kernel.nftables.durations import duration
from packetsim.kernel.nftables.fields import Fields
from packetsim.kernel.nftables.model import BROKEN, Decision, Kind, Sets, Statement
from packetsim.kernel.visit import Translation, Visit


@dataclass(frozen=True, slots=True)
class Counter(Statement):
    """Counts; changes no packet's way."""

    packets: int = 0
    bytes: int = 0

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return None

    def render(self) -> str:
        return f"counter packets {self.packets} bytes {self.bytes}"


@dataclass(frozen=True, slots=True)
class Log(Statement):
    """Writes a line to the kernel's log; changes no packet's way."""

    prefix: str = ""

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return None

    @property
    def effect(self) -> str:
        return self.render()

    def render(self) -> str:
        return f'log prefix "{self.prefix}"' if self.prefix else "log"


@dataclass(frozen=True, slots=True)
class SetMark(Statement):
    """`meta mark set …`: the new mark is (mark & `keep`) ^ `flip`, as nft_bitwise has it.

    `operators` are what is printed behind `meta mark`; empty: the mark becomes `flip`.
    """

    operators: tuple[tuple[str, int], ...]
    keep: int
    flip: int

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        packet = visit.packet
        mark = (packet.mark & self.keep) ^ self.flip
        if mark != packet.mark:
            visit.packet = packet.with_mark(mark)
        return None

    @property
    def effect(self) -> str:
        return self.render()

    def render(self) -> str:
        if not self.operators:
            return f"meta mark set {self.flip:#010x}"
        return "meta mark set meta mark" + "".join(f" {sign} {value:#010x}" for sign, value in self.operators)


@dataclass(frozen=True, slots=True)
class Learn(Statement):
    """`update|add @SET { KEY [timeout T] }`. `update` starts the time of a known element anew, `add` does not."""

    verb: str
    name: str
    key: Fields
    timeout: float | None = None

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        if self.key.protocols and self.key.foreign(visit):
            return BROKEN
        key = self.key.read(visit)
        learned = sets.learn(self.name, key, visit.now, self.timeout, self.verb == "update")
        return None if learned else BROKEN

    def why(self, visit: Visit) -> str:
        if self.key.foreign(visit):
            return self.key.why_foreign(visit)
        return f"@{self.name} is full"

    @property
    def effect(self) -> str:
        return self.render()

    def render(self) -> str:
        timeout = "" if self.timeout is None else f" timeout {duration(self.timeout)}"
        return f"{self.verb} @{self.name} {{ {self.key.render()}{timeout} }}"


# nft's names of ICMP codes, and what iptables, whose names a Verdict carries, calls them.
REJECT_CODES: dict[str, dict[str, str]] = {
    "icmp": {
        "net-unreachable": "icmp-net-unreachable",
        "host-unreachable": "icmp-host-unreachable",
        "prot-unreachable": "icmp-proto-unreachable",
        "port-unreachable": "icmp-port-unreachable",
        "net-prohibited": "icmp-net-prohibited",
        "host-prohibited": "icmp-host-prohibited",
        "admin-prohibited": "icmp-admin-prohibited",
    },
    "icmpv6": {
        "no-route": "icmp6-no-route",
        "admin-prohibited": "icmp6-adm-prohibited",
        "addr-unreachable": "icmp6-addr-unreachable",
        "port-unreachable": "icmp6-port-unreachable",
        "policy-fail": "icmp6-policy-fail",
        "reject-route": "icmp6-reject-route",
    },
    "tcp": {"reset": "tcp-reset"},
}


@dataclass(frozen=True, slots=True)
class Reject(Statement):
    """`reject [with icmp|icmpv6|tcp CODE]`; without, port-unreachable of the packet's family."""

    protocol: str = ""
    code: str = ""
    decides: ClassVar[bool] = True

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        packet = visit.packet
        if not self.protocol:
            return _REJECT6 if packet.family == 6 else _REJECT4
        # nft asks for TCP before it answers with a reset, without printing that it does.
        if self.protocol == "tcp" and packet.protocol != "tcp":
            return BROKEN
        return Decision(Kind.REJECT, self.render(), reject_with=REJECT_CODES[self.protocol][self.code])

    def why(self, visit: Visit) -> str:
        return f"protocol {visit.packet.protocol}, not tcp"

    def render(self) -> str:
        return f"reject with {self.protocol} {self.code}" if self.protocol else "reject"


_REJECT4 = Decision(Kind.REJECT, "reject", reject_with="icmp-port-unreachable")
_REJECT6 = Decision(Kind.REJECT, "reject", reject_with="icmp6-port-unreachable")


@dataclass(frozen=True, slots=True)
class Translate(Statement):
    """dnat, snat, masquerade or redirect, to what the rule itself says. `flag`: random or fully-random."""

    kind: str
    address: str | None = None
    port: int | None = None
    flag: str = ""
    decision: Decision = field(init=False, compare=False, repr=False)

    decides: ClassVar[bool] = True
    # nf_nat_core treats both flags alike since Linux 5.0: the port is drawn at random.
    FLAGS: ClassVar[tuple[str, ...]] = ("random", "fully-random")

    def __post_init__(self) -> None:
        translation = Translation(self.kind, self.address, self.port, bool(self.flag))
        object.__setattr__(self, "decision", Decision(Kind.TRANSLATE, self.render(), translation=translation))

    def act(self, visit: Visit, sets: Sets) -> Decision | None:
        return self.decision

    def render(self) -> str:
        flag = f" {self.flag}" if self.flag else ""
        return f"{self.kind}{self._target()}{flag}"

    def _target(self) -> str:
        if self.address is None:
            return "" if self.port is None else f" to :{self.port}"
        return f" to {self.address if self.port is None else with_port(self.address, self.port)}"
