"""Every FlowTest beside this file, flow by flow and mode by mode.

A row is a flow with what must become of it; where modes truly differ they stand in FlowTests of
their own, which say why. A failing row prints the walk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from packetsim.check import Check
from packetsim.cluster import FlowTest, Manifests, Source, load
from packetsim.dice import RolledDice
from packetsim.narration import narrate

HERE = Path(__file__).parent
BASES = {"base.yaml", "base6.yaml"}  # whose nodes and Pods the others stand on; base6 for ipv6_*
ALONE = {"dual_stack.yaml"}  # brings its own nodes and Pods


def files_of(name: str) -> list[str]:
    """The file and what it stands on."""
    base = "base6.yaml" if name.startswith("ipv6_") else "base.yaml"
    return [name] if name in ALONE else [base, name]


@cache
def manifests(name: str) -> Manifests:
    return load(Source(one, (HERE / one).read_text()) for one in files_of(name))


def rows() -> Iterator[object]:
    for path in sorted(HERE.glob("*.yaml")):
        if path.name in BASES:
            continue
        for test in manifests(path.name).flow_tests:
            for mode in test.modes:
                for flow in test.flows:
                    one = FlowTest(test.name, (mode,), (flow,))
                    yield pytest.param(path.name, one, id=f"{path.stem}-{mode}-{test.name}-{flow.name}")


@pytest.mark.parametrize(("name", "test"), list(rows()))
def test_flows_end_as_they_must(name: str, test: FlowTest) -> None:
    check = Check(replace(manifests(name), flow_tests=(test,)), RolledDice(random.Random(0).randrange))
    (result,) = check
    assert result.passed, "\n".join([*result.differences, narrate(check.walk(result))])
