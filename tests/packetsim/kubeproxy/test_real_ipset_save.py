"""Rule: the real ipset and iptables, in a network namespace of their own, print each golden back.

Entries of hash sets come in the kernel's order there, so their order alone is not compared; nor is
what newer tools print after `maxelem`. A kernel without IPVS loads all rules but those with `-m ipvs`.
Needs root, `unshare`, ipset and iptables.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packetsim.kubeproxy.goldens import GOLDEN
from tests.packetsim.kubeproxy.ipvs_cases import part
from tests.packetsim.kubeproxy.private_namespace import missing, run
from tests.packetsim.kubeproxy.test_real_iptables_save import tables

BACK_ENDS = ("legacy", "nft")
FILES = sorted((GOLDEN / "ipvs").glob("*.txt"))
TRIAL = "ipset create a hash:ip && iptables-legacy-save -t nat && iptables-nft-save -t nat"
TOOLS = [f"{ip}-{end}-{verb}" for ip in ("iptables", "ip6tables") for end in BACK_ENDS for verb in ("restore", "save")]
MISSING = missing("ipset", *TOOLS, trial=TRIAL)
HAS_IPVS = not MISSING and not missing("iptables", trial="iptables -A INPUT -m ipvs --vport 80")

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "the tools are here")


def sets(text: str) -> dict[str, set[str]]:
    """`create` line -> its entries."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if line.startswith("create "):
            entries = found.setdefault(re.sub(r" bucketsize .*", "", line), set())
        elif line:
            entries.add(line)
    return found


@pytest.mark.parametrize("golden", FILES, ids=lambda path: path.stem)
def test_ipset_prints_the_same(golden: Path) -> None:
    text = part(golden.read_text(), "ipset")
    assert sets(run("ipset restore; ipset save", text)) == sets(text)


@pytest.mark.parametrize("end", BACK_ENDS)
@pytest.mark.parametrize("ip", ["iptables", "ip6tables"])
@pytest.mark.parametrize("golden", FILES, ids=lambda path: path.stem)
def test_iptables_prints_the_same(golden: Path, ip: str, end: str, tmp_path: Path) -> None:
    text = golden.read_text()
    rules = "".join(line for line in part(text, ip).splitlines(keepends=True) if HAS_IPVS or " -m ipvs " not in line)
    if rules:  # a family that the node does not use has none
        (tmp_path / "sets").write_text(part(text, "ipset"))
        command = f"ipset restore < {tmp_path}/sets; {ip}-{end}-restore; {ip}-{end}-save"
        assert tables(run(command, rules)) == tables(rules)
