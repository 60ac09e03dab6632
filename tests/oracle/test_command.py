"""`verify` says which flows agree, exits as promised, and tells the cure for whatever is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from packetsim import Trace
from packetsim.cli import main
from packetsim.cluster.model import Cluster
from packetsim.oracle import command
from packetsim.oracle.comparison import Difference
from tests.oracle.agreeing import SHOP, Objection, Talkative, agree

Captured = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
WRONG = Difference("rules", "node1", "another rule", "this one", 3)
TEXT = Difference("text", "node1 nft", "one line", "another")


@pytest.fixture
def kernel(monkeypatch: Patch) -> None:
    """One that agrees, and has IPVS."""
    plays(monkeypatch)


def plays(monkeypatch: Patch, objection: Objection = lambda cluster, trace: None, *can: str) -> None:
    agree(monkeypatch, objection)
    monkeypatch.setattr(command, "start_judge", lambda kind: Talkative(*(can or ("ipvs", "sctp"))))


def verify(*arguments: str) -> int:
    return main(["verify", *arguments])


def to_node_ports(cluster: Cluster, trace: Trace) -> Difference | None:
    return WRONG if trace.flow.port >= 30000 else None


# ---- a kernel that agrees -----------------------------------------------------------------------


@pytest.mark.usefixtures("kernel")
def test_a_line_for_each_flow_and_a_table_at_the_end(capsys: Captured) -> None:
    assert verify(str(SHOP), "--mode", "nftables", "--flows", "3") == 0
    *flows, empty, linux, table = capsys.readouterr().out.splitlines()
    assert len(flows) == 3 and all(line.startswith("agrees  nftables: ") for line in flows)
    assert all(" → " in line and line.split(": ")[-1] for line in flows)
    assert (empty, linux, table) == ("", "Linux 6.1.0-test", "nftables: 3 of 3 flows agree")


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize(
    ("options", "modes"),
    [
        ([], ["iptables", "ipvs", "nftables"]),  # those that the FlowTests name
        (["--mode", "all", "--flows", "2"], ["userspace", "iptables", "ipvs", "nftables"]),
        (["--mode", "ipvs", "--flows", "2"], ["ipvs"]),
        (["--random", "1", "--flows", "2"], ["userspace", "iptables", "ipvs", "nftables"]),
        (["--random", "1", "--flows", "2", "--mode", "ipvs"], ["ipvs"]),
    ],
)
def test_modes_are_those_asked_for(options: list[str], modes: list[str], capsys: Captured) -> None:
    assert verify(str(SHOP), "--json", *options) == 0
    assert sorted({one["mode"] for one in json.loads(capsys.readouterr().out)["verdicts"]}) == sorted(modes)


@pytest.mark.usefixtures("kernel")
def test_the_clusters_own_mode_is_taken_where_nothing_else_is_said(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "shop.yaml"
    text = SHOP.read_text()
    file.write_text(text[: text.index("apiVersion: packetwalk.dev/v1")].replace("mode: iptables", "mode: nftables"))
    assert verify(str(file), "--flows", "2") == 0
    assert "nftables: 2 of 2 flows agree" in capsys.readouterr().out


@pytest.mark.usefixtures("kernel")
def test_random_clusters_are_told_by_a_line_each(capsys: Captured) -> None:
    assert verify("--random", "2", "--seed", "4", "--flows", "3", "--mode", "iptables") == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(lines[:2]) == [f"random 4/{number} iptables: 3 of 3 flows agree" for number in (0, 1)]
    assert lines[-1] == "iptables: 6 of 6 flows agree"


@pytest.mark.usefixtures("kernel")
def test_json_has_every_verdict(capsys: Captured) -> None:
    assert verify(str(SHOP), "--json", "--flows", "2", "--mode", "ipvs") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kernel"] == "6.1.0-test"
    assert found["modes"] == {"ipvs": {"agree": 2, "differ": 0, "skipped": 0, "texts_differ": 0}}
    ((verdict),) = found["verdicts"]
    assert (verdict["cluster"], verdict["texts"]) == ("the files' cluster", [])
    assert [(one["agrees"], one["skipped"], one["difference"]) for one in verdict["flows"]] == [(True, None, None)] * 2
    assert verdict["flows"][0]["flow"]["source_port"] == 40000


def test_what_the_kernel_lacks_is_not_called_agreement(monkeypatch: Patch, capsys: Captured) -> None:
    plays(monkeypatch, lambda cluster, trace: None, "sctp")
    assert verify(str(SHOP), "--flows", "2", "--mode", "ipvs") == 0
    printed = capsys.readouterr().out
    assert printed.count("skipped ipvs: ") == 2 and "(6.1.0-test) has no IPVS" in printed
    assert printed.endswith("ipvs: 0 of 0 flows agree, 2 not asked\n")
    verify(str(SHOP), "--flows", "2", "--mode", "ipvs", "--json")
    (verdict,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert [(one["agrees"], one["outcome"]) for one in verdict["flows"]] == [(None, None)] * 2


# ---- a kernel that differs ----------------------------------------------------------------------


def test_what_differs_is_told_and_the_exit_code_is_1(monkeypatch: Patch, capsys: Captured) -> None:
    plays(monkeypatch, to_node_ports)
    assert verify(str(SHOP), "--flows", "30", "--mode", "iptables") == 1
    lines = capsys.readouterr().out.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("DIFFERS"))
    assert lines[first].startswith("DIFFERS iptables: ") and ":30080 tcp" in lines[first]
    assert lines[first + 1] == f"        {WRONG}"
    assert any(line.startswith("agrees ") for line in lines)
    assert not lines[-1].startswith("iptables: 30 of 30")


def test_a_text_that_differs_counts_though_all_flows_agree(monkeypatch: Patch, capsys: Captured) -> None:
    plays(monkeypatch, lambda cluster, trace: TEXT)
    assert verify(str(SHOP), "--flows", "1", "--mode", "nftables") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"DIFFERS nftables: {TEXT}"
    assert lines[-1] == "nftables: 1 of 1 flows agree, 1 texts read back otherwise"
    assert verify(str(SHOP), "--flows", "1", "--mode", "nftables", "--json") == 1
    (verdict,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert verdict["texts"] == [{"aspect": "text", "place": "node1 nft", "kernel": "one line", "ours": "another"}]


def test_a_random_clusters_difference_is_saved(monkeypatch: Patch, tmp_path: Path, capsys: Captured) -> None:
    plays(monkeypatch, lambda cluster, trace: WRONG)
    assert verify("--random", "1", "--flows", "2", "--mode", "nftables", "--save", str(tmp_path)) == 1
    (file,) = tmp_path.iterdir()
    assert capsys.readouterr().err == f"shrunk and saved as {file}\n"
    monkeypatch.undo()
    plays(monkeypatch)
    assert verify(str(file)) == 0


# ---- what cannot be done ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is nothing to verify. Name files of manifests, or --random N."),
        (["--random", "0"], "there is nothing to verify."),
        (["--random", "-3"], "--random is a number of clusters. Use one from 1 to 1000000."),
        (["--random", "1000001"], "--random is a number of clusters. Use one from 1 to 1000000."),
        ([str(SHOP), "--flows", "0"], "--flows is a number of flows. Use one from 1 to 10000."),
        ([str(SHOP), "--flows", "10001"], "--flows is a number of flows. Use one from 1 to 10000."),
        (["no-such.yaml"], "no-such.yaml"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], told: str, capsys: Captured) -> None:
    assert verify(*arguments) == 2
    printed = capsys.readouterr()
    assert told in printed.err and printed.out == ""


@pytest.mark.parametrize("argument", ["--random=many", "--mode=ebpf", "--kernel=bsd"])
def test_what_cannot_be_read_is_refused(argument: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        verify(str(SHOP), argument)
    assert ended.value.code == 2
    assert argument.partition("=")[2] in capsys.readouterr().err


def test_without_qemu_and_without_an_image_the_cure_is_told(
    monkeypatch: Patch, tmp_path: Path, capsys: Captured
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verify(str(SHOP)) == 2
    assert capsys.readouterr().err == (
        "qemu-system-x86_64 is missing: install it (on Debian: apt install qemu-system-x86)\n"
    )
    assert verify(str(SHOP), "--kernel", "own") == 2
    assert "unshare is missing: install util-linux, or use the virtual machine" in capsys.readouterr().err
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text("#!/bin/sh\n")
    qemu.chmod(0o755)
    monkeypatch.setenv("PACKETWALK_CACHE", str(tmp_path))
    assert verify(str(SHOP)) == 2
    assert capsys.readouterr().err == "the virtual machine's kernel is missing: run `make kernel`\n"


def test_help_tells_of_files_and_of_chance(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as ended:
        verify("--help")
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert "[FILE ...]" in printed and "--random N" in printed and "make kernel" in printed
