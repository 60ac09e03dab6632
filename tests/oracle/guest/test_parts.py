"""The parts of the guest that need no kernel of their own."""

from __future__ import annotations

import socket
import time

import pytest

from packetsim.oracle.attributes import messages
from packetsim.oracle.guest import running, tracing
from packetsim.oracle.guest.cluster import replaced
from packetsim.oracle.guest.faults import GuestError
from packetsim.oracle.guest.loading import addresses_of, affinity_flushes
from packetsim.oracle.guest.loop import READABLE, Loop
from packetsim.oracle.guest.proxying import Turns
from tests.oracle.guest import scene

A, B, C = ("10.0.0.1", 80), ("10.0.0.2", 80), ("10.0.0.3", 80)


# ---- the proxy's turns --------------------------------------------------------------------------


def test_without_affinity_every_connection_is_the_next_ones() -> None:
    turns = Turns([A, B, C], None)
    assert [turns.next("client", False, 0) for _ in range(4)] == [A, B, C, A]


@pytest.mark.parametrize(
    ("later", "ignore_tie", "expected"),
    [(9.9, False, A), (10.0, False, B), (9.9, True, B)],
    ids=["within its time", "after its time", "when its endpoint did not answer"],
)
def test_affinity_holds_within_its_time_unless_ignored(
    later: float, ignore_tie: bool, expected: tuple[str, int]
) -> None:
    turns = Turns([A, B, C], 10)
    assert turns.next("client", False, 0) == A
    assert turns.next("client", ignore_tie, later) == expected
    assert turns.next("client", False, later + 9) == expected  # its time began anew
    assert turns.next("other", False, later) == (B if expected == A else C)


def test_turns_begin_anew_and_nobody_has_none() -> None:
    turns = Turns([A, B], 10)
    turns.next("client", False, 0)
    turns.forget()
    assert turns.next("client", False, 1) == A
    assert Turns([], 10).next("client", False, 0) is None


# ---- the loop -----------------------------------------------------------------------------------


def test_timers_ring_in_order_unless_cancelled_and_sockets_call() -> None:
    loop = Loop()
    said: list[object] = []
    near, far = socket.socketpair()
    with near, far:
        loop.watch(near, READABLE, said.append)
        loop.after(0.02, lambda: said.append("second"))
        loop.after(0.01, lambda: said.append("first"))
        loop.cancel(loop.after(0.01, lambda: said.append("never")))
        far.send(b"x")
        loop.turn(1)
        assert said == [READABLE]
        loop.forget(near)
        loop.forget(near)
        until = time.monotonic() + 0.05
        while time.monotonic() < until:
            loop.turn(0.01)
        assert said == [READABLE, "first", "second"]
    loop.close()


def test_a_socket_that_an_earlier_call_forgot_is_not_called() -> None:
    loop = Loop()
    pairs = [socket.socketpair() for _ in range(2)]
    called: list[int] = []

    def once(events: int) -> None:
        called.append(events)
        for near, _ in pairs:
            loop.forget(near)

    for near, far in pairs:
        loop.watch(near, READABLE, once)
        far.send(b"x")
    loop.turn(1)
    assert called == [READABLE]
    for pair in pairs:
        for one in pair:
            one.close()
    loop.close()


# ---- texts and commands -------------------------------------------------------------------------


def test_sets_that_rules_fill_are_flushed_and_no_others() -> None:
    still = "table ip6 calm {\n\tset known {\n\t\ttype ipv6_addr\n\t\telements = { ::1 }\n\t}\n}\n"
    assert affinity_flushes(still + scene.NFT) == "flush set ip sticky affinity\n"
    assert affinity_flushes(still) == affinity_flushes("") == ""


def test_addresses_are_read_back_as_the_commands_that_add_them() -> None:
    listed = (
        "9: kube-ipvs0    inet 10.96.0.10/32 scope global kube-ipvs0\\       valid_lft forever\n"
        "9: kube-ipvs0    inet6 fd00:96::10/128 scope global tentative \\       valid_lft forever\n"
    )
    assert addresses_of(listed).splitlines() == [
        "link add kube-ipvs0 type dummy",
        "address add 10.96.0.10/32 dev kube-ipvs0",
        "address add fd00:96::10/128 dev kube-ipvs0",
    ]


@pytest.mark.parametrize(
    ("command", "route"),
    [
        ("route replace 0.0.0.0/0 via 1.2.3.4 dev eth0 onlink table 7", ("7", "0.0.0.0/0")),
        ("route replace throw 0.0.0.0/0 table 7", ("7", "0.0.0.0/0")),
        ("route replace 10.0.0.0/8 via 1.2.3.4", ("main", "10.0.0.0/8")),
        ("route add 10.0.0.0/8 via 1.2.3.4", None),
        ("link set eth0 down", None),
    ],
)
def test_which_route_a_command_puts_in_place_of_another(command: str, route: tuple[str, str] | None) -> None:
    assert replaced(command) == route


def test_a_tool_that_is_missing_or_fails_is_named() -> None:
    assert running.run("cat", text="x") == "x"
    with pytest.raises(GuestError, match="no-such-tool is missing here; install it"):
        running.run("no-such-tool")
    with pytest.raises(GuestError, match=r"sh -c echo bad >&2; exit 3 failed with status 3: bad"):
        running.run("sh", "-c", "echo bad >&2; exit 3")
    with pytest.raises(GuestError, match="sysctl net/no/such cannot be set to '1': No such file"):
        running.write_sysctls({"net/no/such": "1"})


def test_a_tool_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_LONGEST", 0.05)
    with pytest.raises(GuestError, match="sleep 5 did not end within"):
        running.run("sleep", "5")


@pytest.mark.parametrize(("arrivals", "chains"), [(True, 3), (False, 2)])
def test_the_judges_table_is_whole_messages(arrivals: bool, chains: int) -> None:
    kinds = [message.kind & 0xFF for message in messages(tracing.judges_table(arrivals))]
    assert (kinds.count(0), kinds.count(3), kinds.count(6)) == (1, chains, 10)  # tables, chains, rules
