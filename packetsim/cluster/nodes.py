"""Rule: every node has an address and a podCIDR of each family; what is not written is given in order.

Addresses follow 192.168.10.11; podCIDRs are given in `podcidrs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_address
from itertools import count, pairwise

from packetsim.addresses import family_of, network, number_of
from packetsim.cluster import schemas
from packetsim.cluster.model import Node
from packetsim.cluster.names import dns_subdomain
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.parsing import cidr_refusal, family_name, ip_refusal, parse_cidr, parse_ip
from packetsim.cluster.places import Path, Report
from packetsim.cluster.podcidrs import Host, pod_ips_by_node, with_pod_cidrs

FIRST_ADDRESSES = {4: "192.168.10.11", 6: "fd00:192:168:10::11"}


def read_hosts(objects: Objects, families: tuple[int, ...], report: Report) -> list[Host]:
    """Every node, complete. Without Node documents those that Pods name, else node1 and node2."""
    hosts = [host for one in objects.nodes if (host := _read(one, report)) is not None]
    if not objects.nodes and not any(kind == "Node" for kind, _, _ in objects.declared):
        hosts = _made_up(objects, report)
    _check_addresses(hosts, report)
    _check_pod_cidrs(hosts, report)
    pod_ips = pod_ips_by_node(objects)
    hosts = _with_addresses(hosts, families, {ip for ips in pod_ips.values() for ip in ips})
    return with_pod_cidrs(hosts, families, pod_ips, report)


@dataclass(frozen=True, slots=True)
class NodeNames:
    """Which nodes there are, those with wrong documents among them. `unreadable`: some names are missing or wrong."""

    names: frozenset[str]
    unreadable: bool

    def __contains__(self, name: object) -> bool:
        return self.unreadable or name in self.names


def node_names(objects: Objects, complete: Iterable[str], report: Report) -> NodeNames:
    """The nodes that there are, or may be. `complete`: those read or made up."""
    declared = {name for kind, _, name in objects.declared if kind == "Node"}
    unreadable = any(not one.name or dns_subdomain(one.name) for one in objects.nodes)
    if not objects.nodes and not declared:  # then Pods say which nodes there are
        unreadable = not all(report.known(one.place, ("spec", "nodeName")) for one in objects.pods)
    return NodeNames(frozenset(declared.union(complete)), unreadable)


def _read(one: Object[schemas.Node], report: Report) -> Host | None:
    spec, status = one.data.spec or schemas.NodeSpec(), one.data.status or schemas.NodeStatus()
    addresses = _addresses(one, status, report)
    cidrs = _pod_cidrs(one, spec, report)
    ready = next((item.status == "True" for item in status.conditions or () if item.type == "Ready"), True)
    return Host(
        Node(one.name, addresses, cidrs, one.labels, ready),
        one.place,
        unschedulable=bool(spec.unschedulable),
        taints=tuple(spec.taints or ()),
        milli_cpu=milli_cpu((status.allocatable or {}).get("cpu", 0)),
        stated_cidrs=bool(cidrs),
    )


def milli_cpu(quantity: int | str) -> int:
    """`2`, `"2"`, `"1.5"` or `"1930m"` of CPU in thousandths; 0 when it says nothing we know."""
    text = str(quantity)
    try:
        return max(0, int(text[:-1]) if text.endswith("m") else int(float(text) * 1000))
    except (ValueError, OverflowError):
        return 0


def _addresses(one: Object[schemas.Node], status: schemas.NodeStatus, report: Report) -> tuple[str, ...]:
    """InternalIPs, or failing those ExternalIPs (GetNodeHostIPs): the first of each family, then the rest."""
    found: dict[str, list[str]] = {"InternalIP": [], "ExternalIP": []}
    for index, item in enumerate(status.addresses or ()):
        if item.type not in found:
            continue
        ip = parse_ip(item.address or "")
        if ip is None:
            report.problem(one.place, ("status", "addresses", index, "address"), *ip_refusal(item.address or ""))
        elif ip not in found[item.type]:
            found[item.type].append(ip)
    ips = found["InternalIP"] or found["ExternalIP"]
    first = {family_of(ip): ip for ip in reversed(ips)}
    heads = [ip for ip in ips if first[family_of(ip)] == ip]
    return (*heads, *(ip for ip in ips if ip not in heads))


def _pod_cidrs(one: Object[schemas.Node], spec: schemas.NodeSpec, report: Report) -> tuple[str, ...]:
    written: list[tuple[Path, str]] = [(("spec", "podCIDRs", i), text) for i, text in enumerate(spec.pod_cidrs or ())]
    if spec.pod_cidr and not written:
        written = [(("spec", "podCIDR"), spec.pod_cidr)]
    cidrs: dict[int, str] = {}
    for path, text in written:
        cidr = parse_cidr(text)
        if cidr is None:
            report.problem(one.place, path, *cidr_refusal(text))
            continue
        family = family_of(cidr)
        if family in cidrs:
            message = f"a second {family_name(family)} podCIDR"
            report.problem(one.place, path, message, "Keep one podCIDR of each family")
        cidrs.setdefault(family, cidr)
    if spec.pod_cidr and spec.pod_cidrs and parse_cidr(spec.pod_cidr) != parse_cidr(spec.pod_cidrs[0]):
        message, cure = "podCIDR and podCIDRs[0] differ", "Write the same range in both, or podCIDRs alone"
        report.problem(one.place, ("spec", "podCIDR"), message, cure, rests_on=[("spec", "podCIDRs", 0)])
    return tuple(cidrs.values())


def _made_up(objects: Objects, report: Report) -> list[Host]:
    """Nodes for manifests that have none: those that Pods run on, with the addresses their Pods tell."""
    addresses: dict[str, tuple[str, ...]] = {}
    for pod in objects.pods:
        name = pod.data.spec.node_name if pod.data.spec else None
        if name and dns_subdomain(name) is None:
            status = pod.data.status or schemas.PodStatus()
            told = (status.host_ip, *(one.ip for one in status.host_ips or ()))
            found = dict.fromkeys(ip for text in told if (ip := parse_ip(text or "")))
            addresses[name] = addresses.get(name) or tuple(found)
    names = ", ".join(list(addresses)[:8]) or "node1, node2"
    report.notice(f"no Node among the manifests: made up {names}{', …' if len(addresses) > 8 else ''}")
    if not addresses:
        addresses = {"node1": (), "node2": ()}
    return [Host(Node(name, ips, ()), None) for name, ips in addresses.items()]


def _check_addresses(hosts: list[Host], report: Report) -> None:
    owners: dict[str, Host] = {}
    for host in hosts:
        for ip in host.node.addresses:
            first = owners.setdefault(ip, host)
            if first.node.name != host.node.name and host.place:
                message = f"{ip} is the address of Node {first.node.name}, too"
                report.problem(host.place, ("status", "addresses"), message, "Give each node its own InternalIP")


def _check_pod_cidrs(hosts: list[Host], report: Report) -> None:
    """Neighbours in order of their first address: if any two overlap, two of those do."""
    ranges = [(network(cidr), host) for host in hosts for cidr in host.node.pod_cidrs]
    ranges.sort(key=lambda one: (one[0].family, one[0].first, -one[0].last))
    for (before, first), (after, host) in pairwise(ranges):
        twins = first.node.name == host.node.name  # which is told already
        if before.family == after.family and after.first <= before.last and host.place and not twins:
            message = f"podCIDR {after.text} overlaps {before.text} of Node {first.node.name}"
            report.problem(host.place, ("spec",), message, "Give each node a podCIDR of its own")


def _with_addresses(hosts: list[Host], families: tuple[int, ...], pod_ips: set[str]) -> list[Host]:
    taken = pod_ips | {ip for host in hosts for ip in host.node.addresses}
    free = {family: _addresses_from(FIRST_ADDRESSES[family], taken) for family in families}
    out = []
    for host in hosts:
        given = [next(free[family]) for family in families if host.node.address(family) is None]
        out.append(replace(host, node=replace(host.node, addresses=(*host.node.addresses, *given))))
    return out


def _addresses_from(first: str, taken: set[str]) -> Iterator[str]:
    for number in count(number_of(first)):
        ip = str(ip_address(number))
        if ip not in taken and not ip.endswith((".0", ".255")):
            taken.add(ip)
            yield ip
