"""Rule: a cluster is built from nothing by palette, menu, form and YAML; a change says what it did, and is undone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor, like
from tests.visualizer.serving import Server

NOTHING = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}\n"
BAD = """apiVersion: v1
kind: Service
metadata: {name: late, namespace: shop}
spec:
  selector: {app: late}
  ports:
  - port: eighty
"""


def _make(visitor: Visitor, what: str, row: str) -> None:
    palette = visitor.page.get_by_role("group", name="Add to the cluster")
    palette.get_by_role("button", name=what, exact=True).click()
    visitor.button("Back to all objects").click()
    expect(visitor.object(row)).to_be_visible()


def test_a_service_is_built_from_nothing_and_reached(visit: Open, server: Server) -> None:
    visitor = visit(f"/l/{server.lab(title='Mine', manifests=NOTHING)['owner']}")
    expect(visitor.map.get_by_role("button", name=re.compile("^(Pod|Service) "))).to_have_count(0)
    _make(visitor, "Node", "node node3")
    for node in ("node1", "node2"):  # those that were made up stay
        expect(visitor.object(f"node {node}")).to_be_visible()
    expect(visitor.map.get_by_role("button", name=re.compile("^Node "))).to_have_count(3)
    _make(visitor, "Deployment", "deploy app")
    _make(visitor, "Service", "svc app")
    _make(visitor, "Pod", "pod pod")
    expect(
        visitor.map.get_by_role("button", name=like(r"^Service default/app, 10\.\d+\.\d+\.\d+:80, 2 endpoints"))
    ).to_be_visible()
    visitor.send("default/pod", "default/app:80")
    expect(visitor.outcome).to_have_text("✓ delivered")
    expect(visitor.step).to_have_attribute("aria-valuenow", re.compile(r"\d\d"))


def test_the_form_and_the_yaml_write_each_other(shop: Visitor) -> None:
    shop.object("svc web").click()
    yaml = shop.page.get_by_role("textbox", name="YAML")
    shop.field("Type").select_option("LoadBalancer")
    expect(yaml).to_contain_text("type: LoadBalancer")
    yaml.get_by_text("LoadBalancer").dblclick()
    shop.page.keyboard.type("ClusterIP")
    expect(shop.field("Type")).to_have_value("ClusterIP")
    expect(shop.page.get_by_text("not applied yet")).to_be_visible()
    shop.button("Revert").click()
    expect(shop.field("Type")).to_have_value("NodePort")
    shop.field("Session affinity").select_option("ClientIP")
    shop.button("Apply").click()
    shop.field("Search the rules").fill("--rcheck")
    expect(shop.rules).to_contain_text("--rcheck --seconds 10800")


def test_an_error_stands_at_its_line_with_its_cure(shop: Visitor) -> None:
    shop.object("svc web").click()
    yaml = shop.page.get_by_role("textbox", name="YAML")
    yaml.get_by_text("80", exact=True).first.dblclick()
    shop.page.keyboard.type("eighty")
    shop.button("Apply").click()
    problem = shop.page.get_by_role("alert")
    expect(problem).to_contain_text(re.compile("port"))
    expect(shop.page.get_by_text("“eighty” is not a number.")).to_be_visible()
    expect(shop.page.get_by_role("spinbutton", name=re.compile("^Port ")).first).to_have_value("")
    problem.get_by_role("button", name=re.compile(r"^line \d+$")).click()
    expect(yaml.locator(".cm-activeLine")).to_contain_text("eighty")


def test_a_pasted_bad_manifest_is_refused_at_its_line(shop: Visitor) -> None:
    shop.button("Paste").click()
    dialog = shop.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Paste manifests").fill(BAD)
    dialog.get_by_role("button", name="Apply all").click()
    problem = dialog.get_by_role("alert")
    expect(problem).to_contain_text(re.compile(r"line 7\b"))
    expect(problem).to_contain_text("port")
    expect(shop.object("svc late")).to_have_count(0)
    mended = BAD.replace("eighty", "80")
    dialog.get_by_role("textbox", name="Paste manifests").fill(mended)
    dialog.get_by_role("button", name="Apply all").click()
    expect(dialog).to_be_hidden()
    expect(shop.log.get_by_text("applied", exact=True)).to_be_visible()
    shop.tab("Objects").click()
    expect(shop.object("svc late")).to_contain_text("no endpoint")


def test_a_change_tells_what_it_did_down_the_line(shop: Visitor) -> None:
    shop.object("deploy web").click(button="right")
    shop.page.get_by_role("menuitem", name="Scale web to 4").click()
    expect(shop.object("deploy web")).to_contain_text("× 4")
    expect(shop.map.get_by_role("button", name=like(r"^Service shop/web,.* 4 endpoints"))).to_be_visible()
    shop.tab("Log").click()
    for who in ("API server", "etcd", "controllers", "scheduler", "EndpointSlice controller", "kube-proxy"):
        expect(shop.log.get_by_text(who, exact=True)).to_be_visible()
    expect(shop.log.get_by_text("node2 ").first).to_be_visible()
    expect(shop.page.get_by_text(re.compile(r"^\+\d+$")).first).to_be_visible()


def test_a_pod_that_is_not_ready_gets_no_packet(shop: Visitor) -> None:
    shop.map.get_by_role("button", name=like("^Pod shop/web-.*node1")).click(button="right")
    shop.page.get_by_role("menuitem", name="Make all Pods of Deployment shop/web not ready").click()
    expect(shop.object("svc web")).to_contain_text("no endpoint")
    shop.button("Send").click()
    expect(shop.outcome).to_have_text("✗ rejected")


def test_undo_and_redo_by_button_and_by_key(shop: Visitor) -> None:
    undo, redo = shop.button("Undo (Ctrl Z)"), shop.button("Redo (Ctrl Shift Z)")
    expect(undo).to_be_disabled()
    shop.object("svc web").click(button="right")
    shop.page.get_by_role("menuitem", name="Delete").click()
    expect(shop.object("svc web")).to_have_count(0)
    expect(shop.map.get_by_role("button", name=like("^Service shop/web"))).to_have_count(0)
    undo.click()
    expect(shop.object("svc web")).to_be_visible()
    expect(shop.map.get_by_role("button", name=like("^Service shop/web"))).to_be_visible()
    redo.click()
    expect(shop.object("svc web")).to_have_count(0)
    shop.press("Control+z")
    expect(shop.object("svc web")).to_be_visible()
    shop.press("Control+Shift+z")
    expect(shop.object("svc web")).to_have_count(0)
    expect(redo).to_be_disabled()


def test_a_pod_is_dragged_from_the_palette_onto_a_node(shop: Visitor) -> None:
    tool = shop.page.get_by_role("group", name="Add to the cluster").get_by_role("button", name="Pod", exact=True)
    tool.drag_to(shop.map.get_by_role("button", name=re.compile("^Node node2")))
    expect(shop.map.get_by_role("button", name=like("^Pod shop/pod, .* on node2"))).to_be_visible()


def test_a_click_on_source_and_target_sends(shop: Visitor) -> None:
    shop.map.get_by_role("button", name=like("^Pod shop/client")).click()
    expect(shop.picture.get_by_text("sender chosen; now choose where to")).to_be_visible()
    shop.map.get_by_role("button", name=like("^Service kube-system/kube-dns")).click()
    expect(shop.field("Where to")).to_have_value("kube-system/kube-dns:53")
    expect(shop.outcome).to_have_text("✓ delivered")
    shop.page.wait_for_url("**/*#trace=2&step=*")
