"""What all tests share: hypothesis' profile for long runs, chosen with ``--hypothesis-profile=thorough``."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("thorough", max_examples=5_000, stateful_step_count=60, deadline=None, print_blob=True)
