"""Rule: the real tools, in a network namespace of their own, print each golden back as it stands.

Both back ends of iptables load the text and save it; tables and chains may come in another order,
lines may not. Needs root, `unshare` and iptables.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packetsim.kubeproxy.goldens import GOLDEN

BACK_ENDS = ("legacy", "nft")
FILES = sorted([*(GOLDEN / "iptables").glob("*.txt"), *(GOLDEN / "userspace").glob("*.txt")])


def _missing() -> str:
    """What this machine lacks; "" when the tools can be run."""
    wanted = [
        "unshare",
        *(
            f"{ip}-{end}-{verb}"
            for ip in ("iptables", "ip6tables")
            for end in BACK_ENDS
            for verb in ("restore", "save")
        ),
    ]
    absent = [tool for tool in wanted if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "loading rules needs root"
    for end in BACK_ENDS:
        tried = subprocess.run(["unshare", "-n", f"iptables-{end}-save", "-t", "nat"], capture_output=True, check=False)
        if tried.returncode:
            return f"iptables-{end} does not work in a network namespace of its own here"
    return ""


MISSING = _missing()

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "the tools are here")


def printed_back(text: str, end: str) -> str:
    """What `iptables-save` prints after `iptables-restore` of `text`, in a fresh namespace."""
    tool = f"{'ip6tables' if _is_ipv6(text) else 'iptables'}-{end}"
    done = subprocess.run(
        ["unshare", "-n", "sh", "-ec", f"{tool}-restore; {tool}-save"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _is_ipv6(text: str) -> bool:
    return "/128 " in text or "icmp6" in text


def tables(text: str) -> dict[str, tuple[set[str], dict[str, list[str]]]]:
    """Table -> its chain lines, and each chain's rules in order; without comments and counters."""
    found: dict[str, tuple[set[str], dict[str, list[str]]]] = {}
    for line in text.splitlines():
        if line.startswith("*"):
            chains, rules = found.setdefault(line[1:], (set(), {}))
        elif line.startswith(":"):
            chains.add(line.partition(" [")[0])
        elif line.startswith("-A "):
            rules.setdefault(line.split()[1], []).append(line)
    return found


@pytest.mark.parametrize("end", BACK_ENDS)
@pytest.mark.parametrize("golden", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_real_tools_print_the_same(golden: Path, end: str) -> None:
    text = golden.read_text()
    assert tables(printed_back(text, end)) == tables(text)
