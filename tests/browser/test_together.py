"""Rule: everybody on a lab sees the same things in the same order; a server killed in between loses none of them."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor, like
from tests.visualizer.serving import Server


def _scale(visitor: Visitor, count: int) -> None:
    visitor.tab("Objects").click()
    visitor.object("deploy web").click(button="right")
    visitor.page.get_by_role("menuitem", name=f"Scale web to {count}").click()


def _shows(visitor: Visitor, count: int) -> None:
    """So many endpoints, on the map."""
    service = visitor.map.get_by_role("button", name=like(rf"^Service shop/web,.* {count} endpoints"))
    expect(service).to_be_visible()


def _told(visitor: Visitor, entries: int) -> list[str]:
    """The log's entries, the newest first."""
    visitor.tab("Log").click()
    heads = visitor.log.locator(".by, .plain, .walk")
    expect(heads).to_have_count(entries)
    return heads.all_inner_texts()


def test_two_browsers_see_each_others_changes_in_order(visit: Open, server: Server) -> None:
    links = server.lab()
    one, two = visit(f"/l/{links['owner']}"), visit(f"/l/{links['editor']}")
    for page in (one, two):
        expect(page.page.get_by_role("img", name="2 pages are open on this lab")).to_be_visible()
    _scale(one, 4)
    _shows(two, 4)
    _scale(two, 5)
    _shows(one, 5)
    one.field("The lab’s title").fill("Ours")
    one.press("Enter")
    expect(two.field("The lab’s title")).to_have_value("Ours")
    two.button("nftables").click()
    expect(one.button("nftables")).to_have_attribute("aria-pressed", "true")
    expect(one.region("Rules")).to_contain_text("The node now has other rules.")  # the walk one looks at stays
    first, second = _told(one, 6), _told(two, 6)
    assert first == second
    assert [text for text in first if "→" not in text] == [
        "mode changed", "The lab is now called “Ours”.", "edited", "edited"
    ]  # fmt: skip


def test_somebody_elses_edit_of_what_is_open_is_told(visit: Open, server: Server) -> None:
    links = server.lab()
    one, two = visit(f"/l/{links['owner']}"), visit(f"/l/{links['editor']}")
    for page in (one, two):
        page.object("svc web").click()
    one.field("Type").select_option("LoadBalancer")
    two.field("Type").select_option("ClusterIP")
    one.button("Apply").click()
    expect(two.page.get_by_text("Somebody else has changed this meanwhile.")).to_be_visible()
    expect(two.field("Type")).to_have_value("ClusterIP")  # nothing written is lost
    two.button("Take theirs").click()
    expect(two.field("Type")).to_have_value("LoadBalancer")


def test_pages_go_on_by_themselves_after_the_server_was_killed(browser: Browser, own_server: Server) -> None:
    links = own_server.lab()
    pages = [
        Visitor(browser, f"http://{own_server.host}/l/{links[role]}#trace=1&step=9") for role in ("owner", "editor")
    ]
    one, two = pages
    for page in pages:
        page.at(9)
    _scale(one, 4)
    _shows(two, 4)
    said = two.sentence
    own_server.kill()
    for page in pages:
        expect(page.page.get_by_text(re.compile("The connection is lost|Connecting again"))).to_be_visible()
    two.press("ArrowRight", "ArrowLeft")  # what is seen stays, and can be walked
    two.at(9)
    assert two.sentence == said
    own_server.start()
    for page in pages:
        expect(page.page.get_by_text(re.compile("The connection is lost|Connecting again"))).to_have_count(0)
        _shows(page, 4)
        page.at(9)
    _scale(two, 5)
    _shows(one, 5)
    one.button("Undo (Ctrl Z)").click()
    _shows(two, 4)
    one.button("Send").click()
    one.page.wait_for_url("**/*#trace=2&step=*")  # the first walk was not forgotten
    assert _told(one, 5) == _told(two, 5)
    for page in pages:
        page.leave()
