from __future__ import annotations

import pytest

from tests.checks.drift.parity.answers import Found, load
from tests.checks.drift.parity.shapes import Shape, shapes


@pytest.fixture(scope="session")
def all_shapes() -> dict[str, Shape]:
    return shapes()


@pytest.fixture(scope="session")
def by_evidently() -> Found:
    return load("evidently")


@pytest.fixture(scope="session")
def by_nannyml() -> Found:
    return load("nannyml")
