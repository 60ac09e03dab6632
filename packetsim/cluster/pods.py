"""Rule: a Pod is read as the kubelet reports it; one written by hand, without status, is running and ready.

Our own annotations (`packetwalk.dev/…`) say what no API field can: which sockets a Pod really has,
and whether it is gone though its address is still in use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from packetsim.addresses import family_of
from packetsim.cluster import schemas
from packetsim.cluster.model import ContainerPort, Pod
from packetsim.cluster.names import dns_label, dns_subdomain, port_name
from packetsim.cluster.notes import Table
from packetsim.cluster.objects import OURS, Object
from packetsim.cluster.parsing import family_name, ip_refusal, parse_ip
from packetsim.cluster.places import Path, Place, Report, one_of, shown

PROTOCOLS = ("TCP", "UDP", "SCTP")
LISTENING, ANSWERS, READY = OURS + "listening", OURS + "answers", OURS + "ready"
OUR_ANNOTATIONS = (LISTENING, ANSWERS, READY)
PHASE: Path = ("status", "phase")  # a Pod that has finished holds no address, and is on no node
_SOCKET = re.compile(r"([0-9]{1,6})(?:/([A-Za-z]+))?")


@dataclass(frozen=True, slots=True)
class Draft:
    """A Pod that may still lack its node and addresses. `spec_path`: where its spec stands in the object."""

    pod: Pod
    place: Place
    spec_path: Path
    spec: schemas.PodSpec
    written_ips: bool = False

    def on(self, node: str, notes: PlaceNotes) -> Draft:
        """The same Pod on this node."""
        if self.pod.node == node:
            return self
        return notes.find(self, node) or notes.keep(self, node, replace(self, pod=replace(self.pod, node=node)))


PlaceNotes = Table["Draft", str, "Draft"]


def read_pod(one: Object[schemas.Pod], report: Report) -> Draft | None:
    """The Pod, or None when it holds no address (finished, or not yet running)."""
    spec, status = one.data.spec or schemas.PodSpec(), one.data.status or schemas.PodStatus()
    if status.phase in ("Succeeded", "Failed"):
        report.notice("Pods that have finished hold no address: left out", one.place)
        return None
    addresses = _addresses(one, status, report)
    if status.phase == "Pending" and not addresses:
        report.notice("Pods that are Pending have no address yet: left out", one.place)
        return None
    condition = next((item.status == "True" for item in status.conditions or () if item.type == "Ready"), True)
    pod = pod_of(one, one.annotations, spec, condition, one.place, ("spec",), ("metadata",), report)
    pod = replace(pod, addresses=addresses, terminating=one.data.metadata.deletion_timestamp is not None)
    return Draft(pod, one.place, ("spec",), spec, written_ips=bool(addresses))


def pod_of(
    one: Object[schemas.Pod] | Object[schemas.Workload],
    annotations: Mapping[str, str],
    spec: schemas.PodSpec,
    ready: bool,
    place: Place,
    spec_path: Path,
    meta_path: Path,
    report: Report,
) -> Pod:
    """What a Pod's spec and annotations say, whether they stand in a Pod or in a template."""
    for field, value, check in (
        ("nodeName", spec.node_name, dns_subdomain),
        ("hostname", spec.hostname, dns_label),
        ("subdomain", spec.subdomain, dns_label),
    ):
        if value and (refusal := check(value)):
            report.problem(place, (*spec_path, field), *refusal)
    ports = tuple(_ports(spec, place, spec_path, report))
    notes = _annotations(annotations, place, (*meta_path, "annotations"), report)
    listening = notes.listening
    if listening is None and ports:
        listening = frozenset((port.protocol, port.port) for port in ports)
    return Pod(
        one.namespace,
        one.name,
        spec.node_name or "",
        (),
        one.labels,
        bool(spec.host_network),
        ports,
        ready if notes.ready is None else notes.ready,
        listening=listening,
        answers=notes.answers,
        hostname=spec.hostname or "",
        subdomain=spec.subdomain or "",
    )


def _addresses(one: Object[schemas.Pod], status: schemas.PodStatus, report: Report) -> tuple[str, ...]:
    written: list[tuple[Path, str | None]] = [
        (("status", "podIPs", index, "ip"), item.ip) for index, item in enumerate(status.pod_ips or ())
    ]
    if status.pod_ip and not written:
        written = [(("status", "podIP"), status.pod_ip)]
    found: dict[int, str] = {}
    for path, text in written:
        ip = parse_ip(text or "")
        if ip is None:
            report.problem(one.place, path, *ip_refusal(text or ""))
        elif family_of(ip) in found:
            message = f"a second {family_name(family_of(ip))} address"
            report.problem(one.place, path, message, "Keep one address of each family")
        else:
            found[family_of(ip)] = ip
    if status.pod_ip and status.pod_ips and parse_ip(status.pod_ip) != parse_ip(status.pod_ips[0].ip or ""):
        message, cure = "podIP and podIPs[0].ip differ", "Write the same address in both, or podIPs alone"
        report.problem(one.place, ("status", "podIP"), message, cure, rests_on=[("status", "podIPs", 0)])
    return tuple(found.values())


