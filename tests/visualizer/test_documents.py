"""Rule: what was written is kept as it was written; what is wrong is told at its line of the whole text."""

from __future__ import annotations

import pytest

from tests.visualizer.labs import SHOP
from visualizer.documents import Written, dump, joined, merged, split
from visualizer.patching import merge
from visualizer.refusals import RefusedError


def keys(text: str) -> list[str]:
    return [one.key for one in split(text)[0]]


def test_a_text_of_many_documents_is_split_with_its_comments() -> None:
    found, offsets = split(SHOP)
    by_key = {one.key: one for one in found}
    assert list(by_key)[:4] == ["Node node1", "Node node2", "Namespace shop", "KubeProxyConfiguration"]
    assert by_key["Node node1"].yaml.startswith("# A Node. Its InternalIP")
    assert "# trafficDistribution: PreferSameZone looks at this" in by_key["Node node1"].yaml
    assert SHOP.splitlines()[offsets["Node node2"]].startswith("apiVersion")


def test_joined_documents_are_split_into_the_same() -> None:
    found, _ = split(SHOP)
    assert split(joined(found))[0] == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# nothing\n---\n---\n", []),
        ("kind: Pod\napiVersion: v1\nmetadata: {name: a}\n", ["Pod default/a"]),
        ("--- # one\nkind: Node\napiVersion: v1\nmetadata: {name: a}\n...\n", ["Node a"]),
        ("%YAML 1.1\n---\nkind: Node\napiVersion: v1\nmetadata: {name: a}\n", ["Node a"]),
        ('{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a"}}', ["Node a"]),
        ("kind: Widget\napiVersion: x.dev/v1\nmetadata: {name: a, namespace: ns}\n", ["Widget ns/a"]),
        ("kind: KubeProxyConfiguration\napiVersion: kubeproxy.config.k8s.io/v1alpha1\n", ["KubeProxyConfiguration"]),
        (
            "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Node, metadata: {name: a}}\n"
            "- {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns}}\n",
            ["Node a", "Pod ns/b"],
        ),
        ("apiVersion: v1\nkind: PodList\nitems:\n- metadata: {name: b}\n", ["Pod default/b"]),
    ],
)
def test_what_a_text_holds(text: str, expected: list[str]) -> None:
    assert keys(text) == expected


def test_every_object_stands_alone_after_splitting() -> None:
    pod = "&a {apiVersion: v1, kind: Pod, metadata: {name: b, labels: &l {x: 'yes'}}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n- {pod}\n"
    (found,) = split(text)[0]
    assert found.document.value["metadata"]["labels"] == {"x": "yes"}
    assert "&" not in found.yaml


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiVersion: v1\nkind: Node\nmetadata: {name: a}\n---\n- 1\n", "line 5: a manifest must be a mapping"),
        ("kind: Node\n", "this Node has no name"),
        ("a: b\n", "the kind is missing"),
        ("kind: Node\nmetadata: {name: a}\n---\nkind: Node\nmetadata: {name: a}\n", "Node a stands here twice"),
        ("kind: [\n", "this is not YAML"),
        ("a: &a [*a]\n", "stands inside its own anchor"),
    ],
)
def test_what_cannot_be_split_is_told(text: str, told: str) -> None:
    with pytest.raises(RefusedError) as refused:
        split(text)
    assert told in "\n".join(refused.value.problems)


def test_documents_of_the_same_key_are_replaced_in_their_place() -> None:
    first, second = Written("Pod", "n", "a", "a: 1\n"), Written("Pod", "n", "b", "b: 1\n")
    found = merged({first.key: first, second.key: second}, [Written("Pod", "n", "a", "a: 2\n")])
    assert [one.yaml for one in found.values()] == ["a: 2\n", "b: 1\n"]


@pytest.mark.parametrize("value", ["yes", "1e3", "0x10", "null", "a: b", "two\nlines\n", "~", "'", "é", "08", "-"])
def test_text_is_written_so_that_it_is_read_as_text(value: str) -> None:
    one = Written("Pod", "n", "a", dump({"x": value}))
    assert one.document.value == {"x": value}


def test_a_merge_patch_is_that_of_the_rfc() -> None:
    assert merge({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": 3}, "d": [2]}) == {
        "a": {"c": 2, "e": 3},
        "d": [2],
    }
    assert merge([1], {"a": {"b": None}}) == {"a": {}}
