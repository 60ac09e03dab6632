"""Rule: sets and maps are looked up as the kernel does, whatever their size, and outlive a change of rules as there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.nftables.listing import cut
from packetsim.kernel.nftables.model import Element, Set
from packetsim.kernel.nftables.sets import LoadedSet
from packetsim.kernel.nftables.text import element_of
from packetsim.kernel.nftables.traverse import Nftables
from packetsim.kernel.visit import Outcome
from packetsim.ruletext import Line, NftChainText, NftSetText, NftTableText, Origin
from tests.packetsim.kernel.nftables.worked import packet, visit

BASE = "type filter hook prerouting priority filter; policy accept;"
AFFINITY = ("type ipv4_addr", "flags dynamic,timeout", "timeout 10s")
PLACE = "ip t"


def table(rule: str, **sets: NftSetText) -> NftTableText:
    return NftTableText("ip", "t", "", sets, {"c": NftChainText((BASE,), (Line(rule),))})


def affinity(*elements: str, header: tuple[str, ...] = AFFINITY) -> NftSetText:
    return NftSetText("set", header, tuple(Line(text) for text in elements))


def dropped(nftables: Nftables, source: str = "10.0.0.1", now: float = 0.0, destination: str = "10.96.0.1") -> bool:
    [base] = nftables.base_chains(Hook.PREROUTING, 4)
    return base.run(visit(packet(source, destination), now=now, recorded=False)).outcome is Outcome.DROP


def having(*tables: NftTableText) -> Nftables:
    nftables = Nftables()
    nftables.load(tables)
    return nftables


LEARN = "ip saddr != @a update @a { ip saddr } continue"
ASK = "ip saddr @a drop"


def both(**sets: NftSetText) -> NftTableText:
    one = table("", **sets)
    return replace(one, chains={"c": NftChainText((BASE,), (Line(ASK), Line(LEARN)))})


def test_what_a_rule_learned_is_forgotten_in_time() -> None:
    nftables = having(both(a=affinity()))
    assert [dropped(nftables, now=now) for now in (0.0, 9.9, 10.0, 10.1)] == [False, True, False, True]
    assert not dropped(nftables, "10.0.0.2", now=10.1)
    assert nftables.learned(PLACE, "a", 10.2) == {"10.0.0.1": 20.0, "10.0.0.2": 20.1}


def test_add_does_not_start_the_time_anew() -> None:
    for verb, left in (("add", False), ("update", True)):
        nftables = having(table(f"{verb} @a {{ ip saddr }}", a=affinity()))
        dropped(nftables, now=0.0)
        dropped(nftables, now=6.0)
        assert bool(nftables.learned(PLACE, "a", 11.0)) is left


def test_a_rule_may_give_its_own_time() -> None:
    nftables = having(table("update @a { ip saddr timeout 1m }", a=affinity()))
    dropped(nftables)
    assert nftables.learned(PLACE, "a", 59.0) == {"10.0.0.1": 60.0}


def test_without_a_timeout_an_element_stays() -> None:
    nftables = having(both(a=affinity(header=("type ipv4_addr", "flags dynamic"))))
    assert [dropped(nftables, now=now) for now in (0.0, 1e9)] == [False, True]


def test_a_listed_element_lives_as_long_as_the_listing_says() -> None:
    nftables = having(table(ASK, a=affinity("10.0.0.1 expires 5s", "10.0.0.2 timeout 1m expires 7s", "10.0.0.3")))
    assert dropped(nftables, "10.0.0.9", now=100.0) is False, "the first packet starts the clock"
    told = {"10.0.0.1": 104.9, "10.0.0.2": 106.9, "10.0.0.3": 109.9}
    for source, now in told.items():
        assert dropped(nftables, source, now=now)
        assert not dropped(nftables, source, now=now + 0.2)


def test_a_full_set_learns_again_when_something_ended() -> None:
    header = ("type ipv4_addr", "size 2", "flags dynamic,timeout", "timeout 10s")
    nftables = having(table("update @a { ip saddr } drop", a=affinity(header=header)))
    assert [
        dropped(nftables, f"10.0.0.{host}", now=now) for host, now in ((1, 0), (2, 5), (3, 9), (1, 9), (3, 15))
    ] == [
        True,
        True,
        False,
        True,
        True,
    ]


def test_what_was_learned_outlives_a_change_of_other_rules() -> None:
    nftables = having(both(a=affinity()))
    dropped(nftables)
    nftables.load((both(a=affinity(), b=affinity()),))
    assert dropped(nftables, now=1.0)
    nftables.load((both(a=affinity("10.0.0.7")),))
    assert dropped(nftables, now=1.0)
    assert dropped(nftables, "10.0.0.7", now=1.0)


@pytest.mark.parametrize("gap", [(), (both(a=affinity("10.0.0.7")),)])
def test_what_was_learned_goes_with_its_set(gap: tuple[NftTableText, ...]) -> None:
    slower = affinity(header=(*AFFINITY[:2], "timeout 20s"))
    for after in ((both(a=slower),), (both(), both(a=affinity())), ((), both(a=affinity()))):
        nftables = having(both(a=affinity()))
        dropped(nftables)
        for tables in (*gap, *after):
            nftables.load((tables,) if tables else ())
        assert not dropped(nftables, now=1.0)


def test_a_copy_learns_on_its_own() -> None:
    nftables = having(both(a=affinity()))
    dropped(nftables)
    twin = nftables.copy()
    dropped(twin, "10.0.0.2")
    assert dropped(twin, now=1.0)
    assert set(twin.learned(PLACE, "a", 1.0)) == {"10.0.0.1", "10.0.0.2"}
    assert set(nftables.learned(PLACE, "a", 1.0)) == {"10.0.0.1"}
    twin.load((both(),))
    assert nftables.learned(PLACE, "a", 1.0)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The text of every element line that is read."""
    texts: list[str] = []

    def noting(place: str, one: Set, line: Line, number: int) -> Element:
        texts.append(line.text)
        return element_of(place, one, line, number)

    monkeypatch.setattr("packetsim.kernel.nftables.sets.element_of", noting)
    yield texts


