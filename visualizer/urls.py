"""Rule: three pages; everything else is the API."""

from __future__ import annotations

from django.urls import path

from visualizer import views

urlpatterns = [
    path("", views.home, name="home"),
    path("l/<str:token>", views.lab, name="lab"),
]
