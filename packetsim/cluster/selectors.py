"""Rule: labels select as apimachinery's labels.Selector does; selecting Pods costs what it finds, not what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packetsim.cluster import schemas
from packetsim.cluster.model import Pod

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def matches(wanted: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    return wanted.items() <= labels.items()


def fulfils(requirement: schemas.Requirement, labels: Mapping[str, str]) -> bool:
    """One of `matchExpressions`. NotIn is fulfilled by a label that is missing."""
    key, values = requirement.key or "", requirement.values or []
    match requirement.operator:
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
    return key not in labels


class PodIndex:
    """Pods by namespace and label. `looked`: how many Pods all selections have looked at."""

    def __init__(self, pods: Iterable[Pod]) -> None:
        self.looked = 0
        self._pods: dict[tuple[str, str, str], list[Pod]] = {}
        for pod in pods:
            for key, value in pod.labels.items():
                self._pods.setdefault((pod.namespace, key, value), []).append(pod)

    def select(self, namespace: str, wanted: Mapping[str, str]) -> list[Pod]:
        """The namespace's Pods with every wanted label, in order; none when nothing is wanted."""
        sets = [self._pods.get((namespace, key, value), []) for key, value in wanted.items()]
        fewest = min(sets, key=len, default=[])
        self.looked += len(fewest)
        return [pod for pod in fewest if matches(wanted, pod.labels)]
