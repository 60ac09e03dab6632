"""Rule: one run tells every error of every document, each once, and none that only follows from another."""

# ruff: noqa: E501 - a row of the table is one line

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packetsim.cluster.places import Path, path_text
from tests.packetsim.cluster.loading import problems


@dataclass(frozen=True)
class Row:
    """`fields`: document and field of each complaint, in any order."""

    name: str
    text: str
    fields: str


NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
DEPLOY = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
STATEFUL = DEPLOY.replace("Deployment", "StatefulSet")
ENDPOINTS = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: x}]}]\n"
SLICE = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, labels: {kubernetes.io/service-name: web}}\n"
RANGE = "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\n"
PROXY = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
TEST = "apiVersion: packetwalk.dev/v1\nkind: FlowTest\nmetadata: {name: t}\n"
GOOD_FLOW = "{from: n1, to: 'n1:80', expect: {outcome: refused}}"
PORTS = "ports: [{port: 80}]"
SELECT = "selector: {matchLabels: {a: b}}"
LABELLED = "metadata: {labels: {a: b}}"
OVER = "---\n"

MIXED = [
    Row("Service and FlowTest", TEST + "spec: {mode: bogus, flows: [{from: 1, via: node9, to: 'web:80', expect: {outcome: wrong}}]}\n" + OVER
        + SERVICE.replace("web", "Web_1") + "spec: {type: 5, clusterIP: 300.1.1.1, ports: [{name: a, port: 70000}, {name: b, port: x}]}\n",
        "1 spec.mode, 1 spec.flows[0].from, 1 spec.flows[0].via, 1 spec.flows[0].expect.outcome, 2 metadata.name, 2 spec.type, 2 spec.clusterIP, 2 spec.ports[0].port, 2 spec.ports[1].port"),
    Row("Node", NODE.replace("n1", "N!") + "spec: {podCIDR: 10.0.0.0, unschedulable: 'no', taints: [5]}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.999}, {type: InternalIP, address: 7}, 5]}\n",
        "1 metadata.name, 1 spec.podCIDR, 1 spec.unschedulable, 1 spec.taints[0], 1 status.addresses[0].address, 1 status.addresses[1].address, 1 status.addresses[2]"),
    Row("Pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: [], labels: {a/b/c: d, e: 5}, annotations: {packetwalk.dev/ready: maybe}}\n"
        "spec: {nodeName: 5, hostname: A, hostNetwork: 'yes', containers: [{ports: [{containerPort: x, protocol: ICMP}, {containerPort: 0, name: 5}]}, 5, {ports: [{containerPort: 99999}]}]}\nstatus: {podIP: here, conditions: 5}\n",
        "1 metadata.name, 1 metadata.labels[\"a/b/c\"], 1 metadata.labels.e, 1 metadata.annotations[\"packetwalk.dev/ready\"], 1 spec.nodeName, 1 spec.hostname, 1 spec.hostNetwork, 1 spec.containers[0].ports[0].containerPort, "
        "1 spec.containers[0].ports[0].protocol, 1 spec.containers[0].ports[1].containerPort, 1 spec.containers[0].ports[1].name, 1 spec.containers[1], 1 spec.containers[2].ports[0].containerPort, 1 status.podIP, 1 status.conditions"),
    Row("Deployment", NODE + OVER + DEPLOY + "spec: {replicas: x, selector: {matchExpressions: [{key: a, operator: Is}, {key: a, operator: Has}, {key: a, values: 5}]}, template: {metadata: {labels: {a: 'b c'}}, spec: {nodeName: n2, containers: [{ports: [{containerPort: -1}]}]}}}\n",
        "2 spec.replicas, 2 spec.selector.matchExpressions[0].operator, 2 spec.selector.matchExpressions[1].operator, 2 spec.selector.matchExpressions[2].operator, 2 spec.selector.matchExpressions[2].values, "
        "2 spec.template.metadata.labels.a, 2 spec.template.spec.nodeName, 2 spec.template.spec.containers[0].ports[0].containerPort"),
    Row("StatefulSet", NODE + OVER + STATEFUL + f"spec: {{replicas: -1, ordinals: {{start: -1}}, {SELECT}, template: {{{LABELLED}, spec: {{nodeName: n2, subdomain: 5}}}}}}\n",
        "2 spec.replicas, 2 spec.ordinals.start, 2 spec.template.spec.nodeName, 2 spec.template.spec.subdomain"),
    Row("Deployment of nothing", DEPLOY + "spec: {replicas: 1}\n", "1 spec.template, 1 spec.selector"),
    Row("Service of a wrong type", SERVICE + "spec: {type: Bogus, clusterIP: 10.96.0.300, externalTrafficPolicy: Global, sessionAffinity: 5, sessionAffinityConfig: {clientIP: {timeoutSeconds: 0}}, "
        "ports: [{port: 80, nodePort: 99, targetPort: A, protocol: 5}], externalIPs: [5, x], trafficDistribution: Near, ipFamilies: [IPv5, 4]}\n",
        "1 spec.type, 1 spec.clusterIP, 1 spec.externalTrafficPolicy, 1 spec.sessionAffinity, 1 spec.sessionAffinityConfig.clientIP.timeoutSeconds, 1 spec.ports[0].nodePort, 1 spec.ports[0].targetPort, 1 spec.ports[0].protocol, "
        "1 spec.externalIPs[0], 1 spec.externalIPs[1], 1 spec.trafficDistribution, 1 spec.ipFamilies[0], 1 spec.ipFamilies[1]"),
    Row("Service's addresses", RANGE + "spec: {cidrs: [10.96.0.0/16]}\n" + OVER + SERVICE + f"spec: {{clusterIP: 10.1.0.1, {PORTS}, publishNotReadyAddresses: 1}}\n" + OVER
        + SERVICE.replace("web", "Web") + "spec: {clusterIP: 10.1.0.1, type: NodePort, ports: [{port: 80, nodePort: 99}, {name: b, port: 0, nodePort: 80}]}\n",
        "2 spec.clusterIP, 2 spec.publishNotReadyAddresses, 3 metadata.name, 3 spec.clusterIP, 3 spec.ports[0].name, 3 spec.ports[0].nodePort, 3 spec.ports[1].port, 3 spec.ports[1].nodePort"),
    Row("EndpointSlice", SLICE.replace("name: s", "name: S") + "addressType: 4\nports: [{port: 70000}, {port: x, protocol: ICMP, name: a}]\nendpoints: [5, {addresses: [10.0.0.999], conditions: {ready: 5}, hints: {forZones: [{}, {name: 5}]}}, {addresses: [127.0.0.1, 5]}]\n",
        "1 metadata.name, 1 addressType, 1 ports[0].port, 1 ports[1].port, 1 ports[1].protocol, 1 endpoints[0], 1 endpoints[1].addresses[0], 1 endpoints[1].conditions.ready, 1 endpoints[1].hints.forZones[0].name, 1 endpoints[1].hints.forZones[1].name, "
        "1 endpoints[2].addresses[0], 1 endpoints[2].addresses[1]"),
    Row("Endpoints", ENDPOINTS.replace("[{ip: x}]", "[{ip: x}, 5, {ip: 127.0.0.1}], ports: [{port: x}, {port: 70000, name: a}]") + OVER + SERVICE + f"spec: {{{PORTS}, type: 5}}\n",
        "1 subsets[0].addresses[0].ip, 1 subsets[0].addresses[1], 1 subsets[0].addresses[2].ip, 1 subsets[0].ports[0].port, 1 subsets[0].ports[1].port, 2 spec.type"),
    Row("ServiceCIDR", RANGE.replace("kubernetes}", "K, labels: 5}") + "spec: {cidrs: [x, 5, 10.96.0.0/16, 10.97.0.0/16]}\n", "1 metadata.name, 1 metadata.labels, 1 spec.cidrs[0], 1 spec.cidrs[1], 1 spec.cidrs[3]"),
    Row("KubeProxyConfiguration", PROXY + "mode: 5\nclusterCIDR: x\niptables: {masqueradeBit: 32, masqueradeAll: 1}\nipvs: {scheduler: zz, excludeCIDRs: [5, x]}\nnodePortAddresses: 5\nbindAddress: here\ndetectLocalMode: BridgeInterface\ndetectLocal: 5\n",
        "1 mode, 1 clusterCIDR, 1 iptables.masqueradeBit, 1 iptables.masqueradeAll, 1 ipvs.scheduler, 1 ipvs.excludeCIDRs[0], 1 ipvs.excludeCIDRs[1], 1 nodePortAddresses, 1 bindAddress, 1 detectLocal"),
    Row("two KubeProxyConfigurations", PROXY + "mode: a\n" + OVER + PROXY + "mode: b\nportRange: 5\n", "1 mode, 2 kind, 2 mode, 2 portRange"),
    Row("ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n  a: 5\n  config.conf: |\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n    kind: KubeProxyConfiguration\n    mode: ebpf\n    portRange: 5\n",
        "1 data.a, 1 data[\"config.conf\"].mode, 1 data[\"config.conf\"].portRange"),
    Row("FlowTest", "apiVersion: packetwalk.dev/v1\nkind: FlowTest\nmetadata: {name: T_}\nspec:\n  node: n1\n  modes: [5, ebpf]\n  flows:\n"
        "  - {form: a, to: '', protocol: ICMP, expect: {endpoints: [5, x], masqueraded: 'yes'}}\n  - 5\n  - {from: a, via: 5, again_after: -1, expect: 5}\n  - {from: a, to: 5, via: n9}\n",
        "1 metadata.name, 1 spec.node, 1 spec.modes[0], 1 spec.modes[1], 1 spec.flows[0].form, 1 spec.flows[0].from, 1 spec.flows[0].to, 1 spec.flows[0].protocol, 1 spec.flows[0].expect.endpoints[0], 1 spec.flows[0].expect.endpoints[1], "
        "1 spec.flows[0].expect.masqueraded, 1 spec.flows[1], 1 spec.flows[2].to, 1 spec.flows[2].via, 1 spec.flows[2].again_after, 1 spec.flows[2].expect, 1 spec.flows[3].to, 1 spec.flows[3].via, 1 spec.flows[3].expect"),
    Row("items of a List", "apiVersion: v1\nkind: ServiceList\nitems:\n- {metadata: {name: A}, spec: {ports: [{port: x, targetPort: 0.5}], externalIPs: [x]}}\n- 5\n- {kind: Node, metadata: 5, spec: {podCIDR: x}}\n",
        "1 metadata.name, 1 spec.ports[0].port, 1 spec.ports[0].targetPort, 1 spec.externalIPs[0], 1 , 1 metadata, 1 spec.podCIDR"),
    Row("no apiVersion, no kind", "kind: Pod\nmetadata: {name: P}\n" + OVER + "a: 1\n" + OVER + "apiVersion: 5\nkind: FlowTest\nmetadata: {name: t}\nspec: {mode: x, flows: []}\n", "1 apiVersion, 1 metadata.name, 2 apiVersion, 2 kind, 3 apiVersion, 3 spec.mode, 3 spec.flows"),
    Row("defined twice", SERVICE + f"spec: {{{PORTS}, clusterIP: 10.96.0.9}}\n" + OVER + SERVICE + "spec: {ports: [{port: 0}], clusterIP: 10.96.0.9, selector: 5}\n", "2 metadata.name, 2 spec.ports[0].port, 2 spec.selector"),
    Row("no port and no address", SERVICE + "spec: {clusterIP: 300.1.1.1, ipFamilyPolicy: RequireDualStack}\n", "1 spec.clusterIP, 1 spec.ports"),
    Row("affinity's configuration", SERVICE + f"spec: {{type: 5, {PORTS}, sessionAffinityConfig: {{}}}}\n", "1 spec.type, 1 spec.sessionAffinityConfig"),
    Row("no Node that can be read", NODE.replace("v1", "v9") + OVER + POD + "spec: {nodeName: n2}\n", "1 apiVersion, 2 spec.nodeName"),
    Row("a wrong name twice", POD.replace("name: p", "name: P") + OVER + POD.replace("name: p", "name: P"), "1 metadata.name, 2 metadata.name"),
    Row("several wrong names", SERVICE.replace("web", "A") + f"spec: {{{PORTS}, clusterIP: 10.96.0.9}}\n" + OVER + SERVICE.replace("web", "B") + f"spec: {{{PORTS}, clusterIP: 10.96.0.9}}\n", "1 metadata.name, 2 metadata.name, 2 spec.clusterIP"),
]  # fmt: skip

