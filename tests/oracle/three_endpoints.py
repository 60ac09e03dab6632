"""One Service with three endpoints on two nodes, and clients of every kind that come by node1."""

from __future__ import annotations

from packetsim import Flow, Source, load
from packetsim.cluster.model import Cluster
from packetsim.oracle.probing import source_port

SERVICE = "10.96.100.10"
ENDPOINTS = ("10.244.1.5:8080", "10.244.2.7:8080", "10.244.2.8:8080")
SENDERS = (("shop/client", "10.244.1.9"), ("node1", "192.168.10.11"), ("198.51.100.7", "198.51.100.7"))

_TEXT = """
{apiVersion: v1, kind: Node, metadata: {name: node1}, spec: {podCIDR: 10.244.1.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.10.11}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: node2}, spec: {podCIDR: 10.244.2.0/24}, status: {addresses: [{type: InternalIP, address: 192.168.10.12}]}}
---
{apiVersion: kubeproxy.config.k8s.io/v1alpha1, kind: KubeProxyConfiguration, clusterCIDR: 10.244.0.0/16, ipvs: {scheduler: SCHEDULER}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {sessionAffinity: AFFINITY, clusterIP: 10.96.100.10, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: shop}, spec: {nodeName: node1, containers: [{name: c, ports: [{containerPort: 7}]}]}, status: {podIP: 10.244.1.9}}
"""  # noqa: E501


def three_endpoints(scheduler: str = "rr", sticky: bool = False) -> Cluster:
    return load([Source("three endpoints", manifests(scheduler, sticky))]).cluster


def manifests(scheduler: str = "rr", sticky: bool = False) -> str:
    text = _TEXT.replace("SCHEDULER", scheduler).replace("AFFINITY", "ClientIP" if sticky else "None")
    return "---".join([text, *map(_pod, ENDPOINTS)])


def _pod(endpoint: str) -> str:
    address = endpoint.partition(":")[0]
    _, _, node, number = address.split(".")
    metadata = f"{{name: web-{number}, namespace: shop, labels: {{app: web}}}}"
    spec = f"{{nodeName: node{node}, containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}"
    return f"\n{{apiVersion: v1, kind: Pod, metadata: {metadata}, spec: {spec}, status: {{podIP: {address}}}}}\n"


def sequence(count: int) -> tuple[Flow, ...]:
    """Connections one after another; each client has more than one."""
    found = []
    for position in range(count):
        place, source = SENDERS[position // 2 % len(SENDERS)]
        via = "node1" if place == source else None
        found.append(Flow(place, source, SERVICE, 80, "tcp", source_port(position), via))
    return tuple(found)
