"""Rule: whatever is sent, the answer is a clear refusal and the server goes on; each row is one way to hurt it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.visualizer.labs import CLIENT, WEB
from tests.visualizer.serving import Page, Server

SEND = {"type": "send", "source": CLIENT, "target": WEB}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("hostile"), PACKETWALK_NEW_LABS_PER_HOUR="100000")
    yield one
    one.stop()


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    return server.lab()["owner"]


def ask(command: Any, name: Any = "a") -> str:
    return json.dumps({"type": "ask", "id": name, "command": command})


def apply(manifests: str) -> str:
    return ask({"type": "apply", "manifests": manifests})


def patch(value: Any, name: str = "web", kind: str = "Service") -> str:
    return ask({"type": "patch", "kind": kind, "namespace": "shop", "name": name, "patch": value})


def send(**fields: Any) -> str:
    return ask({**SEND, **fields})


def pod(text: str) -> str:
    return apply(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: x, namespace: shop}}\n{text}\n")


def bombs() -> str:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n" + "\n".join(levels)


def many(kind: str, count: int) -> str:
    return "---\n".join(f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: a{n}}}\n" for n in range(count))


EVERY_POD = "".join(
    f"---\napiVersion: v1\nkind: Service\nmetadata: {{name: s{n}, namespace: shop}}\n"
    "spec: {selector: {all: 'true'}, ports: [{port: 80}]}\n"
    for n in range(300)
)
MANY_PODS = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: many, namespace: shop}\nspec:\n  replicas: 240\n"
    "  selector: {matchLabels: {all: 'true'}}\n  template:\n    metadata: {labels: {all: 'true'}}\n"
    "    spec: {containers: [{name: c}]}\n"
)
DEEP_JSON = '{"a":' * 5000 + "1" + "}" * 5000
LONG = "x" * 100_000

# What is sent, and what the refusal says.
MESSAGES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "Invalid JSON"),
    "no JSON": ("hello", "Invalid JSON"),
    "half a message": ('{"type":"ping"', "Invalid JSON"),
    "a number": ("1", "should be"),
    "a list": ("[]", "should be"),
    "null": ("null", "should be"),
    "an empty object": ("{}", "Unable to extract tag"),
    "an unknown type": ('{"type":"shutdown"}', "does not match any of the expected tags"),
    "a type that is no text": ('{"type":{"$gt":""}}', "does not match any of the expected tags"),
    "an unknown field": ('{"type":"ping","admin":true}', "Extra inputs"),
    "a field named __proto__": ('{"type":"ping","__proto__":{}}', "Extra inputs"),
    "deep JSON": (DEEP_JSON, "recursion limit"),
    "deep lists": ("[" * 100_000, "recursion limit"),
    "deep JSON in a patch": (
        '{"type":"ask","id":"a","command":{"type":"patch","kind":"Service","name":"web","patch":' + DEEP_JSON + "}}",
        "recursion limit",
    ),
    "a patch of a hundred levels": (patch(json.loads('{"a":' * 100 + "1" + "}" * 100)), "too large"),
    "a half surrogate": ('{"type":"ask","id":"\\ud800","command":{"type":"undo"}}', "Invalid JSON"),
    "bytes": (b"\x00\xff\xfe", "JSON text, not bytes"),
    "bytes that are JSON": (b'{"type":"ping"}', "JSON text, not bytes"),
    "an id of a hundred letters": (ask({"type": "undo"}, "x" * 100), "at most 64"),
    "no id": ('{"type":"ask","command":{"type":"undo"}}', "Field required"),
    "an empty id": (ask({"type": "undo"}, ""), "at least 1"),
    "an id that is a number": (ask({"type": "undo"}, 1), "valid string"),
    "no command": ('{"type":"ask","id":"a"}', "Field required"),
    "a command that is text": (ask("undo"), "should be"),
    "an unknown command": (ask({"type": "exec", "cmd": "id"}), "does not match any of the expected tags"),
    "two ids": ('{"type":"ask","id":"a","id":"b","command":{"type":"undo","x":1}}', "Extra inputs"),
    "hello in words": ('{"type":"hello","protocol":"one"}', "valid integer"),
    "hello seen before time": ('{"type":"hello","protocol":1,"seen":1e400}', "seen"),
    # ---- sending
    "a source of 100,000 letters": (send(source=LONG), "at most 520"),
    "no source": (send(source=""), "at least 1"),
    "a source that is a list": (send(source=["shop/client"]), "valid string"),
    "a source with markup": (send(source="<img src=x onerror=alert(1)>"), "there is no"),
    "a source with a NUL": (send(source="shop/\0client"), "there is no Pod"),
    "a source with a path": (send(source="../../etc/passwd"), "there is no Pod"),
    "a source of right-to-left letters": (send(source="\u202eshop/client"), "there is no Pod"),
    "a target port of 99999": (send(target="shop/web:99999"), "no port"),
    "a target port below 0": (send(target="shop/web:-1"), "no port named"),
    "a target port in Arabic digits": (send(target="shop/web:٨٠"), "no port named"),
    "a target that is broadcast": (send(target="255.255.255.255:80"), "broadcast"),
    "a target that is multicast": (send(target="224.0.0.1:80"), "multicast"),
    "a target that is nothing": (send(target="0.0.0.0:80"), "unspecified"),
    "a target with a zone": (send(target="[fe80::1%eth0]:80"), "there is no"),
    "a target of colons": (send(target=":" * 500), "no destination"),
    "an open bracket": (send(target="[::1"), "no destination"),
    "an unknown protocol": (send(protocol="quic"), "'tcp', 'udp' or 'sctp'"),
    "an unknown node": (send(via="nowhere"), "there is no node"),
    "a burst of none": (ask({**SEND, "type": "burst", "count": 0}), "greater than or equal to 2"),
    "a burst of a billion": (ask({**SEND, "type": "burst", "count": 10**9}), "less than or equal to 10000"),
    "a burst of 2.5": (ask({**SEND, "type": "burst", "count": 2.5}), "valid integer"),
    "a burst of NaN": (
        '{"type":"ask","id":"a","command":{"type":"burst","source":"a","target":"b","count":NaN}}',
        "count",
    ),
    "a wait of a year": (ask({"type": "wait", "seconds": 31_536_000}), "less than or equal to 864000"),
    "a wait backwards": (ask({"type": "wait", "seconds": -1}), "greater than or equal to 1"),
    "a number of 5,000 digits": (f'{{"type":"ask","id":"a","command":{{"type":"wait","seconds":{"9" * 5000}}}}}', ""),
    "an unknown mode": (ask({"type": "set_mode", "mode": "ebpf"}), "'userspace', 'iptables', 'ipvs' or 'nftables'"),
    "a name that DNS does not know": (
        ask({"type": "resolve", "source": CLIENT, "service": "shop/' OR 1=1"}),
        "knows no",
    ),
    "a title of 1,000 letters": (ask({"type": "rename", "title": "x" * 1000}), "at most 120"),
    "no title": (ask({"type": "rename", "title": ""}), "at least 1"),
    # ---- manifests
    "manifests of 2,000,001 letters": (apply("#" * 2_000_001), "at most 2000000"),
    "no manifests": (apply(""), "no object"),
    "a YAML bomb": (apply(bombs()), "aliases repeat more than"),
    "an alias inside its anchor": (apply("a: &a {b: *a}"), "inside its own anchor"),
    "an alias of nothing": (apply("a: *b"), "no anchor"),
    "a Python object": (apply("a: !!python/object/apply:os.system [id]"), "not allowed"),
    "a tag of its own": (apply("a: !exec id"), "not allowed"),
    "YAML a hundred deep": (apply("a: " + "[" * 100 + "]" * 100), "deep"),
    "YAML 100,000 deep": (apply("[" * 100_000), ""),
    "YAML with a tab": (apply("a:\n\t- b"), "no tabs"),
    "YAML with a NUL": (apply("a: \0"), "not UTF-8 text"),
    "YAML with a control character": (apply("a: \x07"), "control character"),
    "YAML with a key twice": (apply("kind: Pod\nkind: Node\n"), "stands twice"),
    "YAML with a key that is a list": (apply("[1]: 2\n"), "key"),
    "a text of 100,000 documents": (apply("---\na: 1\n" * 100_000), "the kind is missing"),
    "6,000 Nodes": (apply(many("Node", 6000)), "at most 5,000 objects"),
    "101 Nodes": (apply(many("Node", 101)), "nodes"),
    "a value of two million letters": (apply("kind: Pod\nx: " + "y" * 1_900_000), "1,900,000 characters"),
    "an object without a name": (apply("kind: Pod\napiVersion: v1\nmetadata: {}\n"), "no name"),
    "a name with markup": (apply("kind: Pod\napiVersion: v1\nmetadata: {name: '<img onerror>'}\n"), "metadata.name"),
    "a name of 10,000 letters": (apply(f"kind: Pod\napiVersion: v1\nmetadata: {{name: {'x' * 10_000}}}\n"), "no name"),
    "a kind of 10,000 letters": (apply(f"kind: {'x' * 10_000}\napiVersion: v1\nmetadata: {{name: a}}\n"), "kind"),
    "a million replicas": (
        patch({"spec": {"replicas": 10**6}}, kind="Deployment"),
        "at most 10,000 Pods",
    ),
    "replicas below none": (patch({"spec": {"replicas": -1}}, kind="Deployment"), "replicas"),
    "replicas that are text": (patch({"spec": {"replicas": "many"}}, kind="Deployment"), "replicas"),
    "300 Services of 240 Pods each": (apply(MANY_PODS + EVERY_POD), "look at more than"),
    "a port of 65536": (patch({"spec": {"ports": [{"port": 65536}]}}), "65536"),
    "a port that is an object": (patch({"spec": {"ports": [{"port": {}}]}}), "port"),
    "ports that are no list": (patch({"spec": {"ports": {"0": 1}}}), "ports"),
    "a ClusterIP elsewhere": (patch({"spec": {"clusterIP": "8.8.8.8"}}), "outside the service range"),
    "a ClusterIP that is no address": (patch({"spec": {"clusterIP": "1.2.3"}}), "clusterIP"),
    "an unknown type of Service": (patch({"spec": {"type": "<script>"}}), "type"),
    "a node port of 1": (patch({"spec": {"ports": [{"name": "http", "port": 80, "nodePort": 1}]}}), "node port range"),
    "a Pod on a node that is not there": (pod("spec: {nodeName: nowhere, containers: [{name: c}]}"), "no Node"),
    "a Pod with another's address": (
        pod("spec: {nodeName: node1, containers: [{name: c}]}\nstatus: {podIP: 10.244.1.9}"),
        "is the address of Pod",
    ),
    "a Pod that listens on nonsense": (
        apply(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: x, annotations: {packetwalk.dev/listening: '$(id)'}}\n"
            "spec: {containers: [{name: c}]}\n"
        ),
        "is not a socket",
    ),
    "a patch of what is not there": (patch({}, name="nothing"), "There is no Service shop/nothing"),
    "a patch that renames": (patch({"metadata": {"name": "x"}}), "no other kind"),
    "a patch that is a list": (patch([1]), "should be an object"),
    "a patch with Infinity": (
        '{"type":"ask","id":"a","command":{"type":"patch","kind":"Service","namespace":"shop","name":"web",'
        '"patch":{"spec":{"x":Infinity}}}}',
        "Infinity",
    ),
    "a patch of 30,000 values": (patch({"spec": {"x": list(range(30_000))}}), "too large"),
    "a patch with a number of 40 digits": (patch({"spec": {"x": 10**40}}), "64 bits"),
    "a deletion of everything": (ask({"type": "delete", "kind": "*", "name": "*"}), "There is no"),
    "a deletion of what is not there": (
        ask({"type": "delete", "kind": "Pod", "name": "x"}),
        "There is no Pod default/x",
    ),
    "a mode that is not": (
        apply("apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ebpf\n"),
        "no proxy mode",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_is_refused_in_words(server: Server, token: str, name: str) -> None:
    message, told = MESSAGES[name]
    with server.page(token) as page:
        view = page.hear("welcome")["view"]
        page.connection.send(message)
        answer = page.hear("refused", "done", "goodbye")
        assert answer["type"] == "refused", answer
        problems = "\n".join(answer["problems"])
        assert told in problems
        assert problems
        assert all(len(one) <= 1000 for one in answer["problems"])
        assert len(answer["problems"]) <= 51
        page.say({"type": "ping"})
        assert page.hear("pong")
    with server.page(token) as page:
        assert page.hear("welcome")["view"] == view


def test_there_are_enough_of_them() -> None:
    assert len(MESSAGES) + len(REQUESTS) + len(LINKS) >= 80


# ---- connections ------------------------------------------------------------------------------------------------


def test_a_message_too_large_to_read_ends_the_connection(server: Server, token: str) -> None:
    with server.page(token) as page:
        page.hear("welcome")
        page.connection.send('{"type":"ping","x":"' + "x" * (10 * 1024 * 1024) + '"}')
        assert "too large" in page.hear("goodbye")["reason"]
    with server.page(token) as page, pytest.raises(ConnectionClosed):
        page.hear("welcome")
        page.connection.send("x" * (40 * 1024 * 1024))
        while True:
            page.hear()
    assert_serves(server, token)


def test_a_flood_is_ended(server: Server, token: str) -> None:
    with server.page(token) as page:
        page.hear("welcome")
        with pytest.raises(ConnectionClosed):
            for _ in range(5000):
                page.say({"type": "ping"})
            while True:
                page.hear()
    assert_serves(server, token)


def test_many_commands_at_once_are_refused_not_queued(server: Server, token: str) -> None:
    with server.page(token) as page:
        page.hear("welcome")
        for number in range(30):
            page.say(ask({**SEND, "type": "burst", "count": 300}, f"b{number}"))
        answers = [page.hear("done", "refused") for _ in range(30)]
        assert sum(one["type"] == "done" for one in answers) >= 8
        assert any("under way already" in "".join(one.get("problems", ())) for one in answers)


def test_who_never_says_hello_asks_in_vain(server: Server, token: str) -> None:
    with connect(f"ws://{server.host}/ws/lab/{token}") as connection:
        page = Page(connection)
        page.say(ask(SEND))
        assert page.hear()["problems"] == ["Say hello first."]


def test_a_page_of_another_version_is_told_to_load_again(server: Server, token: str) -> None:
    with connect(f"ws://{server.host}/ws/lab/{token}") as connection:
        page = Page(connection)
        page.say({"type": "hello", "protocol": 99})
        assert "Load it again" in page.hear("goodbye")["reason"]


def test_who_has_seen_the_future_gets_the_present(server: Server, token: str) -> None:
    for seen in (10**9, -5):
        with server.page(token, seen=seen) as page:
            assert page.hear("welcome")["view"]["seq"] < 10**9


def test_a_viewer_changes_nothing(server: Server) -> None:
    tokens = server.lab()
    with server.page(tokens["viewer"]) as page:
        assert page.hear("welcome")["view"]["role"] == "viewer"
        assert "lets you watch" in page.do(SEND)["problems"][0]
    assert server.ask("POST", f"/api/v1/labs/{tokens['viewer']}/commands", json.dumps(SEND))[0] == 403
    for path in ("", "/links"):
        method = "DELETE" if not path else "GET"
        assert server.ask(method, f"/api/v1/labs/{tokens['editor']}{path}")[0] == 403


def test_markup_is_kept_as_text(server: Server) -> None:
    title, label = "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>"
    tokens = server.lab(title=title)
    with server.page(tokens["owner"]) as page:
        assert page.hear("welcome")["view"]["title"] == title
        done = page.do(
            {
                "type": "apply",
                "manifests": f"apiVersion: v1\nkind: Pod\nmetadata: {{name: x, annotations: {{note: '{label}'}}}}\n"
                "spec: {containers: [{name: c}]}\n",
            }
        )
        assert done["type"] == "done"
    page_text = server.ask("GET", f"/l/{tokens['owner']}")[2].decode()
    assert "<img" not in page_text
    status, headers, _ = server.ask("GET", f"/api/v1/labs/{tokens['owner']}/manifests.yaml")
    assert status == 200
    assert headers["content-disposition"].startswith("attachment")
    assert headers["x-content-type-options"] == "nosniff"


# ---- HTTP -------------------------------------------------------------------------------------------------------

# method, path after /api/v1 (TOKEN stands for the lab's), body, statuses
REQUESTS: dict[str, tuple[str, str, bytes | None, tuple[int, ...]]] = {
    "a lab of nothing": ("POST", "/labs", b"", (400, 422)),
    "a lab of no JSON": ("POST", "/labs", b"{", (400,)),
    "a lab of deep JSON": ("POST", "/labs", DEEP_JSON.encode(), (400,)),
    "a lab that is a list": ("POST", "/labs", b"[]", (422,)),
    "a lab with an unknown field": ("POST", "/labs", b'{"owner":"me"}', (422,)),
    "a lab in an unknown mode": ("POST", "/labs", b'{"mode":"ebpf"}', (422,)),
    "a lab of broken YAML": ("POST", "/labs", b'{"manifests":"a: ["}', (422,)),
    "a lab of 12 MB": ("POST", "/labs", b'{"manifests":"' + b"x" * 12_000_000 + b'"}', (400, 413)),
    "a lab in Latin-1": ("POST", "/labs", b'{"title":"\xe9"}', (400,)),
    "a lab that holds NaN": ("POST", "/labs", b'{"title":NaN}', (400,)),
    "an unknown lab": ("GET", "/labs/" + "x" * 22, None, (404,)),
    "a lab of a wrong link": ("GET", "/labs/%27%20OR%201=1", None, (404,)),
    "a lab of a long link": ("GET", "/labs/" + "x" * 3000, None, (404,)),
    "a lab above": ("GET", "/labs/../../admin", None, (404,)),
    "the lab in the future": ("GET", "/labs/TOKEN?at=999999", None, (422,)),
    "the lab at no number": ("GET", "/labs/TOKEN?at=x", None, (422,)),
    "the lab at a huge number": ("GET", "/labs/TOKEN?at=" + "9" * 30, None, (422,)),
    "a trace that is not": ("GET", "/labs/TOKEN/traces/999", None, (404,)),
    "a trace of a huge number": ("GET", "/labs/TOKEN/traces/" + "9" * 30, None, (404,)),
    "a trace below none": ("GET", "/labs/TOKEN/traces/-1", None, (404,)),
    "a capture that is not": ("GET", "/labs/TOKEN/traces/999.pcapng", None, (404,)),
    "a map of a walk that is not": ("GET", "/labs/TOKEN/map.svg?trace=999", None, (404,)),
    "a map of a huge number": ("GET", "/labs/TOKEN/map.svg?trace=" + "9" * 30, None, (422,)),
    "a map in no language": ("GET", "/labs/TOKEN/map.svg?lang=%3Cscript%3E", None, (422,)),
    "events of a huge number": ("GET", "/labs/TOKEN/events?after=" + "9" * 30, None, (422,)),
    "events without end": ("GET", "/labs/TOKEN/events?limit=100000", None, (422,)),
    "odds of nothing": ("GET", "/labs/TOKEN/outcomes", None, (422,)),
    "odds of nobody": ("GET", "/labs/TOKEN/outcomes?source=x&target=y", None, (422,)),
    "odds of 100,000 letters": ("GET", "/labs/TOKEN/outcomes?target=y&source=" + "x" * 8_000, None, (422,)),
    "rules of no node": ("GET", "/labs/TOKEN/nodes/nowhere/rules", None, (422,)),
    "rules of a path": ("GET", "/labs/TOKEN/nodes/..%2f..%2fetc/rules", None, (404, 422)),
    "an unknown part of the rules": ("GET", "/labs/TOKEN/nodes/node1/rules.txt?part=%3Cscript%3E", None, (422,)),
    "a fork of the future": ("POST", "/labs/TOKEN/fork", b'{"seq":99999}', (422,)),
    "a fork before the beginning": ("POST", "/labs/TOKEN/fork", b'{"seq":-1}', (422,)),
    "an unknown command": ("POST", "/labs/TOKEN/commands", b'{"type":"exec"}', (422,)),
    "a command of bytes": ("POST", "/labs/TOKEN/commands", b"\x00\xff", (400,)),
    "a command refused": ("POST", "/labs/TOKEN/commands", b'{"type":"undo"}', (422,)),
    "an unknown method": ("TRACE", "/labs/TOKEN", None, (405,)),
    "a method that is nonsense": ("BREW", "/labs/TOKEN", None, (405,)),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_refused_in_words(server: Server, token: str, name: str) -> None:
    method, path, body, statuses = REQUESTS[name]
    status, headers, content = server.ask(method, f"/api/v1{path.replace('TOKEN', token)}", body)
    assert status in statuses, content[:500]
    assert len(content) < 20_000
    if headers.get("content-type", "").startswith("application/json"):
        assert json.loads(content)["problems"]
    assert_serves(server, token)


LINKS = [
    "/l/",
    "/l/x",
    "/l/" + "x" * 22,
    "/l/%00",
    "/l/..%2f..%2fetc%2fpasswd",
    "/l/<script>alert(1)</script>",
    "/l/" + "x" * 5000,
    "/l/%e2%80%ae",
    "/l/a/b",
    "/nothing",
    "//evil.example/",
    "/l/%ff%fe",
]


@pytest.mark.parametrize("link", LINKS)
def test_a_wrong_link_is_a_page_that_says_so(server: Server, link: str) -> None:
    status, headers, content = server.ask("GET", link)
    assert status == 404
    assert b"<script>" not in content
    assert "location" not in headers


@pytest.mark.parametrize("path", ["/ws/lab/" + "x" * 300, "/ws/", "/ws/lab/a/b", "/"])
def test_a_websocket_elsewhere_is_refused(server: Server, path: str) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), connect(f"ws://{server.host}{path}") as connection:
        connection.recv(timeout=5)


@pytest.mark.parametrize("cookie", ["lab=" + "x" * 22, "lab=../..", "lab=" + "x" * 3000, 'lab="<script>"; x=y'])
def test_a_wrong_cookie_is_a_new_lab(server: Server, cookie: str) -> None:
    status, headers, _ = server.ask("GET", "/", headers={"Cookie": cookie})
    assert (status, headers["location"][:3], len(headers["location"])) == (302, "/l/", 25)


def assert_serves(server: Server, token: str) -> None:
    with server.page(token) as page:
        page.hear("welcome")
        page.say({"type": "ping"})
        assert page.hear("pong") == {"type": "pong"}


def test_in_the_end_the_lab_still_works_and_no_fault_was_ours(server: Server, token: str) -> None:
    with server.page(token) as page:
        page.hear("welcome")
        assert page.do(SEND)["type"] == "done"
        assert page.do({"type": "set_mode", "mode": "nftables"})["type"] == "done"
        assert page.do(SEND)["type"] == "done"
    assert "Traceback" not in server.log, server.log
