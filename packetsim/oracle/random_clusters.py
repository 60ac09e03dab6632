"""Rule: the same seed and number make the same cluster, and every address in it is written out.

A cluster is made of features, each a small function in a table with how often it occurs; a reader of the
tables sees what the fuzz covers. Services stand in `random_services`. The text always loads.
"""

from __future__ import annotations

from random import Random

from packetsim.oracle import yaml_text
from packetsim.oracle.random_draft import Draft, Table, apply, host, pod_address, pod_range
from packetsim.oracle.random_services import add_service
from packetsim.oracle.yaml_text import Document

FAMILIES = ((4,), (4,), (4,), (6,), (4, 6), (6, 4))
ZONES = ("a", "b", "a", "b", "")
SERVICE_RANGES = {4: "10.96.0.0/16", 6: "fd00:10:96::/112"}
POD_RANGES = {4: "10.244.0.0/16", 6: "fd00:10:244::/48"}
CONTAINER_PORTS = (
    {"name": "http", "containerPort": 8080},
    {"name": "dns", "containerPort": 5353, "protocol": "UDP"},
    {"name": "sip", "containerPort": 5060, "protocol": "SCTP"},
)


def random_manifests(seed: int, number: int) -> str:
    """The YAML of the seed's cluster of this number."""
    chance = Random(f"{seed} {number}")
    draft = Draft(chance, chance.choice(FAMILIES))
    for index in range(1, chance.randint(2, 3) + 1):
        draft.nodes.append(_node(draft, index))
    for index in range(1, chance.randint(3, 8) + 1):
        draft.pods.append(_pod(draft, index))
    for index in range(1, chance.randint(1, 6) + 1):
        add_service(draft, index)
    ranges = {"cidrs": [SERVICE_RANGES[family] for family in draft.families]}
    head = [_object("networking.k8s.io/v1", "ServiceCIDR", {"name": "kubernetes"}, spec=ranges)]
    if chance.random() < 0.9:
        head.append(_configuration(draft))
    return yaml_text.write([*head, *draft.nodes, *draft.pods, *draft.services, *draft.slices])


def _object(version: str, kind: str, metadata: Document, **rest: Document) -> Document:
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def _node(draft: Draft, index: int) -> Document:
    zone = draft.chance.choice(ZONES)
    metadata: Document = {"name": f"node{index}"}
    if zone:
        metadata["labels"] = {"topology.kubernetes.io/zone": zone}
    ranges = [pod_range(family, index) for family in draft.families]
    addresses = [{"type": "InternalIP", "address": host("node", family, 10 + index)} for family in draft.families]
    status = {"addresses": addresses, "allocatable": {"cpu": draft.chance.choice(("2", "2", "8"))}}
    return _object("v1", "Node", metadata, spec={"podCIDR": ranges[0], "podCIDRs": ranges}, status=status)


# ---- Pods ---------------------------------------------------------------------------------------


def _pod(draft: Draft, index: int) -> Document:
    """The first Pod on a cluster is a plain client; the others serve, each with features of its own."""
    node = draft.chance.randint(1, len(draft.nodes))
    client = index == 1
    ports = [dict(one) for one in CONTAINER_PORTS]
    pod = _object(
        "v1",
        "Pod",
        {
            "name": "client" if client else f"pod{index}",
            "namespace": "shop",
            "labels": {"app": "client" if client else draft.chance.choice(("web", "web", "api")), "only": f"p{index}"},
            "annotations": {},
        },
        spec={"nodeName": f"node{node}", "containers": [{"name": "c", "ports": ports}]},
        status={"podIPs": [{"ip": pod_address(family, node, 9 + index)} for family in draft.families]},
    )
    if not client:
        apply(draft, POD_FEATURES, pod)
    pod["status"]["podIP"] = pod["status"]["podIPs"][0]["ip"]
    if not pod["metadata"]["annotations"]:
        del pod["metadata"]["annotations"]
    return pod


def not_ready(draft: Draft, pod: Document) -> None:
    pod["status"]["conditions"] = [{"type": "Ready", "status": "False"}]


