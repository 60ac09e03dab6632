"""Rule: what would fail later in front of people is told when the server starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from visualizer.frontend import manifest_path


@checks.register
def first_lab(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    if settings.PACKETWALK_FIRST_LAB.is_file():
        return []
    hint = "It comes with the source; restore it."
    return [
        checks.Error(
            f"{settings.PACKETWALK_FIRST_LAB} is missing: new labs begin with it.", hint=hint, id="packetwalk.E1"
        )
    ]


@checks.register
def front_end(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    if manifest_path() is not None:
        return []
    hint = "Run `make front` (or `npm ci && npm run build` in static/)."
    return [checks.Warning("The front end is not built: pages will say so.", hint=hint, id="packetwalk.W1")]


@checks.register
def limits(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    names = ("PACKETWALK_LAB_DAYS", "PACKETWALK_NEW_LABS_PER_HOUR", "PACKETWALK_MOST_COMMANDS")
    wrong = [name for name in names if getattr(settings, name) < 1]
    return [checks.Error(f"{name} must be 1 or more.", id="packetwalk.E2") for name in wrong]
