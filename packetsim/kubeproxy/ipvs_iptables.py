"""Rule: IPVS mode's iptables rules depend on which sets have entries, never on how many.

iptablesJumpChain, ipsetWithIptablesChain and writeIptablesRules in pkg/proxy/ipvs/proxier.go
(Kubernetes 1.33 to 1.35). Lines read as iptables-save 1.8.9 prints them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from packetsim.kubeproxy import ipvs_sets
from packetsim.kubeproxy.detect_local import LocalDetector
from packetsim.kubeproxy.ipvs_sets import SETS, name_of
from packetsim.ruletext import ChainText, IptablesText, Line, Origin

Lines = tuple[Line, ...]

# Built-in chain -> its jumps, top first: each is inserted at the top, so the first written stands last.
_JUMPS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "filter": {
        "INPUT": (
            ("kubernetes ipvs access filter", "KUBE-IPVS-FILTER"),
            ("kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"),
            ("kubernetes health check rules", "KUBE-NODE-PORT"),
        ),
        "FORWARD": (
            ("kube-proxy firewall rules", "KUBE-PROXY-FIREWALL"),
            ("kubernetes forwarding rules", "KUBE-FORWARD"),
        ),
        "OUTPUT": (("kubernetes ipvs access filter", "KUBE-IPVS-OUT-FILTER"),),
    },
    "nat": {
        "PREROUTING": (("kubernetes service portals", "KUBE-SERVICES"),),
        "INPUT": (),
        "OUTPUT": (("kubernetes service portals", "KUBE-SERVICES"),),
        "POSTROUTING": (("kubernetes postrouting rules", "KUBE-POSTROUTING"),),
    },
}

# Chain, protocol, set, its directions, target: a rule while the set has entries (ipsetWithIptablesChain).
# A LOCAL set stands before the other of its kind.
_NAT_SETS = (
    ("KUBE-POSTROUTING", "", ipvs_sets.LOOP_BACK, "dst,dst,src", "MASQUERADE"),
    ("KUBE-SERVICES", "", ipvs_sets.LOAD_BALANCER, "dst,dst", "KUBE-LOAD-BALANCER"),
    ("KUBE-LOAD-BALANCER", "", ipvs_sets.LOAD_BALANCER_LOCAL, "dst,dst", "RETURN"),
    *(
        ("KUBE-NODE-PORT", protocol, sets[protocol], "dst,dst" if protocol == "sctp" else "dst", target)
        for protocol in ("tcp", "udp", "sctp")
        for sets, target in ((ipvs_sets.NODE_PORT_LOCAL, "RETURN"), (ipvs_sets.NODE_PORT, "KUBE-MARK-MASQ"))
    ),
)
_FILTER_SETS = (
    ("KUBE-PROXY-FIREWALL", "", ipvs_sets.LOAD_BALANCER_FW, "dst,dst", "KUBE-SOURCE-RANGES-FIREWALL"),
    ("KUBE-SOURCE-RANGES-FIREWALL", "", ipvs_sets.SOURCE_CIDR, "dst,dst,src", "RETURN"),
    ("KUBE-SOURCE-RANGES-FIREWALL", "", ipvs_sets.SOURCE_IP, "dst,dst,src", "RETURN"),
)
_KNOWN = (
    (ipvs_sets.LOAD_BALANCER, "dst,dst"),
    (ipvs_sets.CLUSTER_IP, "dst,dst"),
    (ipvs_sets.EXTERNAL_IP, "dst,dst"),
    (ipvs_sets.EXTERNAL_IP_LOCAL, "dst,dst"),
    (ipvs_sets.HEALTH_CHECK, "dst"),
)


@dataclass(frozen=True, slots=True)
class Masquerade:
    """The settings that the rules of one family depend on."""

    family: int
    all: bool
    bit: int
    detector: LocalDetector | None


@dataclass(frozen=True, slots=True)
class Firewall:
    """What the rules of one family depend on. `filled`: the sets that have entries."""

    masquerade: Masquerade
    filled: Set[str]
    out_filter: Lines

    @property
    def family(self) -> int:
        return self.masquerade.family

    def tables(self) -> IptablesText:
        mark = f"{1 << self.masquerade.bit:#x}"
        return {
            "filter": self._table("filter", (*self._by_sets(_FILTER_SETS), *self._filter(mark))),
            "nat": self._table("nat", (*self._services(), *self._nat(mark))),
        }

    def _table(self, table: str, lines: Iterable[Line]) -> Mapping[str, ChainText]:
        """Built-in chains with their jumps, then the others by name, each with its lines."""
        by_chain: dict[str, list[Line]] = {}
        for line in lines:
            by_chain.setdefault(line.text.split(maxsplit=2)[1], []).append(line)
        jumps = {chain: ChainText("ACCEPT", _jumps(chain, ways)) for chain, ways in _JUMPS[table].items()}
        return {**jumps, **{name: ChainText(None, tuple(by_chain.get(name, ()))) for name in _CHAINS[table]}}

    def _match(self, name: str, directions: str) -> str:
        return f"-m set --match-set {name_of(name, self.family)} {directions}"

    def _commented(self, name: str, directions: str) -> str:
        comment = SETS[name].comment.replace("'", r"\'")  # as xtables_save_string does
        return f'-m comment --comment "{comment}" {self._match(name, directions)}'

    def _by_sets(self, rows: Iterable[tuple[str, str, str, str, str]]) -> Iterator[Line]:
        for chain, protocol, name, directions, target in rows:
            if name in self.filled:
                asked = f"-p {protocol} " if protocol else ""
                yield _fixed(f"-A {chain} {asked}{self._commented(name, directions)} -j {target}", f"set {name}")

    # ---- nat ------------------------------------------------------------------------------------

    def _services(self) -> Iterator[Line]:
        loopback = "::1/128" if self.family == 6 else "127.0.0.0/8"
        yield _fixed(f"-A KUBE-SERVICES -s {loopback} -j RETURN", "loopback")
        yield from self._by_sets(_NAT_SETS)
        if ipvs_sets.CLUSTER_IP in self.filled:
            yield self._masquerade()
        if ipvs_sets.EXTERNAL_IP in self.filled:
            text = f"-A KUBE-SERVICES {self._commented(ipvs_sets.EXTERNAL_IP, 'dst,dst')} -j KUBE-MARK-MASQ"
            yield _fixed(text, f"set {ipvs_sets.EXTERNAL_IP}")
        for name in (ipvs_sets.EXTERNAL_IP, ipvs_sets.EXTERNAL_IP_LOCAL):
            if name in self.filled:
                yield from self._external(name)
        yield _fixed("-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT", "node ports")
        for name in (ipvs_sets.CLUSTER_IP, ipvs_sets.LOAD_BALANCER):
            if name in self.filled:  # so that later rules, a CNI's say, leave it alone
                yield _fixed(f"-A KUBE-SERVICES {self._match(name, 'dst,dst')} -j ACCEPT", f"set {name}")

    def _masquerade(self) -> Line:
        """To a ClusterIP from outside; where nobody can tell, from a ClusterIP: the node's own traffic."""
        source, directions, why = "", "dst,dst", Origin("KubeProxyConfiguration", "", "", "iptables.masqueradeAll")
        if not self.masquerade.all:
            if self.masquerade.detector is None:
                directions, why = "src,dst", Origin("KubeProxyConfiguration", "", "", "clusterCIDR")
            else:
                source, why = _not_local(self.masquerade.detector), self.masquerade.detector.origin
        match = self._commented(ipvs_sets.CLUSTER_IP, directions)
        part = f"set {ipvs_sets.CLUSTER_IP}"
        return _fixed(f"-A KUBE-SERVICES {source}{match} -j KUBE-MARK-MASQ", part, why)

    def _external(self, name: str) -> Iterator[Line]:
        """From off this machine, or to an address that is this machine's."""
        match, part = self._commented(name, "dst,dst"), f"set {name}"
        outside = "-m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL"
        yield _fixed(f"-A KUBE-SERVICES {match} {outside} -j ACCEPT", part)
        yield _fixed(f"-A KUBE-SERVICES {match} -m addrtype --dst-type LOCAL -j ACCEPT", part)

    def _nat(self, mark: str) -> Iterator[Line]:
        part, bit = "masquerade", Origin("KubeProxyConfiguration", "", "", "iptables.masqueradeBit")
        yield _fixed("-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ", "load balancers")
        yield _fixed(f"-A KUBE-POSTROUTING -m mark ! --mark {mark}/{mark} -j RETURN", part, bit)
        yield _fixed(f"-A KUBE-POSTROUTING -j MARK --set-xmark {mark}/0x0", part, bit)
        comment = "kubernetes service traffic requiring SNAT"
        text = f'-A KUBE-POSTROUTING -m comment --comment "{comment}" -j MASQUERADE --random-fully'
        yield _fixed(text, part)
        yield _fixed(f"-A KUBE-MARK-MASQ -j MARK --set-xmark {mark}/{mark}", "masquerade mark", bit)

    # ---- filter ---------------------------------------------------------------------------------

    def _filter(self, mark: str) -> Iterator[Line]:
        yield _fixed("-A KUBE-SOURCE-RANGES-FIREWALL -j DROP", "load balancer source ranges")
        yield from self.out_filter
        comment, bit = '-m comment --comment "kubernetes forwarding', "iptables.masqueradeBit"
        text = f'-A KUBE-FORWARD {comment} rules" -m mark --mark {mark}/{mark} -j ACCEPT'
        yield _fixed(text, "forwarding", Origin("KubeProxyConfiguration", "", "", bit))
        text = f'-A KUBE-FORWARD {comment} conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'
        yield _fixed(text, "forwarding")
        match = self._commented(ipvs_sets.HEALTH_CHECK, "dst")
        yield _fixed(f"-A KUBE-NODE-PORT {match} -j ACCEPT", f"set {ipvs_sets.HEALTH_CHECK}")
        for name, directions in _KNOWN:
            yield _fixed(f"-A KUBE-IPVS-FILTER {self._match(name, directions)} -j RETURN", f"set {name}")
        match, kind = self._match(ipvs_sets.IPVS_IPS, "dst"), "icmp6" if self.family == 6 else "icmp"
        rest = f"-m conntrack --ctstate NEW {match} -j REJECT --reject-with {kind}-port-unreachable"
        yield _fixed(f"-A KUBE-IPVS-FILTER {rest}", f"set {ipvs_sets.IPVS_IPS}")


_CHAINS = {
    "filter": (
        "KUBE-FORWARD",
        "KUBE-IPVS-FILTER",
        "KUBE-IPVS-OUT-FILTER",
        "KUBE-NODE-PORT",
        "KUBE-PROXY-FIREWALL",
        "KUBE-SOURCE-RANGES-FIREWALL",
    ),
    "nat": ("KUBE-LOAD-BALANCER", "KUBE-MARK-MASQ", "KUBE-NODE-PORT", "KUBE-POSTROUTING", "KUBE-SERVICES"),
}


def _fixed(text: str, part: str, *more: Origin) -> Line:
    return Line(text, (*more, Origin("kube-proxy", "", "", part)))


def _jumps(chain: str, ways: Iterable[tuple[str, str]]) -> Lines:
    return tuple(
        _fixed(f'-A {chain} -m comment --comment "{comment}" -j {target}', f"jump to {target}")
        for comment, target in ways
    )


def _not_local(detector: LocalDetector) -> str:
    """The "not local" match, which iptables-save puts first."""
    if detector.cidr:
        return f"! -s {detector.cidr} "
    return f"! -i {detector.interface}{'+' if detector.prefix else ''} "
