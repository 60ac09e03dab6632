"""Rule: <packet-player> plays a walk on any page, from its trace document alone: no server, lab or style of ours."""

from __future__ import annotations

import json
import mimetypes

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import DIST
from tests.browser.visitor import PATIENCE
from tests.visualizer.serving import Server

HOST = "http://elsewhere.example"
PAGES = {
    "inside": """<packet-player><script type="application/json">%s</script></packet-player>""",
    "by address": """<packet-player src="/walk.json" step="5"></packet-player>""",
    "broken": "<packet-player><script type='application/json'>"
    '{"format": "<img src=x onerror=alert(1)>"}</script></packet-player>',
}


def _page(browser: Browser, server: Server, body: str) -> Page:
    token = server.lab()["viewer"]
    trace = json.dumps(server.json("GET", f"/labs/{token}/traces/1"))
    html = (
        f"<!doctype html><html lang='en'><title>A blog</title><script type=module src='/js/player.js'></script>{body}"
    )

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix(HOST)
        if path.startswith("/js/"):
            file = DIST / path.removeprefix("/js/")
            route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0] or "")
        elif path == "/walk.json":
            route.fulfill(body=trace, content_type="application/json")
        else:
            inside = trace.replace("<", "\\u003c") if "%s" in html else ""
            route.fulfill(body=html.replace("%s", inside), content_type="text/html")

    page = browser.new_context(viewport={"width": 1000, "height": 720}, locale="en-US").new_page()
    page.set_default_timeout(PATIENCE)
    page.route("**/*", answer)
    page.goto(f"{HOST}/")
    return page


@pytest.mark.parametrize("given", ["inside", "by address"])
def test_a_walk_plays_on_a_plain_page(browser: Browser, server: Server, given: str) -> None:
    page = _page(browser, server, PAGES[given])
    line = page.get_by_role("slider", name="Time line")
    expect(line).to_have_attribute("aria-valuenow", "1" if given == "inside" else "5")
    expect(page.get_by_text("delivered", exact=True)).to_be_visible()
    line.press("ArrowRight")
    expect(line).to_have_attribute("aria-valuenow", "2" if given == "inside" else "6")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    for view, shown in (("Kernel", "kernel-view"), ("Steps", "steps-table"), ("Map", "cluster-map")):
        page.get_by_role("button", name=view, exact=True).click()
        expect(page.locator(shown)).to_be_visible()
    ink = page.locator("packet-player").evaluate("(player) => getComputedStyle(player).getPropertyValue('--ink')")
    assert ink.strip() != ""  # it brings its own colours
    page.context.close()


def test_a_broken_walk_says_so_as_text(browser: Browser, server: Server) -> None:
    page = _page(browser, server, PAGES["broken"])
    expect(page.get_by_role("alert")).to_contain_text("This walk cannot be shown")
    assert page.locator("img").count() == 0
    page.context.close()
