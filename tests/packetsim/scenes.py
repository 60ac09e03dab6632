"""Clusters for tests, written as a person would write them."""

from __future__ import annotations

import random
from pathlib import Path

from packetsim import Cluster, RolledDice, Simulation, Source, Trace, flow_from, load

BEHAVIOURS = Path(__file__).parent / "behaviours"


def cluster_with(*documents: str) -> Cluster:
    """The two nodes and four Pods of behaviours/base.yaml, and what is given."""
    texts = [(BEHAVIOURS / "base.yaml").read_text(), *documents]
    return load(Source(f"part{number}.yaml", text) for number, text in enumerate(texts)).cluster


def service(
    name: str = "web", selector: str = "{app: web}", ip: str = "10.96.100.10", extra: str = "", port: str = ""
) -> str:
    port = port or "{name: http, port: 80, targetPort: 8080}"
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n"
        f"spec: {{clusterIP: {ip}, selector: {selector}, ports: [{port}]{extra}}}\n"
    )


def simulation(cluster: Cluster, mode: str, seed: int = 1) -> Simulation:
    return Simulation(cluster, mode, RolledDice(random.Random(seed).randrange))


def send(sim: Simulation, source: str, target: str, protocol: str | None = None, via: str | None = None) -> Trace:
    return sim.send(flow_from(sim.cluster, source, target, protocol, via))
