"""Rule: a link carries its role; who may only watch changes nothing by any way; all can be taken away as files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor, like
from tests.visualizer.serving import Server


def test_a_viewer_sees_and_plays_and_can_change_nothing(visit: Open, server: Server) -> None:
    links = server.lab()
    owner, viewer = visit(f"/l/{links['owner']}"), visit(f"/l/{links['viewer']}#trace=1&step=4")
    viewer.at(4)
    expect(viewer.page.get_by_text("You are watching")).to_be_visible()
    for name in (
        "Send",
        "DNS first",
        "Burst",
        "Traffic",
        "Pod",
        "Deployment",
        "Service",
        "Node",
        "Paste",
        "userspace",
        "IPVS",
    ):
        expect(viewer.button(name)).to_be_disabled()
    expect(viewer.button("Undo (Ctrl Z)")).to_have_count(0)
    expect(viewer.field("The lab’s title")).not_to_be_editable()
    viewer.press("3", "Enter", "Control+z")
    viewer.object("svc web").click(button="right")
    expect(viewer.page.get_by_role("menuitem", name="Delete")).to_be_disabled()
    viewer.press("Escape")
    viewer.object("svc web").click()
    expect(viewer.field("Type")).to_be_disabled()
    for name in ("Apply", "Delete"):
        expect(viewer.button(name)).to_be_disabled()
    viewer.press("Escape")
    status = viewer.page.evaluate(
        "async (path) => (await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' },"
        " body: JSON.stringify({ type: 'undo' }) })).status",
        f"/api/v1/labs/{links['viewer']}/commands",
    )
    assert status == 403
    viewer.complaints.clear()  # the browser tells of the refusal
    owner.object("deploy web").click(button="right")
    owner.page.get_by_role("menuitem", name="Scale web to 4").click()
    expect(viewer.object("deploy web")).to_contain_text("× 4")  # what others do is seen
    viewer.press("ArrowRight")
    viewer.at(5)
    owner.tab("Log").click()
    expect(owner.log.locator(".change")).to_have_count(1)
    expect(owner.button("iptables")).to_have_attribute("aria-pressed", "true")


def test_the_owner_hands_out_links_and_nobody_else_can(visit: Open, server: Server) -> None:
    links = server.lab()
    owner = visit(f"/l/{links['owner']}#trace=1&step=7")
    owner.at(7)
    owner.button("Share").click()
    dialog = owner.page.get_by_role("dialog", name="Share this lab")
    for role in ("Viewer", "Editor", "Owner"):
        expect(dialog.get_by_role("textbox", name=role)).to_have_value(like(rf"/l/{links[role.lower()]}$"))
    dialog.get_by_role("checkbox", name="at this very step of the walk").check()
    link = dialog.get_by_role("textbox", name="Viewer").input_value()
    assert link.endswith("#trace=1&step=7")
    visit(link).at(7)
    editor = visit(f"/l/{links['editor']}")
    editor.button("Share").click()
    expect(editor.page.get_by_role("textbox", name="Editor")).to_be_visible()
    for role in ("Viewer", "Owner"):
        expect(editor.page.get_by_role("textbox", name=role)).to_have_count(0)


def _taken(visitor: Visitor, link: Locator) -> tuple[str, bytes]:
    with visitor.page.expect_download() as waiting:
        link.click()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def test_yaml_json_svg_and_a_capture_can_be_taken_away(shop: Visitor) -> None:
    name, manifests = _taken(shop, shop.page.get_by_role("link", name="Take YAML"))
    assert name.endswith(".yaml")
    assert b"kind: Service" in manifests and b"nodePort: 30080" in manifests
    shop.button("Share").click()
    dialog = shop.page.get_by_role("dialog")
    name, lab = _taken(shop, dialog.get_by_role("link", name="The whole lab as JSON"))
    assert name.endswith(".json")
    assert json.loads(lab)["format"] == "packetwalk-lab/1"
    name, drawing = _taken(shop, dialog.get_by_role("link", name="The map as SVG"))
    assert name.endswith(".svg")
    assert ElementTree.fromstring(drawing).tag == "{http://www.w3.org/2000/svg}svg"
    name, capture = _taken(shop, dialog.get_by_role("link", name="This walk for Wireshark"))
    assert name.endswith(".pcapng")
    assert capture[:4] == b"\x0a\x0d\x0d\x0a"  # a section header block


def test_the_api_is_described_on_a_page_of_its_own(shop: Visitor) -> None:
    shop.button("Share").click()
    with shop.context.expect_page() as waiting:
        shop.page.get_by_role("link", name="HTTP API").click()
    page = waiting.value
    expect(page.get_by_text("/api/v1/labs/{token}/commands")).to_be_visible()


def test_a_lab_is_forked_from_a_change(shop: Visitor) -> None:
    for count in (4, 5):
        shop.object("deploy web").click(button="right")
        shop.page.get_by_role("menuitem", name=f"Scale web to {count}").click()
        expect(shop.object("deploy web")).to_contain_text(f"× {count}")
    shop.tab("Log").click()
    shop.log.get_by_role("button", name=re.compile("^edited")).last.click()  # the first of the two
    with shop.context.expect_page() as waiting:
        shop.button("New lab from here").last.click()
    fork = waiting.value
    tree = fork.get_by_role("navigation", name="The lab’s objects")
    expect(tree.get_by_role("button", name=re.compile("^deploy web"))).to_contain_text("× 4")
    assert fork.url.partition("#")[0] != shop.page.url.partition("#")[0]
