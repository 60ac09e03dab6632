"""Rule: a visitor finds things as people do, by role and visible words; nothing here waits for time."""

from __future__ import annotations

import re
from typing import Any, Literal

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Locator, expect

PATIENCE = 25_000.0  # milliseconds; nothing waits so long but on a very busy machine
FIELDS: tuple[Literal["combobox", "searchbox", "spinbutton"], ...] = ("combobox", "searchbox", "spinbutton")
_DEEP = "let at = document.activeElement; while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;"


def like(pattern: str) -> re.Pattern[str]:
    """A pattern with `/`, which playwright's selectors would take for the pattern's end."""
    return re.compile(pattern.replace("/", r"\/"))


class Visitor:
    def __init__(self, browser: Browser, url: str, **context: Any) -> None:
        given = {"viewport": {"width": 1280, "height": 720}, "locale": "en-US", "reduced_motion": "no-preference"}
        self.context = browser.new_context(**{**given, **context})
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", self._on_error)
        self.page.on("console", self._on_console)
        self.page.on("dialog", self._on_dialog)
        self.page.goto(url)

    def leave(self) -> None:
        self.context.close()

    def _on_error(self, error: Error) -> None:
        self.complaints.append(f"{error}\n{error.stack}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.complaints.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    # ---- what is on the page -----------------------------------------------------------------------------

    def button(self, name: str | re.Pattern[str], exact: bool = True) -> Locator:
        return self.page.get_by_role("button", name=name, exact=exact)

    def tab(self, name: str) -> Locator:
        return self.page.get_by_role("tab", name=name, exact=True)

    def field(self, name: str) -> Locator:
        """What can be written into or chosen from."""
        found = self.page.get_by_role("textbox", name=name, exact=True)
        for role in FIELDS:
            found = found.or_(self.page.get_by_role(role, name=name, exact=True))
        return found

    def region(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("region", name=name, exact=True)

    @property
    def picture(self) -> Locator:
        return self.page.get_by_role("main")

    @property
    def map(self) -> Locator:
        return self.page.get_by_role("group", name="Map of the cluster")

    @property
    def rules(self) -> Locator:
        return self.region(re.compile("^The rules of "))

    @property
    def objects(self) -> Locator:
        return self.page.get_by_role("navigation", name="The lab’s objects")

    @property
    def step(self) -> Locator:
        """The time line; its value is the number of the step."""
        return self.page.get_by_role("slider", name="Time line")

    @property
    def sentence(self) -> str:
        """What the time line says of the step, as a screen reader is told."""
        return self.step.get_attribute("aria-valuetext") or ""

    @property
    def outcome(self) -> Locator:
        return self.picture.get_by_text(re.compile("^[✓✗] "))

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("list", name="What happened, the newest first")

    @property
    def toasts(self) -> Locator:
        return self.page.locator(".toasts")

    def object(self, name: str) -> Locator:
        """A row of the tree, by its words: `svc web`."""
        return self.objects.get_by_role("button", name=re.compile(rf"^{re.escape(name)}(?: |$)"))

    # ---- what is done ------------------------------------------------------------------------------------

    def at(self, step: int) -> None:
        expect(self.step).to_have_attribute("aria-valuenow", str(step))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def choose(self, name: str, value: str) -> None:
        """Write into a field that offers choices, and go on."""
        self.field(name).fill(value)
        self.press("Tab")
        expect(self.field(name)).to_have_value(value)

    def send(self, source: str, target: str) -> None:
        self.choose("Who sends", source)
        self.choose("Where to", target)
        self.button("Send").click()

    def tab_to(self, wanted: Locator, most: int = 120) -> None:
        """With the Tab key alone, as far as it takes."""
        for _ in range(most):
            if wanted.evaluate(f"(wanted) => {{ {_DEEP} return at === wanted; }}"):
                return
            self.press("Tab")
        raise AssertionError(f"{most} Tabs do not lead to {wanted}")

    def has_no_page_scroll(self) -> bool:
        """Neither down nor aside."""
        fits: bool = self.page.evaluate(
            "() => { const all = document.scrollingElement;"
            "return all.scrollHeight <= innerHeight && all.scrollWidth <= innerWidth; }"
        )
        return fits
