"""Scenario 15: the real Alertmanager is away for ten minutes, beside a member that hangs and one that refuses."""

from __future__ import annotations

import threading
from pathlib import Path

from alerts.delivery.outbox import DeliveryOutcome
from monitor.clock import SystemClock
from tests.alerts.builders import FakeClock
from tests.alerts.world import world
from tests.e2e.process import free_port, wait_for
from tests.monitor.alerting.alertmanager.test_push import RULES, Told, hung, member, sample
from tests.servers.alertmanager import Alertmanager, hook, seconds


def test_survives_alertmanager_being_down_for_ten_minutes_and_a_member_that_hangs(tmp_path: Path) -> None:
    # Ours is ten minutes behind Alertmanager's, and has caught up when that is back.
    clock = FakeClock(SystemClock().time() - 600)
    with hook() as taken, world(tmp_path, RULES, clock=clock) as it, hung() as deaf:
        server = Alertmanager(tmp_path / "alertmanager", taken.url)
        told = Told(), Told(), Told()
        # An alert lives for four times 3 minutes: it is known there all the while.
        lines = [
            member(it, server.url, told[0], resend="3m", timeout="30s"),
            member(it, deaf, told[1], resend="3m", timeout="100ms"),
            member(it, f"http://127.0.0.1:{free_port()}", told[2], resend="3m"),
        ]

        def tick() -> None:
            """Each on a thread of its own, as in the daemon."""
            threads = [threading.Thread(target=line.tick, daemon=True) for line in lines]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(60)
                assert not thread.is_alive()

        with server:
            sample(it, "load1_ratio", 3.0)
            tick()
            wait_for(lambda: ("load", "firing") in taken.told, "what fires is passed on")
        for minute in range(10):
            clock.forward(60)
            if minute == 3:
                sample(it, "load1_ratio", 0.1)
            if minute == 5:
                sample(it, "latency_p95_seconds", 4.0, "delays")
            tick()
        assert taken.told == [("load", "firing")]
        assert [outcome for outcome, _ in told[0].outcomes] == [DeliveryOutcome.SENT] + [DeliveryOutcome.RETRIED] * 8
        with server:
            clock.forward(31)
            clock.now = SystemClock().time()
            tick()
            alert = server.alerts()["slow"]
            began = clock.now - 4 * 60 - 31
            assert abs(seconds(alert["startsAt"]) - began) < 60, "it began when it did"
            wait_for(lambda: ("slow", "firing") in taken.told, "what began meanwhile is passed on")
            wait_for(lambda: ("load", "resolved") in taken.told, "and the end of what ended")
        assert sorted(taken.told) == [("load", "firing"), ("load", "resolved"), ("slow", "firing")], "each once"
        assert told[0].outcomes[-1] == (DeliveryOutcome.SENT, None)
        for other in told[1:]:
            assert {outcome for outcome, _ in other.outcomes} == {DeliveryOutcome.RETRIED}
