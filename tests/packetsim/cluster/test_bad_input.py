"""Rule: each bad document is refused with its file, line, field, what is wrong, and the cure."""

# ruff: noqa: E501 - a row of the table is one line

from __future__ import annotations

from dataclasses import dataclass

import pytest

from packetsim.cluster import Source, load, source_from_bytes
from packetsim.errors import ManifestError
from tests.packetsim.cluster.loading import problems


@dataclass(frozen=True)
class Row:
    name: str
    text: str
    line: int
    field: str
    message: str
    cure: str


HEAD = "apiVersion: v1\nkind: {}\nmetadata: {{name: x}}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n"
PORTS = "  ports: [{port: 80}]\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n"
NODE = "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n"
SLICE = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s, labels: {kubernetes.io/service-name: web}}\n"
PROXY = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"
FLOWS = "apiVersion: packetwalk.dev/v1\nkind: FlowTest\nmetadata: {name: t}\n"
FLOW = FLOWS + "spec:\n  flows:\n  - from: node1\n    to: node1:80\n"
DEPLOY = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)

ROWS = [
    # YAML itself
    Row("tab", "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: p\n", 4, "", "not YAML", "Indent with spaces"),
    Row("open quote", 'apiVersion: v1\nkind: "Pod\n', 3, "", "not YAML", "Mend the syntax"),
    Row("open bracket", "apiVersion: v1\nkind: [Pod\n", 3, "", "not YAML", "Mend the syntax"),
    Row("bad indent", "apiVersion: v1\n kind: Pod\n", 2, "", "not YAML", "Mend the syntax"),
    Row("control character", "apiVersion: v1\nkind: Po\x07d\n", 2, "", "control character", "Mend the syntax"),
    Row("key twice", "apiVersion: v1\nkind: Pod\nkind: Pod\n", 3, "", "'kind' stands twice, first on line 2", "Remove one"),
    Row("key is a list", "? [a]\n: b\n", 1, "", "a key must be plain text", "key: value"),
    Row("billion laughs", BOMB, 6, "", "aliases repeat more than", "Write the values out"),
    Row("recursive anchor", "a: &a [1, *a]\n", 1, "", "*a stands inside its own anchor", "Write out"),
    Row("unknown alias", "a: *b\n", 1, "", "*b has no anchor before it", "&b"),
    Row("python tag", "a: !!python/object/apply:os.system [ls]\n", 1, "", "!!python/object", "Remove the tag"),
    Row("scalar tag", "a: !!binary aGk=\n", 1, "", "!!binary", "Remove the tag"),
    Row("merge of text", "a: 1\n<<: text\n", 2, "", "must name a mapping", "alias of a mapping"),
    Row("too deep", "a: " + "[" * 64 + "]" * 64, 1, "", "nested more than 64 deep", "flatten"),
    Row("deep by alias", "a: &a " + "[" * 40 + "]" * 40 + "\nb: " + "[" * 30 + "*a" + "]" * 30, 2, "", "64 deep", "flatten"),
    Row("10 MB name", f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {'x' * 10_000_000}}}\n", 3, "", "10,000,000 characters", "shorten"),
    Row("NUL", "apiVersion: v1\nkind: P\0d\n", 2, "", "not UTF-8 text", "Save the file as UTF-8"),
    Row("half a surrogate", "a: 1\nb: \udc80\n", 2, "", "not UTF-8 text", "Save the file as UTF-8"),
    # objects
    Row("not a mapping", "- a\n- b\n", 1, "", "a manifest must be a mapping, not a list", "apiVersion and kind"),
    Row("a word", "hello\n", 1, "", 'not "hello"', "apiVersion and kind"),
    Row("no kind", "apiVersion: v1\nmetadata: {name: x}\n", 1, "kind", "not null", "kind: Service"),
    Row("no apiVersion", "kind: Pod\nmetadata: {name: x}\n", 1, "apiVersion", "not null", "apiVersion: v1"),
    Row("kind is a number", "apiVersion: v1\nkind: 5\n", 2, "kind", "must be text, not 5", "kind: Service"),
    Row("old version", "apiVersion: extensions/v1beta1\nkind: Deployment\n", 1, "apiVersion", 'no Deployment in "extensions', "Use apps/v1"),
    Row("beta slice", "apiVersion: discovery.k8s.io/v1beta1\nkind: EndpointSlice\n", 1, "apiVersion", "no EndpointSlice", "discovery.k8s.io/v1"),
    Row("our kind misspelt", "apiVersion: packetwalk.dev/v1\nkind: FlowTests\n", 2, "kind", '"FlowTests"', "Use FlowTest"),
    Row("items no list", "apiVersion: v1\nkind: List\nitems: 5\n", 3, "items", "must be a list, not 5", "'- '"),
    Row("item no mapping", "apiVersion: v1\nkind: List\nitems:\n- 5\n", 4, "", "must be a mapping, not 5", "apiVersion"),
    Row("no name", "apiVersion: v1\nkind: Pod\nmetadata: {}\n", 3, "metadata.name", "this Pod has no name", "Add metadata.name"),
    Row("generateName", "apiVersion: v1\nkind: Pod\nmetadata: {generateName: p-}\n", 3, "metadata.name", "no name", "for the API server alone"),
    Row("upper case", "apiVersion: v1\nkind: Pod\nmetadata: {name: Web}\n", 3, "metadata.name", '"Web" is not a valid name', "lower-case"),
    Row("long name", f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {'x' * 254}}}\n", 3, "metadata.name", "254 characters, at most 253", "shorter"),
    Row("service name 1st", "apiVersion: v1\nkind: Service\nmetadata: {name: 1st}\nspec: {ports: [{port: 80}]}\n", 3, "metadata.name", '"1st"', "beginning with a letter"),
    Row("namespace name", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a.b}\n", 3, "metadata.namespace", '"a.b"', "lower-case"),
    Row("node in namespace", "apiVersion: v1\nkind: Node\nmetadata: {name: n1, namespace: shop}\n", 3, "metadata.namespace", "belongs to no namespace", "Remove"),
    Row("label is a number", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  labels:\n    version: 1\n", 6, "metadata.labels.version", "must be text, not 1", 'in quotes: "1"'),
    Row("label is yes", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: yes}}\n", 3, "metadata.labels.a", "must be text, not true", "Put quotes around it"),
    Row("label value", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {a: b c}}\n", 3, "metadata.labels.a", '"b c"', "at most 63"),
    Row("label key", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {-a: b}}\n", 3, "metadata.labels.-a", '"-a"', "optional DNS name"),
    Row("name is a list", "apiVersion: v1\nkind: Pod\nmetadata: {name: [p]}\n", 3, "metadata.name", "must be text, not a list", "a plain word"),
    Row("metadata a list", "apiVersion: v1\nkind: Pod\nmetadata: []\n", 3, "metadata", "must be a mapping, not a list", "key: value"),
    Row("defined twice", POD + "---\n" + POD, 7, "metadata.name", "Pod default/p is defined twice, first in f1.yaml: document 1, line 1", "Remove or rename"),
    Row("annotation on a Service", "apiVersion: v1\nkind: Service\nmetadata: {name: s, annotations: {packetwalk.dev/answers: 'false'}}\nspec: {ports: [{port: 80}]}\n", 3, 'metadata.annotations["packetwalk.dev/answers"]', "says something of Pods", "Put it on a Pod"),
    # Service
    Row("port 0", SERVICE + "  ports:\n  - port: 0\n", 6, "spec.ports[0].port", "0 is not a port", "1 to 65535"),
    Row("port 70000", SERVICE + "  ports:\n  - port: 70000\n", 6, "spec.ports[0].port", "70000 is not a port", "1 to 65535"),
    Row("port in quotes", SERVICE + "  ports:\n  - port: '80'\n", 6, "spec.ports[0].port", 'must be a whole number, not "80"', "without quotes"),
    Row("port a fraction", SERVICE + "  ports:\n  - port: 80.5\n", 6, "spec.ports[0].port", "must be a whole number", "without a fraction"),
    Row("no port number", SERVICE + "  ports:\n  - name: http\n", 6, "spec.ports[0].port", "port number is missing", "1 to 65535"),
    Row("no ports", SERVICE + "  selector: {a: b}\n", 4, "spec.ports", "has no ports", "at least one port"),
    Row("null port", SERVICE + "  ports: [null]\n", 5, "spec.ports[0]", "must be a mapping, not null", "key: value"),
    Row("ports a mapping", SERVICE + "  ports: {port: 80}\n", 5, "spec.ports", "must be a list, not a mapping", "'- '"),
    Row("protocol", SERVICE + "  ports: [{port: 80, protocol: ICMP}]\n", 5, "spec.ports[0].protocol", '"ICMP"', "TCP, UDP or SCTP"),
    Row("lower-case protocol", SERVICE + "  ports: [{port: 80, protocol: tcp}]\n", 5, "spec.ports[0].protocol", '"tcp"', "TCP, UDP or SCTP"),
    Row("names needed", SERVICE + "  ports:\n  - {port: 80, name: a}\n  - {port: 81}\n", 7, "spec.ports[1].name", "each needs a name", "name: http"),
    Row("same name", SERVICE + "  ports:\n  - {port: 80, name: a}\n  - {port: 81, name: a}\n", 7, "spec.ports[1].name", '"a" stands twice', "its own name"),
    Row("same port", SERVICE + "  ports:\n  - {port: 80, name: a}\n  - {port: 80, name: b}\n", 7, "spec.ports[1]", "TCP port 80 stands twice", "another number"),
    Row("port name", SERVICE + "  ports: [{port: 80, name: a_b}]\n", 5, "spec.ports[0].name", '"a_b"', "lower-case"),
    Row("target in quotes", SERVICE + "  ports: [{port: 80, targetPort: '8080'}]\n", 5, "spec.ports[0].targetPort", '"8080"', "without quotes"),
    Row("target too long", SERVICE + "  ports: [{port: 80, targetPort: a-name-beyond-15}]\n", 5, "spec.ports[0].targetPort", "16 characters, at most 15", "shorter"),
    Row("target 70000", SERVICE + "  ports: [{port: 80, targetPort: 70000}]\n", 5, "spec.ports[0].targetPort", "70000", "1 to 65535"),
    Row("target a list", SERVICE + "  ports: [{port: 80, targetPort: [1]}]\n", 5, "spec.ports[0].targetPort", "a number or a name", "or a name"),
    Row("type", SERVICE + "  type: Nodeport\n" + PORTS, 5, "spec.type", '"Nodeport"', "ClusterIP, NodePort, LoadBalancer or ExternalName"),
    Row("nodePort on ClusterIP", SERVICE + "  ports: [{port: 80, nodePort: 30080}]\n", 5, "spec.ports[0].nodePort", "no node ports", "use type NodePort"),
    Row("nodePort out of range", SERVICE + "  type: NodePort\n  ports: [{port: 80, nodePort: 8080}]\n", 6, "spec.ports[0].nodePort", "8080 is outside", "30000 to 32767"),
    Row("nodePort twice here", SERVICE + "  type: NodePort\n  ports:\n  - {port: 80, name: a, nodePort: 30080}\n  - {port: 81, name: b, nodePort: 30080}\n", 8, "spec.ports[1].nodePort", "TCP node port 30080 stands twice", "its own"),
    Row("nodePort of another", SERVICE + "  type: NodePort\n  ports: [{port: 80, nodePort: 30080}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {type: NodePort, ports: [{port: 80, nodePort: 30080, protocol: UDP}]}\n", 11, "spec.ports[0].nodePort", "30080 belongs to Service default/web already, at f1.yaml: document 1, line 1", "another number"),
    Row("clusterIP no address", SERVICE + "  clusterIP: 10.96.0.256\n" + PORTS, 5, "spec.clusterIP", '"10.96.0.256" is not an IP address', "10.0.0.5"),
    Row("clusterIP a number", SERVICE + "  clusterIP: 10.5\n" + PORTS, 5, "spec.clusterIP", "must be text, not 10.5", 'in quotes: "10.5"'),
    Row("clusterIP outside", SERVICE + "  clusterIP: 10.200.0.1\n" + PORTS + "---\napiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [10.96.0.0/16]}\n", 5, "spec.clusterIP", "10.200.0.1 is outside the service range 10.96.0.0/16", "ServiceCIDR"),
    Row("clusterIP of the range", SERVICE + "  clusterIP: 10.96.0.0\n" + PORTS, 5, "spec.clusterIP", "own first address", "leave clusterIP out"),
    Row("clusterIP twice", SERVICE + "  clusterIP: 10.96.0.9\n" + PORTS + "---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {clusterIP: 10.96.0.9, ports: [{port: 80}]}\n", 11, "spec.clusterIP", "the ClusterIP of Service default/web, too", "another address"),
    Row("clusterIP of a Pod", SERVICE + "  clusterIP: 10.96.0.9\n" + PORTS + "---\n" + POD + "status: {podIP: 10.96.0.9}\n", 5, "spec.clusterIP", "the address of Pod default/p", "free address"),
    Row("clusterIPs differ", SERVICE + "  clusterIP: 10.96.0.9\n  clusterIPs: [10.96.0.8]\n" + PORTS, 5, "spec.clusterIP", "differ", "same address in both"),
    Row("clusterIPs of one family", SERVICE + "  clusterIPs: [10.96.0.9, 10.96.0.8]\n  ipFamilyPolicy: PreferDualStack\n" + PORTS, 5, "spec.clusterIPs[1]", "same family as 10.96.0.9", "one of each"),
    Row("three clusterIPs", SERVICE + "  clusterIPs: [10.96.0.9, fd00:10:96::9, '']\n  ipFamilyPolicy: PreferDualStack\n" + PORTS, 5, "spec.clusterIPs", "3 ClusterIPs", "one of each"),
    Row("None and an address", SERVICE + "  clusterIPs: [None, 10.96.0.9]\n  ipFamilyPolicy: PreferDualStack\n" + PORTS, 5, "spec.clusterIPs", "None stands for no ClusterIP", '["None"]'),
    Row("headless NodePort", SERVICE + "  type: NodePort\n  clusterIP: None\n" + PORTS, 6, "spec.clusterIP", "needs a ClusterIP", "Leave clusterIP out"),
    Row("dual without policy", SERVICE + "  ipFamilies: [IPv4, IPv6]\n" + PORTS, 4, "spec.ipFamilyPolicy", "dual-stack policy", "PreferDualStack"),
    Row("family", SERVICE + "  ipFamilies: [IPv5]\n" + PORTS, 5, "spec.ipFamilies[0]", '"IPv5"', "IPv4 or IPv6"),
    Row("family twice", SERVICE + "  ipFamilies: [IPv4, IPv4]\n  ipFamilyPolicy: PreferDualStack\n" + PORTS, 5, "spec.ipFamilies[1]", "IPv4 stands twice", "once"),
    Row("family policy", SERVICE + "  ipFamilyPolicy: Dual\n" + PORTS, 5, "spec.ipFamilyPolicy", '"Dual"', "SingleStack"),
    Row("IPv6 address as IPv4", SERVICE + "  ipFamilies: [IPv4]\n  clusterIP: fd00:10:96::5\n" + PORTS, 6, "spec.clusterIP", "no IPv4 address", "order of ipFamilies"),
    Row("family not configured", SERVICE + "  ipFamilies: [IPv6]\n" + PORTS + "---\napiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [10.96.0.0/16]}\n", 5, "spec.ipFamilies", "IPv6 is not configured", "ServiceCIDR"),
    Row("dual-stack required", SERVICE + "  ipFamilyPolicy: RequireDualStack\n" + PORTS + "---\napiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: kubernetes}\nspec: {cidrs: [10.96.0.0/16]}\n", 5, "spec.ipFamilyPolicy", "not dual-stack", "PreferDualStack"),
    Row("no external name", SERVICE + "  type: ExternalName\n", 4, "spec.externalName", "missing", "spec.externalName"),
    Row("external name", SERVICE + "  type: ExternalName\n  externalName: http://x\n", 6, "spec.externalName", '"http://x"', "lower-case"),
    Row("ExternalName with IP", SERVICE + "  type: ExternalName\n  externalName: x.org\n  clusterIP: 10.96.0.5\n", 7, "spec.clusterIP", "may not be set", "Remove"),
    Row("ExternalName families", SERVICE + "  type: ExternalName\n  externalName: x.org\n  ipFamilies: [IPv4]\n", 7, "spec.ipFamilies", "may not be set", "Remove"),
    Row("affinity", SERVICE + "  sessionAffinity: Cookie\n" + PORTS, 5, "spec.sessionAffinity", '"Cookie"', "None or ClientIP"),
    Row("affinity timeout", SERVICE + "  sessionAffinity: ClientIP\n  sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}\n" + PORTS, 6, "spec.sessionAffinityConfig.clientIP.timeoutSeconds", "86401 seconds", "1 to 86400"),
    Row("config without affinity", SERVICE + "  sessionAffinityConfig: {clientIP: {}}\n" + PORTS, 5, "spec.sessionAffinityConfig", "no meaning", "ClientIP"),
    Row("externalIP", SERVICE + "  externalIPs: [1.2.3]\n" + PORTS, 5, "spec.externalIPs[0]", '"1.2.3"', "10.0.0.5"),
    Row("loopback externalIP", SERVICE + "  externalIPs: [127.0.0.1]\n" + PORTS, 5, "spec.externalIPs[0]", "loopback", "other machines"),
    Row("mapped address", SERVICE + "  externalIPs: ['::ffff:10.0.0.1']\n" + PORTS, 5, "spec.externalIPs[0]", "not an IP address", "fd00::5"),
    Row("zone in address", SERVICE + "  externalIPs: ['fe80::1%eth0']\n" + PORTS, 5, "spec.externalIPs[0]", "not an IP address", "fd00::5"),
    Row("ranges on ClusterIP", SERVICE + "  loadBalancerSourceRanges: [10.0.0.0/8]\n" + PORTS, 5, "spec.loadBalancerSourceRanges", "LoadBalancer alone", "type LoadBalancer"),
    Row("bad range", SERVICE + "  type: LoadBalancer\n  loadBalancerSourceRanges: [10.0.0.0/33]\n" + PORTS, 6, "spec.loadBalancerSourceRanges[0]", "not an address range", "ADDRESS/LENGTH"),
    Row("allocate on NodePort", SERVICE + "  type: NodePort\n  allocateLoadBalancerNodePorts: false\n" + PORTS, 6, "spec.allocateLoadBalancerNodePorts", "LoadBalancer alone", "Remove it|type LoadBalancer"),
    Row("allocate in quotes", SERVICE + "  type: LoadBalancer\n  allocateLoadBalancerNodePorts: 'false'\n" + PORTS, 6, "spec.allocateLoadBalancerNodePorts", "must be true or false", "without quotes"),
    Row("health check port", SERVICE + "  type: LoadBalancer\n  healthCheckNodePort: 31000\n" + PORTS, 6, "spec.healthCheckNodePort", "externalTrafficPolicy Local alone", "Remove"),
    Row("health check on a node port", SERVICE + "  type: LoadBalancer\n  externalTrafficPolicy: Local\n  healthCheckNodePort: 31000\n  ports: [{port: 80, nodePort: 31000}]\n", 7, "spec.healthCheckNodePort", "one of its own ports", "another number"),
    Row("policy without outside", SERVICE + "  externalTrafficPolicy: Local\n" + PORTS, 5, "spec.externalTrafficPolicy", "no meaning", "type NodePort"),
    Row("policy", SERVICE + "  internalTrafficPolicy: local\n" + PORTS, 5, "spec.internalTrafficPolicy", '"local"', "Cluster or Local"),
    Row("distribution", SERVICE + "  trafficDistribution: Close\n" + PORTS, 5, "spec.trafficDistribution", '"Close"', "PreferClose"),
    Row("ingress on NodePort", SERVICE + "  type: NodePort\n" + PORTS + "status: {loadBalancer: {ingress: [{ip: 1.2.3.4}]}}\n", 7, "status.loadBalancer.ingress[0]", "no load balancer", "type LoadBalancer"),
    Row("ingress ip", SERVICE + "  type: LoadBalancer\n" + PORTS + "status: {loadBalancer: {ingress: [{ip: x}]}}\n", 7, "status.loadBalancer.ingress[0].ip", '"x"', "10.0.0.5"),
    Row("ingress host", SERVICE + "  type: LoadBalancer\n" + PORTS + "status: {loadBalancer: {ingress: [{hostname: X}]}}\n", 7, "status.loadBalancer.ingress[0].hostname", '"X"', "lower-case"),
    Row("ipMode", SERVICE + "  type: LoadBalancer\n" + PORTS + "status: {loadBalancer: {ingress: [{ip: 1.2.3.4, ipMode: vip}]}}\n", 7, "status.loadBalancer.ingress[0].ipMode", '"vip"', "VIP or Proxy"),
    Row("ipMode without ip", SERVICE + "  type: LoadBalancer\n" + PORTS + "status: {loadBalancer: {ingress: [{ipMode: VIP}]}}\n", 7, "status.loadBalancer.ingress[0].ipMode", "there is no ip", "Add ip"),
    Row("selector", SERVICE + "  selector: {a: 'b c'}\n" + PORTS, 5, "spec.selector.a", '"b c"', "63"),
    Row("topology annotations", "apiVersion: v1\nkind: Service\nmetadata:\n  name: w\n  annotations:\n    service.kubernetes.io/topology-mode: Auto\n    service.kubernetes.io/topology-aware-hints: disabled\nspec: {ports: [{port: 80}]}\n", 6, 'metadata.annotations["service.kubernetes.io/topology-mode"]', "differ", "topology-mode alone"),
    # Node and ServiceCIDR
    Row("node address", NODE + "status: {addresses: [{type: InternalIP, address: x}]}\n", 4, "status.addresses[0].address", '"x"', "10.0.0.5"),
    Row("node address twice", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: m1}\nstatus: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n", 9, "status.addresses", "address of Node n1, too", "its own InternalIP"),
    Row("podCIDR", NODE + "spec: {podCIDR: 10.244.1.0}\n", 4, "spec.podCIDR", "not an address range", "ADDRESS/LENGTH"),
    Row("podCIDRs differ", NODE + "spec: {podCIDR: 10.244.1.0/24, podCIDRs: [10.244.2.0/24]}\n", 4, "spec.podCIDR", "differ", "same range in both"),
    Row("two IPv4 podCIDRs", NODE + "spec: {podCIDRs: [10.244.1.0/24, 10.244.2.0/24]}\n", 4, "spec.podCIDRs[1]", "a second IPv4 podCIDR", "one podCIDR of each"),
    Row("podCIDRs overlap", NODE + "spec: {podCIDR: 10.244.0.0/16}\n---\napiVersion: v1\nkind: Node\nmetadata: {name: m1}\nspec: {podCIDR: 10.244.1.0/24}\n", 9, "spec", "10.244.1.0/24 overlaps 10.244.0.0/16 of Node n1", "of its own"),
    Row("empty ServiceCIDR", "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: k}\nspec: {}\n", 4, "spec.cidrs", "no range", "Write one range"),
    Row("bad ServiceCIDR", "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: k}\nspec: {cidrs: [10.96.0.0]}\n", 4, "spec.cidrs[0]", "not an address range", "ADDRESS/LENGTH"),
    Row("two IPv4 ranges", "apiVersion: networking.k8s.io/v1\nkind: ServiceCIDR\nmetadata: {name: k}\nspec: {cidrs: [10.96.0.0/16, 10.97.0.0/16]}\n", 4, "spec.cidrs[1]", "a second IPv4 range", "another ServiceCIDR"),
    # Pods and workloads
    Row("unknown node", NODE + "---\n" + POD + "spec: {nodeName: m1}\n", 8, "spec.nodeName", "there is no Node m1", "Add the Node, or use n1"),
    Row("node name", POD + "spec: {nodeName: M!}\n", 4, "spec.nodeName", '"M!"', "lower-case"),
    Row("Pod address", POD + "status: {podIP: 10.1.2}\n", 4, "status.podIP", '"10.1.2"', "10.0.0.5"),
    Row("Pod addresses differ", POD + "status: {podIP: 10.244.0.5, podIPs: [{ip: 10.244.0.6}]}\n", 4, "status.podIP", "differ", "same address in both"),
    Row("two IPv4 Pod addresses", POD + "status: {podIPs: [{ip: 10.244.0.5}, {ip: 10.244.0.6}]}\n", 4, "status.podIPs[1].ip", "a second IPv4 address", "one address of each"),
    Row("Pod address twice", POD + "status: {podIP: 10.244.0.5}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: q}\nstatus: {podIP: 10.244.0.5}\n", 9, "status", "address of Pod default/p, too, at f1.yaml: document 1, line 1", "its own address"),
    Row("Pod has the node's address", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n---\n" + POD + "status: {podIP: 10.0.0.1}\n", 9, "status", "address of Node n1", "hostNetwork"),
    Row("host network elsewhere", NODE + "status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}\n---\n" + POD + "spec: {hostNetwork: true}\nstatus: {podIP: 10.0.0.2}\n", 10, "status", "no address of Node n1", "node's address"),
    Row("container port", POD + "spec: {containers: [{ports: [{containerPort: 0}]}]}\n", 4, "spec.containers[0].ports[0].containerPort", "0 is not a port", "1 to 65535"),
    Row("container port name", POD + "spec: {containers: [{ports: [{containerPort: 80, name: '80'}]}]}\n", 4, "spec.containers[0].ports[0].name", '"80"', "one letter"),
    Row("container port name twice", POD + "spec: {containers: [{ports: [{containerPort: 80, name: a}, {containerPort: 81, name: a}]}]}\n", 4, "spec.containers[0].ports[1].name", "stands twice", "its own name"),
    Row("listening", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\n  annotations:\n    packetwalk.dev/listening: 8080/icmp\n", 6, 'metadata.annotations["packetwalk.dev/listening"]', '"8080/icmp" is not a socket', "8080, 53/udp"),
    Row("listening on 0", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {packetwalk.dev/listening: '0'}}\n", 3, 'metadata.annotations["packetwalk.dev/listening"]', '"0" is not a socket', "none"),
    Row("answers", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {packetwalk.dev/answers: 'no'}}\n", 3, 'metadata.annotations["packetwalk.dev/answers"]', "neither true nor false", '"true" or "false"'),
    Row("our annotation misspelt", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {packetwalk.dev/listen: '80'}}\n", 3, 'metadata.annotations["packetwalk.dev/listen"]', "there is no annotation", "packetwalk.dev/listening, packetwalk.dev/answers or packetwalk.dev/ready"),
    Row("no template", DEPLOY + "spec: {selector: {matchLabels: {a: b}}}\n", 4, "spec.template", "no Pod template", "Add spec.template"),
    Row("no selector", DEPLOY + "spec: {template: {metadata: {labels: {a: b}}}}\n", 4, "spec.selector", "selector is missing", "matchLabels"),
    Row("selector of others", DEPLOY + "spec:\n  selector: {matchLabels: {a: c}}\n  template: {metadata: {labels: {a: b}}}\n", 5, "spec.selector", "does not select", "same labels"),
    Row("selector operator", DEPLOY + "spec:\n  selector: {matchExpressions: [{key: a, operator: Is}]}\n  template: {metadata: {labels: {a: b}}}\n", 5, "spec.selector.matchExpressions[0].operator", '"Is"', "In, NotIn, Exists or DoesNotExist"),
    Row("negative replicas", DEPLOY + "spec: {replicas: -1, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n", 4, "spec.replicas", "-1 replicas", "0 or more"),
    Row("ordinals", DEPLOY.replace("Deployment", "StatefulSet") + "spec: {ordinals: {start: -1}, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n", 4, "spec.ordinals.start", "below 0", "0 or more"),
    Row("a million replicas", DEPLOY + "spec: {replicas: 1000000, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\n", 4, "spec.replicas", "more than 100,000", "fewer replicas"),
    Row("podCIDR full", NODE + "spec: {podCIDR: 10.244.1.0/30}\n---\n" + DEPLOY + "spec: {replicas: 2, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {}}}\n", 9, "spec.template.spec", "no address is left in podCIDR 10.244.1.0/30", "larger podCIDR"),
    # EndpointSlice and Endpoints
    Row("slice of nobody", "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: s}\naddressType: IPv4\n", 3, "metadata.labels", "belongs to no Service", "kubernetes.io/service-name"),
    Row("address type", SLICE + "addressType: IP\n", 4, "addressType", '"IP"', "IPv4, IPv6 or FQDN"),
    Row("IPv6 in an IPv4 slice", SLICE + "addressType: IPv4\nendpoints:\n- addresses: ['fd00::5']\n", 6, "endpoints[0].addresses[0]", "fd00::5 is no IPv4 address", "the other addressType"),
    Row("endpoint address", SLICE + "addressType: IPv4\nendpoints:\n- addresses: [10.0.0.999]\n", 6, "endpoints[0].addresses[0]", "not an IP address", "10.0.0.5"),
    Row("endpoint on loopback", SLICE + "addressType: IPv4\nendpoints:\n- addresses: [127.0.0.1]\n", 6, "endpoints[0].addresses[0]", "loopback", "other machines"),
    Row("endpoint without address", SLICE + "addressType: IPv4\nendpoints:\n- addresses: []\n", 6, "endpoints[0].addresses", "0 addresses", "one address"),
    Row("endpoint port", SLICE + "addressType: IPv4\nports: [{port: 70000}]\n", 5, "ports[0].port", "70000", "1 to 65535"),
    Row("endpoint port name", SLICE + "addressType: IPv4\nports: [{port: 80, name: A}]\n", 5, "ports[0].name", '"A"', "lower-case"),
    Row("endpoint port names", SLICE + "addressType: IPv4\nports: [{port: 80}, {port: 81}]\n", 5, "ports[1].name", '"" stands twice', "its own name"),
    Row("ready in quotes", SLICE + "addressType: IPv4\nendpoints:\n- addresses: [10.0.0.5]\n  conditions: {ready: 'yes'}\n", 7, "endpoints[0].conditions.ready", "must be true or false", "without quotes"),
    Row("too many endpoints", SLICE + "addressType: IPv4\nendpoints: [" + ", ".join(["{addresses: [10.0.0.5]}"] * 1001) + "]\n", 5, "endpoints", "1,001 endpoints", "at most 1,000"),
    Row("old endpoint", "apiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\nsubsets: [{addresses: [{ip: x}]}]\n---\n" + SERVICE + PORTS, 4, "subsets[0].addresses[0].ip", '"x"', "10.0.0.5"),
    # kube-proxy
    Row("mode", PROXY + "mode: ebpf\n", 3, "mode", '"ebpf"', "userspace, iptables, ipvs or nftables"),
    Row("windows mode", PROXY + "mode: kernelspace\n", 3, "mode", '"kernelspace"', "iptables"),
    Row("clusterCIDR", PROXY + "clusterCIDR: 10.244.0.0\n", 3, "clusterCIDR", "not an address range", "ADDRESS/LENGTH"),
    Row("two IPv4 clusterCIDRs", PROXY + "clusterCIDR: 10.1.0.0/16,10.2.0.0/16\n", 3, "clusterCIDR", "a second IPv4 range", "one of each"),
    Row("detectLocalMode", PROXY + "detectLocalMode: PodCIDR\n", 3, "detectLocalMode", '"PodCIDR"', "NodeCIDR"),
    Row("no bridge", PROXY + "detectLocalMode: BridgeInterface\n", 1, "detectLocal.bridgeInterface", "needs a name", "detectLocal.bridgeInterface"),
    Row("long prefix", PROXY + "detectLocal: {interfaceNamePrefix: abcdefghijklmnop}\n", 3, "detectLocal.interfaceNamePrefix", "no interface name", "15"),
    Row("mark bit", PROXY + "iptables: {masqueradeBit: 32}\n", 3, "iptables.masqueradeBit", "32", "0 to 31"),
    Row("nftables mark bit", PROXY + "nftables: {masqueradeBit: -1}\n", 3, "nftables.masqueradeBit", "-1", "0 to 31"),
    Row("scheduler", PROXY + "ipvs: {scheduler: lblc}\n", 3, "ipvs.scheduler", '"lblc" is not modelled', "rr, wrr, lc, wlc, sh, dh, mh, sed or nq"),
    Row("excludeCIDRs", PROXY + "ipvs: {excludeCIDRs: [x]}\n", 3, "ipvs.excludeCIDRs[0]", '"x"', "ADDRESS/LENGTH"),
    Row("primary with others", PROXY + "nodePortAddresses: [primary, 10.0.0.0/8]\n", 3, "nodePortAddresses", "must stand alone", "[primary]"),
    Row("nodePortAddresses", PROXY + "nodePortAddresses: [10.0.0.1]\n", 3, "nodePortAddresses[0]", "not an address range", "ADDRESS/LENGTH"),
    Row("bindAddress", PROXY + "bindAddress: all\n", 3, "bindAddress", '"all"', "10.0.0.5"),
    Row("portRange", PROXY + "portRange: 9-1\n", 3, "portRange", "no port range", "FIRST-LAST"),
    Row("two configurations", PROXY + "---\n" + PROXY, 5, "kind", "the first is at f1.yaml: document 1, line 1", "Keep one"),
    Row("ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n  config.conf: |\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n    kind: KubeProxyConfiguration\n    mode: ebpf\n", 8, 'data["config.conf"].mode', '"ebpf"', "iptables"),
    Row("broken ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n  config.conf: |\n    mode: [\n", 7, 'data["config.conf"]', "not YAML", "Mend the syntax"),
    Row("ConfigMap of another kind", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n  config.conf: |\n    kind: Pod\n", 6, 'data["config.conf"]', "holds no KubeProxyConfiguration", "apiVersion, kind"),
    Row("ConfigMap of another version", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n  config.conf: |\n    kind: KubeProxyConfiguration\n    apiVersion: v1\n", 7, 'data["config.conf"].apiVersion', "no KubeProxyConfiguration in", "v1alpha1"),
    # FlowTest
    Row("unknown field", FLOW + "    expects: {}\n    expect: {outcome: delivered}\n", 8, "spec.flows[0].expects", "there is no such field", "name, from, via, to, protocol, again_after or expect"),
    Row("unknown field of spec", FLOW + "    expect: {outcome: delivered}\n  node: a\n", 9, "spec.node", "there is no such field", "mode, modes or flows"),
    Row("unknown field of expect", FLOW + "    expect: {outcomes: delivered}\n", 8, "spec.flows[0].expect.outcomes", "no such field", "outcome, endpoints, masqueraded or sticky"),
    Row("no from", FLOWS + "spec: {flows: [{to: a, expect: {outcome: dropped}}]}\n", 4, "spec.flows[0].from", '"from" is missing', "Add it"),
    Row("no flows", FLOWS + "spec: {flows: []}\n", 4, "spec.flows", "no flow to test", "Add flows"),
    Row("no spec", FLOWS, 1, "spec", '"spec" is missing', "Add it"),
    Row("outcome", FLOW + "    expect: {outcome: accepted}\n", 8, "spec.flows[0].expect.outcome", '"accepted"', "delivered, rejected, dropped, refused or unanswered"),
    Row("nothing expected", FLOW + "    expect: {}\n", 8, "spec.flows[0].expect", "nothing is expected", "Add outcome"),
    Row("test mode", FLOW + "    expect: {outcome: dropped}\n  mode: ebpf\n", 9, "spec.mode", '"ebpf"', "nftables"),
    Row("one of the modes", FLOW + "    expect: {outcome: dropped}\n  modes: [ipvs, ebpf]\n", 9, "spec.modes[1]", '"ebpf"', "nftables"),
    Row("mode and modes", FLOW + "    expect: {outcome: dropped}\n  mode: ipvs\n  modes: [ipvs]\n", 10, "spec.modes", "both mode and modes", "Keep one"),
    Row("flow protocol", FLOW + "    protocol: ICMP\n    expect: {outcome: dropped}\n", 8, "spec.flows[0].protocol", '"ICMP"', "TCP, UDP or SCTP"),
    Row("via", FLOW + "    via: nowhere\n    expect: {outcome: dropped}\n", 8, "spec.flows[0].via", 'no Node "nowhere"', "Name the node"),
    Row("empty end", FLOWS + "spec: {flows: [{from: '', to: a, expect: {outcome: dropped}}]}\n", 4, "spec.flows[0].from", "no end of a flow", "NAMESPACE/POD"),
    Row("expected endpoint", FLOW + "    expect: {endpoints: [10.0.0.5]}\n", 8, "spec.flows[0].expect.endpoints[0]", "no endpoint", "IP:PORT"),
    Row("second connection too late", FLOW + "    again_after: 172801\n    expect: {sticky: true}\n", 8, "spec.flows[0].again_after", "172801 seconds", "Write 0 to 172800"),
    Row("second connection before the first", FLOW + "    again_after: -1\n    expect: {sticky: true}\n", 8, "spec.flows[0].again_after", "-1 seconds", "Write 0 to 172800"),
    Row("second connection for nothing", FLOW + "    again_after: 5\n    expect: {outcome: delivered}\n", 8, "spec.flows[0].again_after", "only where expect.sticky", "leave again_after out"),
    Row("sticky as a word", FLOW + "    expect: {sticky: ClientIP}\n", 8, "spec.flows[0].expect.sticky", '"ClientIP"', "true or false"),
    Row("IPv6 endpoint", FLOW + "    expect: {endpoints: ['fd00::5:80']}\n", 8, "spec.flows[0].expect.endpoints[0]", "no endpoint", "[IP]:PORT"),
]  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_bad_input_is_refused_with_its_place_and_cure(row: Row) -> None:
    found = problems(row.text)
    assert len(found) == 1, [str(one) for one in found]
    (problem,) = found
    assert (problem.file, problem.line, problem.field) == ("f1.yaml", row.line, row.field), str(problem)
    assert row.message in problem.message
    assert any(cure in problem.cure for cure in row.cure.split("|")), problem.cure
    assert len(str(problem)) < 600


def test_every_problem_of_every_file_is_told_at_once() -> None:
    first = SERVICE + "  ports: [{port: 0}]\n---\nkind: [\n---\n" + POD + "spec: {nodeName: M!}\n"
    found = problems(first, "hello\n")
    assert [(one.file, one.document, one.line) for one in found] == [
        ("f1.yaml", 1, 5),
        ("f1.yaml", 2, 8),
        ("f1.yaml", 3, 12),
        ("f2.yaml", 1, 1),
    ]


def test_a_problem_reads_as_file_document_line_field_message_and_cure() -> None:
    (problem,) = problems(POD + "---\n" + SERVICE + "  ports:\n  - {port: 0}\n")
    assert str(problem) == (
        "f1.yaml: document 2, line 10, spec.ports[0].port: 0 is not a port. Write a number from 1 to 65535."
    )


def test_the_items_of_a_list_have_their_own_lines() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: A\n"
    (problem,) = problems(text)
    assert (problem.line, problem.field) == (7, "metadata.name")


def test_a_bad_object_is_not_also_missing() -> None:
    """A Pod on a node whose document is wrong makes no second error."""
    (problem,) = problems(NODE + "spec: {podCIDR: 5}\n---\n" + POD + "spec: {nodeName: n1}\n")
    assert problem.field == "spec.podCIDR"


def test_a_flood_of_problems_is_cut() -> None:
    ports = ", ".join(["{port: 0}"] * 3000)
    found = problems(SERVICE + f"  ports: [{ports}]\n")
    assert len(found) == 1001
    assert "more problems" in found[-1].message


@pytest.mark.parametrize("data", [b"\xff\xfe", "kind: Pod\n".encode("utf-16")])
def test_bytes_that_are_not_utf8_are_refused(data: bytes) -> None:
    with pytest.raises(ManifestError) as caught:
        source_from_bytes("f.yaml", b"a: 1\n" + data)
    (problem,) = caught.value.problems
    assert (problem.line, problem.cure) == (2, "Save the file as UTF-8, without NUL characters")


def test_too_much_input_is_refused() -> None:
    text = "# " + "x" * (17 * 1024 * 1024)
    with pytest.raises(ManifestError, match="exceed 32 MiB"):
        load([Source("a", text), Source("b", text)])


def test_too_many_documents_are_refused() -> None:
    (problem,) = problems("---\n" * 100_001)
    assert "more than 100,000 documents" in problem.message


def test_too_many_objects_are_refused() -> None:
    items = "- {apiVersion: v1, kind: Secret, metadata: {name: x}}\n" * 100_001
    (problem,) = problems("apiVersion: v1\nkind: List\nitems:\n" + items)
    assert "more than 100,000 objects" in problem.message


def test_selectors_cannot_be_made_to_look_at_endless_pods() -> None:
    pods = "".join(f"- {{apiVersion: v1, kind: Pod, metadata: {{name: p{i}, labels: {{a: b}}}}}}\n" for i in range(150))
    spec = "spec: {clusterIP: None, selector: {a: b}}"
    services = "".join(f"- {{apiVersion: v1, kind: Service, metadata: {{name: s{i}}}, {spec}}}\n" for i in range(7000))
    found = problems("apiVersion: v1\nkind: List\nitems:\n" + pods + services)
    assert "look at more than 1,000,000 Pods" in found[0].message


def test_podcidrs_run_out() -> None:
    nodes = "".join(f"- {{apiVersion: v1, kind: Node, metadata: {{name: n{i}}}}}\n" for i in range(257))
    pod = "- {apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n256}}\n"
    (problem,) = problems("apiVersion: v1\nkind: List\nitems:\n" + nodes + pod)
    assert (problem.line, problem.message) == (260, "no podCIDR is left in 10.244.0.0/16")


def test_annotations_have_a_limit() -> None:
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p, annotations: {{a: {'x' * 262_144}}}}}\n"
    (problem,) = problems(text)
    assert problem.field == "metadata.annotations"


def test_demands_on_nodes_have_a_limit() -> None:
    pods = "".join(
        f"- {{apiVersion: v1, kind: Pod, metadata: {{name: p{i}}}, spec: {{nodeSelector: {{a: x{i}}}}}}}\n"
        for i in range(1001)
    )
    (problem,) = problems("apiVersion: v1\nkind: List\nitems:\n" + pods)
    assert "more than 1,000 different nodeSelectors" in problem.message
