"""Rule: what iptables-save prints is read and written here, without loss but for counters and `#` lines.

`render(parse(text)) == text` for every text whose counters are zero and that has no `#` lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from packetsim.errors import RuleTextError
from packetsim.hooks import TABLE_HOOKS, Hook
from packetsim.kernel.iptables.line import LONGEST_CHAIN_NAME, place_of
from packetsim.kernel.iptables.model import Chain, Jump, Rule, Tables
from packetsim.kernel.iptables.usual import read_rule
from packetsim.ruletext import ChainText, IptablesText, Line, iptables_save

BUILT_IN: Mapping[str, frozenset[str]] = {
    table: frozenset(hook.chain for hook in hooks) for table, hooks in TABLE_HOOKS.items()
}
_BUILT_IN_ANYWHERE = frozenset(hook.chain for hook in Hook)
_CHAIN_LINE = re.compile(r":(\S+) (ACCEPT|DROP|-)(?: \[\d+:\d+\])?")
_COUNTED = re.compile(r"\[\d+:\d+\] (?=-A )")


def parse(text: str, family: int) -> Tables:
    """The rules in what `iptables-save` (family 4) or `ip6tables-save` (6) printed."""
    return tables_of(split(text), family)


def render(tables: Tables) -> str:
    """What iptables-save prints, counters at zero."""
    return iptables_save(
        {
            name: {
                chain: ChainText(one.policy, tuple(Line(rule.text) for rule in one.rules))
                for chain, one in chains.items()
            }
            for name, chains in tables.tables.items()
        }
    )


def tables_of(text: IptablesText, family: int) -> Tables:
    """Every chain parsed and checked, loops included."""
    tables: dict[str, dict[str, Chain]] = {}
    for table, chains in text.items():
        check_table(table)
        tables[table] = {name: parse_chain(chain, family, table, name, chains) for name, chain in chains.items()}
        refuse_loops(table, {name: chain.rules for name, chain in tables[table].items()})
    return Tables(family, tables)


def parse_chain(
    chain: ChainText,
    family: int,
    table: str,
    name: str,
    chains: Mapping[str, ChainText],
    known: Mapping[Line, Rule] | None = None,
) -> Chain:
    """The chain's rules. `known`: rules that need not be parsed again where their lines still stand."""
    check_chain(table, name, chain)
    known = known or {}
    rules = [
        known.get(line) or read_rule(line.text, family, table, name, number, line.origins)
        for number, line in enumerate(chain.lines, 1)
    ]
    check_jumps(table, name, rules, chains)
    return Chain(chain.policy, tuple(rules))


# ---- what the kernel would not load -----------------------------------------------------------


def check_table(table: str) -> None:
    if table not in TABLE_HOOKS:
        raise RuleTextError(table, f"this table is not modelled; modelled are {', '.join(TABLE_HOOKS)}")


def check_chain(table: str, name: str, chain: ChainText) -> None:
    place = f"{table}/{name}"
    if chain.policy is not None and name not in BUILT_IN[table]:
        raise RuleTextError(place, "a user-defined chain has no policy; write '-' instead")
    if chain.policy is None and name in _BUILT_IN_ANYWHERE:
        raise RuleTextError(place, "a built-in chain needs the policy ACCEPT or DROP, and one of the table's own hooks")
    if len(name) > LONGEST_CHAIN_NAME:
        raise RuleTextError(place, f"chain names have at most {LONGEST_CHAIN_NAME} characters; shorten it")


def check_jumps(table: str, name: str, rules: list[Rule], chains: Mapping[str, ChainText]) -> None:
    for number, rule in enumerate(rules, 1):
        target = rule.target
        if isinstance(target, Jump) and (target.chain not in chains or target.chain in _BUILT_IN_ANYWHERE):
            place = place_of(table, name, number)
            raise RuleTextError(
                place, f"there is no user-defined chain {target.chain} in table {table}; declare it first"
            )


def refuse_loops(table: str, chains: Mapping[str, tuple[Rule, ...]]) -> None:
    """The kernel loads no rules by which a chain can reach itself (mark_source_chains in ip_tables.c)."""
    onward = {
        name: [rule.target.chain for rule in rules if isinstance(rule.target, Jump)] for name, rules in chains.items()
    }
    try:
        TopologicalSorter(onward).prepare()
    except CycleError as error:
        path: list[str] = error.args[1][::-1]
        raise RuleTextError(f"{table}/{path[0]}", loop_text(path)) from None


def loop_text(path: list[str]) -> str:
    way = " -> ".join(path[path.index(path[-1]) :])
    return f"the chains make a loop, {way}, which the kernel refuses; remove one of the jumps"


# ---- lines into chains ------------------------------------------------------------------------


def split(text: str) -> IptablesText:
    """The lines by table and chain, unread. Comment lines and counters are left out."""
    tables: dict[str, dict[str, tuple[str | None, list[Line]]]] = {}
    table: str | None = None
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if not line or line.startswith("#"):
            continue
        if line.startswith("*"):
            table = _open_table(tables, table, line[1:], number)
        elif table is None:
            raise RuleTextError(f"line {number}", f"{line!r} stands in no table; begin with *filter or another table")
        elif line == "COMMIT":
            table = None
        else:
            _file_line(tables[table], table, line, number)
    if table is not None:
        raise RuleTextError(table, "the table's COMMIT is missing; add it after the last rule")
    return {
        name: {chain: ChainText(policy, tuple(lines)) for chain, (policy, lines) in chains.items()}
        for name, chains in tables.items()
    }


Filed = dict[str, tuple[str | None, list[Line]]]


def _open_table(tables: dict[str, Filed], table: str | None, name: str, number: int) -> str:
    if table is not None:
        raise RuleTextError(f"line {number}", f"table {table} has no COMMIT yet; add it before *{name}")
    check_table(name)
    if name in tables:
        raise RuleTextError(f"line {number}", f"table {name} stands twice; put its rules together")
    tables[name] = {}
    return name


def _file_line(chains: Filed, table: str, line: str, number: int) -> None:
    declared = _CHAIN_LINE.fullmatch(line)
    if declared is not None:
        name, policy = declared.groups()
        if name in chains:
            raise RuleTextError(f"line {number}", f"chain {table}/{name} is declared twice; keep one")
        chains[name] = (None if policy == "-" else policy, [])
        return
    rule = _COUNTED.sub("", line, count=1)
    action, _, rest = rule.partition(" ")
    chain = rest.split(" ", 1)[0]
    if action != "-A":
        raise RuleTextError(f"line {number}", f"{line!r} is no rule; only -A lines are read, as iptables-save prints")
    if chain not in chains:
        raise RuleTextError(f"line {number}", f"chain {table}/{chain} is not declared; add a line ':{chain} - [0:0]'")
    chains[chain][1].append(Line(rule))
