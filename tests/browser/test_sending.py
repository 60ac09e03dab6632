"""Rule: a burst is counted against the exact odds, DNS is asked first, traffic goes on while things are changed."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.visitor import Visitor


def test_a_burst_is_drawn_against_the_exact_odds(shop: Visitor) -> None:
    shop.field("How many connections").fill("300")
    shop.press("Tab")
    shop.button("Burst").click()
    odds = shop.region("Odds of this flow")
    expect(odds).to_contain_text("300 connections")
    rows = odds.get_by_role("row").filter(has_text="exact")
    expect(rows.filter(has_text="1/3")).to_have_count(3)
    counted = [int(text.split()[-1]) for text in rows.filter(has_text="1/3").get_by_role("rowheader").all_inner_texts()]
    assert sum(counted) == 300
    assert all(50 <= count <= 150 for count in counted)  # 100 each; six standard deviations are 49
    for row in rows.filter(has_text="1/3").all():
        expect(row).to_contain_text(re.compile(r"\d\s*% · exact 1/3 = 33\.?\d*\s*%"))


def test_the_exact_odds_need_no_burst(shop: Visitor) -> None:
    shop.tab("Odds").click()
    odds = shop.region("Odds of this flow")
    expect(odds.get_by_role("row").filter(has_text="1/3")).to_have_count(3)
    shop.choose("Where to", "kube-system/kube-dns:53")
    expect(odds.get_by_role("row").filter(has_text="1/2")).to_have_count(2)


def test_dns_is_asked_first(shop: Visitor) -> None:
    shop.button("DNS first").click()
    expect(shop.picture.get_by_text(":53").first).to_be_visible()
    expect(shop.region("The packet’s fields")).to_contain_text("UDP")
    shop.tab("Log").click()
    walks = shop.log.get_by_role("button", name=re.compile("→"))
    expect(walks).to_have_count(3)
    expect(walks.first).to_contain_text("DNS · ")
    walks.nth(1).click()
    expect(shop.region("The packet’s fields")).to_contain_text("TCP SYN")
    expect(shop.outcome).to_have_text("✓ delivered")


def test_traffic_goes_on_while_things_are_changed(shop: Visitor) -> None:
    shop.button("Traffic").click()
    expect(shop.button("Traffic")).to_have_attribute("aria-pressed", "true")
    shop.tab("Log").click()
    walks = shop.log.get_by_role("button", name=re.compile("→"))
    expect(walks.nth(2)).to_be_visible()
    shop.button("nftables").click()
    expect(walks.filter(has_text="nftables").nth(2)).to_be_visible()  # one is the mode's own
    shop.button("Traffic").click()
    expect(shop.button("Traffic")).to_have_attribute("aria-pressed", "false")


def test_from_outside_by_a_node_port_is_masqueraded(shop: Visitor) -> None:
    shop.choose("Who sends", "192.168.10.50")
    shop.field("The node at which traffic from outside comes in").select_option("node2")
    shop.choose("Where to", "192.168.10.12:30080")
    shop.button("Send").click()
    expect(shop.outcome).to_have_text("✓ delivered")
    shop.page.wait_for_url("**/*#trace=2&step=*")
    shop.tab("Steps").click()
    expect(shop.picture).to_contain_text(re.compile("the mark 0x4000"))


def test_what_cannot_be_sent_is_refused_with_its_cure(shop: Visitor) -> None:
    shop.send("shop/nobody", "shop/web:80")
    expect(shop.toasts).to_contain_text("shop/nobody")
    shop.send("shop/client", "10.244.2.2:9999")
    expect(shop.outcome).to_have_text("✗ refused")
