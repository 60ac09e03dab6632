"""Rule: an ipset is what `ipset save` prints of it; `parse(render(x)) == x`, and unknown types are refused.

Element text as ipset 7 prints it: `10.96.0.1,tcp:80`, a /32 or /128 network without its length.
Noise that decides nothing is read and dropped: bucketsize, initval, comments, counters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from packetsim.addresses import canonical, full_length, network, number_of
from packetsim.errors import RuleTextError
from packetsim.packet import Packet
from packetsim.protocols import TRANSPORTS
from packetsim.ruletext import SetText

# type -> the parts of an element; a part is an address, a port with protocol, a network, or a bare port
TYPES: dict[str, tuple[str, ...]] = {
    "bitmap:port": ("bare port",),
    "hash:ip": ("ip",),
    "hash:net": ("net",),
    "hash:ip,port": ("ip", "port"),
    "hash:ip,port,ip": ("ip", "port", "ip"),
    "hash:ip,port,net": ("ip", "port", "net"),
}
_VERSIONS = {"inet": 4, "inet6": 6}
_CREATE_OPTIONS = ("family", "hashsize", "maxelem", "range")
_CREATE_NOISE = ("bucketsize", "initval")  # each with a value
_CREATE_FLAGS = ("comment", "counters")
_ENTRY_NOISE = re.compile(r'(?: (?:packets|bytes) \d+| comment "[^"]*")*')


@dataclass(frozen=True, slots=True)
class IpSet:
    """One set. `entries` are element texts in the order of the listing; `family` is "" for bitmap:port.

    `index` finds an element: its text, or for a network type its text in front of the network, with
    the networks by length, longest first.
    """

    name: str
    type: str
    family: str
    hashsize: int = 1024
    maxelem: int = 65536
    range: tuple[int, int] = (0, 65535)
    entries: tuple[str, ...] = ()
    index: frozenset[str | tuple[str, int, int]] = field(default=frozenset(), compare=False, repr=False)
    lengths: tuple[int, ...] = field(default=(), compare=False, repr=False)

    def matches(self, packet: Packet, directions: tuple[str, ...]) -> bool:
        """Do the packet's `directions` form an entry of the set?"""
        wanted = self._looked_up(packet, directions)
        if wanted is None:
            return False
        if not self.type.endswith("net"):
            return wanted in self.index
        front, _, address = wanted.rpartition(",")
        number, bits = number_of(address), full_length(address)
        return any((front, length, number >> (bits - length)) in self.index for length in self.lengths)

    def describe(self, packet: Packet, directions: tuple[str, ...]) -> str:
        """The element that was looked up, as text; why there is none in brackets."""
        wanted = self._looked_up(packet, directions)
        if wanted is not None:
            return wanted
        if self.family and packet.family != _VERSIONS[self.family]:
            return f"(not {self.family})"
        if len(directions) < len(TYPES[self.type]):
            return f"({self.type} needs {len(TYPES[self.type])} directions)"
        return f"({packet.protocol} has no port here)"

    def _looked_up(self, packet: Packet, directions: tuple[str, ...]) -> str | None:
        """ip_set_core.c, ip_set_test: the family must fit and every part needs its direction."""
        kind = self.type
        if kind == "bitmap:port":
            # ip_set_getport.c, ip_set_get_ip_port: only TCP and UDP, and the entry does not say which.
            if packet.protocol not in ("tcp", "udp") or not directions:
                return None
            return str(packet.source_port if directions[0] == "src" else packet.destination_port)
        parts = TYPES[kind]
        if len(directions) < len(parts) or packet.family != _VERSIONS[self.family]:
            return None
        first = packet.source if directions[0] == "src" else packet.destination
        if len(parts) == 1:
            return first
        wanted = f"{first},{_port_of(packet, directions[1])}"
        if len(parts) == 2:
            return wanted
        return f"{wanted},{packet.source if directions[2] == 'src' else packet.destination}"


