from __future__ import annotations

import os
from pathlib import Path

import pytest

from monitor.store.engine import StoreError
from monitor.store.lock import hold


def test_a_second_daemon_on_the_same_file_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/w.db"
    held = hold(url)
    assert held is not None
    with pytest.raises(StoreError, match=rf"in use by another Watchkeeper \(pid {os.getpid()}\)"):
        hold(url)
    held.close()
    again = hold(url)
    assert again is not None
    again.close()


def test_a_shared_database_is_not_held() -> None:
    assert hold("postgresql+psycopg://watch@127.0.0.1/watch") is None
