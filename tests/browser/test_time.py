"""Rule: a walk is stepped both ways, and its address names the step: whoever opens that sees the same moment."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor, like
from tests.visualizer.serving import Server


def test_buttons_and_keys_step_both_ways(shop: Visitor) -> None:
    first = shop.sentence
    shop.button("Step on").click()
    shop.at(2)
    assert shop.sentence != first
    shop.press("ArrowRight", "ArrowRight")
    shop.at(4)
    shop.press("ArrowLeft")
    shop.button("Step back").click()
    shop.press("ArrowLeft")
    shop.at(1)
    assert shop.sentence == first


def test_skipping_stops_where_something_happened(shop: Visitor) -> None:
    shop.button("On to the next match, rewrite or verdict").click()
    expect(shop.step).to_have_attribute("aria-valuetext", re.compile("matches|rewritten|arrives|chosen|mark"))
    shop.press("End")
    shop.at(int(shop.step.get_attribute("aria-valuemax") or 0))
    shop.press("Home")
    shop.at(1)


def test_the_panel_shows_what_dnat_did(shop: Visitor) -> None:
    fields = shop.region("The packet’s fields")
    for _ in range(60):
        shop.press("Shift+ArrowRight")
        if "destination is rewritten" in shop.sentence:
            break
    expect(shop.region("The packet").get_by_text("The destination is rewritten").first).to_be_visible()
    row = fields.get_by_role("row", name=re.compile("^(IP )?destination 10.96.100.10 "))
    expect(row).to_contain_text(re.compile(r"10\.244\.[12]\.\d"))


def test_a_rule_that_does_not_match_says_why(shop: Visitor) -> None:
    why = None
    while why is None:
        shop.press("ArrowRight")
        why = re.search(r" does not match: (.+)\.$", shop.sentence)
    expect(shop.rules).to_contain_text(why[1])


def test_the_time_line_is_dragged(shop: Visitor) -> None:
    box = shop.step.bounding_box()
    assert box is not None
    shop.page.mouse.move(box["x"] + 20, box["y"] + 30)
    shop.page.mouse.down()
    shop.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30, steps=4)
    shop.page.mouse.up()
    steps = int(shop.step.get_attribute("aria-valuemax") or 0)  # more where the endpoint is on the other node
    about = "|".join(str(step) for step in range(steps // 2, steps * 7 // 10))
    expect(shop.step).to_have_attribute("aria-valuenow", re.compile(f"^({about})$"))


def test_a_link_opens_at_its_step(visit: Open, server: Server) -> None:
    token = server.lab()["viewer"]
    visitor = visit(f"/l/{token}#trace=1&step=17")
    visitor.at(17)
    expect(visitor.button("Play")).to_be_visible()  # it waits there
    visitor.press("ArrowRight")
    visitor.page.wait_for_url("**/*#trace=1&step=18")
    said = visitor.sentence
    other = visit(visitor.page.url)
    other.at(18)
    assert other.sentence == said
    other.page.evaluate("location.hash = '#trace=1&step=3'")  # as a link in a chat would
    other.at(3)


def test_a_link_to_nowhere_leaves_a_page_that_works(visit: Open, server: Server) -> None:
    visitor = visit(f"/l/{server.lab()['owner']}#trace=999&step=999999")
    expect(visitor.toasts).not_to_have_text("")
    visitor.button("Send").click()
    expect(visitor.outcome).to_have_text("✓ delivered")
    visitor.complaints.clear()  # the browser tells of the 404


def test_the_speed_has_a_wide_range(shop: Visitor) -> None:
    speed = shop.page.get_by_role("slider", name="Speed")
    speed.fill(speed.get_attribute("max") or "")
    fastest = speed.get_attribute("aria-valuetext") or ""
    speed.fill(speed.get_attribute("min") or "")
    slowest = speed.get_attribute("aria-valuetext") or ""
    assert float(fastest.rstrip("×")) / float(slowest.rstrip("×")) >= 50
    speed.fill("4")
    shop.button("Play").click()
    expect(shop.button("Play")).to_be_visible()  # it has come to its end by itself
    shop.at(int(shop.step.get_attribute("aria-valuemax") or 0))


def test_reload_in_mid_walk_loses_nothing(shop: Visitor) -> None:
    shop.button("Send").click()
    shop.page.wait_for_url("**/*#trace=2&step=*")
    shop.button("Pause").click()
    expect(shop.button("Play")).to_be_visible()
    shop.page.wait_for_url(f"**/*#trace=2&step={shop.step.get_attribute('aria-valuenow')}")
    said, objects = shop.sentence, shop.objects.inner_text()
    shop.page.reload()
    expect(shop.step).to_have_attribute("aria-valuetext", said)
    expect(shop.objects).to_have_text(re.compile("web"))
    assert shop.objects.inner_text() == objects
    shop.tab("Log").click()
    expect(shop.log.get_by_role("button", name=like("shop/client → shop/web:80"))).to_have_count(2)


def test_a_reload_right_after_a_step_keeps_it(shop: Visitor) -> None:
    shop.press("ArrowRight", "ArrowRight")
    shop.page.reload()
    shop.at(3)


def test_reload_loses_no_change_from_the_log(shop: Visitor) -> None:
    shop.object("deploy web").click(button="right")
    shop.page.get_by_role("menuitem", name="Scale web to 4").click()
    shop.tab("Log").click()
    expect(shop.log.get_by_role("button", name=re.compile("^edited"))).to_be_visible()
    shop.page.reload()
    shop.tab("Log").click()
    expect(shop.log.get_by_role("button", name=re.compile("→"))).to_be_visible()
    expect(shop.log.get_by_role("button", name=re.compile("^edited"))).to_be_visible()
    expect(shop.log.get_by_text("EndpointSlice controller", exact=True)).to_be_visible()
    expect(shop.log.get_by_role("button", name="New lab from here")).to_be_visible()
