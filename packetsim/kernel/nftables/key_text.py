"""Rule: what a match or a map is asked with is read here: fields, a random number, a list, a map's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from packetsim.kernel.nftables.datatypes import RefusedError
from packetsim.kernel.nftables.fields import FIELDS, Field, Fields, Numgen
from packetsim.kernel.nftables.maps import MapName
from packetsim.kernel.nftables.words import Words

Item = TypeVar("Item")


def read_field(words: Words) -> Field:
    """The next one to three words, as a field. `meta` may be left out before mark and interface names."""
    for length in (3, 2, 1):
        name = " ".join(words.peek(ahead) for ahead in range(length))
        found = FIELDS.get(_OTHER_NAMES.get(name, name))
        if found is not None:
            words.takes(*name.split())
            return found
    raise RefusedError(f'statement "{words.rest()}" is not modelled; take the rule out, or write it with what is')


_OTHER_NAMES = {"mark": "meta mark"} | {f"meta {name}": name for name in ("iif", "oif", "iifname", "oifname")}


def read_fields(words: Words) -> Fields:
    parts = [read_field(words)]
    while words.takes("."):
        parts.append(read_field(words))
    return Fields(tuple(parts))


def read_numgen(words: Words) -> Numgen:
    way = words.take()
    if way != "random":
        raise RefusedError(f'"numgen {way}" is not modelled; use numgen random')
    words.expect("mod")
    modulus = words.number()
    if modulus < 1:
        raise RefusedError("numgen mod 0 has nothing to draw from; write at least 1")
    if words.peek() == "offset":
        raise RefusedError('"numgen … offset" is not modelled; number the ways from 0')
    return Numgen(modulus)


def read_map_name(words: Words) -> MapName:
    word = words.take()
    if not word.startswith("@"):
        raise RefusedError(f'"{word}" stands where @MAP or {{ … }} belongs in "{words.text}"')
    return MapName(word[1:])


def read_braced(words: Words, read: Callable[[], Item]) -> list[Item]:
    words.expect("{")
    found = [read()]
    while words.takes(","):
        found.append(read())
    words.expect("}")
    return found


def read_listed(words: Words) -> list[str]:
    found = [words.take()]
    while words.takes(","):
        found.append(words.take())
    return found
