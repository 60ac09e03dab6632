"""Rule: everything can be done by keyboard, and axe finds nothing serious, in the light and in the dark."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor, like
from tests.visualizer.serving import ROOT, Server

AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"
SCENES = ["lab", "kernel", "steps", "compare", "inspector", "log", "odds", "share", "paste", "help", "viewer", "narrow"]


def _show(visitor: Visitor, scene: str) -> None:
    match scene:
        case "kernel" | "steps":
            visitor.tab(scene.capitalize()).click()
        case "compare":
            visitor.button("compare").click()
            expect(visitor.page.get_by_role("group", name="IPVS", exact=True)).to_be_visible()
        case "inspector":
            visitor.object("svc web").click()
            expect(visitor.page.get_by_role("textbox", name="YAML")).to_be_visible()
        case "log":
            visitor.object("deploy web").click(button="right")
            visitor.page.get_by_role("menuitem", name="Scale web to 4").click()
            visitor.tab("Log").click()
            expect(visitor.log.get_by_text("etcd", exact=True)).to_be_visible()
        case "odds":
            visitor.button("Burst").click()
            expect(visitor.region("Odds of this flow").get_by_role("row")).to_have_count(4)
        case "share" | "paste":
            visitor.button(scene.capitalize()).click()
            expect(visitor.page.get_by_role("dialog")).to_be_visible()
        case "help":
            visitor.press("?")
            expect(visitor.page.get_by_role("dialog")).to_be_visible()


def _serious(visitor: Visitor) -> list[str]:
    """Violations that axe calls serious or critical, each with the first places where it stands."""
    visitor.page.evaluate(AXE.read_text())
    found = visitor.page.evaluate("async () => (await axe.run({ resultTypes: ['violations'] })).violations")
    return [
        f"{one['id']}: {one['help']}: {[(node['target'], node.get('failureSummary', '')) for node in one['nodes'][:4]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: cd static && npm ci")
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("scene", SCENES)
def test_axe_finds_nothing_serious(visit: Open, server: Server, scene: str, theme: str) -> None:
    token = server.lab()["viewer" if scene == "viewer" else "owner"]
    size = {"width": 400, "height": 800} if scene == "narrow" else {"width": 1280, "height": 720}
    visitor = visit(f"/l/{token}#trace=1&step=24", color_scheme=theme, reduced_motion="reduce", viewport=size)
    visitor.at(24)
    _show(visitor, scene)
    assert _serious(visitor) == []


# ---- by keyboard alone: no test below uses the pointer -------------------------------------------------------


def test_keys_play_step_and_choose_the_mode(visit: Open, server: Server) -> None:
    visitor = visit(f"/l/{server.lab()['owner']}#trace=1&step=1")
    visitor.at(1)
    visitor.press("Space")
    expect(visitor.button("Pause")).to_be_visible()
    visitor.press("Space")
    expect(visitor.button("Play")).to_be_visible()
    visitor.press("Home", "ArrowRight")
    visitor.at(2)
    for key, mode in (("4", "nftables"), ("3", "IPVS"), ("1", "userspace"), ("2", "iptables")):
        visitor.press(key)
        expect(visitor.button(mode)).to_have_attribute("aria-pressed", "true")
    visitor.press("5")
    expect(visitor.page.get_by_role("group", name="The flow in four modes")).to_be_visible()
    visitor.press("m")
    expect(visitor.map).to_be_visible()


def test_slash_searches_the_rules_and_question_mark_helps(shop: Visitor) -> None:
    shop.press("/")
    expect(shop.field("Search the rules")).to_be_focused()
    shop.page.keyboard.type("MASQUERADE")
    expect(shop.rules).to_contain_text("-j MASQUERADE")
    shop.press("1")  # in a field a key is a letter
    expect(shop.field("Search the rules")).to_have_value("MASQUERADE1")
    expect(shop.rules).to_contain_text("No rule fits")
    shop.tab_to(shop.rules)
    shop.press("?")
    dialog = shop.page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("play and pause")
    shop.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_service_is_built_and_reached_by_keyboard(shop: Visitor) -> None:
    palette = shop.page.get_by_role("group", name="Add to the cluster")
    shop.tab_to(palette.get_by_role("button", name="Deployment", exact=True))
    shop.press("Enter")
    expect(shop.page.get_by_role("heading", name="Deployment shop/app")).to_be_visible()
    shop.tab_to(shop.button("Back to all objects"))
    shop.press("Enter")
    shop.tab_to(palette.get_by_role("button", name="Service", exact=True))
    shop.press("Enter")
    expect(shop.page.get_by_role("heading", name="Service shop/app")).to_be_visible()
    shop.tab_to(shop.field("Port"))
    shop.press("Control+a")
    shop.page.keyboard.type("8000")
    shop.tab_to(shop.button("Apply"))
    shop.press("Enter")
    expect(
        shop.map.get_by_role("button", name=like(r"^Service shop/app, 10\.\d+\.\d+\.\d+:8000, 2 endpoints"))
    ).to_be_visible()
    shop.tab_to(shop.field("Where to"))
    shop.press("Control+a")
    shop.page.keyboard.type("shop/app:8000")
    shop.press("Enter")
    shop.page.wait_for_url("**/*#trace=2&step=*")
    expect(shop.picture.get_by_text("shop/client → shop/app:8000")).to_be_visible()
    expect(shop.outcome).to_have_text("✓ delivered")


def test_a_menu_is_worked_by_keyboard(shop: Visitor) -> None:
    shop.tab_to(shop.objects.get_by_role("button", name=re.compile("^svc web")))
    shop.press("ArrowDown", "Shift+F10")
    menu = shop.page.get_by_role("menu")
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    for _ in range(12):
        if menu.get_by_role("menuitem", name="Scale web to 4").evaluate("(item) => item.matches(':focus')"):
            break
        shop.press("ArrowDown")
    shop.press("Enter")
    expect(shop.object("deploy web")).to_contain_text("× 4")


def test_the_map_is_worked_by_keyboard(shop: Visitor) -> None:
    shop.tab_to(shop.map.get_by_role("button", name=like("^Pod shop/client")))
    shop.press("Enter")
    expect(shop.picture.get_by_text("sender chosen; now choose where to")).to_be_visible()
    shop.tab_to(shop.map.get_by_role("button", name=like("^Service kube-system/kube-dns")))
    shop.press("Enter")
    expect(shop.picture.get_by_text("shop/client → kube-system/kube-dns:53")).to_be_visible()


def test_focus_can_be_seen(shop: Visitor) -> None:
    shop.press("Tab", "Tab", "Tab")
    width = shop.page.evaluate(
        """() => {
          let at = document.activeElement;
          while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
          const style = getComputedStyle(at);
          return style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
        }"""
    )
    assert width >= 1


def test_a_live_region_speaks_the_steps_sentence(shop: Visitor) -> None:
    shop.press("ArrowRight")
    sentence = shop.sentence.partition(": ")[2]
    expect(shop.page.locator("[aria-live=polite]").filter(has_text=sentence)).to_have_count(1)


def test_who_wants_no_motion_gets_jump_cuts_with_the_same_words(visit: Open, server: Server) -> None:
    token = server.lab()["owner"]
    still = visit(f"/l/{token}#trace=1&step=12", reduced_motion="reduce")
    moving = visit(f"/l/{token}#trace=1&step=12")
    for page in (still, moving):
        page.at(12)
        page.press("ArrowRight")
        page.at(13)
    assert still.sentence == moving.sentence
    still.button("Play").click()
    expect(still.step).to_have_attribute("aria-valuenow", re.compile(r"^(1[4-9]|[2-9]\d)"))