CASCADES = [
    Row("type of Service", SERVICE + f"spec: {{type: 5, {PORTS[:-2]}, nodePort: 30000}}], externalTrafficPolicy: Local, healthCheckNodePort: 30001, loadBalancerSourceRanges: [10.0.0.0/8], allocateLoadBalancerNodePorts: true}}\nstatus: {{loadBalancer: {{ingress: [{{ip: 1.2.3.4}}]}}}}\n", "1 spec.type"),
    Row("type of a headless Service", SERVICE + f"spec: {{type: Bogus, clusterIP: None, {PORTS}}}\n", "1 spec.type"),
    Row("type ExternalName", SERVICE + "spec: {type: [ExternalName], externalName: a.b}\n", "1 spec.type"),
    Row("externalName", SERVICE + "spec: {type: ExternalName, externalName: 5}\n", "1 spec.externalName"),
    Row("clusterIP None", SERVICE + "spec: {clusterIP: [None]}\n", "1 spec.clusterIP"),
    Row("clusterIPs", SERVICE + f"spec: {{clusterIP: 10.96.0.5, clusterIPs: [5], {PORTS}}}\n", "1 spec.clusterIPs[0]"),
    Row("ports", SERVICE + "spec: {ports: 5}\n", "1 spec.ports"),
    Row("spec of everything", "".join(one + "spec: 5\n" + OVER for one in (NODE, POD, SERVICE, DEPLOY, RANGE)) + TEST + "spec: 5\n", "1 spec, 2 spec, 3 spec, 4 spec, 5 spec, 6 spec"),
    Row("metadata", SLICE.replace("{name: s, labels: {kubernetes.io/service-name: web}}", "5") + "addressType: IPv4\n", "1 metadata"),
    Row("sessionAffinity", SERVICE + f"spec: {{{PORTS}, sessionAffinity: [ClientIP], sessionAffinityConfig: {{clientIP: {{timeoutSeconds: 5}}}}}}\n", "1 spec.sessionAffinity"),
    Row("externalTrafficPolicy", "".join(SERVICE.replace("web", f"w{number}") + f"spec: {{type: LoadBalancer, {PORTS}, externalTrafficPolicy: {value}, healthCheckNodePort: 3000{number}}}\n" + OVER for number, value in enumerate(("5", "local"))), "1 spec.externalTrafficPolicy, 2 spec.externalTrafficPolicy"),
    Row("ipFamilies", SERVICE + f"spec: {{{PORTS}, clusterIPs: [10.96.0.5, 'fd00:10:96::5'], ipFamilyPolicy: 5}}\n" + OVER + SERVICE.replace("web", "w2") + f"spec: {{{PORTS}, ipFamilies: [IPv4, 6]}}\n", "1 spec.ipFamilyPolicy, 2 spec.ipFamilies[1]"),
    Row("externalIPs", SERVICE + f"spec: {{{PORTS}, externalIPs: 5, externalTrafficPolicy: Local}}\n", "1 spec.externalIPs"),
    Row("node ports where there are none", SERVICE + "spec: {ports: [{name: a, port: 80, nodePort: 99}, {name: b, port: 81, nodePort: 30000}, {name: c, port: 82, nodePort: 30000}], healthCheckNodePort: 30000}\n" + OVER
        + SERVICE.replace("web", "w2") + "spec: {ports: [{port: 80, nodePort: 30000}]}\n", "1 spec.ports[0].nodePort, 1 spec.ports[1].nodePort, 1 spec.ports[2].nodePort, 1 spec.healthCheckNodePort, 2 spec.ports[0].nodePort"),
    Row("one wrong number twice", SERVICE + "spec: {ports: [{name: a, port: 70000}, {name: b, port: 70000}]}\n", "1 spec.ports[0].port, 1 spec.ports[1].port"),
    Row("a policy that is none, for nothing", SERVICE + f"spec: {{{PORTS}, externalTrafficPolicy: Globl}}\n", "1 spec.externalTrafficPolicy"),
    Row("a headless Service of any family", RANGE + "spec: {cidrs: [10.96.0.0/16]}\n" + OVER + SERVICE + f"spec: {{{PORTS}, clusterIP: [None], ipFamilies: [IPv6]}}\n", "2 spec.clusterIP"),
    Row("no podCIDR left", NODE + "spec: {podCIDR: 10.244.0.0/16}\n" + OVER + NODE.replace("n1", "n2") + "spec: {podCIDR: 5}\n", "2 spec.podCIDR"),
    Row("ports of which the number is unknown", SERVICE + "spec: {ports: [{name: a, port: x}, {name: b, port: y}, {name: c, port: 80, protocol: 5}, {name: d, port: 80}]}\n", "1 spec.ports[0].port, 1 spec.ports[1].port, 1 spec.ports[2].protocol"),
    Row("ipMode", SERVICE + f"spec: {{type: LoadBalancer, {PORTS}}}\nstatus: {{loadBalancer: {{ingress: [{{ip: 5, ipMode: VIP}}]}}}}\n", "1 status.loadBalancer.ingress[0].ip"),
    Row("family of a Service", RANGE + "spec: {cidrs: [10.96.0.0/16, 5]}\n" + OVER + SERVICE + f"spec: {{{PORTS}, clusterIP: 'fd00::5', ipFamilies: [IPv6]}}\n" + OVER + SERVICE.replace("web", "w2") + f"spec: {{{PORTS}, ipFamilyPolicy: RequireDualStack}}\n", "1 spec.cidrs[1]"),
    Row("the only range", RANGE + "spec: {cidrs: [x]}\n" + OVER + SERVICE + f"spec: {{{PORTS}, clusterIP: 10.96.0.5}}\n", "1 spec.cidrs[0]"),
    Row("a range in a version unknown", RANGE.replace("/v1", "/v1alpha1") + "spec: {cidrs: [10.1.0.0/16]}\n" + OVER + SERVICE + f"spec: {{{PORTS}, clusterIP: 10.1.0.5}}\n", "1 apiVersion"),
    Row("one wrong family", RANGE + "spec: {cidrs: [10.96.0.0/16]}\n" + OVER + SERVICE + f"spec: {{{PORTS}, clusterIP: 'fd00::5'}}\n", "2 spec.ipFamilies"),
    Row("selector of Service", SERVICE + f"spec: {{{PORTS}, selector: 5}}\n" + OVER + ENDPOINTS, "1 spec.selector"),
    Row("selector of Deployment", DEPLOY + f"spec: {{selector: {{matchLabels: 5}}, template: {{{LABELLED}}}}}\n", "1 spec.selector.matchLabels"),
    Row("template", DEPLOY + f"spec: {{{SELECT}, template: 5}}\n", "1 spec.template"),
    Row("template's label", DEPLOY + f"spec: {{{SELECT}, template: {{metadata: {{labels: {{a: 5}}}}}}}}\n", "1 spec.template.metadata.labels.a"),
    Row("service name of a slice", SLICE.replace("web", "5") + "addressType: IPv4\n", '1 metadata.labels["kubernetes.io/service-name"]'),
    Row("addressType of host names", SLICE + "addressType: 5\nendpoints: [{addresses: [a.example.com]}]\n", "1 addressType"),
    Row("port names of a slice", SLICE + "addressType: IPv4\nports: [{port: 80, name: 5}, {port: 81}]\n", "1 ports[0].name"),
    Row("hostNetwork", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n" + OVER + POD + "spec: {hostNetwork: 'true', nodeName: n1}\nstatus: {podIP: 10.0.0.1}\n" + OVER + POD.replace("p}", "q}") + "spec: {hostNetwork: 'true', nodeName: n1}\nstatus: {podIP: 10.0.0.1}\n", "2 spec.hostNetwork, 3 spec.hostNetwork"),
    Row("phase", POD + "spec: {nodeName: gone}\nstatus: {phase: [Failed], podIP: 10.244.0.5}\n" + OVER + POD.replace("p}", "q}") + "status: {podIP: 10.244.0.5}\n" + OVER + NODE, "1 status.phase"),
    Row("nodeName on the host network", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n" + OVER + POD + "spec: {hostNetwork: true, nodeName: 5}\nstatus: {podIP: 10.0.0.2}\n", "2 spec.nodeName"),
    Row("address of a node", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.999}]}\n" + OVER + POD + "spec: {hostNetwork: true, nodeName: n1}\nstatus: {podIP: 10.0.0.9}\n", "1 status.addresses[0].address"),
    Row("podIPs", POD + "status: {podIP: 10.244.0.5, podIPs: [{ip: 5}]}\n", "1 status.podIPs[0].ip"),
    Row("podCIDRs", NODE + "spec: {podCIDR: 10.244.0.0/24, podCIDRs: [5]}\n", "1 spec.podCIDRs[0]"),
    Row("a small podCIDR", NODE + "spec: {podCIDR: 10.244.1.0/30, podCIDRs: 5}\n" + OVER + DEPLOY + f"spec: {{replicas: 2, {SELECT}, template: {{{LABELLED}}}}}\n", "1 spec.podCIDRs"),
    Row("name of a Node", NODE.replace("n1", "5") + OVER + POD + "spec: {nodeName: n1}\n" + OVER + TEST + "spec: {flows: [{from: n1, to: 'n1:80', via: n1, expect: {outcome: refused}}]}\n", "1 metadata.name"),
    Row("a wrong name of a Node", NODE.replace("n1", "N1") + OVER + POD + "spec: {nodeName: n1}\n", "1 metadata.name"),
    Row("a Node that is broken", NODE + "spec: 5\n" + OVER + POD + "spec: {nodeName: n1}\n" + OVER + TEST + "spec: {flows: [{from: n1, to: 'n1:80', via: n1, expect: {outcome: refused}}]}\n", "1 spec"),
    Row("a Node in a version unknown", NODE.replace("v1", "v9") + OVER + POD + "spec: {nodeName: n1}\n" + OVER + TEST + "spec: {flows: [{from: n1, to: 'n1:80', via: n1, expect: {outcome: refused}}]}\n", "1 apiVersion"),
    Row("a Node known by its Pod alone", POD + "spec: {nodeName: [n1]}\n" + OVER + TEST + "spec: {flows: [{from: n1, to: 'n1:80', via: n1, expect: {outcome: refused}}]}\n", "1 spec.nodeName"),
    Row("a FlowTest to a broken Service", SERVICE + "spec: {ports: 5}\n" + OVER + NODE + OVER + TEST + "spec: {flows: [{from: n1, to: 'default/web:80', expect: {outcome: refused}}]}\n", "1 spec.ports"),
    Row("namespace", SERVICE + f"spec: {{{PORTS}}}\n" + OVER + SERVICE.replace("name: web", "name: web, namespace: 5") + f"spec: {{{PORTS}}}\n", "2 metadata.namespace"),
    Row("two without a name", POD.replace("name: p", "name: 5") + OVER + POD.replace("name: p", ""), "1 metadata.name, 2 metadata.name"),
    Row("twins", (NODE + "spec: {podCIDR: 10.244.1.0/24}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n" + OVER) * 2 + (POD + "spec: {nodeName: n1}\nstatus: {podIP: 10.244.1.9}\n" + OVER) * 2
        + (DEPLOY + f"spec: {{{SELECT}, template: {{{LABELLED}}}}}\n" + OVER) * 2 + (SERVICE + "spec: {type: NodePort, ports: [{port: 80, nodePort: 30000}]}\n" + OVER) * 2,
        "2 metadata.name, 4 metadata.name, 6 metadata.name, 8 metadata.name"),
    Row("Pods that a StatefulSet owns", POD.replace("name: p", "name: d-0, ownerReferences: 5") + OVER + STATEFUL + f"spec: {{{SELECT}, template: {{{LABELLED}}}}}\n", "1 metadata.ownerReferences"),
    Row("replicas of a StatefulSet", POD.replace("name: p", "name: d-0") + OVER + STATEFUL + f"spec: {{replicas: '0', {SELECT}, template: {{{LABELLED}}}}}\n", "2 spec.replicas"),
    Row("nothing expected", TEST + "spec: {flows: [{from: a, to: b, again_after: 5, expect: {outcomes: x, sticky: 5}}]}\n", "1 spec.flows[0].expect.outcomes, 1 spec.flows[0].expect.sticky"),
    Row("flows", TEST + "spec: {flows: 5}\n", "1 spec.flows"),
    Row("an alias that is right elsewhere", NODE + "spec: &a {podCIDR: 5, cpu: 1}\nstatus: {allocatable: *a}\n", "1 spec.podCIDR"),
]  # fmt: skip


