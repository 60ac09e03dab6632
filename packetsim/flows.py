"""Rule: the names a person types become one Flow, or an error that tells what to type instead.

Sources are `ns/pod`, a node's name or an IP; destinations `ns/service[:port]`, `ns/pod:port`,
`node:port`, `IP:port` or `[IPv6]:port`. Names are resolved as the cluster's DNS would; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address

from packetsim.addresses import family_of, with_port
from packetsim.cluster.model import Cluster, ContainerPort, Key, Pod, Service, ServicePort
from packetsim.errors import FlowError
from packetsim.protocols import TRANSPORTS
from packetsim.trace import Flow

SOURCE_FORMS = "Write NAMESPACE/POD, a node's name, or an IP address"
TARGET_FORMS = "Write NAMESPACE/SERVICE:PORT, NAMESPACE/POD:PORT, NODE:PORT, IP:PORT or [IPv6]:PORT"
DEFAULT_PROTOCOL = "tcp"


@dataclass(frozen=True, slots=True)
class _End:
    """One end of a flow. `called`: its name in errors. `ports`: those it declares."""

    called: str
    place: str
    addresses: tuple[str, ...]
    ports: tuple[ContainerPort | ServicePort, ...] = ()
    outside: bool = False


def flow_from(cluster: Cluster, source: str, target: str, protocol: str | None = None, via: str | None = None) -> Flow:
    """The flow from `source` to `target`. Raises FlowError.

    `protocol` None: that of the named service or container port, else TCP. `via` is used for outside
    senders alone; without it their packet enters at the node that owns the destination address.
    """
    if protocol is not None and protocol.lower() not in TRANSPORTS:
        raise FlowError(f"there is no protocol {_shown(protocol)}. Use one of {', '.join(TRANSPORTS)}.")
    if via is not None and via not in cluster.nodes:
        raise FlowError(f"there is no node {_shown(via)} to enter by. {_suggest(via, cluster.nodes)}")
    sender = _sender(cluster, source.strip())
    receiver, port_text = _receiver(cluster, target.strip())
    port, spoken = _port(receiver, port_text, protocol.lower() if protocol else None)
    from_address, to_address = _same_family(sender, receiver)
    if sender.outside and ip_address(to_address).is_loopback:
        raise FlowError(f"{to_address} is the sender's own address, so the packet never leaves it. Send from a node.")
    return Flow(
        place=sender.place,
        source=from_address,
        destination=to_address,
        port=port,
        protocol=spoken,
        via=via if sender.outside else None,
    )


# ---- sources ----------------------------------------------------------------------------------


def _sender(cluster: Cluster, text: str) -> _End:
    if text in cluster.nodes:
        return _node(cluster, text)
    address = _address(text)
    if address is not None:
        return _sender_at(cluster, address)
    if "/" in text:
        key = _key(text)
        if key in cluster.pods:
            return _pod(cluster.pods[key])
        if key in cluster.services:
            raise FlowError(f"{text} is a Service, and Services send nothing. Send from a Pod, a node or an address.")
        raise FlowError(f"there is no Pod {_shown(text)}. {_suggest(text, map('/'.join, cluster.pods))}")
    names = [*cluster.nodes, *map("/".join, cluster.pods)]
    raise FlowError(f"there is no node {_shown(text)}. {_suggest(text, names, SOURCE_FORMS)}")


def _sender_at(cluster: Cluster, address: str) -> _End:
    """Who has the address: a node, a Pod, else a host outside the cluster."""
    for node in cluster.nodes.values():
        if address in node.addresses:
            return _End(f"node {node.name}", node.name, (address,))
    for pod in cluster.pods.values():
        if address in pod.addresses:
            return _End(f"Pod {_name(pod.key)}", _name(pod.key), (address,))
    for service in cluster.services.values():
        if address in service.cluster_ips:
            raise FlowError(
                f"{address} is the ClusterIP of Service {_name(service.key)}, and nothing sends from it. "
                "Send from a Pod, a node or another address."
            )
    refused = _refuse_special(address)
    if refused or ip_address(address).is_loopback:
        what = refused or "a loopback address, which every machine has"
        raise FlowError(f"{address} is {what}: it names no sender. {SOURCE_FORMS}.")
    return _End(f"outside host {address}", address, (address,), outside=True)


# ---- destinations -----------------------------------------------------------------------------


def _receiver(cluster: Cluster, text: str) -> tuple[_End, str]:
    """The destination and its port as written, "" where none is."""
    host, port = _split(text)
    if host in cluster.nodes:
        return _node(cluster, host), port
    address = _address(host)
    if address is not None:
        refused = _refuse_special(address)
        if refused:
            raise FlowError(f"{address} is {refused}, to which no connection can be made. {TARGET_FORMS}.")
        return _End(address, address, (address,)), port
    if "/" in host:
        return _named(cluster, host), port
    names = [*cluster.nodes, *map("/".join, cluster.services), *map("/".join, cluster.pods)]
    raise FlowError(f"there is no node {_shown(host)}. {_suggest(host, names, TARGET_FORMS)}")


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or ":" not in host or (rest and not rest.startswith(":")):
            raise FlowError(f"{_shown(text)} is no destination. {TARGET_FORMS}.")
        return host, rest[1:]
    if text.count(":") > 1:
        cure = f"Write [{text}]:PORT" if _address(text) else TARGET_FORMS
        raise FlowError(f"{_shown(text)} is no destination: an IPv6 address stands in brackets. {cure}.")
    host, _, port = text.partition(":")
    return host, port


def _named(cluster: Cluster, text: str) -> _End:
    key = _key(text)
    pod, service = cluster.pods.get(key), cluster.services.get(key)
    if service is not None:  # also when a Pod has the same name: the cluster's DNS knows Services alone
        return _service(cluster, service)
    if pod is not None:
        return _pod(pod)
    names = [*map("/".join, cluster.services), *map("/".join, cluster.pods)]
    raise FlowError(f"there is no Service or Pod {_shown(text)}. {_suggest(text, names)}")


def _service(cluster: Cluster, service: Service) -> _End:
    name = _name(service.key)
    if service.type == "ExternalName":
        raise FlowError(
            f"Service {name} is only a DNS alias (ExternalName) for {service.external_name}, and no proxy sees it. "
            f"Send to the address that {service.external_name} has."
        )
    if service.cluster_ips[:1] == ("None",):
        raise FlowError(
            f"Service {name} is headless: DNS answers with its Pods' addresses, and no proxy sees it. "
            f"Send to one of them{_pod_addresses(cluster, service)}."
        )
    return _End(f"Service {name}", name, service.cluster_ips, service.ports)


def _pod_addresses(cluster: Cluster, service: Service) -> str:
    """`: 10.0.0.1:80, …`, at most six; "" where the Service has none."""
    ready = sorted(
        with_port(endpoint.address, port.port)
        for one in cluster.slices.get(service.key, ())
        for port in one.ports or ()
        for endpoint in one.endpoints
        if endpoint.ready
    )
    more = ", …" if len(ready) > 6 else ""
    return f": {', '.join(ready[:6])}{more}" if ready else ", once it has any that is ready"


# ---- both -------------------------------------------------------------------------------------


def _node(cluster: Cluster, name: str) -> _End:
    return _End(f"node {name}", name, cluster.nodes[name].addresses)


def _pod(pod: Pod) -> _End:
    return _End(f"Pod {_name(pod.key)}", _name(pod.key), pod.addresses, pod.ports)


def _same_family(sender: _End, receiver: _End) -> tuple[str, str]:
    """An address of each, of one family; IPv4 where both have both, as `getaddrinfo` on a plain cluster."""
    for family in (4, 6):
        here = next((one for one in sender.addresses if family_of(one) == family), None)
        there = next((one for one in receiver.addresses if family_of(one) == family), None)
        if here and there:
            return here, there
    raise FlowError(
        f"{sender.called} has {_families(sender)} and {receiver.called} has {_families(receiver)}: "
        "no packet goes from one to the other. Choose two ends of one address family."
    )


def _families(end: _End) -> str:
    found = sorted({family_of(one) for one in end.addresses})
    return " and ".join(f"IPv{family}" for family in found) + " only" if found else "no address"


def _port(end: _End, text: str, protocol: str | None) -> tuple[int, str]:
    """The port's number and the protocol, by number or by name."""
    if not text:
        return _only_port(end, protocol)
    if text.isascii() and text.isdecimal():
        number = int(text) if len(text) < 6 else 0
        if not 1 <= number <= 65535:
            raise FlowError(f"{_shown(text)} is no port. Write a number from 1 to 65535.")
        return number, protocol or _one_protocol(end, [port for port in end.ports if port.port == number])
    named = [port for port in end.ports if port.name == text]
    fitting = [port for port in named if protocol in (None, port.protocol)]
    if named and not fitting:
        spoken = named[0].protocol
        raise FlowError(f"port {text} of {end.called} speaks {spoken}, not {protocol}. Ask for protocol {spoken}.")
    if not fitting:
        names = list(dict.fromkeys(port.name for port in end.ports if port.name))
        cure = f"Write its number, or one of its names: {', '.join(names[:6])}" if names else "Write its number"
        raise FlowError(f"{end.called} has no port named {_shown(text)}. {_suggest(text, names, cure)}")
    return fitting[0].port, protocol or _one_protocol(end, fitting)


