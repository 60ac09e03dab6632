"""Rule: conntrack looks at a family's packets only while some rule of that family asks for it.

nf_ct_netns_get is called by the matches and targets that need it (xt_conntrack, xt_nat, xt_MASQUERADE,
xt_REDIRECT; nft_ct, nft_nat, nft_masq, nft_redir), not by a nat table as such: without them packets have no entry,
and nat chains are passed by (nf_nat_inet_fn). IPVS asks for FTP alone (ip_vs_ctl.c). Linux 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from packetsim.ruletext import IptablesText, NftTableText

_IPTABLES = re.compile(r" -m (?:conntrack|state) | -j (?:DNAT|SNAT|MASQUERADE|REDIRECT)\b")
_NFT = re.compile(
    r"\bct (?:state|status|direction|original|reply|mark)\b|\b(?:dnat|snat) to\b|\bmasquerade\b|\bredirect\b"
)
_FIRST = ("filter", "nat", "mangle", "raw")  # where kube-proxy's first such rule is soon found


def iptables_ask(text: IptablesText) -> bool:
    chains = (chain for table in _FIRST for chain in text.get(table, {}).values())
    return any(_IPTABLES.search(line.text) for chain in chains for line in chain.lines)


def nftables_ask(tables: Iterable[NftTableText]) -> bool:
    chains = (chain for table in tables for chain in table.chains.values())
    return any(_NFT.search(line.text) for chain in chains for line in chain.lines)
