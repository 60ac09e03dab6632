"""Rule: nftables mode turns the Services of one cluster into one node's `ip` and `ip6` tables.

Each Service is compiled by itself and kept; a change compiles its own Services again and shares
all else, down to the chain. The text is that of a fresh kube-proxy after its first sync: one that
ran longer may for a while have emptied chains (Kubernetes 1.35, pkg/proxy/nftables/proxier.go).
The position of a Service's chains means nothing to the kernel; here they stand by Service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from packetsim.cluster.model import Cluster, Key
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.detect_local import local_detector
from packetsim.kubeproxy.fragments import ByService, Claims, changes_between, kept_listeners, last_written
from packetsim.kubeproxy.nftables_fixed import NODE_PORT_IPS, SETS, Fixed, fixed_rules
from packetsim.kubeproxy.nftables_ports import Made, PortRules, Settings
from packetsim.kubeproxy.node_addresses import node_ip
from packetsim.kubeproxy.services import Entry, PortTable, proxied_ports
from packetsim.ruletext import Line, NftChainText, NftSetText, NftTableText


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """Everything of one family, with what is needed to make the next version of it."""

    table: PortTable
    settings: Settings
    fixed: Fixed
    made: Mapping[Key, Made]
    elements: Mapping[str, Claims[Line]]
    chains: ByService[NftChainText]
    sets: ByService[NftSetText]

    @property
    def in_use(self) -> bool:
        """Has the node or any Service an address of this family?"""
        return self.table.node.address(self.settings.family) is not None or bool(self.made)

    @property
    def text(self) -> NftTableText:
        return NftTableText(self.settings.ip, "kube-proxy", "rules for kube-proxy", self.sets, self.chains)


@dataclass(frozen=True, slots=True)
class Memory:
    families: Mapping[int, FamilyRules]


def compile(cluster: Cluster, node_name: str, before: NodeConfig | None = None) -> NodeConfig:  # noqa: A001
    """What kube-proxy in nftables mode writes on this node. `before`: what this made before the last change."""
    memory = before.memory if before is not None else None
    old = memory.families if isinstance(memory, Memory) else {}
    families = {family: _family(cluster, node_name, family, old.get(family)) for family in (4, 6)}
    used = [one for one in families.values() if one.in_use]
    tables, known = [one.table for one in families.values()], [one.table for one in old.values()]
    return NodeConfig(
        mode="nftables",
        node=node_name,
        nft=tuple(one.text for one in used or [families[4]]),
        listeners=kept_listeners(tables, known, before),
        memory=Memory(families),
    )


def _family(cluster: Cluster, node_name: str, family: int, old: FamilyRules | None) -> FamilyRules:
    proxy = cluster.proxy.for_mode("nftables")
    table = proxied_ports(cluster, node_name, family, old.table if old else None)
    settings = Settings(
        family=family,
        node_ip=node_ip(table.node, family, proxy),
        masquerade_all=proxy.masquerade_all,
        detector=local_detector(proxy, table.node, family),
    )
    fixed = fixed_rules(proxy, table.node, family, cluster.service_cidrs)
    if old is None or (old.settings, old.fixed) != (settings, fixed):
        return _whole(table, settings, fixed)
    return _changed(table, old)


def _whole(table: PortTable, settings: Settings, fixed: Fixed) -> FamilyRules:
    made = {key: _service(entry, settings) for key, entry in table.by_service.items() if entry[2]}
    elements = {
        name: Claims(last_written).filled(
            {key: one.elements[name] for key, one in made.items() if name in one.elements}
        )
        for name in SETS
    }
    sets = _shared_sets(elements, fixed, settings)
    chains = ByService(fixed.chains, {key: one.chains for key, one in made.items()})
    affinity = ByService(sets, {key: one.sets for key, one in made.items()})
    return FamilyRules(table, settings, fixed, made, elements, chains, affinity)


def _changed(table: PortTable, old: FamilyRules) -> FamilyRules:
    """The rules after a change of some Services: what they touch is new, all else the same objects."""
    changes = changes_between(old.table, table)
    if not changes.keys:
        return replace(old, table=table)
    now = {
        key: _service(table.by_service[key], old.settings, old.made.get(key))
        for key in changes.keys
        if key in table.by_service
    }
    gone = {key: Made() for key in changes.keys if key not in now}
    made = {**old.made, **now, **gone}
    if changes.order is not None:
        made = {key: made[key] for key in changes.order}
    elements = dict(old.elements)
    for key, one in (*now.items(), *gone.items()):
        _move(elements, key, old.made.get(key, Made()), one)
    sets = _shared_sets(elements, old.fixed, old.settings, old)
    chains = {key: one.chains for key, one in (*now.items(), *gone.items())}
    affinity = {key: one.sets for key, one in (*now.items(), *gone.items())}
    return FamilyRules(
        table,
        old.settings,
        old.fixed,
        made,
        elements,
        old.chains.changed(old.fixed.chains, chains, changes.order),
        old.sets.changed(sets, affinity, changes.order),
    )


def _move(elements: dict[str, Claims[Line]], key: Key, old: Made, new: Made) -> None:
    """Put one Service's new elements in place of its old ones, where they differ."""
    for name in elements:
        gone, come = old.elements.get(name, []), new.elements.get(name, [])
        if gone != come:
            elements[name] = elements[name].changed(key, gone, come)


def _service(entry: Entry, settings: Settings, old: Made | None = None) -> Made:
    service, slices, ports = entry
    made = Made()
    for port in ports:
        PortRules(port, service, slices, settings).add(made)
    if old is not None:
        # What is as it was stays the same object, so that nobody need read it again.
        made.chains.update({name: old.chains[name] for name, one in made.chains.items() if old.chains.get(name) == one})
        made.sets.update({name: old.sets[name] for name, one in made.sets.items() if old.sets.get(name) == one})
    return made


def _shared_sets(
    elements: Mapping[str, Claims[Line]], fixed: Fixed, settings: Settings, old: FamilyRules | None = None
) -> dict[str, NftSetText]:
    """The sets and maps that all Services share, and the node's own; those that did not change are `old`'s."""
    sets: dict[str, NftSetText] = {}
    for name, (keyword, datatype, comment) in SETS.items():
        if name == NODE_PORT_IPS and fixed.node_port_ips is None:
            continue
        if old is not None and elements[name] is old.elements[name]:
            sets[name] = old.sets[name]
            continue
        header = (f"type {datatype.replace('ADDRESS', settings.address_type)}", f'comment "{comment}"')
        own = fixed.node_port_ips if name == NODE_PORT_IPS else tuple(elements[name].values)
        sets[name] = NftSetText(keyword, header, own or ())
    return sets
