"""Rule: what a change did, told in the order in which a cluster does it, each step from what differs.

API server, etcd, the controllers that make Pods, the scheduler, the EndpointSlice controller, then every
node's kube-proxy with its rules + and -.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from packetsim.cluster.model import Cluster, EndpointSlice, Key, Pod
from packetsim.cluster.objects import KINDS, NAMELESS, POD_MAKERS
from packetsim.kubeproxy.config import NodeConfig
from visualizer.clusters import owner_of, place_of
from visualizer.documents import Written, key_of
from visualizer.rule_changes import rule_difference
from visualizer.schemas import MOST_LINES, RuleChange, Sign, Stage

MOST_STAGES = 12  # of one actor; the rest is told in one
MOST_NODES = 8  # whose rules are compared
_NAMED = 6  # names in one sentence
_SHELVES = {
    "Service": "services/specs",
    "Endpoints": "services/endpoints",
    "Node": "minions",
    "ConfigMap": "configmaps",
    "ServiceCIDR": "servicecidrs",
}
Documents = Mapping[str, Written]


def object_stages(old: Documents, new: Documents) -> Iterator[Stage]:
    """What was asked of the API server, and what etcd then holds."""
    gone = [one for key, one in old.items() if key not in new]
    come = [one for key, one in new.items() if key not in old]
    other = [one for key, one in new.items() if key in old and old[key].yaml != one.yaml]
    ours = [one for one in (*gone, *come, *other) if not _is_stored(one)]
    if any(map(_is_stored, (*gone, *come, *other))):
        told = (("created", come), ("changed", other), ("deleted", gone))
        words = [
            f"{verb} {_names(stored)}" for verb, many in told if (stored := [o.key for o in many if _is_stored(o)])
        ]
        yield Stage(actor="api-server", place="control plane", text=f"checked and {', '.join(words)}")
        writes = [_shelf(one) for one in (*come, *other) if _is_stored(one)]
        lines = [*_lines("-", "etcd", map(_shelf, filter(_is_stored, gone))), *_lines("+", "etcd", writes)]
        yield Stage(
            actor="etcd",
            place="control plane",
            text=f"wrote {_names(writes)}" if writes else f"deleted {_names([one.text for one in lines])}",
            added=sum(map(_is_stored, (*come, *other))),
            removed=sum(map(_is_stored, gone)),
            lines=lines[:MOST_LINES],
        )
    for one in ours:
        if one.kind in NAMELESS:
            yield Stage(actor="kube-proxy", place="every node", text="starts again with another configuration")


def _is_stored(one: Written) -> bool:
    return one.kind not in NAMELESS and one.kind != "FlowTest"


def _shelf(one: Written) -> str:
    shelf = _SHELVES.get(one.kind, f"{one.kind.lower()}s" if one.kind in KINDS else one.kind.lower())
    return "/".join(part for part in ("/registry", shelf, one.namespace, one.name) if part)


def pod_stages(old: Cluster, new: Cluster, old_documents: Documents, documents: Documents) -> Iterator[Stage]:
    """The controllers' Pods, and the nodes that the scheduler found for those that had none."""
    come = [pod for key, pod in new.pods.items() if key not in old.pods]
    gone = [pod for key, pod in old.pods.items() if key not in new.pods]
    by_owner: dict[str, tuple[list[Pod], list[Pod]]] = {}
    for place, (pods, whose) in enumerate(((come, documents), (gone, old_documents))):
        for pod in pods:
            owner = owner_of(pod, whose)
            if owner.partition(" ")[0] in POD_MAKERS:
                by_owner.setdefault(owner, ([], []))[place].append(pod)
    yield from _folded([_made(owner, *both) for owner, both in by_owner.items()])
    scheduled = [pod for pod in come if not _is_bound(pod, documents)]
    if scheduled:
        lines = list(_lines("+", "pods", (f"{_name(pod)} to {pod.node}" for pod in scheduled)))
        text = f"found {_count(len({pod.node for pod in scheduled}), 'node')} for {_count(len(scheduled), 'Pod')}"
        yield Stage(actor="scheduler", place="control plane", text=text, added=len(scheduled), lines=lines[:MOST_LINES])


