"""Rule: what made a rule is told to pages in the engine's own words."""

from __future__ import annotations

from collections.abc import Iterable

from packetsim.ruletext import Origin
from visualizer.schemas import OriginView


def origin_views(origins: Iterable[Origin]) -> list[OriginView]:
    return [
        OriginView(kind=one.kind, namespace=one.namespace, name=one.name, field=one.field)
        for one in dict.fromkeys(origins)
    ]
