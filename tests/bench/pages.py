"""Rule: what a person waits for, measured in Debian's chromium against a real server, in the page's own time."""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.figures import Figure, percentile
from tests.visualizer.labs import large
from tests.visualizer.serving import ROOT, Server

DIST = os.environ.get("PACKETWALK_DIST", str(ROOT / "static" / "dist"))
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000.0  # milliseconds
SCREEN = {"width": 1280, "height": 720}
SLOWED = 4  # times
OPENINGS = 5
FLYING, RULES = 300, 2_000
SECONDS = 5.0  # of frames
CHANGES = 5

# Milliseconds from the navigation, redirect and all, until the packet's dot has moved.
_MOVING = """
addEventListener("DOMContentLoaded", () => {
  let first = null;
  const look = () => {
    const map = document.querySelector("packet-lab")?.shadowRoot?.querySelector("cluster-map");
    const dot = map?.shadowRoot?.querySelector(".packet:not([visibility=hidden])");
    const at = dot?.getAttribute("transform") ?? dot?.querySelector(".body")?.getAttribute("transform") ?? null;
    if (at !== null && first !== null && at !== first) window.movingAfter = performance.now();
    else {
      first ??= at;
      requestAnimationFrame(look);
    }
  };
  requestAnimationFrame(look);
});
"""

# Three hundred packets of real walks, each on its way anew whenever it has arrived.
_FLY = """
(count) => {
  const { lab } = document.querySelector("packet-lab");
  const paths = lab.state.traces.map((trace) => trace.path);
  const start = () => {
    const now = performance.now();
    lab.flights = Array.from({ length: count }, (_, at) =>
      ({ id: `f${at}`, path: paths[at % paths.length], start: now - (at / count) * 1500, duration: 6000 }));
    lab.tell();
  };
  start();
  setInterval(start, 3000);
  lab.playback.speed = 4;
  setInterval(() => lab.playback.play(), 200);
}
"""

# Milliseconds from the command until its rule is drawn in the panel.
_CHANGE = """
async ([command, text]) => {
  const { lab } = document.querySelector("packet-lab");
  const panel = document.querySelector("packet-lab").shadowRoot.querySelector("rules-panel").shadowRoot;
  const started = performance.now();
  void lab.ask(command);
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${text} does not come`)), 60000);
    const look = () => {
      const shown = panel.querySelector(".pane").textContent.includes(text);
      if (shown) requestAnimationFrame(() => resolve(performance.now() - started));
      else requestAnimationFrame(look);
    };
    look();
  });
}
"""


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[Browser, Server]]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "chromium is missing: apt install chromium"
    server = Server(folder, PACKETWALK_DIST=DIST)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=SWITCHES)
            yield browser, server
            browser.close()
    finally:
        server.kill()


def _page(browser: Browser) -> Page:
    page = browser.new_context(viewport=SCREEN, locale="en-US", reduced_motion="no-preference").new_page()  # type: ignore[arg-type]
    page.set_default_timeout(PATIENCE)
    return page


# ---- the first page ---------------------------------------------------------------------------------------


def first_page(folder: Path) -> Iterator[Figure]:
    with _serving(folder) as (browser, server):
        opened = [_first(browser, server) for _ in range(OPENINGS)]
    yield Figure(
        "first page: bytes as they come, all requests until it moves", max(o[0] for o in opened) / 1000, "kB", most=300
    )
    middle = statistics.median(o[1] for o in opened) / 1000
    yield Figure(f"  until a packet moves, processor slowed {SLOWED}x, middle of {OPENINGS}", middle, "s", most=3)
    yield Figure("  the slowest of them", max(o[1] for o in opened) / 1000, "s")


