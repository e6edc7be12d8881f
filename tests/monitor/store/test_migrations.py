from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from alerts.state.state import AlertState, Status
from monitor.store.alerts.states import load_states, open_incidents, save_incident, save_states
from monitor.store.engine import StoreError, open_engine, writing
from monitor.store.migrations import HEAD, upgrade
from monitor.store.tables import metadata
from tests.alerts.builders import alert, incident


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    before, after = upgrade(url)
    assert before is None
    with open_engine(url).connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == after, "what Alembic takes for the head"
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("pragma auto_vacuum").scalar_one() == 2, "incremental, from the start"
    assert upgrade(url) == (after, after), "a second run changes nothing"


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/newer.db"
    upgrade(url)
    with writing(open_engine(url)).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(StoreError, match="9999"):
        upgrade(url)


def test_what_is_remembered_of_a_renamed_metric_goes_on_under_its_new_name(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/old.db")
    upgrade(str(engine.url))
    labels = (("gpu", "0"), ("uuid", '"metric":"gpu_temperature_left_celsius"'))
    old = AlertState(labels, "gpu_temperature_left_celsius", Status.FIRING, fired_at=5.0, value=3.0)
    other = AlertState((("scope", "host"),), "load1_ratio", Status.PENDING)
    busy = incident(replace(alert(3.2), metric="gpu_pcie_throughput_bytes"), alert(2.1, "temp"))
    with writing(engine).begin() as connection:
        save_states(connection, "m", [("gpu-hot", {}, {old.labels: old}), ("load", {}, {other.labels: other})], 9.0)
        save_incident(connection, busy)
        connection.execute(text("update alembic_version set version_num = '0004'"))
    assert upgrade(str(engine.url)) == ("0004", HEAD)
    with engine.connect() as connection:
        found, [kept] = load_states(connection, "m"), open_incidents(connection)
    assert found["gpu-hot"] == {labels: replace(old, metric="gpu_temperature_headroom_celsius")}
    assert found["load"] == {other.labels: other}
    renamed = replace(busy.alerts[0], metric="gpu_pcie_throughput_bytes_per_second")
    assert kept == replace(busy, alerts=(renamed, busy.alerts[1]))


def test_a_damaged_file_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    path.write_bytes(b"this is no database, and long enough to be looked at" * 100)
    with pytest.raises(StoreError, match="not a database"):
        upgrade(f"sqlite:///{path}")


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder must exist"):
        upgrade(f"sqlite:///{tmp_path}/nowhere/w.db")


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("select count(*) from outbox where incident = 'a' and receiver = 'b'", "outbox_incident (incident=? AND rec"),
        ("update outbox set error = '' where incident = 'a' and receiver = 'b' and outcome is null", "outbox_incident"),
        (
            "select body from incidents where resolved_at is null order by opened_at",
            "incidents_resolved (resolved_at=?)",
        ),
        ("select body from incidents where key = 'a' and resolved_at is null order by opened_at desc", "incidents_key"),
        ("select id from incidents where resolved_at < 5", "incidents_resolved (resolved_at<?)"),
        ("select id from check_runs where started_at < 5 limit 1000", "check_runs_started (started_at<?)"),
        ("select id from transitions where recorded_at < 5 limit 1000", "transitions_recorded (recorded_at<?)"),
    ],
)
def test_what_is_asked_under_the_write_lock_is_found_by_an_index(tmp_path: Path, statement: str, index: str) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    upgrade(url)
    with open_engine(url).connect() as connection:
        plan = "; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan
