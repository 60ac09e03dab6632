"""Rule: how a socket must be made so that the kernel tells all and says nothing of its own accord.

Numbers from include/uapi/linux/{in,in6,sctp,errqueue}.h, which Python's socket module lacks.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

_RECEIVE_ERRORS = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}  # IP_RECVERR
_PACKET_INFO = {socket.AF_INET: (socket.IPPROTO_IP, 8), socket.AF_INET6: (socket.IPPROTO_IPV6, 50)}  # IP_PKTINFO
_TELL_PACKET_INFO = {socket.AF_INET: (socket.IPPROTO_IP, 8), socket.AF_INET6: (socket.IPPROTO_IPV6, 49)}
_KINDS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, 132),
}
_SCTP_LEVEL, _SCTP_PATIENCE, _SCTP_PATHS = 132, 0, 9  # SCTP_RTOINFO, SCTP_PEER_ADDR_PARAMS
_NOT_AGAIN = struct.pack("=iIII", 0, 3_600_000, 3_600_000, 1000)  # struct sctp_rtoinfo: sent again after an hour
_NO_HEARTBEATS = struct.pack("=i128sIHIII2x", 0, b"", 0, 0, 0, 0, 2)  # struct sctp_paddrparams with SPP_HB_DISABLE
_ABORT = struct.pack("ii", 1, 0)  # struct linger: close by RST or ABORT, at once
_DATAGRAM = 2048
BACKLOG = 256


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def make(protocol: str, family: socket.AddressFamily) -> socket.socket:
    """Of the calling thread's namespace. It never blocks, and ends without ceremony."""
    made = socket.socket(family, *_KINDS[protocol])
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if protocol != "udp":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    if protocol == "sctp":
        made.setsockopt(_SCTP_LEVEL, _SCTP_PATIENCE, _NOT_AGAIN)
        made.setsockopt(_SCTP_LEVEL, _SCTP_PATHS, _NO_HEARTBEATS)
    return made


def listening(protocol: str, address: str, port: int, tells_destination: bool = False) -> socket.socket:
    """`tells_destination`: each datagram comes with the address it was for."""
    family = family_of(address)
    made = make(protocol, family)
    try:
        if tells_destination:
            made.setsockopt(*_TELL_PACKET_INFO[family], 1)
        made.bind((address, port))
        if protocol != "udp":
            made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


class Datagram(NamedTuple):
    """Who sent it, the address it was for, and the control message that sends an answer from there."""

    peer: tuple[str, int]
    destination: str
    from_there: bytes


def receive(server: socket.socket) -> Datagram:
    _, controls, _, peer = server.recvmsg(_DATAGRAM, 256)
    wanted = _PACKET_INFO[server.family]
    info = next(value for *kind, value in controls if tuple(kind) == wanted)
    sender = (peer[0], peer[1])
    if server.family == socket.AF_INET6:  # struct in6_pktinfo: address, interface
        return Datagram(sender, socket.inet_ntop(socket.AF_INET6, info[:16]), info[:16] + bytes(4))
    # struct in_pktinfo: interface, address to send from, address it was for
    return Datagram(sender, socket.inet_ntop(socket.AF_INET, info[8:12]), bytes(4) + info[8:12] + bytes(4))


def answer(server: socket.socket, data: bytes, asked: Datagram) -> None:
    server.sendmsg([data], [(*_PACKET_INFO[server.family], asked.from_there)], 0, asked.peer)


def tell_errors(asking: socket.socket) -> None:
    """ICMP errors of every kind, also those that come while the socket is busy sending (ip_icmp_error)."""
    asking.setsockopt(*_RECEIVE_ERRORS[asking.family], 1)


def trouble(asking: socket.socket) -> int:
    """The errno that the kernel holds ready, of the socket or of its queue of ICMP errors; 0 for none.

    SO_ERROR tells of soft errors as well: ICMP errors that came while the socket was busy (sk_getsockopt).
    """
    pending = asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if pending:
        return pending
    try:
        _, controls, _, _ = asking.recvmsg(_DATAGRAM, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return 0
    level, kind = _RECEIVE_ERRORS[asking.family]
    errors = (struct.unpack_from("=I", value)[0] for *where, value in controls if where == [level, kind])
    return next((int(error) for error in errors), 0)  # ee_errno opens struct sock_extended_err


def source_for(destination: str, port: int) -> str:
    """The address that this namespace's kernel would send from."""
    with socket.socket(family_of(destination), socket.SOCK_DGRAM) as scout:
        scout.connect((destination, port))
        return str(scout.getsockname()[0])
