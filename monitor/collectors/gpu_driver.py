"""NVIDIA's driver through pynvml: opened when it is there, opened anew when it was restarted, never a crash."""

from __future__ import annotations

import ctypes
import logging
from collections import Counter
from types import ModuleType
from typing import Any

log = logging.getLogger("watchkeeper.collectors.gpu")

LIBRARY = "libnvidia-ml.so.1"
AGAIN_SECONDS = 60.0
"""Before a driver that was not there, or a GPU that was lost, is tried again."""

ERRORS = {
    1: "uninitialized",
    3: "not_supported",
    4: "no_permission",
    6: "not_found",
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
ABSENT = frozenset({3, 4, 13})
"""The question has no answer here, and will hardly have one soon."""
LOST = frozenset({15, 16})
"""The GPU has to be reset, or is gone from the bus."""
_DEAD = frozenset({1, 9, 18, 999})
"""The driver was restarted or unloaded, or the container has lost its devices: what was opened is worth nothing."""
_ADVICE = {
    9: "load it, or start the container with GPUs",
    18: "library and kernel module are of different releases: restart what was updated",
    4: "this user may not ask; a sidecar needs the GPU's devices, such as nvidia.com/gpu",
    999: "the container may have lost its devices: start it anew",
}


class GpuError(Exception):
    """NVML refused to answer."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.name = ERRORS.get(code, "other")
        super().__init__(self.name)


class DriverGone(GpuError):
    """Nothing can be asked until the driver is opened anew."""


class Driver:
    """One opened driver. Of one thread at a time; a driver that hangs holds up the one that asks, and no other."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        """Questions that failed, by error."""
        self._nvml: ModuleType | None = None
        self._open = False
        self._not_before = -1.0
        self._said = ""

    def ready(self, monotonic: float) -> bool:
        """Whether questions can be asked; opens the driver, now and then, where it is not."""
        if self._open:
            return True
        if monotonic < self._not_before:
            return False
        self._not_before = monotonic + AGAIN_SECONDS
        if self._nvml is None and not _library():
            self._say(f"no GPUs are watched: there is no {LIBRARY} (the driver is not installed, or not in here)")
            return False
        if self._nvml is None:
            # Only where there is a driver: it is a large module.
            import pynvml

            self._nvml = pynvml
        try:
            self._call("nvmlInit")
        except GpuError as error:
            advice = _ADVICE.get(error.code, "tried again every minute")
            self._say(f"no GPUs are watched: the driver answers {error.name}; {advice}")
            return False
        self._open, self._said = True, ""
        return True

    def ask(self, function: str, *arguments: Any) -> Any:
        """What pynvml's function returns. Raises GpuError, counted, or DriverGone, after which it is closed."""
        try:
            return self._call(function, *arguments)
        except GpuError as error:
            if error.code not in _DEAD:
                raise
            self.close()
            self._say(f"the GPU driver has gone ({error.name}); it is opened again when it is back")
            raise DriverGone(error.code) from None

    def close(self) -> None:
        """Lets go of the driver; `ready` opens it again at once."""
        if self._open:
            self._open, self._not_before = False, -1.0
            try:
                self._call("nvmlShutdown")
            except GpuError as error:
                log.debug("the driver could not be closed: %s", error)

    def say_watched(self, text: str) -> None:
        self._say(text)

    def _call(self, function: str, *arguments: Any) -> Any:
        assert self._nvml is not None
        try:
            return getattr(self._nvml, function)(*arguments)
        except self._nvml.NVMLError as error:
            found = GpuError(int(error.value))
            # Nothing has happened, or nothing is running: an answer, not a failure.
            if found.code not in (6, 10):
                self.failures[found.name] += 1
            raise found from None

    def _say(self, text: str) -> None:
        if text != self._said:
            log.info("%s", text)
        self._said = text


def _library() -> bool:
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        return False
    return True
