"""For all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# no test fails because the machine is busy
settings.register_profile("ckptmap", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ckptmap")
