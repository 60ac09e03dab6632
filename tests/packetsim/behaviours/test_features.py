"""Every feature has rows that hold because of it: taken away, some row fails in just the modes that read it.

What stands with KERNEL changes nothing in userspace mode, where the rows say why.
"""

# ruff: noqa: E501 - a row of the table is one line

from __future__ import annotations

import random
from typing import NamedTuple

import pytest

from packetsim import MODES, RolledDice, Simulation
from packetsim.check import Check
from packetsim.cluster import Source, load
from packetsim.parts import render_all
from tests.packetsim.behaviours.test_behaviours import HERE, files_of

ALL = frozenset(MODES)
KERNEL = ALL - {"userspace"}  # userspace mode of 1.25 does not read it


class Feature(NamedTuple):
    name: str
    file: str
    setting: str
    instead: str
    modes: frozenset[str]


FEATURES = [
    # IPv4
    Feature("ClusterIP", "cluster_ip.yaml", "clusterIP: 10.96.100.10", "clusterIP: 10.96.100.99", ALL),
    Feature("named targetPort", "cluster_ip.yaml", "targetPort: http", "targetPort: 9", ALL),
    Feature("NodePort", "node_port.yaml", "nodePort: 30080", "nodePort: 30099", ALL),
    Feature("load balancer ingress", "load_balancer.yaml", "ingress: [{ip: 203.0.113.50}]", "ingress: []", ALL),
    Feature("ipMode", "load_balancer.yaml", ", ipMode: Proxy", "", KERNEL),
    Feature("source ranges", "load_balancer.yaml", "loadBalancerSourceRanges: [198.51.100.0/24], ", "", KERNEL),
    Feature("health check", "load_balancer.yaml", "healthCheckNodePort: 31999", "healthCheckNodePort: 31998", KERNEL),
    Feature("no node ports", "load_balancer.yaml", "allocateLoadBalancerNodePorts: false, ", "", ALL),
    Feature("external IPs", "load_balancer.yaml", "externalIPs: [192.0.2.9], ", "", ALL),
    Feature("several ports", "protocols.yaml", "  - {name: http, port: 53, targetPort: http}\n", "", ALL),
    Feature("UDP", "protocols.yaml", "protocol: UDP, targetPort: dns", "protocol: UDP, targetPort: 9", ALL),
    Feature("SCTP", "protocols.yaml", "targetPort: sip", "targetPort: 9", KERNEL),
    Feature("affinity", "affinity.yaml", "ClientIP, clusterIP", "None, clusterIP", ALL),
    Feature("affinity's timeout", "affinity.yaml", "timeoutSeconds: 100", "timeoutSeconds: 2000", KERNEL),
    Feature("affinity among local ones", "affinity.yaml", "ClientIP, externalTrafficPolicy", "None, externalTrafficPolicy", ALL),
    Feature("local ones with affinity", "affinity.yaml", "ClientIP, externalTrafficPolicy: Local", "ClientIP, externalTrafficPolicy: Cluster", KERNEL),
    Feature("internalTrafficPolicy", "policies.yaml", "internalTrafficPolicy: Local, ", "", KERNEL),
    Feature("externalTrafficPolicy", "policies.yaml", "externalTrafficPolicy: Local, ", "", KERNEL),
    Feature("trafficDistribution zone", "terminating.yaml", "trafficDistribution: PreferSameZone, ", "", KERNEL),
    Feature("trafficDistribution node", "terminating.yaml", "trafficDistribution: PreferSameNode, ", "", KERNEL),
    Feature("hints", "terminating.yaml", "forZones: [{name: b}]", "forZones: []", KERNEL),
    Feature("terminating", "terminating.yaml", "ready: false, serving: true", "ready: false, serving: false", KERNEL),
    Feature("not ready", "not_ready.yaml", 'conditions: [{type: Ready, status: "False"}]', "conditions: []", ALL),
    Feature("publishNotReady", "not_ready.yaml", "publishNotReadyAddresses: true, ", "", ALL),
    Feature("no endpoints", "no_endpoints.yaml", "{app: nothing}", "{app: web}", ALL),
    Feature("hairpin", "hairpin.yaml", "{only: a}", "{only: b}", ALL),
    Feature("masqueradeAll", "masquerade_all.yaml", "masqueradeAll: true", "masqueradeAll: false", KERNEL),
    Feature("localhost NodePorts", "localhost_node_ports.yaml", "localhostNodePorts: false", "localhostNodePorts: true", frozenset({"iptables"})),
    Feature("nodePortAddresses", "node_port_addresses.yaml", "nodePortAddresses: [10.244.0.0/16]\n", "", KERNEL),
    Feature("dual stack", "dual_stack.yaml", ', "fd00:10:96::10"]', ', "fd00:10:96::99"]', KERNEL),
    # IPv6
    Feature("IPv6 ClusterIP", "ipv6_addresses.yaml", 'clusterIP: "fd00:10:96::10"', 'clusterIP: "fd00:10:96::99"', ALL),
    Feature("IPv6 UDP", "ipv6_addresses.yaml", "protocol: UDP, targetPort: dns", "protocol: UDP, targetPort: 9", ALL),
    Feature("IPv6 SCTP", "ipv6_addresses.yaml", "targetPort: sip", "targetPort: 9", KERNEL),
    Feature("IPv6 NodePort", "ipv6_addresses.yaml", "nodePort: 30080", "nodePort: 30099", ALL),
    Feature("IPv6 external IPs", "ipv6_addresses.yaml", 'externalIPs: ["2001:db8:9::9"], ', "", ALL),
    Feature("IPv6 load balancer ingress", "ipv6_addresses.yaml", 'ingress: [{ip: "2001:db8:50::50"}]', "ingress: []", ALL),
    Feature("IPv6 ipMode", "ipv6_addresses.yaml", ", ipMode: Proxy", "", KERNEL),
    Feature("IPv6 source ranges", "ipv6_addresses.yaml", 'loadBalancerSourceRanges: ["2001:db8:1::/64"], ', "", KERNEL),
    Feature("IPv6 no node ports", "ipv6_addresses.yaml", "allocateLoadBalancerNodePorts: false, ", "", ALL),
    Feature("IPv6 hairpin", "ipv6_addresses.yaml", "{only: a}", "{only: b}", ALL),
    Feature("IPv6 health check", "ipv6_endpoints.yaml", "healthCheckNodePort: 31999", "healthCheckNodePort: 31998", KERNEL),
    Feature("IPv6 externalTrafficPolicy", "ipv6_endpoints.yaml", "externalTrafficPolicy: Local, healthCheckNodePort: 31999, ", "", KERNEL),
    Feature("IPv6 internalTrafficPolicy", "ipv6_endpoints.yaml", "internalTrafficPolicy: Local, ", "", KERNEL),
    Feature("IPv6 no endpoints", "ipv6_endpoints.yaml", "{app: nothing}", "{app: web}", ALL),
    Feature("IPv6 hints", "ipv6_endpoints.yaml", "trafficDistribution: PreferSameZone, ", "", KERNEL),
    Feature("IPv6 not ready", "ipv6_endpoints.yaml", 'conditions: [{type: Ready, status: "False"}]', "conditions: []", ALL),
    Feature("IPv6 publishNotReady", "ipv6_endpoints.yaml", "publishNotReadyAddresses: true, ", "", ALL),
    Feature("IPv6 terminating", "ipv6_endpoints.yaml", "ready: false, serving: true", "ready: false, serving: false", KERNEL),
    Feature("IPv6 affinity", "ipv6_endpoints.yaml", "sessionAffinity: ClientIP, ", "", ALL),
]  # fmt: skip


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_rows_hold_because_of_the_feature(feature: Feature) -> None:
    texts = {name: (HERE / name).read_text() for name in files_of(feature.file)}
    assert feature.setting in texts[feature.file]
    texts[feature.file] = texts[feature.file].replace(feature.setting, feature.instead)
    check = Check(load(Source(*file) for file in texts.items()), RolledDice(random.Random(0).randrange))
    assert {result.mode for result in check if not result.passed} == feature.modes


# ---- where the feature is that nothing is written -------------------------------------------------

HEADLESS = "clusterIP: None"
ALIAS = "type: ExternalName, externalName: db.example.com"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("base", ["base.yaml", "base6.yaml"])
def test_no_proxy_writes_anything_for_headless_services_and_aliases(mode: str, base: str) -> None:
    def rules(*specs: str) -> str:
        named = "apiVersion: v1\nkind: Service\nmetadata: {name: quiet, namespace: shop}\nspec: "
        texts = [(HERE / base).read_text(), *(f"{named}{{{spec}}}\n" for spec in specs)]
        manifests = load(Source(str(place), text) for place, text in enumerate(texts))
        return render_all(Simulation(manifests.cluster, mode, RolledDice(random.Random(0).randrange)).config("node1"))

    ports = "selector: {app: web}, ports: [{port: 80, targetPort: 8080}]"
    assert rules(f"{HEADLESS}, {ports}") == rules(ALIAS) == rules()
    assert rules(ports) != rules()
