"""Rule: kube-proxy's configuration is judged as kube-proxy judges it, and completed as kubeadm completes it.

pkg/proxy/apis/config/validation/validation.go (Kubernetes 1.35). A cluster keeps it in the ConfigMap
kube-system/kube-proxy, which is read too; a KubeProxyConfiguration document goes before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from packetsim.addresses import family_of, network
from packetsim.cluster import schemas
from packetsim.cluster.decoding import decode
from packetsim.cluster.documents import Fields, Source, read_documents
from packetsim.cluster.model import ProxyConfiguration
from packetsim.cluster.objects import KINDS, Object, Objects
from packetsim.cluster.parsing import cidr_refusal, family_name, ip_refusal, parse_cidr, parse_ip
from packetsim.cluster.places import Path, Place, Report, one_of, shown
from packetsim.cluster.podcidrs import CLUSTER_CIDRS, Host, pod_ips_by_node
from packetsim.cluster.service_ranges import covering
from packetsim.errors import Problem

MODES = ("userspace", "iptables", "ipvs", "nftables")
DETECT_LOCAL_MODES = ("ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix")
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "sh", "dh", "mh", "sed", "nq")
PRIMARY = "primary"
_KIND = "KubeProxyConfiguration"
_CONFIG = "config.conf"
_PORT_RANGE = re.compile(r"\s*([0-9]{1,5})\s*(?:([-+])\s*([0-9]{1,5})\s*)?")
_MAX_INTERFACE = 15  # IFNAMSIZ less its NUL
_WIDEST = {4: 8, 6: 16}  # a cluster CIDR that we guess is no wider

Configuration = tuple[schemas.KubeProxyConfiguration, Place]


def read_proxy(objects: Objects, hosts: list[Host], families: tuple[int, ...], report: Report) -> ProxyConfiguration:
    """The cluster's one configuration, or kube-proxy's defaults."""
    found = [_read(shape, place, report) for shape, place in _find(objects, report)]
    if not found:
        return ProxyConfiguration(cluster_cidrs=_default_cidrs(objects, hosts, families, report))
    proxy = found[0]
    return replace(proxy, cluster_cidrs=proxy.cluster_cidrs or _default_cidrs(objects, hosts, families, None))


def _read(shape: schemas.KubeProxyConfiguration, place: Place, report: Report) -> ProxyConfiguration:
    detect, mode = shape.detect_local or schemas.DetectLocal(), shape.detect_local_mode or "ClusterCIDR"
    iptables = shape.iptables or schemas.IptablesSection()
    ipvs, nftables = shape.ipvs or schemas.IpvsSection(), shape.nftables or schemas.NftablesSection()
    _check_words(shape, detect, ipvs, place, report)
    if shape.hostname_override:
        report.notice("hostnameOverride is not modelled: each kube-proxy has its node's name", place)
    return ProxyConfiguration(
        mode=shape.mode or "",
        cluster_cidrs=_cluster_cidrs(shape, place, report),
        detect_local_mode=mode,
        bridge_interface=detect.bridge_interface or "",
        interface_name_prefix=detect.interface_name_prefix or "",
        node_port_addresses=_node_port_addresses(shape.node_port_addresses or [], place, report),
        masquerade_all=bool(iptables.masquerade_all),
        masquerade_bit=_bit(iptables.masquerade_bit, place, ("iptables", "masqueradeBit"), report),
        localhost_node_ports=iptables.localhost_node_ports is not False,
        ipvs_scheduler=ipvs.scheduler or "rr",
        ipvs_strict_arp=bool(ipvs.strict_arp),
        ipvs_exclude_cidrs=_cidrs(ipvs.exclude_cidrs or [], place, ("ipvs", "excludeCIDRs"), report),
        bind_address=_bind_address(shape.bind_address or "", place, report),
        proxy_port_range=_port_range(shape.port_range or "", place, report),
        origin=place.file,
        nftables_masquerade_all=bool(nftables.masquerade_all),
        nftables_masquerade_bit=_bit(nftables.masquerade_bit, place, ("nftables", "masqueradeBit"), report),
    )


def _find(objects: Objects, report: Report) -> list[Configuration]:
    """Every configuration. The first counts; the others are read for their faults alone."""
    from_maps: list[Configuration] = []
    for one in objects.config_maps:
        if one.key == ("kube-system", "kube-proxy") and one.data.data and one.data.data.get(_CONFIG):
            from_maps.extend(_inside(one, one.data.data[_CONFIG] or "", report))
        else:
            report.notice("ConfigMaps other than kube-system/kube-proxy have no part in this model: skipped", one.place)
    documents = [(one.data, one.place) for one in objects.proxy_configurations]
    for _, place in documents[1:]:
        message = f"a second {_KIND}, the first is at {documents[0][1]}"
        report.problem(place, ("kind",), message, "Keep one: all nodes share it")
    if documents and from_maps:
        report.notice(f"the {_KIND} document goes before the one in ConfigMap kube-system/kube-proxy", from_maps[0][1])
    return [*documents, *from_maps]


def _inside(one: Object[schemas.ConfigMap], text: str, report: Report) -> Iterator[Configuration]:
    """The configuration in `data["config.conf"]`: a YAML document inside a YAML document."""
    line = one.place.line(("data", _CONFIG))
    prefix = f'data["{_CONFIG}"]'
    problems: list[Problem] = []
    for document in read_documents([Source(one.place.file, text)], problems):
        place = Place(one.place.file, one.place.document, document.value, document.line, prefix, line)
        fields = document.value
        if not isinstance(fields, Fields) or fields.get("kind") != _KIND:
            report.problem(place, (), f"{_CONFIG} holds no {_KIND}", "Write apiVersion, kind and its fields there")
        elif fields.get("apiVersion") not in KINDS[_KIND].api_versions:
            message = f"there is no {_KIND} in {shown(fields.get('apiVersion'))}"
            report.problem(place, ("apiVersion",), message, f"Use {one_of(KINDS[_KIND].api_versions)}")
        else:
            yield decode(schemas.KubeProxyConfiguration, fields, place, report), place
    for problem in problems:
        place = Place(one.place.file, one.place.document, None, problem.line, prefix, line)
        report.problem(place, (), problem.message, problem.cure)


def _check_words(
    shape: schemas.KubeProxyConfiguration,
    detect: schemas.DetectLocal,
    ipvs: schemas.IpvsSection,
    place: Place,
    report: Report,
) -> None:
    mode = shape.detect_local_mode or "ClusterCIDR"
    if shape.mode and shape.mode not in MODES:
        report.problem(place, ("mode",), f"there is no proxy mode {shown(shape.mode)} here", f"Use {one_of(MODES)}")
    if mode not in DETECT_LOCAL_MODES:
        message = f"there is no detectLocalMode {shown(mode)}"
        report.problem(place, ("detectLocalMode",), message, f"Use {one_of(DETECT_LOCAL_MODES)}")
    if ipvs.scheduler and ipvs.scheduler not in SCHEDULERS:
        message = f"the IPVS scheduler {shown(ipvs.scheduler)} is not modelled"
        report.problem(place, ("ipvs", "scheduler"), message, f"Use {one_of(SCHEDULERS)}")
    for wanting, field, name in (
        ("BridgeInterface", "bridgeInterface", detect.bridge_interface),
        ("InterfaceNamePrefix", "interfaceNamePrefix", detect.interface_name_prefix),
    ):
        if mode == wanting and not name:
            message = f"detectLocalMode {wanting} needs a name"
            report.problem(place, ("detectLocal", field), message, f"Add detectLocal.{field}")
        if name and (len(name) > _MAX_INTERFACE or not re.fullmatch(r"[^\s/\"\\]+", name)):
            message = f"{shown(name)} is no interface name"
            report.problem(place, ("detectLocal", field), message, f"Use at most {_MAX_INTERFACE} plain characters")


def _cluster_cidrs(shape: schemas.KubeProxyConfiguration, place: Place, report: Report) -> tuple[str, ...]:
    found: dict[int, str] = {}
    for text in (shape.cluster_cidr or "").split(",") if shape.cluster_cidr else []:
        cidr = parse_cidr(text.strip())
        if cidr is None:
            report.problem(place, ("clusterCIDR",), *cidr_refusal(text))
        elif family_of(cidr) in found:
            message = f"a second {family_name(family_of(cidr))} range"
            report.problem(place, ("clusterCIDR",), message, "Write at most one of each family, with a comma between")
        else:
            found[family_of(cidr)] = cidr
    return tuple(found.values())


def _default_cidrs(
    objects: Objects, hosts: list[Host], families: tuple[int, ...], report: Report | None
) -> tuple[str, ...]:
    """The cluster CIDR that kubeadm would have written; without a configuration a guess, which `report` is told."""
    found = []
    strays = list(_strays(objects, hosts))
    for family in families:
        cidrs = [cidr for host in hosts if (cidr := host.node.pod_cidr(family))]
        usual = network(CLUSTER_CIDRS[family])
        stray = [ip for ip in strays if family_of(ip) == family]
        if not stray and all(usual.first <= network(cidr).first and network(cidr).last <= usual.last for cidr in cidrs):
            found.append(usual.text)
        elif report is not None:
            allocated = any(host.stated_cidrs for host in hosts)  # else the network gives addresses, as EKS's does
            guess = covering([*cidrs, *stray], 128 if family == 6 else 32, _WIDEST[family]) if allocated else None
            found += [guess] if guess else []
            where = "the podCIDRs and Pods" if stray else "the podCIDRs"
            told = f"from {where} clusterCIDR is taken to be {guess}" if guess else "no Pod counts as local"
            report.notice(f"no KubeProxyConfiguration among the manifests: {told}")
    return tuple(found)


def _strays(objects: Objects, hosts: list[Host]) -> Iterator[str]:
    """Addresses written for Pods that are not of their node's podCIDRs: some other allocator gave them."""
    written = pod_ips_by_node(objects)
    for host in hosts:
        cidrs = [network(cidr) for cidr in host.node.pod_cidrs]
        for ip in written.get(host.node.name, ()):
            if not any(ip in cidr for cidr in cidrs):
                yield ip


