"""Rule: the judge is asked through a guest that echoes: a plain process, behind a false QEMU, and in the real one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from packetsim.errors import OracleError
from packetsim.oracle import image, judge, recipe
from packetsim.oracle.judge import Judge, own_kernel, virtual_machine

from .unpacking import unpacked

ECHO = Path(__file__).with_name("echo") / "guest"
APART = (
    "unshare",
    "--net",
    "--mount",
    "--pid",
    "--fork",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
)


def can_unshare() -> bool:
    return shutil.which("unshare") is not None and not subprocess.run([*APART, "true"], capture_output=True).returncode


@pytest.fixture
def echo(tmp_path: Path) -> Iterator[Judge]:
    home = TemporaryDirectory(dir=tmp_path)
    (Path(home.name) / "guest").symlink_to(ECHO)
    with Judge((sys.executable, "-B", "-m", "guest"), home) as asked:
        yield asked


def test_a_request_reaches_the_guest_and_its_reply_comes_back(echo: Judge) -> None:
    done = echo.ask("send", cluster="c1", probes=[{"port": 80}], note="größer\n")
    assert (done["do"], done["cluster"], done["probes"]) == ("send", "c1", [{"port": 80}])
    assert done["note"] == "größer\n"


def test_a_long_reply_comes_whole(echo: Judge) -> None:
    assert len(echo.ask("send", size=3_000_000)["text"]) == 3_000_000


def test_requests_of_many_threads_are_in_flight_at_once_and_none_gets_anothers_reply(echo: Judge) -> None:
    start = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda n: echo.ask("send", number=n, wait=0.5 - n / 50), range(20)))
    assert [reply["number"] for reply in replies] == list(range(20))
    assert time.monotonic() - start < 4  # one after the other they would take 6 seconds


def test_what_the_guest_could_not_do_is_an_error_and_the_next_request_goes_on(echo: Judge) -> None:
    with pytest.raises(OracleError, match="the guest could not load: line 3: no such chain"):
        echo.ask("load", fail="line 3: no such chain")
    assert echo.ask("load", again=1)["again"] == 1


def test_a_late_reply_is_an_error_and_disturbs_no_other_request(echo: Judge) -> None:
    with pytest.raises(OracleError, match=r"the guest did not send within 0.05 seconds"):
        echo.ask("send", within=0.05, wait=0.3)
    assert echo.ask("send", wait=0.4, note="next")["note"] == "next"


def test_a_second_reply_to_the_same_request_is_let_go(echo: Judge) -> None:
    again = '{"id": 1, "done": {"text": "again"}}'
    assert echo.ask("send", garble=f"{again}\n{again}")["text"] == "again"
    assert echo.ask("send", note="next")["note"] == "next"


def test_a_guest_that_ends_fails_every_request_with_its_last_words(echo: Judge) -> None:
    def ask(fields: dict[str, Any]) -> str:
        with pytest.raises(OracleError) as caught:
            echo.ask("send", **fields)
        return str(caught.value)

    with ThreadPoolExecutor(3) as pool:
        errors = list(
            pool.map(ask, [{"wait": 30}, {"wait": 30}, {"wait": 0.2, "die": "\x1b[1mpanic\x1b[0m: not syncing"}])
        )
    assert errors == ["the guest ended; its console:\n  panic: not syncing"] * 3
    assert ask({}) == errors[0]


@pytest.mark.parametrize(
    "said",
    [
        "Traceback (most recent call last):",
        "[1]",
        '{"done": {}}',
        '{"id": "1", "done": {}}',
        '{"id": 1}',
        '{"id": 1, "done": null}',
    ],
)
def test_what_is_no_reply_ends_the_judge_and_is_shown(echo: Judge, said: str) -> None:
    with pytest.raises(OracleError) as caught:
        echo.ask("hello", garble=said)
    assert str(caught.value).startswith("the guest said what is no reply: ")
    assert said[:20] in str(caught.value)
    with pytest.raises(OracleError, match="no reply"):
        echo.ask("hello")


def test_a_line_without_end_is_not_waited_for(echo: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "LONGEST_LINE", 1000)
    echo.ask("hello")  # the limit counts from the next line on
    with pytest.raises(OracleError, match="the guest said more than 1000 bytes in one line"):
        echo.ask("hello", size=2000)


def test_a_guest_that_ends_amid_a_line_has_ended(tmp_path: Path) -> None:
    script = """printf '{"id": 1, "do'; echo out of memory >&2"""
    with (
        Judge(("sh", "-c", script), TemporaryDirectory(dir=tmp_path)) as cut,
        pytest.raises(OracleError, match="the guest ended; its console:\n  out of memory"),
    ):
        cut.ask("hello")


def test_a_guest_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with (
        Judge(("sleep", "60"), TemporaryDirectory(dir=tmp_path)) as deaf,
        pytest.raises(OracleError, match="did not load within"),
    ):
        deaf.ask("load", within=0.2, text="x" * 1_000_000)


def test_a_closed_judge_says_so_and_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    home = TemporaryDirectory(dir=tmp_path)
    (Path(home.name) / "guest").symlink_to(ECHO)
    with Judge((sys.executable, "-B", "-m", "guest"), home) as asked:
        pid = asked.ask("hello")["pid"]
    with pytest.raises(OracleError, match="the judge is closed"):
        asked.ask("hello")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Instead of QEMU, a script that keeps what it was told and runs the guest that it was given."""
    script = tmp_path / "bin" / judge.QEMU
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/arguments\ncp initramfs {tmp_path}\n'
        f"cd root/judge && exec {sys.executable} -B -m guest\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PACKETWALK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / f"kernel-{recipe.digest()}"
    folder.mkdir(parents=True)
    (folder / image.INITRAMFS).write_bytes(b"first")
    (folder / image.VERSIONS).write_text(json.dumps({"kernel": "6.1", "packages": {}}))
    return tmp_path


