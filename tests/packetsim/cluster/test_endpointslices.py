"""Rule: a Service's slices are those that are written, else those that Kubernetes would make."""

from __future__ import annotations

import pytest

from packetsim.cluster.model import Endpoint, EndpointPort, EndpointSlice
from tests.packetsim.cluster.loading import NODES, cluster, deployment, documents, manifests, pod, service


def slices(*texts: str) -> tuple[EndpointSlice, ...]:
    return cluster(NODES, *texts).slices.get(("shop", "web"), ())


def endpoints(*texts: str) -> list[Endpoint]:
    return [endpoint for one in slices(*texts) for endpoint in one.endpoints]


def test_the_pods_that_the_selector_names_in_the_same_namespace() -> None:
    others = documents(
        pod("a"),
        pod("b").replace("{app: web}", "{app: web, more: x}"),
        pod("c").replace("{app: web}", "{app: db}"),
        pod("d").replace("namespace: shop", "namespace: other"),
    )
    (one,) = slices(service(""), others)
    assert [endpoint.pod for endpoint in one.endpoints] == [("shop", "a"), ("shop", "b")]
    assert (one.ports, one.family, one.made_by_controller) == ((EndpointPort("", "tcp", 80),), 4, True)
    assert one.name.startswith("web-")
    assert len(endpoints(service("", selector="{app: web, more: x}"), others)) == 1


@pytest.mark.parametrize("spec", ["clusterIP: None", "type: NodePort"])
def test_every_type_with_a_selector_has_slices(spec: str) -> None:
    assert len(endpoints(service(spec), pod("a"))) == 1


def test_without_pods_there_is_one_empty_slice() -> None:
    (one,) = slices(service(""))
    assert (one.ports, one.endpoints) == ((), ())


@pytest.mark.parametrize(("spec", "selector"), [("", "{}"), ("type: ExternalName, externalName: x.org", "{app: web}")])
def test_without_selector_or_address_there_are_no_slices(spec: str, selector: str) -> None:
    assert slices(service(spec, selector=selector), pod("a")) == ()


GOING = "deletionTimestamp: '2024-01-01T00:00:00Z'"
UNREADY = "conditions: [{type: Ready, status: 'False'}]"


@pytest.mark.parametrize(
    ("status", "meta", "spec", "conditions"),
    [
        ("", "", "", (True, True, False)),
        (UNREADY, "", "", (False, False, False)),
        ("", GOING, "", (False, True, True)),
        (UNREADY, GOING, "", (False, False, True)),
        (UNREADY, GOING, "publishNotReadyAddresses: true", (True, False, True)),
    ],
    ids=["ready", "unready", "terminating", "terminating and unready", "published all the same"],
)
def test_conditions(status: str, meta: str, spec: str, conditions: tuple[bool, bool, bool]) -> None:
    (one,) = endpoints(service(spec), pod("a", status=status, meta=meta))
    assert (one.ready, one.serving, one.terminating) == conditions


def test_a_named_target_port_may_differ_by_pod() -> None:
    def with_port(name: str, port: str) -> str:
        return pod(name, f"nodeName: node1, containers: [{{ports: [{port}]}}]")

    text = documents(
        with_port("a", "{name: http, containerPort: 8080}"),
        with_port("b", "{name: http, containerPort: 9090}"),
        with_port("c", "{name: http, containerPort: 8080}"),
        with_port("d", "{name: http, containerPort: 53, protocol: UDP}"),
    )
    found = slices(service("ports: [{name: w, port: 80, targetPort: http}]"), text)
    assert [(one.ports, [end.pod[1] for end in one.endpoints if end.pod]) for one in found] == [
        ((EndpointPort("w", "tcp", 8080),), ["a", "c"]),
        ((EndpointPort("w", "tcp", 9090),), ["b"]),
        ((), ["d"]),
    ]
    assert len({one.name for one in found}) == 3


def test_a_slice_holds_a_hundred() -> None:
    found = slices(service(""), deployment(250))
    assert [len(one.endpoints) for one in found] == [100, 100, 50]


def test_a_slice_for_each_family() -> None:
    found = slices(service("ipFamilyPolicy: RequireDualStack"), pod("a"))
    assert [(one.family, one.endpoints[0].address) for one in found] == [(4, "10.244.1.2"), (6, "fd00:10:244::2")]


def test_host_network_pods_are_endpoints_at_the_nodes_address() -> None:
    (one,) = endpoints(service(""), pod("a", "nodeName: node2, hostNetwork: true"))
    assert (one.address, one.node) == ("192.168.10.12", "node2")


@pytest.mark.parametrize(
    ("spec", "zones", "nodes"),
    [
        ("", [(), ()], [(), ()]),
        ("trafficDistribution: PreferClose", [("a",), ("b",)], [(), ()]),
        ("trafficDistribution: PreferSameZone", [("a",), ("b",)], [(), ()]),
        ("trafficDistribution: PreferSameNode", [("a",), ("b",)], [("node1",), ("node2",)]),
    ],
)
def test_traffic_distribution_hints(spec: str, zones: list[tuple[str]], nodes: list[tuple[str]]) -> None:
    text = documents(pod("a"), pod("b", "nodeName: node2"))
    found = endpoints(service(spec), text)
    assert ([one.zone_hints for one in found], [one.node_hints for one in found]) == (zones, nodes)


