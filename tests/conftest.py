"""What all tests share: hypothesis' profiles. ``--hypothesis-profile=thorough`` chooses the one for long runs."""

from __future__ import annotations

import gc

import pytest
from hypothesis import settings

from tests.order import Order

# No example has a deadline: on a busy machine any of them may take long.
settings.register_profile("watchkeeper", deadline=None)
settings.register_profile("thorough", max_examples=5_000, stateful_step_count=60, deadline=None, print_blob=True)
settings.load_profile("watchkeeper")


# All that is imported stays: looking for garbage among it, again and again, takes a tenth of the tests' time.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Order(config))
