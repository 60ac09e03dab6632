"""Rule: addresses in manifests are read as leniently as Kubernetes reads them, and come out canonical.

netutils.ParseIPSloppy and ParseCIDRSloppy (k8s.io/utils/net): a leading zero does not make an octet
octal. IPv4-mapped IPv6 and zones are refused: no object may hold them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from packetsim.addresses import network
from packetsim.cluster.names import Refusal
from packetsim.cluster.places import shown

_OCTETS = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){3}")
_LENGTH = re.compile(r"[0-9]{1,4}")


@lru_cache(maxsize=262144)
def parse_ip(text: str) -> str | None:
    """The address as canonical text, None when it is none."""
    if _OCTETS.fullmatch(text):
        octets = [int(octet) for octet in text.split(".")]
        return ".".join(map(str, octets)) if max(octets) < 256 else None
    if ":" not in text or "%" in text or len(text) > 45:
        return None
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped else str(parsed)


@lru_cache(maxsize=65536)
def parse_cidr(text: str) -> str | None:
    """`ADDRESS/LENGTH` as canonical text, host bits masked off; None when it is no CIDR."""
    address, _, length = text.partition("/")
    ip = parse_ip(address)
    if ip is None or not _LENGTH.fullmatch(length) or int(length) > (128 if ":" in ip else 32):
        return None
    return network(f"{ip}/{int(length)}").text


def ip_refusal(text: str) -> Refusal:
    example = "fd00::5" if ":" in text else "10.0.0.5"
    return f"{shown(text)} is not an IP address", f"Write one like {example}"


def cidr_refusal(text: str) -> Refusal:
    example = "fd00:10:244::/64" if ":" in text else "10.244.1.0/24"
    return f"{shown(text)} is not an address range", f"Write it as ADDRESS/LENGTH, like {example}"


def special_refusal(ip: str) -> Refusal | None:
    """ValidateNonSpecialIP and ValidateEndpointIP: addresses that can be nobody's endpoint."""
    parsed = ip_address(ip)
    for is_so, word in (
        (parsed.is_unspecified, "the unspecified address"),
        (parsed.is_loopback, "a loopback address"),
        (parsed.is_link_local, "a link-local address"),
        (parsed.is_multicast, "a multicast address"),
    ):
        if is_so:
            return f"{ip} is {word}", "Use an address that other machines can reach"
    return None


def family_name(family: int) -> str:
    return "IPv6" if family == 6 else "IPv4"
