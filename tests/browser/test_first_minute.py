"""Rule: who opens the first page sees a packet walk at once, may pause it, step it, and come back to it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor


def _walks(visitor: Visitor) -> None:
    """The packet's dot is on the map, and moves."""
    dot = visitor.page.locator("cluster-map .packet")
    expect(dot).to_be_visible()
    before = dot.bounding_box()
    assert before is not None
    visitor.page.wait_for_function(
        "([dot, x, y]) => { const box = dot.getBoundingClientRect(); return Math.hypot(box.x - x, box.y - y) > 4; }",
        arg=[dot.element_handle(), before["x"], before["y"]],
    )


def test_the_first_page_has_a_packet_walking(visit: Open) -> None:
    visitor = visit("/")
    _walks(visitor)
    expect(visitor.outcome).to_have_text("✓ delivered")
    expect(visitor.step).to_have_attribute("aria-valuenow", re.compile(r"^\d\d"))  # it has come far
    expect(visitor.rules).to_contain_text("KUBE-SVC-")
    assert visitor.page.title() == "Shop · Packetwalk"


def test_the_address_leads_to_the_same_lab_again(visit: Open) -> None:
    visitor = visit("/")
    expect(visitor.outcome).to_be_visible()
    first = visitor.page.url.partition("#")[0]
    visitor.page.goto(visitor.page.url.partition("/l/")[0] + "/")
    expect(visitor.outcome).to_be_visible()
    assert visitor.page.url.partition("#")[0] == first
    assert visit("/").page.url.partition("#")[0] != first  # another browser has another lab


def test_three_hints_are_said_once(visit: Open) -> None:
    visitor = visit("/")
    hint = visitor.page.get_by_role("complementary", name="A hint")
    expect(hint).to_contain_text("Space pauses it")
    hint.get_by_role("button", name="Next").click()
    expect(hint).to_contain_text("real rules")
    hint.get_by_role("button", name="Next").click()
    expect(hint).to_contain_text("another mode")
    hint.get_by_role("button", name="Got it").click()
    expect(hint).to_have_count(0)
    visitor.page.reload()
    expect(visitor.outcome).to_be_visible()
    expect(hint).to_have_count(0)


def test_a_wrong_link_says_so_and_offers_a_new_lab(visit: Open) -> None:
    visitor = visit("/l/AAAAAAAAAAAAAAAAAAAAAA")
    expect(visitor.page.get_by_role("heading", name="This lab is not here")).to_be_visible()
    visitor.page.get_by_role("link", name="Start a new lab").click()
    expect(visitor.outcome).to_have_text("✓ delivered")
    visitor.complaints.clear()  # the 404 itself
