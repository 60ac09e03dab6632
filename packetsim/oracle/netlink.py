"""Rule: the three kinds of raw kernel messages a guest brings home are read here: trace, rules, connections.

Numbers from include/uapi/linux/netfilter/nf_tables.h and nfnetlink_conntrack.h (Linux 6.1).
"""

from __future__ import annotations

from collections.abc import Iterable

from packetsim.oracle.attributes import (
    Attributes,
    Message,
    attributes,
    messages,
    needed,
    nested,
    number,
    text,
    unreadable,
)
from packetsim.oracle.headers import address, read
from packetsim.oracle.observation import Connection, RuleNumbers, TraceEvent, Tuple
from packetsim.protocols import PROTOCOL_NUMBERS

_FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}  # NFPROTO_…
_NEW_CONNECTION = 1 << 8  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW
_NEW_RULE = 10 << 8 | 6  # NFNL_SUBSYS_NFTABLES, NFT_MSG_NEWRULE
_TRACE = 10 << 8 | 17  # NFT_MSG_TRACE

_TABLE, _CHAIN, _HANDLE, _TYPE, _VERDICT, _ID, _LINK, _NETWORK, _TRANSPORT = range(1, 10)  # NFTA_TRACE_…
_IN, _IN_TYPE, _OUT, _OUT_TYPE, _MARK, _NFPROTO, _POLICY = range(10, 17)
_POLICY_EVENT = 1  # NFT_TRACETYPE_POLICY
_LOOPBACK = 772  # ARPHRD_LOOPBACK
# NF_… from include/uapi/linux/netfilter.h; NFT_… (below zero) from nf_tables.h
_VERDICTS = {0: "drop", 1: "accept", 2: "stolen", 3: "queue", 4: "repeat", -1: "continue", -2: "break", -5: "return"}
_TO_CHAIN = {-3: "jump", -4: "goto"}

_PROTOCOLS = {value: name for name, value in PROTOCOL_NUMBERS.items()}


def _of_kind(datagrams: Iterable[bytes], kind: int, what: str) -> Iterable[Message]:
    for message in messages(datagrams):
        if message.kind != kind:
            raise unreadable(f"message {message.kind:#x} stands where {what} were asked for")
        yield message


def _family(message: Message) -> str:
    family = _FAMILIES.get(message.family)
    if family is None:
        raise unreadable(f"family {message.family} is unknown")
    return family


# ---- trace --------------------------------------------------------------------------------------


def decode(datagrams: Iterable[bytes]) -> tuple[TraceEvent, ...]:
    """The trace events in the order in which they came."""
    return tuple(_event(message) for message in _of_kind(datagrams, _TRACE, "trace events"))


def _event(message: Message) -> TraceEvent:
    found = attributes(message.body)
    policy = needed(found, _TYPE, 4) == _POLICY_EVENT
    # Shown once per base chain, in its first event: nft_trace_notify, `packet_dumped`.
    network = found.get(_NETWORK)
    shown = None if network is None else read(network, found.get(_TRANSPORT, b""), found.get(_LINK, b""))
    return TraceEvent(
        identity=needed(found, _ID, 4),
        family=_family(message),
        table=text(found, _TABLE),
        chain=text(found, _CHAIN),
        policy=policy,
        handle=number(found, _HANDLE, 8),
        verdict=_verdict(needed(found, _POLICY, 4)) if policy else _rule_verdict(nested(found, _VERDICT)),
        mark=number(found, _MARK, 4) or 0,
        in_interface=number(found, _IN, 4) or 0,
        out_interface=number(found, _OUT, 4) or 0,
        by_loopback=number(found, _IN_TYPE, 2) == _LOOPBACK,
        header=shown.header if shown else None,
        unchanging=shown.unchanging if shown else b"",
    )


def _rule_verdict(found: Attributes) -> str:
    code = needed(found, 1, 4)  # NFTA_VERDICT_CODE
    word = _TO_CHAIN.get(code - 2**32)
    return f"{word} {text(found, 2)}" if word else _verdict(code)


def _verdict(code: int) -> str:
    """The upper bits of a drop or a queue hold an errno or the queue's number (NF_VERDICT_MASK)."""
    word = _VERDICTS.get(code - 2**32 if code >= 2**31 else code & 0xFF)
    if word is None:
        raise unreadable(f"verdict {code:#x} is unknown")
    return word


# ---- rules --------------------------------------------------------------------------------------


def rule_numbers(datagrams: Iterable[bytes]) -> RuleNumbers:
    """From a dump of NFT_MSG_GETRULE: the kernel tells the rules of a chain in their order."""
    numbers: dict[tuple[str, str, str], dict[int, int]] = {}
    for message in _of_kind(datagrams, _NEW_RULE, "rules"):
        found = attributes(message.body)
        chain = numbers.setdefault((_family(message), text(found, 1), text(found, 2)), {})  # NFTA_RULE_TABLE, _CHAIN
        chain[needed(found, 3, 8)] = len(chain) + 1  # NFTA_RULE_HANDLE
    return RuleNumbers(numbers)


# ---- connections --------------------------------------------------------------------------------


def connections(datagrams: Iterable[bytes]) -> tuple[Connection, ...]:
    """From a dump of IPCTNL_MSG_CT_GET, in the kernel's order, which means nothing."""
    return tuple(_connection(message) for message in _of_kind(datagrams, _NEW_CONNECTION, "connections"))


def _connection(message: Message) -> Connection:
    found = attributes(message.body)
    return Connection(
        original=_tuple(nested(found, 1)),  # CTA_TUPLE_ORIG
        reply=_tuple(nested(found, 2)),  # CTA_TUPLE_REPLY
        status=needed(found, 3, 4),  # CTA_STATUS
        mark=number(found, 8, 4) or 0,  # CTA_MARK
    )


def _tuple(found: Attributes) -> Tuple:
    addresses, protocol = nested(found, 1), nested(found, 2)  # CTA_TUPLE_IP, CTA_TUPLE_PROTO
    source_key = 1 if 1 in addresses else 3  # CTA_IP_V4_SRC, CTA_IP_V6_SRC; each one's DST is the next
    value = needed(protocol, 1, 1)  # CTA_PROTO_NUM
    source_port, destination_port = _ports(protocol)
    return (
        _PROTOCOLS.get(value, str(value)),
        _address(addresses, source_key),
        source_port,
        _address(addresses, source_key + 1),
        destination_port,
    )


def _address(found: Attributes, key: int) -> str:
    if len(found.get(key, b"")) not in (4, 16):
        raise unreadable("a connection lacks an address")
    return address(found[key])


def _ports(found: Attributes) -> tuple[int, int]:
    """For ICMP the identifier, and type and code as one number, as `struct nf_conntrack_tuple` lays them."""
    for first in (4, 7):  # CTA_PROTO_ICMP_ID, CTA_PROTO_ICMPV6_ID; then TYPE and CODE
        if first in found:
            return needed(found, first, 2), needed(found, first + 1, 1) << 8 | needed(found, first + 2, 1)
    return number(found, 2, 2) or 0, number(found, 3, 2) or 0  # CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT
