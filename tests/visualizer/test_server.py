"""Rule: what holds in service is tried in service: a real process, real sockets, and kill -9."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.visualizer.labs import CLIENT, WEB, large
from tests.visualizer.serving import Page, Server

SEND = {"type": "send", "source": CLIENT, "target": WEB}
SCALE = {"type": "patch", "kind": "Deployment", "namespace": "shop", "name": "web", "patch": {"spec": {"replicas": 5}}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("server"), PACKETWALK_NEW_LABS_PER_HOUR="100000")
    yield one
    one.stop()


def test_kill_9_in_mid_lab_loses_and_repeats_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        token = server.lab()["owner"]
        with server.page(token) as page:
            assert page.hear("welcome")["view"]["seq"] == 1
            for command in (SEND, SCALE, SEND, {"type": "set_mode", "mode": "ipvs"}, SEND):
                assert page.do(command)["type"] == "done"
            page.say({"type": "ask", "id": "last", "command": {**SEND, "type": "burst", "count": 2000}})
            server.kill()  # while it is being worked out: it was never stored, and nobody was told
        server.start()
        with server.page(token, seen=4) as page:
            assert page.hear("welcome")["view"] is None
            assert page.missed(6) == [5, 6]
            done = page.do(SEND)
            assert (done["type"], done["seq"]) == ("done", 7)
        with server.page(token, seen=7) as page:
            page.hear("welcome")
            assert page.do(SEND)["seq"] == 8
        events = server.json("GET", f"/labs/{token}/events?limit=500")
        assert [one["seq"] for one in events] == list(range(1, 9))
        kernel = server.json("GET", f"/labs/{token}/nodes/node1/kernel")
        assert len(kernel["conntrack"]) == 3  # of the three since the mode changed: replayed, then gone on with
        assert {one["label"] for one in events[-1]["event"]["traces"]} == {""}
    finally:
        server.stop()


def test_two_pages_hear_the_same_in_the_same_order(server: Server) -> None:
    tokens = server.lab()
    with server.page(tokens["owner"]) as one, server.page(tokens["editor"]) as other:
        for page in (one, other):
            page.hear("welcome")
        for number in range(7):
            for page, name in ((one, "one"), (other, "other")):
                page.say(
                    {"type": "ask", "id": f"{name}{number}", "command": {"type": "rename", "title": f"{name} {number}"}}
                )
        heard = [_until(page, 15) for page in (one, other)]
        assert heard[0] == heard[1]
        assert [seq for seq, _ in heard[0]] == list(range(2, 16))


def _until(page: Page, last: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    while not found or found[-1][0] < last:
        message = page.hear("happened")
        found.append((message["seq"], message["event"]["title"]))
    return found


def test_a_page_that_does_not_read_slows_nobody_and_is_told_to_ask_again(server: Server) -> None:
    token = server.lab()["owner"]
    pod = (
        "# {}\napiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: shop}}\nspec: {{containers: [{{name: c}}]}}\n"
    )
    with connect(f"ws://{server.host}/ws/lab/{token}", max_size=None, max_queue=1, ping_interval=None) as connection:
        slow = Page(connection)
        slow.say({"type": "hello", "protocol": 1})
        slow.hear("welcome")
        before = server.memory()
        with server.page(token) as quick:
            quick.hear("welcome")
            for number in range(60):
                text = pod.format(f"{number:03}" * 300_000)
                assert quick.do({"type": "apply", "manifests": text})["type"] == "done"
        assert server.memory() - before < 150_000
        seen = 0
        while (message := slow.hear("happened", "resync"))["type"] == "happened":
            assert message["seq"] == (seen + 1 if seen else 2)
            seen = message["seq"]
        slow.say({"type": "hello", "protocol": 1, "seen": seen})
        view = slow.hear("welcome")["view"]
        assert view["seq"] == 61 if view else slow.missed(61) == list(range(seen + 1, 62))


def test_a_change_of_a_large_lab_is_told_within_a_second(server: Server) -> None:
    token = server.lab(manifests=large(1000, 5))["owner"]
    with server.page(token) as page:
        assert len(page.hear("welcome")["view"]["cluster"]["services"]) == 1000
        page.do({"type": "send", "source": "shop/client", "target": "shop/s999"})
        took = []
        for number in range(6):
            started = server.worked()
            patch = {"spec": {"replicas": 5 + number % 2 + 1}}
            page.say(
                {
                    "type": "ask",
                    "id": "a",
                    "command": {
                        "type": "patch",
                        "kind": "Deployment",
                        "namespace": "shop",
                        "name": "s500",
                        "patch": patch,
                    },
                }
            )
            event = page.hear("happened")["event"]
            took.append(server.worked() - started)
            assert event["stages"][-1]["added"] or event["stages"][-1]["removed"]
        assert min(took[1:]) < 1, took


# ---- who may come in --------------------------------------------------------------------------------------------


def test_a_page_of_another_site_is_not_let_in(server: Server) -> None:
    token = server.lab()["owner"]
    for origin in ("http://evil.example", f"http://127.0.0.1:{server.port + 1}", "null", "http://[", "file://"):
        with pytest.raises(InvalidStatus), connect(f"ws://{server.host}/ws/lab/{token}", origin=Origin(origin)):
            pass
    with connect(f"ws://{server.host}/ws/lab/{token}") as script:
        Page(script).say({"type": "hello", "protocol": 1})
        assert Page(script).hear()["type"] == "welcome"


def test_a_host_that_is_not_ours_is_refused(server: Server) -> None:
    assert server.ask("GET", "/", headers={"Host": "evil.example"})[0] == 400
    with (
        pytest.raises(InvalidStatus),
        connect(
            f"ws://{server.host}/ws/lab/x",
            additional_headers={"Host": "evil.example"},
            origin=Origin("http://evil.example"),
        ),
    ):
        pass


@pytest.mark.parametrize("token", ["x" * 22, "x", "%00", "a%20b", "é".encode().hex()])
def test_an_unknown_lab_is_said_goodbye_to(server: Server, token: str) -> None:
    with connect(f"ws://{server.host}/ws/lab/{token}") as connection:
        message = Page(connection).hear()
        assert message["type"] == "goodbye"
        assert "expired" in message["reason"]
    assert connection.close_code == 4404


# ---- pages ------------------------------------------------------------------------------------------------------


def test_the_first_page_is_a_lab_that_the_browser_comes_back_to(server: Server) -> None:
    status, headers, _ = server.ask("GET", "/")
    assert (status, headers["location"][:3]) == (302, "/l/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    again = server.ask("GET", "/", headers={"Cookie": cookie.partition(";")[0]})
    assert again[1]["location"] == headers["location"]
    token = headers["location"].rpartition("/")[2]
    (trace,) = server.json("GET", f"/labs/{token}")["traces"]
    assert trace["disposition"] == "delivered"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "This lab is not here"), ("zh-CN,en;q=0.5", "这个实验室不在这里")]
)
def test_a_lost_lab_is_told_in_the_readers_language(server: Server, language: str, words: str) -> None:
    status, headers, body = server.ask("GET", "/l/" + "x" * 22, headers={"Accept-Language": language})
    assert status == 404
    assert words in body.decode()
    assert "script-src 'self';" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"


def test_the_page_loads_what_the_build_made(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    server = Server(tmp_path / "data", PACKETWALK_DIST=str(dist))
    try:
        token = server.lab()["owner"]
        status, _, body = server.ask("GET", f"/l/{token}")
        assert status == 503
        assert "npm run build" in body.decode()
        manifest = {
            "src/main.ts": {
                "file": "assets/main-AbCdEf12.js",
                "isEntry": True,
                "imports": ["_x.js"],
                "css": ["assets/a.css"],
            },
            "_x.js": {"file": "assets/x-AbCdEf12.js", "css": ["assets/x.css"]},
        }
        (dist / "manifest.json").write_text(json.dumps(manifest))
        (dist / "assets" / "main-AbCdEf12.js").write_text("export {};" * 200)
        status, headers, body = server.ask("GET", f"/l/{token}")
        page = body.decode()
        assert status == 200
        assert f'<packet-lab token="{token}">' in page
        assert '<script type="module" src="/static/assets/main-AbCdEf12.js">' in page
        assert page.count("modulepreload") == 1
        assert page.count('rel="stylesheet"') == 2
        nonce = page.partition('name="csp-nonce" content="')[2].partition('"')[0]
        assert f"'nonce-{nonce}'" in headers["content-security-policy"]
        status, headers, body = server.ask(
            "GET", "/static/assets/main-AbCdEf12.js", headers={"Accept-Encoding": "gzip"}
        )
        assert (status, headers["content-encoding"]) == (200, "gzip")
        assert "immutable" in headers["cache-control"]
        assert gzip.decompress(body) == b"export {};" * 200
        assert (
            server.ask("GET", "/static/assets/main-AbCdEf12.js", headers={"If-None-Match": headers["etag"]})[0] == 304
        )
    finally:
        server.stop()


@pytest.mark.parametrize(
    "name",
    ["../manage.py", "%2e%2e/manage.py", ".vite/manifest.json", "", "x", "a%00b", "..%5cmanage.py", "/etc/passwd"],
)
def test_only_static_files_are_served(server: Server, name: str) -> None:
    assert server.ask("GET", f"/static/{name}")[0] == 404


def test_the_api_is_documented_from_our_own_files(server: Server) -> None:
    status, _, body = server.ask("GET", "/api/v1/docs")
    assert status == 200
    assert "//" not in body.decode().replace("</", "").replace("//JS", "")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "swagger-ui-init.js"):
        assert f"/static/ninja/{name}" in body.decode()
        assert server.ask("GET", f"/static/ninja/{name}")[0] == 200
    openapi = json.loads(server.ask("GET", "/api/v1/openapi.json")[2])
    assert "/api/v1/labs/{token}/commands" in openapi["paths"]


def test_a_trace_is_fetched_as_it_is_kept(server: Server) -> None:
    token = server.lab()["owner"]
    path = f"/api/v1/labs/{token}/traces/1"
    _, headers, squeezed = server.ask("GET", path, headers={"Accept-Encoding": "deflate"})
    assert headers["content-encoding"] == "deflate"
    assert "immutable" in headers["cache-control"]
    _, headers, body = server.ask("GET", path)
    assert "content-encoding" not in headers
    assert zlib.decompress(squeezed) == body
    assert json.loads(body)["disposition"] == "delivered"


def test_no_log_tells_a_link(server: Server) -> None:
    token = server.lab()["owner"]
    server.ask("GET", f"/l/{token}")
    server.ask("GET", "/l/" + "y" * 22)
    assert token not in server.log
    assert "y" * 22 not in server.log


def test_the_map_is_a_picture_for_whoever_has_a_link(server: Server) -> None:
    token = server.lab(title="<b>")["viewer"]
    for query, begins in (("", "<b>: map of the cluster"), ("?trace=1&lang=zh-hans", "<b>：集群地图")):
        status, headers, body = server.ask("GET", f"/api/v1/labs/{token}/map.svg{query}")
        assert status == 200
        assert headers["content-type"] == "image/svg+xml"
        assert headers["content-disposition"].startswith("attachment")
        root = Xml.fromstring(body)
        assert root[0].text == begins
        assert (b'class="trail"' in body) == bool(query)
