"""Rule: every packet is traced from where it comes in or is made, by a table of the judge's own; the host decodes.

What neighbours and multicast groups say to each other is left untraced: it belongs to no flow.
Numbers from include/uapi/linux/netfilter/nf_tables.h (Linux 6.1).
"""

from __future__ import annotations

import select
import struct
from collections.abc import Iterable, Iterator

from .faults import GuestError
from .netlink import ACKNOWLEDGE, CREATE, NFTABLES, TRACE_GROUP, Netfilter, attribute, message, name, nested, number

TABLE = "judge"
PRIORITY = -301  # just before raw, the first of all tables
ARRIVAL_PRIORITY = 0
_INET = 1  # NFPROTO_INET
_NEW_TABLE, _DELETE_TABLE, _NEW_CHAIN, _NEW_RULE = (NFTABLES << 8 | kind for kind in (0, 2, 3, 6))
_PREROUTING, _INPUT, _OUTPUT = 0, 1, 3  # NF_INET_…
_TRACED = (6, 17, 132, 1)  # TCP, UDP, SCTP, ICMP
_ICMPV6 = 58
_LAST_ICMPV6_ERROR = 4  # RFC 4443: destination unreachable, packet too big, time exceeded, parameter problem
_REGISTER = 1  # NFT_REG_1
_META_TRACE, _META_PROTOCOL = 12, 16  # NFT_META_NFTRACE, NFT_META_L4PROTO
_EQUAL, _AT_MOST = 0, 3  # NFT_CMP_…
_TRANSPORT = 2  # NFT_PAYLOAD_TRANSPORT_HEADER


def judges_table(arrivals: bool) -> list[bytes]:
    """The changes that make `table inet judge`. `arrivals`: what is delivered here is told as well."""
    made = [message(_NEW_TABLE, CREATE | ACKNOWLEDGE, _INET, name(1, TABLE))]
    for chain, hook in (("prerouting", _PREROUTING), ("output", _OUTPUT)):
        made.append(_chain(chain, hook, PRIORITY))
        made += [_rule(chain, _is_protocol(protocol)) for protocol in _TRACED]
        made.append(_rule(chain, [*_is_protocol(_ICMPV6), *_is_icmpv6_error()]))
    if arrivals:
        made.append(_chain("input", _INPUT, ARRIVAL_PRIORITY))
    return made


def no_tables() -> list[bytes]:
    """What `nft flush ruleset` sends: a table without a name stands for all."""
    return [message(_DELETE_TABLE, ACKNOWLEDGE, 0)]


def _chain(chain: str, hook: int, priority: int) -> bytes:
    hooked = nested(4, number(1, hook), number(2, priority))
    return message(
        _NEW_CHAIN, CREATE | ACKNOWLEDGE, _INET, name(1, TABLE) + name(3, chain) + hooked + name(7, "filter")
    )


def _rule(chain: str, matches: list[bytes]) -> bytes:
    """`… meta nftrace set 1`"""
    one = _expression("immediate", number(1, _REGISTER), nested(2, attribute(1, b"\x01")))
    trace = _expression("meta", number(2, _META_TRACE), number(3, _REGISTER))
    expressions = nested(4, *matches, one, trace)
    body = name(1, TABLE) + name(2, chain) + expressions
    return message(_NEW_RULE, CREATE | ACKNOWLEDGE | 0x800, _INET, body)  # NLM_F_APPEND


def _is_protocol(protocol: int) -> list[bytes]:
    load = _expression("meta", number(2, _META_PROTOCOL), number(1, _REGISTER))
    return [load, _compare(_EQUAL, protocol)]


def _is_icmpv6_error() -> list[bytes]:
    load = _expression("payload", number(1, _REGISTER), number(2, _TRANSPORT), number(3, 0), number(4, 1))
    return [load, _compare(_AT_MOST, _LAST_ICMPV6_ERROR)]


def _compare(how: int, value: int) -> bytes:
    return _expression("cmp", number(1, _REGISTER), number(2, how), nested(3, attribute(1, struct.pack("B", value))))


def _expression(kind: str, *attributes: bytes) -> bytes:
    return nested(1, name(1, kind), nested(2, *attributes))


class Traces:
    """What the kernel tells of each namespace's packets, from when `listen` was called in it."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._sockets: dict[int, tuple[str, Netfilter]] = {}

    def listen(self, code: str) -> None:
        """Of the namespace that the calling thread is in."""
        netfilter = Netfilter(1 << (TRACE_GROUP - 1))
        self._sockets[netfilter.fileno()] = code, netfilter
        self._poll.register(netfilter, select.EPOLLIN)

    def drain(self) -> Iterator[tuple[str, list[bytes]]]:
        """What has come since the last time, for each namespace that has something to tell."""
        for descriptor, _ in self._poll.poll(0, max(1, len(self._sockets))):
            code, netfilter = self._sockets[descriptor]
            try:
                yield code, list(netfilter.waiting())
            except GuestError as error:
                raise GuestError(f"{code}: {error}") from None

    def discard(self) -> None:
        """What has come so far belongs to nothing that is asked about."""
        for descriptor, _ in self._poll.poll(0, max(1, len(self._sockets))):
            _discard(self._sockets[descriptor][1])

    def close(self) -> None:
        for _, netfilter in self._sockets.values():
            netfilter.close()
        self._sockets.clear()
        self._poll.close()


def _discard(netfilter: Netfilter) -> None:
    try:
        _consume(netfilter.waiting())
    except GuestError:  # whatever was lost was not wanted; the error is told once
        _consume(netfilter.waiting())


def _consume(datagrams: Iterable[bytes]) -> None:
    for _ in datagrams:
        pass
