"""Rule: the iptables rules that are there whatever Services there are.

Jumps from the built-in chains, the masquerade mark, forwarding, node ports' last rule: from
iptablesJumpChains and syncProxyRules in pkg/proxy/iptables/proxier.go (Kubernetes 1.35). Each jump
is inserted at the top of its chain, so what is ensured first stands last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packetsim.addresses import full_length
from packetsim.cluster.model import Node, ProxyConfiguration
from packetsim.kubeproxy.iptables_ports import Lines
from packetsim.kubeproxy.node_addresses import (
    LOOPBACK,
    holds_loopback,
    node_port_cidrs,
    node_port_ips,
    takes_every_address,
)
from packetsim.ruletext import ChainText, Line, Origin

CANARY = {"KUBE-PROXY-CANARY": ChainText(None)}

_NEW = " -m conntrack --ctstate NEW"

# Built-in chain -> its jumps, top first: (match, comment, chain).
_FILTER_JUMPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "INPUT": (
        ("", "", "KUBE-FIREWALL"),
        (_NEW, "kubernetes load balancer firewall", "KUBE-PROXY-FIREWALL"),
        ("", "kubernetes health check service ports", "KUBE-NODEPORTS"),
        (_NEW, "kubernetes externally-visible service portals", "KUBE-EXTERNAL-SERVICES"),
    ),
    "FORWARD": (
        (_NEW, "kubernetes load balancer firewall", "KUBE-PROXY-FIREWALL"),
        ("", "kubernetes forwarding rules", "KUBE-FORWARD"),
        (_NEW, "kubernetes service portals", "KUBE-SERVICES"),
        (_NEW, "kubernetes externally-visible service portals", "KUBE-EXTERNAL-SERVICES"),
    ),
    "OUTPUT": (
        ("", "", "KUBE-FIREWALL"),
        (_NEW, "kubernetes load balancer firewall", "KUBE-PROXY-FIREWALL"),
        (_NEW, "kubernetes service portals", "KUBE-SERVICES"),
    ),
}
_NAT_JUMPS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "PREROUTING": (("", "kubernetes service portals", "KUBE-SERVICES"),),
    "INPUT": (),
    "OUTPUT": (("", "kubernetes service portals", "KUBE-SERVICES"),),
    "POSTROUTING": (("", "kubernetes postrouting rules", "KUBE-POSTROUTING"),),
}


def built_in_chains(jumps: Mapping[str, tuple[tuple[str, str, str], ...]]) -> dict[str, ChainText]:
    """Built-in chains, policy ACCEPT, with these jumps."""
    chains: dict[str, ChainText] = {}
    for name, ways in jumps.items():
        lines = []
        for match, comment, target in ways:
            said = f' -m comment --comment "{comment}"' if comment else ""
            lines.append(_fixed(f"-A {name}{match}{said} -j {target}", f"jump to {target}"))
        chains[name] = ChainText("ACCEPT", tuple(lines))
    return chains


def _fixed(text: str, part: str, *more: Origin) -> Line:
    return Line(text, (Origin("kube-proxy", "", "", part), *more))


def _setting(path: str) -> Origin:
    return Origin("KubeProxyConfiguration", "", "", path)


MANGLE: dict[str, ChainText] = {
    **built_in_chains(dict.fromkeys(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"), ())),
    **CANARY,
}
FILTER_BUILT_IN = built_in_chains(_FILTER_JUMPS)
NAT_BUILT_IN = built_in_chains(_NAT_JUMPS)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Fixed rules as far as the settings change them. `tail`: end of nat KUBE-SERVICES."""

    filter_chains: Mapping[str, ChainText]
    nat_chains: Mapping[str, ChainText]
    tail: Lines
    localhost_node_ports: bool


def fixed_rules(proxy: ProxyConfiguration, node: Node, family: int) -> Fixed:
    """The fixed rules of one family on one node."""
    cidrs = node_port_cidrs(node, family, proxy)
    localhost = family == 4 and proxy.localhost_node_ports and holds_loopback(cidrs)
    mark = f"{1 << proxy.masquerade_bit:#x}"
    return Fixed(
        filter_chains={
            "KUBE-FIREWALL": ChainText(None, _martians() if localhost else ()),
            "KUBE-FORWARD": ChainText(None, _forward(mark)),
            **CANARY,
        },
        nat_chains={
            "KUBE-MARK-MASQ": ChainText(None, _set_mark(mark)),
            "KUBE-POSTROUTING": ChainText(None, _postrouting(mark)),
            **CANARY,
        },
        tail=_tail(node, family, cidrs, localhost),
        localhost_node_ports=localhost,
    )


def _martians() -> Lines:
    text = (
        "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 "
        '-m comment --comment "block incoming localnet connections" '
        "-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP"
    )
    return (_fixed(text, "localhost protection", _setting("iptables.localhostNodePorts")),)


def _forward(mark: str) -> Lines:
    # As without nfacct counters and with the sysctl nf_conntrack_tcp_be_liberal at its default, 0.
    return (
        _fixed("-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP", "forwarding"),
        _fixed(
            '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" '
            f"-m mark --mark {mark}/{mark} -j ACCEPT",
            "forwarding",
            _setting("iptables.masqueradeBit"),
        ),
        _fixed(
            '-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" '
            "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
            "forwarding",
        ),
    )


def _set_mark(mark: str) -> Lines:
    text = f"-A KUBE-MARK-MASQ -j MARK --set-xmark {mark}/{mark}"
    return (_fixed(text, "masquerade mark", _setting("iptables.masqueradeBit")),)


def _postrouting(mark: str) -> Lines:
    part, bit = "masquerade", _setting("iptables.masqueradeBit")
    return (
        _fixed(f"-A KUBE-POSTROUTING -m mark ! --mark {mark}/{mark} -j RETURN", part, bit),
        # The mark goes, so that an encapsulated copy of the packet is not masqueraded again.
        _fixed(f"-A KUBE-POSTROUTING -j MARK --set-xmark {mark}/0x0", part, bit),
        _fixed(
            '-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" '
            "-j MASQUERADE --random-fully",
            part,
        ),
    )


_TAIL = '-m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain"'


def _tail(node: Node, family: int, cidrs: tuple[str, ...], localhost: bool) -> Lines:
    """Which addresses node ports answer on."""
    part = "node ports"
    if takes_every_address(cidrs):
        refused = "" if localhost else " ! -d ::1/128" if family == 6 else " ! -d 127.0.0.0/8"
        text = f"-A KUBE-SERVICES{refused} {_TAIL} -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS"
        return (_fixed(text, part, _setting("iptables.localhostNodePorts" if family == 4 else "nodePortAddresses")),)
    return tuple(
        _fixed(f"-A KUBE-SERVICES -d {one}/{full_length(one)} {_TAIL} -j KUBE-NODEPORTS", part, why)
        for why in (_setting("nodePortAddresses"),)
        for one in node_port_ips(node, family, cidrs)
        if localhost or one != LOOPBACK[family]
    )
