"""Rule: names are kube-proxy's own, hash and all."""

from __future__ import annotations

import pytest

from packetsim.kubeproxy.nftables_names import endpoint_name, port_name


@pytest.mark.parametrize(
    ("service", "protocol", "port", "name"),
    [
        ("web", "tcp", "http", "KHN6ECMT-shop/web/tcp/http"),
        ("web", "tcp", "", "452DNVGS-shop/web/tcp/"),
        ("dns", "udp", "dns", "WB2QITPI-shop/dns/udp/dns"),
    ],
)
def test_a_service_port(service: str, protocol: str, port: str, name: str) -> None:
    assert port_name("shop", service, protocol, port) == name


@pytest.mark.parametrize(
    ("port", "address", "name"),
    [
        ("http", "10.244.1.5", "FDH7QP7U-shop/web/tcp/http__10.244.1.5/8080"),
        ("http", "10.244.2.7", "W7KABZCH-shop/web/tcp/http__10.244.2.7/8080"),
        ("", "10.244.1.5", "JVR6BZWM-shop/web/tcp/__10.244.1.5/8080"),
        ("http", "fd00:10:244:1::5", "IT5W3BSU-shop/web/tcp/http__fd00.10.244.1..5/8080"),
    ],
)
def test_an_endpoint(port: str, address: str, name: str) -> None:
    assert endpoint_name("shop", "web", "tcp", port, address, 8080) == name


def test_240_characters_are_kept_and_a_longer_name_is_cut() -> None:
    address = "2001:db8:1111:2222:3333:4444:5555:6666"

    def name(letters: int, number: int = 8080) -> str:
        return endpoint_name("n" * 63, "s" * 63, "tcp", "p" * letters, address, number)

    assert len(name(50)) == 236
    assert (len(name(54)), name(54)[-5:]) == (240, "/8080")
    assert (len(name(55)), name(55)[-5:]) == (240, "6/...")
    assert name(63, 8080)[9:] == name(63, 8081)[9:]
    assert name(63, 8080) != name(63, 8081)
