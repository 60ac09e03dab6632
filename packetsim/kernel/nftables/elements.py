"""Rule: `parse_element(show_element(x)) == x` for every element of a set, a map or a map in a rule."""

from __future__ import annotations

from packetsim.kernel.nftables.datatypes import Component, Datatype, RefusedError
from packetsim.kernel.nftables.durations import duration, seconds_of
from packetsim.kernel.nftables.model import Decision, Element, Kind
from packetsim.kernel.nftables.words import Words
from packetsim.ruletext import Origin

_ALONE = {kind.value: kind for kind in (Kind.ACCEPT, Kind.DROP, Kind.CONTINUE, Kind.RETURN)}
_TO_CHAIN = {kind.value: kind for kind in (Kind.JUMP, Kind.GOTO)}
VERDICTS = (*_ALONE, *_TO_CHAIN)


def read_verdict(words: Words, origins: tuple[Origin, ...] = ()) -> Decision:
    word = words.take()
    if word in _ALONE:
        return Decision(_ALONE[word], word, origins=origins)
    if word not in _TO_CHAIN:
        raise RefusedError(f'verdict "{word}" is not modelled; known are {", ".join(VERDICTS)}')
    chain = words.take()
    return Decision(_TO_CHAIN[word], f"{word} {chain}", chain, origins=origins)


def read_components(words: Words, datatypes: tuple[Datatype, ...]) -> tuple[Component, ...]:
    """The parts of a key or value, joined by dots."""
    first = datatypes[0].component(words.take())
    if len(datatypes) == 1:
        return (first,)
    parts = [first]
    for datatype in datatypes[1:]:
        words.expect(".")
        parts.append(datatype.component(words.take()))
    return tuple(parts)


def show_components(components: tuple[Component, ...], datatypes: tuple[Datatype, ...]) -> str:
    return " . ".join(datatype.show(part) for datatype, part in zip(datatypes, components, strict=True))


def read_element(
    words: Words,
    key_types: tuple[Datatype, ...],
    value_types: tuple[Datatype, ...] = (),
    verdicts: bool = False,
    origins: tuple[Origin, ...] = (),
) -> Element:
    key = read_components(words, key_types)
    times: dict[str, float | None] = {"timeout": None, "expires": None}
    comment = ""
    while words.peek() in ("timeout", "expires", "comment"):
        option = words.take()
        if option == "comment":
            comment = words.quoted()
        else:
            times[option] = seconds_of(words.take())
    if verdicts or value_types:
        words.expect(":")
    decision = read_verdict(words, origins) if verdicts else None
    value = read_components(words, value_types) if value_types else ()
    return Element(key, decision, value, times["timeout"], times["expires"], comment, origins)


def show_element(element: Element, key_types: tuple[Datatype, ...], value_types: tuple[Datatype, ...] = ()) -> str:
    text = show_components(element.key, key_types)
    for option, seconds in (("timeout", element.timeout), ("expires", element.expires)):
        text += "" if seconds is None else f" {option} {duration(seconds)}"
    text += f' comment "{element.comment}"' if element.comment else ""
    if element.decision is not None:
        return f"{text} : {element.decision.text}"
    return f"{text} : {show_components(element.value, value_types)}" if element.value else text
