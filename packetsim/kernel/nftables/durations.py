"""Rule: nft writes times as `1d2h3m4s5ms`, largest unit first, empty units left out (time_print, nft 1.0.6)."""

from __future__ import annotations

import re

from packetsim.kernel.nftables.datatypes import RefusedError

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
_WHOLE = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?")


def duration(seconds: float) -> str:
    left = round(seconds * 1000)
    text = ""
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def seconds_of(text: str) -> float:
    found = _WHOLE.fullmatch(text)
    if found is None:
        raise RefusedError(f'"{text}" is no time; write it as nft does, like 1h30m')
    sizes = (size for _, size in _UNITS)
    return sum(int(count or 0) * size for count, size in zip(found.groups(), sizes, strict=True)) / 1000
