"""Rule: what stands above the elements of a set, or above the rules of a chain, is read and printed here.

Order and spelling after set_print_declaration and chain_print_declaration (nft 1.0.6, src/rule.c).
"""

from __future__ import annotations

from packetsim.hooks import Hook
from packetsim.kernel.nftables.datatypes import SET_TYPES, Datatype, RefusedError
from packetsim.kernel.nftables.durations import duration, seconds_of
from packetsim.kernel.nftables.model import Base, Chain, Set
from packetsim.kernel.nftables.words import Words

# std_prios: name -> priority and the hooks at which nft knows the name.
_PRIORITIES: dict[str, tuple[int, tuple[Hook, ...]]] = {
    "raw": (-300, tuple(Hook)),
    "mangle": (-150, tuple(Hook)),
    "dstnat": (-100, (Hook.PREROUTING,)),
    "filter": (0, tuple(Hook)),
    "security": (50, tuple(Hook)),
    "srcnat": (100, (Hook.POSTROUTING,)),
}
_NEAR = 10  # nft names a priority by a known one up to this far away
_CHAIN_TYPES = ("filter", "nat")
_SET_FLAGS = ("constant", "dynamic", "interval", "timeout")


# ---- sets and maps ----------------------------------------------------------------------------


def parse_set(keyword: str, name: str, header: tuple[str, ...]) -> Set:
    """A set or map without its elements. Raises RefusedError."""
    given: dict[str, Words] = {}
    for line in header:
        words = Words(line)
        given[words.take()] = words
    if "type" not in given:
        raise RefusedError(f"the {keyword} has no type; `typeof` is not modelled")
    types, verdicts = _types(given.pop("type"), keyword)
    found = Set(
        keyword,
        name,
        types[0],
        types[1],
        verdicts,
        size=given.pop("size").number() if "size" in given else None,
        flags=_flags(given.pop("flags")) if "flags" in given else (),
        auto_merge=given.pop("auto-merge", None) is not None,
        timeout=seconds_of(given.pop("timeout").take()) if "timeout" in given else None,
        gc_interval=seconds_of(given.pop("gc-interval").take()) if "gc-interval" in given else None,
        comment=given.pop("comment").quoted() if "comment" in given else "",
    )
    if given:
        raise RefusedError(f'"{next(iter(given.values())).text}" is not modelled; leave it out of the {keyword}')
    return found


def _types(words: Words, keyword: str) -> tuple[tuple[tuple[Datatype, ...], tuple[Datatype, ...]], bool]:
    keys = _joined_types(words)
    if keyword == "set":
        words.end()
        return (keys, ()), False
    words.expect(":")
    verdicts = words.takes("verdict")
    values = () if verdicts else _joined_types(words)
    words.end()
    return (keys, values), verdicts


def _joined_types(words: Words) -> tuple[Datatype, ...]:
    found = []
    while True:
        name = words.take()
        if name not in SET_TYPES:
            raise RefusedError(f'type "{name}" is not modelled; known are {", ".join(SET_TYPES)}')
        found.append(SET_TYPES[name])
        if not words.takes("."):
            return tuple(found)


def _flags(words: Words) -> tuple[str, ...]:
    flags = [words.take()]
    while words.takes(","):
        flags.append(words.take())
    for flag in flags:
        if flag not in _SET_FLAGS:
            raise RefusedError(f'flag "{flag}" is not modelled; known are {", ".join(_SET_FLAGS)}')
    return tuple(flags)


def set_header(one: Set) -> tuple[str, ...]:
    types = " . ".join(datatype.name for datatype in one.key_types)
    if one.keyword == "map":
        types += " : " + ("verdict" if one.verdicts else " . ".join(datatype.name for datatype in one.value_types))
    lines = [
        f"type {types}",
        "" if one.size is None else f"size {one.size}",
        f"flags {','.join(one.flags)}" if one.flags else "",
        "auto-merge" if one.auto_merge else "",
        "" if one.timeout is None else f"timeout {duration(one.timeout)}",
        "" if one.gc_interval is None else f"gc-interval {duration(one.gc_interval)}",
        f'comment "{one.comment}"' if one.comment else "",
    ]
    return tuple(line for line in lines if line)


# ---- chains -----------------------------------------------------------------------------------


def parse_chain(name: str, header: tuple[str, ...]) -> Chain:
    """A chain without its rules. Raises RefusedError."""
    base, comment = None, ""
    for line in header:
        words = Words(line)
        if words.takes("comment"):
            comment = words.quoted()
        elif words.takes("type"):
            base = _base(words)
        else:
            raise RefusedError(f'"{line}" is not modelled; leave it out of the chain')
    return Chain(name, base, comment)


def _base(words: Words) -> Base:
    kind = words.take()
    if kind not in _CHAIN_TYPES:
        raise RefusedError(f'chain type "{kind}" is not modelled; known are {" and ".join(_CHAIN_TYPES)}')
    words.expect("hook")
    hook_name = words.take()
    if hook_name not in list(Hook):
        raise RefusedError(f'hook "{hook_name}" is not modelled; known are {", ".join(Hook)}')
    hook = Hook(hook_name)
    words.expect("priority")
    priority = _priority(words, hook)
    words.takes(";")
    policy = words.take() if words.takes("policy") else "accept"
    if policy not in ("accept", "drop"):
        raise RefusedError(f'policy "{policy}" is neither accept nor drop')
    words.takes(";")
    words.end()
    return Base(kind, hook, priority, policy)


def _priority(words: Words, hook: Hook) -> int:
    if words.peek() not in _PRIORITIES:
        return words.number()
    name = words.take()
    known, hooks = _PRIORITIES[name]
    if hook not in hooks:
        raise RefusedError(f'priority "{name}" means nothing at hook {hook}; write the number')
    sign = {"+": 1, "-": -1}.get(words.peek())
    if sign is None:
        return known
    words.take()
    return known + sign * words.number()


def chain_header(chain: Chain) -> tuple[str, ...]:
    comment = (f'comment "{chain.comment}"',) if chain.comment else ()
    base = chain.base
    if base is None:
        return comment
    priority = _priority_text(base)
    return (*comment, f"type {base.type} hook {base.hook} priority {priority}; policy {base.policy};")


def _priority_text(base: Base) -> str:
    for name, (known, hooks) in _PRIORITIES.items():
        away = base.priority - known
        if base.hook in hooks and abs(away) <= _NEAR:
            return f"{name} {'+' if away > 0 else '-'} {abs(away)}" if away else name
    return str(base.priority)
