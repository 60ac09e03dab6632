"""Rule: the options given to one match or target are read through here, so that none is ever overlooked.

A reader asks for each option in the way it can stand: plain (no `!`), with a sign, or as a flag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from packetsim.addresses import Network, canonical, family_of, network
from packetsim.kernel.iptables.header import PortRange
from packetsim.kernel.iptables.model import RefusalError


class Scene(NamedTuple):
    """What else the rule says that an extension may depend on."""

    family: int
    protocol: str | None  # of a `-p` without `!`


class Given(dict[str, tuple[bool, str]]):
    """option -> (negated, its arguments with a space between)."""

    __slots__ = ()

    def plain(self, option: str) -> str | None:
        found = self.get(option)
        if found is None:
            return None
        if found[0]:
            raise RefusalError(f"{option} takes no '!'")
        return found[1]

    def needed(self, option: str) -> str:
        found = self.plain(option)
        if found is None:
            raise RefusalError(f"{option} is missing")
        return found

    def signed(self, option: str) -> tuple[str | None, bool]:
        negated, value = self.get(option, (False, None))
        return value, negated

    def flag(self, option: str) -> bool:
        return self.plain(option) is not None

    def answer(self, option: str) -> bool | None:
        """True if given, False if given with `!`, None if not given."""
        return not self[option][0] if option in self else None


Arguments = Mapping[str, int]  # option -> how many arguments it takes


def whole_number(text: str, highest: int, what: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > highest:
        raise RefusalError(f"{what} {text!r} is not a whole number from 0 to {highest}; write it as iptables-save does")
    return int(text)


def port_number(text: str) -> int:
    return whole_number(text, 65535, "port")


def port_range(text: str) -> PortRange:
    """`80`, `80:90`, `:90` or `80:`."""
    first, colon, last = text.partition(":")
    if not colon:
        return PortRange(port_number(text), port_number(text))
    found = PortRange(port_number(first or "0"), port_number(last or "65535"))
    if found.first > found.last:
        raise RefusalError(f"port range {text} runs backwards; write the lower port first")
    return found


def bits(text: str) -> int:
    """A mark or mask: hexadecimal, decimal or octal, as strtoul reads it."""
    base = 16 if text[:2].lower() == "0x" else 8 if text.startswith("0") else 10
    try:
        value = int(text, base)
    except ValueError:
        value = -1
    if not 0 <= value < 2**32:
        raise RefusalError(f"mark {text!r} is not a number of 32 bits")
    return value


def bits_and_mask(text: str) -> tuple[int, int | None]:
    value, slash, mask = text.partition("/")
    return bits(value), bits(mask) if slash else None


def network_of(text: str, family: int) -> Network:
    """ADDRESS[/LENGTH or /MASK], of the rules' own family."""
    mask = text.partition("/")[2]
    # ipaddress would take 0.0.0.255 for a wildcard; to iptables it is a mask with holes.
    holed = mask.startswith("0.") and mask != "0.0.0.0"
    try:
        found = network(text)
    except ValueError:
        holed = True
    if holed or found.family != family:
        raise RefusalError(
            f"{text!r} is not an IPv{family} address or network; one address with a prefix length is modelled"
        )
    return found


_ENDPOINT = {
    4: re.compile(r"(?P<address>[^:]*)(?::(?P<port>[0-9]+))?"),
    6: re.compile(r"(?:\[(?P<address>[^\]]+)\])?:(?P<port>[0-9]+)|\[(?P<inside>[^\]]+)\]|(?P<bare>[^\[\]]+)"),
}


def endpoint_of(text: str, family: int) -> tuple[str | None, int | None]:
    """`IP`, `IP:PORT`, `[IP]:PORT`, `[IP]` or `:PORT`."""
    found = _ENDPOINT[family].fullmatch(text)
    if not text or found is None or "-" in text:
        raise RefusalError(
            f"{text!r} is not modelled; name one IPv{family} address and, after a colon, at most one port"
        )
    parts = found.groupdict()
    address = parts["address"] or parts.get("inside") or parts.get("bare")
    port = parts["port"]
    if port is not None and port_number(port) == 0:
        raise RefusalError("port 0 is not valid here")
    return _address(address, family) if address else None, None if port is None else int(port)


def _address(text: str, family: int) -> str:
    try:
        address = canonical(text)
    except ValueError:
        address = ""
    if not address or "%" in address or family_of(address) != family:
        raise RefusalError(f"{text!r} is not an IPv{family} address")
    return address
