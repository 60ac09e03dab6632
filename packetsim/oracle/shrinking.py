"""Rule: a difference is made small by leaving things out, never by changing them: every address stays what it was.

Zeller and Hildebrandt's ddmin (2002) over the flows, the documents, and then whatever lists and mappings
the documents hold. A candidate that does not load, or whose addresses shift, is not tried at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from packetsim.cluster import Source, load
from packetsim.cluster.model import Cluster
from packetsim.errors import PacketsimError
from packetsim.oracle import yaml_text
from packetsim.oracle.yaml_text import Document
from packetsim.trace import Flow

MOST_TRIES = 200
# What says who an object is and which addresses are its own: left out with the whole object, or not at all.
KEPT = frozenset(
    (
        *("apiVersion", "kind", "name", "namespace", "cidrs", "podCIDR", "podCIDRs", "addressType", "addresses"),
        *("podIP", "podIPs", "nodeName", "hostNetwork", "clusterIP", "clusterIPs", "ipFamilies"),
        *("port", "containerPort", "protocol"),
    )
)

Item = TypeVar("Item")
Differs = Callable[[str, Sequence[Flow]], bool]
Progress = Callable[[int, int], None]


def shrink(
    text: str,
    flows: Sequence[Flow],
    differs: Differs,
    tries: int = MOST_TRIES,
    progress: Progress = lambda done, most: None,
) -> tuple[str, list[Flow]]:
    """The smallest manifests and flows found that still differ; those given, where `differs` says no to them.

    `differs` is asked at most `tries` times; `progress` is told after each how many times that was, of how many.
    """
    return _Shrinking(text, flows, differs, tries, progress).result()


class _Shrinking:
    def __init__(self, text: str, flows: Sequence[Flow], differs: Differs, tries: int, progress: Progress) -> None:
        self._given = text, list(flows)
        self._differs, self._most, self._progress = differs, tries, progress
        self._asked = 0
        self._flows = list(flows)
        self._documents = [one for one in yaml_text.read(text) if one.get("kind") != "FlowTest"]
        self._cluster = load([Source("manifests", text)]).cluster

    def result(self) -> tuple[str, list[Flow]]:
        if not self._still(self._documents, self._flows):
            return self._given
        self._shorten_flows()
        self._documents = smallest(self._documents, lambda some: self._still(some, self._flows))
        for index in range(len(self._documents)):
            self._leave_out_fields(index)
        self._shorten_flows()
        return yaml_text.write(self._documents), self._flows

    # ---- what may be left out -------------------------------------------------------------------

    def _shorten_flows(self) -> None:
        """The shortest beginning that differs, then what of it is needed for its last flow to differ."""
        fewest, enough = 0, len(self._flows)
        while fewest + 1 < enough:
            middle = (fewest + enough) // 2
            if self._still(self._documents, self._flows[:middle]):
                enough = middle
            else:
                fewest = middle
        before, last = self._flows[: enough - 1], self._flows[enough - 1 : enough]
        self._flows = [*smallest(before, lambda some: self._still(self._documents, [*some, *last])), *last]

    def _leave_out_fields(self, index: int) -> None:
        """Level by level, so that a whole `spec` part goes before its own fields are looked at."""

        def still(document: Document) -> bool:
            documents = [*self._documents[:index], document, *self._documents[index + 1 :]]
            return self._still(documents, self._flows)

        document = self._documents[index]
        paths: list[tuple[str | int, ...]] = [()]
        while paths:
            path = paths.pop(0)
            smaller = _smallest_value(_at(document, path), partial(_asked_with, still, document, path))
            document = _with(document, path, smaller)
            paths.extend((*path, key) for key in _keys(smaller))
        self._documents[index] = document

    # ---- does it still differ -------------------------------------------------------------------

    def _still(self, documents: Sequence[Document], flows: Sequence[Flow]) -> bool:
        if self._asked >= self._most or not flows:
            return False
        text = yaml_text.write(documents)
        try:
            cluster = load([Source("manifests", text)]).cluster
        except PacketsimError:
            return False
        if not (keeps_addresses(cluster, self._cluster) and all(can_be_sent(cluster, flow) for flow in flows)):
            return False
        self._asked += 1
        found = self._differs(text, flows)
        self._progress(self._asked, self._most)
        return found


def keeps_addresses(small: Cluster, whole: Cluster) -> bool:
    """Is everything in `small` where it is in `whole`, so that no address was given out anew?"""
    return (
        all(_place(one) == _place(whole.nodes.get(name)) for name, one in small.nodes.items())
        and all(_place(one) == _place(whole.pods.get(key)) for key, one in small.pods.items())
        and all(_numbers(small, key) <= _numbers(whole, key) for key in small.services)
    )


def can_be_sent(cluster: Cluster, flow: Flow) -> bool:
    """Are the flow's sender and the node it enters by still there?"""
    if flow.via is not None and flow.via not in cluster.nodes:
        return False
    if "/" not in flow.place:
        return flow.place in cluster.nodes or flow.place == flow.source
    namespace, _, name = flow.place.partition("/")
    return (namespace, name) in cluster.pods


def _place(one: Any) -> tuple[Any, ...]:
    """The addresses of a Node or a Pod, and where it is."""
    return one and (one.addresses, getattr(one, "node", ""), getattr(one, "pod_cidrs", ()))


def _numbers(cluster: Cluster, key: tuple[str, str]) -> set[object]:
    service = cluster.services.get(key)
    if service is None:
        return set()
    node_ports = {(port.protocol, port.port, port.node_port) for port in service.ports if port.node_port}
    health = {service.health_check_node_port} - {0}
    return {*service.cluster_ips, *node_ports, *health}


# ---- values -------------------------------------------------------------------------------------


def smallest(items: Sequence[Item], still: Callable[[list[Item]], bool]) -> list[Item]:
    """Items none of which can be left out; the order stays. `still` is never asked about all of them."""
    items = list(items)
    if items and still([]):
        return []
    parts = 2
    while len(items) > 1:
        size = -(-len(items) // parts)
        for start in range(0, len(items), size):
            rest = items[:start] + items[start + size :]
            if rest and still(rest):
                items, parts = rest, max(parts - 1, 2)
                break
        else:
            if size == 1:
                break
            parts = min(parts * 2, len(items))
    return items


def _smallest_value(value: Any, still: Callable[[Any], bool]) -> Any:
    if isinstance(value, list):
        return smallest(value, still)
    if not isinstance(value, dict):
        return value
    whole: dict[str, Any] = value
    pinned = {key for key, one in whole.items() if _is_pinned(key, one)}

    def of(keys: Sequence[str]) -> dict[str, Any]:
        return {key: one for key, one in whole.items() if key in pinned or key in keys}

    return of(smallest([key for key in whole if key not in pinned], lambda keys: still(of(keys))))


def _is_pinned(key: str, value: Any) -> bool:
    """Does it say who an object is, or hold what does?"""
    return key in KEPT or (isinstance(value, dict) and any(_is_pinned(*one) for one in value.items()))


def _keys(value: Any) -> Iterator[str | int]:
    """The places of a list or mapping that hold lists or mappings themselves."""
    places = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    return (key for key, one in places if key not in KEPT and isinstance(one, (list, dict)))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _asked_with(still: Callable[[Document], bool], value: Any, path: tuple[str | int, ...], new: Any) -> bool:
    return still(_with(value, path, new))


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with what stands at `path` replaced."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(copy[path[0]], path[1:], new)
    return copy
