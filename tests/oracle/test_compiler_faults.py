"""A fault in a mode's compiler is caught by a saved case: by its promises, since kernel and walk have the same rules,
or by the text that the kernel's own tool reads back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from packetsim.kubeproxy import (
    iptables_fixed,
    iptables_ports,
    ipvs_iptables,
    ipvs_ports,
    ipvs_sets,
    nftables_ports,
    userspace,
    userspace_ports,
)
from packetsim.kubeproxy.services import Endpoints, ProxiedPort
from packetsim.oracle.verify import Bench
from packetsim.ruletext import Line, Origin
from tests.oracle import faults
from tests.oracle.faults import Patch, changed
from tests.oracle.jobs import aspects, case_jobs, part_of, told

pytestmark = pytest.mark.judge

Lines = tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    aspect: str = "promise"


def value(owner: object, name: str, wanted: object) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(owner, name, wanted)


def last_two_swapped(before: Callable[..., Iterator[Line]], *args: object) -> Lines:
    *rest, one, other = before(*args)
    return (*rest, other, one)


def nothing(before: Callable[..., object], *args: object) -> Lines:
    return ()


# ---- iptables -----------------------------------------------------------------------------------


def rejected(before: Callable[..., object], rules: iptables_ports.PortRules) -> tuple[str, str]:
    return f"{rules.port.display} has no local endpoints", rules.settings.reject


IPTABLES = (
    Fault(
        "1 in n+1 instead of 1 in n",
        changed(iptables_ports, "probability", lambda before, ways: before(ways + 1)),
        "iptables",
        "cluster-ip",
        ("a host on the wire",),
    ),
    Fault(
        "nobody is masqueraded",
        changed(iptables_fixed, "_postrouting", lambda before, mark: before(mark)[:-1]),
        "iptables",
        "node-port",
        ("through node1",),
    ),
    Fault(
        "a node is sent on before it is marked",
        changed(iptables_ports.PortRules, "_short_cuts", last_two_swapped),
        "iptables",
        "traffic-policies",
        ("a node's short cut",),
    ),
    Fault(
        "a Local policy rejects",
        changed(iptables_ports.PortRules, "verdict", rejected),
        "iptables",
        "traffic-policies",
        ("dropped",),
    ),
    Fault(
        "nobody goes back to their endpoint",
        changed(iptables_ports.PortRules, "_returning", nothing),
        "iptables",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "a hairpin is not marked",
        changed(iptables_ports.PortRules, "_endpoint", lambda before, *args: before(*args)[1:]),
        "iptables",
        "hairpin",
        ("load balancer", "another Pod is not hidden", "ClusterIP"),
    ),
    Fault(
        "ten decimals of a probability",
        value(iptables_ports, "probability", lambda ways: f"{1 / ways:.10f}"),
        "iptables",
        "cluster-ip",
        ("a host on the wire",),
        "text",
    ),
)

# ---- IPVS ---------------------------------------------------------------------------------------


def no_loop_back() -> tuple[tuple[str, str, str, str, str], ...]:
    return tuple(row for row in ipvs_iptables._NAT_SETS if row[2] != ipvs_sets.LOOP_BACK)


def local_last() -> tuple[tuple[str, str, str, str, str], ...]:
    """The rules of LOCAL sets of node ports, which keep a source, after those that mark."""
    return tuple(
        sorted(ipvs_iptables._NAT_SETS, key=lambda row: (row[0], row[0] == "KUBE-NODE-PORT" and row[4] == "RETURN"))
    )


def without_persistence(before: Callable[..., None], servers: ipvs_ports.PortServers, *args: object) -> None:
    before(servers, *args)
    servers.options = servers.options.partition(" -p ")[0]


def without_weights(before: Callable[..., Any], *args: object) -> Any:
    place, server = before(*args)
    reals = tuple(line._replace(text=line.text.replace(" -w 1", "")) for line in server.text.reals)
    return place, server._replace(text=replace(server.text, reals=reals))


def every_endpoint(before: Callable[..., Endpoints], port: ProxiedPort, local: bool) -> Endpoints:
    return port.cluster_endpoints


IPVS = (
    Fault(
        "a Local policy means nothing",
        changed(ipvs_ports, "_fallback", every_endpoint),
        "ipvs",
        "traffic-policies",
        ("node1's endpoint",),
    ),
    Fault(
        "a hairpin is not masqueraded",
        value(ipvs_iptables, "_NAT_SETS", no_loop_back()),
        "ipvs",
        "hairpin",
        ("ClusterIP",),
    ),
    Fault(
        "a node port marks before it keeps a source",
        value(ipvs_iptables, "_NAT_SETS", local_last()),
        "ipvs",
        "traffic-policies",
        ("kept source",),
    ),
    Fault(
        "no persistence",
        changed(ipvs_ports.PortServers, "__init__", without_persistence),
        "ipvs",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "real servers without a weight",
        changed(ipvs_ports.PortServers, "_server", without_weights),
        "ipvs",
        "cluster-ip",
        ("TCP of one number",),
        "text",
    ),
)

# ---- nftables -----------------------------------------------------------------------------------


def first_twice(before: Callable[..., Iterator[Line]], rules: object, endpoints: Endpoints) -> Iterator[Line]:
    return before(rules, (*endpoints, endpoints[0]))


def nothing_learned(before: Callable[..., Iterator[Line]], *args: object) -> Iterator[Line]:
    return (line for line in before(*args) if not line.text.startswith("update"))


NFTABLES = (
    Fault(
        "the first endpoint twice",
        changed(nftables_ports.PortRules, "_choice", first_twice),
        "nftables",
        "cluster-ip",
        ("a host on the wire",),
    ),
    Fault(
        "node ports do not mark",
        changed(nftables_ports.PortRules, "_external", lambda before, *args: list(before(*args))[1:]),
        "nftables",
        "node-port",
        ("through node1",),
    ),
    Fault(
        "a node is sent on before it is marked",
        changed(nftables_ports.PortRules, "_short_cuts", last_two_swapped),
        "nftables",
        "traffic-policies",
        ("a node's short cut",),
    ),
    Fault(
        "a Local policy rejects",
        changed(
            nftables_ports.PortRules,
            "_verdict",
            lambda before, rules: before(rules).replace("drop", "goto reject-chain"),
        ),
        "nftables",
        "traffic-policies",
        ("dropped",),
    ),
    Fault(
        "nobody is remembered",
        changed(nftables_ports.PortRules, "_endpoint", nothing_learned),
        "nftables",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "seconds that nft prints as hours",
        value(nftables_ports, "duration", lambda seconds: f"{seconds}s"),
        "nftables",
        "affinity",
        ("ClusterIP",),
        "text",
    ),
)

# ---- userspace ----------------------------------------------------------------------------------


def balancers(**changes: Any) -> Callable[..., Mapping[str, Any]]:
    def change(before: Callable[..., Mapping[str, Any]], *args: object) -> Mapping[str, Any]:
        return {name: replace(one, **changes) for name, one in before(*args).items()}

    return change


def next_port(before: Callable[..., None], rules: userspace_ports.PortalRules, *args: object) -> None:
    before(rules, *args)
    rules.from_outside = f"REDIRECT --to-ports {rules.proxy_port + 1}"


def no_line(before: Callable[..., Line], *args: object) -> Line:
    return Line("-A KUBE-PORTALS-HOST -p tcp -m tcp --dport 9 -j ACCEPT", (Origin("kube-proxy", "", "", ""),))


USERSPACE = (
    Fault(
        "redirected to the port beside",
        changed(userspace_ports.PortalRules, "__init__", next_port),
        "userspace",
        "node-port",
        ("through node1",),
    ),
    Fault(
        "no portal for what a node sends itself",
        changed(userspace_ports.PortalRules, "_host", no_line),
        "userspace",
        "cluster-ip",
        ("a node",),
    ),
    Fault(
        "endpoints that ended long ago",
        changed(userspace, "_balancers", balancers(endpoints=("10.244.1.6:8080",))),
        "userspace",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "no affinity",
        changed(userspace, "_balancers", balancers(affinity_timeout=None)),
        "userspace",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "addresses without their length",
        changed(userspace_ports.PortalRules, "_match", lambda before, *args: before(*args).replace("/32", "")),
        "userspace",
        "cluster-ip",
        ("TCP of one number",),
        "text",
    ),
)

FAULTS = (*IPTABLES, *IPVS, *NFTABLES, *USERSPACE)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.mode}: {fault.name}")
def test_a_fault_in_a_compiler_is_caught(fault: Fault, bench: Bench, monkeypatch: Patch) -> None:
    fault.plant(monkeypatch)
    verdict = bench.hold(part_of(case_jobs()[fault.case, fault.mode], *fault.flows))
    assert aspects(verdict) == {fault.aspect}, "\n".join(told(verdict))
