"""Whether the clock is right: events too far ahead of it are refused, and Alertmanager goes by it."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

from monitor.cli.doctor.clock_offset import Offsets
from monitor.cli.doctor.finding import Finding, missing, ok, problem

MOST = 5.0
"""Seconds that clocks may be apart."""
_UNSYNCHRONISED = 5
"""What adjtimex returns (TIME_ERROR) while nothing keeps the clock right: https://man7.org/linux/man-pages/man2/adjtimex.2.html"""
_ROOM = 512
"""More than struct timex takes; zeroes ask for nothing but the state."""


def clock(offsets: Offsets) -> Iterator[Finding]:
    """What the kernel says of its clock, and how far others' are from it."""
    apart = {whose: seconds for whose, seconds in offsets.all().items() if abs(seconds) > MOST}
    for whose, seconds in sorted(apart.items()):
        yield problem(
            "clock",
            f"that of {whose} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this one",
            "have both kept right (NTP); events more than 5 minutes ahead of this clock are refused",
        )
    near = sorted(offsets.all().keys() - apart.keys())
    agrees = f"; no more than {MOST:g} s from that of {', '.join(near)}" if near else ""
    state = kernel()
    if state is None:
        yield missing("clock", f"the kernel does not tell in here whether its clock is kept right{agrees}")
    elif state == _UNSYNCHRONISED:
        todo = "run chrony or systemd-timesyncd, on the host if this is a container"
        yield missing("clock", f"the kernel knows of nothing that keeps its clock right{agrees}", todo)
    else:
        yield ok("clock", f"kept right (NTP){agrees}")


def kernel() -> int | None:
    """The state of the kernel's clock; None where it is not told."""
    try:
        state = int(ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_ROOM)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state