def _only_port(end: _End, protocol: str | None) -> tuple[int, str]:
    """A Service with one port need not be told which."""
    fitting = [port for port in end.ports if isinstance(port, ServicePort) and protocol in (None, port.protocol)]
    if len(fitting) == 1:
        return fitting[0].port, fitting[0].protocol
    known = ", ".join(f"{port.port}/{port.protocol}" for port in end.ports)
    cure = f"Add one of its ports: {known}" if known else "Add :PORT"
    raise FlowError(f"which port of {end.called}? {cure}.")


def _one_protocol(end: _End, ports: list[ContainerPort | ServicePort]) -> str:
    spoken = sorted({port.protocol for port in ports})
    if DEFAULT_PROTOCOL in spoken or not spoken:
        return DEFAULT_PROTOCOL
    if len(spoken) > 1:
        raise FlowError(f"that port of {end.called} speaks {' and '.join(spoken)}. Say which protocol.")
    return spoken[0]


def _address(text: str) -> str | None:
    """Canonical text, None where it is no IP address. A zone (`%eth0`) is meant for one machine alone: no."""
    try:
        return None if "%" in text else str(ip_address(text))
    except ValueError:
        return None


def _refuse_special(address: str) -> str:
    """Why nobody in particular has this address; "" if someone may."""
    parsed = ip_address(address)
    if parsed.is_unspecified:
        return "the unspecified address"
    if parsed.is_multicast:
        return "a multicast address"
    return "the broadcast address" if address == "255.255.255.255" else ""


def _key(text: str) -> Key:
    namespace, _, name = text.partition("/")
    return namespace, name


def _name(key: Key) -> str:
    return "/".join(key)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "…")


def _suggest(text: str, names: Iterable[str], otherwise: str = "") -> str:
    """`Did you mean …?`, else what exists."""
    known = list(names)
    close = get_close_matches(text[:200], known, n=3) if len(known) <= 20_000 else []
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if otherwise:
        return f"{otherwise}."
    if not known:
        return "There are none."
    return f"There {'are' if len(known) > 1 else 'is'} {', '.join(known[:6])}{', …' if len(known) > 6 else ''}."
