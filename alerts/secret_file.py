"""A secret that may stand in a file: read there once more when it is refused, for it may have been replaced since.

Kubernetes and Vault replace the files of a running program; what they held before is revoked soon after.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import SecretStr

MOST = 64 << 10
"""Bytes of a secret's file at most."""


class SecretFileError(Exception):
    """A secret's file can't be read; the text names the file and the reason, and nothing that the file holds."""


def read_secret(path: Path) -> str:
    """Return what the file holds, without the blanks around it. Raises SecretFileError."""
    try:
        # A pipe that nobody writes to must not hold up a start.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SecretFileError(f"{path} is no regular file")
            content = file.read(MOST + 1)
        if len(content) > MOST:
            raise SecretFileError(f"{path} is larger than {MOST >> 10} KiB, which no secret is")
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        raise SecretFileError(f"{path} can't be read: {error.strerror}") from None
    except ValueError as error:  # no UTF-8, or a path with a zero byte
        raise SecretFileError(f"{path} is not text" if isinstance(error, UnicodeError) else "this is no path") from None
    if not text:
        raise SecretFileError(f"{path} is empty")
    return text


class Secret:
    """A secret as it is now. Safe for several threads.

    Whoever is refused with it (401, 403, Slack's invalid_auth) asks once more where `read_again` returns True:

        answer = ask(secret.text)
        if answer.status in (401, 403) and secret.read_again():
            answer = ask(secret.text)
    """

    def __init__(self, given: SecretStr | str | None, file: Path | None = None) -> None:
        """`given` is what the config was read with, `file` where that came from, if from a file."""
        self._text = given.get_secret_value() if isinstance(given, SecretStr) else given or ""
        self._file = file
        self._seen: tuple[int, int, int] | None = None

    @property
    def text(self) -> str:
        """The secret itself; empty without one."""
        return self._text

    def read_again(self) -> bool:
        """Read the file once more. Return whether it holds another secret than before; False for one that can't be
        read, of which the old content is kept."""
        if self._file is None:
            return False
        try:
            text = read_secret(self._file)
        except SecretFileError:
            return False
        changed, self._text = text != self._text, text
        return changed

    @property
    def newest(self) -> str:
        """The secret as its file has it now: for what others send, of which the old must end with the file's change.
        Looks at the file's date and place alone, unless those changed."""
        if self._file is None:
            return self._text
        try:
            found = self._file.stat()
        except (OSError, ValueError):
            return self._text
        seen = (found.st_mtime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self.read_again()
            self._seen = seen
        return self._text

    def __repr__(self) -> str:
        return "Secret('**********')" if self._text else "Secret('')"