@pytest.mark.parametrize("row", MIXED + CASCADES, ids=lambda row: row.name)
def test_every_error_is_told_once_and_nothing_else(row: Row) -> None:
    found = problems(row.text)
    told = [f"{one.document} {one.field}" for one in found]
    assert sorted(told) == sorted(row.fields.split(", ")), "\n".join(map(str, found))
    assert all(one.file == "f1.yaml" and one.line and one.message and one.cure for one in found)


# Every field below is right, and says nothing that another field's judgement rests on.
GOOD: list[dict[str, Any]] = [
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n1", "labels": {"zone": "a"}},
        "spec": {"podCIDR": "10.244.1.0/24", "unschedulable": False, "taints": []},
        "status": {"addresses": [{"type": "InternalIP", "address": "10.0.0.1"}], "conditions": []},
    },
    {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "labels": {"a": "b"}, "annotations": {"packetwalk.dev/ready": "true"}},
        "spec": {
            "hostname": "h",
            "containers": [{"ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}],
        },
        "status": {"podIP": "10.244.1.9", "phase": "Running"},
    },
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "shop"},
        "spec": {
            "replicas": 2,
            "selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]},
            "template": {"metadata": {"labels": {"a": "b", "c": "d"}}, "spec": {"nodeName": "n1", "subdomain": "s"}},
        },
    },
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "annotations": {"note": "x"}},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.9",
            "selector": {"a": "b"},
            "ports": [
                {"name": "one", "port": 80, "nodePort": 30000, "targetPort": "http"},
                {"name": "two", "port": 81},
            ],
            "externalIPs": ["192.0.2.1", "192.0.2.2"],
            "internalTrafficPolicy": "Local",
            "sessionAffinity": "ClientIP",
            "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}},
        },
    },
    {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "s", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv4",
        "ports": [{"name": "one", "port": 80, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["10.244.1.9"], "conditions": {"ready": True}}, {"addresses": ["10.244.1.8"]}],
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": "kubernetes", "labels": {}},
        "spec": {"cidrs": ["10.96.0.0/16", "fd00:96::/112"]},
    },
    {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "ipvs",
        "clusterCIDR": "10.244.0.0/16",
        "iptables": {"masqueradeBit": 14},
        "ipvs": {"scheduler": "rr", "excludeCIDRs": ["10.1.0.0/16"]},
    },
    {
        "apiVersion": "packetwalk.dev/v1",
        "kind": "FlowTest",
        "metadata": {"name": "t"},
        "spec": {
            "mode": "iptables",
            "flows": [
                {"from": "p", "via": "n1", "to": "web:80", "protocol": "TCP", "expect": {"outcome": "delivered"}},
                {"from": "p", "to": "web:80", "expect": {"endpoints": ["10.244.1.9:80"], "masqueraded": True}},
            ],
        },
    },
]

