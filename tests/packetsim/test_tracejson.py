"""Rule: a trace as JSON loses nothing, and every detail says what it is."""

from __future__ import annotations

import json
from typing import get_args

from packetsim.trace import Detail
from packetsim.tracejson import to_json
from tests.packetsim import walks

DATA = to_json(walks.trace())
STEPS = [step for hop in DATA["legs"][0]["hops"] for step in hop["steps"]]


def test_it_is_json() -> None:
    assert json.loads(json.dumps(DATA)) == DATA


def test_every_kind_of_detail_is_told_apart() -> None:
    assert len({step["detail"]["kind"] for step in STEPS}) == len(get_args(Detail))


def test_steps() -> None:
    rule = STEPS[3]
    assert (rule["hook"], STEPS[-1]["hook"]) == ("prerouting", None)
    assert rule["detail"] == {
        "kind": "rule_tried",
        "table": "nat",
        "chain": "KUBE-SERVICES",
        "number": 2433,
        "text": walks.RULE,
        "matched": True,
        "why": "",
        "effect": "jump",
        "origins": [{"kind": "Service", "namespace": "shop", "name": "web", "field": "spec.ports[0]"}],
    }
    assert rule["changes"] == [{"field": "mark", "old": 0, "new": 0x4000}]
    assert rule["packet"]["mark"] == 0x4000
    assert rule["sentence"] == "nat KUBE-SERVICES: rule 2433 matches: jump"


def test_a_kernels_word_is_there_only_when_asked_for() -> None:
    assert not any("kernel" in step for step in STEPS)
    marked = to_json(walks.trace(), marks={(0, 0, 3): "agrees", (0, 1, 0): "differs"})
    hops = [[step["kernel"] for step in hop["steps"]] for hop in marked["legs"][0]["hops"]]
    assert hops == [[None] * 3 + ["agrees"] + [None] * 10, ["differs"]]


def test_a_field_called_kind_has_another_name() -> None:
    kinds = {step["detail"]["kind"]: step["detail"] for step in STEPS}
    assert kinds["translated"]["end"] == "destination"
    assert kinds["crossed"]["link"] == "wire"
    assert kinds["proxy_dialled"]["timeout"] == "1/4"
    assert kinds["ended"]["outcome"] == "delivered"


def test_runs_of_misses_are_expanded_on_demand() -> None:
    run = {"kind": "rules_missed", "table": "nat", "chain": "KUBE-SERVICES", "first": 1, "last": 2431, "count": 2431}
    assert STEPS[1]["detail"] == run
    expanded = to_json(walks.trace(), expand=True)["legs"][0]["hops"][0]["steps"][1]["detail"]
    assert len(expanded["rules"]) == 2431
    assert expanded["rules"][2430]["number"] == 2431


def test_captures_have_layers_and_bytes() -> None:
    capture = DATA["legs"][0]["captures"][1]
    assert bytes.fromhex(capture["bytes"]) == walks.FORWARDED.wire
    assert [layer["name"] for layer in capture["layers"]] == ["Ethernet", "IP", "TCP"]
    ip, tcp = (layer["fields"] for layer in capture["layers"][1:])
    assert (ip["dst"], ip["ttl"], tcp["flags"]) == ("10.244.2.2", 63, "S")
    assert ip["chksum"] > 0
    assert capture["comments"][1] == "second comment"


def test_the_verdict_and_what_is_left_behind() -> None:
    assert (DATA["disposition"], DATA["endpoint"], DATA["answered"]) == ("delivered", "10.244.2.2:8080", True)
    assert DATA["entries"][0] == {"place": "node1", "entries": ["tcp 6 ESTABLISHED src=10.244.1.9"]}
    assert DATA["flow"]["place"] == "shop/client"
