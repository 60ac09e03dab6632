"""Rule: a walk as a capture file: one interface per place of capture, the matched rules as packet comments.

The blocks are those of draft-ietf-opsawg-pcapng. scapy's own writer cannot name every interface
(its first is always nameless), so the blocks are packed here; the frames are scapy's.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

from packetsim.trace import Capture, Trace

SECTION_HEADER, INTERFACE_DESCRIPTION, ENHANCED_PACKET = 0x0A0D0D0A, 1, 6
BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET = 1
COMMENT, SHB_USERAPPL, IF_NAME, IF_TSRESOL, EPB_FLAGS = 1, 4, 2, 9, 2
DIRECTIONS = {"in": 1, "out": 2}
LONGEST_OPTION = 0xFFFF  # an option's length is 16 bits

Option = tuple[int, bytes]


def write(trace: Trace, file: BinaryIO) -> None:
    """Write every capture of the trace, in order, one microsecond apart, starting at 0."""
    captures = [capture for leg in trace.legs for capture in leg.captures]
    interfaces = {name: number for number, name in enumerate(dict.fromkeys(map(interface_name, captures)))}
    file.write(_section_header())
    for name in interfaces:
        file.write(_interface(name))
    for moment, capture in enumerate(captures):
        file.write(_packet(capture, interfaces[interface_name(capture)], moment))


def interface_name(capture: Capture) -> str:
    """`node1 eth0`."""
    return f"{capture.place} {capture.interface}"


def _section_header() -> bytes:
    body = struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1)  # version 1.0, length not given
    return _block(SECTION_HEADER, body, [(SHB_USERAPPL, b"packetsim")])


def _interface(name: str) -> bytes:
    body = struct.pack("<HHI", LINKTYPE_ETHERNET, 0, 0)  # no limit on a packet's length
    return _block(INTERFACE_DESCRIPTION, body, [(IF_NAME, name.encode()), (IF_TSRESOL, b"\x06")])


def _packet(capture: Capture, interface: int, moment: int) -> bytes:
    frame = capture.packet.wire
    head = struct.pack("<IIIII", interface, moment >> 32, moment & 0xFFFFFFFF, len(frame), len(frame))
    options = [(COMMENT, comment.encode()) for comment in capture.comments]
    options.append((EPB_FLAGS, struct.pack("<I", DIRECTIONS[capture.direction])))
    return _block(ENHANCED_PACKET, head + _padded(frame), options)


def _block(kind: int, body: bytes, options: list[Option]) -> bytes:
    body += b"".join(_option(code, value) for code, value in options) + bytes(4)  # opt_endofopt
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _option(code: int, value: bytes) -> bytes:
    value = value[:LONGEST_OPTION]
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
