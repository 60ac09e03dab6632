"""Whatever the cluster and the flow: one disposition, probabilities that sum to 1, and no crash."""

from __future__ import annotations

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packetsim import MODES, Cluster, Disposition, FlowError, RolledDice, Simulation, Source, flow_from, load, outcomes
from tests.packetsim.scenes import BEHAVIOURS

PORTS = (
    "{name: a, port: 80, targetPort: 8080}",
    "{name: b, port: 53, protocol: UDP, targetPort: dns}",
    "{name: c, port: 5060, protocol: SCTP, targetPort: sip}",
    "{name: d, port: 8080, targetPort: http}",
)
TARGETS = (
    "10.96.100.{n}:80",
    "10.96.100.{n}:53",
    "10.96.100.{n}:9",
    "203.0.113.{n}:80",
    "192.0.2.{n}:80",
    "node1:3010{n}",
    "node2:3010{n}",
    "127.0.0.1:3010{n}",
    "10.244.2.1:3010{n}",
    "node1:3020{n}",
    "10.244.1.5:8080",
    "10.96.200.1:80",
    "8.8.8.8:53",
)
NODE_PORT_ADDRESSES = ("[]", "[192.168.10.0/24]", "[127.0.0.0/8, 10.0.0.0/8]", "[primary]")
RANGES = ("198.51.100.0/24", "192.168.10.0/24", "0.0.0.0/0")
SOURCES = ("shop/client", "shop/client2", "shop/web-a", "node1", "node2", "198.51.100.7", "192.168.10.50")


@st.composite
def services(draw: st.DrawFn, number: int) -> str:
    kind = draw(st.sampled_from(["ClusterIP", "NodePort", "LoadBalancer"]))
    ports = draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=3, unique=True))
    external = kind != "ClusterIP"
    if external:
        ports[0] = ports[0].replace("}", f", nodePort: 3010{number}}}")
    local = external and draw(st.booleans())
    lines = [
        f"type: {kind}",
        f"clusterIP: 10.96.100.{number}",
        f"selector: {draw(st.sampled_from(['{app: web}', '{only: a}', '{only: b}', '{app: none}']))}",
        f"ports: [{', '.join(ports)}]",
        f"internalTrafficPolicy: {draw(st.sampled_from(['Cluster', 'Local']))}",
        f"sessionAffinity: {draw(st.sampled_from(['None', 'ClientIP']))}",
        f"publishNotReadyAddresses: {draw(st.sampled_from(['true', 'false']))}",
    ]
    if local:
        lines.append("externalTrafficPolicy: Local")
    if draw(st.booleans()):
        lines.append(f"externalIPs: [192.0.2.{number}]")
    status = ""
    if kind == "LoadBalancer":
        if local:
            lines.append(f"healthCheckNodePort: 3020{number}")
        if draw(st.booleans()):
            lines.append(f"loadBalancerSourceRanges: [{draw(st.sampled_from(RANGES))}]")
        mode = draw(st.sampled_from(["", ", ipMode: VIP", ", ipMode: Proxy"]))
        status = f"status: {{loadBalancer: {{ingress: [{{ip: 203.0.113.{number}{mode}}}]}}}}\n"
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: s{number}, namespace: shop}}\n"
        f"spec: {{{', '.join(lines)}}}\n{status}"
    )


@st.composite
def clusters(draw: st.DrawFn) -> Cluster:
    texts = [(BEHAVIOURS / "base.yaml").read_text()]
    texts += [draw(services(number)) for number in range(1, draw(st.integers(1, 3)) + 1)]
    scheduler = draw(st.sampled_from(["rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq"]))
    every = str(draw(st.booleans())).lower()
    texts.append(
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
        f"clusterCIDR: {draw(st.sampled_from(['10.244.0.0/16', '']))!r}\n"
        f"ipvs: {{scheduler: {scheduler}}}\n"
        f"iptables: {{masqueradeAll: {every}, masqueradeBit: {draw(st.sampled_from([14, 0, 31]))}}}\n"
        f"nodePortAddresses: {draw(st.sampled_from(NODE_PORT_ADDRESSES))}\n"
    )
    return load(Source(f"part{number}", text) for number, text in enumerate(texts)).cluster


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(clusters(), st.data())
def test_every_flow_ends_in_one_way_and_its_chances_sum_to_one(cluster: Cluster, data: st.DataObject) -> None:
    mode = data.draw(st.sampled_from(MODES))
    simulation = Simulation(cluster, mode, RolledDice(random.Random(1).randrange))
    for _ in range(4):
        target = data.draw(st.sampled_from(TARGETS)).format(n=data.draw(st.integers(1, 3)))
        protocol = data.draw(st.sampled_from(["tcp", "udp", "sctp"]))
        via = data.draw(st.sampled_from([None, "node1", "node2"]))
        try:
            flow = flow_from(cluster, data.draw(st.sampled_from(SOURCES)), target, protocol, via)
        except FlowError:
            continue
        ways = outcomes(simulation, flow)
        assert sum(one.probability for one in ways) == 1
        assert sum(one.kernel_probability for one in ways) == 1
        trace = simulation.send(flow)
        assert trace.disposition in Disposition
        assert (trace.disposition, trace.endpoint) in {(one.disposition, one.endpoint) for one in ways}
        assert all(capture.packet.wire for leg in trace.legs for capture in leg.captures)