def _containers(spec: schemas.PodSpec) -> Iterator[tuple[Path, schemas.Container]]:
    """Containers, then sidecars: init containers that restart always (endpointslice/utils.go, FindPort)."""
    for index, container in enumerate(spec.containers or ()):
        yield ("containers", index), container
    for index, container in enumerate(spec.init_containers or ()):
        if container.restart_policy == "Always":
            yield ("initContainers", index), container


def _ports(spec: schemas.PodSpec, place: Place, spec_path: Path, report: Report) -> Iterator[ContainerPort]:
    for at, container in _containers(spec):
        names: set[str] = set()
        for index, port in enumerate(container.ports or ()):
            path = (*spec_path, *at, "ports", index)
            _check_port(port, names, place, path, report)
            if port.container_port:
                yield ContainerPort(port.name or "", port.container_port, (port.protocol or "TCP").lower())
            if port.host_port and not spec.host_network:
                report.notice("hostPort is not modelled: it is the network plugin's, not kube-proxy's", place)


def _check_port(port: schemas.ContainerPort, names: set[str], place: Place, path: Path, report: Report) -> None:
    check_number(port.container_port, place, (*path, "containerPort"), report)
    check_protocol(port.protocol, place, (*path, "protocol"), report)
    if port.name:
        if refusal := port_name(port.name):
            report.problem(place, (*path, "name"), *refusal)
        if port.name in names:
            message = f"the port name {shown(port.name)} stands twice in this container"
            report.problem(place, (*path, "name"), message, "Give each port its own name")
        names.add(port.name)


def check_number(number: int | None, place: Place, path: Path, report: Report) -> None:
    if number is None:
        report.problem(place, path, "the port number is missing", "Write a number from 1 to 65535")
    elif not 1 <= number <= 65535:
        report.problem(place, path, f"{shown(number)} is not a port", "Write a number from 1 to 65535")


def check_protocol(protocol: str | None, place: Place, path: Path, report: Report) -> None:
    if protocol and protocol not in PROTOCOLS:
        report.problem(place, path, f"there is no protocol {shown(protocol)}", f"Use {one_of(PROTOCOLS)}")


@dataclass(frozen=True, slots=True)
class _Notes:
    listening: frozenset[tuple[str, int]] | None
    answers: bool
    ready: bool | None


def _annotations(annotations: Mapping[str, str], place: Place, path: Path, report: Report) -> _Notes:
    for key in annotations:
        if key.startswith(OURS) and key not in OUR_ANNOTATIONS:
            cure = f"Use {one_of(OUR_ANNOTATIONS)}"
            report.problem(place, (*path, key), f"there is no annotation {shown(key)}", cure)
    answers = _truth(annotations, ANSWERS, place, path, report)
    return _Notes(
        _listening(annotations.get(LISTENING), place, (*path, LISTENING), report),
        True if answers is None else answers,
        _truth(annotations, READY, place, path, report),
    )


def _truth(annotations: Mapping[str, str], key: str, place: Place, path: Path, report: Report) -> bool | None:
    text = annotations.get(key)
    if text is not None and text not in ("true", "false"):
        report.problem(place, (*path, key), f"{shown(text)} is neither true nor false", 'Write "true" or "false"')
    return None if text is None else text == "true"


def _listening(text: str | None, place: Place, path: Path, report: Report) -> frozenset[tuple[str, int]] | None:
    """`8080, 53/udp`, or `none`."""
    if text is None or text.strip() == "none":
        return None if text is None else frozenset()
    sockets = set()
    for part in text.split(","):
        match = _SOCKET.fullmatch(part.strip())
        protocol = (match[2] or "tcp").upper() if match else ""
        if match is None or protocol not in PROTOCOLS or not 1 <= int(match[1]) <= 65535:
            message = f"{shown(part.strip())} is not a socket"
            report.problem(place, path, message, 'Write PORT or PORT/PROTOCOL, like "8080, 53/udp", or "none"')
        else:
            sockets.add((protocol.lower(), int(match[1])))
    return frozenset(sockets)
