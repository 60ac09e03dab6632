"""Rule: a test writes manifests as anyone would, and asks for one thing of what comes out."""

from __future__ import annotations

from textwrap import dedent

import pytest

from packetsim.cluster import Manifests, Source, load
from packetsim.cluster.model import Cluster
from packetsim.errors import ManifestError, Problem

NODES = """
apiVersion: v1
kind: Node
metadata: {name: node1, labels: {topology.kubernetes.io/zone: a}}
spec: {podCIDR: 10.244.1.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.10.11}]}
---
apiVersion: v1
kind: Node
metadata: {name: node2, labels: {topology.kubernetes.io/zone: b}}
spec: {podCIDR: 10.244.2.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.10.12}]}
"""


def manifests(*texts: str) -> Manifests:
    return load([Source(f"f{number}.yaml", dedent(text)) for number, text in enumerate(texts, 1)])


def cluster(*texts: str) -> Cluster:
    return manifests(*texts).cluster


def problems(*texts: str) -> tuple[Problem, ...]:
    with pytest.raises(ManifestError) as caught:
        manifests(*texts)
    return caught.value.problems


def service(spec: str, name: str = "web", annotations: str = "{}", selector: str = "{app: web}") -> str:
    """A Service with one port, plus what `spec` says (flow style, without braces)."""
    ports = "" if "ports:" in spec else "ports: [{port: 80}], "
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop, annotations: {annotations}}}
spec: {{{ports}selector: {selector}{", " if spec else ""}{spec}}}
"""


def pod(name: str, spec: str = "nodeName: node1", status: str = "", meta: str = "") -> str:
    return f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: web}}{", " if meta else ""}{meta}}}
spec: {{{spec}}}
status: {{{status}}}
"""


def deployment(replicas: int, kind: str = "Deployment", spec: str = "", more: str = "") -> str:
    return f"""
apiVersion: apps/v1
kind: {kind}
metadata: {{name: web, namespace: shop}}
spec:
  replicas: {replicas}
  {more}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{{spec}}}
"""


def documents(*texts: str) -> str:
    return "---\n".join(texts)
