"""Shares are judged by a bound that chance does not break, and a wrong chance does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from random import Random

import pytest

from packetsim.kubeproxy import iptables_ports
from packetsim.oracle.cases import EVEN_MODES
from packetsim.oracle.judge import Judge, own_kernel
from packetsim.oracle.shares import NOBODY, burst, improbable
from tests.oracle.guest import scene
from tests.oracle.three_endpoints import ENDPOINTS, sequence, three_endpoints

THIRDS = dict.fromkeys(ENDPOINTS, Fraction(1, 3))
A, B, C = ENDPOINTS


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({A: 134, B: 133, C: 133}, set()),
        ({A: 170, B: 120, C: 110}, set()),
        ({A: 200, B: 100, C: 100}, {A}),  # 1/2 of 400 instead of 1/3
        ({A: 400}, {A, B, C}),
        ({A: 133, B: 133, C: 133, NOBODY: 1}, {NOBODY}),
        ({A: 133, B: 133, C: 133, "10.9.9.9:1": 1}, {"10.9.9.9:1"}),
        ({}, set()),
    ],
)
def test_what_chance_would_not_do_is_told(counts: dict[str, int], told: set[str]) -> None:
    found = list(improbable(counts, THIRDS))
    assert {one.aspect for one in found} <= {"shares"}
    assert {one.kernel.split()[0].replace("nobody", NOBODY) for one in found} == told


def test_even_throws_are_even() -> None:
    chance = Random(1)
    for _ in range(300):
        assert not list(improbable(Counter(chance.choices(ENDPOINTS, k=400)), THIRDS))


def test_what_is_certain_may_not_fail_once() -> None:
    assert not list(improbable({A: 400}, {A: Fraction(1)}))
    (nobody, some) = improbable({A: 399, NOBODY: 1}, {A: Fraction(1)})
    assert str(nobody) == "shares: the kernel has nobody in 1 of 400 connections; we have it in 0 of them"
    assert some.kernel == f"{A} in 399 of 400 connections"


@pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())
@pytest.mark.parametrize("mode", EVEN_MODES)
def test_each_connection_of_a_burst_is_counted_once(mode: str) -> None:
    with own_kernel() as judge:
        counts = burst(judge, three_endpoints(), mode, sequence(1)[0], 150)
        lost = burst(judge, three_endpoints(), mode, replace(sequence(1)[0], port=81), 1)
    assert (sum(counts.values()), set(counts)) == (150, set(ENDPOINTS))
    assert lost == {NOBODY: 1}


@pytest.mark.judge
def test_a_wrong_probability_is_caught_by_counting(machine: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iptables_ports, "probability", lambda ways: "0.89999999991")
    counts = burst(machine, three_endpoints(), "iptables", sequence(1)[0], 300)
    assert {one.aspect for one in improbable(counts, THIRDS)} == {"shares"}
