"""Rule: new text changes what runs in place; connections and counters are kept."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from packetsim.errors import RuleTextError
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.traverse import Dropped, Ipvs
from packetsim.ruletext import ServerText
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


def rows(where: Ipvs) -> list[tuple[str, int, int, int]]:
    """(real server, weight, active, inactive) of every real server listed."""
    words = [line.split() for line in where.list_servers().splitlines()[3:] if "Masq" in line]
    return [(one[1], int(one[3]), int(one[4]), int(one[5])) for one in words]


def test_loading_the_same_again_changes_nothing() -> None:
    texts = servers(A, B)
    where = ipvs(texts)
    connect(where, 3)
    before = where.list_servers()
    where.load(texts)
    where.load(servers(A, B))
    assert where.list_servers() == before
    assert connect(where, 2, 50000) == [A, B]


def test_a_server_that_comes_is_added_and_others_keep_their_counters() -> None:
    where = ipvs(servers(A))
    connect(where, 2)
    where.load(servers(A, f"{B} 3"))
    assert rows(where) == [(A, 1, 2, 0), (B, 3, 0, 0)]


def test_another_weight_is_taken_over() -> None:
    where = ipvs(servers(A, B))
    where.load(servers(A, f"{B} 0"))
    assert connect(where, 2) == [A, A]


def test_another_scheduler_or_persistence_is_taken_over() -> None:
    where = ipvs(servers(A, B))
    connect(where, 1)
    where.load(servers(A, B, scheduler="lc", options=" -p 60"))
    assert connect(where, 2, 50000) == [A, A]
    assert f"TCP  {VIP}:80 lc persistent 60" in where.list_servers()
    where.load(servers(A, B))
    assert connect(where, 1, 60000) == [B]  # rr anew, from the head


def test_the_name_a_server_is_given_under_does_not_matter() -> None:
    one = servers(A)
    where = ipvs(one)
    connect(where, 1)
    where.load({"other": next(iter(one.values()))})
    assert rows(where) == [(A, 1, 1, 0)]


def test_two_texts_for_one_virtual_server_are_refused_and_nothing_is_changed() -> None:
    where = ipvs(servers(A))
    before = where.list_servers()
    with pytest.raises(RuleTextError, match="same protocol, address and port"):
        where.load(servers(B) | {"again": servers(A)[f"-t {VIP}:80"]})
    assert where.list_servers() == before


# ---- real servers that go -----------------------------------------------------------------------


@pytest.mark.parametrize(("protocol", "option"), [("tcp", "-t"), ("udp", "-u")])
def test_an_idle_server_goes_at_once(protocol: str, option: str) -> None:
    where = ipvs(servers(A, B, protocol=option))
    where.load(servers(A, protocol=option))
    assert rows(where) == [(A, 1, 0, 0)]
    assert connect(where, 2, protocol=protocol) == [A, A]


def test_a_tcp_server_with_connections_stays_with_weight_0_until_they_end() -> None:
    where = ipvs(servers(A, B))
    assert connect(where, 1) == [B]
    where.schedule(visit(packet(flags="A")))  # 900 s
    where.load(servers(A))
    assert rows(where) == [(A, 1, 0, 0), (B, 0, 1, 0)]
    assert connect(where, 2, 50000) == [A, A]
    assert real_of(where.schedule(visit(packet(flags="A"), now=50.0))) == B  # until 950
    where.tick(959.0)  # no connection left, but the minute is not full
    where.load(servers(A, options=" -p 9"))  # some other change leaves it alone
    assert rows(where)[-1] == (B, 0, 0, 0)
    where.tick(960.0)
    assert [row[0] for row in rows(where)] == [A]


def test_closing_connections_still_hold_a_leaving_server() -> None:
    where = ipvs(servers(A))
    connect(where, 1)
    where.schedule(visit(packet(flags="A")))
    where.reply(packet(A, "10.244.2.9:40000", "FA"))  # FIN_WAIT, inactive, 120 s
    where.load(servers())
    where.tick(100.0)
    assert rows(where) == [(A, 0, 0, 1)]
    where.tick(119.0)
    assert rows(where) == [(A, 0, 0, 1)]
    where.tick(130.0)  # the full minute was at 120, when the connection had just ended
    assert rows(where) == []


def test_a_leaving_server_that_is_wanted_again_is_added_anew_with_its_connections() -> None:
    where = ipvs(servers(A, B, C))
    assert connect(where, 2) == [C, B]
    where.load(servers(A, C))
    where.load(servers(A, B, C))
    assert rows(where) == [(A, 1, 0, 0), (B, 1, 1, 0), (C, 1, 1, 0)]
    assert connect(where, 3, 50000) == [A, B, C]  # B at the head now: the cursor, on C, goes on to A and wraps
    where.tick(70.0)
    assert rows(where) == [(A, 1, 0, 0), (B, 1, 0, 0), (C, 1, 0, 0)]


def test_without_expire_nodest_conn_packets_to_a_deleted_server_are_lost() -> None:
    where = ipvs(servers(A, B, protocol="-u"))
    what = packet(protocol="udp")
    assert real_of(where.schedule(visit(what))) == B
    where.load(servers(A, protocol="-u"))
    for _ in range(2):
        result = where.schedule(visit(what, state="ESTABLISHED"))
        assert isinstance(result, Dropped)
        assert (result.why, result.forgets) == (f"real server {B} was deleted", False)


@pytest.mark.parametrize("options", ["", " -p 10800"])
def test_with_expire_nodest_conn_all_that_leads_to_a_deleted_server_ends(options: str) -> None:
    """Linux 5.9 and later: connections, their conntrack entries and templates, though answers were seen."""
    where = ipvs(servers(A, B, protocol="-u", options=options), KUBE_SYSCTLS)
    first = where.schedule(visit(packet(protocol="udp")))
    assert isinstance(first, Connection) and real_of(first) == B
    where.reply(answer(first))
    twin = where.copy()
    where.load(servers(A, protocol="-u", options=options))
    assert where.list_connections().count("\n") == 2
    assert [one.request_key for one in where.copy().tick(0.0)] == [first.request_key]
    assert [one.request_key for one in where.tick(0.0)] == [first.request_key]
    assert where.tick(0.0) == []
    assert real_of(where.schedule(visit(packet(protocol="udp")))) == A
    assert real_of(twin.schedule(visit(packet(protocol="udp")))) == B


def test_a_template_ends_with_the_server_that_was_leaving() -> None:
    where = ipvs(servers(A, B, options=" -p 10800"), KUBE_SYSCTLS)
    first = where.schedule(visit())
    assert isinstance(first, Connection)
    where.load(servers(A, options=" -p 10800"))
    where.reply(answer(first, "RA"))
    where.tick(200.0)
    assert where.list_connections().count("\n") == 2


def test_a_new_connection_leaves_a_server_of_weight_0() -> None:
    """The client's port is used again while its old connection is still there; conntrack has a new entry."""
    where = ipvs(servers(A, B), KUBE_SYSCTLS)
    assert real_of(where.schedule(visit())) == B
    where.reply(packet(B, "10.244.2.9:40000", "SA"))
    where.load(servers(A, f"{B} 0"))
    assert real_of(where.schedule(visit())) == A


