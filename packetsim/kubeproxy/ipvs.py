"""Rule: IPVS mode turns the Services of one cluster into one node's virtual servers, ipsets,
kube-ipvs0 addresses and a few iptables rules.

Each Service is compiled by itself and kept; a change compiles its own Services again and shares
all else. The text is that of a fresh kube-proxy (Kubernetes 1.33 to 1.35, pkg/proxy/ipvs/proxier.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packetsim.cluster.model import Cluster, Key, ProxyConfiguration
from packetsim.kubeproxy.config import NodeConfig
from packetsim.kubeproxy.detect_local import local_detector
from packetsim.kubeproxy.fragments import Claims, changes_between, kept_listeners, last_written
from packetsim.kubeproxy.ipvs_iptables import Masquerade
from packetsim.kubeproxy.ipvs_ports import Made, PortServers, Settings
from packetsim.kubeproxy.ipvs_sets import SETS
from packetsim.kubeproxy.ipvs_text import FamilyText, Gathered, changed_text, last_synced, whole_text
from packetsim.kubeproxy.node_addresses import LOOPBACK, interface_addresses, node_ip, node_port_cidrs, node_port_ips
from packetsim.kubeproxy.services import Entry, PortTable, proxied_ports
from packetsim.ruletext import Line

# NewProxier. conn_reuse_mode is left alone from Linux 5.9 on (pkg/util/kernel/constants.go).
_SYSCTLS = {
    "net.ipv4.vs.conntrack": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
    "net.ipv4.ip_forward": "1",
}
_STRICT_ARP = {"net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2"}


@dataclass(frozen=True, slots=True)
class FamilyRules:
    """Everything of one family, with what is needed to make the next version of it."""

    table: PortTable
    settings: Settings
    made: Mapping[Key, Made]
    gathered: Gathered
    text: FamilyText

    @property
    def in_use(self) -> bool:
        """Has the node or any Service an address of this family?"""
        return self.table.node.address(self.settings.family) is not None or bool(self.made)


@dataclass(frozen=True, slots=True)
class Memory:
    families: Mapping[int, FamilyRules]


def compile(cluster: Cluster, node_name: str, before: NodeConfig | None = None) -> NodeConfig:  # noqa: A001
    """What kube-proxy in IPVS mode writes on this node. `before`: what this made before the last change."""
    memory = before.memory if before is not None else None
    old = memory.families if isinstance(memory, Memory) else {}
    families = {family: _family(cluster, node_name, family, old.get(family)) for family in (4, 6)}
    ipv4, ipv6 = families[4], families[6]
    used = [one for one in (ipv4, ipv6) if one.in_use] or [ipv4]
    tables, known = [one.table for one in families.values()], [one.table for one in old.values()]
    return NodeConfig(
        mode="ipvs",
        node=node_name,
        iptables=ipv4.text.iptables if ipv4 in used else {},
        ip6tables=ipv6.text.iptables if ipv6 in used else {},
        ipsets={name: one for rules in used for name, one in rules.text.sets.items()},
        virtual_servers=used[0].text.servers if len(used) == 1 else {**ipv4.text.servers, **ipv6.text.servers},
        dummy_addresses=tuple(line for rules in used for line in rules.text.addresses),
        sysctls={**_SYSCTLS, **(_STRICT_ARP if cluster.proxy.ipvs_strict_arp else {})},
        listeners=kept_listeners(tables, known, before),
        memory=Memory(families),
    )


def _family(cluster: Cluster, node_name: str, family: int, old: FamilyRules | None) -> FamilyRules:
    proxy = cluster.proxy.for_mode("ipvs")
    table = proxied_ports(cluster, node_name, family, old.table if old else None)
    settings = _settings(proxy, table, family)
    detector = local_detector(proxy, table.node, family)
    masquerade = Masquerade(family, proxy.masquerade_all, proxy.masquerade_bit, detector)
    if old is None or old.settings != settings:
        return _whole(table, settings, masquerade)
    return _changed(table, masquerade, old)


def _settings(proxy: ProxyConfiguration, table: PortTable, family: int) -> Settings:
    own = [one for one in interface_addresses(table.node, family) if one != LOOPBACK[family]]
    chosen = node_port_ips(table.node, family, node_port_cidrs(table.node, family, proxy))
    return Settings(
        family=family,
        node_ip=node_ip(table.node, family, proxy),
        scheduler=proxy.ipvs_scheduler,
        node_addresses=tuple(own),
        node_port_addresses=tuple(one for one in chosen if one != LOOPBACK[family]),
    )


def _whole(table: PortTable, settings: Settings, masquerade: Masquerade) -> FamilyRules:
    made = {key: _service(entry, settings) for key, entry in table.by_service.items() if entry[2]}
    servers = Claims(last_synced).filled({key: one.servers.items() for key, one in made.items()})
    entries = {
        name: Claims(last_written).filled({key: one.entries[name] for key, one in made.items() if name in one.entries})
        for name in SETS
    }
    gathered = Gathered(servers, entries, _out_filter(made))
    return FamilyRules(table, settings, made, gathered, whole_text(gathered, masquerade))


def _changed(table: PortTable, masquerade: Masquerade, old: FamilyRules) -> FamilyRules:
    """The rules after a change of some Services: what they touch is new, all else the same objects."""
    changes, nothing = changes_between(old.table, table), Made()
    now = {
        key: _service(table.by_service[key], old.settings, old.made.get(key)) if key in table.by_service else nothing
        for key in changes.keys
    }
    made = {**old.made, **now}
    if changes.order is not None:
        made = {key: made[key] for key in changes.order}
    servers, entries, out_filter = old.gathered.servers, dict(old.gathered.entries), old.gathered.out_filter
    for key, one in now.items():
        before = old.made.get(key, nothing)
        if before.servers != one.servers:
            servers = servers.changed(key, before.servers.items(), one.servers.items())
        for name in before.entries.keys() | one.entries.keys():
            gone, come = before.entries.get(name, []), one.entries.get(name, [])
            if gone != come:
                entries[name] = entries[name].changed(key, gone, come)
        if before.out_filter or one.out_filter:
            out_filter = _out_filter(made)
    gathered = Gathered(servers, entries, out_filter)
    return FamilyRules(table, old.settings, made, gathered, changed_text(gathered, masquerade, old.gathered, old.text))


def _out_filter(made: Mapping[Key, Made]) -> tuple[Line, ...]:
    return tuple(line for one in made.values() for line in one.out_filter)


def _service(entry: Entry, settings: Settings, old: Made | None = None) -> Made:
    service, _, ports = entry
    made = Made()
    for port in ports:
        PortServers(port, service, settings).add(made)
    if old is not None:
        # What is as it was stays the same object, so that nobody need read it again.
        same = {place: old.servers[place] for place, one in made.servers.items() if old.servers.get(place) == one}
        made.servers.update(same)
    return made
