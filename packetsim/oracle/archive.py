"""Rule: a folder becomes a cpio archive that the kernel unpacks as its first root; nothing is read but the folder.

The format is "newc" (Linux Documentation/driver-api/early-userspace/buffer-format.rst): archives may follow one
another in one file, each begins at a multiple of 4, and what a later one holds is added to what is there.
Everything belongs to root and is of the year 1970, so that the same folder always makes the same bytes.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Protocol

END = "TRAILER!!!"
BLOCK = 512  # an archive is filled up to a multiple of this


class Writable(Protocol):
    def write(self, data: bytes, /) -> int: ...


def write_archive(folder: Path, out: Writable) -> None:
    """The archive of all that is in `folder`, written to `out`."""
    written = 0
    for number, path in enumerate(sorted(folder.rglob("*")), start=1):
        mode = path.lstat().st_mode
        written += out.write(_record(number, str(path.relative_to(folder)), _plain(mode), _content(path, mode)))
    written += out.write(_record(0, END, 0, b""))
    out.write(bytes(-written % BLOCK))


def _plain(mode: int) -> int:
    """Type and permissions, without the write permission of others that a umask may have left."""
    return mode if stat.S_ISLNK(mode) else stat.S_IFMT(mode) | (mode & 0o111) | 0o644


def _content(path: Path, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return str(path.readlink()).encode()
    return path.read_bytes() if stat.S_ISREG(mode) else b""


def _record(number: int, name: str, mode: int, content: bytes) -> bytes:
    """One file: inode, mode, owner, group, links, time, size, four device numbers, length of the name, no checksum."""
    label = name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (number, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(label), 0)
    head = "070701" + "".join(f"{field:08x}" for field in fields)
    return _filled(head.encode() + label) + _filled(content)


def _filled(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
