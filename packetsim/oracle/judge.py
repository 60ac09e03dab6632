"""Rule: a real kernel that answers requests: the guest, in a virtual machine or in namespaces of this machine.

A request and its reply are one line of JSON each. Any number of threads may ask at once; replies come in any
order. When the guest ends, or says what is no reply, all is over: every request fails, with the guest's last words.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Lock, Thread
from types import TracebackType
from typing import Any, BinaryIO

from packetsim.errors import OracleError
from packetsim.oracle import archive, image

GUEST = Path(__file__).with_name("guest")
PATIENCE = 60.0  # seconds for one request
BOOT = 120.0  # seconds for the first
LONGEST_LINE = 1 << 26
CONSOLE = "console"
LAST_WORDS = 15  # lines of it that an error shows

QEMU = "qemu-system-x86_64"
KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off audit=0 selinux=0 apparmor=0 "
    "rcupdate.rcu_expedited=1"  # rules and namespaces come and go often, and each time wait for RCU
)


class Judge:
    """`with virtual_machine() as judge: judge.ask("hello")`."""

    def __init__(self, command: Sequence[str | Path], home: TemporaryDirectory[str]) -> None:
        """Starts `command` in the folder `home`, which goes when the judge goes. Its standard error is the console."""
        self._home = home
        self._console = Path(home.name) / CONSOLE
        self._ids = itertools.count(1)
        self._lock = Lock()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._over = ""  # why no more can be asked
        self._outbox: SimpleQueue[bytes] = SimpleQueue()
        # The tools of root are not on everybody's path.
        environment = {**os.environ, "PATH": f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin:/sbin"}
        pipe = subprocess.PIPE
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                command, cwd=home.name, env=environment, stdin=pipe, stdout=pipe, stderr=console
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._reader = Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._writer = Thread(target=self._write, args=(self._process.stdin,), daemon=True)
        self._reader.start()
        self._writer.start()

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ask(self, do: str, /, *, within: float = PATIENCE, **fields: object) -> dict[str, Any]:
        """What the guest says when it has done this. OracleError: it could not, or said nothing for so many seconds."""
        future: Future[dict[str, Any]] = Future()
        number = next(self._ids)
        line = json.dumps({"id": number, "do": do, **fields}).encode()
        with self._lock:
            if self._over:
                raise OracleError(self._over)
            self._waiting[number] = future
        self._outbox.put(line + b"\n")
        try:
            reply = future.result(within)
        except TimeoutError:
            raise OracleError(f"the guest did not {do} within {within:g} seconds{self._last_words()}") from None
        finally:
            with self._lock:
                self._waiting.pop(number, None)
        if "error" in reply:
            raise OracleError(f"the guest could not {do}: {reply['error']}")
        done: dict[str, Any] = reply["done"]
        return done

    def close(self) -> None:
        """Ends the guest, and with it all that it has made."""
        self._end("the judge is closed")
        self._process.wait()
        self._outbox.put(b"")
        self._reader.join()
        self._writer.join()
        self._home.cleanup()

    def _write(self, guest: BinaryIO) -> None:
        """A thread of its own, so that a guest that does not read holds nobody up for longer than they want to wait."""
        with suppress(BrokenPipeError), guest:
            while line := self._outbox.get():
                guest.write(line)
                guest.flush()

    def _read(self, guest: BinaryIO) -> None:
        with guest:
            while (line := guest.readline(LONGEST_LINE)).endswith(b"\n"):
                try:
                    reply = _reply(line)
                except (ValueError, KeyError, TypeError):
                    return self._end(f"the guest said what is no reply: {line[:200].decode(errors='replace')!r}")
                with self._lock:
                    future = self._waiting.pop(reply["id"], None)
                if future is not None:
                    future.set_result(reply)
        if len(line) == LONGEST_LINE:
            return self._end(f"the guest said more than {LONGEST_LINE} bytes in one line")
        return self._end(f"the guest ended{self._last_words()}")

    def _end(self, reason: str) -> None:
        """Nothing more can be asked, and whoever waits is told why; the first reason counts."""
        self._process.kill()
        with self._lock:
            self._over = self._over or reason
            waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            future.set_exception(OracleError(self._over))

    def _last_words(self) -> str:
        text = self._console.read_text(errors="replace")
        lines = [line for line in map(_plain, text.splitlines()) if line]
        return "\n  ".join(["; its console:", *lines[-LAST_WORDS:]]) if lines else ""


def _plain(line: str) -> str:
    """Without what a console does to colours and cursors."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1bc|[\x00-\x1f]", "", line).rstrip()


def _reply(line: bytes) -> dict[str, Any]:
    """A line that says which request it answers, and how that went; anything else is a ValueError or the like."""
    reply: dict[str, Any] = json.loads(line)
    if not isinstance(reply["id"], int) or not ("error" in reply or isinstance(reply["done"], dict)):
        raise ValueError
    return reply


def virtual_machine(memory: int = 1024, cores: int = 2, guest: Path = GUEST) -> Judge:
    """The judge in a virtual machine of `memory` megabytes, with the kernel of `make kernel`, once it has booted."""
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise OracleError(f"{QEMU} is missing: install it (on Debian: apt install qemu-system-x86)")
    found = image.find()
    home = TemporaryDirectory(prefix="packetwalk-")
    initramfs = _with_guest(found.initramfs, guest, Path(home.name))
    machine = ("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(cores), "-m", str(memory))
    bare = ("-nodefaults", "-no-reboot", "-net", "none", "-display", "none")
    boot = ("-kernel", found.kernel, "-initrd", initramfs, "-append", KERNEL_ARGUMENTS)
    console = ("-chardev", f"file,id=console,append=on,path={CONSOLE}", "-serial", "chardev:console")
    port = ("-chardev", "stdio,id=guest,signal=off", "-device", "virtio-serial-pci")
    named = ("-device", "virtserialport,chardev=guest,name=guest")
    return _greeted(Judge((qemu, *machine, *bare, *boot, *console, *port, *named), home))


def own_kernel(guest: Path = GUEST) -> Judge:
    """The judge on this machine's own kernel, in namespaces of its own."""
    unshare = shutil.which("unshare")
    if unshare is None:
        raise OracleError("unshare is missing: install util-linux, or use the virtual machine")
    home = TemporaryDirectory(prefix="packetwalk-")
    (Path(home.name) / "guest").symlink_to(guest.resolve())
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    apart = ("--net", "--mount", "--pid", "--fork", "--kill-child", *user)
    return _greeted(Judge((unshare, *apart, sys.executable, "-E", "-B", "-m", "guest"), home))


def _greeted(judge: Judge) -> Judge:
    try:
        judge.ask("hello", within=BOOT)
    except BaseException:
        judge.close()
        raise
    return judge


def _with_guest(initramfs: Path, guest: Path, home: Path) -> Path:
    """The image's archive followed by one of the guest (`archive`)."""
    shutil.copytree(guest, home / "root/judge/guest", ignore=shutil.ignore_patterns("__pycache__"))
    whole = home / "initramfs"
    with whole.open("wb") as out:
        with initramfs.open("rb") as base:
            shutil.copyfileobj(base, out)
        out.write(bytes(-out.tell() % 4))
        archive.write_archive(home / "root", out)
    return whole
