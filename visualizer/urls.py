"""Rule: three pages; everything else is the API."""

from __future__ import annotations

from django.urls import path

from visualizer import views
from visualizer.api import api

urlpatterns = [
    path("", views.home, name="home"),
    path("l/<str:token>", views.lab, name="lab"),
    path("api/v1/", api.urls),
]
