"""Rule: the real tools do the loading; they run in the network namespace that the calling thread is in."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from .faults import GuestError

_LONGEST = 120.0  # seconds
_SAID = 500  # characters of what a tool complains of


def run(*command: str, text: str = "") -> str:
    """What the tool prints; its complaint is a GuestError."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=_LONGEST)
    except FileNotFoundError:
        raise GuestError(f"{command[0]} is missing here; install it") from None
    except subprocess.TimeoutExpired:
        raise GuestError(f"{' '.join(command)} did not end within {_LONGEST:g} seconds") from None
    if done.returncode:
        complaint = (done.stderr.strip() or done.stdout.strip())[:_SAID]
        raise GuestError(f"{' '.join(command)} failed with status {done.returncode}: {complaint}")
    return done.stdout


def batch(tool: str, lines: Iterable[str]) -> None:
    """These commands of `ip` or `bridge` in order, in one process."""
    given = list(lines)
    if not given:
        return
    try:
        run(tool, "-batch", "-", text="".join(f"{line}\n" for line in given))
    except GuestError as error:
        found = re.search(r"Command failed -:(\d+)", str(error))
        failed = f": {given[int(found[1]) - 1]}" if found else ""
        raise GuestError(f"{error}{failed}") from None


def write_sysctls(values: Mapping[str, str]) -> None:
    """Writes below /proc/sys, which shows the calling thread's namespace."""
    for path, value in values.items():
        try:
            _write(path, value)
        except OSError as error:
            raise GuestError(f"sysctl {path} cannot be set to {value!r}: {error.strerror}") from None


def write_known_sysctls(values: Mapping[str, str]) -> None:
    """Those that this kernel has."""
    for path, value in values.items():
        try:
            write_sysctls({path: value})
        except GuestError:
            if Path("/proc/sys", path).exists():
                raise


def read_sysctls(paths: Iterable[str]) -> dict[str, str]:
    """Those that this kernel has."""
    files = {path: Path("/proc/sys", path) for path in paths}
    return {path: file.read_text().strip() for path, file in files.items() if file.exists()}


def _write(path: str, value: str) -> None:
    descriptor = os.open(f"/proc/sys/{path}", os.O_WRONLY)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)
