"""Is a second connection sticky without affinity? That is the IPVS scheduler's to say; a row has one scheduler.

Those that hash the client's or the Service's address always are, those that count or take turns are
not; kube-proxy has mh hash the port as well (pkg/proxy/ipvs/proxier.go). With ClientIP affinity every
one is: the persistence template comes before the scheduler.
"""

from __future__ import annotations

import random

import pytest

from packetsim import Manifests, RolledDice, Simulation, flow_from
from packetsim.check import Check
from packetsim.cluster import Source, load
from packetsim.outcomes import twice
from tests.packetsim.behaviours.test_behaviours import HERE

OBJECTS = """
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clusterCIDR: 10.244.0.0/16
ipvs: {scheduler: SCHEDULER}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {sessionAffinity: AFFINITY, clusterIP: 10.96.100.10, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: packetwalk.dev/v1
kind: FlowTest
metadata: {name: t}
spec:
  mode: ipvs
  flows:
  - {name: at once, from: shop/client, to: shop/web, expect: {outcome: delivered, sticky: true}}
"""


@pytest.mark.parametrize(
    ("scheduler", "sticky"),
    [
        ("rr", False),
        ("wrr", False),
        ("lc", False),
        ("wlc", False),
        ("sed", False),
        ("nq", False),
        ("mh", False),
        ("sh", True),
        ("dh", True),
    ],
)
def test_stickiness_of_a_scheduler(scheduler: str, sticky: bool) -> None:
    assert is_sticky(scheduler, "None") is sticky
    assert is_sticky(scheduler, "ClientIP")


@pytest.mark.parametrize("scheduler", ["rr", "mh"])
def test_a_second_connection_has_a_port_of_its_own(scheduler: str) -> None:
    """Else it would be taken for the first, which is still open."""
    cluster = objects(scheduler, "None").cluster
    simulation = Simulation(cluster, "ipvs", RolledDice(random.Random(0).randrange))
    pairs = list(twice(simulation, flow_from(cluster, "shop/client", "shop/web"), 0))
    assert {first.endpoint for first, _ in pairs} == {"10.244.1.5:8080", "10.244.2.7:8080"}
    assert all(first.flow.source_port != second.flow.source_port for first, second in pairs)


def is_sticky(scheduler: str, affinity: str) -> bool | None:
    (result,) = Check(objects(scheduler, affinity), RolledDice(random.Random(0).randrange))
    return result.actual.sticky


def objects(scheduler: str, affinity: str) -> Manifests:
    text = OBJECTS.replace("SCHEDULER", scheduler).replace("AFFINITY", affinity)
    return load([Source("base.yaml", (HERE / "base.yaml").read_text()), Source("t.yaml", text)])
