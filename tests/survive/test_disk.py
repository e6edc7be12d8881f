"""Scenario 10: the disk is full. `PRAGMA max_page_count` makes SQLite say so, as it does on a disk without room."""

from __future__ import annotations

from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, Float, Integer, Table, insert
from sqlalchemy.exc import OperationalError

from checks.base import Measurement, Window
from monitor.alerting.outage import AGAIN, CALM, PATIENCE, RULE
from monitor.pipeline.wall_clock import Sampler
from monitor.store import tables
from tests.alerts.builders import rule
from tests.alerts.world import Receiver, World, world
from tests.monitor.pipeline.parts import parts_of

RULES = [
    rule(name="slow", metric="latency_p95_seconds", above=1.0, for_="30s"),
    rule(name="broken", metric="error_ratio", above=0.5, severity="critical"),
]


class Server:
    """A collector of a server that is slow, broken or neither."""

    name = "server"
    metrics = frozenset({"latency_p95_seconds", "error_ratio"})
    seconds, broken = 0.1, 0.0

    def collect(self, now: float, monotonic: float) -> list[Measurement]:
        window = Window(now - 15, now)
        return [
            Measurement("latency_p95_seconds", self.seconds, window, n=9),
            Measurement("error_ratio", self.broken, window, n=9),
        ]


class Rig:
    """A world with one sampled server, its database full on demand."""

    def __init__(self, it: World) -> None:
        self.it, self.server, parts = it, Server(), parts_of(it)
        self.latest = parts.latest
        self.sampler = Sampler("delays", self.server, 15.0, parts, it.outage)

    def fill(self) -> None:
        """Leaves no room, not even within the pages there are."""
        self.limit(self.it.writer.call(lambda connection: connection.exec_driver_sql("PRAGMA page_count").scalar_one()))
        for table in (tables.alerts, tables.transitions, tables.incidents, tables.outbox, tables.incident_log):
            for number in count():
                try:
                    self.it.writer.call(partial(pad, table=table, number=number))
                except OperationalError:
                    break

    def limit(self, pages: int) -> None:
        self.it.writer.call(lambda connection: connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").scalar())

    def run(self, seconds: float) -> None:
        """Samples every 15 s, delivers and tells twice a second."""
        for moment in range(int(seconds * 2)):
            if moment % 30 == 0:
                try:
                    self.sampler.sample()
                except OperationalError as error:
                    assert "full" in str(error)
            self.it.deliver(0.5)
            for name in self.it.receivers:
                self.it.outage.tell(name)


def pad(connection: Connection, table: Table, number: int) -> None:
    """One small row that means nothing to anyone."""
    values = {
        column.name: 0.0 if isinstance(column.type, Float | Integer) else f"pad{number}"
        for column in table.columns
        if column.autoincrement is not True
    }
    connection.execute(insert(table).values(values))


def test_survives_a_full_disk(tmp_path: Path) -> None:
    pager = Receiver()
    with world(tmp_path, RULES, pager) as it:
        rig = Rig(it)
        rig.run(30)
        rig.fill()
        rig.server.seconds = 3.0
        rig.run(PATIENCE - 1)
        assert pager.told == [], "what passes is nobody's business"
        rig.run(2)
        [(notice, address)] = pager.sent
        assert (notice.why.value, address) == ("first", None)
        assert [alert.rule for alert in notice.incident.alerts] == [RULE]
        assert "full" in notice.incident.alerts[0].summary
        assert "full" in it.health.degraded()["storage"]

        # Evaluation goes on: what fires meanwhile is told in the same message, `for` and all.
        rig.server.broken = 1.0
        rig.run(2 * AGAIN)
        last = pager.sent[-1][0].incident
        assert last.alerts[0].rule == RULE
        assert {alert.rule for alert in last.alerts} == {RULE, "slow", "broken"}
        assert [address for _, address in pager.sent[1:]] == [{"ts": "1"}] * (len(pager.sent) - 1)
        assert rig.latest.newest("error_ratio")[0].value == 1.0, "and is shown"
        assert it.store.incidents(open_only=True) == []

        # It recovers without a restart: what still fires becomes an incident like any other.
        told = len(pager.sent)
        rig.limit(1 << 30)
        rig.run(CALM + AGAIN)
        assert "storage" not in it.health.degraded()
        found = [(notice.why.value, notice.incident.group) for notice, _ in pager.sent[told:]]
        assert sorted(found) == [("first", "broken"), ("first", "slow"), ("resolved", "database")]
        assert it.store.pending() == {}
        rig.run(300)
        assert len(pager.sent) == told + 3, "and that is all"
