"""Rule: draws a layout, each thing as the page draws it (static/src/render/map.ts and scene.ts). Decides nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from visualizer.map_layout import (
    CHANNEL,
    KERNEL_BOTTOM,
    KERNEL_TOP,
    STATIONS,
    Box,
    HostPlace,
    Layout,
    NodePlace,
    PodPlace,
    Point,
)
from visualizer.map_pen import Element, draw, fitted, frame, group, line, number, square, wide, with_port
from visualizer.map_road import Road
from visualizer.map_words import Language, say
from visualizer.schemas import EndpointView, PodView, ServiceView

MANY_TIES = 24  # with more, all are faint
MOST_TIES = 300  # with more, only those of the walk's Service are drawn
_MADE = re.compile(r"(.+)-[a-f0-9]{8,10}-([a-z0-9]{5})|(.+)-[bcdfghjklmnpqrstvwxz2456789]{8,10}-([a-z0-9]{5})")


@dataclass(frozen=True, slots=True)
class Play:
    """What a walk has to do with the cluster: its sender, the Service it was sent to, the endpoint that got it."""

    language: Language
    road: Road | None = None
    sender: str = ""
    service: str = ""
    endpoint: str = ""

    def passed(self, place: str) -> set[str]:
        """The stations that the packet has been at."""
        return {anchor.at for anchor in self.road.passed if anchor.place == place} if self.road else set()


def draw_map(parent: Element, layout: Layout, play: Play) -> None:
    wires = group(parent, "wires")
    for ends in layout.wires:
        draw(wires, "path", "wire", d=line(ends))
    _router(wires, layout, play.language)
    nodes = group(parent, "nodes")
    for node in layout.nodes.values():
        _node(nodes, node, play)
    _outside(parent, layout, play)
    veths = group(parent, "veths")
    for pod in layout.pods.values():
        draw(veths, "path", "link", d=line(pod.veth))
    ties = group(parent, "ties")
    for key, endpoint in _tied(layout, play):
        _tie(ties, layout, key, endpoint, play)
    pods = group(parent, "pods")
    for pod in layout.pods.values():
        _pod(pods, pod, play)
    services = group(parent, "services")
    for service, box in layout.services.values():
        _service(services, service, box, play)
    if layout.more_services is not None:
        _more(services, layout.more_services, layout.hidden_services, play.language)


# ---- machines -------------------------------------------------------------------------------------------------


def _node(parent: Element, place: NodePlace, play: Play) -> None:
    node, box, words, passed = place.node, place.box, play.language, play.passed(place.node.name)
    address = node.addresses[0] if node.addresses else ""
    told = say(words, "map.node", name=node.name, address=address or say(words, "map.noAddress"))
    it = group(parent, "node", "" if node.ready else "wrong", told=told)
    frame(it, box, 6)
    left, right, bottom = box.x + 15, box.right - 15, box.bottom
    title = draw(it, "text", "title", fitted(node.name, 15), x=left, y=bottom - 10)
    draw(title, "tspan", "address", fitted(address, 15), dx=8)
    note = _zone(node.zone, words) if node.ready else say(words, "map.notReady")
    if note:
        draw(it, "text", "small note end", fitted(note, 10), x=right, y=bottom - 10)
    pre, post = place.stations["prerouting"].x, place.stations["postrouting"].x
    draw(it, "path", "wire", d=f"M{number(left)},{number(place.bridge_y)}H{number(right)}")
    draw(it, "text", "small", f"{say(words, 'map.bridge')} cni0", x=pre + 8, y=place.bridge_y + 14)
    frame(it, Box(left, bottom - KERNEL_TOP, box.width - 30, KERNEL_TOP - KERNEL_BOTTOM), 4, "strip")
    draw(it, "text", "small end", say(words, "map.kernel"), x=post - 10, y=bottom - KERNEL_TOP + 14)
    _links(it, place)
    frame(it, place.process, 11, "process live" if "process" in passed else "process")
    draw(it, "text", "small middle", say(words, "map.proxy"), x=place.process.middle, y=place.process.y + 14.5)
    for number_, station in enumerate(STATIONS):
        at, state = place.stations[station], " passed" if station in passed else ""
        draw(it, "circle", f"station{state}", cx=at.x, cy=at.y, r=3.5)
        side, anchor = {0: (-1, " end"), len(STATIONS) - 1: (1, "")}.get(number_, (0, " middle"))
        label = say(words, f"map.station.{station}")
        y = at.y + (3.5 if side else 16)
        draw(it, "text", f"station-name{state}{anchor}", label, x=at.x + side * 7, y=y)
    square(it, place.port, 4)
    draw(it, "text", "small", "eth0", x=place.port.x + 9, y=place.port.y + 17)
    if place.more is not None:
        _more(it, place.more, place.hidden, words)


def _links(parent: Element, place: NodePlace) -> None:
    """What joins the stations, the bridge, kube-proxy and the wire."""
    at = {name: number(point.x) for name, point in place.stations.items()}
    bridge, channel, rail = number(place.bridge_y), number(place.box.bottom - CHANNEL), number(place.rail_y)
    process, port = number(place.process.y + 10), number(place.port.x)
    pre, post = at["prerouting"], at["postrouting"]
    draw(parent, "path", "link", d=f"M{pre},{bridge}V{channel}H{post}V{bridge}")
    draw(parent, "path", "link", d=f"M{port},{channel}V{number(place.wire_y)}")
    draw(parent, "path", "link", d=f"M{at['input']},{rail}V{process}M{at['output']},{rail}V{process}")
    draw(parent, "path", "rail", d=f"M{pre},{rail}H{post}")


def _zone(zone: str, words: Language) -> str:
    """`zone a`; a long name stands alone."""
    told = say(words, "map.zone", zone=zone) if zone else ""
    return told if wide(told) <= 10 else zone


def _pod(parent: Element, place: PodPlace, play: Play) -> None:
    pod, box, words = place.pod, place.box, play.language
    address = pod.addresses[0] if pod.addresses else ""
    shown = address or say(words, "map.noAddress")
    role = "sender" if pod.place == play.sender else "endpoint" if pod.place == play.endpoint else ""
    pale = "pale" if not pod.ready or pod.terminating or not pod.answers else ""
    told = say(words, "map.pod", place=pod.place, address=shown, node=pod.node)
    it = group(parent, "pod", role, pale, told=told)
    frame(it, box, 5)
    name, suffix = _pod_name(pod)
    flag = _flag(pod, words)
    named = bool(suffix or flag)
    draw(it, "text", "name middle", fitted(name, 12), x=box.middle, y=box.y + (16 if named else 23))
    if named:
        draw(it, "text", "flag middle" if flag else "suffix middle", flag or suffix, x=box.middle, y=box.y + 29)
    draw(it, "text", "address middle", fitted(address, 15), x=box.middle, y=box.y + (43 if named else 39))
    square(it, place.port, 3)


def _pod_name(pod: PodView) -> tuple[str, str]:
    """`web-599db76d95-9q9d9` in two lines: who it is of, and which one."""
    name = pod.place.partition("/")[2]
    made = _MADE.fullmatch(name)
    return (made[1] or made[3], f"…{made[2] or made[4]}") if made else (name, "")


def _flag(pod: PodView, words: Language) -> str:
    """What is unusual, in a word."""
    if pod.terminating:
        return say(words, "map.terminating")
    if not pod.answers:
        return say(words, "map.silent")
    if not pod.ready:
        return say(words, "map.notReady")
    if pod.listening == []:
        return say(words, "map.deaf")
    return say(words, "map.hostNetwork") if pod.host_network else ""


def _outside(parent: Element, layout: Layout, play: Play) -> None:
    box = layout.outside
    it = group(parent, "outside")
    frame(it, box, 6, "beyond")
    draw(it, "text", "small", say(play.language, "map.outside"), x=box.x + 12, y=box.y + 18)
    if not layout.hosts:
        draw(it, "path", "link", d=line([Point(box.middle, box.bottom), Point(box.middle, layout.router.y)]))
    for host in layout.hosts.values():
        _host(it, host, layout.router.y, play)


def _host(parent: Element, host: HostPlace, wire_y: float, play: Play) -> None:
    draw(parent, "path", "link", d=line([host.port, Point(host.port.x, wire_y)]))
    told = say(play.language, "map.outsideAt", address=host.address)
    it = group(parent, "host", "sender" if host.address == play.sender else "", told=told)
    frame(it, host.box, 5)
    draw(it, "text", "address", fitted(host.address, 15), x=host.box.x + 7, y=host.box.y + 21)
    square(it, host.port, 3)


def _router(parent: Element, layout: Layout, words: Language) -> None:
    at = layout.router
    it = group(parent, "router")
    draw(it, "circle", cx=at.x, cy=at.y, r=8)
    draw(it, "path", d=f"M{number(at.x - 4)},{number(at.y)}h8m-2.5,-2.5l2.5,2.5l-2.5,2.5")
    draw(it, "text", "small middle", say(words, "map.router"), x=at.x, y=at.y + 21)
    draw(it, "text", "small", say(words, "map.wire"), x=20, y=at.y + 15)


def _more(parent: Element, box: Box, count: int, words: Language) -> None:
    it = group(parent, "more")
    frame(it, box, 6, "")
    draw(
        it,
        "text",
        "small middle",
        say(words, "map.more", count=f"{count:,}"),
        x=box.middle,
        y=box.y + box.height / 2 + 4,
    )


# ---- Services -------------------------------------------------------------------------------------------------


def service_address(service: ServiceView, words: Language) -> str:
    """Its first address and port, `+1` for another port; "" where it has neither address nor a word for that."""
    address = service.cluster_ips[0] if service.cluster_ips else ""
    if address in ("", "None"):
        return say(words, "map.headless") if service.type == "ClusterIP" else ""
    if not service.ports:
        return address
    more = len({one.port for one in service.ports}) - 1
    return with_port(address, service.ports[0].port) + (f" +{more}" if more else "")


def _service(parent: Element, service: ServiceView, box: Box, play: Play) -> None:
    shown = service_address(service, play.language)
    node_port = service.ports[0].node_port if service.ports else 0
    kind = "" if service.type in ("", "ClusterIP") else f"NodePort {node_port}" if node_port else service.type
    told = f"Service {service.namespace}/{service.name}, {shown or service.type}"
    it = group(parent, "service", "addressed" if service.key == play.service else "", told=told)
    frame(it, box, 22)
    name = fitted(f"{service.namespace}/{service.name}", 23)
    draw(it, "text", "name middle", name, x=box.middle, y=box.y + 18)
    address = draw(it, "text", "address middle", fitted(shown, 22), x=box.middle, y=box.y + 34)
    if kind:
        draw(address, "tspan", "kind", fitted(kind, 15), dx=7 if shown else 0)


def addresses_of(service: ServiceView) -> int:
    """A Pod stands behind a Service once, however many ports it has."""
    return len({one.address for one in service.endpoints})


def _tied(layout: Layout, play: Play) -> Iterator[tuple[str, EndpointView]]:
    """Each Service's key with each Pod that it leads to, once."""
    count = 0
    for key, (service, _) in layout.services.items():
        seen: set[str] = set()
        for endpoint in service.endpoints:
            if endpoint.place in seen or endpoint.place not in layout.pods:
                continue
            seen.add(endpoint.place)
            count += 1
            if count <= MOST_TIES or key == play.service:
                yield key, endpoint


def _tie(parent: Element, layout: Layout, key: str, endpoint: EndpointView, play: Play) -> None:
    """From under the Service to the Pod: onto its top, or down the gap beside it where other Pods stand above it."""
    box, pod = layout.services[key][1], layout.pods[endpoint.place]
    mine = key == play.service
    state = "chosen" if mine and endpoint.place == play.endpoint else ""
    if not mine and (play.service or sum(addresses_of(one) for one, _ in layout.services.values()) > MANY_TIES):
        state = "faint"
    it = group(parent, "tie", state, "" if endpoint.ready else "unready")
    end = Point(pod.box.middle, pod.box.y) if pod.top else Point(pod.box.x, pod.box.y + 14)
    to = end if pod.top else Point(pod.box.x - 6, layout.nodes[pod.pod.node].box.y + 6)
    start, middle = Point(box.middle, box.bottom), (box.bottom + to.y) / 2
    bends = line([start, Point(start.x, middle), Point(to.x, middle), to]).split("L")
    curve = f"{bends[0]}C{' '.join(bends[1:])}"
    draw(it, "path", d=curve if pod.top else f"{curve}V{number(end.y)}H{number(end.x)}")
    draw(it, "circle", cx=end.x, cy=end.y, r=2.5)
