"""Rule: YAML means here what it means to kubectl, and every field knows its line."""

from __future__ import annotations

import math

import pytest
import yaml

from packetsim.cluster import documents
from packetsim.cluster.documents import Document, Fields, Items, Source, plain_value, read_documents, source_from_bytes
from packetsim.errors import Problem


def read(text: str) -> list[Document]:
    problems: list[Problem] = []
    found = list(read_documents([Source("f", text)], problems))
    assert not problems
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("yes", True),
        ("Off", False),
        ("n", False),
        ("1", 1),
        ("-17", -17),
        ("0", 0),
        ("010", 8),
        ("08", 8.0),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("0x_", "0x_"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("inf")),
        ("10.96.0.1", "10.96.0.1"),
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
        ("12:30:45", "12:30:45"),
        ("yes please", "yes please"),
        ("-", "-"),
        (".", "."),
    ],
)
def test_a_plain_scalar_means_what_kubectl_reads(text: str, value: object) -> None:
    assert plain_value(text) == value
    assert type(plain_value(text)) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert math.isnan(float(str(plain_value(".nan"))))


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 30])
def test_endless_digits_do_no_harm(text: str) -> None:
    assert isinstance(plain_value(text), float | str)


def test_quotes_and_the_text_tag_keep_text() -> None:
    (one,) = read("a: 'yes'\nb: !!str 1\nd: !!int '3'\ne: \"x\"\nf: !!map {}\ng: !!seq []\n")
    assert one.value == {"a": "yes", "b": "1", "d": 3, "e": "x", "f": {}, "g": []}


def test_every_key_and_item_knows_its_line() -> None:
    (one,) = read("# first\n---\na: 1\nb:\n  - x\n  - c: 2\n")
    assert isinstance(one.value, Fields)
    assert (one.line, one.value.line_of("a"), one.value.line_of("b"), one.value.line_of("none")) == (3, 3, 4, 3)
    items = one.value["b"]
    assert isinstance(items, Items)
    assert items.lines == [5, 6]
    assert items[1].line_of("c") == 6


def test_documents_are_counted_from_one_with_the_empty_ones() -> None:
    found = read("a: 1\n---\n# nothing\n---\nb: 2\n...\n---\nc: 3\n")
    assert [(one.index, one.line, one.value) for one in found] == [(1, 1, {"a": 1}), (3, 5, {"b": 2}), (4, 8, {"c": 3})]


def test_documents_may_end_with_dots_and_begin_with_a_directive() -> None:
    found = read("%YAML 1.1\n---\na: 1\n...\n---\nb: 2\n")
    assert [one.value for one in found] == [{"a": 1}, {"b": 2}]


def test_old_line_ends_split_as_well() -> None:
    assert [(one.index, one.line, one.value) for one in read("a\r---\rb\r")] == [(1, 1, "a"), (2, 3, "b")]


def test_dashes_inside_text_do_not_split() -> None:
    (one,) = read("a: |\n  x\n  ---\n  y\nb: ---x\n")
    assert one.value == {"a": "x\n---\ny\n", "b": "---x"}


def test_anchors_repeat_and_merge() -> None:
    text = "base: &b {x: 1, y: 2}\n&k key: &v word\nrepeat: [*b, *v, *k]\n"
    text += "merged:\n  <<: *b\n  y: 3\nboth: {<<: [*b, {z: 4}]}\n"
    (one,) = read(text)
    assert one.value["repeat"] == [{"x": 1, "y": 2}, "word", "key"]
    assert one.value["merged"] == {"y": 3, "x": 1}
    assert one.value["merged"].line_of("x") == 1
    assert one.value["both"] == {"x": 1, "y": 2, "z": 4}


def test_an_anchor_defined_again_means_the_new_value() -> None:
    (one,) = read("a: &x [1]\nb: *x\nc: &x [1, 2]\nd: *x\ne: &x 5\nf: *x\n")
    assert (one.value["b"], one.value["d"], one.value["f"]) == ([1], [1, 2], 5)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert read("\ufeffa: 1\r\n---\r\nb: 2\r\n")[1].value == {"b": 2}
    assert source_from_bytes("f", b"\xef\xbb\xbfa: 1\n").text == "a: 1\n"


def test_sixty_four_levels_are_allowed() -> None:
    assert read("a: " + "[" * 63 + "]" * 63)
    assert read("a: &a [[]]\nb: " + "[" * 61 + "*a" + "]" * 61)


def test_json_is_yaml() -> None:
    (one,) = read('{"kind": "List",\n "items": [\n  {"a": true}]}')
    assert one.value == {"kind": "List", "items": [{"a": True}]}


def test_the_parser_without_libyaml_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, 'two', {b: yes}]\nc: *x\n---\nd: !!str 5\n"
    fast = read(text)
    monkeypatch.setattr(documents, "_Loader", yaml.SafeLoader)
    assert read(text) == fast
