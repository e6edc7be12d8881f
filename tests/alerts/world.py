"""The alerting half of a daemon on a real SQLite file, with a clock that stands still and receivers that do as told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select

from alerts.delivery.mute_times import MuteTime
from alerts.delivery.outbox import Delivery, DeliveryOutcome
from alerts.delivery.routing import Inhibition, Route, Routing
from alerts.incidents.incident import Notice, Why
from alerts.notify import Address, Notifier
from alerts.rules.rule import Rule
from alerts.state.state import Transition
from checks.base import Measurement
from monitor.alerting.engine import AlertEngine
from monitor.alerting.outage import Outage
from monitor.store.alerts.queries import AlertStore
from monitor.store.engine import open_engine
from monitor.store.writer import Writer
from monitor.telemetry.health import Health
from tests.alerts.builders import HOUR, START, FakeClock, measure
from tests.database import tables_in


class Killed(BaseException):
    """The process ends here: nothing catches it."""


class Receiver:
    """Remembers what it is sent; raises what is put into `refusals` first."""

    pace = 0.0
    wants = frozenset(Why)

    def __init__(self, name: str = "pager") -> None:
        self.name = name
        self.sent: list[tuple[Notice, Address | None]] = []
        self.refusals: list[BaseException] = []
        self.kill_after_send = False
        self._ts = count(1)

    def send(self, notice: Notice, address: Address | None) -> Address:
        if self.refusals:
            raise self.refusals.pop(0)
        self.sent.append((notice, address))
        if self.kill_after_send:
            raise Killed
        return address or {"ts": str(next(self._ts))}

    @property
    def told(self) -> list[str]:
        return [notice.why.value for notice, _ in self.sent]


class World:
    """One process: everything but the database is new when it is made again."""

    def __init__(
        self,
        folder: Path,
        rules: Iterable[Rule],
        receivers: Iterable[Notifier],
        clock: FakeClock,
        store: Any = None,
        *,
        routes: Iterable[Route] = (),
        mute_times: Iterable[MuteTime] = (),
        inhibitions: Iterable[Inhibition] = (),
        fallbacks: dict[str, str] | None = None,
        owner: str = "",
    ) -> None:
        url = tables_in(folder / "alerts.sqlite")
        self.engine = open_engine(url)
        self.clock = clock
        self.outcomes: list[tuple[str, DeliveryOutcome, str | None]] = []
        self.receivers = {receiver.name: receiver for receiver in receivers}
        routing = Routing(list(self.receivers), list(routes), list(mute_times))
        self.alert_engine = AlertEngine(list(rules), list(self.receivers), clock, routing=routing)
        self.incidents = self.alert_engine.incidents
        self.health = Health()
        self.outage = Outage(self.engine, self.alert_engine, routing, self.receivers, clock, self.health, url=url)
        self.writer = Writer(self.engine, on_lost=self.outage.failed)
        self.writer.start()
        self.store = AlertStore(self.engine, self.writer)
        self.delivery = Delivery(
            store or self.store,
            self.receivers,
            clock,
            lambda *seen: self.outcomes.append(seen),
            random=lambda: 0.5,
            routing=routing,
            inhibitions=list(inhibitions),
            fallbacks=fallbacks,
            owner=owner,
        )

    def close(self) -> None:
        self.writer.stop()
        self.engine.dispose()

    def window(
        self, values: dict[str, float | None] | float, hour: int, model: str = "delays", **keys: Any
    ) -> list[Transition]:
        """Judges one hourly window: a value a feature, or one for `distance`."""
        end = START + hour * HOUR
        pairs = values if isinstance(values, dict) else {"distance": values}
        rows = [measure(value, end, labels=(("feature", name),), **keys) for name, value in pairs.items()]
        return self.judged(rows, end, model)

    def judged(
        self,
        rows: list[Measurement],
        now: float,
        model: str = "delays",
        metrics: Iterable[str] = ("feature_drift",),
        failed: dict[str, str] | None = None,
    ) -> list[Transition]:
        return self.writer.call(
            lambda connection: self.alert_engine.step(
                connection, model, rows, now, metrics=set(metrics), failed=failed or {}
            )
        )

    def reconcile(self, models: Iterable[str] | None = None) -> list[Transition]:
        known = None if models is None else set(models)
        return self.writer.call(lambda connection: self.alert_engine.reconcile(connection, self.clock.now, known))

    def deliver(self, seconds: float = 1.0) -> int:
        return self.delivery.deliver_due(self.clock.forward(seconds))

    def remind(self, seconds: float) -> None:
        now = self.clock.forward(seconds)
        self.writer.call(lambda connection: self.incidents.remind(connection, now))

    def incident(self) -> dict[str, Any]:
        return self.store.incidents()[0]

    def count(self, table: Table) -> int:
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(table)) or 0

    def dump(self) -> str:
        """All that is stored, but for generated ids, to compare runs."""
        transitions = [{**row, "id": 0} for row in self.store.transitions()]
        incidents = sorted([{**row, "id": ""} for row in self.store.incidents()], key=lambda row: row["since"])
        return json.dumps([transitions, incidents], sort_keys=True)


@contextmanager
def world(
    folder: Path,
    rules: Iterable[Rule],
    *receivers: Notifier,
    clock: FakeClock | None = None,
    store: Any = None,
    **keys: Any,
) -> Iterator[World]:
    made = World(folder, rules, receivers, clock or FakeClock(), store, **keys)
    try:
        yield made
    finally:
        made.close()
