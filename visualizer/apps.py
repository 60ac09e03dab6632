"""Rule: the app's name, and the checks that run at its start."""

from __future__ import annotations

from django.apps import AppConfig


class VisualizerConfig(AppConfig):
    name = "visualizer"
    verbose_name = "Labs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from visualizer import checks  # noqa: F401
