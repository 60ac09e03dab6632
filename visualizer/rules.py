"""Rule: the lines here, joined, are the very text that the node's own tools print; each knows what made it.

Hits are those of packets sent since the kernel began, or since the rule's chain last changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from packetsim.kubeproxy.config import PARTS, NodeConfig
from packetsim.parts import heading, render
from packetsim.ruletext import IptablesText, Line, NftTableText, element_rows
from packetsim.simulation import Simulation
from visualizer.origins import origin_views
from visualizer.refusals import RefusedError
from visualizer.schemas import KernelView, Mode, RuleLine, RulesPart, RulesView
from visualizer.walks import mode_named

Hits = Mapping[tuple[str, str, int], int]
_NO_HITS: Hits = {}


@dataclass(frozen=True, slots=True)
class SeenNode:
    """A node at one moment, whatever becomes of its kernel. `hits` by part."""

    node: str
    mode: Mode
    config: Callable[[], NodeConfig]
    hits: Mapping[str, Hits]


def seen_node(simulation: Simulation, node: str) -> SeenNode:
    """What stands there now, at no cost. A node that nothing has met yet is configured apart. Raises RefusedError."""
    _check_node(simulation, node)
    mode = mode_named(simulation.mode)
    if node not in simulation.network.met:
        fresh = _fresh(simulation)
        return SeenNode(node, mode, lambda: fresh().config(node), {})
    config, netfilter = simulation.config(node), simulation.network.machine(node).netfilter
    hits: dict[str, Hits] = {
        "iptables": dict(netfilter.iptables[4].hits),
        "ip6tables": dict(netfilter.iptables[6].hits),
        "nft": dict(netfilter.nftables.hits),
    }
    return SeenNode(node, mode, lambda: config, hits)


def rules_view(seen: SeenNode, seq: int) -> RulesView:
    """Everything kube-proxy left on the node."""
    config = seen.config()
    parts = [
        RulesPart(part=part, heading=heading(part), lines=lines)
        for part in PARTS
        if (lines := list(_lines(part, config, seen.hits.get(part, _NO_HITS))))
    ]
    return RulesView(seq=seq, node=seen.node, mode=seen.mode, parts=parts)


def rules_text(seen: SeenNode, part: str) -> str:
    """One part, or "" for all, as packetsim prints it. Raises RefusedError."""
    if part and part not in PARTS:
        raise RefusedError([f"There is no part {part[:60]!r}. Use {', '.join(PARTS)}, or leave it out for all."])
    config = seen.config()
    if part:
        return render(config, part)
    texts = [(heading(one), render(config, one)) for one in PARTS]
    return "\n".join(f"# {title}\n{text}" for title, text in texts if text)


def kernel_view(simulation: Simulation, node: str) -> Callable[[], KernelView]:
    """What the node's kernel holds now, whenever it is called. Raises RefusedError."""
    _check_node(simulation, node)
    if node not in simulation.network.met:
        fresh = _fresh(simulation)
        return lambda: _kernel_view(fresh(), node)
    found = _kernel_view(simulation, node)
    return lambda: found


def _kernel_view(simulation: Simulation, node: str) -> KernelView:
    netfilter = simulation.network.machine(node).netfilter
    ipvs = netfilter.ipvs if simulation.mode == "ipvs" else None
    return KernelView(
        node=node,
        conntrack=list(netfilter.conntrack.listed(simulation.now)),
        servers=ipvs.list_servers().splitlines() if ipvs is not None else [],
        connections=ipvs.list_connections().splitlines() if ipvs is not None else [],
    )


def _check_node(simulation: Simulation, node: str) -> None:
    if node not in simulation.cluster.nodes:
        there = ", ".join(list(simulation.cluster.nodes)[:6])
        raise RefusedError([f"There is no node {node[:80]!r}. There is {there}."])


def _fresh(simulation: Simulation) -> Callable[[], Simulation]:
    """Makes kernels that have met nothing: to look changes nothing."""
    return partial(Simulation, simulation.cluster, simulation.mode, simulation.dice, simulation.now)


def _lines(part: str, config: NodeConfig, hits: Hits) -> Iterator[RuleLine]:
    match part:
        case "addresses":
            return _addresses(config.dummy_addresses)
        case "ipset":
            return (_line(line) for one in config.ipsets.values() for line in (one.create, *one.entries))
        case "ipvs":
            return (_line(line) for one in config.virtual_servers.values() for line in (one.server, *one.reals))
        case "iptables":
            return _iptables(config.iptables, hits)
        case "ip6tables":
            return _iptables(config.ip6tables, hits)
        case _:
            return (line for table in config.nft for line in _NftLines(table).lines(hits))


def _line(
    line: Line, table: str = "", chain: str = "", number: int = 0, hits: Hits = _NO_HITS, indent: str = ""
) -> RuleLine:
    return RuleLine(
        text=indent + line.text,
        table=table,
        chain=chain,
        number=number,
        hits=hits.get((table, chain, number), 0),
        origins=origin_views(line.origins),
    )


def _addresses(lines: tuple[Line, ...]) -> Iterator[RuleLine]:
    if lines:
        yield RuleLine(text="link add kube-ipvs0 type dummy")
    for line in lines:
        yield _line(line._replace(text=f"address add {line.text} dev kube-ipvs0"))


def _iptables(tables: IptablesText, hits: Hits) -> Iterator[RuleLine]:
    for table, chains in tables.items():
        yield RuleLine(text=f"*{table}", table=table)
        for name, chain in chains.items():
            yield RuleLine(text=f":{name} {chain.policy or '-'} [0:0]", table=table, chain=name)
        for name, chain in chains.items():
            for number, line in enumerate(chain.lines, 1):
                yield _line(line, table, name, number, hits)
        yield RuleLine(text="COMMIT")


class _NftLines:
    """One nftables table, line by line."""

    def __init__(self, table: NftTableText) -> None:
        self._table = table
        self._place = f"{table.family} {table.name}"

    def lines(self, hits: Hits) -> Iterator[RuleLine]:
        table = self._table
        yield self._plain(f"table {table.family} {table.name} {{")
        if table.comment:
            yield self._plain(f'\tcomment "{table.comment}"')
        blocks = [self._set(name) for name in table.sets] + [self._chain(name, hits) for name in table.chains]
        for number, block in enumerate(blocks):
            if number:
                yield self._plain("")
            yield from block
        yield self._plain("}")

    def _plain(self, text: str, chain: str = "") -> RuleLine:
        return RuleLine(text=text, table=self._place if text else "", chain=chain)

    def _chain(self, name: str, hits: Hits) -> Iterator[RuleLine]:
        chain = self._table.chains[name]
        yield self._plain(f"\tchain {name} {{", name)
        for text in chain.header:
            yield self._plain(f"\t\t{text}", name)
        for number, line in enumerate(chain.lines, 1):
            yield _line(line, self._place, name, number, hits, indent="\t\t")
        yield self._plain("\t}")

    def _set(self, name: str) -> Iterator[RuleLine]:
        one = self._table.sets[name]
        yield self._plain(f"\t{one.keyword} {name} {{", name)
        for text in one.header:
            yield self._plain(f"\t\t{text}", name)
        for row in element_rows(one):
            origins = origin_views(origin for element in row.elements for origin in element.origins)
            text = row.text if row.text.startswith("\t") else f"\t\t{row.text}"
            yield RuleLine(text=text, table=self._place, chain=name, origins=origins)
        yield self._plain("\t}")
