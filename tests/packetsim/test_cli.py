"""Rule: the command line says what it is asked, exits as promised, and never shows a traceback for bad input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from packetsim import __main__ as process
from packetsim import bench, progress
from packetsim.cli import main
from packetsim.kubeproxy.config import PARTS

ROOT = Path(__file__).parents[2]
SHOP = str(ROOT / "shop.yaml")
WEB = ["--from", "shop/client", "--to", "shop/web"]
OUTSIDE = ["--from", "192.168.10.50", "--via", "node2", "--to", "192.168.10.12:30080"]
WEB_PODS = {"10.244.1.2:8080", "10.244.2.2:8080", "10.244.2.3:8080"}
ALL_MODES = ("userspace", "iptables", "ipvs", "nftables")

Captured = pytest.CaptureFixture[str]


# ---- rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "headings"),
    [
        ("userspace", ["iptables-save"]),
        ("iptables", ["iptables-save"]),
        ("ipvs", ["ip -batch: the addresses on kube-ipvs0", "ipset save", "ipvsadm -Sn", "iptables-save"]),
        ("nftables", ["nft list ruleset"]),
    ],
)
def test_rules_prints_every_part_that_the_mode_writes(mode: str, headings: list[str], capsys: Captured) -> None:
    assert main(["rules", SHOP, "--node", "node1", "--mode", mode]) == 0
    printed = capsys.readouterr().out
    found = [line[2:] for line in printed.splitlines() if line.startswith("# ")]
    assert [one for one in found if one != "ip6tables-save"] == headings


@pytest.mark.parametrize(
    ("mode", "part", "first", "some"),
    [
        (
            "iptables",
            "iptables",
            "*mangle",
            '-A KUBE-SERVICES -d 10.96.100.10/32 -p tcp -m comment --comment "shop/web',
        ),
        ("ipvs", "addresses", "link add kube-ipvs0 type dummy", "address add 10.96.100.10/32 dev kube-ipvs0"),
        ("ipvs", "ipset", "create ", "add KUBE-CLUSTER-IP 10.96.100.10,tcp:80"),
        ("ipvs", "ipvs", "-A ", "-a -t 10.96.100.10:80 -r 10.244.2.2:8080"),
        ("nftables", "nft", "table ip kube-proxy {", "10.96.100.10 . tcp . 80 : goto service-"),
    ],
)
def test_a_part_is_printed_alone(mode: str, part: str, first: str, some: str, capsys: Captured) -> None:
    assert main(["rules", SHOP, "--node", "node1", "--mode", mode, "--part", part]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(first)
    assert some in printed.out
    assert not [line for line in printed.out.splitlines() if line.startswith("#")]


def test_a_part_that_the_mode_lacks_is_told_and_prints_nothing(capsys: Captured) -> None:
    assert main(["rules", SHOP, "--node", "node1", "--part", "nft"]) == 0
    assert capsys.readouterr() == ("", "kube-proxy in iptables mode leaves no nft part on node1\n")


def test_every_part_can_be_asked_for(capsys: Captured) -> None:
    for part in PARTS:
        assert main(["rules", SHOP, "--node", "node2", "--part", part]) == 0
    assert capsys.readouterr().out.startswith("*mangle")


# ---- trace --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ALL_MODES)
def test_a_walk_is_read_aloud(mode: str, capsys: Captured) -> None:
    assert main(["trace", SHOP, *WEB, "--mode", mode]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"shop/client (10.244.1.9) → 10.96.100.10:80, TCP, in {mode} mode\n")
    assert "\nREQUEST: TCP SYN 10.244.1.9:" in printed
    assert "\nREPLY: TCP SYN/ACK " in printed
    assert "The answer came" in printed
    assert "\033" not in printed


def test_the_mode_is_the_configurations_unless_asked_for(tmp_path: Path, capsys: Captured) -> None:
    configured = tmp_path / "shop.yaml"
    configured.write_text(Path(SHOP).read_text().replace("mode: iptables\nclusterCIDR", "mode: nftables\nclusterCIDR"))
    for asked, mode in (([], "nftables"), (["--mode", "userspace"], "userspace")):
        assert main(["trace", str(configured), *WEB, *asked]) == 0
        assert capsys.readouterr().out.splitlines()[0].endswith(f"in {mode} mode")


def test_the_same_seed_walks_the_same_way(capsys: Captured) -> None:
    walks = []
    for seed in ("1", "1", *map(str, range(2, 12))):
        main(["trace", SHOP, *WEB, "--seed", seed, "--json"])
        walks.append(json.loads(capsys.readouterr().out))
    assert walks[0] == walks[1]
    assert {walk["endpoint"] for walk in walks} == WEB_PODS


def test_json_is_the_trace_model(capsys: Captured) -> None:
    assert main(["trace", SHOP, *OUTSIDE, "--json"]) == 0
    trace = json.loads(capsys.readouterr().out)
    assert (trace["disposition"], trace["masqueraded"], trace["flow"]["via"]) == ("delivered", True, "node2")
    assert [hop["place"] for hop in trace["legs"][0]["hops"]][:2] == ["192.168.10.50", "node2"]


def test_a_walk_that_ends_badly_is_no_error(capsys: Captured) -> None:
    assert main(["trace", SHOP, "--from", "shop/client", "--to", "10.244.2.2:9999"]) == 0
    assert "Refused at 10.244.2.2:9999" in capsys.readouterr().out


def test_outcomes_are_exact(capsys: Captured) -> None:
    assert main(["trace", SHOP, *WEB, "--outcomes"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["PROBABILITY", "OUTCOME", "ENDPOINT", "SOURCE", "SEEN", "MASQUERADED"]
    assert {row.split()[2] for row in table[1:4]} == WEB_PODS
    assert {tuple(row.split()[:2]) for row in table[1:4]} == {("1/3", "delivered")}
    assert "whole-number dice" in table[4]


def test_an_outcome_that_is_not_delivered_says_why(capsys: Captured) -> None:
    assert main(["trace", SHOP, "--from", "shop/client", "--to", "10.244.2.2:9999", "--outcomes"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[1].split()[:3] == ["1", "refused", "10.244.2.2:9999"]
    assert "\nrefused: " in printed


def test_outcomes_as_json(capsys: Captured) -> None:
    assert main(["trace", SHOP, *WEB, "--outcomes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["mode"], found["flow"]["destination"]) == ("iptables", "10.96.100.10")
    assert [one["probability"] for one in found["outcomes"]] == ["1/3"] * 3


def test_a_walk_is_written_as_pcapng(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "walk.pcapng"
    assert main(["trace", SHOP, *WEB, "--outcomes", "--pcap", str(file)]) == 0
    assert file.read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
    assert b"node1 eth0" in file.read_bytes()
    assert main(["trace", SHOP, *WEB, "--pcap", str(tmp_path)]) == 2
    assert "Is a directory. Name a file that can be written." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "notice"),
    [
        (["--from", "1.2.3.4", "--to", "shop/web"], "with --via NODE the packet enters there"),
        ([*WEB, "--via", "node1"], "--via node1 changes nothing: shop/client sends from inside the cluster"),
        (OUTSIDE, ""),
        (["--from", "1.2.3.4", "--to", "node1:30080"], ""),
        (["--from", "node1", "--to", "shop/web"], ""),
    ],
)
def test_where_a_packet_enters_is_told_when_it_matters(arguments: list[str], notice: str, capsys: Captured) -> None:
    assert main(["trace", SHOP, *arguments]) == 0
    told = capsys.readouterr().err
    assert notice in told if notice else told == ""


def test_the_readme_shows_a_real_walk(capsys: Captured) -> None:
    shown = (ROOT / "README.md").read_text().partition("## A first walk")[2].split("```")[1]
    assert main(["trace", SHOP, *WEB]) == 0
    printed = capsys.readouterr().out
    parts = [part.strip("\n") for part in shown.split("\n…\n")]
    assert len(parts) == 3
    for part in parts:
        assert part in printed


# ---- check --------------------------------------------------------------------------------------


def test_the_shop_passes_its_own_tests(capsys: Captured) -> None:
    assert main(["check", SHOP]) == 0
    assert capsys.readouterr().out.endswith("13 passed, 0 failed\n")


def test_a_failing_flow_is_walked(tmp_path: Path, capsys: Captured) -> None:
    wrong = tmp_path / "shop.yaml"
    text = Path(SHOP).read_text().replace("expect: {outcome: refused}", "expect: {outcome: delivered}")
    wrong.write_text(text.replace("a port that no Pod listens on is refused by the Pod itself", '"bad \\e[31m name"'))
    assert main(["check", str(wrong)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  iptables: bad \\x1b[31m name" in printed
    assert "      outcome: expected delivered, found refused" in printed
    assert "      Refused at 10.244.2.2:9999" in printed
    assert printed.endswith("10 passed, 3 failed\n")
    assert main(["check", str(wrong), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["passed"], report["failed"]) == (10, 3)


# ---- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "FILES/plain.yaml"], "there is no FlowTest in these files. Add one"),
        (["rules", SHOP, "--node", "nod1"], "there is no node 'nod1'. Use node1"),
        (["rules", "FILES/empty.yaml", "--node", "a"], "Node"),
        (["rules", "FILES/missing.yaml", "--node", "a"], "missing.yaml: No such file or directory. Name a file"),
        (["rules", "FILES/binary.yaml", "--node", "a"], "binary.yaml: line 1: this is not UTF-8 text"),
        (["rules", "FILES/none", "--node", "a"], "none: no .yaml, .yml, .json file in this folder"),
        (["rules", "FILES/broken.yaml", "--node", "a"], "broken.yaml: document 1, line 2"),
        (["trace", SHOP, "--from", "shop/clint", "--to", "shop/web"], "Did you mean shop/client?"),
        (["trace", SHOP, "--from", "shop/client", "--to", "shop/web", "--via", "nodeX"], "to enter by"),
    ],
)
def test_bad_input_is_told_with_its_cure(arguments: list[str], words: str, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "plain.yaml").write_text("apiVersion: v1\nkind: Node\nmetadata: {name: a}\n")
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00kind")
    (tmp_path / "broken.yaml").write_text("kind: [\n")
    assert main([one.replace("FILES", str(tmp_path)) for one in arguments]) == 2
    printed = capsys.readouterr()
    assert words in printed.err
    assert printed.out == ""


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["rules", SHOP],
        ["rules", SHOP, "--node", "node1", "--mode", "ebpf"],
        ["trace", SHOP, *WEB, "--seed", "x"],
        ["trace", SHOP, *WEB, "--protocol", "icmp"],
        ["check", SHOP, "--fast"],
    ],
)
def test_a_wrong_command_exits_2_with_the_usage(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert "usage: python -m packetsim" in capsys.readouterr().err


def test_every_unreadable_file_is_told_in_one_go(tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    assert main(["check", str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"), str(tmp_path / "c.yaml")]) == 2
    told = capsys.readouterr().err
    assert ["a.yaml" in told, "b.yaml" in told, "c.yaml" in told] == [True, True, True]


# ---- files --------------------------------------------------------------------------------------


def test_a_folder_stands_for_its_manifests(tmp_path: Path, capsys: Captured) -> None:
    nodes, others = Path(SHOP).read_text().split("apiVersion: v1\nkind: Namespace")
    (tmp_path / "a.yml").write_text(nodes)
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: Namespace" + others)
    (tmp_path / "notes.txt").write_text("not YAML: [")
    assert main(["check", str(tmp_path)]) == 0


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path(SHOP).read_bytes())))
    assert main(["trace", "-", *WEB]) == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"kind: [")))
    assert main(["trace", "-", *WEB]) == 2
    assert "standard input: document 1" in capsys.readouterr().err


def test_a_file_named_twice_is_read_once(capsys: Captured) -> None:
    assert main(["trace", SHOP, SHOP, *WEB]) == 0


# ---- the process --------------------------------------------------------------------------------


def test_bench_gets_its_own_options(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def measure(options: list[str]) -> int:
        given.extend(options)
        return 0

    monkeypatch.setattr(bench, "main", measure)
    assert main(["bench", "--services", "5"]) == 0
    assert given == ["--services", "5"]


def test_a_reader_that_goes_away_is_met_with_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "packetsim", "rules", SHOP, "--node", "node1"]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, cwd=ROOT, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_terminal_without_arrows_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "packetsim", "trace", SHOP, *WEB]
    ascii_only = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=ascii_only, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"shop/client (10.244.1.9) ? 10.96.100.10:80")


@pytest.mark.parametrize(
    ("redirection", "code", "told"),
    [(">/dev/full", 2, "standard output: No space left on device. Send it"), (">&-", 0, ""), (">&- 2>&-", 0, "")],
)
def test_output_that_goes_nowhere_gets_no_traceback(redirection: str, code: int, told: str) -> None:
    command = f"{sys.executable} -m packetsim rules {SHOP} --node node1 {redirection}"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, text=True, cwd=ROOT, check=False)
    assert done.returncode == code
    assert done.stderr.count("\n") == bool(told)
    assert done.stderr.startswith(told)


def test_an_error_without_standard_error_still_has_its_exit_code() -> None:
    command = f"{sys.executable} -m packetsim rules {SHOP} --node nowhere 2>&-"
    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (2, b"")


def test_a_complaint_about_arguments_is_short_and_harmless(capsys: Captured) -> None:
    for argument in ("--\x1b[31mred", "--seed=" + "9" * 5000):
        with pytest.raises(SystemExit) as left:
            main(["trace", SHOP, *WEB, argument])
        assert left.value.code == 2
        printed = capsys.readouterr().err
        assert "\x1b" not in printed
        assert len(printed) < 1500


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_argv: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(process, "main", interrupted)
    assert process.run() == 130
    monkeypatch.setattr(process, "main", lambda _argv: 1)
    assert process.run() == 1


# ---- progress -----------------------------------------------------------------------------------


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
def test_long_work_is_shown_to_a_person_alone(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "PACE", 0.001)
    screen = Screen(terminal)
    with progress.Progress("checking", screen, total=4) as bar:
        bar.done = 2
        while terminal and "2/4" not in screen.getvalue():
            pass
    if terminal:
        assert "checking [###############---------------] 2/4, 0 s" in screen.getvalue()
        assert screen.getvalue().endswith("\r\033[K")
    else:
        assert screen.getvalue() == ""


def test_short_work_is_not_shown() -> None:
    screen = Screen(terminal=True)
    with progress.Progress("reading", screen) as bar:
        assert bar.line(3.0) == "reading … 3 s"
    assert screen.getvalue() == ""
