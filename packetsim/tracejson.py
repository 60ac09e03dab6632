"""Rule: the trace model as plain data, the same names as in `trace.py`. docs/trace.md describes the shape.

Every detail says its `kind`, the class's name in snake case. Fractions are text ("1/3"), bytes
hexadecimal text; nothing is rounded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from fractions import Fraction
from typing import Any

from packetsim.narration import sentence
from packetsim.packet import Packet, layers
from packetsim.trace import Capture, Crossed, Detail, Flow, Hop, Leg, Position, RulesMissed, Step, Trace, Translated

Plain = dict[str, Any]
OWN_KIND: dict[type, str] = {Translated: "end", Crossed: "link"}  # what their field `kind` is called here
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def to_json(trace: Trace, expand: bool = False, marks: Mapping[Position, str] | None = None) -> Plain:
    """The trace as `json.dumps` takes it. `expand`: every missed rule of a run with its own reason.

    `marks`: a kernel's word on steps; with it, every step has its `kernel`.
    """
    data: Plain = {
        "flow": flow_json(trace.flow),
        "mode": trace.mode,
        "disposition": trace.disposition.value,
        "why": trace.why,
        "endpoint": trace.endpoint,
        "source_seen": trace.source_seen,
        "masqueraded": trace.masqueraded,
        "answered": trace.answered,
        "legs": [_leg(leg, expand) for leg in trace.legs],
        "entries": [{"place": place, "entries": list(entries)} for place, entries in trace.entries],
    }
    if marks is not None:
        _mark(data, marks)
    return data


def _mark(data: Plain, marks: Mapping[Position, str]) -> None:
    for number, leg in enumerate(data["legs"]):
        for turn, hop in enumerate(leg["hops"]):
            for count, step in enumerate(hop["steps"]):
                step["kernel"] = marks.get((number, turn, count))


def flow_json(flow: Flow) -> Plain:
    return _fields(flow)


def kind_of(detail: Detail) -> str:
    """`RuleTried` is `rule_tried`."""
    return _CAPITAL.sub("_", type(detail).__name__).lower()


def _leg(leg: Leg, expand: bool) -> Plain:
    return {
        "title": leg.title,
        "outcome": leg.outcome.value,
        "why": leg.why,
        "hops": [_hop(hop, expand) for hop in leg.hops],
        "captures": [_capture(capture) for capture in leg.captures],
    }


def _hop(hop: Hop, expand: bool) -> Plain:
    return {"place": hop.place, "kind": hop.kind, "steps": [_step(step, expand) for step in hop.steps]}


def _step(step: Step, expand: bool) -> Plain:
    return {
        "hook": None if step.hook is None else step.hook.value,
        "sentence": sentence(step.detail),
        "detail": _detail(step.detail, expand),
        "changes": [{"field": name, "old": _plain(old), "new": _plain(new)} for name, old, new in step.changes],
        "packet": _packet(step.after),
    }


def _detail(detail: Detail, expand: bool) -> Plain:
    kind: Plain = {"kind": kind_of(detail)}
    if not isinstance(detail, RulesMissed):
        own = _fields(detail)
        renamed = OWN_KIND.get(type(detail))
        return kind | ({renamed: own.pop("kind")} | own if renamed else own)
    run: Plain = {
        **kind,
        "table": detail.table,
        "chain": detail.chain,
        "first": detail.first,
        "last": detail.last,
        "count": detail.count,
    }
    return run | {"rules": [_detail(rule, expand) for rule in detail.expand()]} if expand else run


def _packet(packet: Packet) -> Plain:
    return _fields(packet)


def _capture(capture: Capture) -> Plain:
    return {
        "place": capture.place,
        "interface": capture.interface,
        "direction": capture.direction,
        "comments": list(capture.comments),
        "packet": _packet(capture.packet),
        "layers": [
            {"name": name, "fields": {field: _plain(value) for field, value in values.items()}}
            for name, values in layers(capture.packet)
        ],
        "bytes": capture.packet.wire.hex(),
    }


def _fields(value: Any) -> Plain:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: object) -> Any:
    match value:
        case Enum():
            return value.value
        case None | bool() | int() | str():
            return value
        case bytes():
            return value.hex()
        case Fraction():
            return str(value)
        case Packet():
            return _packet(value)
        case tuple() if hasattr(value, "_asdict"):
            return {name: _plain(item) for name, item in value._asdict().items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return str(value)  # scapy's own kinds of value, such as TCP flags
