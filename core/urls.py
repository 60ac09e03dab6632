"""Rule: the app's own pages stand at the root; the admin is for whoever runs the server."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("visualizer.urls")),
]
