"""Rule: what people really have, from kubectl or written by hand, becomes the cluster they mean; nothing crashes."""

from __future__ import annotations

import gc
from pathlib import Path
from time import process_time

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from packetsim.cluster import Manifests, Source, load, replace_endpoints, replace_service
from packetsim.cluster.model import Endpoint, EndpointSlice
from packetsim.cluster.objects import KINDS
from packetsim.errors import ManifestError
from tests.packetsim.cluster.loading import NODES, cluster, documents, manifests, pod, service

HERE = Path(__file__).parent
SHOP = Path(__file__).parents[3] / "shop.yaml"


def test_what_kubectl_prints_is_understood() -> None:
    found = manifests((HERE / "kubectl.yaml").read_text())
    assert list(found.cluster.nodes) == ["kind-control-plane", "kind-worker"]
    assert [name for _, name in found.cluster.pods] == ["kube-apiserver-kind-control-plane", "web-7c5ddbdf54-x2x9k"]
    web = found.cluster.services["default", "web"]
    assert (web.cluster_ips, web.ports[0].node_port, web.ingress[0].ip) == (("10.96.42.7",), 31234, "172.18.255.1")
    (one,) = found.cluster.slices["default", "web"]
    assert (one.name, one.made_by_controller) == ("web-q7wln", False)
    assert one.endpoints[0].pod == ("default", "web-7c5ddbdf54-x2x9k")
    assert found.cluster.slices["default", "kubernetes"][0].endpoints[0].address == "172.18.0.3"
    assert [notice.partition(":")[0] for notice in found.notices] == ["Pods that have finished hold no address"]


def test_the_slices_of_a_dump_are_those_our_controller_would_make() -> None:
    text = (HERE / "kubectl.yaml").read_text()
    real = manifests(text).cluster.slices["default", "web"][0]
    kept = yaml.safe_load(text)
    kept["items"] = [one for one in kept["items"] if one["kind"] != "EndpointSlice"]
    made = manifests(yaml.safe_dump(kept)).cluster.slices["default", "web"][0]
    assert (made.ports, made.endpoints) == (real.ports, real.endpoints)


def test_the_shop_is_what_its_comments_say() -> None:
    found = load([Source("shop.yaml", SHOP.read_text())])
    assert found.notices == ()
    shop = found.cluster
    assert {name: (one.address(4), one.pod_cidr(4), one.zone) for name, one in shop.nodes.items()} == {
        "node1": ("192.168.10.11", "10.244.1.0/24", "a"),
        "node2": ("192.168.10.12", "10.244.2.0/24", "b"),
    }
    assert shop.pods["shop", "client"].addresses == ("10.244.1.9",)
    (web,) = shop.slices["shop", "web"]
    assert {(one.address, one.node) for one in web.endpoints} == {
        ("10.244.1.2", "node1"),
        ("10.244.2.2", "node2"),
        ("10.244.2.3", "node2"),
    }
    expected = {f"{one.address}:{web.ports[0].port}" for one in web.endpoints}
    flows = found.flow_tests[0].flows
    assert set(flows[0].endpoints or ()) == set(flows[1].endpoints or ()) == expected
    dns = shop.services["kube-system", "kube-dns"]
    assert (dns.cluster_ips, [(port.protocol, port.port) for port in dns.ports]) == (
        ("10.96.0.10",),
        [("udp", 53), ("tcp", 53)],
    )
    assert shop.proxy.mode == "iptables"


def test_nothing_at_all_is_a_cluster_of_two_nodes() -> None:
    found = load([])
    assert (list(found.cluster.nodes), found.cluster.namespaces) == (["node1", "node2"], ("default",))


def test_unknown_kinds_are_noticed_once_with_their_count_and_first_place() -> None:
    ingress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a}\n"
    knative = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n"
    assert manifests(NODES, documents(ingress, ingress, knative)).notices == (
        "kind Ingress (networking.k8s.io/v1) has no part in this model: skipped"
        " (2 times, first f2.yaml: document 1, line 1)",
        "kind Service (serving.knative.dev/v1) has no part in this model: skipped (at f2.yaml: document 3, line 9)",
    )


def test_notices_have_a_limit() -> None:
    texts = [f"apiVersion: v1\nkind: K{number}\n" for number in range(300)]
    assert len(manifests(documents(*texts)).notices) <= 202


def test_typed_lists_and_lists_in_lists_are_opened() -> None:
    text = """
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: PodList
  items: [{metadata: {name: a}, spec: {nodeName: node1}}, {metadata: {name: b}}]
- {apiVersion: v1, kind: NodeList, items: null}
"""
    assert list(cluster(NODES, text).pods) == [("default", "a"), ("default", "b")]


def test_namespaces_are_those_written_and_those_used() -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n"
    assert cluster(NODES, text, pod("a")).namespaces == ("default", "empty", "shop")


def test_nulls_are_the_same_as_absence() -> None:
    text = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: null, labels: {a: null}, annotations: null, ownerReferences: null}
spec: {type: null, clusterIP: null, clusterIPs: null, selector: null, externalIPs: null, sessionAffinity: null,
  ports: [{name: null, port: 80, protocol: null, targetPort: null, nodePort: null}]}