# ---- virtual servers that go --------------------------------------------------------------------


def test_a_virtual_server_goes_at_once_and_takes_its_servers_with_it() -> None:
    where = ipvs(servers(A), KUBE_SYSCTLS)
    connect(where, 1)
    where.load({})
    assert rows(where) == []
    assert where.schedule(visit(packet("10.244.2.9:50000"))) is None
    assert where.schedule(visit(packet(flags="A"))) is None
    assert len(where.tick(0.0)) == 1


def test_it_meets_its_connections_again_when_it_comes_back() -> None:
    texts: Mapping[str, ServerText] = servers(A, B)
    where = ipvs(texts)
    assert connect(where, 1) == [B]
    where.load({})
    where.load(texts)
    assert rows(where) == [(A, 1, 0, 0), (B, 1, 1, 0)]
    assert connect(where, 1) == [B]
    assert isinstance(where.schedule(visit(packet(flags="A"))), Connection)


def test_nothing_is_left_when_the_last_connection_of_a_deleted_server_ends() -> None:
    where = ipvs(servers(A) | servers(A, address="10.96.0.11:80", protocol="-u"))
    connect(where, 2)
    where.load({})
    assert len(where.tick(60.0)) == 2
    where.load(servers(A))
    assert rows(where) == [(A, 1, 0, 0)]
    assert "IPVS connection entries\npro expire" in where.list_connections()


def test_a_deleted_server_is_no_longer_waited_for() -> None:
    where = ipvs(servers(A))
    connect(where, 1)
    where.load(servers())
    where.load({})
    assert len(where.tick(120.0)) == 1
    assert where.list_servers().count("\n") == 3
