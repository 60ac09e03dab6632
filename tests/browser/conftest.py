"""Rule: one browser and one server for all of these tests; every test has browser contexts and a lab of its own.

The browser is Debian's chromium, the server a real `python -m core` with a database of its own and the built front
end. A page's error, an unasked dialog or a line in its console fails the test that opened it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.visitor import PATIENCE, Visitor
from tests.visualizer.serving import ROOT, Server

CHROMIUM = shutil.which("chromium") or ""
DIST = Path(os.environ.get("PACKETWALK_DIST", ROOT / "static" / "dist"))
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
Open = Callable[..., Visitor]

expect.set_options(timeout=PATIENCE)


# Package, not session: while playwright runs, its event loop does, and other tests' database would refuse to work.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("chromium is missing: apt install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


def serve(folder: Path) -> Server:
    if not (DIST / "manifest.json").is_file():
        pytest.skip("the front end is not built: cd static && npm ci && npm run build")
    return Server(folder, PACKETWALK_DIST=str(DIST), PACKETWALK_NEW_LABS_PER_HOUR="10000")


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = serve(tmp_path_factory.mktemp("server"))
    yield server
    server.kill()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """For tests that kill it."""
    server = serve(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Open]:
    """Opens an address of the server in a browser context of its own, as one person's browser."""
    visitors: list[Visitor] = []

    def open_(address: str, **context: object) -> Visitor:
        url = address if "://" in address else f"http://{server.host}{address}"
        visitor = Visitor(browser, url, **context)
        visitors.append(visitor)
        return visitor

    yield open_
    for visitor in visitors:
        visitor.leave()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def shop(visit: Open, server: Server) -> Visitor:
    """The owner's page on a new lab with the shop, its first walk paused at the beginning."""
    visitor = visit(f"/l/{server.lab()['owner']}#trace=1&step=1")
    expect(visitor.step).to_have_attribute("aria-valuenow", "1")
    return visitor
