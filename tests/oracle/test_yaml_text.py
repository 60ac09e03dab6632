"""Manifests are written as people write them, and read back as they were."""

from __future__ import annotations

from typing import Any

import pytest

from packetsim import ManifestError
from packetsim.oracle.random_clusters import random_manifests
from packetsim.oracle.yaml_text import read, write

ODD = ["yes", "y", "1e3", "0x1F", "1:20", "2030-01-01T00:00:00Z", "::1", "", "null", "a: b", "- a", "{a}", "#", "~"]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: [text], lambda text: {text: [text]}])
def test_text_stays_text(text: str, wrap: Any) -> None:
    documents = [{"kind": "Odd", "value": wrap(text)}]
    assert read(write(documents)) == documents


def test_what_is_written_is_read_back() -> None:
    for number in range(60):
        text = random_manifests(3, number)
        assert write(read(text)) == text


def test_short_things_stand_on_one_line_and_long_ones_do_not() -> None:
    ports = [{"name": f"port{number}", "port": number} for number in range(6)]
    text = write([{"kind": "Service", "spec": {"type": "NodePort", "ports": ports}}, {"kind": "Empty", "items": []}])
    assert text.splitlines() == [
        "kind: Service",
        "spec:",
        "  type: NodePort",
        "  ports:",
        *(f"  - {{name: port{number}, port: {number}}}" for number in range(6)),
        "---",
        "kind: Empty",
        "items: []",
    ]


def test_a_broken_text_is_refused() -> None:
    with pytest.raises(ManifestError):
        read("kind: {")
