"""Rule: where things stand on the map. What grows, grows upward; who has which place is decided in map_slots.py.

The wire of the first row of nodes is y = 0; its nodes stand above it, the Services float above them. The page
does the same in static/src/layout.ts; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from visualizer.map_slots import (
    NODE_COLUMNS,
    NODE_GAP,
    NODE_PAD,
    NODE_WIDTH,
    POD_GAP,
    POD_HEIGHT,
    POD_ROOM,
    POD_WIDTH,
    SERVICE_ABOVE,
    SERVICE_GAP,
    SERVICE_HEIGHT,
    SERVICE_MOST_ROWS,
    SERVICE_WIDTH,
    Slots,
    pod_x,
    service_columns,
    slots_of,
)
from visualizer.schemas import ClusterView, NodeView, PodView, ServiceView

HOST_WIDTH, HOST_HEIGHT, HOST_GAP, HOST_MOST = 112, 34, 8, 4
WIRE, KERNEL_BOTTOM, CHANNEL, RAIL, KERNEL_TOP, PROCESS, BRIDGE, PODS = 34, 31, 40, 67, 95, 108, 155, 176
PROCESS_WIDTH, PROCESS_HEIGHT = 124, 22
STATIONS = ("prerouting", "routing", "input", "forward", "output", "postrouting")
Thing = TypeVar("Thing")


class Point(NamedTuple):
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True, slots=True)
class NodePlace:
    """`port`: its eth0. `hidden`: how many Pods have no place; `more`: where that is said."""

    node: NodeView
    box: Box
    port: Point
    wire_y: float
    channel_y: float
    rail_y: float
    bridge_y: float
    process: Box
    stations: dict[str, Point]
    hidden: int
    more: Box | None


@dataclass(frozen=True, slots=True)
class PodPlace:
    """`veth`: from its port down to the bridge. `top`: nothing stands above it."""

    pod: PodView
    box: Box
    port: Point
    veth: list[Point]
    top: bool


@dataclass(frozen=True, slots=True)
class HostPlace:
    address: str
    box: Box
    port: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """`homeless`: Pods of no node on the map. Only so many outside hosts as have room are placed."""

    bounds: Box
    nodes: dict[str, NodePlace]
    pods: dict[str, PodPlace]
    services: dict[str, tuple[ServiceView, Box]]
    hosts: dict[str, HostPlace]
    hidden_services: int
    more_services: Box | None
    homeless: int
    outside: Box
    router: Point
    wires: list[tuple[Point, Point]]


def layout_of(cluster: ClusterView, hosts: Iterable[str] = (), focus: frozenset[str] = frozenset()) -> Layout:
    """Lays a cluster out. `focus`: places and Service keys that must be seen, even where there is no room for all."""
    slots = slots_of(cluster)
    rows = _rows(slots)
    right = slots.columns * (NODE_WIDTH + NODE_GAP) - NODE_GAP
    on: dict[str, list[PodView]] = {name: [] for name in slots.nodes}
    for pod in cluster.pods:
        if pod.node in on:
            on[pod.node].append(pod)
    nodes: dict[str, NodePlace] = {}
    pods: dict[str, PodPlace] = {}
    for node in cluster.nodes:
        shown = _shown(on[node.name], POD_ROOM, lambda pod: slots.pods[pod.place], lambda pod: pod.place in focus)
        place = _node_place(node, slots, rows, len(on[node.name]) - len(shown))
        nodes[node.name] = place
        for cell, pod in shown.items():
            top = not any(other > cell and (other - cell) % NODE_COLUMNS == 0 for other in shown)
            pods[pod.place] = _pod_place(pod, cell, place, top)
    top_y = -WIRE - PODS - slots.pod_rows[0] * (POD_HEIGHT + POD_GAP) - 6
    services, more = _services(cluster, slots, top_y - SERVICE_ABOVE, max(right, NODE_WIDTH), focus)
    placed = list(dict.fromkeys(hosts))[:HOST_MOST]
    outside = _outside(right, len(placed))
    router = Point(outside.x - 24, 0)
    last_wire = rows[-1]
    upper = min(top_y, outside.y, *(box.y for _, box in services.values()), *([more.y] if more else []))
    return Layout(
        bounds=Box(-8, upper - 10, outside.x + outside.width + 16, last_wire - upper + 40),
        nodes=nodes,
        pods=pods,
        services=services,
        hosts={address: _host_place(address, slot, outside) for slot, address in enumerate(placed)},
        hidden_services=len(cluster.services) - len(services),
        more_services=more,
        homeless=len(cluster.pods) - sum(map(len, on.values())),
        outside=outside,
        router=router,
        wires=[
            *((Point(20, wire_y), Point(router.x, wire_y)) for wire_y in rows),
            (router, Point(outside.right - 20, 0)),
            *([(router, Point(router.x, last_wire))] if last_wire > 0 else []),
        ],
    )


def _rows(slots: Slots) -> list[float]:
    """The wire's y under each row of nodes."""
    found: list[float] = [0]
    for pod_rows in slots.pod_rows[1:]:
        found.append(found[-1] + WIRE + PODS + pod_rows * (POD_HEIGHT + POD_GAP) + 6 + NODE_GAP)
    return found


