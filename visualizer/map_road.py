"""Rule: a trace's request is drawn only where its document puts it, along links that are drawn, as the page draws it.

The geometry is that of static/src/road.ts. A userspace proxy's own connection follows the request to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Any, NamedTuple

from visualizer.map_layout import Layout, NodePlace, Point
from visualizer.schemas import ClusterView, NodeView, PodView
from visualizer.walks import ANSWERS

Document = dict[str, Any]  # docs/trace.md
Way = list[Point]
_PROXY = ("proxy_accepted", "proxy_dialled", "proxy_copied")
_AT_SOCKET = "handed to the socket layer"


class Anchor(NamedTuple):
    """A spot where a packet can rest. `at`: port, process, bridge, wire or a station."""

    place: str
    at: str


class Moment(NamedTuple):
    """One step. `hop`: its number on the whole road; `last`: of its leg."""

    hop: int
    place: str
    kind: str
    step: dict[str, Any]
    before: Anchor
    after: Anchor


@dataclass(frozen=True, slots=True)
class Stop:
    """A hop of the road. `told`: its steps that change the packet or end it. `first`, `last`: the packet around it."""

    place: str
    point: Point | None
    begins: bool
    told: list[dict[str, Any]]
    first: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Road:
    """`ways`: one for each leg. `rewrites`: where the packet's addresses changed."""

    ways: list[Way]
    stops: list[Stop]
    passed: frozenset[Anchor]
    rewrites: list[Point]
    end: Point | None


def onward(trace: Document) -> list[dict[str, Any]]:
    """The request, and of a proxy's own connections the last: those before it came to nothing."""
    legs = [leg for leg in trace["legs"] if leg["title"] not in ANSWERS and any(hop["steps"] for hop in leg["hops"])]
    return [*legs[:1], *legs[1:][-1:]]


def places_of(trace: Document) -> list[str]:
    """Every place on the road."""
    return list(dict.fromkeys(hop["place"] for leg in onward(trace) for hop in leg["hops"]))


def hosts_of(trace: Document) -> list[str]:
    met = (hop for leg in onward(trace) for hop in leg["hops"] if hop["kind"] == "outside")
    return list(dict.fromkeys(hop["place"] for hop in met))


def with_trace(cluster: ClusterView, trace: Document) -> ClusterView:
    """The cluster with what the road met besides: machines since deleted stay on the map of their walk."""
    nodes = {node.name for node in cluster.nodes}
    pods = {pod.place for pod in cluster.pods}
    more_nodes: dict[str, NodeView] = {}
    more_pods: dict[str, PodView] = {}
    for leg in onward(trace):
        hops = leg["hops"]
        for number, hop in enumerate(hops):
            place = hop["place"]
            if hop["kind"] == "node" and place not in nodes:
                more_nodes[place] = NodeView(name=place, addresses=[], pod_cidrs=[], zone="", ready=True)
            elif hop["kind"] == "pod" and place not in pods:
                near = [one["place"] for one in (*hops[number + 1 :][:1], *hops[:number][-1:]) if one["kind"] == "node"]
                more_pods[place] = _pod_view(place, near[0] if near else "", _addresses(trace, hop))
    return ClusterView(
        nodes=[*cluster.nodes, *more_nodes.values()],
        pods=[*cluster.pods, *more_pods.values()],
        services=cluster.services,
    )


def _addresses(trace: Document, hop: dict[str, Any]) -> list[str]:
    """What a machine sends from, or what was sent to it."""
    if trace["flow"]["place"] == hop["place"]:
        return [trace["flow"]["source"]]
    return [hop["steps"][-1]["packet"]["destination"]] if hop["steps"] else []


def _pod_view(place: str, node: str, addresses: list[str]) -> PodView:
    return PodView(
        place=place,
        node=node,
        addresses=addresses,
        labels={},
        ready=True,
        terminating=False,
        answers=True,
        host_network=False,
        listening=None,
        owner=f"Pod {place}",
    )


def road_of(layout: Layout, trace: Document) -> Road:
    ways: list[Way] = []
    stops: list[Stop] = []
    passed: set[Anchor] = set()
    rewrites: list[Point] = []
    for leg in onward(trace):
        moments = list(_moments(leg))
        ways.append(_straight([point for moment in moments for point in _way(layout, moment)]))
        passed.update(moment.after for moment in moments)
        changed = [moment.after for moment in moments if moment.step["detail"]["kind"] == "translated"]
        rewrites += [point for anchor in changed if (point := _point(layout, anchor))]
        stops += _stops(layout, moments)
    end = next((way[-1] for way in reversed(ways) if way), None)
    return Road([way for way in ways if way], stops, frozenset(passed), list(dict.fromkeys(rewrites)), end)


def _stops(layout: Layout, moments: Sequence[Moment]) -> Iterator[Stop]:
    for hop in dict.fromkeys(moment.hop for moment in moments):
        mine = [moment for moment in moments if moment.hop == hop]
        first = mine[0]
        steps = [moment.step for moment in mine]
        told = [one for one in steps if one["detail"]["kind"] in ("translated", "ended", "proxy_accepted")]
        yield Stop(first.place, _entry(layout, first.before), first is moments[0], told, steps[0]["packet"])


def _entry(layout: Layout, anchor: Anchor) -> Point | None:
    """Where a hop's number stands: on the link by which the packet came."""
    node = layout.nodes.get(anchor.place)
    if node is not None and anchor.at == "wire":
        return node.port
    if node is not None and anchor.at == "process":
        return Point(node.process.x, node.process.y + node.process.height / 2)
    return _point(layout, anchor)


