"""Rule: the map as a file shows what the page shows, overlaps nothing, loses nobody, and is one safe XML file."""

from __future__ import annotations

import json
import re
import zlib
from itertools import combinations
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.packetsim.kubeproxy.goldens import assert_golden
from tests.visualizer.labs import CLIENT, shop
from tests.visualizer.map_samples import (
    PICTURE,
    PLACES,
    STATIC,
    crowd,
    picture,
    places,
    pod,
    read,
    service,
    view,
    walked,
)
from visualizer import map_layout, map_slots
from visualizer.map_drawing import MOST_TIES
from visualizer.map_layout import Box, Layout, layout_of
from visualizer.map_pen import fitted, wide
from visualizer.map_road import hosts_of, places_of, road_of, with_trace
from visualizer.map_style import PALETTE
from visualizer.map_svg import MOST_STOPS, map_svg
from visualizer.map_words import WORDS
from visualizer.schemas import ClusterView, NodeView, Send, Traced
from visualizer.walks import MODES

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "title", "desc", "style", "g", "rect", "circle", "path", "text", "tspan"}
NAMES = [
    "<img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "]]>&lt;&#x41;",
    "\x00\x1b[31m\ud800\ufffe",
    "‮gnp.exe",
    "{place}",
    "名" * 300,
    "x" * 5000,
    "'\"`--",
    "",
]


def parts(text: str, tag: str, kind: str = "") -> list[Xml.Element]:
    root = Xml.fromstring(text.encode())
    return [one for one in root.iter(f"{SVG}{tag}") if not kind or kind in one.get("class", "").split()]


def titles(text: str) -> list[str]:
    return [one.text or "" for one in parts(text, "title")]


# ---- with the page ----------------------------------------------------------------------------------------------


def test_the_shop_looks_as_it_did() -> None:
    assert_golden(PICTURE, picture())


def test_things_stand_where_the_page_puts_them() -> None:
    assert places() == json.loads(PLACES.read_text())


def test_sizes_are_the_page_s() -> None:
    text = (STATIC / "src" / "measures.ts").read_text()
    named = {
        "POD": {"width": map_slots.POD_WIDTH, "height": map_slots.POD_HEIGHT, "gap": map_slots.POD_GAP},
        "NODE": {
            "columns": map_slots.NODE_COLUMNS,
            "pad": map_slots.NODE_PAD,
            "gap": map_slots.NODE_GAP,
            "mostRows": map_slots.NODE_MOST_ROWS,
        },
        "LEVEL": {
            "wire": map_layout.WIRE,
            "kernelBottom": map_layout.KERNEL_BOTTOM,
            "channel": map_layout.CHANNEL,
            "rail": map_layout.RAIL,
            "kernelTop": map_layout.KERNEL_TOP,
            "process": map_layout.PROCESS,
            "bridge": map_layout.BRIDGE,
            "pods": map_layout.PODS,
        },
    }
    for name, sizes in named.items():
        found = re.search(rf"const {name} = \{{(.*?)\}}", text, re.DOTALL)
        assert found is not None
        assert {key: int(value) for key, value in re.findall(r"(\w+): (\d+)", found[1])} == sizes


def test_colours_are_the_page_s() -> None:
    text = (STATIC / "css" / "tokens.css").read_text()
    tokens = {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\);", text)}
    assert {name: tokens[name] for name in PALETTE} == PALETTE


@pytest.mark.parametrize("place", [0, 1], ids=["en", "zh-hans"])
def test_words_are_the_page_s(place: int) -> None:
    text = (STATIC / "src" / "i18n" / ("zh-hans.ts" if place else "en.ts")).read_text()
    catalogue = dict(re.findall(r'^  "([\w.]+)":\s+"(.*)",$', text, re.MULTILINE))
    ours = {key: words[place] for key, words in WORDS.items() if not key.startswith("file.")}
    assert {key: catalogue.get(key) for key in ours} == ours


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_tell_the_same_things(key: str) -> None:
    english, chinese = (sorted(re.findall(r"\{\w+\}", words)) for words in WORDS[key])
    assert english == chinese


# ---- places -----------------------------------------------------------------------------------------------------


@some.composite
def clusters(draw: some.DrawFn) -> ClusterView:
    nodes = [f"n{number}" for number in range(draw(some.integers(0, 30)))]
    where = some.sampled_from([*nodes, "gone", ""])
    pods = [pod(f"ns/p{number}", node) for number, node in enumerate(draw(some.lists(where, max_size=120)))]
    few = some.lists(some.sampled_from(pods), max_size=6) if pods else some.just([])
    return ClusterView(
        nodes=[NodeView(name=name, addresses=[], pod_cidrs=[], zone="", ready=True) for name in nodes],
        pods=pods,
        services=[service(f"s{number}", draw(few)) for number in range(draw(some.integers(0, 60)))],
    )


