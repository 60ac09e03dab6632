"""Rule: each part of what kube-proxy left on a node, printed so that the part's own tool loads it as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from packetsim.kubeproxy.config import PARTS, NodeConfig
from packetsim.ruletext import Line, ipset_save, iptables_save, ipvsadm_save, nft_list


class Part(NamedTuple):
    """`heading`: the command that prints this on a node."""

    heading: str
    render: Callable[[NodeConfig], str]


def render(config: NodeConfig, part: str) -> str:
    """The text of one of PARTS; "" where the mode writes nothing there."""
    return _PARTS[part].render(config)


def heading(part: str) -> str:
    """The command that prints this part on a node."""
    return _PARTS[part].heading


def render_all(config: NodeConfig) -> str:
    """Every part that is not empty, each under a heading."""
    texts = [(_PARTS[part].heading, render(config, part)) for part in PARTS]
    return "\n".join(f"# {heading}\n{text}" for heading, text in texts if text)


def _addresses(lines: tuple[Line, ...]) -> str:
    """IPVS sees only what is for this machine, so kube-proxy gives it every address (pkg/proxy/ipvs/proxier.go)."""
    if not lines:
        return ""
    added = (f"address add {line.text} dev kube-ipvs0\n" for line in lines)
    return "link add kube-ipvs0 type dummy\n" + "".join(added)


_PARTS = {
    "addresses": Part("ip -batch: the addresses on kube-ipvs0", lambda config: _addresses(config.dummy_addresses)),
    "ipset": Part("ipset save", lambda config: ipset_save(config.ipsets)),
    "ipvs": Part("ipvsadm -Sn", lambda config: ipvsadm_save(config.virtual_servers)),
    "iptables": Part("iptables-save", lambda config: iptables_save(config.iptables)),
    "ip6tables": Part("ip6tables-save", lambda config: iptables_save(config.ip6tables)),
    "nft": Part("nft list ruleset", lambda config: nft_list(config.nft)),
}
