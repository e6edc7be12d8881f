from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.web.rig import Rig
from tests.monitor.web.rig import rig as make


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = make(tmp_path)
    yield made
    made.close()
