"""Rule: what is asked goes out as JSON has it, what comes back is a value or an error; no guest is needed for that."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest

from packetsim.errors import OracleError
from packetsim.oracle import talk
from packetsim.oracle.plan import Accepted, Listener, Load, Loaded, Namespace, Plan, Probe, Proxy, Report

PLAN = Plan(
    "c3",
    MappingProxyType({"node1": "c3n0"}),
    (Namespace("c3n0", "node", ("link set lo up",), {"net/ipv4/ip_forward": "1"}, ("fdb add x",)),),
    ("link add a type veth",),
    (Listener("c3n0", "tcp", "::", 80),),
)
LOAD = Load("c3n0", {"nft": "table ip x {}"}, {}, (Proxy("10.0.0.1", 80, "tcp", "shop/web", ("1.1.1.1:8",), None),), ())
PROBE = Probe("c3n0", "udp", "", 0, "10.96.0.10", 80, (("c3n0", "route add x"),), ("c3n0",), 0.5)
SAID = {
    "began": 12.5,
    "heard": "answered",
    "error": "",
    "accepted": [{"code": "c3p1", "peer": "10.1.1.1", "peer_port": 5, "address": "10.1.1.2", "port": 80}],
    "events": {"c3n0": ["AAH/", ""]},
    "conntrack": {"c3n0": ["//8="]},
    "ipvs": {"c3n0": "Pro FromIP"},
}
REPORT = Report(
    12.5,
    "answered",
    "",
    (Accepted("c3p1", "10.1.1.1", 5, "10.1.1.2", 80),),
    {"c3n0": (b"\0\1\xff", b"")},
    {"c3n0": (b"\xff\xff",)},
    {"c3n0": "Pro FromIP"},
)


class Parrot:
    """Gives one reply, and keeps what it was asked, as it would be read at the other end."""

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply
        self.asked: dict[str, Any] = {}
        self.within = 0.0

    def ask(self, do: str, /, *, within: float, **fields: object) -> dict[str, Any]:
        self.asked = json.loads(json.dumps({"do": do, **fields}))
        self.within = within
        return self.reply


def test_a_plan_goes_out_with_all_its_fields() -> None:
    parrot = Parrot({})
    talk.build(parrot, PLAN)
    assert parrot.asked["do"] == "build"
    assert parrot.asked["plan"] == {
        "cluster": "c3",
        "places": {"node1": "c3n0"},
        "namespaces": [
            {
                "code": "c3n0",
                "kind": "node",
                "commands": ["link set lo up"],
                "sysctls": {"net/ipv4/ip_forward": "1"},
                "forwarding": ["fdb add x"],
            }
        ],
        "links": ["link add a type veth"],
        "listeners": [{"code": "c3n0", "protocol": "tcp", "address": "::", "port": 80}],
    }


def test_texts_are_loaded_and_read_back() -> None:
    texts = {"c3n0": {"nft": "table ip x {\n}\n"}, "c3n1": {}}
    parrot = Parrot({"texts": texts, "rules": {"c3n0": ["AAH/", "//8="]}})
    assert talk.load(parrot, "c3", [LOAD]) == [
        Loaded("c3n0", texts["c3n0"], (b"\0\1\xff", b"\xff\xff")),
        Loaded("c3n1", {}, ()),
    ]
    assert (parrot.asked["cluster"], parrot.asked["trace"]) == ("c3", True)
    assert parrot.asked["loads"][0]["proxies"][0]["affinity_timeout"] is None


def test_probes_are_sent_and_reported() -> None:
    parrot = Parrot({"reports": [SAID, SAID]})
    assert talk.send(parrot, "c3", [PROBE, PROBE]) == [REPORT, REPORT]
    assert parrot.asked["probes"][1]["routes"] == [["c3n0", "route add x"]]


def test_the_patience_of_probes_is_granted_to_their_request() -> None:
    parrot = Parrot({"reports": [SAID] * 400})
    talk.send(parrot, "c3", [PROBE] * 400)
    assert parrot.within > talk.ROUND + 400 * PROBE.patience


def test_a_kernel_says_what_it_is_and_can() -> None:
    assert talk.hello(Parrot({"kernel": "6.1", "can": ["ipvs"]})) == talk.Hello("6.1", frozenset({"ipvs"}))


@pytest.mark.parametrize("do", [talk.reset, talk.drop])
def test_a_cluster_is_reset_and_dropped(do: Any) -> None:
    parrot = Parrot({})
    do(parrot, "c3")
    assert parrot.asked == {"do": do.__name__, "cluster": "c3"}


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"reports": None},
        {"reports": []},
        {"reports": [{**SAID, "events": {"c3n0": ["no base64"]}}]},
        {"reports": [{**SAID, "ipvs": []}]},
        {"reports": [{**SAID, "accepted": [{"code": "c3p1"}]}]},
    ],
)
def test_a_reply_that_lacks_something_is_refused(reply: dict[str, Any]) -> None:
    with pytest.raises(OracleError, match="the guest's reply to send is not understood"):
        talk.send(Parrot(reply), "c3", [PROBE])


def test_bytes_go_out_as_base64_and_what_is_no_value_does_not_go() -> None:
    assert talk.encode({"raw": (b"\0\1\xff", 1.5, True, None)}) == {"raw": ["AAH/", 1.5, True, None]}
    with pytest.raises(TypeError, match="set does not go over the wire"):
        talk.encode({1})
