from __future__ import annotations

import os
from collections.abc import Callable
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


def linked(folder: Path) -> str:
    (folder / "other.db").symlink_to("data/w.db")
    return str(folder / "other.db")


def linked_folder(folder: Path) -> str:
    (folder / "volume").symlink_to(folder / "data", target_is_directory=True)
    return str(folder / "volume" / "w.db")


def linked_hard(folder: Path) -> str:
    """As a file that is mounted at a second place is: by its inode alone it is the same."""
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "w.db").hardlink_to(folder / "data" / "w.db")
    return str(folder / "elsewhere" / "w.db")


SPELLINGS: list[Callable[[Path], str]] = [
    linked,
    linked_folder,
    linked_hard,
    lambda folder: os.path.relpath(folder / "data" / "w.db"),
    lambda folder: f"{folder}/data/../data/./w.db",
]


@pytest.mark.parametrize("spelt", SPELLINGS)
def test_it_is_the_file_that_is_held_however_its_path_is_spelt(tmp_path: Path, spelt: Callable[[Path], str]) -> None:
    (tmp_path / "data").mkdir()
    held = hold(f"sqlite:///{tmp_path}/data/w.db")
    assert held is not None
    other = spelt(tmp_path)
    for _ in range(2):  # being refused gives up nothing
        with pytest.raises(StoreError, match="in use by another Watchkeeper"):
            hold(f"sqlite:///{other}")
    held.close()
    again = hold(f"sqlite:///{other}")
    assert again is not None
    again.close()


def test_a_file_that_may_not_be_opened_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "w.db").mkdir()
    with pytest.raises(StoreError, match=r"w.db can't be opened: Is a directory"):
        hold(f"sqlite:///{tmp_path}/w.db")


def test_a_shared_database_is_not_held() -> None:
    assert hold("postgresql+psycopg://watch@127.0.0.1/watch") is None
