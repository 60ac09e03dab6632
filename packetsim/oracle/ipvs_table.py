"""Rule: /proc/net/ip_vs_conn is read into the rows that `ipvsadm -Lcn` makes of it, expiry left out.

net/netfilter/ipvs/ip_vs_conn.c, ip_vs_conn_seq_show (Linux 6.1): addresses and ports in hexadecimal for
IPv4, IPv6 addresses in full.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from packetsim.addresses import with_port
from packetsim.errors import OracleError


def connections(text: str) -> frozenset[str]:
    """The rows without their title: `TCP ESTABLISHED 10.244.1.9:40001 10.96.0.10:80 10.244.1.5:8080`."""
    return frozenset(_row(line) for line in text.splitlines()[1:] if line.strip())


def _row(line: str) -> str:
    words = line.split()
    if len(words) < 9:
        raise OracleError(f"/proc/net/ip_vs_conn has a row that is not understood: {line.strip()!r}")
    protocol, client, client_port, virtual, virtual_port, real, real_port, state = words[:8]
    ends = ((client, client_port), (virtual, virtual_port), (real, real_port))
    return " ".join((protocol, state, *(with_port(_address(address), int(port, 16)) for address, port in ends)))


def _address(text: str) -> str:
    """`0AF40109`, or `[fd00:0000:…]`."""
    if len(text) == 8 and ":" not in text:
        return str(IPv4Address(int(text, 16)))
    return str(IPv6Address(text.strip("[]")))