def terminating(draft: Draft, pod: Document) -> None:
    pod["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"


def terminating_and_not_serving(draft: Draft, pod: Document) -> None:
    terminating(draft, pod)
    not_ready(draft, pod)


def not_listening(draft: Draft, pod: Document) -> None:
    pod["metadata"]["annotations"]["packetwalk.dev/listening"] = draft.chance.choice(("none", "5353/UDP", "8080"))


def gone(draft: Draft, pod: Document) -> None:
    """Its address is still in the EndpointSlice. A node's address is never gone."""
    if "hostNetwork" not in pod["spec"]:
        pod["metadata"]["annotations"]["packetwalk.dev/answers"] = "false"


def other_port_numbers(draft: Draft, pod: Document) -> None:
    """A named targetPort then leads to another number in this Pod."""
    pod["spec"]["containers"][0]["ports"][0]["containerPort"] = 8081


def on_the_nodes_network(draft: Draft, pod: Document) -> None:
    """At most one on a node: two would fight for the ports."""
    node = pod["spec"]["nodeName"]
    if any(other["spec"]["nodeName"] == node and "hostNetwork" in other["spec"] for other in draft.pods):
        return
    pod["spec"]["hostNetwork"] = True
    number = 10 + int(node.removeprefix("node"))
    pod["status"]["podIPs"] = [{"ip": host("node", family, number)} for family in draft.families]


POD_FEATURES: Table = (
    (0.12, on_the_nodes_network),
    (0.10, not_ready),
    (0.10, terminating),
    (0.05, terminating_and_not_serving),
    (0.08, not_listening),
    (0.08, gone),
    (0.25, other_port_numbers),
)


# ---- kube-proxy ---------------------------------------------------------------------------------


def _configuration(draft: Draft) -> Document:
    configuration: Document = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clusterCIDR": ",".join(POD_RANGES[family] for family in draft.families),
        "iptables": {},
        "nftables": {},
        "ipvs": {},
    }
    apply(draft, CONFIGURATION_FEATURES, configuration)
    return {key: value for key, value in configuration.items() if value != {}}


def narrow_cluster_range(draft: Draft, configuration: Document) -> None:
    """Pods of the other nodes then count as being outside the cluster."""
    configuration["clusterCIDR"] = ",".join(pod_range(family, 1) for family in draft.families)


def local_by_node_range(draft: Draft, configuration: Document) -> None:
    configuration["detectLocalMode"] = "NodeCIDR"


def local_by_bridge(draft: Draft, configuration: Document) -> None:
    configuration.update(detectLocalMode="BridgeInterface", detectLocal={"bridgeInterface": "cni0"})


def local_by_interface_prefix(draft: Draft, configuration: Document) -> None:
    prefix = draft.chance.choice(("veth", "cni"))
    configuration.update(detectLocalMode="InterfaceNamePrefix", detectLocal={"interfaceNamePrefix": prefix})


def node_port_addresses(draft: Draft, configuration: Document) -> None:
    choices = {
        4: ["192.168.10.0/24", "192.168.10.11/32", "127.0.0.0/8", "10.244.0.0/16", "0.0.0.0/0"],
        6: ["fd00:192:168:10::/64", "fd00:192:168:10::11/128", "::1/128", "fd00:10:244::/48", "::/0"],
    }
    ranges = [
        one for family in draft.families for one in draft.chance.sample(choices[family], draft.chance.randint(0, 2))
    ]
    configuration["nodePortAddresses"] = ranges or ["primary"]


def masquerade_all(draft: Draft, configuration: Document) -> None:
    configuration["iptables"]["masqueradeAll"] = configuration["nftables"]["masqueradeAll"] = True


def masquerade_bit(draft: Draft, configuration: Document) -> None:
    for section in ("iptables", "nftables"):
        configuration[section]["masqueradeBit"] = draft.chance.choice((0, 5, 15, 31))


def no_node_ports_on_loopback(draft: Draft, configuration: Document) -> None:
    configuration["iptables"]["localhostNodePorts"] = False


def ipvs_scheduler(draft: Draft, configuration: Document) -> None:
    schedulers = ("rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq")
    configuration["ipvs"]["scheduler"] = draft.chance.choice(schedulers)


def strict_arp(draft: Draft, configuration: Document) -> None:
    configuration["ipvs"]["strictARP"] = True


def exclude_ranges(draft: Draft, configuration: Document) -> None:
    configuration["ipvs"]["excludeCIDRs"] = ["10.96.100.128/25", "fd00:10:96::8000/113"]


CONFIGURATION_FEATURES: Table = (
    (0.10, narrow_cluster_range),
    (0.12, local_by_node_range),
    (0.12, local_by_bridge),
    (0.12, local_by_interface_prefix),
    (0.30, node_port_addresses),
    (0.15, masquerade_all),
    (0.20, masquerade_bit),
    (0.20, no_node_ports_on_loopback),
    (0.80, ipvs_scheduler),
    (0.20, strict_arp),
    (0.10, exclude_ranges),
)
