"""Rule: what else can be asked of a cluster: a burst counted, four modes compared, exact odds, a name looked up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from packetsim.cluster.model import Cluster, EndpointPort, Key, Service
from packetsim.conversation import EPHEMERAL
from packetsim.dice import Dice, even_odds
from packetsim.errors import FlowError, PacketsimError
from packetsim.flows import flow_from
from packetsim.kubeproxy.modes import MODES
from packetsim.outcomes import outcomes
from packetsim.simulation import Simulation
from packetsim.trace import Flow
from visualizer.schemas import Counted, OutcomeView
from visualizer.walks import Walk, was_answered

MOST_WALKS = 3000  # to work out exact odds
_DNS_LABEL = ("k8s-app", "kube-dns")
_DNS_PORT = 53
_STRIDE = 7  # shares no factor with the number of ports, so that it meets each once
_Ending = tuple[str, str | None]  # outcome, endpoint


# ---- bursts -------------------------------------------------------------------------------------------------


def counted(simulation: Simulation, flow: Flow, count: int, dice: Dice) -> list[Counted]:
    """`count` new connections, each walked, by where they ended. Held on copies: the kernels stay as they are."""
    odds = _odds(simulation, flow)
    twin = simulation.copy(dice)
    walked: Counter[_Ending] = Counter()
    for port in _ports(count, dice):
        trace = twin.send(replace(flow, source_port=port), record=False)
        walked[trace.disposition.value, trace.endpoint] += 1
    keys = dict.fromkeys((*(odds or ()), *(key for key, _ in walked.most_common())))
    return [_row(key, walked[key], count, odds) for key in keys]


def _ports(count: int, dice: Dice) -> Iterator[int]:
    """A source port for each connection, no two the same: a sender's kernel gives none twice at a time."""
    first, last = EPHEMERAL
    size = last - first + 1
    start = dice.draw(0, size - 1)
    for number in range(count):
        yield first + (start + number * _STRIDE) % size


def _odds(simulation: Simulation, flow: Flow) -> dict[_Ending, Fraction] | None:
    """Of the first connection; None where there are too many ways to work out."""
    try:
        found = outcomes(simulation, flow, MOST_WALKS)
    except PacketsimError:
        return None
    together: dict[_Ending, Fraction] = {}
    for one in found:
        key = (one.disposition.value, one.endpoint)
        together[key] = together.get(key, Fraction(0)) + one.probability
    return together


def _row(key: _Ending, count: int, total: int, odds: dict[_Ending, Fraction] | None) -> Counted:
    share = Fraction(0) if odds is None else odds.get(key, Fraction(0))
    text = "" if odds is None else str(share)
    return Counted(
        outcome=key[0], endpoint=key[1], count=count, probability=text, expected=round(float(share * total), 3)
    )


def outcome_views(simulation: Simulation, flow: Flow) -> list[OutcomeView]:
    """Every outcome with its exact probability. Raises PacketsimError when there are too many ways."""
    return [
        OutcomeView(
            probability=str(one.probability),
            kernel_probability=str(one.kernel_probability),
            outcome=one.disposition.value,
            endpoint=one.endpoint,
            source_seen=one.source_seen,
            masqueraded=one.masqueraded,
        )
        for one in outcomes(simulation, flow, MOST_WALKS)
    ]


# ---- four modes ---------------------------------------------------------------------------------------------


def compared(cluster: Cluster, flow: Flow, dice: Callable[[], Dice], now: float) -> Iterator[Simulation]:
    """A simulation of each mode whose kernels have seen nothing; all get the same dice."""
    for mode in MODES:
        yield Simulation(cluster, mode, dice(), now)


# ---- names --------------------------------------------------------------------------------------------------


def resolved(simulation: Simulation, source: str, service: str) -> Iterator[Walk]:
    """The question to the cluster's DNS Service over UDP; if it was answered, a connection to what it gave."""
    cluster = simulation.cluster
    key, port = _wanted(cluster, service)
    dns = _dns_service(cluster)
    asked = flow_from(cluster, source, f"{'/'.join(dns.key)}:{_DNS_PORT}", "udp")
    found = cluster.services[key]
    target, protocol = "", None
    if found.type != "ExternalName":
        target, protocol = _answer(simulation, found, port)
    onward = flow_from(cluster, source, target, protocol) if target else None
    question = simulation.send(asked)
    yield Walk(question, source, f"{'/'.join(dns.key)}:{_DNS_PORT}", "dns")
    if onward is not None and was_answered(question):
        yield Walk(simulation.send(onward), source, target)


def _wanted(cluster: Cluster, text: str) -> tuple[Key, str]:
    name, _, port = text.strip().partition(":")
    namespace, _, service = name.partition("/")
    if (namespace, service) not in cluster.services:
        known = ", ".join("/".join(key) for key in list(cluster.services)[:6]) or "none"
        raise FlowError(f"DNS knows no Service {name[:80]!r}. There are: {known}.")
    return (namespace, service), port


def _dns_service(cluster: Cluster) -> Service:
    """kube-system/kube-dns, as kubeadm names it, else one labelled so."""
    usual = cluster.services.get(("kube-system", "kube-dns"))
    name, value = _DNS_LABEL
    services = [usual] if usual else [one for one in cluster.services.values() if one.labels.get(name) == value]
    for one in services:
        if any(port.port == _DNS_PORT and port.protocol == "udp" for port in one.ports):
            return one
    raise FlowError("This cluster has no DNS. Add a Service kube-system/kube-dns with UDP port 53, and Pods behind it.")


def _answer(simulation: Simulation, service: Service, port: str) -> tuple[str, str | None]:
    """Where the client then connects to: the ClusterIP, or one of a headless Service's Pods, and the protocol."""
    if service.cluster_ips[:1] != ("None",):
        return f"{service.namespace}/{service.name}{f':{port}' if port else ''}", None
    slices = simulation.cluster.slices.get(service.key, ())
    ready = [(one, endpoint) for one in slices for endpoint in one.endpoints if endpoint.ready and one.ports]
    if not ready:
        return "", None
    chosen, endpoint = ready[simulation.dice.pick(even_odds(len(ready))) if len(ready) > 1 else 0]
    spoken = _port(service, chosen.ports, port)
    address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    return f"{address}:{spoken.port}", spoken.protocol


def _port(service: Service, ports: tuple[EndpointPort, ...], asked: str) -> EndpointPort:
    """The endpoints' port that a Service's port of this name or number leads to."""
    names = {one.name for one in service.ports if asked in ("", one.name, str(one.port))}
    fitting = [one for one in ports if one.name in names]
    if fitting:
        return fitting[0]
    known = ", ".join(one.name or str(one.port) for one in service.ports)
    name = f"{service.namespace}/{service.name}"
    raise FlowError(f"Service {name} has no port {asked[:80]!r} that its Pods offer. It has: {known or 'none'}.")
