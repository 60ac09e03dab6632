"""Rule: netfilter is asked and told over raw netlink, so that no process is started for a flow; decoding is the host's.

Layouts from include/uapi/linux/netlink.h and netfilter/nfnetlink.h (Linux 6.1): the header in the
machine's order, netfilter's own values in network order.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Iterator

from .faults import GuestError, errno_name

NFTABLES, CONNTRACK = 10, 1  # NFNL_SUBSYS_…
GET_RULE = NFTABLES << 8 | 7  # NFT_MSG_GETRULE
_GET_CONNECTION = CONNTRACK << 8 | 1  # IPCTNL_MSG_CT_GET
_DELETE_CONNECTION = CONNTRACK << 8 | 2  # IPCTNL_MSG_CT_DELETE
TRACE_GROUP = 9  # NFNLGRP_NFTRACE
REQUEST, ACKNOWLEDGE, CREATE = 1, 4, 0x400  # NLM_F_…
_DUMP, _INTERRUPTED = 0x300, 0x10
_ERROR, _DONE = 2, 3  # NLMSG_…
_BATCH_BEGIN, _BATCH_END = 16, 17  # NFNL_MSG_BATCH_…
_NETFILTER = 12  # NETLINK_NETFILTER; Python's socket module may lack it
_HEADER = struct.Struct("=IHHII")
_LONGEST = 1 << 18  # of a datagram
_BUFFER = 1 << 24
_ATTEMPTS = 10  # at a dump that changes meanwhile
_WAIT = 10.0
SO_RCVBUFFORCE = 33


def attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + bytes(-size & 3)


def nested(kind: int, *attributes: bytes) -> bytes:
    return attribute(kind | 0x8000, b"".join(attributes))  # NLA_F_NESTED


def name(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("!I", value & 0xFFFFFFFF))


def message(kind: int, flags: int, family: int, body: bytes = b"", resource: int = 0, sequence: int = 1) -> bytes:
    content = struct.pack("!BBH", family, 0, resource) + body
    return _HEADER.pack(_HEADER.size + len(content), kind, REQUEST | flags, sequence, 0) + content


class Netfilter:
    """A netlink socket of the namespace that the calling thread is in. One of a group only listens, and never waits."""

    def __init__(self, groups: int = 0) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER)
        except PermissionError:  # root of a user namespace, on kernels that ask for more
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.settimeout(0 if groups else _WAIT)
        self._socket.bind((0, groups))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def dump(self, kind: int) -> list[bytes]:
        """The datagrams that answer, in order; asked again when the kernel says that what it told had changed."""
        for _ in range(_ATTEMPTS):
            self._socket.send(message(kind, _DUMP, socket.AF_UNSPEC))
            datagrams = list(self._until_done())
            if not any(flags & _INTERRUPTED for each in datagrams for _, flags, _ in split(each)):
                return datagrams
        raise GuestError("netfilter's tables changed during every attempt to read them")

    def _until_done(self) -> Iterator[bytes]:
        while True:
            datagram = self._socket.recv(_LONGEST)
            yield datagram
            for kind, _, content in split(datagram):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise _refused(content)

    def connections(self) -> list[bytes]:
        """conntrack's entries, a message each."""
        kind = CONNTRACK << 8  # IPCTNL_MSG_CT_NEW
        return [each for datagram in self.dump(_GET_CONNECTION) for each in whole(datagram, kind)]

    def forget_connections(self) -> None:
        """Without any attribute, every entry of this namespace goes (ctnetlink_del_conntrack)."""
        self._socket.send(message(_DELETE_CONNECTION, ACKNOWLEDGE, socket.AF_UNSPEC))
        self._acknowledged(1)

    def change_tables(self, messages: Iterable[bytes]) -> None:
        """All these changes of nf_tables or none. Each asks for an acknowledgement."""
        given = list(messages)
        begin = message(_BATCH_BEGIN, 0, socket.AF_UNSPEC, resource=NFTABLES)
        end = message(_BATCH_END, 0, socket.AF_UNSPEC, resource=NFTABLES)
        self._socket.send(b"".join((begin, *given, end)))
        self._acknowledged(len(given))

    def _acknowledged(self, count: int) -> None:
        while count > 0:
            for kind, _, content in split(self._socket.recv(_LONGEST)):
                if kind == _ERROR:
                    if content[:4] != bytes(4):
                        raise _refused(content)
                    count -= 1

    def waiting(self) -> Iterator[bytes]:
        """What has come so far, a datagram each."""
        while True:
            try:
                yield self._socket.recv(_LONGEST)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    raise GuestError("trace events were lost, since more came than the buffer holds") from None
                raise


def _refused(content: bytes) -> GuestError:
    code = -int.from_bytes(content[:4], "little", signed=True)
    return GuestError(f"the kernel refused a request to netfilter: {errno_name(code)}")


def split(datagram: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The messages of a datagram: (type, flags, content)."""
    start = 0
    while start + _HEADER.size <= len(datagram):
        size, kind, flags, _, _ = _HEADER.unpack_from(datagram, start)
        yield kind, flags, datagram[start + _HEADER.size : start + size]
        start += max(_HEADER.size, (size + 3) & ~3)


def whole(datagram: bytes, wanted: int) -> Iterator[bytes]:
    """The messages of this type with their headers."""
    start = 0
    while start + _HEADER.size <= len(datagram):
        size, kind, *_ = _HEADER.unpack_from(datagram, start)
        if kind == wanted:
            yield datagram[start : start + size]
        start += max(_HEADER.size, (size + 3) & ~3)
