"""Rule: the real nft, in a network namespace of its own, lists each golden as it stands.

Elements of maps come in the kernel's hash order there, so their order alone is not compared.
Needs root, `unshare` and nft.
"""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from packetsim.addresses import network
from packetsim.kubeproxy.nftables_ranges import literal
from tests.packetsim.kubeproxy.goldens import GOLDEN
from tests.packetsim.kubeproxy.private_namespace import missing, run

FILES = sorted((GOLDEN / "nftables").glob("*.txt"))
MISSING = missing("nft", trial="nft list ruleset")
ELEMENTS = re.compile(r"elements = \{ (.*?) \}\n", re.DOTALL)
# nft keeps braces round what it merged into one, but not when it reads that again.
ALONE = re.compile(r"\{ (\S+) \} drop")

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "nft is here")


def in_any_order(listing: str) -> str:
    """The listing with the elements of each set sorted; how many stand on a line stays to be seen."""

    def ordered(found: re.Match[str]) -> str:
        lines = found[1].split("\n")
        elements = sorted(re.split(r",\s+", found[1]))
        return f"elements {elements} on {len(lines)} lines\n"

    return ELEMENTS.sub(ordered, ALONE.sub(r"\1 drop", listing))


@pytest.mark.parametrize("golden", FILES, ids=lambda path: path.stem)
def test_nft_lists_what_was_loaded(golden: Path) -> None:
    text = golden.read_text()
    assert in_any_order(run("nft -f -; nft list ruleset", text)) == in_any_order(text)


def _ranges(random: Random, width: int) -> list[str]:
    """Two to six CIDRs close enough together to touch and overlap."""
    made = []
    for _ in range(random.randint(2, 6)):
        length = random.choice([width, width, width - 1, width - 2, width - 3, width - 8])
        number = random.choice([0, 2**width - 64, 2 ** (width - 1)]) + random.randrange(64)
        address = f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        made.append(network(f"{address if width == 32 else f'2001:db8::{number % 2**16:x}'}/{length}").text)
    return made


@pytest.mark.parametrize(("family", "width"), [("ip", 32), ("ip6", 128)])
def test_nft_merges_address_literals_as_we_do(family: str, width: int) -> None:
    random = Random(f"literals of {family}")
    written = [_ranges(random, width) for _ in range(150)]
    rules = "".join(f"add rule {family} t c {family} saddr != {{ {' , '.join(one)} }} drop\n" for one in written)
    listed = run("nft -f -; nft list ruleset", f"add table {family} t\nadd chain {family} t c\n{rules}")
    printed = [line.strip() for line in listed.splitlines() if "drop" in line]
    assert printed == [f"{family} saddr != {literal(one)} drop" for one in written]
