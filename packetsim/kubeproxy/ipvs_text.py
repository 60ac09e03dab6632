"""Rule: what all Services of one family gave becomes text here, in the order of the tools' listings.

A text whose makings did not change is taken over as the same object.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from packetsim.addresses import full_length
from packetsim.kubeproxy.fragments import Claims, Place
from packetsim.kubeproxy.ipvs_iptables import Firewall, Lines, Masquerade
from packetsim.kubeproxy.ipvs_order import in_listing_order
from packetsim.kubeproxy.ipvs_ports import NamedServer
from packetsim.kubeproxy.ipvs_sets import IPVS_IPS, name_of, set_text
from packetsim.ruletext import IptablesText, Line, ServerText, SetText


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the Services of one family want. `entries`: by set, under its IPv4 name."""

    servers: Claims[NamedServer]
    entries: Mapping[str, Claims[Line]]
    out_filter: Lines


@dataclass(frozen=True, slots=True)
class FamilyText:
    servers: Mapping[str, ServerText]
    sets: Mapping[str, SetText]
    addresses: Lines
    firewall: Firewall
    iptables: IptablesText


def last_synced(servers: list[NamedServer]) -> NamedServer:
    """kube-proxy syncs its Services one after another (a Go map: in no fixed order); the last one's servers stay."""
    return servers[-1]


def whole_text(gathered: Gathered, masquerade: Masquerade) -> FamilyText:
    family = masquerade.family
    sets = {name_of(name, family): set_text(name, family, one.values) for name, one in gathered.entries.items()}
    firewall = _firewall(gathered, masquerade)
    return FamilyText(
        servers=dict(_listed(gathered.servers, family)),
        sets=sets,
        addresses=_addresses(sets[name_of(IPVS_IPS, family)]),
        firewall=firewall,
        iptables=firewall.tables(),
    )


def changed_text(gathered: Gathered, masquerade: Masquerade, before: Gathered, old: FamilyText) -> FamilyText:
    """The text after a change: `old` was made of `before`."""
    family = masquerade.family
    sets = dict(old.sets)
    for name, one in gathered.entries.items():
        if one is not before.entries[name]:
            sets[name_of(name, family)] = set_text(name, family, one.values)
    bound = name_of(IPVS_IPS, family)
    firewall = _firewall(gathered, masquerade)
    return FamilyText(
        servers=_servers(gathered.servers, before.servers, old.servers, family),
        sets=sets,
        addresses=old.addresses if sets[bound] is old.sets[bound] else _addresses(sets[bound]),
        firewall=firewall,
        iptables=old.iptables if firewall == old.firewall else firewall.tables(),
    )


def _servers(
    now: Claims[NamedServer], before: Claims[NamedServer], old: Mapping[str, ServerText], family: int
) -> Mapping[str, ServerText]:
    if now is before:
        return old
    if now.places != before.places:
        return dict(_listed(now, family))
    pairs = zip(now.values, before.values, strict=True)
    return {**old, **{one.name: one.text for one, other in pairs if one is not other}}


def _listed(claims: Claims[NamedServer], family: int) -> Iterator[tuple[str, ServerText]]:
    """As ipvsadm sorts them: by protocol, address, port."""
    pairs = zip(claims.places, claims.values, strict=True)
    for _, group in groupby(pairs, key=lambda pair: pair[0][0]):
        by_address: dict[int, list[NamedServer]] = {}
        for place, server in group:
            by_address.setdefault(_address(place), []).append(server)
        for number in in_listing_order(by_address, family):
            yield from by_address[number]


def _address(place: Place) -> int:
    number = place[1]
    assert isinstance(number, int)
    return number


def _addresses(bound: SetText) -> Lines:
    """kube-ipvs0 has just the addresses of KUBE-IPVS-IPS."""
    addresses = ((line.text.rpartition(" ")[2], line.origins) for line in bound.entries)
    return tuple(Line(f"{address}/{full_length(address)}", origins) for address, origins in addresses)


def _firewall(gathered: Gathered, masquerade: Masquerade) -> Firewall:
    filled = frozenset(name for name, one in gathered.entries.items() if one.values)
    return Firewall(masquerade, filled, gathered.out_filter)