def apart(one: Box, other: Box) -> bool:
    return one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y


def within(inner: Box, outer: Box) -> bool:
    return inner.x >= outer.x and inner.y >= outer.y and inner.right <= outer.right and inner.bottom <= outer.bottom


def solid(layout: Layout) -> list[Box]:
    """What must not overlap: everything but what stands in a node or outside, and those among themselves."""
    more = [layout.more_services] if layout.more_services else []
    return [
        *(place.box for place in layout.nodes.values()),
        *(box for _, box in layout.services.values()),
        *more,
        layout.outside,
    ]


@settings(max_examples=60, deadline=None)
@given(cluster=clusters(), hosts=some.integers(0, 9), data=some.data())
def test_nothing_overlaps_and_nobody_is_lost(cluster: ClusterView, hosts: int, data: some.DataObject) -> None:
    pods, keys = [one.place for one in cluster.pods], [one.key for one in cluster.services]
    wanted = data.draw(some.lists(some.sampled_from(pods), max_size=5)) if pods else []
    focus = frozenset([*wanted, *(data.draw(some.lists(some.sampled_from(keys), max_size=1)) if keys else [])])
    layout = layout_of(cluster, [f"198.51.100.{number}" for number in range(hosts)], focus)
    assert all(apart(*pair) for pair in combinations(solid(layout), 2))
    assert all(within(box, layout.bounds) for box in solid(layout))
    for name, node in layout.nodes.items():
        inside = [place.box for place in layout.pods.values() if place.pod.node == name]
        inside += [node.more] if node.more else []
        assert all(apart(*pair) for pair in combinations([*inside, node.process], 2))
        assert all(within(box, node.box) for box in inside)
        there = sum(one.node == name for one in cluster.pods)
        assert len(inside) - bool(node.more) + node.hidden == there
        assert (node.more is None) == (node.hidden == 0)
    assert all(within(host.box, layout.outside) for host in layout.hosts.values())
    assert all(apart(*pair) for pair in combinations([host.box for host in layout.hosts.values()], 2))
    shown = len(layout.pods) + sum(node.hidden for node in layout.nodes.values()) + layout.homeless
    assert shown == len(cluster.pods)
    assert len(layout.services) + layout.hidden_services == len(cluster.services)
    assert (layout.more_services is None) == (layout.hidden_services == 0)
    on_nodes = {one.place for one in cluster.pods if one.node in layout.nodes}
    assert focus & on_nodes <= set(layout.pods)
    assert {key for key in focus if key.startswith("Service ")} <= set(layout.services)


@settings(max_examples=25, deadline=None)
@given(cluster=clusters())
def test_a_file_shows_everybody_or_counts_them(cluster: ClusterView) -> None:
    text = map_svg(cluster, "Lab", "nftables")
    layout = layout_of(cluster)
    told = titles(text)
    if not cluster.nodes:
        assert "There is no node yet." in [one.text for one in parts(text, "text")]
        return
    assert sum(one.startswith("Pod ") for one in told) == len(layout.pods)
    assert sum(one.startswith("Service ") for one in told) == len(layout.services)
    counts = [node.hidden for node in layout.nodes.values() if node.hidden]
    counts += [layout.hidden_services] if layout.hidden_services else []
    words = [one.text or "" for one in parts(text, "text")]
    assert sorted(one for one in words if one.startswith("+")) == sorted(f"+{count} more" for count in counts)
    assert any(f"Pods without a node: {layout.homeless}" in one for one in words) == (layout.homeless > 0)


def test_a_big_cluster_stays_small() -> None:
    text = map_svg(crowd(100, 100, 1000), "Big", "ipvs")
    assert len(text) < 2_500_000
    assert len(parts(text, "g", "tie")) <= MOST_TIES
    assert len(parts(text, "desc")[0].text or "") < 40_000


# ---- hostile text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_stays_text(name: str) -> None:
    one = pod(f"{name}/{name}", "n", name).model_copy(update={"listening": []})
    tied = service("s", [one]).model_copy(update={"name": name, "namespace": name, "type": name, "key": name})
    node = NodeView(name="n", addresses=[name], pod_cidrs=[], zone=name, ready=True)
    held_to_be_safe(map_svg(ClusterView(nodes=[node], pods=[one], services=[tied]), name, name))


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_trace_stays_text(name: str) -> None:
    trace = json.loads(json.dumps(read("clusterip-iptables")).replace("shop/client", json.dumps(name)[1:-1]))
    held_to_be_safe(map_svg(ClusterView.model_validate(read("shop-cluster")), "Lab", "iptables", trace, 1))


