"""Rule: who has which place on the map is decided here, as the page decides it for a map it has not drawn before.

Sizes and arrangement are those of static/src/measures.ts and slots.ts; tests hold them to that.
"""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.schemas import ClusterView, ServiceView

POD_WIDTH, POD_HEIGHT, POD_GAP = 100, 54, 10
NODE_COLUMNS, NODE_PAD, NODE_GAP, NODE_MOST_ROWS = 3, 15, 22, 4
NODE_WIDTH = NODE_COLUMNS * POD_WIDTH + (NODE_COLUMNS - 1) * POD_GAP + 2 * NODE_PAD
SERVICE_WIDTH, SERVICE_HEIGHT, SERVICE_GAP, SERVICE_ABOVE, SERVICE_MOST_ROWS = 222, 44, 14, 52, 2
POD_ROOM = NODE_COLUMNS * NODE_MOST_ROWS


@dataclass(frozen=True, slots=True)
class Slots:
    """`nodes`, `pods` and `services`: the slot of each. `pod_rows`: how many each row of nodes has."""

    columns: int
    nodes: dict[str, int]
    pods: dict[str, int]
    services: dict[str, int]
    pod_rows: list[int]


def slots_of(cluster: ClusterView) -> Slots:
    columns = _columns_for(len(cluster.nodes))
    nodes = {node.name: slot for slot, node in enumerate(cluster.nodes)}
    counts = dict.fromkeys(nodes, 0)
    pods: dict[str, int] = {}
    at: dict[str, float] = {}  # the middle of each Pod
    for pod in cluster.pods:
        if pod.node not in nodes:
            continue
        slot = counts[pod.node]
        counts[pod.node] += 1
        pods[pod.place] = slot
        at[pod.place] = (nodes[pod.node] % columns) * (NODE_WIDTH + NODE_GAP) + pod_x(slot) + POD_WIDTH / 2
    rows = [1] * max(1, -(-len(nodes) // columns))
    for name, count in counts.items():
        row = nodes[name] // columns
        rows[row] = max(rows[row], min(NODE_MOST_ROWS, -(-count // NODE_COLUMNS)))
    width = columns * (NODE_WIDTH + NODE_GAP) - NODE_GAP
    return Slots(columns, nodes, pods, _services(cluster, at, service_columns(width)), rows)


def pod_x(cell: int) -> int:
    return NODE_PAD + (cell % NODE_COLUMNS) * (POD_WIDTH + POD_GAP)


def service_columns(width: float) -> int:
    return max(1, int((width + SERVICE_GAP) // (SERVICE_WIDTH + SERVICE_GAP)))


def _columns_for(nodes: int) -> int:
    """How many nodes stand in a row."""
    if nodes <= 2:
        return max(1, nodes)
    if nodes <= 6:
        return 3
    return 6 if nodes <= 24 else 10


def _services(cluster: ClusterView, at: dict[str, float], across: int) -> dict[str, int]:
    """A Service takes the free slot that is nearest above its endpoints, in the first row that has one."""
    slots: dict[str, int] = {}
    row, free = 0, list(range(across))
    for service in cluster.services:
        if not free:
            row, free = row + 1, list(range(across))
        wanted = _middle(service, at) / (SERVICE_WIDTH + SERVICE_GAP)
        nearest = min(free, key=lambda column: abs(column + 0.5 - wanted))
        free.remove(nearest)
        slots[service.key] = row * across + nearest
    return slots


def _middle(service: ServiceView, at: dict[str, float]) -> float:
    xs = [at[one.place] for one in service.endpoints if one.place in at]
    return sum(xs) / len(xs) if xs else 0.0
