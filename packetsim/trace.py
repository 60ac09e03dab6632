"""Rule: a trace says everything a reader may be shown, and nothing that did not happen.

Trace > Leg (one packet from its sender to whoever takes it) > Hop (one machine or network
namespace) > Step (one thing the kernel did), each step with one typed detail. All are values.
Shape after pybatfish's `datamodel/flow.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from packetsim.hooks import Hook
from packetsim.packet import Packet
from packetsim.ruletext import Origin

Position = tuple[int, int, int]  # a step of a trace: number of the leg, of the hop in it, of the step in that, from 0


class Disposition(StrEnum):
    """How a flow ends; exactly one holds."""

    DELIVERED = "delivered"  # someone accepted the request
    REJECTED = "rejected"  # a rule, or IPVS without a server, answered with an ICMP error
    DROPPED = "dropped"  # a rule or the kernel discarded it silently
    REFUSED = "refused"  # it reached a machine where nobody listens on that port
    UNANSWERED = "unanswered"  # no rule took it and no one owns the address


@dataclass(frozen=True, slots=True)
class Flow:
    """What is sent. `place` names the sender: `shop/client` (a Pod), `node1`, or an outside address.

    `via`: for an outside sender, the node its router hands the packet to.
    `source_port` 0: the sender's kernel draws an ephemeral one.
    """

    place: str
    source: str
    destination: str
    port: int
    protocol: str
    source_port: int = 0
    via: str | None = None


# ---- details: one class per kind of step -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleTried:
    """A rule met the packet. `why`: when missed, the first match that failed and why, in few words.

    `number` counts from 1 in the chain, as `iptables -L --line-numbers` does. `text` is the rule as
    the kernel's tool prints it. `effect` says in the tool's words what a match led to: `jump KUBE-SVC-…`.
    """

    table: str  # "nat"; nftables: "ip kube-proxy"
    chain: str
    number: int
    text: str
    matched: bool
    why: str = ""
    effect: str = ""
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class RulesMissed:
    """A run of rules that all missed: `first`..`last` (from 1) of a chain. `expand()` tells each one's why."""

    table: str
    chain: str
    first: int
    last: int
    expand: Callable[[], tuple[RuleTried, ...]] = field(compare=False, repr=False)

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class ChainEnded:
    """No rule of the chain gave a verdict: back to `caller`, or the base chain's `policy` decides."""

    table: str
    chain: str
    caller: str | None
    policy: str | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """Conntrack looked the packet up: its `state`, and the entry it belongs to as `conntrack -L` prints it."""

    state: str
    entry: str


@dataclass(frozen=True, slots=True)
class Translated:
    """NAT rewrote an address or port. `by`: `rule`, or `conntrack` for later packets and replies."""

    kind: str  # "source" or "destination"
    old: str
    new: str
    by: str


@dataclass(frozen=True, slots=True)
class Routed:
    """A routing decision. `route` reads as `ip route` prints it; `verdict`: local, forward, out or unreachable."""

    destination: str
    route: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Crossed:
    """The packet left one interface and reached another: a veth pair, a bridge port, the wire."""

    kind: str  # "veth", "bridge", "wire", "loopback"
    out_interface: str
    in_interface: str
    to: str


@dataclass(frozen=True, slots=True)
class Scheduled:
    """IPVS took the packet. `how`: `scheduled rr`, `persistence template`, `existing connection`."""

    virtual_server: str
    real_server: str
    how: str
    why: str


@dataclass(frozen=True, slots=True)
class ProxyAccepted:
    """userspace kube-proxy accepted the client's connection: the packet crosses into user space."""

    socket: str
    service_port: str


@dataclass(frozen=True, slots=True)
class ProxyDialled:
    """userspace kube-proxy dialled an endpoint. `result`: connected, refused, timed out."""

    endpoint: str
    attempt: int
    timeout: Fraction  # seconds
    result: str
    why: str


@dataclass(frozen=True, slots=True)
class ProxyCopied:
    """userspace kube-proxy copied bytes between its two connections."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The packet's way ends here. `outcome` for this leg, `why` in plain words."""

    outcome: Disposition
    why: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something worth saying that changes nothing: a hook with nothing registered, an ICMP error made."""

    text: str


Detail = (
    RuleTried
    | RulesMissed
    | ChainEnded
    | Tracked
    | Translated
    | Routed
    | Crossed
    | Scheduled
    | ProxyAccepted
    | ProxyDialled
    | ProxyCopied
    | Ended
    | Noted
)


class FieldDiff(NamedTuple):
    field: str
    old: object
    new: object


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to the packet. `hook` is None outside netfilter (a wire, a socket)."""

    hook: Hook | None
    detail: Detail
    before: Packet
    after: Packet

    @property
    def changes(self) -> tuple[FieldDiff, ...]:
        return tuple(FieldDiff(*change) for change in self.before.differences(self.after))


@dataclass(frozen=True, slots=True)
class Hop:
    """One machine or network namespace: `kind` is pod, node, outside or wire."""

    place: str
    kind: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """The packet as a sniffer at `interface` of `place` sees it; `comments` name the rules matched since the last."""

    place: str
    interface: str
    direction: str  # "in" or "out"
    packet: Packet
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """One packet's way. `title` in plain words: "request", "reply", "proxy's own connection"."""

    title: str
    hops: tuple[Hop, ...]
    captures: tuple[Capture, ...]
    outcome: Disposition
    why: str

    @property
    def steps(self) -> Iterator[Step]:
        return (step for hop in self.hops for step in hop.steps)


@dataclass(frozen=True, slots=True)
class Trace:
    """A flow's whole story.

    `endpoint`: `IP:PORT` where the request ended, None if it never did.
    `source_seen`: the source address that endpoint saw. `masqueraded`: its source was
    rewritten, if only the port (a node's own traffic that leaves by the address it has already).
    `answered`: the reply came back to the sender as an answer to what it sent.
    `entries`: the conntrack entries these packets met, by machine, as `conntrack -L` prints them afterwards.
    """

    flow: Flow
    mode: str
    legs: tuple[Leg, ...]
    disposition: Disposition
    why: str
    endpoint: str | None
    source_seen: str | None
    masqueraded: bool
    answered: bool
    entries: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def steps(self) -> Iterator[Step]:
        return (step for leg in self.legs for step in leg.steps)