def test_only_new_lines_are_read_after_a_change(read: list[str]) -> None:
    lines = [Line(f"10.96.{high}.{low} : drop") for high in range(4) for low in range(250)]

    def using(*elements: Line) -> NftTableText:
        return table("ip daddr vmap @m", m=NftSetText("map", ("type ipv4_addr : verdict",), elements))

    nftables = having(using(*lines))
    assert not read, "a map is read when it is first asked"
    assert dropped(nftables, destination="10.96.0.7")
    assert len(read) == 1000
    read.clear()
    nftables.load((using(*lines[:7], *lines[8:], Line("10.96.9.9 : drop")),))
    assert not dropped(nftables, destination="10.96.0.7")
    assert dropped(nftables, destination="10.96.9.9")
    assert read == ["10.96.9.9 : drop"]
    moved = Line("10.96.9.9 : drop", (Origin("Service", "shop", "web", "spec.clusterIP"),))
    nftables.load((using(moved),))
    dropped(nftables)
    assert read == ["10.96.9.9 : drop"] * 2, "a line with another origin is another line"


def test_a_chain_is_read_when_a_packet_first_enters_it() -> None:
    wrong = replace(
        table("jump d"),
        chains={"c": NftChainText((BASE,), (Line("counter"),)), "d": NftChainText((), (Line("queue"),))},
    )
    nftables = having(wrong)
    assert not dropped(nftables)
    entering = replace(wrong, chains={**wrong.chains, "c": NftChainText((BASE,), (Line("jump d"),))})
    nftables.load((entering,))
    with pytest.raises(RuleTextError, match="ip t/d rule 1"):
        dropped(nftables)


def test_changed_chains_are_read_again_and_gone_ones_forgotten() -> None:
    nftables = having(table("drop"))
    assert dropped(nftables)
    nftables.load((table("accept"),))
    assert not dropped(nftables)
    nftables.load((NftTableText("ip", "t", ""),))
    assert nftables.base_chains(Hook.PREROUTING, 4) == []


