"""Rule: reads what `packetsim.oracle.archive` writes, by the format's description alone."""

from __future__ import annotations


def unpacked(data: bytes) -> dict[str, bytes]:
    """The name of each entry of one archive -> its content, behind its mode where it is not a plain file."""
    found: dict[str, bytes] = {}
    while True:
        assert data[:6] == b"070701"
        fields = [int(data[start : start + 8], 16) for start in range(6, 110, 8)]
        mode, owner, group, size, length = (fields[at] for at in (1, 2, 3, 6, 11))
        assert (owner, group) == (0, 0)
        name = data[110 : 110 + length - 1].decode()
        if name == "TRAILER!!!":
            return found
        begin = 110 + length + -(110 + length) % 4
        content = data[begin : begin + size]
        found[name] = content if mode == 0o100644 else f"{mode:o} ".encode() + content
        data = data[begin + size + -size % 4 :]
