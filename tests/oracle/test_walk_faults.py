"""A fault in what walks packets is caught: our walk then differs from what the kernel did with the same rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from packetsim import conversation
from packetsim.kernel import answers, nat
from packetsim.kernel.conntrack import Conntrack, Tracking
from packetsim.kernel.iptables.matches import AddressType
from packetsim.kernel.iptables.recent import RecentTable
from packetsim.kernel.iptables.targets import Mark
from packetsim.kernel.ipvs import maglev, schedulers
from packetsim.kernel.ipvs.traverse import Ipvs
from packetsim.kernel.nftables.maps import MapName
from packetsim.kernel.nftables.statements import Learn, SetMark
from packetsim.kernel.routing import RoutingTable
from packetsim.kernel.visit import Visit
from packetsim.kubeproxy.balancer import LoadBalancerRR
from packetsim.oracle.judge import Judge
from packetsim.oracle.verify import PATIENT, Bench
from packetsim.packet import Packet
from tests.oracle import faults
from tests.oracle.faults import Patch, changed
from tests.oracle.jobs import case_jobs, part_of, scheduler_jobs
from tests.oracle.remembered import Remembered

pytestmark = pytest.mark.judge


@dataclass(frozen=True, slots=True)
class Fault(faults.Fault):
    aspect: str = "rules"


# ---- iptables -----------------------------------------------------------------------------------


def value_alone(before: Callable[..., None], target: Mark, visit: Visit) -> None:
    visit.packet = visit.packet.with_mark(target.value)


IPTABLES = (
    Fault("MARK forgets its mask", changed(Mark, "alter", value_alone), "iptables", "node-port", ("through node1",)),
    Fault(
        "addrtype never matches",
        changed(AddressType, "holds", lambda before, *args: False),
        "iptables",
        "node-port",
        ("through node1",),
    ),
    Fault(
        "recent remembers nobody",
        changed(RecentTable, "seen_within", lambda before, *args: False),
        "iptables",
        "affinity",
        ("ClusterIP",),
    ),
)

# ---- nftables -----------------------------------------------------------------------------------


def flipped_alone(before: Callable[..., None], statement: SetMark, visit: Visit, sets: object) -> None:
    visit.packet = visit.packet.with_mark(statement.flip)


NFTABLES = (
    Fault("a mark is not kept", changed(SetMark, "act", flipped_alone), "nftables", "node-port", ("through node1",)),
    Fault(
        "a set learns nothing",
        changed(Learn, "act", lambda before, *args: None),
        "nftables",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "a map holds nothing",
        changed(MapName, "find", lambda before, *args: None),
        "nftables",
        "node-port",
        ("through node1",),
    ),
)

# ---- IPVS ---------------------------------------------------------------------------------------


def as_another(scheduler: type) -> Callable[..., Any]:
    return lambda before, own, *args: scheduler().choose(*args)


def one_further(before: Callable[..., int], *args: Any) -> int:
    return before(*args) + 1


def schedule(name: str, scheduler: str, owner: object, method: str, change: Callable[..., Any]) -> Fault:
    return Fault(name, changed(owner, method, change), "ipvs", scheduler, ())


SOURCE_HASHING = as_another(schedulers.SourceHashing)
IPVS = (
    schedule("rr does not go round", "rr", schedulers.RoundRobin, "choose", SOURCE_HASHING),
    schedule("wrr does not go round", "wrr", schedulers.WeightedRoundRobin, "choose", SOURCE_HASHING),
    schedule("lc counts nothing", "lc", schedulers, "_connections", lambda before, real: 0),
    schedule("wlc counts nothing", "wlc", schedulers, "_connections", lambda before, real: 0),
    schedule("sed takes no account of load", "sed", schedulers.Least, "choose", SOURCE_HASHING),
    schedule("nq queues", "nq", schedulers.NeverQueue, "choose", SOURCE_HASHING),
    schedule("sh takes the bucket beside", "sh", schedulers, "hash_32", one_further),
    schedule("dh takes the bucket beside", "dh", schedulers, "hash_32", one_further),
    schedule("mh leaves out the port", "mh", maglev, "entry_of", lambda before, *args: before(args[0], 0, *args[2:])),
    schedule("persistence finds nobody", "rr with persistence", Ipvs, "_template", lambda before, *args: None),
)

# ---- NAT and conntrack --------------------------------------------------------------------------


def without_port(before: Callable[..., Any], own: Any, side: str, wanted: Any, address: str | None) -> Any:
    return before(own, side, wanted and replace(wanted, port=None), address)


def not_translated(before: Callable[..., Packet], packet: Packet, *args: object) -> Packet:
    return packet


NAT = (
    Fault("DNAT leaves the port", changed(nat, "_wished", without_port), "iptables", "node-port", ("through node1",)),
    Fault(
        "ICMP errors are not translated",
        changed(nat, "_apply_to_error", not_translated),
        "nftables",
        "failing-endpoints",
        ("UDP that nobody hears",),
        "packets",
    ),
    Fault(
        "a refused connection is not forgotten",
        changed(Conntrack, "forget", lambda before, *args: None),
        "iptables",
        "failing-endpoints",
        ("ready but not listening",),
        "conntrack",
    ),
    Fault(
        "ICMP errors are INVALID",
        changed(Conntrack, "_related", lambda before, *args: Tracking(None, "INVALID")),
        "iptables",
        "failing-endpoints",
        ("UDP that nobody hears",),
    ),
)

# ---- routing ------------------------------------------------------------------------------------


def shortest_prefix(before: Callable[..., None], table: RoutingTable, *args: object) -> None:
    before(table, *args)
    table._routes.reverse()


ROUTING = (
    Fault(
        "a router leaves the TTL",
        changed(Packet, "hopped", lambda before, packet: packet),
        "iptables",
        "cluster-ip",
        ("TCP of one number",),
    ),
    Fault(
        "the shortest prefix wins",
        changed(RoutingTable, "__init__", shortest_prefix),
        "nftables",
        "cluster-ip",
        ("TCP of one number",),
    ),
)

# ---- conversations ------------------------------------------------------------------------------


def never_on(before: Callable[..., str], balancer: LoadBalancerRR, name: str, *args: object) -> str:
    endpoint = before(balancer, name, *args)
    balancer._mine(name).index = 0
    return endpoint


def untied(before: Callable[..., str], balancer: object, name: str, client: str, reset: bool, *args: object) -> str:
    return before(balancer, name, client, True, *args)


def from_beside(before: Callable[..., Packet], packet: Packet, *args: object) -> Packet:
    answer = before(packet, *args)
    return replace(answer, source_port=answer.source_port + 1)


CONVERSATIONS = (
    Fault(
        "the balancer stays where it is",
        changed(LoadBalancerRR, "next_endpoint", never_on),
        "userspace",
        "cluster-ip",
        ("a Pod", "a host on the wire"),
    ),
    Fault(
        "the balancer ties nobody",
        changed(LoadBalancerRR, "next_endpoint", untied),
        "userspace",
        "affinity",
        ("ClusterIP",),
    ),
    Fault(
        "the proxy dials once",
        lambda patch: patch.setattr(conversation, "DIAL_TIMEOUTS", conversation.DIAL_TIMEOUTS[:1]),
        "userspace",
        "failing-endpoints",
        ("ready but not listening",),
    ),
    Fault(
        "an answer from the port beside",
        changed(answers, "reply", from_beside),
        "iptables",
        "cluster-ip",
        ("TCP of one number",),
    ),
)

FAULTS = (*IPTABLES, *NFTABLES, *IPVS, *NAT, *ROUTING, *CONVERSATIONS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.mode}: {fault.name}")
def test_a_fault_in_a_walk_is_caught(fault: Fault, machine: Judge, monkeypatch: Patch) -> None:
    job = {**case_jobs(), **scheduler_jobs()}[fault.case, fault.mode]
    job = replace(part_of(job, *fault.flows) if fault.flows else job, rows=())  # without what FlowTests promise
    kernel = Remembered(machine)
    assert Bench(kernel).hold(job, PATIENT).agrees
    fault.plant(monkeypatch)
    verdict = Bench(kernel).hold(job, PATIENT)
    differences = [one.difference for one in verdict.flows if one.difference is not None]
    assert not verdict.texts and differences
    assert differences[0].aspect == fault.aspect, str(differences[0])  # what comes later begins from there
