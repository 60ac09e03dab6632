"""Rule: a written walk is a valid pcapng file, by its structure and by the tool that people open it with."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from packetsim import pcapng
from packetsim.trace import Trace
from tests.packetsim import walks


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, body) of every block; the two lengths of each must agree."""
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, length - 4) == (length,)
        yield kind, data[8 : length - 4]
        data = data[length:]


def options(data: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while True:
        code, length = struct.unpack_from("<HH", data)
        if code == 0:
            assert len(data) == 4
            return found
        found.append((code, data[4 : 4 + length]))
        data = data[4 + length + -length % 4 :]


def written(trace: Trace) -> bytes:
    file = io.BytesIO()
    pcapng.write(trace, file)
    return file.getvalue()


def test_every_block_is_whole() -> None:
    kinds = [kind for kind, _ in blocks(written(walks.trace()))]
    assert kinds == [0x0A0D0D0A, 1, 1, 1, 6, 6, 6, 6]


def test_one_interface_for_each_place_of_capture() -> None:
    names = [dict(options(body[8:]))[2] for kind, body in blocks(written(walks.trace())) if kind == 1]
    assert names == [b"shop/client eth0", b"node1 eth0", b"node2 eth0"]


def test_packets_carry_interface_time_frame_comments_and_direction() -> None:
    packets = [body for kind, body in blocks(written(walks.trace())) if kind == 6]
    for moment, (body, capture) in enumerate(zip(packets, walks.captures(), strict=True)):
        interface, high, low, captured, length = struct.unpack_from("<IIIII", body)
        frame = body[20 : 20 + captured]
        assert frame == capture.packet.wire
        assert (interface, high, low, length) == ([0, 1, 2, 1][moment], 0, moment, len(frame))
        told = options(body[20 + captured + -captured % 4 :])
        assert [value.decode() for code, value in told if code == 1] == list(capture.comments)
        assert dict(told)[2] == struct.pack("<I", 1 if capture.direction == "in" else 2)


def test_a_comment_too_long_for_the_format_is_cut() -> None:
    trace = walks.trace()
    capture = replace(walks.captures()[0], comments=("x" * 70_000,))
    long = replace(trace, legs=(replace(trace.legs[0], captures=(capture,)),))
    *_, (kind, body) = blocks(written(long))
    assert kind == 6
    assert b"x" * 65535 in body


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_it_back(tmp_path: Path) -> None:
    file = tmp_path / "walk.pcapng"
    file.write_bytes(written(walks.trace()))
    fields = ["frame.interface_name", "frame.comment", "ip.dst", "tcp.dstport", "frame.packet_flags_direction"]
    asked = [word for field in fields for word in ("-e", field)]
    command = ["tshark", "-r", str(file), "-T", "fields", "-E", "separator=|", "-E", "occurrence=f", *asked]
    rows = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    first, second, *_ = [row.split("|") for row in rows]
    assert [first[0], *first[2:4]] == ["shop/client eth0", "10.96.100.10", "80"]
    assert second[:4] == ["node1 eth0", walks.captures()[1].comments[0], "10.244.2.2", "8080"]
    assert len(rows) == 4
