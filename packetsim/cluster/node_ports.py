"""Rule: a node port number belongs to one Service, whatever the protocol; free ones are found from its name.

The API server's allocator counts numbers alone (portallocator), so TCP and UDP share a number only
within one Service, where ports of one number get one node port (storage/alloc.go, Kubernetes 1.35).
"""

from __future__ import annotations

from collections.abc import Iterator

from packetsim.cluster import schemas
from packetsim.cluster.inventing import number_from
from packetsim.cluster.objects import Object
from packetsim.cluster.places import Path, Report

FIRST, LAST = 30000, 32767
_SIZE = LAST - FIRST + 1
_BAND = min(max(16, _SIZE // 32), 128)  # kept for numbers written by hand (KEP-3668)

Owner = Object[schemas.Service]


class NodePorts:
    """Who has which node port. Written ones are claimed before any is given."""

    def __init__(self) -> None:
        self._owners: dict[int, Owner] = {}

    def claim(self, number: int, one: Owner, path: Path, report: Report) -> None:
        if not FIRST <= number <= LAST:
            message = f"{number} is outside the node port range"
            cure = f"Use a number from {FIRST} to {LAST}, or leave it out"
            report.problem(one.place, path, message, cure, rests_on=[path])
            return
        first = self._owners.setdefault(number, one)
        if first.key != one.key:  # twins are told already
            message = f"node port {number} belongs to {first} already, at {first.place}"
            report.problem(one.place, path, message, "Use another number, or leave it out", rests_on=[path])

    def give(self, one: Owner, purpose: str, report: Report) -> int:
        """A free node port for one of the Service's ports, or for its health checks."""
        for number in _order(number_from(*one.key, purpose)):
            if number not in self._owners:
                self._owners[number] = one
                return number
        message = f"no node port is left from {FIRST} to {LAST}"
        report.problem(one.place, ("spec", "type"), message, "Use type ClusterIP where no node port is needed")
        return 0


def _order(start: int) -> Iterator[int]:
    """The upper band from a place of its own round, then the lower."""
    upper = _SIZE - _BAND
    for step in range(upper):
        yield FIRST + _BAND + (start + step) % upper
    yield from range(FIRST, FIRST + _BAND)
