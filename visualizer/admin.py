"""Rule: whoever runs the server sees how many labs there are and may delete them; nobody edits a log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from visualizer.models import Lab

if TYPE_CHECKING:
    _LabAdmin = admin.ModelAdmin[Lab]
else:
    _LabAdmin = admin.ModelAdmin


@admin.register(Lab)
class LabAdmin(_LabAdmin):
    list_display = ("id", "made", "touched", "events")
    fields = readonly_fields = ("id", "made", "touched")
    date_hierarchy = "touched"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lab]:
        return super().get_queryset(request).annotate(event_count=Count("entries"))

    @admin.display(ordering="event_count")
    def events(self, lab: Lab) -> int:
        count: int = getattr(lab, "event_count", 0)
        return count
