from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client.receiver import Receiver, receiver


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiver() as running:
        yield running
