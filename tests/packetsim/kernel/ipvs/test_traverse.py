"""Rule: a packet meets IPVS as it would meet ip_vs_in and ip_vs_out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.hooks import Hook
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.traverse import Dropped, Ipvs, NoServer, Scheduling
from packetsim.packet import Packet
from packetsim.trace import Noted, Scheduled, Step
from tests.packetsim.kernel.ipvs.scene import (
    KUBE_SYSCTLS,
    VIP,
    A,
    B,
    C,
    answer,
    connect,
    ipvs,
    packet,
    real_of,
    servers,
    visit,
)

STICKY = " -p 10800"


def made(result: Scheduling) -> Connection:
    assert isinstance(result, Connection)
    return result


def replied(where: Ipvs, what: Packet, now: float | None = None) -> Connection:
    found = where.reply(what, now)
    assert found is not None
    return found


def test_a_request_gets_a_connection_with_all_its_addresses() -> None:
    connection = made(ipvs(servers(A)).schedule(visit()))
    assert (connection.client_text, connection.virtual_text, connection.real_text) == (
        "10.244.2.9:40000",
        f"{VIP}:80",
        A,
    )
    assert (connection.protocol, connection.state, connection.packets_in) == ("tcp", "SYN_RECV", 1)


def test_ipv6_is_served_beside_ipv4() -> None:
    where = ipvs(servers("[fd00::5]:8080", address="[fd00:96::a]:80") | servers(A))
    assert made(where.schedule(visit(packet("[fd00::9]:1", "[fd00:96::a]:80")))).real_text == "[fd00::5]:8080"
    assert made(where.schedule(visit())).real_text == A


def test_further_packets_of_a_connection_stay_with_its_server() -> None:
    where, steps = ipvs(servers(A, B)), list[Step]()
    first = made(where.schedule(visit()))
    again = made(where.schedule(visit(packet(flags="A"), steps=steps)))
    assert (again.real_text, again.packets_in) == (first.real_text, 2)
    assert steps[0].detail == Scheduled(f"TCP {VIP}:80", B, "existing connection", "its connection is in ESTABLISHED")


@pytest.mark.parametrize("to", [f"{VIP}:81", "10.96.0.11:80"])
def test_other_destinations_are_none_of_its_business(to: str) -> None:
    assert ipvs(servers(A)).schedule(visit(packet(to=to))) is None


def test_the_protocol_must_fit() -> None:
    assert ipvs(servers(A)).schedule(visit(packet(protocol="udp"))) is None


@pytest.mark.parametrize(
    ("what", "hook"),
    [
        (packet(flags="A"), Hook.INPUT),
        (packet(flags="RA"), Hook.INPUT),
        (packet(flags="FA"), Hook.OUTPUT),
        (packet("10.244.2.9:20"), Hook.INPUT),  # FTP data
    ],
)
def test_a_first_packet_that_opens_nothing_is_left_to_the_local_machine(what: Packet, hook: Hook) -> None:
    where, steps = ipvs(servers(A)), list[Step]()
    assert where.schedule(visit(what, steps=steps, hook=hook)) is None
    detail = steps[0].detail
    assert isinstance(detail, Noted)
    assert detail.text.startswith("IPVS leaves the packet to the local machine: ")
    assert where.list_connections().count("\n") == 2


@pytest.mark.parametrize(("flags", "expected"), [("A", A), ("R", "left alone"), ("S", A)])
def test_sloppy_tcp_takes_connections_in_the_middle(flags: str, expected: str) -> None:
    where = ipvs(servers(A), {"net.ipv4.vs.sloppy_tcp": "1"})
    assert real_of(where.schedule(visit(packet(flags=flags)))) == expected


@pytest.mark.parametrize(("chunk", "sloppy", "expected"), [
    ("INIT", "0", A), ("DATA", "0", "left alone"), ("DATA", "1", A), ("ABORT", "1", "left alone"),
])  # fmt: skip
def test_sctp_opens_with_an_init(chunk: str, sloppy: str, expected: str) -> None:
    where = ipvs(servers(A, protocol="--sctp-service"), {"net.ipv4.vs.sloppy_sctp": sloppy})
    assert real_of(where.schedule(visit(packet(flags=chunk, protocol="sctp")))) == expected


def test_what_answers_a_virtual_server_locally_is_not_scheduled() -> None:
    """ip_vs_schedule: 'do not schedule replies from local real server'."""
    where = ipvs(
        servers(A, address="10.96.0.10:80", protocol="-u") | servers(B, address="10.244.2.9:53", protocol="-u")
    )
    where.schedule(visit(packet("10.244.2.9:53", f"{VIP}:80", protocol="udp")))
    back = packet(f"{VIP}:80", "10.244.2.9:53", protocol="udp")
    assert where.schedule(visit(back, hook=Hook.OUTPUT)) is None
    assert real_of(where.schedule(visit(back, hook=Hook.INPUT))) == B


def test_no_real_server_is_said_so() -> None:
    where, steps = ipvs(servers()), list[Step]()
    result = where.schedule(visit(steps=steps))
    assert result == NoServer(f"TCP {VIP}:80", "rr: no real server with a weight above 0")
    assert steps[0].detail == Noted(
        f"IPVS has no real server for TCP {VIP}:80: rr: no real server with a weight above 0"
    )


# ---- replies and related packets ----------------------------------------------------------------


def test_a_reply_finds_its_connection_and_moves_its_state() -> None:
    where = ipvs(servers(A))
    connection = made(where.schedule(visit()))
    found = replied(where, answer(connection), 1.0)
    assert (found.virtual_text, found.packets_out, found.expires) == (f"{VIP}:80", 1, 61.0)
    assert replied(where, answer(connection, "A")).state == "ESTABLISHED"


@pytest.mark.parametrize(
    "other", [packet(A, "10.244.2.9:40001", "SA"), packet(B, "10.244.2.9:40000", "SA"), packet(A, "10.244.2.8:40000")]
)
def test_other_packets_are_no_reply(other: Packet) -> None:
    where = ipvs(servers(A))
    where.schedule(visit())
    assert where.reply(other) is None


def test_a_reply_after_the_connection_timed_out_is_unknown() -> None:
    where = ipvs(servers(A))
    connection = made(where.schedule(visit()))
    assert where.reply(answer(connection), now=60.0) is None


def test_two_connections_with_one_reply_are_told_apart_by_age() -> None:
    """One client port to two virtual servers of the same real server: the younger entry is found first."""
    where = ipvs(servers(A) | servers(A, address="10.96.0.11:80"))
    made(where.schedule(visit()))
    younger = made(where.schedule(visit(packet(to="10.96.0.11:80"))))
    assert replied(where, answer(younger)).virtual_address == "10.96.0.11"
    where.reply(answer(younger, "R"))  # the younger one is closed and has 10 s
    where.tick(30.0)
    assert replied(where, answer(younger)).virtual_address == VIP


def test_an_icmp_error_is_related_to_the_connection_it_quotes() -> None:
    where = ipvs(servers(A, protocol="-u"))
    connection = made(where.schedule(visit(packet(protocol="udp"))))
    request = packet("10.244.2.9:40000", A, protocol="udp")
    reply = packet(f"{VIP}:80", "10.244.2.9:40000", protocol="udp")
    error = Packet("10.244.1.1", "10.244.2.9", "icmp", icmp_type=3, icmp_code=3)
    assert where.related(replace(error, quoted=request)) is connection
    assert where.related(replace(error, quoted=reply)) is connection
    assert where.related(replace(error, quoted=packet())) is None
    assert where.related(error) is None


def test_the_ipvs_match_sees_a_request_only_once_it_has_its_server() -> None:
    where = ipvs(servers(A))
    connection = made(where.schedule(visit()))
    assert where.connection_view(packet()) is None
    view = where.connection_view(packet("10.244.2.9:40000", A))
    assert view is connection
    assert (view.virtual_address, view.virtual_port, view.protocol) == (VIP, 80, "tcp")
    assert where.connection_view(answer(connection)) is None


# ---- time ---------------------------------------------------------------------------------------


def test_an_idle_connection_ends_and_is_reported() -> None:
    where = ipvs(servers(A))
    connection = made(where.schedule(visit()))
    where.schedule(visit(packet(flags="A"), now=10.0))  # ESTABLISHED: 900 s from now
    assert where.tick(909.0) == []
    assert where.tick(910.0) == [connection]
    assert "8080              Masq    1      0          0         \n" in where.list_servers()


def test_a_connection_that_ended_is_scheduled_anew() -> None:
    where = ipvs(servers(A, B, protocol="-u"))
    assert real_of(where.schedule(visit(packet(protocol="udp")))) == B
    assert real_of(where.schedule(visit(packet(protocol="udp"), now=299.0))) == B
    assert real_of(where.schedule(visit(packet(protocol="udp"), now=599.0))) == A


@pytest.mark.parametrize(
    ("sysctls", "state", "expected"),
    [
        (KUBE_SYSCTLS, "NEW", A),  # conntrack has forgotten the old one: the next server
        (KUBE_SYSCTLS, "ESTABLISHED", "dropped"),  # conntrack has not: dropped once, so that both forget
        ({}, "ESTABLISHED", A),  # IPVS does not use conntrack
        (KUBE_SYSCTLS | {"net.ipv4.vs.conn_reuse_mode": "0"}, "ESTABLISHED", B),
    ],
)
def test_a_client_port_used_again_after_the_end_is_a_new_connection(
    sysctls: dict[str, str], state: str, expected: str
) -> None:
    where = ipvs(servers(A, B), sysctls)
    first = made(where.schedule(visit()))
    for flags in ("SA", "FA"):
        where.reply(answer(first, flags))
    where.schedule(visit(packet(flags="FA")))
    assert first.state == "TIME_WAIT"
    steps: list[Step] = []
    result = where.schedule(visit(state=state, steps=steps))
    assert real_of(result) == expected
    if expected != B:
        done = "drops the packet" if expected == "dropped" else "ends the old connection"
        assert steps[0].detail == Noted(f"IPVS {done}: a new connection, and the one before is in TIME_WAIT")
    if isinstance(result, Dropped):
        assert result.forgets
        assert result.why == "a new connection, and the one before is in TIME_WAIT"
        assert real_of(where.schedule(visit())) == A


def test_a_syn_sent_again_belongs_to_its_connection() -> None:
    where = ipvs(servers(A, B), KUBE_SYSCTLS)
    assert [real_of(where.schedule(visit())) for _ in range(2)] == [B, B]


# ---- persistence --------------------------------------------------------------------------------


def test_a_client_is_remembered_for_its_time() -> None:
    where, steps = ipvs(servers(A, B, C, options=STICKY)), list[Step]()
    assert connect(where, 3) == [C, C, C]
    assert real_of(where.schedule(visit(packet("10.244.2.8:1"), steps=steps))) == B
    assert real_of(where.schedule(visit(packet("10.244.2.8:2"), steps=steps))) == B
    assert [step.detail for step in steps] == [
        Scheduled(f"TCP {VIP}:80", B, "scheduled rr", f"rr: next after {C}; remembered for 10.244.2.8 for 10800 s"),
        Scheduled(f"TCP {VIP}:80", B, "persistence template", "persistence template for 10.244.2.8 (10800 s)"),
    ]


def test_each_new_connection_starts_the_time_again_and_packets_do_not() -> None:
    where = ipvs(servers(A, B, options=" -p 1000"))
    for now, port, expected in ((0.0, 1, B), (900.0, 2, B), (1899.0, 3, B), (2899.0, 4, A)):
        assert real_of(where.schedule(visit(packet(f"10.244.2.9:{port}"), now=now))) == expected
        where.schedule(visit(packet(f"10.244.2.9:{port}", flags="R"), now=now))
    # 2899 is 1000 s after 1899 and every connection has ended, so the template has too.


def test_a_template_outlives_its_time_while_its_connections_live() -> None:
    """It is put off by 60 s at a time, and has only 60 s from then on (ip_vs_conn_expire)."""
    where = ipvs(servers(A, B, options=" -p 100"))
    where.schedule(visit(packet("10.244.2.9:1")))
    where.schedule(visit(packet("10.244.2.9:1", flags="A")))  # lives until 900
    assert real_of(where.schedule(visit(packet("10.244.2.9:2"), now=130.0))) == B  # 100, put off to 160
    where.reply(packet(B, "10.244.2.9:2", "RA"))
    where.schedule(visit(packet("10.244.2.9:1", flags="R"), now=131.0))  # both ended by 141
    assert real_of(where.copy().schedule(visit(packet("10.244.2.9:3"), now=189.0))) == B
    assert real_of(where.schedule(visit(packet("10.244.2.9:3"), now=191.0))) == A  # 130 + 60 is over


def test_persistence_is_of_one_virtual_server() -> None:
    where = ipvs(servers(A, B, options=STICKY) | servers(A, B, address="192.168.0.1:30080", options=STICKY))
    connect(where, 1)
    where.schedule(visit(packet("10.244.2.8:1", "192.168.0.1:30080")))
    assert real_of(where.schedule(visit(packet(to="192.168.0.1:30080")))) == A


@pytest.mark.parametrize(
    ("options", "address", "clients", "expected"),
    [
        (" -p 60 -M 255.255.255.0", f"{VIP}:80", ["10.0.0.1:1", "10.0.0.9:1", "10.0.1.1:1"], [B, B, A]),
        (" -p 60 -M 64", "[fd00:96::a]:80", ["[fd01::1]:1", "[fd01::2]:1", "[fd01:0:0:1::1]:1"], ["6b", "6b", "6a"]),
    ],
)
def test_a_mask_remembers_a_whole_network(options: str, address: str, clients: list[str], expected: list[str]) -> None:
    reals = (A, B) if "." in address else ("[fd00::a]:80", "[fd00::b]:80")
    where = ipvs(servers(*reals, options=options, address=address))
    went = [real_of(where.schedule(visit(packet(client, address)))) for client in clients]
    assert went == [{"6a": "[fd00::a]:80", "6b": "[fd00::b]:80"}.get(one, one) for one in expected]


@pytest.mark.parametrize(("sysctls", "expected"), [(KUBE_SYSCTLS, A), ({}, B)])
def test_a_template_to_a_server_of_weight_0_is_kept_or_replaced(sysctls: dict[str, str], expected: str) -> None:
    """expire_quiescent_template decides."""
    where = ipvs(servers(A, B, options=STICKY), sysctls)
    connect(where, 1)
    where.load(servers(A, f"{B} 0", options=STICKY))
    assert connect(where, 2, 50000) == [expected, expected]


def test_a_template_to_a_deleted_server_is_replaced() -> None:
    where = ipvs(servers(A, B, options=STICKY, protocol="-u"))
    connect(where, 1, protocol="udp")
    where.load(servers(A, options=STICKY, protocol="-u"))
    assert connect(where, 1, 50000, "udp") == [A]
    where.load(servers(A, B, options=STICKY, protocol="-u"))
    assert connect(where, 1, 51000, "udp") == [A]
    where.tick(400.0)  # the old connection ends; the new template is not its own to count down
    assert [line.split() for line in where.list_connections().splitlines()[2:]] == [
        ["UDP", "173:20", "NONE", "10.244.2.9:0", f"{VIP}:80", A]
    ]


def test_a_connection_of_a_replaced_template_does_not_count_for_the_new_one() -> None:
    where = ipvs(servers(A, B, options=" -p 100"), KUBE_SYSCTLS)
    where.schedule(visit())
    where.load(servers(A, f"{B} 0", options=" -p 100"))
    assert real_of(where.schedule(visit(packet("10.244.2.9:2")))) == A
    where.schedule(visit(packet("10.244.2.9:2", flags="A")))  # lives until 900
    where.reply(packet(B, "10.244.2.9:40000", "RA"))  # the old template's connection ends
    where.tick(130.0)
    assert "10.244.2.9:0 " in where.list_connections()


def test_a_client_port_used_again_stays_with_a_persistent_connection() -> None:
    """is_new_conn_expected: not for a connection that a template controls."""
    where = ipvs(servers(A, B, options=STICKY), KUBE_SYSCTLS)
    where.schedule(visit())
    where.reply(packet(B, "10.244.2.9:40000", "RA"))
    assert real_of(where.schedule(visit(state="ESTABLISHED"))) == B


def test_a_template_without_a_server_to_give_is_not_made() -> None:
    where = ipvs(servers(options=STICKY))
    assert connect(where, 1) == ["no server"]
    assert where.list_connections().count("\n") == 2


# ---- copies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", [0, 1])
def test_what_one_copy_does_the_other_does_not_see(writer: int) -> None:
    base = ipvs(servers(A, B, options=STICKY))
    first = made(base.schedule(visit()))
    both = base, base.copy()
    before = [(one.list_servers(), one.list_connections()) for one in both]
    both[writer].reply(answer(first))
    both[writer].schedule(visit(packet(flags="A")))
    both[writer].schedule(visit(packet(flags="FA"), now=7.0))
    after = [(one.list_servers(), one.list_connections()) for one in both]
    assert after[1 - writer] == before[1 - writer]
    assert after[writer] != before[writer]


def test_copies_go_their_own_ways() -> None:
    base = ipvs(servers(A, B, options=STICKY) | servers(A, B, address="10.96.0.11:80", scheduler="wrr"))
    first = made(base.schedule(visit()))
    twin = base.copy()
    before = base.list_servers(), base.list_connections()

    twin.reply(answer(first))
    twin.schedule(visit(packet(flags="FA")))
    connect(twin, 2, 50000)
    twin.schedule(visit(packet(to="10.96.0.11:80")))
    twin.load(servers(B))
    assert (base.list_servers(), base.list_connections()) == before

    again = twin.list_servers(), twin.list_connections()
    base.schedule(visit(packet(flags="A")))
    base.schedule(visit(packet(to="10.96.0.11:80")))
    base.load({})
    base.tick(5000.0)
    assert (twin.list_servers(), twin.list_connections()) == again


def test_a_copy_goes_on_where_the_other_stands() -> None:
    base = Ipvs(KUBE_SYSCTLS)
    base.load(servers(A, B, C))
    taken = connect(base, 2)
    assert connect(base.copy(), 4, 50000) == connect(base, 4, 50000)
    assert len(set(taken)) == 2
    assert len(set(connect(base, 3, 60000))) == 3
    assert base.copy().sysctls == base.sysctls
    base.configure({})
    assert base.sysctls.conntrack == 0
