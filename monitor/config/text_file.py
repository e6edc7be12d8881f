"""Reads a file that a config names, or the config itself, up to a size that it may have."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MOST_BYTES = 1 << 20
"""Of a file that people write."""


class TextFileError(Exception):
    """A file can't be read; the text says why in a sentence about 'the file'."""


def read_text(path: Path, *, pipes: bool = False) -> str:
    """Return what the file says; a pipe's end is waited for only where `pipes` are meant. Raises FileNotFoundError and
    TextFileError."""
    try:
        return read_bytes(path, pipes=pipes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TextFileError(f"the file is not UTF-8 text (byte {error.start})") from None


def read_bytes(path: Path, *, pipes: bool = False) -> bytes:
    """Return what the file holds. Raises FileNotFoundError and TextFileError."""
    try:
        # Opening a pipe that nobody writes to would wait without end.
        flags = os.O_RDONLY | os.O_CLOEXEC | (0 if pipes else os.O_NONBLOCK)
        with os.fdopen(os.open(path, flags), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode) and not (pipes and stat.S_ISFIFO(mode)):
                raise TextFileError("this is no regular file")
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TextFileError(f"the file can't be read: {error.strerror}") from None
    except ValueError:
        raise TextFileError("this is no path of a file") from None
    if len(content) > MOST_BYTES:
        raise TextFileError(f"the file is larger than {MOST_BYTES >> 20} MiB")
    return content
