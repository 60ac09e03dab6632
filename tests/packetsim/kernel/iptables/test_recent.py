"""Recent lists, as xt_recent keeps them."""

from __future__ import annotations

import pytest

from packetsim.kernel.iptables.recent import RecentTable


@pytest.mark.parametrize(
    ("seconds", "now", "seen"),
    [(60, 100.0, True), (60, 160.0, True), (60, 160.5, False), (0, 9999.0, True)],
)
def test_an_address_counts_as_seen_for_so_long(seconds: int, now: float, seen: bool) -> None:
    lists = RecentTable()
    lists.set("a", "10.0.0.1", 100.0)
    assert lists.seen_within("a", "10.0.0.1", seconds, now, reap=False) is seen
    assert not lists.seen_within("a", "10.0.0.2", seconds, now, reap=False)
    assert not lists.seen_within("b", "10.0.0.1", seconds, now, reap=False)


def test_seeing_it_again_starts_anew() -> None:
    lists = RecentTable()
    lists.set("a", "10.0.0.1", 0.0)
    lists.set("a", "10.0.0.1", 100.0)
    assert lists.seen_within("a", "10.0.0.1", 60, 150.0, reap=False)
    assert lists.addresses("a") == (("10.0.0.1", 100.0),)


def test_asking_does_not_renew() -> None:
    lists = RecentTable()
    lists.set("a", "10.0.0.1", 0.0)
    assert lists.seen_within("a", "10.0.0.1", 60, 50.0, reap=True)
    assert not lists.seen_within("a", "10.0.0.1", 60, 70.0, reap=False)


def test_a_full_list_forgets_the_address_seen_longest_ago() -> None:
    lists = RecentTable()
    for number in range(100):
        lists.set("a", f"10.0.0.{number}", float(number))
    lists.set("a", "10.0.0.0", 100.0)
    lists.set("a", "10.0.1.1", 101.0)
    kept = [address for address, _ in lists.addresses("a")]
    assert len(kept) == 100
    assert "10.0.0.1" not in kept and "10.0.0.0" in kept


def test_reaping_removes_the_oldest_alone_and_only_when_the_asked_address_is_listed() -> None:
    lists = RecentTable()
    for address, at in (("10.0.0.1", 0.0), ("10.0.0.2", 1.0), ("10.0.0.3", 100.0)):
        lists.set("a", address, at)
    lists.seen_within("a", "10.9.9.9", 60, 120.0, reap=True)
    assert len(lists.addresses("a")) == 3
    assert lists.seen_within("a", "10.0.0.3", 60, 120.0, reap=True)
    assert [address for address, _ in lists.addresses("a")] == ["10.0.0.2", "10.0.0.3"]
    assert lists.seen_within("a", "10.0.0.3", 60, 60.0, reap=True)
    assert len(lists.addresses("a")) == 2


def test_the_asked_address_itself_may_be_reaped() -> None:
    lists = RecentTable()
    lists.set("a", "10.0.0.1", 0.0)
    assert not lists.seen_within("a", "10.0.0.1", 60, 100.0, reap=True)
    assert lists.addresses("a") == ()


def test_a_copy_and_a_forgotten_list_stand_alone() -> None:
    lists = RecentTable()
    lists.set("a", "10.0.0.1", 0.0)
    twin = lists.copy()
    lists.forget("a")
    twin.set("a", "10.0.0.2", 1.0)
    assert lists.addresses("a") == ()
    assert len(twin.addresses("a")) == 2
