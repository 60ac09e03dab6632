"""Rule: how a packet goes from chain to chain, and what of that becomes a step."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.nftables.traverse import Nftables
from packetsim.kernel.visit import ACCEPT, Outcome, Verdict, Visit
from packetsim.packet import Packet
from packetsim.ruletext import Line, NftChainText, NftSetText, NftTableText, Origin
from packetsim.trace import ChainEnded, RulesMissed, RuleTried
from tests.packetsim.kernel.nftables.worked import loaded, packet, tried, visit

BASE = "type filter hook prerouting priority filter; policy accept;"
PLAIN = packet("10.244.1.9", "10.96.0.1")


def listing(
    *rules: str, base: str = BASE, deep: Mapping[str, tuple[str, ...]] = MappingProxyType({}), **chains: tuple[str, ...]
) -> str:
    """A table whose base chain `c` has these rules, and these other chains."""
    blocks = {"c": (base, *rules), **deep, **chains}
    text = "".join(f"\tchain {name} {{\n\t\t" + "\n\t\t".join(lines) + "\n\t}\n" for name, lines in blocks.items())
    return f"table ip t {{\n{text}}}\n"


def walked(text: str, one: Packet = PLAIN) -> tuple[Verdict, Visit]:
    it = visit(one)
    [base] = loaded(text).base_chains(Hook.PREROUTING, 4)
    return base.run(it), it


def test_a_policy_decides_where_no_rule_does() -> None:
    dropping = BASE.replace("accept", "drop")
    assert walked(listing("ip daddr 9.9.9.9 accept"))[0] == ACCEPT
    verdict, it = walked(listing("ip daddr 9.9.9.9 accept", base=dropping))
    assert verdict == Verdict(Outcome.DROP, why="ip t/c policy drop")
    assert (it.steps or [])[-1].detail == ChainEnded("ip t", "c", None, "drop")
    assert walked(listing("return", "accept", base=dropping))[0].outcome is Outcome.DROP


def test_a_verdict_tells_its_rule() -> None:
    assert walked(listing("counter", "jump d", d=("counter", "drop")))[0] == Verdict(Outcome.DROP, why="ip t/d rule 2")
    assert walked(listing("accept"))[0] == Verdict(Outcome.ACCEPT, why="ip t/c rule 1")


def test_the_end_of_a_goto_goes_back_behind_the_last_jump() -> None:
    verdict, it = walked(listing("jump d", "drop", d=("goto e", "accept"), e=("counter",)))
    assert verdict.why == "ip t/c rule 2"
    assert tried(it) == ["c 1 -> jump d", "d 1 -> goto e", "e 1 -> continue", "e ended -> c", "c 2 -> drop"]


def test_a_goto_from_the_base_chain_ends_at_the_policy() -> None:
    verdict, it = walked(listing("goto d", "accept", base=BASE.replace("accept", "drop"), d=("counter",)))
    assert verdict.why == "ip t/c policy drop"
    assert tried(it)[-1] == "d ended -> drop"


def test_return_says_so_and_goes_on_behind_the_jump() -> None:
    _, it = walked(listing("jump d", "log", d=("return", "drop")))
    assert tried(it) == ["c 1 -> jump d", "d 1 -> return", "c 2 -> log", "c ended -> accept"]


def test_an_effect_stands_before_the_verdict() -> None:
    _, it = walked(listing('ip daddr 10.96.0.1 meta mark set 0x00000001 log prefix "x" goto d', d=("counter",)))
    assert tried(it)[0] == 'c 1 -> meta mark set 0x00000001 log prefix "x" goto d'


def test_eight_misses_are_one_step_that_unfolds() -> None:
    rules = [f"ip daddr 9.9.9.{number} drop" for number in range(1, 9)]
    _, it = walked(listing("log", *rules, "meta mark set 0x00000001", "ip saddr 9.9.9.9 drop"))
    assert tried(it) == [
        "c 1 -> log",
        "c 2-9 missed",
        "c 10 -> meta mark set 0x00000001",
        "c 11: source 10.244.1.9, not 9.9.9.9",
        "c ended -> accept",
    ]
    [run] = [step.detail for step in it.steps or () if isinstance(step.detail, RulesMissed)]
    assert run.count == 8
    unfolded = run.expand()
    assert [rule.number for rule in unfolded] == list(range(2, 10))
    assert unfolded[7] == RuleTried("ip t", "c", 9, rules[7], False, "destination 10.96.0.1, not 9.9.9.8")


def test_seven_misses_are_seven_steps() -> None:
    _, it = walked(listing(*[f"ip daddr 9.9.9.{number} drop" for number in range(7)]))
    assert len(it.steps or ()) == 8


def test_a_run_of_misses_unfolds_to_what_held_when_the_packet_went_by() -> None:
    rules = [f"meta mark {number:#010x} drop" for number in range(1, 9)]
    _, it = walked(listing(*rules, "meta mark set 0x00000005"))
    [run] = [step.detail for step in it.steps or () if isinstance(step.detail, RulesMissed)]
    it.packet = packet("1.1.1.1", "2.2.2.2", mark=5)
    assert run.expand()[4].why == "mark 0x0, not 0x00000005"


def test_a_rule_that_misses_after_changing_the_mark_shows_the_change() -> None:
    _, it = walked(listing("meta mark 0x00000009 drop", "meta mark set 0x00000005 ip daddr 9.9.9.9 drop", "log"))
    assert tried(it)[:2] == ["c 1: mark 0x0, not 0x00000009", "c 2: destination 10.96.0.1, not 9.9.9.9"]
    assert [(step.before.mark, step.after.mark) for step in it.steps or ()] == [(0, 0), (0, 5), (5, 5), (5, 5)]


def test_hits_count_matches_while_steps_are_recorded() -> None:
    nftables = loaded(listing("ip daddr 9.9.9.9 drop", "jump d", d=("log",)))
    [base] = nftables.base_chains(Hook.PREROUTING, 4)
    base.run(visit(PLAIN))
    base.run(visit(PLAIN))
    base.run(visit(PLAIN, recorded=False))
    assert nftables.hits == {("ip t", "c", 2): 2, ("ip t", "d", 1): 2}


def test_base_chains_of_the_hook_and_family_by_priority() -> None:
    text = "".join(
        f"table {family} {name} {{\n\tchain {chain} {{\n\t\ttype {kind} hook {hook} priority {priority};\n\t}}\n}}\n"
        for family, name, chain, kind, hook, priority in (
            ("ip", "a", "late", "filter", "prerouting", "50"),
            ("ip", "b", "older", "filter", "prerouting", "0"),
            ("ip", "c", "newer", "nat", "prerouting", "filter"),
            ("ip", "d", "early", "filter", "prerouting", "dstnat - 10"),
            ("ip", "e", "elsewhere", "filter", "input", "0"),
            ("ip6", "a", "six", "filter", "prerouting", "0"),
        )
    )
    nftables = loaded(text)
    found = [(base.priority, base.name, base.kind) for base in nftables.base_chains(Hook.PREROUTING, 4)]
    assert found == [(-110, "early", "filter"), (0, "newer", "nat"), (0, "older", "filter"), (50, "late", "filter")]
    assert [base.name for base in nftables.base_chains(Hook.PREROUTING, 6)] == ["six"]
    assert [len(nftables.texts(family)) for family in (4, 6)] == [5, 1]
    assert not Nftables().texts(4)


def test_chains_that_call_each_other_are_refused() -> None:
    with pytest.raises(RuleTextError, match="15 chains deep, or calls itself; the kernel refuses that too") as refusal:
        walked(listing("goto d", d=("goto e",), e=("goto d",)))
    assert refusal.value.place.endswith("rule 1")


def test_fifteen_chains_deep_is_the_most() -> None:
    deep = {f"d{level}": (f"jump d{level + 1}",) for level in range(1, 15)}
    assert walked(listing("jump d1", deep=deep, d15=("drop",)))[0].outcome is Outcome.DROP
    with pytest.raises(RuleTextError, match="d16 is more than 15 chains deep"):
        walked(listing("jump d1", deep=deep, d15=("jump d16",), d16=("drop",)))


def test_a_step_tells_what_made_the_element_and_the_rule() -> None:
    element, member, rule = (Origin("Service", "shop", "web", field) for field in ("ports", "clusterIP", "rule"))
    table = NftTableText(
        "ip",
        "t",
        "",
        {
            "m": NftSetText("map", ("type ipv4_addr : verdict",), (Line("10.96.0.1 : goto d", (element,)),)),
            "s": NftSetText("set", ("type ipv4_addr",), (Line("10.96.0.1", (member,)),)),
        },
        {
            "c": NftChainText((BASE,), (Line("ip daddr vmap @m", (rule,)),)),
            "d": NftChainText((), (Line("ip saddr != @s ip daddr @s drop", (rule,)), Line("log", (rule,)))),
        },
    )
    nftables = Nftables()
    nftables.load((table,))
    it = visit(PLAIN)
    nftables.base_chains(Hook.PREROUTING, 4)[0].run(it)
    origins = [step.detail.origins for step in it.steps or () if isinstance(step.detail, RuleTried)]
    assert origins == [(element, rule), (member, rule)]