def test_the_machine_gets_the_image_the_guest_and_a_port(machine: Path) -> None:
    with virtual_machine(memory=700, cores=3, guest=ECHO) as asked:
        assert asked.ask("hello", note="there")["note"] == "there"
    told = (machine / "arguments").read_text().splitlines()
    values = dict(pairwise(told))
    assert (values["-m"], values["-smp"], values["-accel"]) == ("700", "3", "tcg,thread=multi")
    assert values["-kernel"].endswith(image.KERNEL)
    assert "virtserialport,chardev=guest,name=guest" in told
    whole = (machine / "initramfs").read_bytes()
    assert whole.startswith(b"first\0\0\0")
    added = unpacked(whole[8:])
    assert added["judge/guest/__main__.py"] == (ECHO / "__main__.py").read_bytes()
    assert not [name for name in added if "__pycache__" in name]


def test_a_machine_that_does_not_come_up_tells_why_and_is_cleared_away(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine / "bin" / judge.QEMU).write_text("#!/bin/sh\necho 'qemu: cannot set up guest memory' >&2; exit 1\n")
    (machine / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(machine / "tmp"))
    with pytest.raises(OracleError, match="the guest ended; its console:\n  qemu: cannot set up guest memory"):
        virtual_machine(guest=ECHO)
    assert not list((machine / "tmp").iterdir())


def test_without_an_image_the_cure_is_told(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKETWALK_CACHE", str(machine / "empty"))
    with pytest.raises(OracleError, match="run `make kernel`"):
        virtual_machine()


@pytest.mark.parametrize(("start", "cure"), [(virtual_machine, "qemu-system-x86"), (own_kernel, "util-linux")])
def test_without_its_tool_the_cure_is_told(start: object, cure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert callable(start)
    with pytest.raises(OracleError, match=f"is missing: install.* {cure}"):
        start()


@pytest.mark.skipif(not can_unshare(), reason="no namespaces can be made here")
def test_on_our_own_kernel_the_guest_is_apart() -> None:
    with own_kernel(guest=ECHO) as asked:
        assert asked.ask("hello")["pid"] == 1


@pytest.mark.judge
def test_a_real_machine_boots_to_its_guest_and_complains_of_nothing() -> None:
    with virtual_machine(guest=ECHO) as asked:
        assert len(asked.ask("hello", size=1 << 20)["text"]) == 1 << 20
        with pytest.raises(OracleError) as caught:
            asked.ask("send", die="farewell")
    # Nothing before these: no module was missing, and no mount failed.
    assert str(caught.value).startswith("the guest ended; its console:\n  farewell\n  the guest ended with status 3")
