"""Rule: real tools run in a network namespace of their own, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess

UNSHARE = ("unshare", "-n")


def missing(*tools: str, trial: str) -> str:
    """What this machine lacks; "" when the tools are here and the shell command `trial` works."""
    absent = [tool for tool in ("unshare", *tools) if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "loading rules needs root"
    tried = subprocess.run([*UNSHARE, "sh", "-ec", trial], capture_output=True, check=False)
    return f"`{trial}` does not work in a network namespace of its own here" if tried.returncode else ""


def run(command: str, text: str) -> str:
    """What the shell command prints, given `text`, in a fresh namespace."""
    done = subprocess.run(
        [*UNSHARE, "sh", "-ec", command], input=text, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