# ---- steps ----------------------------------------------------------------------------------------------------


def _moments(leg: dict[str, Any]) -> Iterator[Moment]:
    steps = [(number, hop, step) for number, hop in enumerate(leg["hops"]) for step in hop["steps"]]
    before: Anchor | None = None
    for index, (number, hop, step) in enumerate(steps):
        place, kind = hop["place"], hop["kind"]
        if before is None:
            before = Anchor(place, "process" if kind == "node" else "port")
        next_kind = steps[index + 1][1]["kind"] if index + 1 < len(steps) else "pod"
        after = _after(place, kind, step, next_kind) or before
        yield Moment(number, place, kind, step, before, after)
        before = after


def _after(place: str, kind: str, step: dict[str, Any], next_kind: str) -> Anchor | None:
    """Where the packet is once a step is done; None: where it was."""
    detail = step["detail"]
    if detail["kind"] == "crossed":
        sides = {"wire": "wire", "loopback": "postrouting"}
        return Anchor(detail["to"], sides.get(detail["link"], "bridge") if next_kind == "node" else "port")
    if kind != "node":
        return Anchor(place, "port")
    if step["hook"] is not None:
        return Anchor(place, step["hook"])
    if detail["kind"] == "routed":
        return Anchor(place, "routing")
    if detail["kind"] in _PROXY or (detail["kind"] == "noted" and detail["text"].startswith(_AT_SOCKET)):
        return Anchor(place, "process")
    return None


# ---- along the links ------------------------------------------------------------------------------------------


def _way(layout: Layout, moment: Moment) -> Way:
    before, after, detail = moment.before, moment.after, moment.step["detail"]
    if detail["kind"] == "crossed":
        leaving = _out(layout, before, after.place, detail["link"])
        arriving = _out(layout, after, before.place, detail["link"])[::-1]
        over = _between(layout, leaving[-1], arriving[0]) if detail["link"] == "wire" and leaving and arriving else []
        return [*leaving, *over, *arriving]
    start, end = _point(layout, before), _point(layout, after)
    if start is None or end is None:
        return []
    node = layout.nodes.get(moment.place)
    if node is None or before.place != after.place:
        return [end]
    return [*_onto_rail(node, before, start, "output"), *_onto_rail(node, after, end, "input")[::-1]]


def _out(layout: Layout, anchor: Anchor, other: str, link: str) -> Way:
    """From an anchor to the link: the bridge for a veth pair, the wire otherwise."""
    node = layout.nodes.get(anchor.place)
    if node is not None:
        return _out_of_node(layout, node, anchor, other, link)
    pod, host = layout.pods.get(anchor.place), layout.hosts.get(anchor.place)
    if pod is not None:
        return pod.veth
    return [host.port, Point(host.port.x, layout.router.y)] if host is not None else []


def _out_of_node(layout: Layout, node: NodePlace, anchor: Anchor, other: str, link: str) -> Way:
    side = node.stations["postrouting"].x
    if link == "wire":
        wire = [Point(node.port.x, node.channel_y), node.port, Point(node.port.x, node.wire_y)]
        if anchor.at == "wire":
            return wire
        at = node.stations.get("output" if anchor.at == "process" else anchor.at, node.stations["postrouting"])
        return [at, Point(side, node.rail_y), Point(side, node.channel_y), *wire]
    pod = layout.pods.get(other)
    x = pod.veth[-1].x if pod is not None else node.stations["forward"].x
    if anchor.at == "bridge":
        return [Point(node.stations["prerouting"].x, node.bridge_y), Point(x, node.bridge_y)]
    at = node.stations.get(anchor.at, node.stations["postrouting"])
    return [at, Point(side, node.rail_y), Point(side, node.bridge_y), Point(x, node.bridge_y)]


def _between(layout: Layout, start: Point, end: Point) -> Way:
    """Along the wire, by the router where the rows of nodes differ."""
    return [] if start.y == end.y else [Point(layout.router.x, start.y), Point(layout.router.x, end.y)]


def _onto_rail(node: NodePlace, anchor: Anchor, at: Point, door: str) -> Way:
    rail = node.stations["prerouting"]
    if anchor.at == "bridge":
        return [at, rail]
    if anchor.at == "wire":
        return [at, Point(rail.x, node.channel_y), rail]
    if anchor.at == "process":
        return [at, Point(node.stations[door].x, at.y), node.stations[door]]
    return [at]


def _point(layout: Layout, anchor: Anchor) -> Point | None:
    """Where an anchor is drawn; None where its place is not on the map."""
    node = layout.nodes.get(anchor.place)
    if node is None:
        there = layout.pods.get(anchor.place) or layout.hosts.get(anchor.place)
        return there.port if there is not None else None
    if anchor.at == "bridge":
        return Point(node.stations["prerouting"].x, node.bridge_y)
    if anchor.at == "wire":
        return Point(node.port.x, node.channel_y)
    if anchor.at in node.stations:
        return node.stations[anchor.at]
    return Point(node.process.middle, node.process.bottom)


def _straight(way: Way) -> Way:
    """Without points that repeat the one before."""
    far = [after for before, after in pairwise(way) if hypot(after.x - before.x, after.y - before.y) > 0.01]
    return [*way[:1], *far]
