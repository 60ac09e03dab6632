"""Rule: a connection's state follows the packets both ways as ip_vs_proto_*.c has it."""

from __future__ import annotations

import pytest

from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.states import next_state
from tests.packetsim.kernel.ipvs.scene import A, ipvs, packet, servers, visit

CLIENT = ">"


def walk(protocol: str, moves: str) -> list[tuple[str, int, bool]]:
    """(state, seconds left, active) after each packet; `>S` from the client, `<SA` from the server."""
    option = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}[protocol]
    where = ipvs(servers(A, protocol=option))
    seen = []
    for move in moves.split():
        if move.startswith(CLIENT):
            connection = where.schedule(visit(packet(flags=move[1:], protocol=protocol)))
        else:
            connection = where.reply(packet(A, "10.244.2.9:40000", move[1:], protocol))
        assert isinstance(connection, Connection)
        seen.append((connection.state, int(connection.expires), connection.active))
    return seen


@pytest.mark.parametrize(
    ("protocol", "moves", "expected"),
    [
        ("tcp", ">S <SA >A", [("SYN_RECV", 60, True), ("SYN_RECV", 60, True), ("ESTABLISHED", 900, True)]),
        ("tcp", ">S <RA", [("SYN_RECV", 60, True), ("CLOSE", 10, False)]),
        (
            "tcp",  # the client closes first
            ">S >A >FA <A <FA >A",
            [
                ("SYN_RECV", 60, True),
                ("ESTABLISHED", 900, True),
                ("CLOSE_WAIT", 60, False),
                ("CLOSE_WAIT", 60, False),
                ("TIME_WAIT", 120, False),
                ("TIME_WAIT", 120, False),
            ],
        ),
        (
            "tcp",  # the server closes first
            ">S >A <FA >A >FA",
            [
                ("SYN_RECV", 60, True),
                ("ESTABLISHED", 900, True),
                ("FIN_WAIT", 120, False),
                ("FIN_WAIT", 120, False),
                ("TIME_WAIT", 120, False),
            ],
        ),
        ("tcp", ">S >A >R", [("SYN_RECV", 60, True), ("ESTABLISHED", 900, True), ("CLOSE", 10, False)]),
        ("tcp", ">S >P", [("SYN_RECV", 60, True), ("CLOSE", 10, False)]),  # none of the four flags
        ("udp", "> <", [("UDP", 300, False), ("UDP", 300, False)]),
        (
            "sctp",
            ">INIT <INIT_ACK >COOKIE_ECHO <COOKIE_ACK",
            [("INIT1", 4, False), ("C-SENT", 61, False), ("C-REPLIED", 61, False), ("ESTABLISHED", 900, True)],
        ),
        ("sctp", ">INIT <ABORT", [("INIT1", 4, False), ("REJECTED", 4, False)]),
        ("sctp", ">INIT >INIT >DATA", [("INIT1", 4, False), ("INIT", 61, False), ("INIT", 61, False)]),
    ],
)
def test_a_connection_lives_through_its_states(
    protocol: str, moves: str, expected: list[tuple[str, int, bool]]
) -> None:
    assert walk(protocol, moves) == expected


STATES = ["NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK"]
SHORT = dict(zip(STATES, ["NO", "ES", "SS", "SR", "FW", "TW", "CL", "CW", "LA"], strict=True))


@pytest.mark.parametrize(
    ("flags", "reply", "row"),
    [
        ("S", False, "SR ES ES SR SR SR SR SR SR"),
        ("F", False, "CL CW SS TW TW TW CL CW LA"),
        ("A", False, "ES ES SS ES FW TW CL CW CL"),
        ("R", False, "CL CL CL SR CL CL CL CL LA"),
        ("SA", True, "SS ES SS SR SS SS SS SS SS"),
        ("FA", True, "TW FW SS TW FW TW CL TW LA"),
        ("PA", True, "ES ES SS ES FW TW CL CW LA"),
        ("RA", True, "CL CL SS CL CL TW CL CL CL"),
    ],
)
def test_every_tcp_transition_is_the_kernels(flags: str, reply: bool, row: str) -> None:
    """tcp_states[] of ip_vs_proto_tcp.c, a row an event, without LISTEN and SYNACK, which nothing here reaches."""
    went = [SHORT[next_state("tcp", state, packet(flags=flags), reply)] for state in STATES]
    assert " ".join(went) == row


def test_no_flags_at_all_is_a_syn() -> None:
    assert next_state("tcp", "NONE", packet(flags=""), reply=False) == "SYN_RECV"


@pytest.mark.parametrize(
    ("state", "chunk", "reply", "expected"),
    [
        ("C-SENT", "ABORT", False, "CLOSED"),
        ("C-WAIT", "ABORT", False, "REJECTED"),
        ("C-WAIT", "INIT_ACK", False, "COOKIE"),
        ("C-ECHOED", "COOKIE_ACK", False, "ESTABLISHED"),
        ("INIT1", "COOKIE_ECHO", False, "INIT"),
        ("CLOSED", "INIT", False, "INIT"),
        ("ESTABLISHED", "INIT", True, "ESTABLISHED"),
        ("NONE", "INIT", True, "C-WAIT"),
        ("COOKIE", "COOKIE_ECHO", True, "C-ECHOED"),
        ("NONE", "DATA", True, "ESTABLISHED"),
    ],
)
def test_sctp_chunks_move_the_state(state: str, chunk: str, reply: bool, expected: str) -> None:
    assert next_state("sctp", state, packet(flags=chunk, protocol="sctp"), reply) == expected
