"""Threads that notify receivers, one each: a receiver that hangs holds up no other."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from alerts.delivery.outbox import Delivery
from monitor.alerting.outage import Outage
from monitor.clock import Clock
from monitor.telemetry.health import Health
from monitor.telemetry.metrics import Meters

if TYPE_CHECKING:
    from monitor.alerting.alertmanager.push import Member

DELIVER_SECONDS = 0.5
DRAIN_LOOK_SECONDS = 0.1
DRAIN_SECONDS = 5.0
"""How long a stopping daemon waits for the receivers; what is still owed is sent after the next start."""


class DeliveryThreads:
    """Delivers the outbox to every receiver, and the alerts that fire to every Alertmanager."""

    def __init__(
        self,
        receivers: Iterable[str],
        members: Sequence[Member],
        delivery: Delivery,
        outage: Outage,
        clock: Clock,
        health: Health,
        meters: Meters,
    ) -> None:
        self._delivery, self._outage, self._members = delivery, outage, list(members)
        self._clock, self._health, self._meters = clock, health, meters
        self._passed = dict.fromkeys(receivers, clock.monotonic())
        """When each receiver's notifications were last looked at."""
        self._stopping, self._drained, self._deadline = threading.Event(), threading.Event(), math.inf
        self._threads = [
            threading.Thread(target=self._deliver, args=[name], name=f"deliver-{name}", daemon=True)
            for name in self._passed
        ]
        self._threads += [
            threading.Thread(target=self._push, args=[member], name=member.receiver, daemon=True) for member in members
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def drain(self) -> None:
        """Stop the threads once they have sent what is owed, or when the time for that is over."""
        self._deadline = self._clock.monotonic() + DRAIN_SECONDS
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=max(0.0, self._deadline - self._clock.monotonic()))
        self._drained.set()

    def hasten(self) -> None:
        """Try at once what waits, with the secrets that their files have now."""
        self._delivery.hasten(self._clock.time())
        for member in self._members:
            member.hasten()

    def stalled(self, patience: float) -> str | None:
        """Return in a sentence which receiver has not been looked after for longer than `patience` seconds."""
        now = self._clock.monotonic()
        late = [name for name, at in self._passed.items() if now - at > patience]
        return f"delivery to {late[0]} hangs" if late else None

    def _deliver(self, receiver: str) -> None:
        """Deliver to one receiver until the stop, and then what is still owed, as far as there is time."""
        while not self._stopping.wait(DELIVER_SECONDS):
            self._delivery.deliver(receiver, self._clock.time())
            self._outage.tell(receiver)
            self._passed[receiver] = self._clock.monotonic()
        while not self._drained.is_set():
            self._delivery.deliver(receiver, self._clock.time())
            left = self._deadline - self._clock.monotonic()
            if left <= 0 or self._delivery.drained(receiver, self._clock.time(), left):
                break
            self._drained.wait(DRAIN_LOOK_SECONDS)

    def _push(self, member: Member) -> None:
        """Push to one Alertmanager until the stop, and once more at the end."""
        pushed = self._meters.alertmanager_last_success.labels(member=member.receiver.partition(":")[2])
        while not self._stopping.wait(DELIVER_SECONDS):
            if member.tick():
                pushed.set(self._clock.time())
                self._health.report(f"receiver {member.receiver}", member.problem)
        member.tick()