def held_to_be_safe(text: str) -> None:
    root = Xml.fromstring(text.encode())
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in ALLOWED
        for attribute, value in element.attrib.items():
            assert not attribute.startswith("on")
            assert attribute.rpartition("}")[2] not in ("href", "style", "src")
            assert "url(" not in value
    (style,) = (one.text or "" for one in root.iter(f"{SVG}style"))
    assert "url(" not in style
    assert "@import" not in style
    assert "@media (prefers-color-scheme: dark)" in style


@given(text=some.text(max_size=60), most=some.integers(3, 30))
def test_what_is_fitted_fits(text: str, most: int) -> None:
    assert wide(fitted(text, most)) <= most


# ---- walks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("source", "target"),
    [
        (CLIENT, "shop/web:80"),
        ("node1", "shop/web:80"),
        ("203.0.113.7", "node1:30080"),
        (CLIENT, "10.96.9.9:80"),
        (CLIENT, "192.168.10.12:9"),
    ],
)
def test_a_walk_is_marked_from_its_sender_to_its_end(mode: str, source: str, target: str) -> None:
    session = shop(mode)
    document = walked(session, Send(source=source, target=target))
    cluster = view(session)
    layout = layout_of(cluster, hosts_of(document), frozenset(places_of(document)))
    road = road_of(layout, document)
    assert all(stop.point is not None for stop in road.stops)
    merged = [
        one.place for index, one in enumerate(road.stops) if index == 0 or road.stops[index - 1].place != one.place
    ]
    assert merged[0] == document["flow"]["place"]
    text = map_svg(cluster, "Shop", mode, document, 7)
    shown = [one.findtext(f"{SVG}text") for one in parts(text, "g", "stop")]
    assert shown == [str(number) for number in [*range(1, len(road.stops) + 1)] * 2]
    told = parts(text, "desc")[0].text or ""
    assert "Walk 7: " in told
    assert all(f"{number}. {stop.place}: " in told for number, stop in enumerate(road.stops, 1))
    assert len(road.stops) <= MOST_STOPS
    on_links = [point for way in road.ways for point in way]
    assert all(within(Box(at.x, at.y, 0, 0), layout.bounds) for at in on_links)


def test_the_road_is_the_summary_s_path() -> None:
    handled = shop("userspace").handle(Send(source=CLIENT, target="shop/web:80"))
    (told,) = handled.events
    assert isinstance(told, Traced)
    assert places_of(json.loads(zlib.decompress(handled.traces[0].document))) == told.traces[0].path


def test_machines_that_are_gone_stay_on_their_walk() -> None:
    document = read("clusterip-iptables")
    nothing = ClusterView(nodes=[], pods=[], services=[])
    cluster = with_trace(nothing, document)
    assert {one.place for one in cluster.pods} | {one.name for one in cluster.nodes} == set(places_of(document))
    text = map_svg(nothing, "Lab", "iptables", document, 1)
    assert len(parts(text, "g", "pod")) == len(cluster.pods)
    assert parts(text, "path", "trail")


def test_the_service_and_its_endpoint_are_marked_in_a_crowd() -> None:
    session = shop()
    document = walked(session, Send(source=CLIENT, target="shop/web:80"))
    cluster = view(session)
    many = crowd(2, 1, 60).services
    cluster = cluster.model_copy(update={"services": [*many, *cluster.services]})
    text = map_svg(cluster, "Shop", "iptables", document, 1)
    (marked,) = parts(text, "g", "addressed")
    assert (marked.findtext(f"{SVG}title") or "").startswith("Service shop/web,")
    assert len(parts(text, "g", "chosen")) == 1
    assert len(parts(text, "g", "endpoint")) == 1


def test_chinese_is_complete() -> None:
    session = shop("userspace")
    document = walked(session, Send(source=CLIENT, target="shop/web:80"))
    text = map_svg(view(session), "商店", "userspace", document, 1, "zh-hans")
    assert Xml.fromstring(text).get("lang") == "zh-Hans"
    words = [one.text or "" for one in parts(text, "text", "small")]
    assert {"集群外", "线路", "路由器"} <= set(words)
    assert "商店：集群地图" in titles(text)
