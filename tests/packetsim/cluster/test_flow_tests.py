"""Rule: a FlowTest comes out as written, with what is left out made plain."""

from __future__ import annotations

from packetsim.cluster import FlowExpectation, FlowTest
from tests.packetsim.cluster.loading import NODES, manifests

TEXT = """
apiVersion: packetwalk.dev/v1
kind: FlowTest
metadata: {name: shop}
spec:
  modes: [ipvs, nftables, ipvs]
  flows:
  - name: all of it
    from: shop/client
    via: node1
    to: "[fd00::1]:80"
    protocol: udp
    expect:
      outcome: refused
      endpoints: [010.244.1.5:8080, "[FD00::5]:80"]
      masqueraded: true
      sticky: false
    again_after: 172800
  - {from: node1, to: 10.96.0.1:443, expect: {outcome: delivered}}
"""


def test_a_flow_test_is_read() -> None:
    (test,) = manifests(NODES, TEXT).flow_tests
    assert test == FlowTest(
        "shop",
        ("ipvs", "nftables"),
        (
            FlowExpectation(
                "all of it",
                "shop/client",
                "node1",
                "[fd00::1]:80",
                "udp",
                "refused",
                ("10.244.1.5:8080", "[fd00::5]:80"),
                True,
                "f2.yaml: document 1, line 8",
                sticky=False,
                again_after=172800,
            ),
            FlowExpectation(
                "node1 to 10.96.0.1:443",
                "node1",
                None,
                "10.96.0.1:443",
                "tcp",
                "delivered",
                None,
                None,
                "f2.yaml: document 1, line 19",
            ),
        ),
    )


def test_without_a_mode_the_clusters_own_is_meant() -> None:
    for modes in ("", "mode: ''", "modes: []"):
        text = TEXT.replace("modes: [ipvs, nftables, ipvs]", modes)
        assert manifests(NODES, text).flow_tests[0].modes == ()
    assert manifests(NODES, TEXT.replace("modes: [ipvs, nftables, ipvs]", "mode: ipvs")).flow_tests[0].modes == (
        "ipvs",
    )


def test_no_endpoint_at_all_may_be_expected() -> None:
    text = TEXT.replace('[010.244.1.5:8080, "[FD00::5]:80"]', "[]")
    assert manifests(NODES, text).flow_tests[0].flows[0].endpoints == ()
