"""Rule: a saved case is one file that people read and `packetsim check` runs: manifests, then FlowTests.

What a FlowTest expects is judged twice: by every outcome of our walk, as anywhere, and by what the real
kernel did with the same rules. So a fault in a compiler is seen though kernel and walk agree about its rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from textwrap import wrap
from typing import Any

from packetsim.addresses import with_port
from packetsim.cluster import FlowExpectation, Manifests, Source, load
from packetsim.errors import FlowError
from packetsim.flows import flow_from
from packetsim.kubeproxy.modes import DEFAULT_MODE
from packetsim.oracle import yaml_text
from packetsim.oracle.probing import source_port
from packetsim.oracle.yaml_text import Document
from packetsim.outcomes import FlowOutcome
from packetsim.trace import Disposition, Flow

EVEN_MODES = ("iptables", "nftables")  # the others take turns


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of a flow; None: not asserted. `endpoints`: every possible one."""

    outcome: str | None = None
    endpoints: tuple[str, ...] | None = None
    masqueraded: bool | None = None


@dataclass(frozen=True, slots=True)
class CaseFlow:
    """One flow of a FlowTest in one mode. `test`: the FlowTest's name.

    `follows`: the place in the mode's list of the flow whose endpoint this one must reach too, None for none.
    """

    mode: str
    test: str
    flow: Flow
    expected: FlowExpectation
    follows: int | None = None


# ---- reading ------------------------------------------------------------------------------------


def read_case(path: Path) -> Manifests:
    """The manifests and FlowTests of one file. Raises ManifestError."""
    return load([Source(str(path), path.read_text())])


def flows_of(manifests: Manifests) -> dict[str, list[CaseFlow]]:
    """For each mode the flows of its FlowTests, in order, each with a source port of its own. Raises FlowError."""
    found: dict[str, list[CaseFlow]] = {}
    problems: list[str] = []
    usual = (manifests.cluster.proxy.mode or DEFAULT_MODE,)
    for test in manifests.flow_tests:
        for mode in test.modes or usual:
            of_mode = found.setdefault(mode, [])
            for expected in test.flows:
                try:
                    _add(of_mode, mode, test.name, manifests, expected)
                except FlowError as error:
                    problems.append(f"{expected.place}: flow {expected.name!r}: {error}")
    if problems:
        raise FlowError("\n".join(dict.fromkeys(problems)))
    return found


def _add(flows: list[CaseFlow], mode: str, test: str, manifests: Manifests, expected: FlowExpectation) -> None:
    """The flow, and a second connection where the first is to be remembered; real clocks are not waited for."""
    follows: int | None = None
    for _ in range(2 if expected.sticky and not expected.again_after else 1):
        place = len(flows)
        flow = flow_from(manifests.cluster, expected.source, expected.target, expected.protocol, expected.via)
        flow = replace(flow, source_port=source_port(place))
        flows.append(CaseFlow(mode, test, flow, expected, follows))
        follows = place


# ---- judging ------------------------------------------------------------------------------------


def misses(expected: FlowExpectation, outcome: str, endpoint: str | None, masqueraded: bool | None) -> Iterator[str]:
    """In words, what a flow that was really sent did and should not have. `masqueraded` None: nobody knows."""
    if expected.outcome is not None and outcome != expected.outcome:
        yield f"outcome: expected {expected.outcome}, found {outcome}"
    if outcome != Disposition.DELIVERED.value:
        return
    if expected.endpoints is not None and endpoint not in expected.endpoints:
        wanted = " or ".join(expected.endpoints) or "none"
        yield f"endpoint: expected {wanted}, found {endpoint}"
    if expected.masqueraded is not None and masqueraded not in (None, expected.masqueraded):
        yield f"masqueraded: expected {str(expected.masqueraded).lower()}, found {str(masqueraded).lower()}"


def lopsided(found: Iterable[FlowOutcome]) -> dict[str, str]:
    """The chance of each endpoint where they are not all the same; kube-proxy gives every endpoint its even share."""
    shares: dict[str, Fraction] = {}
    for one in found:
        if one.endpoint is not None:
            shares[one.endpoint] = shares.get(one.endpoint, Fraction(0)) + one.probability
    return {} if len(set(shares.values())) < 2 else {endpoint: str(share) for endpoint, share in shares.items()}


# ---- writing ------------------------------------------------------------------------------------


def write_case(text: str, name: str, mode: str, rows: Sequence[tuple[Flow, Expected]], why: str = "") -> str:
    """The manifests with one FlowTest of these flows; `why` is told at the top. FlowTests in `text` are left out."""
    manifests = [one for one in yaml_text.read(text) if one.get("kind") != "FlowTest"]
    test: Document = {
        "apiVersion": "packetwalk.dev/v1",
        "kind": "FlowTest",
        "metadata": {"name": name},
        "spec": {"modes": [mode], "flows": [_row(flow, expected) for flow, expected in rows]},
    }
    comment = "".join(f"# {line}\n" for line in wrap(why, yaml_text.WIDTH - 2))
    return comment + yaml_text.write([*manifests, test])


def _row(flow: Flow, expected: Expected) -> Document:
    wanted: dict[str, Any] = {"outcome": expected.outcome}
    wanted["endpoints"] = None if expected.endpoints is None else list(expected.endpoints)
    wanted["masqueraded"] = expected.masqueraded
    row: dict[str, Any] = {"from": flow.place, "via": flow.via, "to": with_port(flow.destination, flow.port)}
    row["protocol"] = None if flow.protocol == "tcp" else flow.protocol.upper()
    row["expect"] = {key: value for key, value in wanted.items() if value is not None}
    return {key: value for key, value in row.items() if value is not None}
