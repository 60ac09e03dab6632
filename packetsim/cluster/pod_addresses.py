"""Rule: no two Pods share an address, and none has a node's, unless on the host network, where all do.

A Pod without an address gets the next free host of its node's podCIDR from .2 on: .0 is the network
and .1 the bridge, as the host-local IPAM plugin counts. That none is left is told only when nothing
was wrong before: who miscounts Pods or ranges cannot know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from ipaddress import ip_address

from packetsim.addresses import family_of, network
from packetsim.cluster.model import Key, Pod
from packetsim.cluster.notes import Table
from packetsim.cluster.places import Path, Place, Report
from packetsim.cluster.podcidrs import Host
from packetsim.cluster.pods import PHASE, Draft
from packetsim.cluster.running import Running

_STATUS: Path = ("status",)
_NAME: Path = ("metadata", "name")
_NAMED_AFTER: tuple[Path, ...] = (  # what a workload calls its Pods, and whether it makes any
    _NAME,
    ("metadata", "namespace"),
    ("metadata", "ownerReferences"),
    ("spec", "replicas"),
    ("spec", "ordinals"),
)


AddressNotes = Table[Draft, tuple[str, ...], Pod]


def give_addresses(
    drafts: list[Draft],
    hosts: list[Host],
    families: tuple[int, ...],
    report: Report,
    running: Mapping[Key, Running],
    notes: AddressNotes,
) -> list[Pod]:
    """Every Pod, complete. Names and addresses that clash are problems."""
    giver = _Giver(drafts, hosts, families, report, notes)
    giver.keep(drafts, running)
    pods: dict[Key, tuple[Pod, Place]] = {}
    for draft in drafts:
        pod = giver.complete(draft)
        first = pods.setdefault(pod.key, (pod, draft.place))
        if first[0] is not pod and report.sound(first[1], *_NAMED_AFTER):
            message = f"there is another Pod {pod.namespace}/{pod.name}, at {first[1]}"
            report.problem(draft.place, _NAME, message, "Rename or remove one of the two", rests_on=_NAMED_AFTER)
    return [pod for pod, _ in pods.values()]


class _Giver:
    def __init__(
        self,
        drafts: list[Draft],
        hosts: list[Host],
        families: tuple[int, ...],
        report: Report,
        notes: AddressNotes,
    ) -> None:
        self._notes = notes
        self._hosts = {host.node.name: host for host in hosts}
        self._node_of = {ip: host.node.name for host in hosts for ip in host.node.addresses}
        self._report = report
        self._counted = not report.problems
        self._families = families
        self._owners: dict[str, Draft] = {}
        self._kept: dict[tuple[Key, int], str] = {}  # Pod and family -> the address it has already
        self._free: dict[str, Iterator[str]] = {}
        for draft in drafts:
            if draft.written_ips and not draft.pod.host_network and self._is_sure_of_its_own(draft):
                for ip in draft.pod.addresses:
                    self._claim(ip, draft)

    def keep(self, drafts: list[Draft], running: Mapping[Key, Running]) -> None:
        """Pods that run already keep addresses that are their node's to give and nobody else's."""
        ranges = {name: [network(cidr) for cidr in host.node.pod_cidrs] for name, host in self._hosts.items()}
        for draft in drafts:
            before = running.get(draft.pod.key)
            if before is None or before.node != draft.pod.node or draft.written_ips or draft.pod.host_network:
                continue
            cidrs = ranges[draft.pod.node]
            for ip in before.addresses:
                if ip not in self._owners and ip not in self._node_of and any(ip in cidr for cidr in cidrs):
                    self._owners[ip] = draft
                    self._kept[draft.pod.key, family_of(ip)] = ip

    def _is_sure_of_its_own(self, draft: Draft) -> bool:
        """Does it hold addresses that are nobody else's? Not on the host network, nor once it has finished."""
        return self._report.known(draft.place, (*draft.spec_path, "hostNetwork"), PHASE)

    def _claim(self, ip: str, draft: Draft) -> None:
        first = self._owners.setdefault(ip, draft)
        if first.pod.key != draft.pod.key:  # twins are told already
            message = f"{ip} is the address of Pod {first.pod.namespace}/{first.pod.name}, too, at {first.place}"
            self._report.problem(draft.place, _STATUS, message, "Give each Pod its own address, or leave them out")
        if ip in self._node_of:
            message = f"{ip} is the address of Node {self._node_of[ip]}"
            cure = "Use an address of the node's podCIDR, or set spec.hostNetwork: true"
            self._report.problem(draft.place, _STATUS, message, cure)

    def complete(self, draft: Draft) -> Pod:
        host = self._hosts[draft.pod.node]
        if draft.pod.host_network:
            return self._on_host(draft, host)
        if draft.written_ips:
            cidrs = [network(cidr) for cidr in host.node.pod_cidrs]
            if not all(any(ip in cidr for cidr in cidrs) for ip in draft.pod.addresses):
                lack = "outside their node's podCIDR" if host.stated_cidrs else "on Nodes without a podCIDR"
                self._report.notice(f"Pods {lack}: routed to their node all the same", draft.place)
            return draft.pod
        return self._with(draft, tuple([self._next(host, family, draft) for family in self._families]))

    def _with(self, draft: Draft, addresses: tuple[str, ...]) -> Pod:
        found = self._notes.find(draft, addresses)
        return found or self._notes.keep(draft, addresses, replace(draft.pod, addresses=addresses))

    def _on_host(self, draft: Draft, host: Host) -> Pod:
        """The kubelet gives it the node's own address of each family (status.hostIPs)."""
        known = host.place is None or self._report.sound(host.place, _NAME, ("status", "addresses"))
        if draft.written_ips and known and not set(draft.pod.addresses) <= set(host.node.addresses):
            message = f"on the host network, yet {draft.pod.addresses[0]} is no address of Node {host.node.name}"
            cure = "Use the node's address, or leave it out"
            placed_by = (PHASE, (*draft.spec_path, "nodeName"))
            self._report.problem(draft.place, _STATUS, message, cure, rests_on=placed_by)
        if draft.written_ips:
            return draft.pod
        given = tuple(ip for family in self._families if (ip := host.node.address(family)))
        return self._with(draft, given)

    def _next(self, host: Host, family: int, draft: Draft) -> str:
        kept = self._kept.get((draft.pod.key, family))
        if kept is not None:
            return kept
        cidr = host.node.pod_cidr(family)
        if cidr is None:  # a problem already
            return "::" if family == 6 else "0.0.0.0"
        ip = next(self._free.setdefault(cidr, self._hosts_of(cidr)), None)
        if ip is None and self._counted:
            message = f"no address is left in podCIDR {cidr} of Node {host.node.name}"
            cure = "Give the node a larger podCIDR, or run fewer Pods on it"
            self._report.problem(draft.place, draft.spec_path, message, cure)
        return ip or ("::" if family == 6 else "0.0.0.0")

    def _hosts_of(self, cidr: str) -> Iterator[str]:
        whole = network(cidr)
        last = whole.last - (whole.family == 4)  # the broadcast address
        for number in range(whole.first + 2, last + 1):
            ip = str(ip_address(number))
            if ip not in self._owners and ip not in self._node_of:
                yield ip
