"""Rule: iptables mode turns the Services of one cluster into one node's iptables and ip6tables.

Each Service is compiled by itself and kept; a change compiles its own Services again and shares
all else, down to the chain. The text is that of a fresh kube-proxy (a full sync), also where a
long-running one would still have older comments (Kubernetes 1.35, pkg/proxy/iptables/proxier.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from packetsim.cluster.model import Cluster, Key
from packetsim.kubeproxy.chain_table import ChainTable
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.detect_local import local_detector
from packetsim.kubeproxy.iptables_fixed import FILTER_BUILT_IN, MANGLE, NAT_BUILT_IN, Fixed, fixed_rules
from packetsim.kubeproxy.iptables_ports import Lines, PortRules, Settings, Shared
from packetsim.kubeproxy.listeners import listeners
from packetsim.kubeproxy.node_addresses import node_ip
from packetsim.kubeproxy.services import Entry, PortTable, differing, proxied_ports
from packetsim.ruletext import ChainText, IptablesText

# proxier.go largeClusterEndpointsThreshold
LARGE_CLUSTER = 1000


@dataclass(frozen=True, slots=True)
class ServiceRules:
    """The rules of one Service of one family."""

    shared: Shared
    chains: Mapping[str, ChainText]


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """Everything of one family, with what is needed to make the next version of it."""

    table: PortTable
    endpoints: int
    settings: Settings
    fixed: Fixed
    rules: Mapping[Key, ServiceRules]
    shared: Shared
    nat: ChainTable
    text: IptablesText


@dataclass(frozen=True, slots=True)
class Memory:
    families: Mapping[int, FamilyRules]


def compile(cluster: Cluster, node_name: str, before: NodeConfig | None = None) -> NodeConfig:  # noqa: A001
    """What kube-proxy in iptables mode writes on this node. `before`: what this made before the last change."""
    memory = before.memory if before is not None else None
    old = memory.families if isinstance(memory, Memory) else {}
    families = {family: _family(cluster, node_name, family, old.get(family)) for family in (4, 6)}
    ipv4, ipv6 = families[4], families[6]
    has_ipv6 = _in_use(ipv6)
    same_health_checks = before is not None and all(
        family in old and rules.shared.health_checks == old[family].shared.health_checks
        for family, rules in families.items()
    )
    return NodeConfig(
        mode="iptables",
        node=node_name,
        iptables=ipv4.text if _in_use(ipv4) or not has_ipv6 else {},
        ip6tables=ipv6.text if has_ipv6 else {},
        sysctls={"net.ipv4.conf.all.route_localnet": "1"} if ipv4.fixed.localhost_node_ports else {},
        listeners=(
            before.listeners
            if before is not None and same_health_checks
            else listeners(chain(ipv4.table.ports, ipv6.table.ports))
        ),
        memory=Memory(families),
    )


def _in_use(rules: FamilyRules) -> bool:
    """Has the node or any Service an address of this family?"""
    return rules.table.node.address(rules.table.family) is not None or bool(rules.rules)


def _family(cluster: Cluster, node_name: str, family: int, old: FamilyRules | None) -> FamilyRules:
    table = proxied_ports(cluster, node_name, family, old.table if old else None)
    endpoints = _count(table, old)
    proxy, node = cluster.proxy, table.node
    settings = Settings(
        family=family,
        node_ip=node_ip(node, family, proxy),
        masquerade_all=proxy.masquerade_all,
        detector=local_detector(proxy, node, family),
        large=endpoints > LARGE_CLUSTER,
    )
    fixed = fixed_rules(proxy, node, family)
    if old is None or old.settings != settings or old.fixed != fixed:
        return _whole(table, endpoints, settings, fixed)
    return _changed(table, endpoints, old)


def _count(table: PortTable, old: FamilyRules | None) -> int:
    """How many endpoints there are behind all service ports, usable or not."""
    if old is None:
        return sum(len(port.endpoints) for port in table.ports)
    new, known = table.by_service, old.table.by_service
    return old.endpoints + sum(
        len(port.endpoints) * sign
        for key in differing(known, new)
        for sign, entries in ((1, new), (-1, known))
        if key in entries
        for port in entries[key][2]
    )


def _whole(table: PortTable, endpoints: int, settings: Settings, fixed: Fixed) -> FamilyRules:
    rules = {key: _service(entry, settings) for key, entry in table.by_service.items() if entry[2]}
    shared = _gathered(rules.values())
    own = chain.from_iterable(one.chains.items() for one in rules.values())
    nat = ChainTable(NAT_BUILT_IN, {**_nat_chains(fixed, shared), **dict(own)})
    text = {"mangle": MANGLE, "filter": _filter(fixed, shared), "nat": nat}
    return FamilyRules(table, endpoints, settings, fixed, rules, shared, nat, text)


def _changed(table: PortTable, endpoints: int, old: FamilyRules) -> FamilyRules:
    """The rules after a change of some Services: the chains they touch are new, all others the same objects."""
    entries = table.by_service
    differs = sorted(differing(old.table.by_service, entries))
    made = {
        key: _service(entries[key], old.settings, old.rules.get(key))
        for key in differs
        if key in entries and entries[key][2]
    }
    gone = [old.rules[key] for key in differs if key in old.rules]
    rules = {**old.rules, **made}
    if made.keys() - old.rules.keys() or len(gone) != len(made):
        rules = {key: rules[key] for key, entry in entries.items() if entry[2]}
    chains = dict(chain.from_iterable(one.chains.items() for one in made.values()))
    shared, filters, nat = old.shared, old.text["filter"], old.nat
    if _gathered(gone) != _gathered(made.values()):
        shared = _gathered(rules.values())
        filters = _filter(old.fixed, shared)
        chains |= _nat_chains(old.fixed, shared)
    if gone or made:
        nat = nat.changed(chain.from_iterable(one.chains for one in gone), chains)
    text = {"mangle": MANGLE, "filter": filters, "nat": nat}
    return FamilyRules(table, endpoints, old.settings, old.fixed, rules, shared, nat, text)


def _service(entry: Entry, settings: Settings, old: ServiceRules | None = None) -> ServiceRules:
    service, slices, ports = entry
    made = [PortRules(port, service, slices, settings) for port in ports]
    chains: dict[str, ChainText] = {}
    for one in made:
        chains.update(one.chains())
    if old is not None:
        # A chain that is as it was stays the same object, so that nobody need read it again.
        chains = {name: old.chains[name] if old.chains.get(name) == text else text for name, text in chains.items()}
    return ServiceRules(_joined([one.shared() for one in made]), chains)


def _joined(parts: list[Shared]) -> Shared:
    if len(parts) == 1:
        return parts[0]
    return Shared(*(tuple(chain.from_iterable(one[place] for one in parts)) for place in range(len(Shared._fields))))


def _gathered(rules: Iterable[ServiceRules]) -> Shared:
    return _joined([Shared(), *(one.shared for one in rules)])


def _nat_chains(fixed: Fixed, shared: Shared) -> dict[str, ChainText]:
    return {
        **fixed.nat_chains,
        "KUBE-NODEPORTS": ChainText(None, shared.node_ports),
        "KUBE-SERVICES": ChainText(None, (*shared.services, *fixed.tail)),
    }


def _filter(fixed: Fixed, shared: Shared) -> dict[str, ChainText]:
    chains: dict[str, Lines] = {
        "KUBE-EXTERNAL-SERVICES": shared.external_verdicts,
        "KUBE-NODEPORTS": shared.health_checks,
        "KUBE-PROXY-FIREWALL": shared.firewall,
        "KUBE-SERVICES": shared.verdicts,
    }
    own = {**fixed.filter_chains, **{name: ChainText(None, lines) for name, lines in chains.items()}}
    return {**FILTER_BUILT_IN, **dict(sorted(own.items()))}
