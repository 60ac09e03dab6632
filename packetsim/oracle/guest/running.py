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


def write_sysctls(values: Mapping[str, str], missing_is_fine: bool = False) -> dict[str, str]:
    """Writes below /proc/sys, which shows the calling thread's namespace; gives what stood there before."""
    before = {}
    for path, value in values.items():
        file = Path("/proc/sys", path)
        if missing_is_fine and not file.exists():
            continue
        try:
            before[path] = file.read_text().strip()
            descriptor = os.open(file, os.O_WRONLY)
            try:
                os.write(descriptor, value.encode())
            finally:
                os.close(descriptor)
        except OSError as error:
            raise GuestError(f"sysctl {path} cannot be set to {value!r}: {error.strerror}") from None
    return before
