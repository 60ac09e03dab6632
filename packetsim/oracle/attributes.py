"""Rule: netlink bytes become messages and attributes here, and nobody else counts their lengths.

Layout from include/uapi/linux/netlink.h and include/uapi/linux/netfilter/nfnetlink.h (Linux 6.1 to 6.18):
lengths and types in the machine's order (little-endian, as both our kernels are), values of netfilter
in network order. Attributes that nobody asks for are passed over: newer kernels add some.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from packetsim.errors import OracleError

_NLMSG_NOOP, _NLMSG_ERROR, _NLMSG_DONE, _NLMSG_OVERRUN = 1, 2, 3, 4
_NLM_F_DUMP_INTR = 0x10
_TYPE_MASK = 0x3FFF  # less NLA_F_NESTED and NLA_F_NET_BYTEORDER
_MESSAGE = struct.Struct("<IHHII")  # nlmsghdr
_NFGENMSG = 4
_ATTRIBUTE = struct.Struct("<HH")  # nlattr

Attributes = dict[int, bytes]


class Message(NamedTuple):
    """`kind`: subsystem and message in one number, as in nlmsg_type. `family`: nfgen_family."""

    kind: int
    family: int
    body: bytes


def unreadable(why: str) -> OracleError:
    return OracleError(
        f"A message of the judging kernel cannot be read: {why}. "
        "Compare again; if it stays, judge with Linux 6.1 to 6.18, whose formats are known here."
    )


def lost(why: str) -> OracleError:
    return OracleError(
        f"Messages of the judging kernel were lost: {why}. Compare again, with fewer flows at once or a bigger buffer."
    )


def messages(datagrams: Iterable[bytes]) -> Iterator[Message]:
    """Every nfnetlink message, of datagrams that hold one or several. What ends a dump is checked and left out."""
    for datagram in datagrams:
        start = 0
        while start < len(datagram):
            end = _end(datagram, start, _MESSAGE.size)
            _, kind, flags, _, _ = _MESSAGE.unpack_from(datagram, start)
            if flags & _NLM_F_DUMP_INTR:
                raise lost("its tables changed while they were dumped")
            content = datagram[start + _MESSAGE.size : end]
            if kind > _NLMSG_OVERRUN:
                if len(content) < _NFGENMSG:
                    raise unreadable("it ends before its nfgenmsg")
                yield Message(kind, content[0], content[_NFGENMSG:])
            else:
                _check_control(kind, content)
            start = end + (-end & 3)


def _check_control(kind: int, content: bytes) -> None:
    if kind == _NLMSG_OVERRUN:
        raise lost("it sent more than was read in time")
    if kind in (_NLMSG_ERROR, _NLMSG_DONE):
        error = int.from_bytes(content[:4], "little", signed=True)
        if error:
            raise OracleError(f"The judging kernel refused a dump with errno {-error}. Give the guest CAP_NET_ADMIN.")


def attributes(body: bytes) -> Attributes:
    """Attribute type -> its bytes."""
    found: Attributes = {}
    start, length = 0, len(body)
    while start < length:
        end = _end(body, start, _ATTRIBUTE.size, 2)
        found[int.from_bytes(body[start + 2 : start + 4], "little") & _TYPE_MASK] = body[start + 4 : end]
        start = end + (-end & 3)
    return found


def _end(data: bytes, start: int, header: int, width: int = 4) -> int:
    """Where what begins at `start` ends, by the length that opens it."""
    size = int.from_bytes(data[start : start + width], "little")
    if size < header or start + size > len(data):
        raise unreadable(f"{size} bytes are announced where {len(data) - start} are left")
    return start + size


def number(found: Attributes, key: int, size: int) -> int | None:
    """An unsigned value of `size` bytes in network order; None where the kernel left the attribute out."""
    value = found.get(key)
    if value is None:
        return None
    if len(value) != size:
        raise unreadable(f"attribute {key} has {len(value)} bytes and not {size}")
    return int.from_bytes(value, "big")


def needed(found: Attributes, key: int, size: int) -> int:
    value = number(found, key, size)
    if value is None:
        raise unreadable(f"attribute {key} is missing")
    return value


def text(found: Attributes, key: int) -> str:
    """A name, which ends with a zero byte."""
    value = found.get(key)
    if value is None:
        raise unreadable(f"attribute {key} is missing")
    try:
        return value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise unreadable(f"attribute {key} is no text") from None


def nested(found: Attributes, key: int) -> Attributes:
    value = found.get(key)
    if value is None:
        raise unreadable(f"attribute {key} is missing")
    return attributes(value)