NOT_NAMES: list[object] = [5, "Web_1", []]
FAULTS: list[tuple[int, Path, object]] = [
    *((document, ("metadata", "name"), name) for document in (0, 1, 2, 3, 4, 5, 7) for name in NOT_NAMES),
    (0, ("metadata", "labels", "zone"), 5),
    (0, ("metadata", "labels", "zone"), "a b"),
    (0, ("spec", "podCIDR"), "10.244.1.0"),
    (0, ("spec", "podCIDR"), 10),
    (0, ("spec", "unschedulable"), "no"),
    (0, ("spec", "taints"), {}),
    (0, ("status", "addresses", 0, "address"), "10.0.0.999"),
    (0, ("status", "conditions"), 5),
    (1, ("metadata", "annotations", "packetwalk.dev/ready"), "yes"),
    (1, ("metadata", "annotations", "packetwalk.dev/ready"), True),
    (1, ("metadata", "labels", "a"), []),
    (1, ("spec", "hostname"), "H"),
    (1, ("spec", "containers", 0, "ports", 0, "containerPort"), 0),
    (1, ("spec", "containers", 0, "ports", 0, "containerPort"), "80"),
    (1, ("spec", "containers", 0, "ports", 0, "protocol"), "ICMP"),
    (1, ("spec", "containers", 0, "ports", 0, "name"), "a--b"),
    (1, ("status", "podIP"), "here"),
    (1, ("status", "phase"), {}),
    (2, ("metadata", "namespace"), "Shop"),
    (2, ("metadata", "namespace"), 5),
    (2, ("spec", "replicas"), -1),
    (2, ("spec", "replicas"), "2"),
    (2, ("spec", "selector", "matchExpressions", 0, "operator"), "Is"),
    (2, ("spec", "selector", "matchExpressions", 0, "values"), "x"),
    (2, ("spec", "template", "metadata", "labels", "c"), "-"),
    (2, ("spec", "template", "spec", "subdomain"), "S"),
    (2, ("spec", "template", "spec", "nodeName"), 1.5),
    (3, ("metadata", "annotations", "note"), 5),
    (3, ("spec", "type"), 5),
    (3, ("spec", "type"), "Bogus"),
    (3, ("spec", "clusterIP"), "300.1.1.1"),
    (3, ("spec", "clusterIP"), 10.96),
    (3, ("spec", "selector", "a"), 5),
    (3, ("spec", "ports", 0, "port"), 70000),
    (3, ("spec", "ports", 0, "port"), "80"),
    (3, ("spec", "ports", 0, "nodePort"), 99),
    (3, ("spec", "ports", 0, "nodePort"), True),
    (3, ("spec", "ports", 0, "targetPort"), "HTTP"),
    (3, ("spec", "ports", 1), 81),
    (3, ("spec", "externalIPs", 0), "x"),
    (3, ("spec", "externalIPs", 0), None),
    (3, ("spec", "externalIPs", 1), "127.0.0.1"),
    (3, ("spec", "internalTrafficPolicy"), "local"),
    (3, ("spec", "sessionAffinity"), "IP"),
    (3, ("spec", "sessionAffinity"), []),
    (3, ("spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"), 0),
    (4, ("addressType",), 4),
    (4, ("addressType",), "IP"),
    (4, ("ports", 0, "name"), "A"),
    (4, ("ports", 0, "port"), 70000),
    (4, ("ports", 0, "protocol"), 6),
    (4, ("endpoints", 0, "addresses", 0), "10.0.0.999"),
    (4, ("endpoints", 0, "conditions", "ready"), "yes"),
    (4, ("endpoints", 1), "10.244.1.8"),
    (5, ("metadata", "labels"), 5),
    (5, ("spec", "cidrs", 0), "10.96.0.0"),
    (5, ("spec", "cidrs", 1), 6),
    (6, ("mode",), "ebpf"),
    (6, ("mode",), 5),
    (6, ("clusterCIDR",), "x"),
    (6, ("iptables", "masqueradeBit"), 32),
    (6, ("ipvs", "scheduler"), "lblc"),
    (6, ("ipvs", "excludeCIDRs", 0), 5),
    (7, ("spec", "mode"), "bogus"),
    (7, ("spec", "mode"), 5),
    (7, ("spec", "flows", 0, "from"), 1),
    (7, ("spec", "flows", 0, "from"), ""),
    (7, ("spec", "flows", 0, "to"), None),
    (7, ("spec", "flows", 0, "protocol"), "ICMP"),
    (7, ("spec", "flows", 0, "expect", "outcome"), "wrong"),
    (7, ("spec", "flows", 0, "expect", "outcome"), 5),
    (7, ("spec", "flows", 0, "form"), "x"),
    (7, ("spec", "flows", 1, "expect", "endpoints", 0), "x"),
    (7, ("spec", "flows", 1, "expect", "masqueraded"), "yes"),
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(FAULTS), min_size=1, unique_by=lambda fault: fault[:2]))
def test_as_many_errors_are_told_as_there_are_faults(faults: list[tuple[int, Path, object]]) -> None:
    documents = deepcopy(GOOD)
    for document, (*way, last), value in faults:
        inner: Any = documents[document]
        for step in way:
            inner = inner[step]
        inner[last] = value
    found = problems("---\n".join(json.dumps(document, indent=1) + "\n" for document in documents))
    told = [(one.document - 1, one.field) for one in found]
    planted = [(document, path_text(path)) for document, path, _ in faults]
    assert sorted(told) == sorted(planted), "\n".join(map(str, found))