def _port_of(packet: Packet, direction: str) -> str:
    """ip_set_get_port: an ICMP packet's "port" is its type and code."""
    if packet.protocol in TRANSPORTS:
        return f"{packet.protocol}:{packet.source_port if direction == 'src' else packet.destination_port}"
    return f"{packet.protocol}:{packet.icmp_type}/{packet.icmp_code}"


# ---- text ---------------------------------------------------------------------------------------


def parse(text: str) -> dict[str, IpSet]:
    """The sets of an `ipset save` listing, in its order."""
    created: dict[str, tuple[str, str]] = {}
    entries: dict[str, list[tuple[str, str]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split(maxsplit=2)
        place = f"ipset line {number}"
        match words:
            case []:
                continue
            case ["create", name, _] if name not in created:
                created[name] = line, place
                entries[name] = []
            case ["create", name, _]:
                raise RuleTextError(place, f"set {name} is there twice")
            case ["add", name, element] if name in created:
                entries[name].append((element, place))
            case ["add", name, _]:
                raise RuleTextError(place, f"set {name} has no create line before it")
            case _:
                raise RuleTextError(place, f"{line!r} is not modelled; lines read `create SET …` or `add SET ELEMENT`")
    return {name: _build(*made, entries[name]) for name, made in created.items()}


def render(sets: Mapping[str, IpSet]) -> str:
    """The text that `parse` reads; loadable by `ipset restore`."""
    lines = (line for one in sets.values() for line in (create_line(one), *add_lines(one)))
    return "".join(f"{line}\n" for line in lines)


def create_line(one: IpSet) -> str:
    if one.type == "bitmap:port":
        return f"create {one.name} {one.type} range {one.range[0]}-{one.range[1]}"
    return f"create {one.name} {one.type} family {one.family} hashsize {one.hashsize} maxelem {one.maxelem}"


def add_lines(one: IpSet) -> list[str]:
    return [f"add {one.name} {entry}" for entry in one.entries]


@dataclass(frozen=True, slots=True)
class LoadedSets:
    """What `load` made, with the texts it was made from, so that the next load can share it."""

    texts: Mapping[str, SetText]
    sets: Mapping[str, IpSet]


NOTHING = LoadedSets(MappingProxyType({}), MappingProxyType({}))


def load(texts: Mapping[str, SetText], before: LoadedSets = NOTHING) -> LoadedSets:
    """Parse each set, but share those whose text is the same object as `before`."""
    sets = {
        name: before.sets[name] if before.texts.get(name) is text else _load_one(name, text)
        for name, text in texts.items()
    }
    return LoadedSets(dict(texts), sets)


def _load_one(name: str, text: SetText) -> IpSet:
    place, front = f"ipset {name}", f"add {name} "
    for line in text.entries:
        if not line.text.startswith(front):
            raise RuleTextError(place, f"{line.text!r} does not add to this set")
    one = _build(text.create.text, place, ((line.text[len(front) :], place) for line in text.entries))
    if one.name != name:
        raise RuleTextError(place, f"the create line is for set {one.name}")
    return one


def _build(create: str, place: str, adds: Iterable[tuple[str, str]]) -> IpSet:
    empty = _created(create, place)
    elements = [_element(empty, text, where) for text, where in adds]
    entries = tuple(text for text, _ in elements)
    index = frozenset(key for _, key in elements)
    if len(index) < len(entries):
        raise RuleTextError(place, "an entry is there twice")
    if len(entries) > empty.maxelem and empty.family:
        raise RuleTextError(place, f"{len(entries)} entries do not fit in maxelem {empty.maxelem}")
    lengths = tuple(sorted({key[1] for key in index if isinstance(key, tuple)}, reverse=True))
    return IpSet(
        empty.name, empty.type, empty.family, empty.hashsize, empty.maxelem, empty.range, entries, index, lengths
    )


def _created(line: str, place: str) -> IpSet:
    words = line.split()
    if len(words) < 3 or words[0] != "create":
        raise RuleTextError(place, "a set begins with `create SET TYPE …`")
    _, name, kind, *rest = words
    if kind not in TYPES:
        raise RuleTextError(place, f"set type {kind!r} is not modelled; supported are {', '.join(TYPES)}")
    options = _options(rest, place)
    if kind == "bitmap:port":
        return IpSet(name, kind, "", range=_range(options.get("range", ""), place))
    family = options.get("family", "inet")
    if family not in _VERSIONS:
        raise RuleTextError(place, f"family {family!r} is neither inet nor inet6")
    hashsize, maxelem = (_number(options.get(key, default), 1, 2**32 - 1, key, place) for key, default in _SIZES)
    return IpSet(name, kind, family, hashsize, maxelem)


_SIZES = (("hashsize", "1024"), ("maxelem", "65536"))


def _options(words: list[str], place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(words):
        word = words[at]
        if word in _CREATE_OPTIONS + _CREATE_NOISE and at + 1 < len(words):
            found[word] = words[at + 1]
            at += 2
        elif word in _CREATE_FLAGS:
            at += 1
        else:
            raise RuleTextError(place, f"option {word!r} is not modelled; supported are {', '.join(_CREATE_OPTIONS)}")
    return found


def _range(text: str, place: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not dash:
        raise RuleTextError(place, "bitmap:port needs `range FIRST-LAST`")
    return _number(first, 0, 65535, "range", place), _number(last, 0, 65535, "range", place)


def _element(one: IpSet, text: str, place: str) -> tuple[str, str | tuple[str, int, int]]:
    element, space, rest = text.partition(" ")
    if not _ENTRY_NOISE.fullmatch(space + rest):
        raise RuleTextError(place, f"{rest!r} after the element is not modelled")
    try:
        made = _read_element(one.type, one.family, element)
    except ValueError as error:
        raise RuleTextError(place, f"{element!r} is no element of {one.type} {one.family}: {error}".rstrip()) from None
    if one.type == "bitmap:port" and not one.range[0] <= int(element) <= one.range[1]:
        raise RuleTextError(place, f"port {element} is outside the set's range")
    return made


@lru_cache(maxsize=1 << 17)
def _read_element(kind: str, family: str, text: str) -> tuple[str, str | tuple[str, int, int]]:
    """(canonical text, key in the index). Raises ValueError on nonsense. Cached: lists change by a line."""
    parts, words = TYPES[kind], text.split(",")
    if len(words) != len(parts):
        raise ValueError(f"it needs {len(parts)} parts")
    read = [_READERS[part](word, family) for part, word in zip(parts, words, strict=True)]
    canonical_text = ",".join(read)
    if parts[-1] != "net":
        return canonical_text, canonical_text
    held = network(read[-1])
    length, bits = held.prefix_length, full_length(read[-1].partition("/")[0])
    return canonical_text, (",".join(read[:-1]), length, held.first >> (bits - length))


def _read_address(word: str, family: str) -> str:
    address = canonical(word)
    if (":" in address) != (family == "inet6"):
        raise ValueError(f"{address} is of the other family")
    return address


def _read_network(word: str, family: str) -> str:
    held = network(word)
    address = _read_address(held.text.partition("/")[0], family)
    if held.is_zero:
        raise ValueError("ipset accepts no network of length 0")
    return address if held.prefix_length == full_length(address) else held.text


def _read_port(word: str, family: str) -> str:
    protocol, colon, port = word.rpartition(":")
    if not colon or protocol not in TRANSPORTS:
        raise ValueError(f"a port reads tcp:80; protocols are {', '.join(TRANSPORTS)}")
    return f"{protocol}:{_read_bare_port(port, family)}"


def _read_bare_port(word: str, family: str) -> str:
    if not (word.isascii() and word.isdigit() and int(word) <= 65535):
        raise ValueError(f"{word!r} is no port")
    return str(int(word))


_READERS = {"ip": _read_address, "net": _read_network, "port": _read_port, "bare port": _read_bare_port}


def _number(text: str, low: int, high: int, what: str, place: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not low <= number <= high:
        raise RuleTextError(place, f"{what} {text!r} is not a number from {low} to {high}")
    return number
