"""Properties are tested without a clock: shared machines are slow at times, and no test asserts a wall time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("packetwalk", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("packetwalk")
