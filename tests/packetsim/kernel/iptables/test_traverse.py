"""How a packet walks chains: jumps, returns, gotos, policies, targets; and what a change of rules keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from packetsim.errors import RuleTextError
from packetsim.hooks import Hook
from packetsim.kernel.iptables.model import Rule
from packetsim.kernel.iptables.text import split
from packetsim.kernel.iptables.traverse import Ruleset
from packetsim.kernel.iptables.usual import read_rule
from packetsim.kernel.visit import ACCEPT, Outcome, Translation, Verdict
from packetsim.ruletext import ChainText, Line, Origin
from packetsim.trace import RuleTried
from tests.packetsim.kernel.iptables.lab import POD, a_visit, nat, rules, walk


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(
            ["-A PREROUTING -j A", "-A PREROUTING -j ACCEPT", "-A A -j RETURN", "-A A -j DROP"],
            ["PREROUTING 1 + jump A", "A 1 + RETURN", "PREROUTING 2 + ACCEPT"],
            id="RETURN goes back to the caller's next rule",
        ),
        pytest.param(
            ["-A PREROUTING -j A", "-A PREROUTING -j ACCEPT", "-A A -s 1.1.1.1/32 -j DROP"],
            [
                "PREROUTING 1 + jump A",
                "A 1 - source 10.244.1.9, not 1.1.1.1",
                "A ends, back to PREROUTING",
                "PREROUTING 2 + ACCEPT",
            ],
            id="so does the end of a chain",
        ),
        pytest.param(
            ["-A PREROUTING -j A", "-A A -j EMPTY", "-A EMPTY", "-A A -j ACCEPT"],
            ["PREROUTING 1 + jump A", "A 1 + jump EMPTY", "EMPTY 1 + counted", "EMPTY ends, back to A", "A 2 + ACCEPT"],
            id="a rule without a target only counts",
        ),
        pytest.param(
            ["-A PREROUTING -j A", "-A PREROUTING -j ACCEPT", "-A A -g B", "-A A -j DROP", "-A B"],
            [
                "PREROUTING 1 + jump A",
                "A 1 + goto B",
                "B 1 + counted",
                "B ends, back to PREROUTING",
                "PREROUTING 2 + ACCEPT",
            ],
            id="the end of a chain reached by goto goes to the caller's caller",
        ),
        pytest.param(
            ["-A PREROUTING -g A", "-A PREROUTING -j DROP", "-A A -j RETURN"],
            ["PREROUTING 1 + goto A", "A 1 + RETURN", "A ends, policy ACCEPT"],
            id="goto from a built-in chain ends at the policy",
        ),
        pytest.param(
            ["-A PREROUTING -j RETURN", "-A PREROUTING -j DROP"],
            ["PREROUTING 1 + RETURN", "PREROUTING ends, policy ACCEPT"],
            id="RETURN in a built-in chain leaves it to the policy",
        ),
        pytest.param(
            ["-A PREROUTING -j A", "-A PREROUTING -j A", "-A A"],
            ["PREROUTING 1 + jump A", "A 1 + counted", "A ends, back to PREROUTING"] * 1
            + [
                "PREROUTING 2 + jump A",
                "A 1 + counted",
                "A ends, back to PREROUTING",
                "PREROUTING ends, policy ACCEPT",
            ],
            id="a chain may be entered again",
        ),
    ],
)
def test_the_way_through_chains(lines: list[str], expected: list[str]) -> None:
    ruleset = rules(nat(*lines))
    _, steps = walk(ruleset, "nat", a_visit())
    assert steps == expected
    unwatched = a_visit(steps=None)
    assert ruleset.run("nat", unwatched) == ruleset.run("nat", a_visit())


def test_an_empty_chain_is_worth_a_step_only_where_its_policy_decides() -> None:
    text = "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n-A PREROUTING -j A\nCOMMIT\n"
    _, steps = walk(rules(text), "nat", a_visit())
    assert steps == ["PREROUTING 1 + jump A", "PREROUTING ends, policy ACCEPT"]
    assert walk(rules("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"), "nat", a_visit()) == (
        ACCEPT,
        ["PREROUTING ends, policy ACCEPT"],
    )


def test_a_policy_may_drop() -> None:
    verdict, steps = walk(rules("*filter\n:INPUT DROP [0:0]\nCOMMIT\n"), "filter", a_visit(hook=Hook.INPUT))
    assert verdict == Verdict(Outcome.DROP, why="filter/INPUT policy DROP")
    assert steps == ["INPUT ends, policy DROP"]


def test_where_no_chain_hangs_everything_is_accepted() -> None:
    ruleset = rules(nat("-A PREROUTING -j DROP"))
    assert ruleset.tables == ("nat",)
    assert walk(ruleset, "nat", a_visit(hook=Hook.OUTPUT)) == (ACCEPT, [])
    assert walk(ruleset, "filter", a_visit(hook=Hook.INPUT)) == (ACCEPT, [])


HERE = "filter/INPUT rule 1"
NAT = {hook: f"nat/{hook.chain} rule 1" for hook in Hook}


@pytest.mark.parametrize(
    ("table", "hook", "rule", "effect", "verdict"),
    [
        ("filter", Hook.INPUT, "-j ACCEPT", "ACCEPT", Verdict(Outcome.ACCEPT, why=HERE)),
        ("filter", Hook.INPUT, "-j DROP", "DROP", Verdict(Outcome.DROP, why=HERE)),
        (
            "filter",
            Hook.INPUT,
            "-p tcp -j REJECT --reject-with tcp-reset",
            "REJECT with tcp-reset",
            Verdict(Outcome.REJECT, reject_with="tcp-reset", why=HERE),
        ),
        (
            "nat",
            Hook.OUTPUT,
            "-p tcp -j DNAT --to-destination 1.2.3.4:80",
            "DNAT to 1.2.3.4:80",
            Verdict(Outcome.TRANSLATE, Translation("dnat", "1.2.3.4", 80), why=NAT[Hook.OUTPUT]),
        ),
        (
            "nat",
            Hook.PREROUTING,
            "-p tcp -j DNAT --to-destination :80",
            "DNAT to :80",
            Verdict(Outcome.TRANSLATE, Translation("dnat", None, 80), why=NAT[Hook.PREROUTING]),
        ),
        (
            "nat",
            Hook.POSTROUTING,
            "-j SNAT --to-source 1.2.3.4 --random",
            "SNAT to 1.2.3.4",
            Verdict(Outcome.TRANSLATE, Translation("snat", "1.2.3.4", None, True), why=NAT[Hook.POSTROUTING]),
        ),
        (
            "nat",
            Hook.POSTROUTING,
            "-j MASQUERADE",
            "MASQUERADE",
            Verdict(Outcome.TRANSLATE, Translation("masquerade"), why=NAT[Hook.POSTROUTING]),
        ),
        (
            "nat",
            Hook.PREROUTING,
            "-p tcp -j REDIRECT --to-ports 41235",
            "REDIRECT to port 41235",
            Verdict(Outcome.TRANSLATE, Translation("redirect", None, 41235), why=NAT[Hook.PREROUTING]),
        ),
        (
            "nat",
            Hook.PREROUTING,
            "-j REDIRECT",
            "REDIRECT",
            Verdict(Outcome.TRANSLATE, Translation("redirect"), why=NAT[Hook.PREROUTING]),
        ),
    ],
)
def test_a_target_decides(table: str, hook: Hook, rule: str, effect: str, verdict: Verdict) -> None:
    ruleset = rules(f"*{table}\n:{hook.chain} ACCEPT [0:0]\n-A {hook.chain} {rule}\nCOMMIT\n")
    assert walk(ruleset, table, a_visit(hook=hook)) == (verdict, [f"{hook.chain} 1 + {effect}"])


@pytest.mark.parametrize(
    ("before", "rule", "after", "effect"),
    [
        (0x1, "--or-mark 0x4000", 0x4001, "mark set 0x4000"),
        (0x4001, "--xor-mark 0x4000", 0x1, "mark flipped 0x4000"),
        (0x1, "--set-mark 0x10", 0x10, "mark set to 0x10"),
        (0xFF, "--and-mark 0x0f", 0x0F, "mark cleared 0xfffffff0"),
        (0xFF, "--set-xmark 0x1/0xf", 0xF1, "mark set 0x1/0xf"),
        (0x4000, "--or-mark 0x4000", 0x4000, "mark set 0x4000"),
    ],
)
def test_a_mark_is_changed_and_the_walk_goes_on(before: int, rule: str, after: int, effect: str) -> None:
    visit = a_visit(POD.with_mark(before))
    _, steps = walk(rules(nat(f"-A PREROUTING -j MARK {rule}", "-A PREROUTING -j ACCEPT")), "nat", visit)
    assert visit.packet.mark == after
    assert steps == [f"PREROUTING 1 + {effect}", "PREROUTING 2 + ACCEPT"]


def test_a_later_rule_sees_the_new_mark() -> None:
    lines = ["-A PREROUTING -j MARK --or-mark 0x4000", "-A PREROUTING -m mark --mark 0x4000/0x4000 -j ACCEPT"]
    assert walk(rules(nat(*lines)), "nat", a_visit())[1][-1] == "PREROUTING 2 + ACCEPT"


def test_a_step_says_what_made_the_rule() -> None:
    origin = Origin("Service", "shop", "web", "spec.clusterIP")
    ruleset = Ruleset(4)
    ruleset.load({"nat": {"PREROUTING": ChainText("ACCEPT", (Line("-A PREROUTING -j ACCEPT", (origin,)),))}})
    visit = a_visit()
    ruleset.run("nat", visit)
    step = (visit.steps or [])[0]
    assert step.detail == RuleTried("nat", "PREROUTING", 1, "-A PREROUTING -j ACCEPT", True, "", "ACCEPT", (origin,))
    assert (step.hook, step.before, step.after) == (Hook.PREROUTING, POD, POD)


# ---- what Linux would not have loaded -------------------------------------------------------------


@pytest.mark.parametrize("jump", ["-j", "-g"])
def test_a_loop_is_refused_however_it_is_met(jump: str) -> None:
    text = nat("-A PREROUTING -j A", f"-A A {jump} B", f"-A B {jump} A")
    with pytest.raises(RuleTextError, match="loop, A -> B -> A, which the kernel refuses"):
        rules(text).run("nat", a_visit())
    with pytest.raises(RuleTextError, match="make a loop"):
        rules(text).parse_all()


def test_a_target_out_of_place_is_refused_when_reached() -> None:
    lines = ["-A PREROUTING -j A", "-A A -j MASQUERADE"]
    with pytest.raises(
        RuleTextError, match="nat/A rule 1: MASQUERADE was reached from PREROUTING; it is for POSTROUTING"
    ):
        rules(nat(*lines)).run("nat", a_visit())


@pytest.mark.parametrize("steps", [[], None])
def test_a_set_that_is_not_there_is_refused(steps: list[object] | None) -> None:
    ruleset = rules(nat("-A PREROUTING", "-A PREROUTING -m set --match-set NONE dst,dst -j ACCEPT"))
    with pytest.raises(RuleTextError, match="nat/PREROUTING rule 2: set NONE does not exist"):
        ruleset.run("nat", a_visit(steps=steps))


def test_chains_are_read_when_met_and_all_of_them_on_demand() -> None:
    ruleset = rules(nat("-A PREROUTING -s 1.1.1.1/32 -j BAD", "-A BAD -m foo -j ACCEPT"))
    assert ruleset.run("nat", a_visit()) is ACCEPT
    with pytest.raises(RuleTextError, match='nat/BAD rule 1: match "foo" is not modelled'):
        ruleset.run("nat", a_visit(replace(POD, source="1.1.1.1")))
    with pytest.raises(RuleTextError, match='match "foo" is not modelled'):
        ruleset.parse_all()


def test_an_unknown_table_is_refused_at_once() -> None:
    with pytest.raises(RuleTextError, match="security: this table is not modelled"):
        Ruleset(4).load({"security": {}})


# ---- changes --------------------------------------------------------------------------------------


def test_a_change_is_followed() -> None:
    ruleset = rules(nat("-A PREROUTING -j A", "-A A -j ACCEPT"))
    assert walk(ruleset, "nat", a_visit())[1][-1] == "A 1 + ACCEPT"
    ruleset.load(split(nat("-A PREROUTING -j A", "-A A -s 1.1.1.1/32 -j ACCEPT", "-A A -j DROP")))
    assert walk(ruleset, "nat", a_visit())[1][-1] == "A 2 + DROP"
    ruleset.load({})
    assert ruleset.run("nat", a_visit()) is ACCEPT


def test_a_change_forgets_the_hits_of_the_chains_it_touches() -> None:
    before = dict(split(nat("-A PREROUTING -j A", "-A A -j RETURN")))
    ruleset = Ruleset(4)
    ruleset.load(before)
    ruleset.run("nat", a_visit())
    after = {"nat": {**before["nat"], "A": ChainText(None, (Line("-A A"), Line("-A A -j RETURN")))}}
    ruleset.load(after)
    assert ruleset.hits == {("nat", "PREROUTING", 1): 1}


def test_a_chain_that_vanished_is_missed_when_jumped_to() -> None:
    text = split(nat("-A PREROUTING -j A", "-A A -j ACCEPT"))
    ruleset = Ruleset(4)
    ruleset.load(text)
    ruleset.run("nat", a_visit())
    ruleset.load({"nat": {"PREROUTING": text["nat"]["PREROUTING"]}})
    with pytest.raises(RuleTextError, match="nat/A: a rule jumps here but there is no such chain"):
        ruleset.run("nat", a_visit())


def test_a_change_parses_only_the_lines_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noting(text: str, family: int, table: str, chain: str, number: int, origins: tuple[Origin, ...] = ()) -> Rule:
        read.append(text)
        return read_rule(text, family, table, chain, number, origins)

    monkeypatch.setattr("packetsim.kernel.iptables.text.read_rule", noting)
    lines = tuple(Line(f"-A PREROUTING -d 10.96.0.{number}/32 -j DROP") for number in range(100))
    other = ChainText("ACCEPT", (Line("-A OUTPUT -j ACCEPT"),))
    ruleset = Ruleset(4)
    ruleset.load({"nat": {"PREROUTING": ChainText("ACCEPT", lines), "OUTPUT": other}})
    ruleset.run("nat", a_visit())
    ruleset.run("nat", a_visit(hook=Hook.OUTPUT))
    assert len(read) == 101
    changed = (*lines[:50], Line("-A PREROUTING -d 10.97.0.1/32 -j DROP"), *lines[51:])
    ruleset.load({"nat": {"PREROUTING": ChainText("ACCEPT", changed), "OUTPUT": other}})
    ruleset.run("nat", a_visit())
    ruleset.run("nat", a_visit(hook=Hook.OUTPUT))
    assert read[101:] == ["-A PREROUTING -d 10.97.0.1/32 -j DROP"]


def test_recent_lists_go_with_the_last_rule_that_names_them() -> None:
    remember = "-m recent --set --name {0} --mask 255.255.255.255 --rsource"
    both = nat("-A PREROUTING -j A", f"-A A {remember.format('ONE')}", f"-A A {remember.format('TWO')}")
    ruleset = rules(both)
    ruleset.run("nat", a_visit())
    kept = nat("-A PREROUTING -j A", f"-A A {remember.format('TWO')}")
    assert ruleset.load(split(kept)) == {"ONE"}
    ruleset.run("nat", a_visit())
    assert ruleset.load(split(kept)) == frozenset()
    ruleset.run("nat", a_visit())
    assert ruleset.load({}) == {"TWO"}


def test_a_copy_shares_what_is_parsed_and_changes_alone() -> None:
    ruleset = rules(nat("-A PREROUTING -j DROP"))
    ruleset.run("nat", a_visit())
    twin = ruleset.copy()
    twin.load(split(nat("-A PREROUTING -j ACCEPT")))
    twin.run("nat", a_visit())
    assert ruleset.run("nat", a_visit(steps=None)).outcome is Outcome.DROP
    assert twin.run("nat", a_visit(steps=None)).outcome is Outcome.ACCEPT
    assert (ruleset.hits, twin.hits) == ({("nat", "PREROUTING", 1): 1}, {("nat", "PREROUTING", 1): 1})
