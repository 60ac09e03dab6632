"""Rule: connection states move exactly as in the kernel's tables; a state not listed stays as it is.

ip_vs_proto_tcp.c (tcp_states, masquerading: both directions are seen), ip_vs_proto_udp.c and
ip_vs_proto_sctp.c, Linux 4.19 on. Timeouts are the defaults that `ipvsadm --set` would change.
"""

from __future__ import annotations

from functools import lru_cache

from packetsim.packet import Packet

Moves = dict[str, str]

FIRST = {"tcp": "NONE", "udp": "UDP", "sctp": "NONE"}
ESTABLISHED = "ESTABLISHED"

# Seconds an entry lives after its last packet. An SCTP handshake step has 61 (RTO maximum and one).
TIMEOUTS: dict[str, dict[str, int]] = {
    "tcp": {
        "ESTABLISHED": 900,
        "SYN_SENT": 120,
        "SYN_RECV": 60,
        "FIN_WAIT": 120,
        "TIME_WAIT": 120,
        "CLOSE": 10,
        "CLOSE_WAIT": 60,
        "LAST_ACK": 30,
    },
    "udp": {"UDP": 300},
    "sctp": {
        "INIT1": 4,
        "INIT": 61,
        "C-SENT": 61,
        "C-REPLIED": 61,
        "C-WAIT": 61,
        "COOKIE": 61,
        "C-ECHOED": 61,
        "ESTABLISHED": 900,
        "REJECTED": 4,
        "CLOSED": 61,
    },
}

# States that count as active (tcp_state_active_table; for SCTP only ESTABLISHED; UDP never).
ACTIVE: dict[str, frozenset[str]] = {
    "tcp": frozenset({"ESTABLISHED", "SYN_SENT", "SYN_RECV"}),
    "udp": frozenset(),
    "sctp": frozenset({"ESTABLISHED"}),
}

# A new connection may take over an entry in one of these (is_new_conn_expected, conn_reuse_mode 1).
REUSABLE: dict[str, frozenset[str]] = {
    "tcp": frozenset({"TIME_WAIT", "CLOSE"}),
    "udp": frozenset(),
    "sctp": frozenset({"CLOSED"}),
}


def _moves(**to: str) -> Moves:
    """`_moves(CLOSE="NONE FIN_WAIT")`: from either of the two to CLOSE. `_` stands for the `-` of SCTP's names."""
    return {state: target for target, states in to.items() for state in states.split()}


def _sctp(moves: Moves) -> Moves:
    return {state: target.replace("C_", "C-") for state, target in moves.items()}


_TCP_FROM_CLIENT: dict[str, Moves] = {
    "syn": _moves(ESTABLISHED="SYN_SENT", SYN_RECV="NONE FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK"),
    "fin": _moves(CLOSE="NONE", CLOSE_WAIT="ESTABLISHED", TIME_WAIT="SYN_RECV FIN_WAIT"),
    "ack": _moves(ESTABLISHED="NONE SYN_RECV", CLOSE="LAST_ACK"),
    "rst": _moves(CLOSE="NONE ESTABLISHED SYN_SENT FIN_WAIT TIME_WAIT CLOSE_WAIT"),
}
_TCP_FROM_SERVER: dict[str, Moves] = {
    "syn": _moves(SYN_SENT="NONE FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK"),
    "fin": _moves(FIN_WAIT="ESTABLISHED", TIME_WAIT="NONE SYN_RECV CLOSE_WAIT"),
    "ack": _moves(ESTABLISHED="NONE SYN_RECV"),
    "rst": _moves(CLOSE="NONE ESTABLISHED SYN_RECV FIN_WAIT CLOSE_WAIT LAST_ACK"),
}

_HANDSHAKE = "NONE INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED"
_CLOSING = "NONE INIT1 INIT C-SENT C-REPLIED C-WAIT COOKIE C-ECHOED ESTABLISHED REJECTED"
_SCTP_FROM_CLIENT: dict[str, Moves] = {
    "INIT": _moves(INIT1="NONE", INIT="INIT1 REJECTED CLOSED"),
    "INIT_ACK": _sctp(_moves(C_WAIT="NONE INIT1 INIT", COOKIE="C-WAIT")),
    "COOKIE_ECHO": _sctp(_moves(C_REPLIED="NONE C-SENT", INIT="INIT1")),
    "COOKIE_ACK": _moves(ESTABLISHED="NONE C-ECHOED"),
    "ABORT": _moves(CLOSED=_CLOSING) | _moves(REJECTED="C-WAIT"),
}
_SCTP_FROM_SERVER: dict[str, Moves] = {
    "INIT": _sctp(_moves(C_WAIT=f"{_HANDSHAKE} REJECTED CLOSED")),
    "INIT_ACK": _sctp(_moves(C_SENT="NONE INIT1 INIT")),
    "COOKIE_ECHO": _sctp(_moves(C_ECHOED=_HANDSHAKE)),
    "COOKIE_ACK": _moves(ESTABLISHED=_HANDSHAKE),
    "ABORT": _moves(CLOSED=_CLOSING) | _moves(REJECTED="INIT1"),
}
_DATA = _moves(ESTABLISHED="NONE")  # and every other chunk that packets here can hold


def event_of(packet: Packet) -> str:
    """What the packet means to the state tables; "" for TCP flags that mean nothing."""
    if packet.protocol == "tcp":
        return _tcp_event(packet.flags or "S")
    return packet.flags or "INIT" if packet.protocol == "sctp" else ""


def opens(packet: Packet) -> bool:
    """Does the packet ask for a new connection? (is_new_conn: SYN set, or an INIT chunk.)"""
    return event_of(packet) in ("syn", "INIT")


def next_state(protocol: str, state: str, packet: Packet, reply: bool) -> str:
    if protocol == "udp":
        return state
    event = event_of(packet)
    if protocol == "sctp":
        return (_SCTP_FROM_SERVER if reply else _SCTP_FROM_CLIENT).get(event, _DATA).get(state, state)
    if not event:
        return "CLOSE"  # set_tcp_state: a packet with none of the four flags
    return (_TCP_FROM_SERVER if reply else _TCP_FROM_CLIENT)[event].get(state, state)


@lru_cache(maxsize=256)
def _tcp_event(flags: str) -> str:
    """tcp_state_idx: the first of these flags that is set."""
    return next(
        (name for letter, name in (("R", "rst"), ("S", "syn"), ("F", "fin"), ("A", "ack")) if letter in flags), ""
    )
