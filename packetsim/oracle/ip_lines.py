"""Rule: the lines that `ip -batch` and `bridge -batch` read are written here, and who is wired to whom is not known.

Nothing is left to the kernel that it would settle by asking around: no neighbour is sought, no route comes with an
address. So a namespace is silent until something is sent, and every trace event is of what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packetsim.addresses import family_of
from packetsim.kernel.machine import Interface

_CACHES = {4: "arp_cache", 6: "ndisc_cache"}
_EVERY = ("all", "default")

# Before the first link is made, so that every interface begins with these.
SYSCTLS = {
    **{f"net/ipv6/conf/{which}/disable_ipv6": "0" for which in _EVERY},
    **{f"net/ipv6/conf/{which}/addr_gen_mode": "1" for which in _EVERY},  # IN6_ADDR_GEN_MODE_NONE
    **{f"net/ipv6/conf/{which}/accept_dad": "0" for which in _EVERY},
    **{f"net/ipv6/conf/{which}/accept_ra": "0" for which in _EVERY},
    **{f"net/ipv4/conf/{which}/rp_filter": "0" for which in _EVERY},
    **{f"net/ipv4/conf/{which}/send_redirects": "0" for which in _EVERY},
    **{f"net/ipv4/conf/{which}/route_localnet": "0" for which in _EVERY},
    # ICMP errors are limited in number, by default (icmp_ratemask, icmpv6_ratemask): here every one is wanted.
    "net/ipv4/icmp_ratemask": "0",
    "net/ipv6/icmp/ratemask": "255",  # an ICMPv6 type that does not exist
}


def forwarding(wanted: bool) -> dict[str, str]:
    """A new namespace takes the IPv4 values of the machine it is made on, so they are told either way."""
    value = "1" if wanted else "0"
    return {"net/ipv4/ip_forward": value, "net/ipv6/conf/all/forwarding": value}


def bridges_call_netfilter(wanted: bool) -> dict[str, str]:
    value = "1" if wanted else "0"
    return {f"net/bridge/bridge-nf-call-{tables}": value for tables in ("iptables", "ip6tables")}


# ---- links --------------------------------------------------------------------------------------


def veth(first: tuple[str, str, str], second: tuple[str, str, str]) -> str:
    """A pair of interfaces; each end is (code of the namespace, name, MAC)."""
    (code, name, mac), (other, peer, peer_mac) = first, second
    ours = f"link add name {name} netns {code} address {mac} type veth"
    return f"{ours} peer name {peer} address {peer_mac} netns {other}"


def up(interface: str) -> str:
    """Without multicast: no membership reports."""
    return "link set dev lo up" if interface == "lo" else f"link set dev {interface} multicast off up"


def bridge(name: str, mac: str) -> Iterator[str]:
    yield f"link add name {name} address {mac} type bridge stp_state 0 mcast_snooping 0"
    yield up(name)


def port(name: str, of_bridge: str, setting: str = "") -> Iterator[str]:
    yield up(name)
    yield f"link set dev {name} master {of_bridge}"
    if setting:
        yield f"link set dev {name} type bridge_slave {setting}"


def behind(mac: str, port_name: str) -> str:
    """For `bridge`: without it the first frame to a MAC goes to every port, and rules see each copy."""
    return f"fdb replace {mac} dev {port_name} master static"


# ---- addresses, neighbours, routes --------------------------------------------------------------


def addressed(interface: Interface) -> Iterator[str]:
    """The interface's addresses, of which the first counts as first: IPv6's list begins with the newest."""
    four = [one for one in interface.addresses if family_of(one[0]) == 4]
    six = [one for one in interface.addresses if family_of(one[0]) == 6]
    for address, length in four:
        yield f"address add {address}/{length} dev {interface.name} noprefixroute"
    for address, length in reversed(six):
        yield f"address add {address}/{length} dev {interface.name} noprefixroute nodad"


def unasking(interface: str, families: Iterable[int]) -> Iterator[str]:
    """Who is not among the neighbours is not asked for, and what is for him is lost silently (__neigh_event_send)."""
    for family in families:
        yield f"ntable change name {_CACHES[family]} dev {interface} mcast_probes 0"


def neighbour(address: str, mac: str, interface: str) -> str:
    return f"neighbour add {address} lladdr {mac} dev {interface} nud permanent"


def route(destination: str, interface: str, via: str = "", source: str = "") -> str:
    words = [f"route add {destination}"]
    words += [f"via {via}"] if via else []
    words += [f"dev {interface}"]
    words += ["onlink"] if via else []
    words += [f"src {source}"] if source else []
    return " ".join(words)
