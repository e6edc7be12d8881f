"""Return memory to the system: what start-up or a burst of requests needed, and nothing will need again soon."""

from __future__ import annotations

import contextlib
import ctypes
import gc


def settle() -> None:
    """Give back what start-up needed: some 4 MB of a sidecar's 75."""
    gc.collect()
    gc.enable()
    # What is left lives as long as the daemon; the collector need not look at it again.
    gc.freeze()
    trim()


def trim() -> None:
    """Return freed memory to the system: a burst of requests leaves some MB that malloc would keep."""
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        ctypes.CDLL(None).malloc_trim(0)
