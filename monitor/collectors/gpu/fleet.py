"""The GPUs that the driver shows: found, asked, and found anew where one was lost. Runs where it may hang."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from checks.base import Labels, Measurement, Window, labels
from monitor.collectors.gpu.device import OF_INSTANCES, OF_SPLIT, QUESTIONS, Device, Question, Refused, processes
from monitor.collectors.gpu.driver import AGAIN_SECONDS, REFUSALS, Driver, DriverGone, Lost, Unanswered
from monitor.collectors.gpu.xid import XidErrors

_MOST = 64
"""GPUs, and instances of one, that are looked at."""
_NONE = "no GPUs are watched: the driver shows none; a sidecar needs the GPU's devices, such as nvidia.com/gpu"


@dataclass(frozen=True)
class Gpu:
    """A GPU, or an instance of one (MIG)."""

    own: Labels
    handle: Any


@dataclass(frozen=True)
class GpuReading:
    """What one GPU answered."""

    own: Labels
    answers: bool | None
    """None where it can't be told: whatever was asked is not ours to ask."""
    rows: Sequence[Measurement] = ()


class Fleet:
    """Every GPU that was ever seen, by its uuid: its number may be another one's when it is gone."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.xid = XidErrors(driver)
        self._gpus: list[Gpu] = []
        self._unnamed: list[Labels] = []
        """Lost ones whose uuid was never learnt."""
        self._known: dict[str, Labels] = {}
        self._found = False
        self._anew_at: float | None = None
        self._refused: Refused = {}

    def sample(self, window: Window, monotonic: float) -> list[GpuReading]:
        """One entry a GPU, also for those that are not there any more. Half a sample of a driver that goes meanwhile is
        worth nothing."""
        try:
            if self._found:
                self.xid.hear(monotonic)
            seen = [self._read(gpu, window, monotonic) for gpu in self._gpus] if self._open(monotonic) else []
        except DriverGone:
            self._forget()
            seen = []
        here = {entry.own for entry in seen}
        missing = [own for own in self._known.values() if own not in here]
        seen += [GpuReading(own, False) for own in missing]
        # A lost one that can't name itself is most likely one of those that are missing.
        numbers = {dict(own)["gpu"] for own in missing}
        seen += [GpuReading(own, False) for own in self._unnamed if dict(own)["gpu"] not in numbers]
        if not seen or any(entry.answers is False for entry in seen):
            # It can come back only to a driver that is opened anew.
            self._anew_at = monotonic + AGAIN_SECONDS if self._anew_at is None else self._anew_at
        else:
            self._anew_at = None
        return seen

    def processes(self, monotonic: float) -> dict[Labels, dict[int, float]] | None:
        """Bytes that each process holds, by GPU or instance; None while the driver can't be asked."""
        if not self._found:
            return None
        found: dict[Labels, dict[int, float]] = {}
        try:
            for gpu in self._gpus:
                try:
                    # What instances hold is the whole GPU's as well, and is not to be told twice.
                    for part in self._parts(gpu, monotonic) or [gpu]:
                        found[part.own] = processes(self._device(part, monotonic))
                except (Unanswered, Lost):
                    continue
        except DriverGone:
            self._forget()
            return None
        return found

    def close(self) -> None:
        with contextlib.suppress(DriverGone):
            self.xid.stop()
        self._forget()
        self._driver.close()

    def _forget(self) -> None:
        """What was learnt of a driver that is gone; the next one may answer more."""
        self._found, self._gpus, self._unnamed, self._refused = False, [], [], {}
        self.xid.forget()

    def _open(self, monotonic: float) -> bool:
        if self._found and self._anew_at is not None and monotonic >= self._anew_at:
            self.xid.stop()
            self._driver.close()
            self._found, self._anew_at = False, None
        if not self._found and self._driver.ready(monotonic):
            self._find(monotonic)
        return self._found

    def _find(self, monotonic: float) -> None:
        self._gpus, self._unnamed = [], []
        try:
            count = min(self._driver.ask("nvmlDeviceGetCount"), _MOST)
        except (Unanswered, Lost):
            count = 0
        for index in range(count):
            try:
                handle = self._driver.ask("nvmlDeviceGetHandleByIndex", index)
                uuid = _text(self._driver.ask("nvmlDeviceGetUUID", handle))
            except Lost:
                self._unnamed.append(labels(gpu=str(index)))
                continue
            except Unanswered:
                continue  # not ours to see
            gpu = Gpu(labels(gpu=str(index), uuid=uuid), handle)
            self._gpus.append(gpu)
            self._known[uuid] = gpu.own
            self.xid.listen(gpu.own, self._device(gpu, monotonic))
        self._found = True
        if self._gpus:
            self._driver.say(f"GPUs that are watched: {len(self._gpus)}")
        elif not self._unnamed:
            self._driver.say(_NONE)

    def _read(self, gpu: Gpu, window: Window, monotonic: float) -> GpuReading:
        """What the GPU and its instances answer: nothing if it is lost."""
        try:
            parts = self._parts(gpu, monotonic)
            rows, failed = self._ask(gpu, QUESTIONS if parts is None else OF_SPLIT, window, monotonic)
            answers = True if rows else False if failed else None
            for part in parts or []:
                rows += self._ask(part, OF_INSTANCES, window, monotonic)[0]
        except Lost:
            return GpuReading(gpu.own, False)
        return GpuReading(gpu.own, answers, rows)

    def _ask(
        self, gpu: Gpu, questions: Iterable[Question], window: Window, monotonic: float
    ) -> tuple[list[Measurement], bool]:
        """The answers, and whether a question failed that has an answer."""
        device, rows, failed = self._device(gpu, monotonic), [], False
        for question in questions:
            try:
                for metric, extra, value in question(device):
                    rows.append(Measurement(metric, value, window, tuple(sorted((*gpu.own, *extra.items())))))
            except Unanswered as error:
                failed = failed or error.code not in REFUSALS
        return rows, failed

    def _parts(self, gpu: Gpu, monotonic: float) -> list[Gpu] | None:
        """The GPU's instances as they are now; None where it is not split into such (MIG)."""
        device = self._device(gpu, monotonic)
        try:
            mode = device.offered("nvmlDeviceGetMigMode")
            if mode is None or mode[0] != 1:
                return None
            count = min(device.ask("nvmlDeviceGetMaxMigDeviceCount"), _MOST)
        except Unanswered:
            return None
        return list(self._instances(gpu, device, count))

    def _instances(self, gpu: Gpu, device: Device, count: int) -> Iterator[Gpu]:
        for number in range(count):
            try:
                handle = device.ask("nvmlDeviceGetMigDeviceHandleByIndex", number)
                uuid = _text(self._driver.ask("nvmlDeviceGetUUID", handle))
            except Unanswered:
                continue  # no instance of that number, or not ours to see
            yield Gpu(labels(gpu=f"{dict(gpu.own)['gpu']}:{number}", uuid=uuid), handle)

    def _device(self, gpu: Gpu, monotonic: float) -> Device:
        return Device(self._driver, gpu.handle, gpu.own, self._refused, monotonic)


def _text(found: str | bytes) -> str:
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
