"""Rule: whatever the patch and however the text was laid out, it then says exactly what RFC 7386 makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.documents import Written, dump, plain
from visualizer.patching import merge, patched
from visualizer.refusals import RefusedError

DEPLOYMENT = """\
# Three of them.
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop} # in flow style
spec:
  replicas: 3 # for now
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web, tier: front}
      # a comment inside
    spec:
      containers:
      - name: web
        image: nginx # any will do

      # after the list
"""


def written(text: str) -> Written:
    return Written("Deployment", "shop", "web", text)


@pytest.mark.parametrize(
    ("patch", "old", "new"),
    [
        ({"spec": {"replicas": 5}}, "replicas: 3 # for now", "replicas: 5 # for now"),
        ({"spec": {"template": {"metadata": {"labels": {"tier": None}}}}}, "{app: web, tier: front}", "{app: web}"),
        ({"spec": {"template": {"metadata": {"labels": {"app": None}}}}}, "{app: web, tier: front}", "{tier: front}"),
        (
            {"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}},
            "{app: web, tier: front}",
            "{app: web, tier: front, v: '2'}",
        ),
        ({"spec": {"replicas": None}}, "  replicas: 3 # for now\n", ""),
        (
            {"spec": {"template": {"metadata": {"annotations": {"packetwalk.dev/ready": "false"}}}}},
            "      labels: {app: web, tier: front}\n",
            "      labels: {app: web, tier: front}\n      annotations:\n        packetwalk.dev/ready: 'false'\n",
        ),
        ({"metadata": {"labels": {"a": "b"}}}, "namespace: shop}", "namespace: shop, labels: {a: b}}"),
    ],
)
def test_only_what_is_named_is_rewritten(patch: dict[str, Any], old: str, new: str) -> None:
    assert patched(written(DEPLOYMENT), patch).yaml == DEPLOYMENT.replace(old, new).replace("'2'", '"2"').replace(
        "'false'", '"false"'
    )


def test_a_list_is_replaced_whole_and_the_comments_around_it_stay() -> None:
    text = patched(written(DEPLOYMENT), {"spec": {"template": {"spec": {"containers": [{"name": "x"}]}}}}).yaml
    assert "# Three of them." in text
    assert "# for now" in text
    assert "      containers:\n      - name: x\n" in text


def test_a_patch_of_nothing_changes_nothing() -> None:
    one = written(DEPLOYMENT)
    assert patched(one, {}) is one
    assert patched(one, {"spec": {"replicas": 3, "gone": None}}) is one


@pytest.mark.parametrize(
    "patch",
    [{"kind": "Pod"}, {"kind": None}, {"metadata": {"name": "other"}}, {"metadata": None}, {"metadata": 1}],
)
def test_a_patch_makes_no_other_object(patch: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="no other kind"):
        patched(written(DEPLOYMENT), patch)


def test_a_patch_is_bounded() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    for patch in (deep, {"a": list(range(30_000))}, {"a": float("inf")}, {"a": 10**30}):
        with pytest.raises(RefusedError):
            patched(written(DEPLOYMENT), patch)


# ---- any patch of any document ----------------------------------------------------------------------------------

names = st.sampled_from(["a", "b", "c.d/e", "yes", "key with spaces", "é"])
scalars = st.one_of(
    st.integers(-5, 5), st.booleans(), st.sampled_from(["", "text", "yes", "1e3", "a: b", "x\ny", "#", "- a", "'\""])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
patches = st.recursive(
    scalars | st.none(),
    lambda inner: st.lists(values, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(names, values, max_size=4),
    st.dictionaries(names, patches, max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_the_text_says_what_the_patch_makes(
    body: dict[str, Any], patch: dict[str, Any], flow: bool, comments: bool
) -> None:
    base = {"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, **body}
    text = dump(base, flow=flow)
    if comments and not flow:
        text = "# above\n" + text + "# below\n"
    one = written(text)
    assert plain(one.document.value) == base
    assert plain(patched(one, patch).document.value) == merge(base, patch)
