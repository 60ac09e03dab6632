"""Rule: a change is worked out whole before any of it comes into force; one that cannot be is a RefusedError.

The mode in force and the mode that the lab's KubeProxyConfiguration names are always the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packetsim.cluster import Manifests
from packetsim.cluster.objects import KINDS
from packetsim.kubeproxy.config import NodeConfig
from visualizer import clusters, stages
from visualizer.documents import Written, key_of, merged, split
from visualizer.lab_state import Documents, LabState, Moment, affordable
from visualizer.patching import patched
from visualizer.refusals import RefusedError
from visualizer.schemas import Apply, Changed, Delete, DocumentView, Mode, Patch, Redo, SetMode, Stage, Undo
from visualizer.stages import MOST_NODES
from visualizer.walks import MODES, mode_named

__all__ = ["MOST_NODES", "Change", "ChangeCommand", "changed", "document_view", "event_of", "merged", "mode_of"]

ChangeCommand = Apply | Patch | Delete | SetMode | Undo | Redo
CONFIGURATION = "KubeProxyConfiguration"
_NAMED = 4


@dataclass(frozen=True, slots=True)
class Change:
    """`manifests` None: nothing is different."""

    state: LabState
    manifests: Manifests | None
    summary: str


def changed(state: LabState, command: ChangeCommand, before: Manifests) -> Change:
    """What the lab would be after the command. Raises RefusedError."""
    match command:
        case Undo() | Redo():
            return _gone_back(state, isinstance(command, Undo), before)
        case SetMode():
            documents, summary = with_mode(state.documents, command.mode), f"kube-proxy mode {command.mode}"
            return _change(state, documents, command.mode, summary, {}, before)
        case Apply():
            found, offsets = split(command.manifests)
            if not found:
                raise RefusedError(["There is no object in these manifests. Write at least one."])
            summary = f"applied {_named([one.key for one in found])}"
            return _change(state, merged(state.documents, found), None, summary, offsets, before)
        case Patch():
            one = _the(state.documents, command.kind, command.namespace, command.name)
            new = patched(one, command.patch)
            return _change(state, merged(state.documents, [new]), None, f"changed {one.key}", {}, before)
        case Delete():
            one = _the(state.documents, command.kind, command.namespace, command.name)
            documents = {key: other for key, other in state.documents.items() if key != one.key}
            return _change(state, documents, None, f"deleted {one.key}", {}, before)


def _the(documents: Documents, kind: str, namespace: str, name: str) -> Written:
    known = KINDS.get(kind)
    home = (namespace or "default") if known is not None and known.namespaced else namespace
    found = documents.get(key_of(kind, home, name))
    if found is None:
        there = [key for key, one in documents.items() if one.kind == kind]
        cure = f"There is {_named(there)}" if there else f"There is no {kind[:60]} at all"
        raise RefusedError([f"There is no {key_of(kind, home, name)[:200]}. {cure}."])
    return found


def _change(
    state: LabState,
    documents: Documents,
    mode: Mode | None,
    summary: str,
    offsets: Mapping[str, int],
    before: Manifests,
) -> Change:
    if documents == state.documents and mode in (None, state.mode):
        return Change(state, None, f"{summary}: nothing is different")
    manifests = clusters.load(documents, state.running, offsets, before)
    wanted = mode or _mode_in_force(state, documents, manifests)
    moment = Moment(state.documents, state.mode, summary)
    new = replace(
        state,
        documents=with_mode(documents, wanted),
        mode=wanted,
        running=clusters.running(manifests.cluster),
        undo=affordable((*state.undo, moment), documents),
        redo=(),
    )
    return Change(new, manifests, summary)


def _gone_back(state: LabState, back: bool, before: Manifests) -> Change:
    moments = state.undo if back else state.redo
    if not moments:
        raise RefusedError([f"There is nothing to {'undo' if back else 'redo'}. Change something first."])
    to = moments[-1]
    manifests = clusters.load(to.documents, state.running, before=before)
    here = Moment(state.documents, state.mode, to.summary)
    new = replace(
        state,
        documents=to.documents,
        mode=to.mode,
        running=clusters.running(manifests.cluster),
        undo=state.undo[:-1] if back else (*state.undo, here),
        redo=(*state.redo, here) if back else state.redo[:-1],
    )
    return Change(new, manifests, f"{'undid' if back else 'did again'}: {to.summary}")


# ---- the mode -----------------------------------------------------------------------------------------------


def mode_of(text: str) -> Mode:
    if text not in MODES:
        raise RefusedError([f"There is no proxy mode {text[:60]!r}. Use {', '.join(MODES)}."])
    return mode_named(text)


def _mode_in_force(state: LabState, documents: Documents, manifests: Manifests) -> Mode:
    """As the configuration says where it was changed; else as it is."""
    new, old = documents.get(CONFIGURATION), state.documents.get(CONFIGURATION)
    if new is None or (old is not None and old.yaml == new.yaml):
        return state.mode
    written = manifests.cluster.proxy.mode
    return mode_of(written) if written else state.mode


def with_mode(documents: Documents, mode: Mode) -> Documents:
    """The documents with the mode written into the configuration, if there is one that says another."""
    written = documents.get(CONFIGURATION)
    if written is None or written.document.value.get("mode") == mode:
        return documents
    return {**documents, CONFIGURATION: patched(written, {"mode": mode})}


# ---- what is told ---------------------------------------------------------------------------------------------


def document_view(one: Written) -> DocumentView:
    return DocumentView(key=one.key, kind=one.kind, namespace=one.namespace, name=one.name, yaml=one.yaml)


def event_of(
    command: ChangeCommand,
    change: Change,
    old: LabState,
    new: LabState,
    before: Manifests,
    known: Mapping[str, NodeConfig],
    configs: Mapping[str, NodeConfig],
) -> Changed:
    """`known` and `configs`: the first nodes' rules before and after the change."""
    if change.manifests is None:
        return _changed_event(command, change, new, before)
    cluster = change.manifests.cluster
    found = clusters.differences(before.cluster, cluster, old.documents, new.documents)
    told = [
        *stages.object_stages(old.documents, new.documents),
        *stages.pod_stages(before.cluster, cluster, old.documents, new.documents),
        *stages.endpoint_stages(before.cluster, cluster),
        *_proxy(old, new, (*before.cluster.nodes, *cluster.nodes), known, configs),
    ]
    return _changed_event(
        command,
        change,
        new,
        change.manifests,
        documents=[document_view(one) for key, one in new.documents.items() if old.documents.get(key) != one],
        nodes=found.nodes,
        pods=found.pods,
        services=found.services,
        removed=[*(key for key in old.documents if key not in new.documents), *found.removed],
        stages=told,
    )


def _changed_event(
    command: ChangeCommand, change: Change, state: LabState, manifests: Manifests, **lists: Sequence[object]
) -> Changed:
    return Changed.model_validate(
        {
            "by": command.type,
            "summary": change.summary,
            "mode": state.mode,
            "documents": [],
            "nodes": [],
            "pods": [],
            "services": [],
            "removed": [],
            "stages": [],
            **lists,
            "notices": list(manifests.notices),
            "can_undo": bool(state.undo),
            "can_redo": bool(state.redo),
        }
    )


def _proxy(
    old: LabState,
    new: LabState,
    nodes: Iterable[str],
    known: Mapping[str, NodeConfig],
    configs: Mapping[str, NodeConfig],
) -> Iterable[Stage]:
    verb = "wrote"
    if old.mode != new.mode:
        verb = f"restarted with its node, now in {new.mode} mode: its kernel begins anew; wrote"
    return stages.proxy_stages(nodes, known, configs, verb)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
