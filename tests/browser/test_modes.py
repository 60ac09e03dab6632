"""Rule: another mode shows other rules and another walk of the same flow; compare shows all four at one moment."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import Visitor, like

# What one looks for in the rules, and what is found there and in no other mode's.
ONLY_HERE = {
    "userspace": ("10.96.100.10", "-A KUBE-PORTALS-CONTAINER"),
    "IPVS": ("10.96.100.10", "-A -t 10.96.100.10:80 -s rr"),
    "nftables": ("10.96.100.10", "goto service-"),
}


@pytest.mark.parametrize("mode", ONLY_HERE)
def test_a_mode_has_its_own_rules_and_sends_the_flow_again(shop: Visitor, mode: str) -> None:
    expect(shop.button("iptables")).to_have_attribute("aria-pressed", "true")
    shop.button(mode).click()
    expect(shop.button(mode)).to_have_attribute("aria-pressed", "true")
    shop.page.wait_for_url("**/*#trace=2&step=*")
    expect(shop.outcome).to_have_text("✓ delivered")
    search, found = ONLY_HERE[mode]
    shop.field("Search the rules").fill(search)
    expect(shop.rules).to_contain_text(found)
    expect(shop.rules).not_to_contain_text("KUBE-SVC-")


def test_the_kernel_view_shows_the_ipvs_box_or_the_proxy(shop: Visitor) -> None:
    shop.tab("Kernel").click()
    kernel = shop.picture.get_by_role("img", name=re.compile("node1|client"))
    expect(kernel).to_be_visible()
    shop.button("On to the next match, rewrite or verdict").click()
    expect(shop.picture).to_contain_text("PREROUTING")


def test_compare_shows_four_lanes_at_the_same_moment(shop: Visitor) -> None:
    shop.button("compare").click()
    lanes = shop.page.get_by_role("group", name="The flow in four modes")
    for mode in ("userspace", "iptables", "IPVS", "nftables"):
        lane = lanes.get_by_role("group", name=mode, exact=True)
        expect(lane.get_by_role("button", name=re.compile(r"^endpoint chosen: "))).to_be_visible()
        expect(lane.get_by_role("term")).to_have_text(["rules", "lookups", "user/kernel", "connections"])
    lanes.get_by_role("group", name="nftables", exact=True).get_by_role(
        "button", name=re.compile("^translated: ")
    ).click()
    expect(lanes.get_by_role("button", name="nftables", exact=True)).to_have_attribute("aria-pressed", "true")
    for mode in ("userspace", "iptables", "IPVS"):
        lane = lanes.get_by_role("group", name=mode, exact=True)
        expect(lane.get_by_role("definition").first).not_to_have_text(like(r"^0\s*/"))
    shop.button("iptables").first.click()
    expect(lanes).to_have_count(0)


def test_userspace_opens_a_second_connection_and_the_kernel_modes_do_not(shop: Visitor) -> None:
    shop.button("compare").click()
    lanes = shop.page.get_by_role("group", name="The flow in four modes")
    for mode, whole in (("userspace", 2), ("iptables", 1), ("IPVS", 1), ("nftables", 1)):
        lane = lanes.get_by_role("group", name=mode, exact=True)
        expect(lane.get_by_role("definition").last).to_have_text(like(rf"/\s*{whole}\s*$"))
