"""Rule: the picture of the shop, and where the map puts things, as files that both sides' tests hold to.

`python -m tests.visualizer.map_samples` writes them anew; look at the picture then.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from tests.visualizer.labs import CLIENT, shop
from visualizer.clusters import cluster_view
from visualizer.map_layout import Box, Layout, layout_of
from visualizer.map_road import Document, hosts_of, places_of, road_of
from visualizer.map_svg import map_svg
from visualizer.schemas import ClusterView, Command, EndpointView, NodeView, PodView, PortView, Send, ServiceView
from visualizer.sessions import Session

STATIC = Path(__file__).parents[2] / "static"
PICTURE = Path(__file__).parent / "shop_map.svg"
PLACES = STATIC / "test" / "map.json"
WALKS = ("clusterip-iptables", "clusterip-ipvs", "nodeport-iptables", "unanswered")
CROWD = (7, 14, 50)  # nodes, Pods on each, Services


def picture() -> str:
    """The shop, with a walk."""
    session = shop("iptables")
    document = walked(session, Send(source=CLIENT, target="shop/web:80"))
    return map_svg(view(session), "Shop", "iptables", document, 1)


def view(session: Session) -> ClusterView:
    return cluster_view(session.manifests.cluster, session.state.documents)


def walked(session: Session, command: Command) -> Document:
    found: Document = json.loads(zlib.decompress(session.handle(command).traces[0].document))
    return found


def read(name: str) -> Any:
    return json.loads((STATIC / "test" / "traces" / f"{name}.json").read_text())


def places() -> dict[str, Any]:
    """As static/test/scene.test.ts works it out, too."""
    cluster = ClusterView.model_validate(read("shop-cluster"))
    found: dict[str, Any] = {"shop": boxes(layout_of(cluster)), "crowd": boxes(layout_of(crowd(*CROWD)))}
    for name in WALKS:
        trace = read(name)
        layout = layout_of(cluster, hosts_of(trace), frozenset(places_of(trace)))
        found[name] = [[round(at.x, 2), round(at.y, 2)] for at in road_of(layout, trace).ways[0]]
    return found


def boxes(layout: Layout) -> dict[str, list[float]]:
    every: dict[str, Box] = {"bounds": layout.bounds, "outside": layout.outside}
    every |= {f"node {name}": place.box for name, place in layout.nodes.items()}
    every |= {f"pod {name}": place.box for name, place in layout.pods.items()}
    every |= {f"service {key}": box for key, (_, box) in layout.services.items()}
    every |= {f"more {name}": place.more for name, place in layout.nodes.items() if place.more}
    every |= {"more": layout.more_services} if layout.more_services else {}
    return {name: [round(one, 2) for one in (box.x, box.y, box.width, box.height)] for name, box in every.items()}


# ---- clusters of any size -----------------------------------------------------------------------------------------


def crowd(nodes: int, pods: int, services: int) -> ClusterView:
    names = [f"n{number}" for number in range(nodes)]
    every = [pod(f"shop/{node}-{number}", node) for node in names for number in range(pods)]
    return ClusterView(
        nodes=[NodeView(name=name, addresses=[], pod_cidrs=[], zone="", ready=True) for name in names],
        pods=every,
        services=[service(f"s{number}", [every[number % len(every)]] if every else []) for number in range(services)],
    )


def pod(place: str, node: str, address: str = "") -> PodView:
    return PodView(
        place=place,
        node=node,
        addresses=[address] if address else [],
        labels={},
        ready=True,
        terminating=False,
        answers=True,
        host_network=False,
        listening=None,
        owner=f"Pod {place}",
    )


def service(name: str, pods: list[PodView]) -> ServiceView:
    return ServiceView(
        key=f"Service shop/{name}",
        namespace="shop",
        name=name,
        type="ClusterIP",
        cluster_ips=["10.96.0.1"],
        external_ips=[],
        ingress=[],
        selector={},
        ports=[PortView(name="", protocol="TCP", port=80, target_port="8080", node_port=0)],
        endpoints=[
            EndpointView(
                address=one.addresses[0] if one.addresses else "10.244.0.1",
                port=8080,
                port_name="",
                place=one.place,
                node=one.node,
                ready=one.ready,
                serving=True,
                terminating=one.terminating,
            )
            for one in pods
        ],
    )


if __name__ == "__main__":
    PICTURE.write_text(picture())
    PLACES.write_text(json.dumps(places(), separators=(",", ":")) + "\n")