def test_endpoints_that_are_not_ready_or_have_no_zone_get_no_hint() -> None:
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: bare}\n"
    text = documents(pod("a", status=UNREADY), pod("b", "nodeName: bare"))
    found = endpoints(node, service("trafficDistribution: PreferSameZone"), text)
    assert [one.zone_hints for one in found] == [(), ()]


WRITTEN = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
ports: [{name: null, port: 8080}, {name: none, port: null}, {name: zero, port: 0}, {name: u, port: 53, protocol: UDP}]
endpoints:
- addresses: [10.244.1.50, 10.244.1.51]
  conditions: {ready: null, serving: null, terminating: null}
  nodeName: node1
  targetRef: {kind: Pod, name: a}
  hints: {forZones: [{name: a}], forNodes: [{name: node1}]}
- addresses: [10.244.1.52]
  conditions: {ready: false, serving: false, terminating: true}
  targetRef: {kind: VM, name: a}
  deprecatedTopology: {x: z}
- addresses: [010.244.001.053]
"""


def test_a_written_slice_is_kept_with_kube_proxys_defaults() -> None:
    (one,) = slices(service(""), pod("a"), WRITTEN)
    assert one == EndpointSlice(
        "shop",
        "web-1",
        "web",
        4,
        (EndpointPort("", "tcp", 8080), EndpointPort("u", "udp", 53)),
        (
            Endpoint("10.244.1.50", True, True, False, "node1", ("shop", "a"), ("a",), ("node1",)),
            Endpoint("10.244.1.52", False, False, True),
            Endpoint("10.244.1.53"),
        ),
    )


def test_a_slices_owner_may_tell_its_service() -> None:
    text = WRITTEN.replace("labels: {kubernetes.io/service-name: web}", "ownerReferences: [{kind: Service, name: web}]")
    assert len(slices(service(""), text)) == 1


def test_slices_of_names_or_of_no_service_are_noticed() -> None:
    text = documents(
        WRITTEN.replace("IPv4", "FQDN").replace("web-1", "web-2"),
        WRITTEN.replace("service-name: web", "service-name: x"),
    )
    notices = manifests(NODES, text).notices
    assert [notice.partition(" (")[0] for notice in notices] == [
        "EndpointSlices of host names",
        "EndpointSlices whose Service is not among the manifests have no effect",
    ]


OLD = """
apiVersion: v1
kind: Endpoints
metadata: {name: web, namespace: shop}
subsets:
- addresses: [{ip: 10.9.0.1, nodeName: node1, targetRef: {kind: Pod, name: a, namespace: shop}}, {ip: 'fd00::1'}]
  notReadyAddresses: [{ip: 10.9.0.2}]
  ports: [{port: 8080}]
"""


def test_old_endpoints_of_a_service_without_selector_become_slices() -> None:
    found = slices(service("", selector="{}"), OLD)
    assert [one.family for one in found] == [4, 6]
    assert found[0].ports == (EndpointPort("", "tcp", 8080),)
    assert found[0].endpoints == (
        Endpoint("10.9.0.1", node="node1", pod=("shop", "a")),
        Endpoint("10.9.0.2", ready=False),
    )


@pytest.mark.parametrize(
    "texts",
    [
        (service(""), OLD),
        (service("", selector="{}"), OLD, WRITTEN),
        (OLD,),
        (
            service("", selector="{}"),
            OLD.replace("shop}", "shop, labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}}"),
        ),
    ],
    ids=["selector", "slices", "no Service", "skipped"],
)
def test_other_endpoints_are_not_read(texts: tuple[str, ...]) -> None:
    assert not any(one.address.startswith("10.9.") for one in endpoints(*texts))


def test_the_api_servers_own_endpoints_are_a_slice_all_the_same() -> None:
    text = service("", name="kubernetes", selector="{}").replace("namespace: shop", "namespace: default")
    old = OLD.replace("name: web, namespace: shop", "name: kubernetes").replace(
        "kubernetes}", "kubernetes, labels: {endpointslice.kubernetes.io/skip-mirror: 'true'}}"
    )
    assert cluster(NODES, text, old).slices["default", "kubernetes"][0].endpoints[0].address == "10.9.0.1"


def test_a_mirrored_subset_has_a_limit() -> None:
    many = ", ".join(f"{{ip: 10.9.{number // 250}.{number % 250 + 1}}}" for number in range(1200))
    found = manifests(NODES, service("", selector="{}"), OLD.replace("{ip: 10.9.0.2}", many))
    assert sum(len(one.endpoints) for one in found.cluster.slices["shop", "web"]) == 1000
    assert "only 1,000 addresses are mirrored" in found.notices[0]
