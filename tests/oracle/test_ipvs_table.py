"""The kernel's table of IPVS connections is read as ipvsadm prints it."""

from __future__ import annotations

import pytest

from packetsim.errors import OracleError
from packetsim.oracle.ipvs_table import connections

HEAD = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "TCP 0AF40109 9C41 0A60000A 0050 0AF40105 1F90 ESTABLISHED     899",
            "TCP ESTABLISHED 10.244.1.9:40001 10.96.0.10:80 10.244.1.5:8080",
        ),
        (
            "UDP [fd00:0010:0244:0001:0000:0000:0000:0009] 9C41 [fd00:0010:0096:0000:0000:0000:0000:000a] 0035 "
            "[fd00:0010:0244:0001:0000:0000:0000:0005] 14E9 UDP             299",
            "UDP UDP [fd00:10:244:1::9]:40001 [fd00:10:96::a]:53 [fd00:10:244:1::5]:5353",
        ),
        (
            "SCTP 0AF40109 9C41 0A60000A 13C4 0AF40105 13C4 INIT1     29",
            "SCTP INIT1 10.244.1.9:40001 10.96.0.10:5060 10.244.1.5:5060",
        ),
    ],
)
def test_a_row_is_read(row: str, told: str) -> None:
    assert connections(f"{HEAD}{row}\n\n") == frozenset({told})


def test_a_row_that_is_cut_is_refused() -> None:
    with pytest.raises(OracleError, match="has a row that is not understood: 'TCP 0AF40109'"):
        connections(f"{HEAD}TCP 0AF40109\n")
