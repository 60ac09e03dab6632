"""Rule: a Flow becomes what the guest is to send: from which namespace, by which socket, along which way."""

from __future__ import annotations

from collections.abc import Iterator

from packetsim.addresses import family_of
from packetsim.cluster.model import Cluster
from packetsim.errors import OracleError
from packetsim.oracle.places import Place, gate_code
from packetsim.oracle.plan import Plan, Probe
from packetsim.oracle.wire import HOP, is_near, way_of
from packetsim.simulation import Simulation
from packetsim.trace import Flow


def probe(plan: Plan, simulation: Simulation, flow: Flow, patience: float) -> Probe:
    """The flow, to be sent as our walk sends it. `patience`: seconds until silence is believed."""
    if not flow.source_port:
        raise OracleError("a flow for a kernel needs a source port: two draws would not be the same. Give it one.")
    sender = _sender(simulation.cluster, flow.place)
    code = plan.places.get(sender)
    if code is None:
        raise OracleError(f"{flow.place} is not in the plan for the kernel: name it among the hosts outside.")
    _check_port(plan, simulation, flow)
    return Probe(
        code=code,
        protocol=flow.protocol,
        source="" if sender in simulation.cluster.nodes else flow.source,
        source_port=flow.source_port,
        destination=flow.destination,
        port=flow.port,
        routes=tuple(_routes(plan, simulation, flow, sender)),
        nodes=tuple(plan.places[node] for node in simulation.cluster.nodes),
        patience=patience,
    )


def _sender(cluster: Cluster, place: str) -> str:
    """A Pod on the host network sends as its node does."""
    namespace, _, name = place.partition("/")
    pod = cluster.pods.get((namespace, name))
    return pod.node if pod is not None and pod.host_network else place


def _check_port(plan: Plan, simulation: Simulation, flow: Flow) -> None:
    """Who answers on every port does so in a kernel only on those that the plan was told of."""
    pod = simulation.network.pod_at(flow.destination)
    place = simulation.network.place_of(pod) if pod is not None else flow.destination
    if place not in plan.places or (pod is not None and pod.listening is not None):
        return
    wanted = (plan.places[place], flow.protocol, flow.port)
    if all((one.code, one.protocol, one.port) != wanted for one in plan.listeners):
        raise OracleError(
            f"{place} answers on every port, and the plan has none for {flow.protocol} {flow.port}: name it as asked."
        )


# ---- which way an outside host's packets go -------------------------------------------------------


def _routes(plan: Plan, simulation: Simulation, flow: Flow, sender: str) -> Iterator[tuple[str, str]]:
    """The host, and the gate for it, are told where all it sends goes, or that the usual routes hold."""
    machine = simulation.network.machine(sender)
    if machine.kind != "outside":
        return
    host = Place(sender, plan.places[sender], machine)
    gate = gate_code(plan.cluster)
    family = family_of(flow.source)
    entry = _entry(plan, simulation, flow)
    hop = entry.of_family(family)[0] if entry is not None else ""
    near = entry is not None and is_near(host, entry)
    yield host.code, way_of(host, family, hop if near or not hop else HOP[family])
    yield gate, way_of(host, family, "" if near else hop)


def _entry(plan: Plan, simulation: Simulation, flow: Flow) -> Place | None:
    if not flow.via:
        return None
    entry = Place(flow.via, plan.places[flow.via], simulation.network.machine(flow.via))
    if not entry.of_family(family_of(flow.source)):
        raise OracleError(f"{flow.via} has no address of the family of {flow.source}: let the flow enter elsewhere.")
    return entry
