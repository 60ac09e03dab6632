"""Rule: the control plane and the data plane meet only through the text in these containers.

A `Line` is one line as the kernel's own tool prints it, with the fields that made it. The
containers keep lines by chain so that one change touches one chain; joined in order they are
what `iptables-save`, `ipset save`, `ipvsadm -Sn` and `nft list ruleset` print.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class Origin(NamedTuple):
    """What made a rule: one field of one object. `field` is a path like `spec.ports[0].nodePort`.

    kube-proxy's own fixed rules have kind "kube-proxy" and a `field` that says which part of it.
    """

    kind: str
    namespace: str
    name: str
    field: str

    def __str__(self) -> str:
        name = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {name} {self.field}".strip()


class Line(NamedTuple):
    """One rule, set entry or server: its text and, most telling first, what made it."""

    text: str
    origins: tuple[Origin, ...] = ()


# ---- iptables ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChainText:
    """A chain of one table. `policy` is ACCEPT or DROP for a built-in chain, None for a user-defined one.

    Each line reads `-A CHAIN …` as iptables-save prints it.
    """

    policy: str | None
    lines: tuple[Line, ...] = ()


# table name -> chain name -> chain, in the order in which iptables-save prints them
IptablesText = Mapping[str, Mapping[str, ChainText]]


def iptables_save(tables: IptablesText) -> str:
    """What `iptables-save` prints, without comments; loadable by `iptables-restore`."""
    out: list[str] = []
    for table, chains in tables.items():
        out.append(f"*{table}")
        out.extend(f":{name} {chain.policy or '-'} [0:0]" for name, chain in chains.items())
        out.extend(line.text for chain in chains.values() for line in chain.lines)
        out.append("COMMIT")
    return "\n".join(out) + "\n" if out else ""


# ---- ipset and IPVS ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetText:
    """One ipset: its `create …` line and its `add …` lines."""

    create: Line
    entries: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerText:
    """One IPVS virtual server: its `-A …` line and the `-a …` lines of its real servers."""

    server: Line
    reals: tuple[Line, ...] = ()


def ipset_save(sets: Mapping[str, SetText]) -> str:
    """What `ipset save` prints; loadable by `ipset restore`."""
    lines = [line.text for one in sets.values() for line in (one.create, *one.entries)]
    return "\n".join(lines) + "\n" if lines else ""


def ipvsadm_save(servers: Mapping[str, ServerText]) -> str:
    """What `ipvsadm -Sn` prints; loadable by `ipvsadm -R`."""
    lines = [line.text for one in servers.values() for line in (one.server, *one.reals)]
    return "\n".join(lines) + "\n" if lines else ""


# ---- nftables ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NftSetText:
    """A set or map. `header`: its lines before `elements` (type, flags, timeout, comment).

    Each element's text is as printed between the braces: `10.96.0.1 . tcp . 443 : goto service-…`.
    """

    keyword: str  # "set" or "map"
    header: tuple[str, ...]
    elements: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class NftChainText:
    """A chain. `header`: its `comment "…"` and `type … hook … priority …; policy …;` lines, if any."""

    header: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class NftTableText:
    """One nftables table. `sets` and `chains` keep the order in which nft prints them."""

    family: str  # "ip" or "ip6"
    name: str
    comment: str
    sets: Mapping[str, NftSetText] = field(default_factory=dict)
    chains: Mapping[str, NftChainText] = field(default_factory=dict)


# How many elements nft puts on a line, by the type of the set's key (calculate_delim, nft 1.0.6); joined keys: one.
_ELEMENTS_IN_LINE = {"ipv4_addr": 2, "inet_proto": 5, "inet_service": 5, "mark": 5}


def nft_list(tables: Iterable[NftTableText]) -> str:
    """What `nft list ruleset` prints, in the containers' order; loadable by `nft -f`."""
    return "".join(_nft_table(table) for table in tables)


def _nft_table(table: NftTableText) -> str:
    blocks = [_nft_set(name, one) for name, one in table.sets.items()]
    blocks += [_nft_block(f"chain {name}", _nft_chain_lines(chain)) for name, chain in table.chains.items()]
    comment = f'\tcomment "{table.comment}"\n' if table.comment else ""
    return f"table {table.family} {table.name} {{\n{comment}{chr(10).join(blocks)}}}\n"


def _nft_chain_lines(chain: NftChainText) -> list[str]:
    return [*chain.header, *(line.text for line in chain.lines)]


def _nft_block(title: str, lines: Iterable[str]) -> str:
    body = "".join(f"\t\t{line}\n" for line in lines)
    return f"\t{title} {{\n{body}\t}}\n"


class ElementRow(NamedTuple):
    """One printed line of a set's elements, and which they are."""

    text: str
    elements: tuple[Line, ...]


def element_rows(one: NftSetText) -> list[ElementRow]:
    """A set's elements as nft prints them, line by line."""
    key_type = one.header[0].removeprefix("type ").partition(" : ")[0] if one.header else ""
    in_line = _ELEMENTS_IN_LINE.get(key_type, 1)
    groups = [one.elements[at : at + in_line] for at in range(0, len(one.elements), in_line)]
    rows = []
    for number, group in enumerate(groups):
        before = "elements = { " if number == 0 else "\t\t\t     "
        after = " }" if number == len(groups) - 1 else ","
        rows.append(ElementRow(before + ", ".join(element.text for element in group) + after, group))
    return rows


def _nft_set(name: str, one: NftSetText) -> str:
    title = f"{one.keyword} {name}"
    if not one.elements:
        return _nft_block(title, one.header)
    return _nft_block(title, [*one.header, "\n".join(row.text for row in element_rows(one))])
