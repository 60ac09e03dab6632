"""Netlink messages as a kernel writes them, for tests."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from packetsim.packet import Packet

TRACE, NEW_RULE, NEW_CONNECTION = 10 << 8 | 17, 10 << 8 | 6, 1 << 8
DONE, ERROR, OVERRUN = 3, 2, 4
IPV4, IPV6, INET = 2, 10, 1
CAPTURED = Path(__file__).parent / "captured"


def captured(name: str) -> dict[str, list[bytes]]:
    """What Linux 6.18 sent: `events`, `rules` and `connections`."""
    lines: dict[str, list[str]] = json.loads((CAPTURED / f"{name}.json").read_text())
    return {kind: [bytes.fromhex(line) for line in found] for kind, found in lines.items()}


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def message(kind: int, family: int, found: Mapping[int, bytes], flags: int = 0) -> bytes:
    return raw(kind, bytes((family, 0, 0, 0)) + b"".join(attribute(*one) for one in found.items()), flags)


def raw(kind: int, content: bytes, flags: int = 0) -> bytes:
    return struct.pack("<IHHII", 16 + len(content), kind, flags, 0, 0) + content


def rule(family: int, table: str, chain: str, handle: int) -> bytes:
    found = {1: table.encode() + b"\0", 2: chain.encode() + b"\0", 3: handle.to_bytes(8, "big"), 4: b"what it does"}
    return message(NEW_RULE, family, found)


def event(found: Mapping[int, bytes], packet: Packet | None = None, family: int = IPV4) -> bytes:
    """A trace event of rule 7 of `ip nat OUTPUT`, which accepts; `found` says otherwise."""
    usual = {
        1: b"nat\0",
        2: b"OUTPUT\0",
        3: (7).to_bytes(8, "big"),
        4: (3).to_bytes(4, "big"),
        5: attribute(1, (1).to_bytes(4, "big")),
        6: b"\1\2\3\4",
    }
    if packet is not None:
        network, transport, link = layers(packet)
        usual |= {7: link, 8: network, 9: transport}
    return message(TRACE, family, {**usual, **found})


def layers(packet: Packet) -> tuple[bytes, bytes, bytes]:
    """(network, transport, link) header, each as far as a trace event shows it."""
    wire = packet.wire
    end = 14 + (40 if packet.family == 6 else 20)
    return wire[14:end], wire[end : end + 20], wire[:14]
