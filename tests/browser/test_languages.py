"""Rule: in Simplified Chinese nothing that the page says is English; names, addresses and kernels' words stay."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.visitor import Visitor
from tests.visualizer.serving import Server

SAID = (Path(__file__).parent / "texts.js").read_text()
DATA = "yaml-editor, .pane, .lines, option[lang]"  # what people and kernels wrote
HAN = re.compile("[\u4e00-\u9fff]")
TWO_WORDS = re.compile(r"\b[A-Za-z]{2,} [a-z]{2,}\b")
KERNELS = re.compile(r"-A |(tcp|udp) +\d|dev |(DNAT|REDIRECT) to |local |default via |[\w.-]+/[\w.-]+ ")


def _english(visitor: Visitor) -> set[str]:
    said: list[str] = visitor.page.evaluate(SAID, DATA)
    return {text for text in said if TWO_WORDS.search(text) and not HAN.search(text) and not KERNELS.match(text)}


@pytest.fixture
def chinese(visit: Open, server: Server) -> Visitor:
    visitor = visit(f"/l/{server.lab()['owner']}#trace=1&step=20", locale="zh-CN")
    expect(_button(visitor, "发送")).to_be_visible()
    expect(visitor.page.get_by_role("slider", name="时间线")).to_have_attribute("aria-valuenow", "20")
    return visitor


def _button(visitor: Visitor, name: str) -> Locator:
    return visitor.page.get_by_role("button", name=name, exact=True)


def _tree(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("navigation", name="实验室中的对象")


def test_a_browser_in_chinese_gets_chinese(chinese: Visitor) -> None:
    assert chinese.page.locator("html").get_attribute("lang") == "zh-Hans"
    assert _english(chinese) == set()
    for view in ("内核", "步骤"):
        chinese.tab(view).click()
        assert _english(chinese) == set()
    chinese.tab("概率").click()
    expect(chinese.page.get_by_role("region", name="这个流的概率")).to_contain_text("1/3")
    assert _english(chinese) == set()


def test_the_inspector_menus_and_dialogs_are_chinese(chinese: Visitor) -> None:
    _tree(chinese).get_by_role("button", name=re.compile("^deploy web")).click(button="right")
    expect(chinese.page.get_by_role("menu")).to_be_visible()
    assert _english(chinese) == set()
    chinese.press("Escape")
    for name in ("svc web", "deploy web", "node node1", "proxy "):
        _tree(chinese).get_by_role("button", name=re.compile(f"^{name}")).click()
        expect(chinese.page.get_by_role("textbox", name="YAML")).to_be_visible()
        assert _english(chinese) == set()
        chinese.press("Escape")
    for name in ("分享", "粘贴", "帮助与按键（?）"):
        _button(chinese, name).click()
        expect(chinese.page.get_by_role("dialog")).to_be_visible()
        assert _english(chinese) == set()
        chinese.press("Escape")
        expect(chinese.page.get_by_role("dialog")).to_be_hidden()


def test_compare_is_chinese(chinese: Visitor) -> None:
    _button(chinese, "对比").click()
    expect(chinese.page.get_by_role("group", name="IPVS", exact=True)).to_be_visible()
    assert _english(chinese) == set()


def test_what_a_change_did_is_told_in_chinese(chinese: Visitor) -> None:
    _tree(chinese).get_by_role("button", name=re.compile("^deploy web")).click(button="right")
    chinese.page.get_by_role("menuitem", name=re.compile("4")).click()
    chinese.tab("日志").click()
    expect(chinese.page.get_by_text("etcd", exact=True)).to_be_visible()
    assert _english(chinese) == set()


def test_the_language_is_switched_in_place_and_kept(shop: Visitor) -> None:
    shop.press("ArrowRight", "ArrowRight")
    shop.at(3)
    shop.tab("Log").click()
    shop.field("Language").select_option(label="简体中文")
    expect(_button(shop, "发送")).to_be_visible()
    line = shop.page.get_by_role("slider", name="时间线")
    expect(line).to_have_attribute("aria-valuenow", "3")
    expect(shop.tab("日志")).to_have_attribute("aria-selected", "true")
    shop.page.reload()
    expect(line).to_have_attribute("aria-valuenow", "3")
    assert shop.page.locator("html").get_attribute("lang") == "zh-Hans"
    shop.field("语言").select_option(label="English")
    expect(shop.button("Send")).to_be_visible()