def _shown(
    things: Sequence[Thing], room: int, slot_of: Callable[[Thing], int], in_focus: Callable[[Thing], bool]
) -> dict[int, Thing]:
    """What stands in which cell: those in focus before those whose slot is too high."""
    slotted = [(slot_of(one), one) for one in things]
    cells = room if all(slot < room for slot, _ in slotted) else room - 1  # the last says how many more there are
    shown = {slot: one for slot, one in slotted if slot < cells}
    cell = cells - 1
    for slot, one in slotted:
        if slot < cells or not in_focus(one):
            continue
        while cell >= 0 and cell in shown and in_focus(shown[cell]):
            cell -= 1
        if cell >= 0:
            shown[cell] = one
            cell -= 1
    return shown


# ---- where each place is --------------------------------------------------------------------------------------


def _node_place(node: NodeView, slots: Slots, rows: list[float], hidden: int) -> NodePlace:
    row, column = divmod(slots.nodes[node.name], slots.columns)
    x, bottom = column * (NODE_WIDTH + NODE_GAP), rows[row] - WIRE
    height = PODS + slots.pod_rows[row] * (POD_HEIGHT + POD_GAP) + 6
    inner = NODE_WIDTH - 2 * NODE_PAD - 24
    stations = {
        station: Point(x + NODE_PAD + 12 + inner * (number + 0.5) / len(STATIONS), bottom - RAIL)
        for number, station in enumerate(STATIONS)
    }
    centre = (stations["input"].x + stations["output"].x) / 2
    return NodePlace(
        node=node,
        box=Box(x, bottom - height, NODE_WIDTH, height),
        port=Point(stations["postrouting"].x - 34, bottom),
        wire_y=rows[row],
        channel_y=bottom - CHANNEL,
        rail_y=bottom - RAIL,
        bridge_y=bottom - BRIDGE,
        process=Box(centre - PROCESS_WIDTH / 2, bottom - PROCESS - PROCESS_HEIGHT, PROCESS_WIDTH, PROCESS_HEIGHT),
        stations=stations,
        hidden=hidden,
        more=_pod_box(POD_ROOM - 1, x, bottom) if hidden else None,
    )


def _pod_box(cell: int, node_x: float, bottom: float) -> Box:
    row = cell // NODE_COLUMNS
    y = bottom - PODS - (row + 1) * (POD_HEIGHT + POD_GAP) + POD_GAP
    return Box(node_x + pod_x(cell), y, POD_WIDTH, POD_HEIGHT)


def _pod_place(pod: PodView, cell: int, node: NodePlace, top: bool) -> PodPlace:
    box = _pod_box(cell, node.box.x, node.box.bottom)
    port = Point(box.middle, box.bottom)
    if cell < NODE_COLUMNS:
        return PodPlace(pod, box, port, [port, Point(port.x, node.bridge_y)], top)
    turn, gutter = port.y + POD_GAP / 2, box.right + POD_GAP / 2
    return PodPlace(pod, box, port, [port, Point(port.x, turn), Point(gutter, turn), Point(gutter, node.bridge_y)], top)


def _services(
    cluster: ClusterView, slots: Slots, bottom: float, width: float, focus: frozenset[str]
) -> tuple[dict[str, tuple[ServiceView, Box]], Box | None]:
    across = service_columns(width)
    room = across * SERVICE_MOST_ROWS
    spread = (width - across * SERVICE_WIDTH) / across

    def at(slot: int) -> Box:
        row, column = divmod(slot, across)
        y = bottom - SERVICE_HEIGHT - row * (SERVICE_HEIGHT + SERVICE_GAP)
        return Box(spread / 2 + column * (SERVICE_WIDTH + spread), y, SERVICE_WIDTH, SERVICE_HEIGHT)

    shown = _shown(cluster.services, room, lambda one: slots.services[one.key], lambda one: one.key in focus)
    places = {service.key: (service, at(slot)) for slot, service in shown.items()}
    return places, at(room - 1) if len(places) < len(cluster.services) else None


def _outside(right: float, hosts: int) -> Box:
    height = 28 + max(1, hosts) * (HOST_HEIGHT + HOST_GAP) + 4
    return Box(max(right, 0) + 48, -WIRE - height, HOST_WIDTH + 20, height)


def _host_place(address: str, slot: int, outside: Box) -> HostPlace:
    y = outside.bottom - 10 - (slot + 1) * (HOST_HEIGHT + HOST_GAP) + HOST_GAP
    box = Box(outside.x + 10, y, HOST_WIDTH, HOST_HEIGHT)
    return HostPlace(address, box, Point(box.right - 12, box.bottom))
