"""A part for the test of the frame itself, which does at once whatever a reader should not."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.fuzz.inputs import Part

KINDS = [b"fine", b"refused", b"raises", b"ends", b"sleeps", b"fine"]


def make(random: random.Random) -> bytes:
    """Return one of the kinds."""
    return random.choice(KINDS)


def take(content: bytes, folder: Path) -> None:
    """Do what the input says."""
    if content == b"refused":
        raise ValueError(content)
    if content == b"raises":
        raise KeyError(content)
    if content == b"ends":
        os._exit(3)
    if content == b"sleeps":
        time.sleep(3600)


PART = Part("sample", 12, make, take, (ValueError,), patience=1.0)
