"""Rule: whatever people call things is text: in titles, labels, annotations, YAML, addresses and refusals."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor
from tests.visualizer.serving import Server

HOSTILE = "<img src=x onerror=alert(1)>"
SCRIPT = "\"'><script>alert(2)</script>"
POD = f"""apiVersion: v1
kind: Pod
metadata:
  name: odd
  namespace: shop
  labels: {{app: odd}}
  annotations:
    note: {json.dumps(HOSTILE)}
    "packetwalk.dev/listening": "none"
    other: {json.dumps(SCRIPT)}
spec: {{nodeName: node1, containers: [{{name: main, image: {json.dumps(HOSTILE)}}}]}}
"""


def _nothing_ran(visitor: Visitor) -> None:
    """No element came of a name, in any shadow root; a dialog or a refused script would fail the test by itself."""
    assert visitor.page.locator("img:not([role]), body script:not([type=module])").count() == 0


def test_a_title_is_text_for_everybody(visit: Open, server: Server) -> None:
    links = server.lab()
    one, two = visit(f"/l/{links['owner']}"), visit(f"/l/{links['viewer']}")
    expect(two.field("The lab’s title")).to_have_value("Shop")
    one.field("The lab’s title").fill(HOSTILE)
    one.press("Enter")
    for visitor in (one, two):
        expect(visitor.field("The lab’s title")).to_have_value(HOSTILE)
        visitor.tab("Log").click()
        expect(visitor.log).to_contain_text(HOSTILE)
        visitor.page.wait_for_function("(title) => document.title.startsWith(title)", arg=HOSTILE)
        _nothing_ran(visitor)
    two.page.reload()
    expect(two.field("The lab’s title")).to_have_value(HOSTILE)
    _nothing_ran(two)


def test_annotations_and_images_are_text(visit: Open, server: Server) -> None:
    token = server.lab()["owner"]
    server.json("POST", f"/labs/{token}/commands", {"type": "apply", "manifests": POD})
    visitor = visit(f"/l/{token}")
    visitor.object("pod odd").click()
    expect(visitor.page.get_by_role("textbox", name="YAML")).to_contain_text(HOSTILE)
    expect(visitor.page.get_by_role("textbox", name="YAML")).to_contain_text("<script>alert(2)</script>")
    _nothing_ran(visitor)
    visitor.press("Escape")
    visitor.send("shop/odd", "shop/web:80")
    expect(visitor.outcome).to_have_text("✓ delivered")
    _nothing_ran(visitor)


@pytest.mark.parametrize(
    "metadata", ["name: %s", "name: a, labels: {app: %s}", "name: a, namespace: %s", "name: a, labels: {%s: x}"]
)
def test_a_refused_name_is_quoted_as_text(shop: Visitor, metadata: str) -> None:
    shop.button("Paste").click()
    dialog = shop.page.get_by_role("dialog")
    manifest = f"apiVersion: v1\nkind: Pod\nmetadata: {{{metadata % json.dumps(HOSTILE)}}}\nspec: {{}}\n"
    dialog.get_by_role("textbox", name="Paste manifests").fill(manifest)
    dialog.get_by_role("button", name="Apply all").click()
    expect(dialog.get_by_role("alert")).to_contain_text("<img")
    _nothing_ran(shop)


def test_ends_of_a_flow_are_text(shop: Visitor) -> None:
    shop.send(HOSTILE, SCRIPT)
    expect(shop.toasts).to_contain_text("<")
    _nothing_ran(shop)


def test_a_search_and_a_link_are_text(visit: Open, server: Server) -> None:
    visitor = visit(f"/l/{server.lab()['owner']}#trace=1&step=2&x={HOSTILE}")
    visitor.at(2)
    visitor.field("Search the rules").fill(HOSTILE)
    expect(visitor.rules).to_contain_text("No rule fits")
    _nothing_ran(visitor)


def test_a_link_that_is_markup_is_a_lost_lab(visit: Open) -> None:
    visitor = visit("/l/%3Cimg%20src=x%20onerror=alert(1)%3E")
    expect(visitor.page.get_by_role("heading", name="This lab is not here")).to_be_visible()
    _nothing_ran(visitor)
    visitor.complaints.clear()  # the 404 itself
