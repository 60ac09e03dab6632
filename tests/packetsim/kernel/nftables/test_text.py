"""Rule: what nft lists is read and printed back byte for byte, and every ruleset survives being printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given

from packetsim.errors import RuleTextError
from packetsim.kernel.nftables.model import Ruleset
from packetsim.kernel.nftables.text import parse, render
from tests.packetsim.kernel.nftables.rulesets import rulesets
from tests.packetsim.kernel.nftables.worked import LISTINGS

FILES = sorted(LISTINGS.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_listing_is_printed_back_as_it_was(file: Path) -> None:
    text = file.read_text()
    assert render(parse(text)) == text


def test_handles_and_remarks_are_left_out() -> None:
    text = (LISTINGS / "every-form.txt").read_text()
    numbered = re.sub(
        r"^(\t?(?:table|set|map|chain) .*\{|\t\t(?:return|ip saddr .*))$", r"\1 # handle 17", text, flags=re.M
    )
    assert numbered.count("# handle 17") > 30
    assert render(parse("# Warning: not ours\n" + numbered)) == text


@given(rulesets())
def test_a_ruleset_survives_being_printed(ruleset: Ruleset) -> None:
    assert parse(render(ruleset)) == ruleset


OTHER_SPELLINGS = (
    ("mark and 0x4000 == 0x4000 accept", "meta mark & 0x00004000 == 0x00004000 accept"),
    ("mark set mark or 0x4000", "meta mark set meta mark | 0x00004000"),
    ("mark set mark xor 16384", "meta mark set meta mark ^ 0x00004000"),
    ('meta iifname "eth0" accept', 'iifname "eth0" accept'),
    ("meta l4proto 6 accept", "meta l4proto tcp accept"),
    ("ip saddr == 10.0.0.1/32 accept", "ip saddr 10.0.0.1 accept"),
    ("ip saddr 10.1.2.3/8 accept", "ip saddr 10.0.0.0/8 accept"),
    ("counter accept", "counter packets 0 bytes 0 accept"),
    ("reject with icmp type host-unreachable", "reject with icmp host-unreachable"),
    (
        "meta l4proto tcp dnat ip addr . port to numgen random mod 1 map { 0 : 10.0.0.1 . 80 }",
        "meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.0.0.1 . 80 }",
    ),
    ("meta l4proto tcp dnat ip to 10.0.0.1:80", "meta l4proto tcp dnat to 10.0.0.1:80"),
)


@pytest.mark.parametrize(("written", "printed"), OTHER_SPELLINGS)
def test_other_spellings_are_printed_as_nft_does(written: str, printed: str) -> None:
    listing = "table ip t {{\n\tchain c {{\n\t\t{}\n\t}}\n}}\n"
    assert render(parse(listing.format(written))) == listing.format(printed)


BROKEN_LISTINGS = (
    ("flush ruleset", "nft listing line 1", '"flush ruleset" stands where a table begins'),
    ("table inet t {\n}\n", "nft listing line 1", 'table family "inet" is not modelled; known are ip and ip6'),
    ("table ip t {\n\tflags dormant\n}\n", "nft listing line 2", '"flags dormant" in table ip t is not modelled'),
    ("table ip t {\n", "nft listing line 1", "table ip t does not end"),
    ("table ip t {\n\tchain c {\n", "nft listing line 2", "the chain does not end"),
    ("table ip t {\n\tset s {\n", "nft listing line 2", "the set does not end"),
    ("table ip t {\n\tset s {\n\t\telements = { 10.0.0.1,\n", "nft listing line 3", "the elements do not end"),
)


@pytest.mark.parametrize(("text", "place", "message"), BROKEN_LISTINGS)
def test_what_is_no_whole_listing_is_refused(text: str, place: str, message: str) -> None:
    with pytest.raises(RuleTextError) as refusal:
        parse(text)
    assert refusal.value.place == place
    assert message in str(refusal.value)
