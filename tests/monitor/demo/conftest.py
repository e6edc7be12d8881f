from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.demo.data import prepare
from tests.client.receiver import Receiver, receiver


@pytest.fixture(scope="session")
def flights_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real year, prepared once for all tests."""
    return prepare(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="session")
def flights(flights_file: Path) -> pa.Table:
    return pq.read_table(flights_file)


@pytest.fixture
def watchkeeper() -> Iterator[Receiver]:
    with receiver() as running:
        yield running
