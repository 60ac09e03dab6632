"""Rule: a statement that does something is read here; one that is not modelled is refused by its own words."""

from __future__ import annotations

from collections.abc import Callable

from packetsim.addresses import canonical
from packetsim.kernel.nftables.datatypes import ADDRESS4, ADDRESS6, PORT, Datatype, RefusedError
from packetsim.kernel.nftables.durations import seconds_of
from packetsim.kernel.nftables.elements import read_element
from packetsim.kernel.nftables.fields import FIELDS, Asked
from packetsim.kernel.nftables.key_text import read_braced, read_fields, read_map_name, read_numgen
from packetsim.kernel.nftables.maps import MapLiteral, TranslateByMap
from packetsim.kernel.nftables.model import Statement
from packetsim.kernel.nftables.statements import (
    REJECT_CODES,
    Counter,
    Learn,
    Log,
    Reject,
    SetMark,
    Translate,
)
from packetsim.kernel.nftables.words import Words

EVERY_BIT = 0xFFFFFFFF


def _counter(words: Words) -> Statement:
    if not words.takes("packets"):
        return Counter()
    packets = words.number()
    words.expect("bytes")
    return Counter(packets, words.number())


def _log(words: Words) -> Statement:
    return Log(words.quoted() if words.takes("prefix") else "")


_OPERATORS = {"and": "&", "or": "|", "xor": "^", "&": "&", "|": "|", "^": "^"}


def read_set_mark(words: Words) -> Statement:
    if not (words.takes("meta", "mark") or words.takes("mark")):
        return SetMark((), 0, words.number())
    keep, flip = EVERY_BIT, 0
    operators: list[tuple[str, int]] = []
    while words.peek() in _OPERATORS:
        sign, value = _OPERATORS[words.take()], words.number()
        if operators and (operators[-1][0] != "&" or sign == "&"):
            raise RefusedError(f'"{words.text}" joins more than one mask and one | or ^; that is not modelled')
        operators.append((sign, value))
        match sign:
            case "&":
                keep = value
            case "|":
                keep, flip = keep & ~value, value
            case _:
                flip = value
    if not operators:
        raise RefusedError("a mark set to itself does nothing; leave the rule out")
    return SetMark(tuple(operators), keep, flip)


def _learn(verb: str) -> Callable[[Words], Statement]:
    def read(words: Words) -> Statement:
        name = words.take()
        words.expect("{")
        fields = read_fields(words)
        timeout = seconds_of(words.take()) if words.takes("timeout") else None
        if words.peek() != "}":
            raise RefusedError(f'"{words.rest()}" in "{verb} {name}" is not modelled; only a timeout is')
        words.expect("}")
        return Learn(verb, name.removeprefix("@"), fields, timeout)

    return read


def _reject(words: Words) -> Statement:
    if not words.takes("with"):
        return Reject()
    protocol = words.take()
    words.takes("type")
    code = words.take()
    if code not in REJECT_CODES.get(protocol, ()):
        raise RefusedError(f'"reject with {protocol} {code}" is not modelled; known are {_known_rejects()}')
    return Reject(protocol, code)


def _known_rejects() -> str:
    return ", ".join(f"{protocol} {code}" for protocol, codes in REJECT_CODES.items() for code in codes)


def _flag(words: Words) -> str:
    return words.take() if words.peek() in Translate.FLAGS else ""


def _port(text: str) -> int:
    value = PORT.component(text)
    if not isinstance(value, int):
        raise RefusedError(f'port range "{text}" is not modelled; name one port')
    return value


def _target(word: str) -> tuple[str | None, int | None]:
    """`A`, `A:P`, `[A]:P` or `:P`."""
    if word.startswith("["):
        address, _, port = word[1:].partition("]:")
    elif word.count(":") > 1:
        address, port = word, ""
    else:
        address, _, port = word.partition(":")
    try:
        return canonical(address) if address else None, _port(port) if port else None
    except ValueError:
        raise RefusedError(f'"{word}" is not one address with or without a port; nothing else is modelled') from None


def _to_address(kind: str) -> Callable[[Words], Statement]:
    def read(words: Words) -> Statement:
        family = words.take() if words.peek() in ("ip", "ip6") else ""
        by_map = words.takes("addr", ".", "port")
        words.expect("to")
        if kind == "dnat" and (by_map or words.peek() == "numgen" or _starts_field(words)):
            return _by_map(words, family)
        address, port = _target(words.take())
        if address is None:
            raise RefusedError(f"{kind} to a port alone is not modelled; use redirect")
        return Translate(kind, address, port, _flag(words))

    return read


def _starts_field(words: Words) -> bool:
    return any(name.split()[0] == words.peek() for name in FIELDS)


def _by_map(words: Words, family: str) -> Statement:
    asked: Asked = read_numgen(words) if words.takes("numgen") else read_fields(words)
    words.expect("map")
    if words.peek() != "{":
        return TranslateByMap(asked, read_map_name(words), family)
    value_types = _value_types(words, family)
    elements = read_braced(words, lambda: read_element(words, asked.datatypes, value_types))
    return TranslateByMap(asked, MapLiteral(asked.datatypes, value_types, tuple(elements)), family)


def _to_port(kind: str) -> Callable[[Words], Statement]:
    def read(words: Words) -> Statement:
        port = None
        if words.takes("to"):
            address, port = _target(words.take())
            if address is not None or port is None:
                raise RefusedError(f"{kind} to an address is not modelled; name a port, as in `to :8080`")
        return Translate(kind, None, port, _flag(words))

    return read


def _value_types(words: Words, family: str) -> tuple[Datatype, ...]:
    """An address, and with a family written a port too. Else the first element tells the family."""
    if family:
        return (ADDRESS6 if family == "ip6" else ADDRESS4, PORT)
    colon = next((at for at in range(len(words.text)) if words.peek(at) in (":", "")), 0)
    return (ADDRESS6 if ":" in words.peek(colon + 1) else ADDRESS4,)


STATEMENTS: dict[str, Callable[[Words], Statement]] = {
    "counter": _counter,
    "log": _log,
    "update": _learn("update"),
    "add": _learn("add"),
    "reject": _reject,
    "dnat": _to_address("dnat"),
    "snat": _to_address("snat"),
    "masquerade": _to_port("masquerade"),
    "redirect": _to_port("redirect"),
}
