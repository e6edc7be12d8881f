from __future__ import annotations

from pathlib import Path

import pytest

from checks.inputs import CheckOptions
from monitor.worker.messages import ModelOptions
from tests.monitor.worker.log import Log


@pytest.fixture
def options() -> ModelOptions:
    return ModelOptions("delays", checks=CheckOptions(min_rows=1))


@pytest.fixture
def log(tmp_path: Path, options: ModelOptions) -> Log:
    return Log(tmp_path / "watchkeeper.db", options)
