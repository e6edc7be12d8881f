from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from monitor.cli.doctor import database
from monitor.cli.doctor.finding import Finding
from monitor.store import migrations
from monitor.store.migrations import upgrade
from tests.monitor.cli.doctor.conftest import Configure
from tests.monitor.collectors.as_nobody import as_nobody


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "watchkeeper.db"


@pytest.fixture
def made(file: Path) -> Path:
    upgrade(f"sqlite:///{file}")
    return file


def look(configure: Configure) -> dict[str, Finding]:
    return {item.name: item for item in database.database(configure("model: a\n"))}


def test_one_that_is_well(configure: Configure, made: Path) -> None:
    before = made.read_bytes()
    found = look(configure)
    assert found[""].status.value == "ok"
    assert "can be written" in found[""].found and "(this release's)" in found[""].found
    assert found["disk"].status.value == "ok"
    assert made.read_bytes() == before


def test_one_that_is_not_there_yet_or_empty(configure: Configure, file: Path) -> None:
    assert look(configure)[""].status.value == "missing"
    assert not file.exists()
    file.touch()
    assert (look(configure)[""].status.value, "empty" in look(configure)[""].found) == ("missing", True)


def test_one_of_an_older_release(configure: Configure, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    next_release = made.parent / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, next_release)
    revision = f'revision, down_revision, branch_labels, depends_on = "9", "{migrations.HEAD}", None, None\n'
    (next_release / "versions" / "r0009_next.py").write_text(revision)
    monkeypatch.setattr(migrations, "__file__", str(next_release / "__init__.py"))
    found = look(configure)[""]
    assert (found.status.value, f"revision {migrations.HEAD}; this release's is 9" in found.found) == ("missing", True)


def test_one_of_a_newer_release(configure: Configure, made: Path) -> None:
    with sqlite3.connect(made) as connection:
        connection.execute("update alembic_version set version_num = '9'")
    connection.close()
    found = look(configure)[""]
    assert (found.status.value, "newer" in found.found) == ("problem", True), found


def test_one_that_is_locked(configure: Configure, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    other = sqlite3.connect(made, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    found = look(configure)[""]
    other.close()
    assert (found.status.value, "locked by another process" in found.found) == ("problem", True)


def test_one_that_is_damaged(configure: Configure, file: Path) -> None:
    file.write_text("this is no database, whatever it is called" * 100)
    found = look(configure)[""]
    assert (found.status.value, "not a database" in found.found) == ("problem", True)


def test_one_that_may_not_be_written(configure: Configure, made: Path) -> None:
    for folder in (made.parent, *made.parent.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    config = configure("model: a\n")
    said = as_nobody(lambda: " ".join(item.found for item in database.database(config)))
    assert f"the folder {made.parent} can't be written" in said
    made.parent.chmod(0o777)
    said = as_nobody(lambda: " ".join(item.found for item in database.database(config)))
    assert "can be read only" in said or "can't be opened" in said, said


def test_a_disk_that_is_nearly_full(configure: Configure, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LITTLE", 1 << 62)
    found = look(configure)["disk"]
    assert (found.status.value, "retention" in found.todo) == ("problem", True)


def test_a_folder_that_is_not_there(configure: Configure) -> None:
    (found,) = database.database(configure("model: a\ndatabase: sqlite:///nowhere/w.db\n"))
    assert (found.status.value, "is not there" in found.found) == ("problem", True)
