"""Stands beside the replay: keeps what was sent and answered, announces faults, shows messages as they come."""

from __future__ import annotations

from dataclasses import dataclass, field

from monitor.clock import Clock
from monitor.demo.processes import Child
from monitor.demo.replay import Departures, LabelQueue, Wire
from monitor.demo.screen import Screen
from monitor.demo.story import DAY, Fault
from monitor.demo.summary import Played
from monitor.demo.watch import Watch

LOOK_SECONDS = 0.5


@dataclass
class Replayed:
    """The replay as it went: the sink between `replay` and the wire, which keeps what the summary needs."""

    wire: Wire
    clock: Clock
    predicted: dict[str, int] = field(default_factory=dict)
    labels: int = 0
    slowed: list[tuple[float, float]] = field(default_factory=list)

    def predict(self, departures: Departures) -> None:
        self.predicted.update(self.wire.predict(departures))

    def label(self, labels: LabelQueue) -> None:
        self.wire.label(labels)
        self.labels += len(labels.labels)

    def slow(self, seconds: float) -> None:
        self.wire.slow(seconds)
        self.slowed.append((self.clock.time(), seconds))


@dataclass
class Observer:
    """Called at every hour of the replay: announces faults, shows messages, notices a process that died."""

    screen: Screen
    watch: Watch
    children: list[Child]
    faults: tuple[Fault, ...]
    first: float
    clock: Clock
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    _looked: float = -1.0
    _time: float = 0.0

    def __call__(self, time: float) -> None:
        now = self.clock.time()
        for fault in self.faults:
            if fault.name not in self.begun and fault.active(time):
                self.begun[fault.name] = now
                self.screen.fault(f"begins: {fault.title}", time)
            if fault.name in self.begun and fault.name not in self.ended and not fault.active(time):
                self.ended[fault.name] = now
                self.screen.fault(f"ends: {fault.title}", fault.ends)
        if time != float("inf"):
            self._time = time
            self.screen.day(time, (time - self.first) / DAY)
        self.look()

    def look(self) -> None:
        now = self.clock.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        for child in self.children:
            child.check()
        for message in self.watch.new_messages():
            self.screen.message(message, self._time)

    def played(self) -> list[Played]:
        return [
            Played(fault, self.begun[fault.name], self.ended.get(fault.name, self.clock.time()))
            for fault in self.faults
            if fault.name in self.begun
        ]
