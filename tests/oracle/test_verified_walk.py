"""`trace --verify`: what is printed of a kernel's word, and a real kernel that says yes, and no to a planted fault."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from packetsim import cli
from packetsim.cli import main
from packetsim.oracle.comparison import Difference
from packetsim.oracle.verified_walk import VerifiedWalk
from packetsim.packet import Packet
from tests.oracle.guest import scene
from tests.packetsim import walks

SHOP = str(Path(__file__).parents[2] / "shop.yaml")
WEB = ["trace", SHOP, "--from", "shop/client", "--to", "shop/web"]
FAR = ["trace", SHOP, "--from", "shop/client", "--to", "10.244.2.2:8080"]
WORDS = {(0, 0, 0): "agrees", (0, 0, 3): "agrees", (0, 0, 4): "differs"}
OTHER = Difference("rules", "node1", "another rule", "this one", 3)
Captured = pytest.CaptureFixture[str]
Judged = Callable[[Difference | None], None]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judged:
    """No kernel is asked: the hand-made walk is what one is said to have found."""

    def say(difference: Difference | None) -> None:
        words = WORDS if difference else dict.fromkeys(WORDS, "agrees")
        walk = VerifiedWalk("6.1.0-56-cloud-amd64", walks.trace(), words, difference)
        monkeypatch.setattr(cli, "start_judge", nullcontext)
        monkeypatch.setattr(cli, "verified_walk", lambda *asked: walk)

    return say


def test_steps_have_the_kernels_mark_and_the_difference_is_told_at_the_end(judged: Judged, capsys: Captured) -> None:
    judged(OTHER)
    assert main([*WEB, "--verify"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Judged by Linux 6.1.0-56-cloud-amd64: ✓ it did the same, ✗ it did not."
    assert "      nat KUBE-SERVICES: rule 2433 matches: jump ✓" in lines
    assert "      destination translated by the rule: 10.96.100.10:80 → 10.244.2.2:8080 ✗" in lines
    assert "    nothing is registered here" in lines
    assert lines[-1] == "THE KERNEL DIFFERS: rules at node1: the kernel has another rule; we have this one"


def test_a_kernel_that_agrees_is_told(judged: Judged, capsys: Captured) -> None:
    judged(None)
    assert main([*WEB, "--verify"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("✗") == 1  # what it would mean
    assert printed.endswith("\nThe kernel agrees.\n")


def test_where_marks_cannot_be_printed_they_are_words(judged: Judged, monkeypatch: pytest.MonkeyPatch) -> None:
    judged(OTHER)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", errors="replace", write_through=True))
    assert main([*WEB, "--verify"]) == 1
    assert b"rule 2433 matches: jump [agrees]\n" in written.getvalue()
    assert b"10.244.2.2:8080 [differs]\n" in written.getvalue()


def test_json_has_a_word_for_each_step_and_who_judged(judged: Judged, tmp_path: Path, capsys: Captured) -> None:
    judged(OTHER)
    file = tmp_path / "walk.pcapng"
    assert main([*WEB, "--verify", "--json", "--pcap", str(file)]) == 1
    found = json.loads(capsys.readouterr().out)
    words = [step["kernel"] for step in found["legs"][0]["hops"][0]["steps"]]
    assert words == ["agrees", None, None, "agrees", "differs", *[None] * 9]
    assert found["verified"] == {
        "kernel": "6.1.0-56-cloud-amd64",
        "agrees": False,
        "difference": {"aspect": "rules", "place": "node1", "kernel": "another rule", "ours": "this one"},
    }
    assert file.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    judged(None)
    assert main([*WEB, "--verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verified"]["difference"] is None


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        (["--verify", "--outcomes"], "Leave out one of them."),
        (["--verify", "--seed", "3"], "the kernel rolls the dice. Leave out --seed."),
        (["--kernel", "own"], "Add --verify."),
    ],
)
def test_options_at_odds_are_refused(options: list[str], cure: str, capsys: Captured) -> None:
    assert main([*WEB, *options]) == 2
    printed = capsys.readouterr()
    assert cure in printed.err
    assert printed.out == ""


class Lame:
    """A kernel that can do nothing beyond TCP and UDP."""

    def ask(self, do: str, /, *, within: float = 0, **fields: object) -> dict[str, Any]:
        assert do == "hello"
        return {"kernel": "6.1.0", "can": []}


def test_what_a_kernel_lacks_is_told_with_the_cure(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(cli, "start_judge", lambda kind: nullcontext(Lame()))
    assert main([*WEB, "--mode", "ipvs", "--verify", "--kernel", "own"]) == 2
    assert "(6.1.0) has no IPVS. Ask that of the virtual machine (--kernel vm)" in capsys.readouterr().err


# ---- a real kernel ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    code: int
    data: dict[str, Any]

    @property
    def steps(self) -> list[dict[str, Any]]:
        legs = self.data["legs"]
        return [step | {"place": hop["place"]} for leg in legs for hop in leg["hops"] for step in hop["steps"]]


def asked(arguments: list[str], capsys: Captured) -> Told:
    code = main([*arguments, "--verify", "--kernel", "own", "--json"])
    return Told(code, json.loads(capsys.readouterr().out))


live = pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())


@live
@pytest.mark.parametrize("mode", ["iptables", "nftables", "userspace"])
def test_a_real_kernel_agrees_and_we_take_its_branch(mode: str, capsys: Captured) -> None:
    told = asked([*WEB, "--mode", mode], capsys)
    assert (told.code, told.data["verified"]["agrees"], told.data["flow"]["source_port"]) == (0, True, 40000)
    rules = [step for step in told.steps if step["detail"]["kind"] == "rule_tried" and step["detail"]["matched"]]
    assert len(rules) >= 5 and {step["kernel"] for step in rules} == {"agrees"}
    assert {step["kernel"] for step in told.steps} == {"agrees", None}


@live
def test_a_real_kernel_says_no_to_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    """Our node forwards without counting down the TTL: the first chain that sees it tells."""
    monkeypatch.setattr(Packet, "hopped", lambda packet: packet)
    told = asked(FAR, capsys)
    assert told.code == 1
    assert told.data["verified"]["difference"]["place"].startswith("node")
    wrong = next(step for step in told.steps if step["kernel"] == "differs")
    assert (wrong["place"], wrong["hook"], wrong["detail"]["chain"]) == ("node1", "forward", "FORWARD")
    later = told.steps[told.steps.index(wrong) + 1 :]
    assert not [
        step for step in later if step["place"] == "node1" and step["detail"]["kind"] == "rule_tried" and step["kernel"]
    ]
