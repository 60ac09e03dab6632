"""Rule: kube-proxy's configuration is what its file says, completed by its defaults."""

from __future__ import annotations

from textwrap import indent

import pytest

from packetsim.cluster.model import ProxyConfiguration
from tests.packetsim.cluster.loading import NODES, cluster, documents, manifests

HEAD = "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\n"

ADDRESSES = "{addresses: [{type: InternalIP, address: 192.168.219.10}]}"


def proxy(text: str, nodes: str = NODES) -> ProxyConfiguration:
    return cluster(nodes, HEAD + text).proxy


def config_map(text: str) -> str:
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kube-proxy, namespace: kube-system}\ndata:\n"
    return f"{head}  kubeconfig.conf: x\n  config.conf: |-\n{indent(text, '    ')}\n"


def node(name: str, cidr: str) -> str:
    return f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}}}\nspec: {{podCIDR: {cidr}}}\n"


def test_without_a_configuration_there_are_the_defaults() -> None:
    assert cluster(NODES).proxy == ProxyConfiguration(cluster_cidrs=("10.244.0.0/16",))


def test_an_empty_configuration_has_the_same_defaults() -> None:
    for text in ("", "iptables: {}\nipvs: null\nnftables: {masqueradeBit: null}\n"):
        assert proxy(text) == ProxyConfiguration(cluster_cidrs=("10.244.0.0/16",), origin="f2.yaml")


def test_every_field_that_changes_traffic_is_read() -> None:
    found = proxy("""
mode: ipvs
clusterCIDR: 10.1.2.3/16, fd00::1/48
detectLocalMode: BridgeInterface
detectLocal: {bridgeInterface: cni0, interfaceNamePrefix: veth}
nodePortAddresses: [192.168.10.0/24, 127.0.0.1/8]
iptables: {masqueradeAll: true, masqueradeBit: 15, localhostNodePorts: false, syncPeriod: 30s}
ipvs: {scheduler: sh, strictARP: true, excludeCIDRs: [10.9.0.0/16]}
nftables: {masqueradeAll: false, masqueradeBit: 16}
bindAddress: 0.0.0.0
portRange: 30000+100
conntrack: {maxPerCore: null}
featureGates: {X: true}
""")
    assert found == ProxyConfiguration(
        mode="ipvs",
        cluster_cidrs=("10.1.0.0/16", "fd00::/48"),
        detect_local_mode="BridgeInterface",
        bridge_interface="cni0",
        interface_name_prefix="veth",
        node_port_addresses=("192.168.10.0/24", "127.0.0.0/8"),
        masquerade_all=True,
        masquerade_bit=15,
        localhost_node_ports=False,
        ipvs_scheduler="sh",
        ipvs_strict_arp=True,
        ipvs_exclude_cidrs=("10.9.0.0/16",),
        bind_address="0.0.0.0",
        proxy_port_range="30000-30100",
        origin="f2.yaml",
        nftables_masquerade_bit=16,
    )


def test_each_mode_reads_its_own_section_for_masquerading() -> None:
    found = proxy("iptables: {masqueradeAll: true}\nnftables: {masqueradeBit: 5}\n")
    seen = {mode: found.for_mode(mode) for mode in ("userspace", "iptables", "ipvs", "nftables")}
    assert {mode: (one.masquerade_all, one.masquerade_bit) for mode, one in seen.items()} == {
        "userspace": (True, 14),
        "iptables": (True, 14),
        "ipvs": (True, 14),
        "nftables": (False, 5),
    }
    assert [one.mode for one in seen.values()] == list(seen)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", ""), ("''", ""), ("0-0", ""), ("'100'", "100-100"), ("100-200", "100-200"), ("100+5", "100-105")],
)
def test_port_ranges(text: str, wanted: str) -> None:
    assert proxy(f"portRange: {text}\n").proxy_port_range == wanted


def test_primary_stands_for_the_nodes_own_addresses() -> None:
    assert proxy("nodePortAddresses: [primary]\n").node_port_addresses == ("primary",)


def test_the_config_map_of_a_real_cluster_is_read() -> None:
    found = manifests(NODES, config_map(HEAD + "mode: nftables\nclusterCIDR: 10.244.0.0/16\n"))
    assert (found.cluster.proxy.mode, found.cluster.proxy.origin, found.notices) == ("nftables", "f2.yaml", ())


def test_a_document_goes_before_the_config_map() -> None:
    found = manifests(NODES, documents(config_map(HEAD + "mode: nftables\n"), HEAD + "mode: ipvs\n"))
    assert found.cluster.proxy.mode == "ipvs"
    assert "goes before the one in ConfigMap" in found.notices[0]


def test_other_config_maps_are_noticed_once() -> None:
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {config.conf: x}\n"
    notices = manifests(NODES, documents(text, text.replace("name: a", "name: b"))).notices
    assert len(notices) == 1
    assert "(2 times, first f2.yaml: document 1, line 1)" in notices[0]


@pytest.mark.parametrize(
    ("cidrs", "configured", "wanted"),
    [
        (("10.244.1.0/24", "10.244.2.0/24"), False, ("10.244.0.0/16",)),
        (("10.244.1.0/24", "10.244.2.0/24"), True, ("10.244.0.0/16",)),
        (("10.42.0.0/24", "10.42.1.0/24"), False, ("10.42.0.0/23",)),
        (("10.42.0.0/24", "10.42.1.0/24"), True, ()),
        (("10.0.0.0/24", "172.16.0.0/24"), False, ()),
        (("fd00:10:244:1::/64", "fd00:10:244:2::/64"), False, ("fd00:10:244::/56",)),
        (("fd01::/64", "fd01:0:0:1::/64"), False, ("fd01::/63",)),
    ],
)
def test_the_cluster_cidr_that_is_not_written(cidrs: tuple[str, str], configured: bool, wanted: tuple[str]) -> None:
    texts = [node(f"n{place}", f"'{cidr}'") for place, cidr in enumerate(cidrs)]
    found = manifests(documents(*texts, *([HEAD] if configured else [])))
    assert found.cluster.proxy.cluster_cidrs == wanted
    told = any("no KubeProxyConfiguration among the manifests" in notice for notice in found.notices)
    assert told is (not configured and "244" not in cidrs[0])


@pytest.mark.parametrize(
    ("spec", "config", "wanted", "told"),
    [
        ("", "", (), "no Pod counts as local"),  # the VPC gives Pods their addresses, as in EKS
        ("", HEAD, (), ""),
        ("{podCIDR: 192.168.0.0/24}", "", ("192.168.0.0/16",), "from the podCIDRs and Pods"),  # Calico's blocks
        ("{podCIDR: 10.244.0.0/24}", HEAD, (), ""),
    ],
)
def test_pods_elsewhere_than_in_the_podcidrs(spec: str, config: str, wanted: tuple[str, ...], told: str) -> None:
    host = f"apiVersion: v1\nkind: Node\nmetadata: {{name: n1}}\nspec: {spec or '{}'}\nstatus: {ADDRESSES}\n"
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: n1}\nstatus: {podIP: 192.168.219.70}\n"
    found = manifests(documents(host, pod, *([config] if config else [])))
    assert found.cluster.proxy.cluster_cidrs == wanted
    notices = [one for one in found.notices if "no KubeProxyConfiguration among the manifests" in one]
    assert told in "".join(notices)
    assert len(notices) == bool(told)


def test_an_override_of_the_host_name_is_noticed() -> None:
    assert "hostnameOverride is not modelled" in manifests(NODES, HEAD + "hostnameOverride: x\n").notices[0]
