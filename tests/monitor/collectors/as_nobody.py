"""Runs a piece of a test without rights, in a child process: what root may see, others may not."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable

from tests.needs import absent

NOBODY = 65534


def as_nobody(piece: Callable[[], str]) -> str:
    """What `piece` returns when it is run by a user who owns nothing; its traceback where it raises."""
    if os.geteuid():
        absent("only root can become another user")
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, piece().encode())
        except BaseException:  # noqa: BLE001 - this process must not return
            os.write(writing, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    os.waitpid(pid, 0)
    return text
