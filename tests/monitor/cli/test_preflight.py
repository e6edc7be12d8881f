from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monitor.cli import preflight
from monitor.cli.preflight import cgroup_problem, database_problem, port_problem, reference_problem, windows_problems
from monitor.settings.model import ModelSettings, WindowSettings
from monitor.settings.root import Config
from monitor.settings.server import CollectSettings
from monitor.store.tables import progress, windows
from monitor.worker.messages import ModelOptions
from tests.monitor.worker.log import HOUR, Log


def config(listen: str) -> Config:
    return Config(models=[ModelSettings(model="a")], listen=listen)


class Ticks:
    """A clock that moves one second at each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def test_a_sound_database(tmp_path: Path) -> None:
    assert database_problem(f"sqlite:///{tmp_path}/w.db", Ticks()) is None
    assert (tmp_path / "w.db").exists()


def test_a_large_database_is_taken_on_trust_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    from monitor.store.engine import open_engine, writing

    monkeypatch.setattr(preflight, "_STEPS", 100)
    engine = open_engine(f"sqlite:///{tmp_path}/w.db")
    with writing(engine).begin() as connection:
        connection.execute(text("create table t (a integer primary key, b text)"))
        connection.execute(text("create index i on t (b)"))
        rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) select i, hex(i) from n"
        connection.execute(text(f"insert into t {rows}"))
    engine.dispose()
    looks = Ticks()
    assert database_problem(f"sqlite:///{tmp_path}/w.db", looks) is None
    assert looks.now == pytest.approx(1 + preflight.CHECK_SECONDS + 1), "it was given up at the first look after that"


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:0", "[::1]:0", "0.0.0.0:0"])
def test_a_free_port(listen: str) -> None:
    assert port_problem(config(listen)) is None


def test_a_name_that_is_no_address() -> None:
    problem = port_problem(config("no-such-host.invalid:80"))
    assert problem is not None and problem.startswith("listen: 'no-such-host.invalid' is no address of this machine")


def test_a_large_reference_is_left_to_the_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.csv"
    path.write_text("no columns that anyone could use")
    model = ModelSettings(model="a", reference=path)
    assert reference_problem(model) is not None
    monkeypatch.setattr(preflight, "LOOKED_INTO", 10)
    assert reference_problem(model) is None


def watched(tmp_path: Path, every: float) -> Config:
    model = ModelSettings(model="a", windows=WindowSettings(every=every))
    return Config(models=[model], database=f"sqlite:///{tmp_path}/w.db")


REFUSED = (
    "model a: windows.every is 1h30m, but the database holds this model's windows of 1h, and the two can't be mixed; "
    "set it back to 1h, or use a new database or a new model name"
)


@pytest.mark.parametrize("stored", [True, False])
def test_windows_of_another_length_are_refused(tmp_path: Path, stored: bool) -> None:
    log = Log(tmp_path / "w.db", ModelOptions("a"))
    if stored:
        log.write(progress.update().values(every=HOUR))
    else:
        log.write(windows.insert().values(model="a", start=0.0, end=HOUR, close_seq=1))
    assert list(windows_problems(watched(tmp_path, 1.5 * HOUR))) == [REFUSED]
    assert REFUSED in preflight.problems(watched(tmp_path, 1.5 * HOUR))
    assert list(windows_problems(watched(tmp_path, HOUR))) == []


def test_lengths_that_differ_by_little_are_told_apart(tmp_path: Path) -> None:
    log = Log(tmp_path / "w.db", ModelOptions("a"))
    log.write(progress.update().values(every=90061.0))
    [problem] = windows_problems(watched(tmp_path, 90060.0))
    assert "windows.every is 90060s" in problem and "windows of 90061s" in problem


def test_a_model_without_windows_may_have_any_length(tmp_path: Path) -> None:
    assert list(windows_problems(watched(tmp_path, HOUR))) == [], "not even a table"
    Log(tmp_path / "w.db", ModelOptions("a"))
    assert list(windows_problems(watched(tmp_path, HOUR))) == []


def test_a_place_of_control_groups_that_is_named_must_be_there(tmp_path: Path) -> None:
    def problem(**collect: Any) -> str | None:
        return cgroup_problem(Config(models=[ModelSettings(model="a")], collect=CollectSettings(**collect)))

    assert problem() is None
    assert problem(cgroup=tmp_path) is None
    assert problem(cgroup=tmp_path / "no", container=False) is None
    said = problem(cgroup=tmp_path / "no")
    assert said is not None and said.startswith(f"collect.cgroup: there is no folder {tmp_path}/no; mount the")
