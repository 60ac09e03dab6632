"""What comes in over the wire is checked before anything is done with it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable

import pytest

from packetsim.oracle.guest import asked
from packetsim.oracle.guest.channel import Channel, text_of
from packetsim.oracle.guest.faults import GuestError
from packetsim.oracle.talk import encode
from tests.oracle.guest import scene


def conversation(sent: bytes, longest: int = 100) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The requests that a channel finds in these bytes, and what it replied by itself."""
    with tempfile.TemporaryFile() as asking, tempfile.TemporaryFile() as replying:
        asking.write(sent)
        asking.seek(0)
        requests = list(Channel(asking.fileno(), replying.fileno(), longest).requests())
        replying.seek(0)
        return requests, [json.loads(line) for line in replying]


@pytest.mark.parametrize(
    ("sent", "requests", "errors"),
    [
        (b'{"id": 1}\n{"id": 2}\n', [{"id": 1}, {"id": 2}], []),
        (b'\n  \n{"id": 1}\n', [{"id": 1}], []),
        (b'{"id": 1}\n{"id": 2', [{"id": 1}], []),
        (b'{"id"\n{"id": 2}\n', [{"id": 2}], ["one line of JSON"]),
        (b"\xff\n7\n", [], ["one line of JSON", "a JSON object"]),
        (b"[" * 99 + b'\n{"id": 2}\n', [{"id": 2}], ["one line of JSON"]),
        (b"x" * 101 + b'\n{"id": 2}\n', [{"id": 2}], ["100 bytes at most"]),
        (b"x" * 200_000 + b'\n{"id": 2}\n', [{"id": 2}], ["100 bytes at most"]),
    ],
)
def test_a_line_is_a_request_or_an_error(sent: bytes, requests: list[object], errors: list[str]) -> None:
    found, replies = conversation(sent)
    assert found == requests
    assert len(replies) == len(errors)
    for reply, words in zip(replies, errors, strict=True):
        assert reply["id"] is None and words in str(reply["error"])


def test_bytes_are_base64_text() -> None:
    assert text_of(b"\x00\xff>") == "AP8+"


def test_what_the_host_sends_is_understood_whole() -> None:
    plan = asked.plan(encode(scene.plan()))
    assert plan.cluster == "c" and len(plan.namespaces) == 6 and len(plan.listeners) == 6
    load = asked.load(encode(scene.loads()[0]))
    assert load.sysctls == {"net/ipv4/conf/all/route_localnet": "1"}
    assert load.proxies[0].endpoints == [("10.244.2.5", 9), ("10.244.2.5", 8080)]
    probe = asked.probe(encode(scene.probe("10.96.0.10", 80, routes=(("coutside", "route replace x"),))))
    assert probe.routes == [("coutside", "route replace x")] and probe.nodes == ["cn1", "cn2"]


NAMESPACE = {"code": "a", "kind": "pod", "commands": [], "sysctls": {}}
PROXY = {"address": "::", "port": 1, "protocol": "tcp", "service_port": "", "endpoints": [], "affinity_timeout": None}
LOAD = {"code": "a", "texts": {}, "sysctls": {}, "proxies": [], "listeners": []}
PLAN = {"cluster": "c", "namespaces": [], "links": [], "listeners": []}
PROBE = {
    "code": "a",
    "protocol": "tcp",
    "source": "",
    "source_port": 0,
    "destination": "1.2.3.4",
    "port": 80,
    "routes": [],
    "nodes": [],
    "patience": 1,
}


@pytest.mark.parametrize(
    ("read", "value", "why"),
    [
        (asked.plan, None, "plan should be an object"),
        (asked.plan, {**PLAN, "links": ["a\nb"]}, "one line of text"),
        (asked.plan, {**PLAN, "links": [1]}, "one line of text"),
        (asked.plan, {**PLAN, "namespaces": [NAMESPACE] * 257}, "256 items at most"),
        (asked.plan, {**PLAN, "namespaces": [{**NAMESPACE, "sysctls": {"kernel.hostname": "x"}}]}, "below net/"),
        (asked.plan, {**PLAN, "namespaces": [{**NAMESPACE, "sysctls": {"net.ipv4": 1}}]}, "should be text"),
        (asked.plan, {**PLAN, "namespaces": [{**NAMESPACE, "code": ""}]}, "letters, digits"),
        (asked.load, {**LOAD, "texts": {"nft": "a\0b"}}, "zero byte"),
        (asked.load, {**LOAD, "texts": {"nft": None}}, "should be text"),
        (asked.load, {**LOAD, "texts": {"odes": ""}}, "there is no part 'odes'"),
        (asked.load, {**LOAD, "proxies": [{**PROXY, "endpoints": ["10.1.1.1"]}]}, "ADDRESS:PORT"),
        (asked.load, {**LOAD, "proxies": [{**PROXY, "protocol": "sctp"}]}, "one of tcp, udp"),
        (asked.load, {**LOAD, "proxies": [{**PROXY, "affinity_timeout": "1"}]}, "a whole number"),
        (asked.probe, {**PROBE, "port": 0}, "1 to 65535, not 0"),
        (asked.probe, {**PROBE, "port": True}, "a whole number"),
        (asked.probe, {**PROBE, "patience": 61}, "0 to 60 seconds"),
        (asked.probe, {**PROBE, "patience": "1"}, "0 to 60 seconds"),
        (asked.probe, {**PROBE, "routes": [["a"]]}, r"\[code, `ip` command\]"),
        (asked.probe, {**PROBE, "nodes": "a"}, "should be a list"),
    ],
)
def test_what_is_amiss_is_named(read: Callable[[object], object], value: object, why: str) -> None:
    with pytest.raises(GuestError, match=why):
        read(value)