def test_intervals_are_found_by_their_ends() -> None:
    spans = NftSetText(
        "set",
        ("type ipv4_addr", "flags interval"),
        tuple(Line(text) for text in ("10.0.0.9", "10.0.0.4/30", "0.0.0.0/8", "10.0.1.0-10.0.1.1", "255.0.0.0/8")),
    )
    nftables = having(table("ip saddr @s drop", s=spans))
    inside = ["10.0.0.4", "10.0.0.7", "10.0.0.9", "0.0.0.0", "0.255.255.255", "10.0.1.1", "255.255.255.255"]
    outside = ["10.0.0.3", "10.0.0.8", "10.0.0.10", "1.0.0.0", "10.0.1.2", "254.255.255.255"]
    assert [source for source in inside + outside if dropped(nftables, source)] == inside


REFUSED = (
    (NftSetText("set", ("typeof ip saddr",)), "the set has no type; `typeof` is not modelled"),
    (NftSetText("set", ("type ether_addr",)), 'type "ether_addr" is not modelled; known are ipv4_addr'),
    (NftSetText("set", ("type ipv4_addr", "flags strange")), 'flag "strange" is not modelled'),
    (NftSetText("set", ("type ipv4_addr", "counter")), '"counter" is not modelled; leave it out of the set'),
    (NftSetText("set", ("type ipv4_addr : verdict",)), '": verdict" is not modelled at the end'),
    (NftSetText("map", ("type ipv4_addr",)), "ends too early"),
    (NftSetText("map", ("type ipv4_addr : verdict", "timeout 5s")), "a map whose elements time out is not modelled"),
    (affinity("10.0.0.300"), '"10.0.0.300" is no ipv4_addr'),
    (affinity("fd00::1"), '"fd00::1" is no ipv4_addr'),
    (affinity("10.0.0.1 counter packets 0 bytes 0"), '"counter packets 0 bytes 0" is not modelled at the end'),
    (affinity("10.0.0.1 expires soon"), '"soon" is no time'),
    (affinity('10.0.0.1 comment "x'), "every quote must be closed"),
    (affinity("10.0.0.1 comment x"), "x needs double quotes"),
    (NftSetText("map", ("type ipv4_addr : verdict",), (Line("10.0.0.1 : queue"),)), 'verdict "queue" is not modelled'),
    (NftSetText("map", ("type ipv4_addr : verdict",), (Line("10.0.0.1 , drop"),)), '"," stands where ":" belongs'),
    (
        NftSetText("map", ("type ipv4_addr : verdict",), (Line("10.0.0.0/8 : drop"), Line("10.1.0.0/16 : accept"))),
        "intervals 10.0.0.0/8 and 10.1.0.0/16 overlap",
    ),
    (
        NftSetText("set", ("type ipv4_addr . inet_service",), (Line("10.0.0.0/8 . 80"),)),
        "interval 10.0.0.0/8 inside a joined key is not modelled",
    ),
)


@pytest.mark.parametrize(("one", "message"), REFUSED)
def test_what_is_not_modelled_of_a_set_is_refused(one: NftSetText, message: str) -> None:
    nftables = having(table("ip saddr vmap @a" if one.keyword == "map" else ASK, a=one))
    with pytest.raises(RuleTextError) as refusal:
        dropped(nftables)
    assert message in str(refusal.value)
    assert refusal.value.place.startswith(PLACE)


def test_a_joined_key_finds_nothing_among_intervals() -> None:
    nftables = having(table("ip saddr . ip daddr @s drop", s=affinity("10.0.0.0/8", header=("type ipv4_addr",))))
    with pytest.raises(RuleTextError, match="a joined key is looked up among single ipv4_addrs"):
        dropped(nftables)


def test_a_listing_is_refused_by_element() -> None:
    text = "table ip t {\n\tset s {\n\t\ttype inet_service\n\t\telements = { 1, 2,\n\t\t\t     70000 }\n\t}\n}\n"
    with pytest.raises(RuleTextError) as refusal:
        LoadedSet(PLACE, "s", cut(text)[0].sets["s"], None)
    assert str(refusal.value).startswith('ip t set s element 3: "70000" is no inet_service')
