"""Rule: ClusterIPs come out of the cluster's service ranges, each once; free ones are found from the Service's name.

The API server draws at random from the upper band of the range and goes to the lower when that is
full (pkg/registry/core/service/ipallocator/cidrallocator.go, Kubernetes 1.35; KEP-3070).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from packetsim.addresses import family_of, network
from packetsim.cluster import schemas
from packetsim.cluster.inventing import number_from
from packetsim.cluster.model import Key
from packetsim.cluster.names import Refusal
from packetsim.cluster.objects import Object, Objects
from packetsim.cluster.parsing import cidr_refusal, family_name, parse_cidr, parse_ip
from packetsim.cluster.places import Report

DEFAULT_RANGES = {4: "10.96.0.0/12", 6: "fd00:10:96::/112"}
_GUESSED_LENGTHS = {4: 16, 6: 112}  # at most this long, and no shorter than the default


def service_cidrs(objects: Objects, families: tuple[int, ...], report: Report) -> tuple[str, ...]:
    """The ranges of the ServiceCIDRs, the one named `kubernetes` first; without any, one for each family."""
    if objects.service_cidrs or any(kind == "ServiceCIDR" for kind, _, _ in objects.declared):
        ordered = sorted(objects.service_cidrs, key=lambda one: one.name != "kubernetes")
        return tuple(dict.fromkeys(cidr for one in ordered for cidr in _read(one, report)))
    return tuple(_guessed(family, objects, report) for family in families)


def are_certain(objects: Objects, report: Report) -> bool:
    """Are those all the ranges? Not when something is wrong with a ServiceCIDR."""
    read = {("ServiceCIDR", *one.key) for one in objects.service_cidrs}
    unread = any(name[0] == "ServiceCIDR" and name not in read for name in objects.declared)
    return not unread and all(report.sound(one.place, ("spec", "cidrs")) for one in objects.service_cidrs)


def _read(one: Object[schemas.ServiceCIDR], report: Report) -> list[str]:
    texts = (one.data.spec.cidrs if one.data.spec else None) or []
    if not texts:
        report.problem(one.place, ("spec", "cidrs"), f"{one} has no range", "Write one range, or one of each family")
    cidrs: dict[int, str] = {}
    for index, text in enumerate(texts):
        path = ("spec", "cidrs", index)
        cidr = parse_cidr(text)
        if cidr is None:
            report.problem(one.place, path, *cidr_refusal(text))
        elif family_of(cidr) in cidrs:
            message = f"a second {family_name(family_of(cidr))} range"
            report.problem(one.place, path, message, "Keep one of each family, or write another ServiceCIDR")
        else:
            cidrs[family_of(cidr)] = cidr
    return list(cidrs.values())


def _guessed(family: int, objects: Objects, report: Report) -> str:
    """The default, unless the ClusterIPs written show that the cluster has another range."""
    default = DEFAULT_RANGES[family]
    ips = [ip for ip in _written_ips(objects) if family_of(ip) == family]
    if all(ip in network(default) for ip in ips):
        return default
    guess = covering(ips, _GUESSED_LENGTHS[family], network(default).prefix_length)
    if guess is None:
        return default
    report.notice(f"no ServiceCIDR among the manifests: from the ClusterIPs written it is taken to be {guess}")
    return guess


def covering(texts: Iterable[str], longest: int, shortest: int) -> str | None:
    """The smallest range that holds every address or range (of one family); None if it had to be too large."""
    ranges = [network(text) for text in texts]
    if not ranges:
        return None
    low, high = min(one.first for one in ranges), max(one.last for one in ranges)
    bits = 128 if ranges[0].family == 6 else 32
    length = min(bits - (low ^ high).bit_length(), longest)
    return network(f"{ranges[0].text.partition('/')[0]}/{length}").text if length >= shortest else None


def _written_ips(objects: Objects) -> Iterable[str]:
    for service in objects.services:
        spec = service.data.spec or schemas.ServiceSpec()
        for text in (spec.cluster_ip, *(spec.cluster_ips or ())):
            if text and (ip := parse_ip(text)):
                yield ip


class ClusterIPs:
    """Who has which ClusterIP. Written ones are claimed before any is given."""

    def __init__(self, cidrs: Iterable[str], others: Mapping[str, str], certain: bool) -> None:
        self._ranges: dict[int, list[str]] = {}
        for cidr in cidrs:
            self._ranges.setdefault(family_of(cidr), []).append(cidr)
        self._owners: dict[str, Object[schemas.Service]] = {}
        self._others = others  # Pods' and nodes' addresses -> whose
        self.certain = certain  # are these all the ranges?

    @property
    def families(self) -> tuple[int, ...]:
        """The families that Services can have, the default first."""
        return tuple(self._ranges)

    def claim(self, ip: str, one: Object[schemas.Service], index: int, report: Report) -> None:
        spec = one.data.spec or schemas.ServiceSpec()
        path = ("spec", "clusterIPs", index) if spec.cluster_ips else ("spec", "clusterIP")
        for message, cure in self._refusals(ip, one):
            report.problem(one.place, path, message, cure, rests_on=[path])

    def _refusals(self, ip: str, one: Object[schemas.Service]) -> Iterator[Refusal]:
        ranges = self._ranges.get(family_of(ip), [])
        first = self._owners.setdefault(ip, one)
        if self.certain and ranges and not any(ip in network(cidr) for cidr in ranges):
            message = f"{ip} is outside the service range {' and '.join(ranges)}"
            yield message, "Use an address inside it, or add a ServiceCIDR that holds it"
        if any(ip == network(cidr).text.partition("/")[0] for cidr in ranges):
            yield f"{ip} is the service range's own first address", "Use one after it, or leave clusterIP out"
        if ip in self._others:
            yield f"{ip} is the address of {self._others[ip]}", "Use a free address"
        if first.key != one.key:  # twins are told already
            message = f"{ip} is the ClusterIP of {first}, too, at {first.place}"
            yield message, "Use another address, or leave clusterIP out"

    def give(self, family: int, one: Object[schemas.Service], report: Report) -> str:
        """A free ClusterIP; `default/kubernetes` has the very first, as the API server gives itself."""
        for cidr in self._ranges[family]:
            ip = self._find(cidr, one.key)
            if ip is not None:
                self._owners[ip] = one
                return ip
        message = f"no {family_name(family)} ClusterIP is left in {' and '.join(self._ranges[family])}"
        report.problem(one.place, ("spec", "clusterIP"), message, "Add a ServiceCIDR with a larger range")
        return DEFAULT_RANGES[family].partition("/")[0]

    def _find(self, cidr: str, key: Key) -> str | None:
        whole = network(cidr)
        first, last = whole.first + 1, whole.last - (whole.family == 4)  # the broadcast address
        for place in _order(max(last - first + 1, 0), key, whole.family):
            ip = str(ip_address(first + place))
            if ip not in self._owners and ip not in self._others:
                return ip
        return None


def _order(size: int, key: Key, family: int) -> Iterator[int]:
    """The places of a range in the order in which this Service tries them."""
    if key == ("default", "kubernetes"):
        yield 0
    band = lower_band(size, 256)
    upper = size - band
    start = number_from(*key, str(family))
    for step in range(upper):
        yield band + (start + step) % upper
    yield from range(band)


def lower_band(size: int, most: int) -> int:
    """calculateRangeOffset: the part of a range that is kept for addresses written by hand."""
    return 0 if size < 16 else min(max(16, size // 16), most)
