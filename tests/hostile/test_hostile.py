"""What the daemon holds while others attack it, and that nobody honest is refused. How long the honest wait depends on
what else the machine does: `python -m tests.hostile` measures and judges that, for a minute an attack."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings.root import LimitSettings
from tests.e2e.process import Daemon
from tests.hostile.__main__ import (
    CONFIG,
    RSS_WITHOUT_TOKEN,
    WITH_TOKEN,
    WITHOUT_TOKEN,
    bound_with_token,
    play,
)
from tests.hostile.honest import TOKEN

SECONDS = 15.0


@pytest.mark.release
@pytest.mark.xdist_group("hostile")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", WITHOUT_TOKEN, ids="-".join)
def test_without_a_token_memory_stays_and_nobody_waits(tmp_path: Path, names: tuple[str, ...]) -> None:
    with Daemon(tmp_path, CONFIG) as daemon:
        seen = play(daemon, names, SECONDS)
    assert seen.wrong == []
    assert seen.most_bytes <= RSS_WITHOUT_TOKEN


@pytest.mark.release
@pytest.mark.xdist_group("hostile")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("names", WITH_TOKEN, ids="-".join)
def test_with_a_token_memory_stays_within_what_the_limits_allow(tmp_path: Path, names: tuple[str, ...]) -> None:
    with Daemon(tmp_path, CONFIG) as daemon:
        seen = play(daemon, names, SECONDS, TOKEN)
    assert seen.most_bytes <= bound_with_token(LimitSettings())
