"""Rule: a FlowTest says which flows must end how; here it is read strictly, elsewhere it is run.

Whether a flow's ends exist is for whoever runs it to say; `via` is a node, which is known here.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from packetsim.addresses import with_port
from packetsim.cluster import schemas
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.parsing import parse_ip
from packetsim.cluster.places import Path, Report, one_of, shown
from packetsim.cluster.pods import PROTOCOLS
from packetsim.cluster.proxy_configuration import MODES

MOST_AGAIN_AFTER = 2 * 86400  # twice the longest sessionAffinity timeout
OUTCOMES = ("delivered", "rejected", "dropped", "refused", "unanswered")


@dataclass(frozen=True, slots=True)
class FlowExpectation:
    """One flow and what must become of it. None: not asserted. `endpoints`: every possible one, canonical.

    `sticky`: does a second connection, `again_after` seconds later, reach the endpoint of the first.
    """

    name: str
    source: str
    via: str | None
    target: str
    protocol: str  # lower case
    outcome: str | None
    endpoints: tuple[str, ...] | None
    masqueraded: bool | None
    place: str
    sticky: bool | None = None
    again_after: int = 0


@dataclass(frozen=True, slots=True)
class FlowTest:
    """`modes` empty: the cluster's own."""

    name: str
    modes: tuple[str, ...]
    flows: tuple[FlowExpectation, ...]


def read_flow_tests(objects: Objects, nodes: Container[str], report: Report) -> tuple[FlowTest, ...]:
    """Every FlowTest, in the order of the manifests."""
    return tuple(_read(one, nodes, report) for one in objects.flow_tests)


def _read(one: Object[schemas.FlowTest], nodes: Container[str], report: Report) -> FlowTest:
    spec = one.data.spec or schemas.FlowTestSpec()
    if one.data.spec is None:
        _missing(one, ("spec",), report)
    elif spec.flows is None:
        _missing(one, ("spec", "flows"), report)
    elif not spec.flows:
        report.problem(
            one.place, ("spec", "flows"), "there is no flow to test", "Add flows, each with from, to and expect"
        )
    flows = tuple(_flow(one, flow, index, nodes, report) for index, flow in enumerate(spec.flows or ()))
    return FlowTest(one.name, _modes(one, spec, report), flows)


def _missing(one: Object[schemas.FlowTest], path: Path, report: Report) -> None:
    report.problem(one.place, path, f"the field {shown(path[-1])} is missing", "Add it")


def _modes(one: Object[schemas.FlowTest], spec: schemas.FlowTestSpec, report: Report) -> tuple[str, ...]:
    if spec.mode is not None and spec.modes is not None:
        report.problem(one.place, ("spec", "modes"), "both mode and modes are given", "Keep one of them")
    written: list[tuple[Path, str]] = [(("spec", "modes", i), mode) for i, mode in enumerate(spec.modes or ())]
    if spec.mode:
        written = [(("spec", "mode"), spec.mode)]
    for path, mode in written:
        if mode not in MODES:
            report.problem(one.place, path, f"there is no proxy mode {shown(mode)}", f"Use {one_of(MODES)}")
    return tuple(dict.fromkeys(mode for _, mode in written))


def _flow(
    one: Object[schemas.FlowTest], flow: schemas.Flow, index: int, nodes: Container[str], report: Report
) -> FlowExpectation:
    path: Path = ("spec", "flows", index)
    protocol = (flow.protocol or "TCP").upper()
    if protocol not in PROTOCOLS:
        message = f"there is no protocol {shown(flow.protocol)}"
        report.problem(one.place, (*path, "protocol"), message, f"Use {one_of(PROTOCOLS)}")
    for field, end, cure in (
        ("from", flow.source, "Write NAMESPACE/POD, a node's name, or an IP address"),
        ("to", flow.target, "Write NAMESPACE/SERVICE:PORT, NAMESPACE/POD:PORT, NODE:PORT or IP:PORT"),
    ):
        if end is None:
            _missing(one, (*path, field), report)
        elif not end.strip() or len(end) > 600:
            report.problem(one.place, (*path, field), f"{shown(end)} is no end of a flow", cure)
    if flow.via and flow.via not in nodes:
        message = f"there is no Node {shown(flow.via)}"
        report.problem(one.place, (*path, "via"), message, "Name the node at which the flow enters the cluster")
    if flow.expect is None:
        _missing(one, (*path, "expect"), report)
    place, expect = one.place, flow.expect or schemas.Expect()
    return FlowExpectation(
        name=flow.name or f"{flow.source} to {flow.target}",
        source=(flow.source or "").strip(),
        via=flow.via or None,
        target=(flow.target or "").strip(),
        protocol=protocol.lower(),
        outcome=_outcome(one, expect, (*path, "expect"), report),
        endpoints=_endpoints(one, expect, (*path, "expect", "endpoints"), report),
        masqueraded=expect.masqueraded,
        place=f"{place.file}: document {place.document}, line {place.line(path)}",
        sticky=expect.sticky,
        again_after=_again_after(one, flow.again_after, expect, path, report),
    )


def _again_after(
    one: Object[schemas.FlowTest], written: int | None, expect: schemas.Expect, flow: Path, report: Report
) -> int:
    seconds, path = written or 0, (*flow, "again_after")
    if not 0 <= seconds <= MOST_AGAIN_AFTER:
        message = f"{shown(seconds)} seconds is no time to wait for a second connection"
        report.problem(one.place, path, message, f"Write 0 to {MOST_AGAIN_AFTER}")
    elif written is not None and expect.sticky is None:
        message = "there is a second connection only where expect.sticky asks for it"
        cure = "Add expect.sticky, or leave again_after out"
        report.problem(one.place, path, message, cure, rests_on=[(*flow, "expect", "sticky")])
    return seconds


def _outcome(one: Object[schemas.FlowTest], expect: schemas.Expect, path: Path, report: Report) -> str | None:
    if not expect.model_dump(exclude_none=True):
        message = "nothing is expected, so nothing would be tested"
        report.problem(one.place, path, message, "Add outcome, endpoints, masqueraded or sticky", rests_on=[path])
    if expect.outcome is not None and expect.outcome not in OUTCOMES:
        message = f"there is no outcome {shown(expect.outcome)}"
        report.problem(one.place, (*path, "outcome"), message, f"Use {one_of(OUTCOMES)}")
    return expect.outcome


def _endpoints(
    one: Object[schemas.FlowTest], expect: schemas.Expect, path: Path, report: Report
) -> tuple[str, ...] | None:
    if expect.endpoints is None:
        return None
    found = []
    for index, text in enumerate(expect.endpoints):
        address, _, port = text.strip().rpartition(":")
        ip = parse_ip(address.removeprefix("[").removesuffix("]"))
        bracketed = address.startswith("[") and address.endswith("]")
        right = ip is not None and bracketed == (":" in ip) and port.isdecimal() and len(port) < 6
        if ip is not None and right and 1 <= int(port) <= 65535:
            found.append(with_port(ip, int(port)))
        else:
            message = f"{shown(text)} is no endpoint"
            report.problem(one.place, (*path, index), message, "Write IP:PORT, for IPv6 [IP]:PORT")
    return tuple(found)
