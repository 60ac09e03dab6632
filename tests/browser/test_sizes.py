"""Rule: at 1280x720 all is in sight without scrolling the page; on a phone the regions stack and it still plays."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor
from tests.visualizer.serving import Server


def _whole(visitor: Visitor, *parts: str) -> None:
    """No page scroll, and each of these wholly in sight."""
    assert visitor.has_no_page_scroll(), parts
    for part in parts:
        expect(visitor.page.locator(part).first).to_be_in_viewport(ratio=0.99)


def test_1280_by_720_shows_everything_without_scrolling(shop: Visitor) -> None:
    always = ("top-bar", "send-bar", "rules-panel", "time-line")
    _whole(shop, *always, "cluster-map", "objects-panel")
    shop.tab("Kernel").click()
    _whole(shop, *always, "kernel-view")
    shop.tab("Steps").click()
    _whole(shop, *always, "steps-table")
    shop.tab("Log").click()
    _whole(shop, *always, "change-log")
    shop.tab("Odds").click()
    expect(shop.page.get_by_role("region", name="Odds of this flow")).to_contain_text("1/3")
    _whole(shop, *always, "odds-panel")
    shop.tab("Objects").click()
    shop.object("svc web").click()
    expect(shop.page.get_by_role("textbox", name="YAML")).to_be_visible()
    _whole(shop, *always, "object-inspector")
    shop.press("Escape")
    shop.button("compare").click()
    expect(shop.page.get_by_role("group", name="nftables", exact=True)).to_be_visible()
    _whole(shop, *always, "compare-lanes")
    shop.button("Share").click()
    expect(shop.page.get_by_role("dialog")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [400, 768])
def test_a_narrow_page_stacks_and_plays(visit: Open, server: Server, width: int) -> None:
    phone = {"viewport": {"width": width, "height": 800}, "has_touch": True}
    visitor = visit(f"/l/{server.lab()['owner']}#trace=1&step=1", **phone)
    visitor.at(1)
    assert visitor.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    visitor.button("Play").tap()
    expect(visitor.step).to_have_attribute("aria-valuenow", re.compile(r"^([3-9]|\d\d)"))
    visitor.button("Pause").tap()
    expect(visitor.map).to_be_visible()
    visitor.button("IPVS").tap()
    expect(visitor.button("IPVS")).to_have_attribute("aria-pressed", "true")
    visitor.button("Send").tap()
    visitor.page.wait_for_url("**/*#trace=3&step=*")
    expect(visitor.button("Send")).to_be_visible()
    visitor.rules.scroll_into_view_if_needed()
    expect(visitor.rules).to_be_in_viewport()
