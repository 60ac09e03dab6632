"""Rule: chain names are checked against hashes known from elsewhere, not against ourselves."""

from __future__ import annotations

import pytest

from packetsim.kubeproxy.chain_names import endpoint_chain, port_hash


@pytest.mark.parametrize(
    ("display", "protocol", "expected"),
    [
        ("shop/web:http", "tcp", "67NZLRHBNDSAWJRO"),
        ("shop/web", "sctp", "QBYPUWQGBX7LZEE2"),
        ("shop/dns:dns", "udp", "4XI5CTFPAP7AFMBM"),
        # from Kubernetes' own expectations
        ("ns1/svc1:p80", "tcp", "XPGD46QRK7WJZT7O"),
        ("ns5/svc5:p80", "tcp", "NUKIZ6OKUXPJNT4C"),
    ],
)
def test_service_port_hashes(display: str, protocol: str, expected: str) -> None:
    assert port_hash(display, protocol) == expected


@pytest.mark.parametrize(
    ("display", "protocol", "endpoint", "expected"),
    [
        ("shop/web:http", "tcp", "10.244.1.5:8080", "KUBE-SEP-34ZZ2QFGO32YYXXO"),
        ("shop/web", "tcp", "10.244.1.5:8080", "KUBE-SEP-JEWKWDKY4ODQIXQB"),
        ("shop/web:http", "tcp", "[fd00:10:244:1::5]:8080", "KUBE-SEP-SDQJBP3G53U5CYU2"),
        ("ns4/svc4:p80", "tcp", "10.180.0.5:80", "KUBE-SEP-C6EBXVWJJZMIWKLZ"),
    ],
)
def test_endpoint_chains(display: str, protocol: str, endpoint: str, expected: str) -> None:
    assert endpoint_chain(display, protocol, endpoint) == expected
