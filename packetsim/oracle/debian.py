"""Rule: packages come from this machine's own Debian sources, and nothing of this machine is changed or relied upon.

apt is told to keep its books in a folder of ours and that nothing is installed, so that it gives the whole closure
of what is asked for, to anybody, not to root alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import unquote

from packetsim.errors import OracleError

LISTS = Path("/var/lib/apt/lists")  # what `apt-get update` has last left on this machine


def download(names: Sequence[str], work: Path) -> list[Path]:
    """The packages of these names and all that they depend on, as files in `work`."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise OracleError(f"{tool} is missing: the virtual machine is made of Debian's packages, on Debian")
    command = ("install", "--yes", "--download-only", "--no-install-recommends", *names)
    if _apt(work, LISTS, *command):
        # This machine has no lists of packages, or old ones: get them, for us alone.
        lists = work / "lists"
        (lists / "partial").mkdir(parents=True)
        _apt(work, lists, "update")
        if problem := _apt(work, lists, *command):
            raise OracleError(f"Debian's packages cannot be downloaded ({problem}): see /etc/apt/sources.list")
    return sorted((work / "cache" / "archives").glob("*.deb"))


def _apt(work: Path, lists: Path, *command: str) -> str:
    """Runs apt-get and gives its complaint, or nothing."""
    state = work / "state"
    (work / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    state.mkdir(exist_ok=True)
    (state / "status").touch()
    options = {
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",  # the user _apt could not read a folder of ours
        "Debug::NoLocking": "1",
        "Dir::Cache": work / "cache",
        "Dir::State": state,
        "Dir::State::lists": lists,
        "Dir::State::status": state / "status",
    }
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "-qq", *words, *command], env=environment, capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if line.startswith("E:")]
    return (complaints or [f"E: status {done.returncode}"])[0].removeprefix("E: ") if done.returncode else ""


def unpack(packages: Iterable[Path], root: Path) -> dict[str, str]:
    """Puts the packages' files into `root`, without running anything of theirs; gives their versions."""
    versions = {}
    for package in packages:
        done = subprocess.run(["dpkg-deb", "-x", package, root], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OracleError(f"{package.name} cannot be unpacked ({done.stderr.strip()}): is the disk full?")
        name, version, _ = package.name.split("_")
        versions[name] = unquote(version)
    return versions
