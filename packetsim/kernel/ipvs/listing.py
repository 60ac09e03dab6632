"""Rule: the listings read as ipvsadm 1.31 prints them, sorted as it sorts.

The connection table has no order of its own here; rows come oldest first.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key

from packetsim.addresses import family_of, number_of, with_port
from packetsim.kernel.ipvs.connections import Connection, ConnectionTable, Template
from packetsim.kernel.ipvs.model import VirtualKey
from packetsim.kernel.ipvs.servers import LiveReal, LiveServer
from packetsim.kernel.ipvs.text import mask_text
from packetsim.protocols import PROTOCOL_NUMBERS

_TITLE = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
"""


def list_servers(servers: Iterable[LiveServer]) -> str:
    """`ipvsadm -Ln`."""
    lines: list[str] = []
    for server in sorted(servers, key=lambda server: _place_of(server.spec.key)):
        lines.append(_server_row(server))
        reals = sorted(server.reals.values(), key=lambda real: (_SIGNED(real.key[0]), real.key[1]))
        lines.extend(_real_row(real) for real in reals)
    return _TITLE + "".join(f"{line}\n" for line in lines)


def list_connections(table: ConnectionTable, now: float) -> str:
    """`ipvsadm -Lnc`."""
    entries: list[Connection | Template] = [*table.requests.values(), *table.templates.values()]
    rows = [_row("pro", "expire", "state", "source", "virtual", "destination")]
    rows.extend(_entry_row(entry, now) for entry in sorted(entries, key=lambda entry: entry.serial))
    return "IPVS connection entries\n" + "".join(f"{row}\n" for row in rows)


def _server_row(server: LiveServer) -> str:
    spec = server.spec
    row = f"{spec.protocol.upper():<4} {spec.text} {spec.scheduler}"
    if spec.flags:
        row += f" ({','.join(spec.flags)})"
    if spec.persistence is not None:
        row += f" persistent {spec.persistence}"
        row += f" mask {mask_text(spec)}" if spec.netmask is not None else ""
    return row


def _real_row(real: LiveReal) -> str:
    return f"  -> {real.text:<28} {'Masq':<7} {real.weight:<6} {real.active:<10} {real.inactive:<10}"


def _entry_row(entry: Connection | Template, now: float) -> str:
    left = max(0, int(entry.expires - now))
    expire = f"{left // 60:02}:{left % 60:02}"
    if isinstance(entry, Connection):
        texts = (entry.client_text, entry.virtual_text, entry.real_text)
        return _row(entry.protocol.upper(), expire, entry.state, *texts)
    protocol, client, virtual, port = entry.key
    address, real_port = entry.real
    texts = (with_port(client, 0), with_port(virtual, port), with_port(address, real_port if port else 0))
    return _row(protocol.upper(), expire, "ASSURED" if entry.assured else "NONE", *texts)


def _row(protocol: str, expire: str, state: str, source: str, virtual: str, destination: str) -> str:
    return f"{protocol:<3} {expire:<6} {state:<11} {source:<18} {virtual:<18} {destination}"


def _compare(one: str, other: str) -> int:
    """libipvs: 32-bit words are subtracted and the result is read with a sign, so far apart wraps round."""
    shift = 0 if family_of(one) == 4 else 96
    while shift >= 0:
        word, other_word = number_of(one) >> shift & 0xFFFFFFFF, number_of(other) >> shift & 0xFFFFFFFF
        if word != other_word:
            return -1 if (word - other_word) % 2**32 >= 2**31 else 1
        shift -= 32
    return 0


_SIGNED = cmp_to_key(_compare)


def _place_of(key: VirtualKey) -> tuple[int, int, object, int]:
    protocol, address, port = key
    return family_of(address), PROTOCOL_NUMBERS[protocol], _SIGNED(address), port