status: {loadBalancer: {ingress: null}}
"""
    found = cluster(NODES, text).services["default", "web"]
    assert (found.type, found.labels, found.ports[0].target_port) == ("ClusterIP", {"a": ""}, 80)


def test_the_collector_is_on_again_after_loading() -> None:
    with pytest.raises(ManifestError):
        manifests("hello")
    assert gc.isenabled()
    gc.disable()
    try:
        load([])
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_change_copies_one_mapping_and_shares_the_rest() -> None:
    before = cluster(NODES, service(""), pod("a"))
    key = ("shop", "web")
    one = EndpointSlice("shop", "web-1", "web", 4, (), (Endpoint("10.244.1.9"),))
    after = replace_endpoints(before, key, [one])
    assert (after.slices[key], before.slices[key][0].endpoints[0].address) == ((one,), "10.244.1.2")
    assert after.services is before.services
    moved = replace_service(after, before.services[key])
    assert moved.slices is after.slices
    assert moved.services == before.services
    assert moved.services is not before.services


def big(count: int) -> str:
    """`count` Services with ten endpoints each, as a file."""
    ends = "".join(
        f"- addresses: [10.244.1.{one}]\n  conditions: {{ready: true}}\n  nodeName: node1\n" for one in range(10, 20)
    )
    return documents(
        *(
            f"{service('', name=f's{number}', selector='{}')}---\n"
            "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
            f"metadata: {{name: s{number}, namespace: shop, labels: {{kubernetes.io/service-name: s{number}}}}}\n"
            f"addressType: IPv4\nports: [{{port: 80}}]\nendpoints:\n{ends}"
            for number in range(count)
        )
    )


def test_loading_takes_time_in_proportion() -> None:
    def seconds(count: int) -> float:
        text = big(count)
        start = process_time()
        assert len(manifests(NODES, text).cluster.services) == count
        return process_time() - start

    seconds(10)
    assert seconds(1600) < 16 * max(seconds(200), 0.05)


# ---- nothing but a ManifestError, whatever is thrown at it ------------------------------------

WORDS = st.sampled_from(
    ["", "web", "None", "IPv4", "IPv6", "10.244.1.5", "10.96.0.9", "fd00::5", "10.0.0.0/8", "ClientIP", "Local", "TCP",
     "NodePort", "ExternalName", "LoadBalancer", "PreferSameNode", "node1", "true", "Auto", "\u00e4\x85\u2028"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)


def _fields(names: list[str]) -> st.SearchStrategy[object]:
    keys = st.sampled_from(names) | st.text(max_size=4)
    return st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
    )


NAMES = """
name namespace labels annotations spec status metadata ports port nodePort targetPort protocol selector type
clusterIP clusterIPs ipFamilies ipFamilyPolicy externalIPs addresses address podCIDR podCIDRs nodeName hostNetwork
containers containerPort podIP podIPs ip conditions ready endpoints addressType subsets mode clusterCIDR ipvs
scheduler data config.conf flows from to via expect outcome template matchLabels replicas cidrs hints forZones
taints key effect items
"""
OBJECTS = st.fixed_dictionaries(
    {
        "apiVersion": st.sampled_from(sorted({version for kind in KINDS.values() for version in kind.api_versions})),
        "kind": st.sampled_from([*KINDS, "List", "PodList", "Ingress"]),
        "metadata": st.fixed_dictionaries({"name": st.sampled_from(["a", "kube-proxy", "web"])})
        | _fields(NAMES.split()),
    },
    optional={
        name: _fields(NAMES.split())
        for name in ("spec", "status", "items", "endpoints", "addressType", "data", "subsets")
    },
)


def loaded(*texts: str) -> Manifests | None:
    """What comes out, if anything does. Anything but a ManifestError is a crash."""
    try:
        found = load([Source(f"f{place}", text) for place, text in enumerate(texts)])
    except ManifestError as error:
        assert error.problems
        assert all(one.message and one.cure for one in error.problems)
        return None
    return found


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(OBJECTS | _fields(NAMES.split()), max_size=4))
def test_no_structure_crashes(values: list[object]) -> None:
    loaded(yaml.safe_dump_all(values, allow_unicode=True))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-&*!?|>{}[],'\"#%@`\n\t ~<\\0\x00\ud800"), max_size=60))
def test_no_text_crashes(text: str) -> None:
    loaded(text)


@settings(max_examples=150, deadline=None)
@given(
    st.integers(min_value=0), st.integers(min_value=0, max_value=40), st.sampled_from(["", "\t", "]", "0", ": ", "-"])
)
def test_no_damage_to_a_real_dump_crashes(place: int, length: int, instead: str) -> None:
    text = (HERE / "kubectl.yaml").read_text()
    at = place % len(text)
    loaded(text[:at] + instead + text[at + length :])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(min_value=0, max_value=6),
    st.lists(
        st.sampled_from(["", "type: NodePort", "clusterIP: None", "ipFamilyPolicy: RequireDualStack"]), max_size=6
    ),
)
def test_whatever_is_given_is_given_once(pods: int, specs: list[str]) -> None:
    texts = [pod(f"p{number}", "{}"[1:-1]) for number in range(pods)]
    texts += [service(spec, name=f"s{number}") for number, spec in enumerate(specs)]
    found = cluster(NODES, documents(*texts) if texts else "")
    ips = [ip for one in found.services.values() for ip in one.cluster_ips if ip != "None"]
    ips += [ip for one in found.pods.values() for ip in one.addresses]
    ips += [ip for node in found.nodes.values() for ip in node.addresses]
    assert len(ips) == len(set(ips))
    node_ports = [port.node_port for one in found.services.values() for port in one.ports if port.node_port]
    assert len(node_ports) == len(set(node_ports))
