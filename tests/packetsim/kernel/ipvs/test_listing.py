"""Rule: listings read as ipvsadm 1.31 prints them."""

from __future__ import annotations

from tests.packetsim.kernel.ipvs.scene import A, B, ipvs, packet, servers, visit


def test_servers_are_listed_as_ipvsadm_sorts_and_pads_them() -> None:
    texts = (
        servers(B, f"{A} 3", address="10.96.100.10:80")
        | servers("[fd00::5]:53", address="[fd00::a]:53", protocol="-u", scheduler="wlc")
        | servers(address="192.168.10.11:30080", options=" -p 10800")
        | servers(address="10.96.100.10:443", scheduler="mh", options=" -p 60 -M 255.255.0.0 -b mh-port")
        | servers(address="10.96.100.10:9", protocol="--sctp-service")
        | servers(address="10.96.100.10:53", protocol="-u")
        | servers(address="[fd00::b]:53", protocol="-u", options=" -p 60 -M 64")
    )
    where = ipvs(texts)
    where.schedule(visit(packet(to="10.96.100.10:80")))
    # 192.168.10.11 is more than 2^31 above 10.96.100.10, so libipvs takes it for less.
    assert where.list_servers() == (
        "IP Virtual Server version 1.2.1 (size=4096)\n"
        "Prot LocalAddress:Port Scheduler Flags\n"
        "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
        "TCP  192.168.10.11:30080 rr persistent 10800\n"
        "TCP  10.96.100.10:80 rr\n"
        "  -> 10.244.1.1:8080              Masq    3      1          0         \n"
        "  -> 10.244.1.2:8080              Masq    1      0          0         \n"
        "TCP  10.96.100.10:443 mh (mh-port) persistent 60 mask 255.255.0.0\n"
        "UDP  10.96.100.10:53 rr\n"
        "SCTP 10.96.100.10:9 rr\n"
        "UDP  [fd00::a]:53 wlc\n"
        "  -> [fd00::5]:53                 Masq    1      0          0         \n"
        "UDP  [fd00::b]:53 rr persistent 60 mask 64\n"
    )


def test_connections_are_listed_with_the_time_they_have_left() -> None:
    where = ipvs(servers(A, options=" -p 10800"))
    where.schedule(visit())
    assert "TCP 180:00 NONE        10.244.2.9:0       10.96.0.10:80      10.244.1.1:8080\n" in where.list_connections()
    where.schedule(visit(packet(flags="A"), now=1.0))
    where.tick(41.5)
    assert where.list_connections() == (
        "IPVS connection entries\n"
        "pro expire state       source             virtual            destination\n"
        "TCP 179:18 ASSURED     10.244.2.9:0       10.96.0.10:80      10.244.1.1:8080\n"
        "TCP 14:19  ESTABLISHED 10.244.2.9:40000   10.96.0.10:80      10.244.1.1:8080\n"
    )


def test_an_answered_udp_connection_assures_its_template() -> None:
    where = ipvs(servers(A, options=" -p 60", protocol="-u"))
    where.schedule(visit(packet(protocol="udp")))
    assert "UDP 01:00  NONE " in where.list_connections()
    where.reply(packet(A, "10.244.2.9:40000", protocol="udp"))
    assert "UDP 01:00  ASSURED " in where.list_connections()
    assert "UDP 05:00  UDP  " in where.list_connections()


def test_an_ftp_template_is_for_every_port() -> None:
    where = ipvs(servers(A, options=" -p 60", address="10.96.0.10:21"))
    where.schedule(visit(packet(to="10.96.0.10:21")))
    assert "10.244.2.9:0       10.96.0.10:0       10.244.1.1:0\n" in where.list_connections()
