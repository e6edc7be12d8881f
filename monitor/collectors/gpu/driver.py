"""NVIDIA's driver through pynvml: opened when it is there, opened anew when it was restarted, never a crash."""

from __future__ import annotations

import ctypes
import logging
from collections import Counter
from collections.abc import Collection
from typing import Any

log = logging.getLogger("watchkeeper.collectors.gpu")

LIBRARY = "libnvidia-ml.so.1"
AGAIN_SECONDS = 60.0
"""Before a driver that was not there, or a GPU that was lost, is tried again."""

ERRORS = {
    1: "uninitialized",
    2: "invalid_argument",
    3: "not_supported",
    4: "no_permission",
    6: "not_found",
    7: "insufficient_size",
    9: "driver_not_loaded",
    10: "timeout",
    12: "library_not_found",
    13: "function_not_found",
    15: "gpu_is_lost",
    16: "reset_required",
    18: "version_mismatch",
    999: "unknown",
}
"""NVML's codes by name; few, for they are a metric's label. Others are `other`."""
NO_ANSWER = "no_answer"
"""Counted where the driver hangs; no code of NVML's."""
REFUSALS = frozenset({3, 4, 13})
"""The question has no answer here, and will hardly have one soon."""
NOTHING = frozenset({6, 10})
"""Nothing has happened, or nothing is running: an answer, not a failure."""
_LOST = frozenset({15, 16})
"""The GPU has to be reset, or is gone from the bus."""
_GONE = frozenset({1, 9, 18})
"""The driver was restarted or unloaded: what was opened is worth nothing."""
_NOT_LOADED, _MISMATCH = 9, 18
_ADVICE = {
    4: "this user may not ask; a sidecar needs the GPU's devices, such as nvidia.com/gpu",
    9: "load it, or start the container with GPUs",
    18: "library and kernel module are of different releases: restart what was updated, a container included",
    999: "the container may have lost its devices: start it anew",
}


class GpuError(Exception):
    """NVML refused to answer."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.name = ERRORS.get(code, "other")
        super().__init__(self.name)


class Unanswered(GpuError):
    """This question has no answer; others may have."""


class Lost(GpuError):
    """The GPU answers nothing until it was reset."""


class DriverGone(GpuError):
    """Nothing can be asked until the driver is opened anew."""


class Driver:
    """One opened driver, asked by one thread at a time. A question may hang: `Patience` bounds how long that matters.

    pynvml is imported where its library can be opened, and nowhere else: it is some megabytes.
    """

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        """Questions that failed, by error."""
        self._nvml: Any = None
        self._library: ctypes.CDLL | None = None
        self._open = False
        self._was_open = False
        self._now = 0.0
        self._not_before = self._gone_at = -AGAIN_SECONDS
        self._said = ""
        self.load()

    def load(self) -> bool:
        """Whether the library is there; asks the driver nothing."""
        if self._library is None:
            try:
                self._library = ctypes.CDLL(LIBRARY)
            except OSError:
                return False
            import pynvml

            self._nvml = pynvml
        return True

    def ready(self, monotonic: float) -> bool:
        """Whether questions can be asked; opens the driver, now and then, where it is not."""
        self._now = monotonic
        if self._open:
            return True
        if monotonic < self._not_before:
            return False
        self._not_before = monotonic + AGAIN_SECONDS
        if not self.load():
            self.say(f"no GPUs are watched: there is no {LIBRARY} (the driver is not installed, or not in here)")
            return False
        try:
            self._call("nvmlInit", uncounted=ERRORS)
        except GpuError as error:
            self._not_opened(error)
            return False
        self._open = self._was_open = True
        return True

    def ask(self, function: str, *arguments: Any, uncounted: Collection[int] = NOTHING) -> Any:
        """What pynvml's function returns. Raises Unanswered, Lost, or DriverGone, after which it is closed; each is
        counted, but for the codes that are no failure."""
        try:
            return self._call(function, *arguments, uncounted=uncounted)
        except DriverGone as error:
            self.close()
            # A restart is seen through at once, a driver that goes again and again is left alone in between.
            again = self._now - self._gone_at < AGAIN_SECONDS
            self._not_before = self._now + AGAIN_SECONDS if again else self._now
            self._gone_at = self._now
            self.say(f"the GPU driver has gone ({error.name}); it is opened again when it is back", logging.WARNING)
            raise

    def close(self) -> None:
        """Lets go of the driver; `ready` opens it again."""
        if self._open:
            self._open = False
            try:
                self._call("nvmlShutdown", uncounted=ERRORS)
            except GpuError as error:
                log.debug("the driver could not be closed: %s", error)

    def say(self, text: str, level: int = logging.INFO) -> None:
        """Logs what is not what was said last."""
        if text != self._said:
            log.log(level, "%s", text)
        self._said = text

    def _not_opened(self, error: GpuError) -> None:
        # A machine with the library and without a GPU is as it should be.
        failed = self._was_open or error.code != _NOT_LOADED
        if failed:
            self.failures[error.name] += 1
        if error.code == _MISMATCH:
            self._forget_library()
        advice = _ADVICE.get(error.code, "tried again every minute")
        self.say(
            f"no GPUs are watched: the driver answers {error.name}; {advice}",
            logging.WARNING if failed else logging.INFO,
        )

    def _forget_library(self) -> None:
        """Has the next try load the library that is installed by then: after an update it is another one."""
        from _ctypes import dlclose

        opened = [library for library in (self._nvml.nvmlLib, self._library) if library is not None]
        self._nvml.nvmlLib = self._library = None
        self._nvml._nvmlGetFunctionPointer_cache.clear()
        for library in opened:
            dlclose(library._handle)

    def _call(self, function: str, *arguments: Any, uncounted: Collection[int]) -> Any:
        try:
            return getattr(self._nvml, function)(*arguments)
        except self._nvml.NVMLError as error:
            code = int(error.value)
        kind = DriverGone if code in _GONE else Lost if code in _LOST else Unanswered
        found = kind(code)
        if code not in uncounted:
            self.failures[found.name] += 1
        raise found