def _first(browser: Browser, server: Server) -> tuple[float, float]:
    page = _page(browser)
    line = page.context.new_cdp_session(page)
    came: list[float] = []
    line.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    line.send("Network.enable")
    line.send("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    page.add_init_script(_MOVING)
    page.goto(f"http://{server.host}/", wait_until="commit")
    page.wait_for_function("() => window.movingAfter !== undefined")
    after: float = page.evaluate("window.movingAfter")
    total = sum(came)
    page.context.close()
    return total, after


# ---- frames -----------------------------------------------------------------------------------------------


def frames(folder: Path) -> Iterator[Figure]:
    with _serving(folder) as (browser, server):
        token = server.lab(manifests=large(RULES // 8, 2))["owner"]
        for number in range(20):
            flow = {"type": "send", "source": "shop/client", "target": f"shop/s{number}:80"}
            server.json("POST", f"/labs/{token}/commands", flow)
        rules = server.json("GET", f"/labs/{token}/nodes/node1/rules")
        lines = [line for part in rules["parts"] for line in part["lines"] if line["number"] > 0]
        page = _page(browser)
        page.goto(f"http://{server.host}/l/{token}")
        page.wait_for_function("() => (document.querySelector('packet-lab').lab?.shown ?? null) !== null")
        page.get_by_role("region", name="The rules of node1").get_by_text("KUBE-SVC").first.wait_for()
        page.evaluate(_FLY, FLYING)
        page.wait_for_timeout(1500)
        browser.start_tracing(
            page=page, categories=["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"]
        )
        page.wait_for_timeout(SECONDS * 1000)
        traced = json.loads(browser.stop_tracing())
        work = _work_of_frames(traced["traceEvents"])
    yield Figure(f"{FLYING} packets in flight: rules of the node in the panel", len(lines), "", least=RULES)
    yield Figure("  frames measured", len(work), "")
    yield Figure("  main thread's work in a frame, p95", percentile(work, 0.95), "ms", most=8)
    yield Figure("  the middle frame", percentile(work, 0.5), "ms")


def _work_of_frames(events: list[dict[str, Any]]) -> list[float]:
    """Milliseconds of processor time that the page's main thread worked for each frame, up to its commit.

    Processor time, not time by the clock: on a machine that others use, the clock would measure them, too.
    """
    threads = [(event["pid"], event["tid"]) for event in events if event["name"] == "FireAnimationFrame"]
    thread = max(set(threads), key=threads.count)
    mine = [event for event in events if (event["pid"], event["tid"]) == thread and event["ph"] == "X"]
    commits = sorted(event["ts"] for event in mine if event["name"] == "Commit")
    work = [0.0] * len(commits)
    for task in mine:
        frame = bisect_right(commits, task["ts"])
        if task["name"] == "RunTask" and frame < len(work):
            work[frame] += task.get("tdur", 0) / 1000
    return work[1:]


# ---- a large lab ------------------------------------------------------------------------------------------


def large_lab(folder: Path) -> Iterator[Figure]:
    with _serving(folder) as (browser, server):
        token = server.lab(manifests=large(1000, 5))["owner"]
        text = server.ask("GET", f"/api/v1/labs/{token}/nodes/node1/rules.txt")[2].decode()
        chain = re.search(r'"shop/s500 cluster IP".* -j (KUBE-SVC-\w+)', text)[1]  # type: ignore[index]
        page = _page(browser)
        page.goto(f"http://{server.host}/l/{token}")
        page.get_by_role("combobox", name="Of which Service").wait_for()
        page.get_by_role("region", name="The rules of node1").get_by_text("KUBE-").first.wait_for()
        page.get_by_role("searchbox", name="Search the rules").fill(
            f"{chain} -m statistic"
        )  # so that they are in sight
        page.get_by_text(_probability(5)).first.wait_for()
        times = [_changed(page, replicas) for replicas in range(6, 6 + CHANGES)]
        page.get_by_role("combobox", name="Of which Service").select_option("shop/s500")
        filtered = [_changed(page, replicas) for replicas in range(20, 20 + CHANGES)]
    yield Figure(
        "1,000 Services x 5 endpoints: a change to its rules on screen", statistics.median(times) / 1000, "s", most=1
    )
    yield Figure("  the slowest", max(times) / 1000, "s")
    yield Figure("  with the rules of one Service shown alone", statistics.median(filtered) / 1000, "s", most=1)


def _changed(page: Page, replicas: int) -> float:
    name = {"kind": "Deployment", "namespace": "shop", "name": "s500"}
    command = {"type": "patch", **name, "patch": {"spec": {"replicas": replicas}}}
    with page.expect_response(re.compile("/nodes/node1/rules$")) as whole:
        taken: float = page.evaluate(_CHANGE, [command, _probability(replicas)])
    whole.value.finished()  # the node's whole text, which follows: people do not change things while it comes
    return taken


def _probability(endpoints: int) -> str:
    """As iptables-save writes that the first of so many is chosen."""
    return f"{round(2**31 / endpoints) / 2**31:.11f}"