def _bit(bit: int | None, place: Place, path: Path, report: Report) -> int:
    if bit is not None and not 0 <= bit <= 31:
        report.problem(place, path, f"there is no mark bit {shown(bit)}", "Write 0 to 31, or leave it out for 14")
    return 14 if bit is None else bit


def _cidrs(texts: list[str], place: Place, path: Path, report: Report) -> tuple[str, ...]:
    found = []
    for index, text in enumerate(texts):
        cidr = parse_cidr(text)
        if cidr is None:
            report.problem(place, (*path, index), *cidr_refusal(text))
        else:
            found.append(cidr)
    return tuple(found)


def _node_port_addresses(texts: list[str], place: Place, report: Report) -> tuple[str, ...]:
    path: Path = ("nodePortAddresses",)
    if texts == [PRIMARY]:
        return (PRIMARY,)
    if PRIMARY in texts:
        report.problem(place, path, f"{PRIMARY} must stand alone", f"Write [{PRIMARY}], or address ranges alone")
        return ()
    return _cidrs(texts, place, path, report)


def _bind_address(text: str, place: Place, report: Report) -> str:
    ip = parse_ip(text) if text else ""
    if ip is None:
        report.problem(place, ("bindAddress",), *ip_refusal(text))
    return ip or ""


def _port_range(text: str, place: Place, report: Report) -> str:
    """`A-B`, `A+N` or `A` (apimachinery util/net ParsePortRange); 0 and nothing mean any port."""
    match = _PORT_RANGE.fullmatch(text)
    if not text:
        return ""
    first = int(match[1]) if match else -1
    last = first
    if match and match[2]:
        last = int(match[3]) + (first if match[2] == "+" else 0)
    if not 0 <= first <= last <= 65535:
        message = f"{shown(text)} is no port range"
        report.problem(place, ("portRange",), message, "Write FIRST-LAST, like 30000-32767, or leave it out")
    return "" if last <= 0 else f"{first}-{last}"
