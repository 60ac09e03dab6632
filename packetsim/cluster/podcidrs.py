"""Rule: a node without a podCIDR gets the range its Pods already live in, else the next free one.

The next free /24 of 10.244.0.0/16 (/64 of fd00:10:244::/56), as the node IPAM controller hands them
out in order (pkg/controller/nodeipam/ipam/range_allocator.go, Kubernetes 1.35).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address

from packetsim.addresses import family_of, full_length, network, number_of
from packetsim.cluster import schemas
from packetsim.cluster.model import Node
from packetsim.cluster.objects import Objects
from packetsim.cluster.parsing import parse_ip
from packetsim.cluster.places import Place, Report

CLUSTER_CIDRS = {4: "10.244.0.0/16", 6: "fd00:10:244::/56"}
LENGTHS = {4: 24, 6: 64}


@dataclass(frozen=True, slots=True)
class Host:
    """A Node with what only scheduling and topology hints look at. `stated_cidrs`: its podCIDRs were written."""

    node: Node
    place: Place | None
    unschedulable: bool = False
    taints: tuple[schemas.Taint, ...] = ()
    milli_cpu: int = 0
    stated_cidrs: bool = False


def pod_ips_by_node(objects: Objects) -> dict[str, list[str]]:
    """Node name -> the addresses written for Pods there."""
    found: dict[str, list[str]] = {}
    for pod in objects.pods:
        spec, status = pod.data.spec, pod.data.status
        if spec is None or status is None or spec.host_network or not spec.node_name:
            continue
        written = [one.ip for one in status.pod_ips or ()] or [status.pod_ip]
        found.setdefault(spec.node_name, []).extend(ip for text in written if (ip := parse_ip(text or "")))
    return found


def with_pod_cidrs(
    hosts: list[Host], families: tuple[int, ...], pod_ips: Mapping[str, list[str]], report: Report
) -> list[Host]:
    """The nodes, each with a podCIDR of every family; or fewer, once something is wrong."""
    counted = not report.problems
    for family in families:
        lacking = [place for place, host in enumerate(hosts) if host.node.pod_cidr(family) is None]
        if not lacking:
            continue
        ranges = _Ranges(family, hosts, pod_ips)
        for place in lacking:
            host = hosts[place]
            cidr = ranges.give(host.node.name)
            if cidr is not None:
                hosts[place] = replace(host, node=replace(host.node, pod_cidrs=(*host.node.pod_cidrs, cidr)))
            elif host.place and counted:
                message = f"no podCIDR is left in {CLUSTER_CIDRS[family]}"
                report.problem(host.place, ("spec",), message, "Write spec.podCIDRs on every Node")
    return hosts


class _Ranges:
    """The podCIDRs of one family. Those given are all of one length, so a number names each: its block."""

    def __init__(self, family: int, hosts: list[Host], pod_ips: Mapping[str, list[str]]) -> None:
        self._length = LENGTHS[family]
        self._whole = network(CLUSTER_CIDRS[family])
        self._size = 1 << (full_length(self._whole.text) - self._length)
        stated = [network(cidr) for host in hosts if (cidr := host.node.pod_cidr(family))]
        self._stated = sorted((one.first, one.last) for one in stated)
        self._blocks = {name: self._blocks_of(ips, family) for name, ips in pod_ips.items()}
        self._holders: dict[int, set[str]] = {}
        for name, blocks in self._blocks.items():
            for block in blocks:
                self._holders.setdefault(block, set()).add(name)
        for host in hosts:
            for block in self._blocks_of(host.node.addresses, family):
                self._holders.setdefault(block, set()).add("")  # no podCIDR may hold a node's address
        self._free = self._unused()

    def _blocks_of(self, ips: Iterable[str], family: int) -> set[int]:
        return {number_of(ip) // self._size for ip in ips if family_of(ip) == family}

    def give(self, name: str) -> str | None:
        blocks = self._blocks.get(name, set())
        if len(blocks) == 1:
            block = next(iter(blocks))
            if self._holders[block] == {name} and not self._is_stated(block):
                return self._text(block)
        block = next(self._free, -1)
        return None if block < 0 else self._text(block)

    def _unused(self) -> Iterator[int]:
        for block in range(self._whole.first // self._size, self._whole.last // self._size + 1):
            if block not in self._holders and not self._is_stated(block):
                yield block

    def _is_stated(self, block: int) -> bool:
        """Does a podCIDR that was written share an address with the block? They do not overlap one another."""
        first, last = block * self._size, (block + 1) * self._size - 1
        index = bisect_right(self._stated, (last, 1 << 128)) - 1
        return index >= 0 and self._stated[index][1] >= first

    def _text(self, block: int) -> str:
        return f"{ip_address(block * self._size)}/{self._length}"
