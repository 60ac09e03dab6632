"""Rule: a cluster in, its map out as one SVG file that needs nothing else: no script, no font, no address.

Names are text and stay text (map_pen.py). The file shows no more than the page would, and counts the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as Xml

from visualizer.map_drawing import Play, draw_map, service_address
from visualizer.map_layout import Box, Layout, Point, layout_of
from visualizer.map_pen import Element, draw, fitted, group, line, number, wide, with_port
from visualizer.map_road import Document, Road, Stop, hosts_of, places_of, road_of, with_trace
from visualizer.map_style import style
from visualizer.map_words import TAGS, Language, say
from visualizer.schemas import ClusterView, ServiceView

MOST_STOPS = 12  # told below the map
MOST_TOLD = 40  # things of a kind in the description
_HEAD, _ROW, _EDGE = 56, 22, 16
_PLACE_X, _STORY_X = 24, 262
_TICK, _CROSS = "M-3,0.2L-0.8,2.6L3.2,-2.4", "M-2.6,-2.6L2.6,2.6M2.6,-2.6L-2.6,2.6"


def map_svg(
    cluster: ClusterView,
    title: str,
    mode: str,
    trace: Document | None = None,
    walk: int = 0,
    language: Language = "en",
) -> str:
    """`trace`: a trace document (docs/trace.md), numbered `walk`, whose request is marked."""
    known = cluster if trace is None else with_trace(cluster, trace)
    service = None if trace is None else _addressed(known, trace)
    focus = frozenset([*(places_of(trace) if trace else ()), *([service.key] if service else ())])
    layout = layout_of(known, hosts_of(trace) if trace else (), focus)
    road = None if trace is None else road_of(layout, trace)
    play = Play(
        language=language,
        road=road,
        sender=trace["flow"]["place"] if trace else "",
        service=service.key if service else "",
        endpoint=_endpoint(service, trace) if service and trace else "",
    )
    caption = [] if trace is None or road is None else list(_stories(road, trace, language))
    heading = _walk_heading(trace, walk, language) if trace else ""
    bounds = _bounds(layout, heading, caption)
    root = _root(bounds, language)
    draw(root, "title", text=say(language, "file.title", title=title), id="packetwalk-title")
    draw(root, "desc", text=_description(known, mode, heading, caption, language), id="packetwalk-desc")
    draw(root, "style", text=style())
    draw(root, "rect", "ground", x=bounds.x, y=bounds.y, width=bounds.width, height=bounds.height)
    _heading(root, bounds, known, layout, title, mode, language)
    if layout.nodes:
        draw_map(root, layout, play)
    else:
        draw(root, "text", "small", say(language, "map.empty"), x=0, y=layout.bounds.y + 20)
    if road is not None and trace is not None:
        _road(root, road, trace["disposition"] == "delivered")
        _caption(root, layout, bounds, heading, caption)
    return Xml.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _root(bounds: Box, language: Language) -> Element:
    view = " ".join(map(number, (bounds.x, bounds.y, bounds.width, bounds.height)))
    return Xml.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "packetwalk",
            "viewBox": view,
            "width": number(bounds.width),
            "height": number(bounds.height),
            "role": "img",
            "lang": TAGS[language],
            "aria-labelledby": "packetwalk-title packetwalk-desc",
        },
    )


def _bounds(layout: Layout, heading: str, caption: list[tuple[str, str]]) -> Box:
    """The map's, with a head above it and the walk's story below."""
    box = layout.bounds
    stories = max((_STORY_X + 6.6 * wide(story) for _, story in caption), default=0.0)
    width = max(box.width, stories + _EDGE, 8 * wide(heading) + _EDGE)
    below = (len(caption) + 1) * _ROW + 26 if caption else 0
    return Box(box.x - _EDGE, box.y - _HEAD, width + 2 * _EDGE, box.height + _HEAD + below + _EDGE)


# ---- words above and below ------------------------------------------------------------------------------------


def _heading(
    root: Element, bounds: Box, cluster: ClusterView, layout: Layout, title: str, mode: str, language: Language
) -> None:
    x, y = bounds.x + 2 * _EDGE - 8, bounds.y + 30
    draw(root, "text", "title", fitted(title, 60), x=x, y=y)
    told = f"{say(language, 'file.mode', mode=mode)}  ·  {_counts(cluster, language)}"
    if layout.homeless:
        told += f"  ·  {say(language, 'file.homeless', count=f'{layout.homeless:,}')}"
    draw(root, "text", "small", told, x=x, y=y + 18)


def _counts(cluster: ClusterView, language: Language) -> str:
    counts = {name: f"{len(getattr(cluster, name)):,}" for name in ("nodes", "pods", "services")}
    return say(language, "file.counts", **counts)


def _description(
    cluster: ClusterView, mode: str, heading: str, caption: list[tuple[str, str]], language: Language
) -> str:
    """The same in words, for who does not see it."""
    told = [say(language, "file.mode", mode=mode) + ".", _counts(cluster, language)]
    if heading:
        told.append(f"{heading}.")
        told += [f"{number}. {place}: {story}." for number, (place, story) in enumerate(caption, 1)]
    nothing = say(language, "map.noAddress")
    for node in cluster.nodes[:MOST_TOLD]:
        told.append(say(language, "map.node", name=node.name, address=(node.addresses or [nothing])[0]) + ".")
    for pod in cluster.pods[:MOST_TOLD]:
        address = (pod.addresses or [nothing])[0]
        told.append(say(language, "map.pod", place=pod.place, address=address, node=pod.node) + ".")
    for service in cluster.services[:MOST_TOLD]:
        every = list(dict.fromkeys(with_port(one.address, one.port) for one in service.endpoints))
        ends, more = every[:8], len(every[8:])
        ends += [say(language, "map.more", count=more)] if more else []
        name, address = f"{service.namespace}/{service.name}", service_address(service, language) or nothing
        shown = ", ".join(ends) or say(language, "file.none")
        told.append(say(language, "file.service", name=name, address=address, endpoints=shown) + ".")
    return "\n".join(one[:300] for one in told)


def _caption(root: Element, layout: Layout, bounds: Box, heading: str, caption: list[tuple[str, str]]) -> None:
    x, y = bounds.x + 2 * _EDGE - 8, layout.bounds.y + layout.bounds.height + 14
    it = group(root, "story")
    draw(it, "path", "rule", d=line([Point(x, y), Point(bounds.right - 2 * _EDGE, y)]))
    draw(it, "text", "heading", heading, x=x, y=y + 24)
    for row, (place, story) in enumerate(caption, 1):
        at = y + 24 + row * _ROW
        if row <= MOST_STOPS:
            _badge(it, Point(x + 8, at - 4), row)
        draw(it, "text", "place", fitted(place, 30), x=x + _PLACE_X, y=at)
        draw(it, "text", "address", story, x=x + _STORY_X, y=at)


def _walk_heading(trace: Document, walk: int, language: Language) -> str:
    flow = trace["flow"]
    target = f"{with_port(flow['destination'], flow['port'])}/{flow['protocol']}"
    source = fitted(flow["place"], 60)
    named = say(language, "file.walk", number=walk, source=source, target=target, mode=trace["mode"])
    return f"{named} · {say(language, 'outcome.' + trace['disposition'])}"


def _stories(road: Road, trace: Document, language: Language) -> Iterator[tuple[str, str]]:
    """What happened at each stop."""
    for stop in road.stops[:MOST_STOPS]:
        yield stop.place, _story(stop, language)
    if len(road.stops) > MOST_STOPS:
        yield "", say(language, "file.stops", count=len(road.stops) - MOST_STOPS)


def _story(stop: Stop, language: Language) -> str:
    packet = stop.first
    ends = [with_port(packet[end], packet[f"{end}_port"], packet["protocol"]) for end in ("source", "destination")]
    told = [say(language, "file.sends", source=ends[0], target=ends[1])] if stop.begins else []
    for step in stop.told:
        told += _told(step["detail"], language)
    return fitted("; ".join(told) or say(language, "file.passes"), 160)


def _told(detail: dict[str, Any], language: Language) -> list[str]:
    match detail["kind"]:
        case "translated" if detail["end"] in ("source", "destination"):
            return [say(language, f"file.{detail['end']}", old=detail["old"], new=detail["new"])]
        case "proxy_accepted":
            return [say(language, "file.accepts")]
        case "ended":
            return [say(language, f"outcome.{detail['outcome']}")]
    return []


# ---- the walk -------------------------------------------------------------------------------------------------


def _addressed(cluster: ClusterView, trace: Document) -> ServiceView | None:
    """The Service that was sent to: for showing which is meant, not for deciding anything."""
    to, port = trace["flow"]["destination"], trace["flow"]["port"]
    of_nodes = {address for node in cluster.nodes for address in node.addresses}
    for service in cluster.services:
        virtual = to in (*service.cluster_ips, *service.external_ips, *service.ingress)
        if virtual and any(one.port == port for one in service.ports):
            return service
        if to in of_nodes and any(one.node_port == port != 0 for one in service.ports):
            return service
    return None


def _endpoint(service: ServiceView, trace: Document) -> str:
    """The Pod that got it."""
    ends = ((one.place, with_port(one.address, one.port)) for one in service.endpoints)
    return next((place for place, end in ends if end == trace["endpoint"]), "")


def _road(root: Element, road: Road, delivered: bool) -> None:
    it = group(root, "walk")
    for way in road.ways:
        draw(it, "path", "trail", d=line(way))
    for at in road.rewrites:
        draw(it, "path", "rewrite", d="M0,-7L7,0L0,7L-7,0Z", transform=_moved(at))
    taken: set[Point] = set()
    for row, stop in enumerate(road.stops[:MOST_STOPS], 1):
        if stop.point is not None:
            _badge(it, _free(stop.point, taken), row)
    if road.end is not None:
        end = draw(it, "g", "ending", transform=_moved(_free(road.end, taken)))
        draw(end, "circle", cx=0, cy=0, r=7.5)
        draw(end, "path", d=_TICK if delivered else _CROSS)


def _free(at: Point, taken: set[Point]) -> Point:
    """The place, or one beside it where another mark stands."""
    while any(abs(at.x - other.x) < 16 and abs(at.y - other.y) < 16 for other in taken):
        at = Point(at.x + 17, at.y)
    taken.add(at)
    return at


def _badge(parent: Element, at: Point, shown: int) -> None:
    it = draw(parent, "g", "stop", transform=_moved(at))
    draw(it, "circle", cx=0, cy=0, r=8)
    draw(it, "text", "middle", str(shown), x=0, y=3.8)


def _moved(at: Point) -> str:
    return f"translate({number(at.x)},{number(at.y)})"
