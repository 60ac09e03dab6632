"""Rule: which port the userspace proxy listens on for a service port is settled here.

The real one is the kernel's ephemeral choice, or a random start in `proxyPortRange`
(pkg/proxy/userspace/port_allocator.go, Kubernetes 1.25). Ours is a hash of the service port, so
that it is the same every time; what is taken already is passed over, upwards and round.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from packetsim.errors import PacketsimError

EPHEMERAL = range(32768, 61000)  # net.ipv4.ip_local_port_range


def port_range(text: str) -> range:
    """`proxyPortRange` as k8s.io/apimachinery reads it: N, N-M or N+MORE; "" and 0 leave it to the kernel."""
    first, dash, last = text.partition("-")
    base, plus, more = text.partition("+")
    numbers = (first, last) if dash else (base, more) if plus else (text, "0")
    if text in ("", "0", "0-0"):
        return EPHEMERAL
    if all(one.isascii() and one.isdigit() for one in numbers):
        low, other = (int(one) for one in numbers)
        high = other if dash else low + other
        if 0 < low <= high < 65536:
            return range(low, high + 1)
    raise PacketsimError(f"proxyPortRange {text!r} is no range of ports: write it like 40000-40999.")


def proxy_ports(names: Iterable[str], ports: range, taken: Iterable[int]) -> dict[str, int]:
    """A port for each name, none of them `taken`; names for which no port is left are missing."""
    free = dict.fromkeys(ports)
    for number in taken:
        free.pop(number, None)
    chosen: dict[str, int] = {}
    for name in names:
        if not free:
            break
        place = int.from_bytes(sha256(name.encode()).digest()[:8]) % len(ports)
        while ports[place] not in free:
            place = (place + 1) % len(ports)
        del free[ports[place]]
        chosen[name] = ports[place]
    return chosen