def _made(owner: str, come: list[Pod], gone: list[Pod]) -> Stage:
    words = [f"made {_count(len(come), 'Pod')}"] if come else []
    words += [f"took {_count(len(gone), 'Pod')} away"] if gone else []
    lines = [*_lines("-", "pods", map(_name, gone)), *_lines("+", "pods", map(_name, come))][:MOST_LINES]
    text = f"{owner}: {' and '.join(words)}"
    return Stage(actor="controller", place=owner, text=text, added=len(come), removed=len(gone), lines=lines)


def _is_bound(pod: Pod, documents: Documents) -> bool:
    """Does its own manifest name the node? A DaemonSet's Pods are bound by their controller."""
    owner = owner_of(pod, documents)
    written = documents.get(owner)
    if written is None or written.kind == "DaemonSet":
        return True
    spec = written.document.value.get("spec")
    if written.kind != "Pod":
        template = spec.get("template") if isinstance(spec, dict) else None
        spec = template.get("spec") if isinstance(template, dict) else None
    return isinstance(spec, dict) and bool(spec.get("nodeName"))


def endpoint_stages(old: Cluster, new: Cluster) -> Iterator[Stage]:
    stages = []
    for key in dict.fromkeys((*old.slices, *new.slices)):
        before, after = old.slices.get(key, ()), new.slices.get(key, ())
        if before is not after and before != after and any(one.made_by_controller for one in (*before, *after)):
            stage = _endpoints(key, before, after)
            stages += [stage] if stage.added or stage.removed else []
    yield from _folded(stages)


def _endpoints(key: Key, before: tuple[EndpointSlice, ...], after: tuple[EndpointSlice, ...]) -> Stage:
    was, now = _addresses(before), _addresses(after)
    gone = [text for text in was if text not in now]
    come = [text for text in now if text not in was]
    lines = [*_lines("-", "endpoints", gone), *_lines("+", "endpoints", come)][:MOST_LINES]
    name = key_of("Service", *key)
    text = f"{name}: {_count(len(now), 'endpoint')} now"
    return Stage(
        actor="endpointslice-controller", place=name, text=text, added=len(come), removed=len(gone), lines=lines
    )


def _addresses(slices: tuple[EndpointSlice, ...]) -> dict[str, None]:
    """`10.244.1.5:8080 shop/web-1 on node1, ready`."""
    found: dict[str, None] = {}
    for one in slices:
        ports = ",".join(str(port.port) for port in one.ports)
        for endpoint in one.endpoints:
            address = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
            state = "ready" if endpoint.ready else "serving" if endpoint.serving else "not ready"
            state += ", terminating" if endpoint.terminating else ""
            pod = f" {place_of(endpoint.pod)}" if endpoint.pod else ""
            found[f"{address}:{ports}{pod} on {endpoint.node or 'no node'}, {state}"] = None
    return found


def proxy_stages(
    nodes: Iterable[str], before: Mapping[str, NodeConfig], after: Mapping[str, NodeConfig], verb: str = "wrote"
) -> Iterator[Stage]:
    """Every node's rules + and -, the first of them line by line."""
    names = list(dict.fromkeys(nodes))
    for node in [name for name in names if name in before or name in after]:
        found = rule_difference(before.get(node), after.get(node))
        text = f"{verb} {found.added:,} and took {found.removed:,} lines away" if found.added or found.removed else ""
        yield Stage(
            actor="kube-proxy",
            place=node,
            text=text or "nothing to write: its rules stay as they are",
            added=found.added,
            removed=found.removed,
            lines=found.lines,
        )
    others = sum(name not in before and name not in after for name in names)
    if others:
        yield Stage(actor="kube-proxy", place=f"{others} more nodes", text="did the same there")


# ---- words ------------------------------------------------------------------------------------------------


def _folded(stages: list[Stage]) -> Iterator[Stage]:
    """At most MOST_STAGES; what is left over is told in one, its numbers exact."""
    yield from stages[:MOST_STAGES]
    rest = stages[MOST_STAGES:]
    if rest:
        yield Stage(
            actor=rest[0].actor,
            place=f"{len(rest)} more",
            text=f"and for {len(rest):,} more",
            added=sum(one.added for one in rest),
            removed=sum(one.removed for one in rest),
        )


def _lines(sign: Sign, part: str, texts: Iterable[str]) -> Iterator[RuleChange]:
    return (RuleChange(sign=sign, part=part, text=text) for text in islice(texts, MOST_LINES))


def _name(pod: Pod) -> str:
    return place_of(pod.key)


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
